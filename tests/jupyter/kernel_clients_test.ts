/**
 * Our kernel under clients that others wrote: nbclient and Jupyter console,
 * and with notebooks as others write them. 15 s in all.
 *
 * Debian's python3-nbclient and jupyter-console; skipped if they are not there.
 */
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { basename, join } from "node:path";
import process from "node:process";
import { install, kernelSpecs } from "../../lib/notebook/kernel_spec.ts";
import type { CodeCell, Output } from "../../lib/notebook/nbformat.ts";
import { projectRoot } from "../../tools/files.ts";
import { runNotebook, swaplabKernel } from "./kernels.ts";
import { readCodeCells } from "./notebook_file.ts";

const HERE = join(projectRoot, "tests", "jupyter");
const NOTEBOOKS = join(projectRoot, "notebooks");

const foreign = ["tslab", "deno", "analysis"].map((name) =>
  join(HERE, "fixtures", `foreign_${name}.ipynb`)
);

for (const path of foreign) {
  Deno.test(`${basename(path)} gives its outputs in our kernel`, async () => {
    const { cells, lateCount } = await runNotebook(path, swaplabKernel());
    for (const { cell, execution } of cells) {
      const wanted = { id: cell.id, outputs: cell.outputs };
      assert.deepEqual({ id: cell.id, outputs: execution.outputs }, wanted);
    }
    assert.equal(lateCount, 0);
  });
}

/** The first Python that has a module; null if none has. */
function pythonWith(module: string): string | null {
  const pythons = ["python3", "/usr/bin/python3"];
  return pythons.find((python) =>
    spawnSync(python, ["-c", `import ${module}`]).status === 0
  ) ?? null;
}

/** Runs a Python whose Jupyter has our kernel; what it wrote. */
async function runPython(
  python: string,
  args: readonly string[],
  input = "",
): Promise<{ stdout: string; stderr: string }> {
  const folder = await Deno.makeTempDir();
  try {
    const deno = Deno.execPath();
    install(folder, kernelSpecs({ root: projectRoot, deno }));
    const env = { ...process.env, JUPYTER_DATA_DIR: folder };
    const child = spawn(python, args, { env, cwd: NOTEBOOKS });
    child.stdin.end(input);
    let [stdout, stderr] = ["", ""];
    child.stdout.on("data", (text) => stdout += text);
    child.stderr.on("data", (text) => stderr += text);
    const code = await new Promise((resolve) => child.once("close", resolve));
    assert.equal(code, 0, stderr);
    return { stdout, stderr };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** nbclient does not say which cell it is; it is `cell-N` then. */
function withoutIds(cells: readonly CodeCell[]): Output[][] {
  const ids = cells.map(({ id }) => id);
  return cells.map(({ outputs }) =>
    outputs.map((output) => {
      if (output.output_type !== "error") return output;
      const traceback = output.traceback.map((line) =>
        line.replace(
          /\bcell ([\w-]+), line/,
          (_, id) => `cell cell-${ids.indexOf(id) + 1}, line`,
        )
      );
      return { ...output, traceback };
    })
  );
}

/** nbclient 0.7 stores each message of a stream; a slow cell sends several. */
function merged(outputs: readonly Output[]): Output[] {
  const all: Output[] = [];
  for (const output of outputs) {
    const last = all.at(-1);
    const joins = last?.output_type === "stream" &&
      output.output_type === "stream" && last.name === output.name;
    if (joins) last.text += output.text;
    else all.push(output);
  }
  return all;
}

const nbclient = pythonWith("nbclient");

for (const path of [...foreign, join(NOTEBOOKS, "00_one_page.ipynb")]) {
  Deno.test({
    name: `${basename(path)} gives its outputs in nbclient` +
      (nbclient === null ? " (skipped: python3-nbclient is not here)" : ""),
    ignore: nbclient === null,
    async fn() {
      const script = join(HERE, "run_notebook.py");
      const args = [script, path, NOTEBOOKS];
      const { stdout } = await runPython(nbclient ?? "", args);
      assert.deepEqual(
        (JSON.parse(stdout) as Output[][]).map(merged),
        withoutIds(await readCodeCells(path)),
      );
    },
  });
}

const jupyterConsole = pythonWith("jupyter_console");

Deno.test({
  name: "Jupyter console runs cells" +
    (jupyterConsole === null ? " (skipped: jupyter-console is not here)" : ""),
  ignore: jupyterConsole === null,
  async fn() {
    const args = ["-m", "jupyter_console", "--kernel", "swaplab"];
    const lines = [
      "const page = 4096;",
      "console.log(page * 2)",
      "page / 2",
      "const text: string = page",
      "exit",
      "y",
    ];
    const { stdout, stderr } = await runPython(
      jupyterConsole ?? "",
      [...args, "--simple-prompt"],
      `${lines.join("\n")}\n`,
    );
    assert.match(stdout, /Swaplab: TypeScript, checked/);
    assert.match(stdout, /In \[2\]: 8192\n/);
    assert.match(stdout, /Out\[3\]: 2048\n/);
    assert.match(stderr, /TypeCheck: Type 'number' is not assignable/);
  },
});
