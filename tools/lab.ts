/**
 * `deno task lab [--uninstall]`: registers our kernels with the user's Jupyter
 * and starts JupyterLab in notebooks/. Ours.
 *
 * Exit code: 0 all well, JupyterLab's own if it ran, 1 if it is not installed,
 * 2 bad usage.
 */
import { spawn, spawnSync } from "node:child_process";
import { platform } from "node:os";
import { join } from "node:path";
import process from "node:process";
import {
  install,
  jupyterDataFolder,
  kernelSpecs,
  uninstall,
} from "../lib/notebook/kernel_spec.ts";
import { projectRoot } from "./files.ts";
import { buildPackage } from "./package.ts";

const USAGE = "usage: deno task lab [--uninstall]";

/** How to start JupyterLab, in the order in which it is tried. */
const PROGRAMS = [["jupyter-lab"], ["jupyter", "lab"], [
  "python3",
  "-m",
  "jupyterlab",
]];

const HOW_TO_GET_IT = [
  "JupyterLab is not installed: `pipx install jupyterlab` (or `pip install " +
  "jupyterlab`) gets it,",
  "then `deno task lab` starts it; any Jupyter that you have sees the " +
  "kernels already.",
];

/**
 * main() - what the command does; returns its exit code.
 *
 * @param tell takes each line of the report
 */
export async function main(
  args: readonly string[],
  tell: (line: string) => void = console.log,
): Promise<number> {
  const [option] = args;
  if (args.length > 1 || (option !== undefined && option !== "--uninstall")) {
    tell(USAGE);
    return option === "--help" ? 0 : 2;
  }
  const os = platform() === "win32" ? "windows" : platform();
  const folder = jupyterDataFolder({ os, env: process.env });
  const programs = { root: projectRoot, deno: process.execPath };
  const specs = kernelSpecs(programs);
  if (option === "--uninstall") {
    for (const line of uninstall(folder, Object.keys(specs))) tell(line);
    return 0;
  }
  for (const line of install(folder, specs)) tell(line);
  await buildPackage(); // What tslab imports as "swaplab".
  const program = PROGRAMS.find(answersVersion);
  if (program !== undefined) return await startLab(program);
  for (const line of HOW_TO_GET_IT) tell(line);
  return 1;
}

function answersVersion([program = "", ...args]: readonly string[]): boolean {
  const { status } = spawnSync(program, [...args, "--version"]);
  return status === 0;
}

/** Runs until the user ends it; its exit code. */
function startLab([program = "", ...args]: readonly string[]): Promise<number> {
  const folder = join(projectRoot, "notebooks");
  const child = spawn(program, [...args, `--notebook-dir=${folder}`], {
    stdio: "inherit",
  });
  return new Promise((resolve) => {
    child.once("close", (code) => resolve(code ?? 1));
  });
}

if (import.meta.main) process.exitCode = await main(process.argv.slice(2));
