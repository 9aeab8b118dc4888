/**
 * The kernels that our notebooks must run in, and how a notebook is run. Ours.
 */
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { projectRoot } from "../../tools/files.ts";
import { type Execution, type KernelSpec, startKernel } from "./client.ts";
import { kernelSpecs } from "../../lib/notebook/kernel_spec.ts";
import type { CodeCell } from "../../lib/notebook/nbformat.ts";
import { readCodeCells } from "./notebook_file.ts";

/** Kernels start here, as Jupyter starts them beside the notebook. */
const NOTEBOOKS = join(projectRoot, "notebooks");

/** Our own, as its kernelspec starts it, with options of kernel.ts. */
export function swaplabKernel(...options: string[]): KernelSpec {
  const programs = { root: projectRoot, deno: Deno.execPath() };
  const argv = kernelSpecs(programs).swaplab?.argv ?? [];
  return { name: "swaplab", argv: [...argv, ...options], cwd: NOTEBOOKS };
}

/** tslab 1.0, under the `node` that is on PATH. */
export function tslabKernel(): KernelSpec {
  const main = createRequire(import.meta.url).resolve("tslab");
  const program = join(dirname(main), "..", "bin", "tslab");
  return {
    name: "tslab",
    argv: ["node", program, "kernel", "--config-path", "{connection_file}"],
    cwd: NOTEBOOKS,
  };
}

/** The kernel that comes with Deno. */
export function denoKernel(): KernelSpec {
  return {
    name: "deno jupyter",
    argv: [
      Deno.execPath(),
      "jupyter",
      "--kernel",
      "--conn",
      "{connection_file}",
    ],
    cwd: NOTEBOOKS,
  };
}

/** Our built notebooks, and the fixture that is always there. */
export function notebookPaths(): string[] {
  const fixture = join(
    import.meta.dirname ?? ".",
    "fixtures",
    "91_hosts.ipynb",
  );
  const built = [...Deno.readDirSync(NOTEBOOKS)]
    .map((entry) => entry.name)
    .filter((name) => name.endsWith(".ipynb")).sort()
    .map((name) => join(NOTEBOOKS, name));
  return [fixture, ...built];
}

/** The longest cell searches a race; here on a machine that has other work. */
const CELL_TIMEOUT_MS = 180_000;

export interface NotebookRun {
  cells: { cell: CodeCell; execution: Execution }[];
  /** Outputs that came too late to be stored. */
  lateCount: number;
}

/** runNotebook() - all code cells of a notebook, in a kernel of their own. */
export async function runNotebook(
  path: string,
  spec: KernelSpec,
): Promise<NotebookRun> {
  const stored = await readCodeCells(path);
  await using kernel = await startKernel(spec);
  const cells: NotebookRun["cells"] = [];
  for (const cell of stored) {
    // As JupyterLab does; other clients do not say which cell it is.
    const metadata = { ...cell.metadata, cellId: cell.id };
    const run = () => kernel.execute(cell.source, CELL_TIMEOUT_MS, metadata);
    cells.push({ cell, execution: await untilRun(run) });
  }
  return { cells, lateCount: kernel.late.length };
}

/**
 * tslab refuses cells for 200 ms after one that failed, so that "Run all"
 * stops there. A refusal takes a millisecond.
 */
async function untilRun(run: () => Promise<Execution>): Promise<Execution> {
  for (let attempts = 1;; attempts++) {
    const execution = await run();
    if (!execution.status.startsWith("abort")) return execution;
    if (attempts === 10_000) throw new Error("The kernel refuses every cell");
  }
}
