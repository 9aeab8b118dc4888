/** `deno task lab`, where no JupyterLab is. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { projectRoot } from "../../tools/files.ts";

/** Runs the command with an empty PATH; its exit code and its lines. */
function lab(folder: string, ...args: string[]) {
  const program = join(projectRoot, "tools", "lab.ts");
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ["run", "--allow-all", "--no-check", program, ...args],
    {
      cwd: projectRoot,
      encoding: "utf8",
      env: { HOME: process.env.HOME, JUPYTER_DATA_DIR: folder, PATH: "" },
    },
  );
  return { status, lines: stdout.trim().split("\n"), stderr };
}

Deno.test("lab registers the kernels, says how to get JupyterLab, and undoes it", async () => {
  const folder = await Deno.makeTempDir();
  const spec = (name: string) => join(folder, "kernels", name, "kernel.json");
  try {
    const { status, lines, stderr } = lab(folder);
    assert.equal(status, 1, stderr);
    assert.equal(lines.length, 4);
    assert.match(lines[2] ?? "", /^JupyterLab is not installed: `pipx install/);
    assert.equal(existsSync(spec("swaplab")), true);
    assert.equal(existsSync(spec("tslab")), true);
    const undone = lab(folder, "--uninstall");
    assert.equal(undone.status, 0, undone.stderr);
    assert.match(
      undone.lines.join("\n"),
      /^swaplab: removed.*\ntslab: removed/,
    );
    assert.equal(existsSync(spec("swaplab")), false);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("lab refuses what it does not know", () => {
  const { status, lines } = lab("", "--port");
  assert.equal(status, 2);
  assert.deepEqual(lines, ["usage: deno task lab [--uninstall]"]);
});
