import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  install,
  jupyterDataFolder,
  kernelSpecs,
  uninstall,
} from "../../lib/notebook/kernel_spec.ts";

const specs = kernelSpecs({ root: "/project", deno: "/bin/deno" });

Deno.test("jupyterDataFolder() is where Jupyter looks on each system", () => {
  const folder = (os: string, env: Record<string, string>) =>
    jupyterDataFolder({ os, env: { HOME: "/h", ...env } });
  assert.equal(folder("linux", {}), "/h/.local/share/jupyter");
  assert.equal(folder("linux", { XDG_DATA_HOME: "/x" }), "/x/jupyter");
  assert.equal(folder("darwin", {}), "/h/Library/Jupyter");
  assert.equal(folder("windows", { APPDATA: "/a" }), "/a/jupyter");
  assert.equal(folder("darwin", { JUPYTER_DATA_DIR: "/j" }), "/j");
});

Deno.test("kernelSpecs() starts our kernel, and interrupts it by a message", () => {
  const { swaplab } = specs;
  assert.equal(swaplab?.display_name, "Swaplab (TypeScript)");
  assert.equal(swaplab?.interrupt_mode, "message");
  assert.equal(swaplab?.argv.at(-2), "/project/lib/notebook/kernel.ts");
  assert.equal(swaplab?.argv.at(-1), "{connection_file}");
});

Deno.test("install() writes, again over its own; uninstall() removes", async () => {
  const folder = await Deno.makeTempDir();
  try {
    install(folder, specs);
    const told = install(folder, specs);
    const file = join(folder, "kernels", "swaplab", "kernel.json");
    assert.deepEqual(JSON.parse(readFileSync(file, "utf8")), specs.swaplab);
    assert.match(told[0] ?? "", /^swaplab: "Swaplab \(TypeScript\)" is in /);
    assert.match(uninstall(folder, ["swaplab"])[0] ?? "", /removed/);
    assert.equal(existsSync(file), false);
    assert.deepEqual(uninstall(folder, ["swaplab"]), [
      "swaplab: was not there",
    ]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("a kernelspec that somebody else wrote is not touched", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const tslab = join(folder, "kernels", "tslab");
    mkdirSync(tslab, { recursive: true });
    writeFileSync(join(tslab, "kernel.json"), `{"argv":["other"]}`);
    assert.match(install(folder, specs)[1] ?? "", /left as it is/);
    assert.match(uninstall(folder, ["tslab"])[0] ?? "", /not ours/);
    const text = readFileSync(join(tslab, "kernel.json"), "utf8");
    assert.equal(text, `{"argv":["other"]}`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
