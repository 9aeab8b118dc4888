/**
 * Kernelspecs: how a user's Jupyter learns of our kernel, and of tslab with
 * our package. Ours.
 *
 * A kernelspec is a folder `kernels/NAME` in Jupyter's data folder. Ours say
 * so in their metadata; one that somebody else wrote is never touched.
 */
import {
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

/** The content of a kernel.json. */
export interface KernelSpecFile {
  argv: string[];
  display_name: string;
  language: string;
  interrupt_mode: "message" | "signal";
  kernel_protocol_version: string;
  env: Record<string, string>;
  metadata: { swaplab: true };
}

/** What a kernelspec is made from. */
export interface Programs {
  /** The folder of the project. */
  root: string;
  /** The path of the deno that is to run the kernel. */
  deno: string;
}

/** kernelSpecs() - ours, by the names of their folders. */
export function kernelSpecs(
  { root, deno }: Programs,
): Record<string, KernelSpecFile> {
  const common = {
    language: "typescript",
    env: { NO_COLOR: "1" },
    metadata: { swaplab: true },
  } as const;
  return {
    swaplab: {
      argv: [
        deno,
        "run",
        "--allow-all",
        "--no-check",
        `--config=${join(root, "deno.json")}`,
        join(root, "lib", "notebook", "kernel.ts"),
        "{connection_file}",
      ],
      display_name: "Swaplab (TypeScript)",
      interrupt_mode: "message",
      kernel_protocol_version: "5.4",
      ...common,
    },
    tslab: {
      argv: [
        "node",
        join(root, "node_modules", "tslab", "bin", "tslab"),
        "kernel",
        "--config-path",
        "{connection_file}",
      ],
      display_name: "TypeScript (tslab)",
      interrupt_mode: "signal",
      kernel_protocol_version: "5.3",
      ...common,
    },
  };
}

/** What a folder depends on: the system and its environment variables. */
export interface Surroundings {
  /** As Deno.build.os: "linux", "darwin", "windows". */
  os: string;
  env: Readonly<Record<string, string | undefined>>;
}

/** jupyterDataFolder() - where the user's Jupyter looks for kernels. */
export function jupyterDataFolder({ os, env }: Surroundings): string {
  if (env.JUPYTER_DATA_DIR) return env.JUPYTER_DATA_DIR;
  const home = env.HOME || env.USERPROFILE || homedir();
  if (os === "windows") {
    return join(env.APPDATA || join(home, "AppData", "Roaming"), "jupyter");
  }
  if (os === "darwin") return join(home, "Library", "Jupyter");
  return join(env.XDG_DATA_HOME || join(home, ".local", "share"), "jupyter");
}

/** What happened to one kernelspec, in a sentence. */
type Told = string;

/** install() - writes our kernelspecs below Jupyter's data folder. */
export function install(
  dataFolder: string,
  specs: Readonly<Record<string, KernelSpecFile>>,
): Told[] {
  return Object.entries(specs).map(([name, spec]) => {
    const folder = join(dataFolder, "kernels", name);
    if (isForeign(folder)) {
      return `${name}: left as it is, since ${folder} is not ours`;
    }
    mkdirSync(folder, { recursive: true });
    const text = `${JSON.stringify(spec, null, 2)}\n`;
    writeFileSync(join(folder, "kernel.json"), text);
    return `${name}: "${spec.display_name}" is in ${folder}`;
  });
}

/** uninstall() - removes those kernelspecs of these names that are ours. */
export function uninstall(
  dataFolder: string,
  names: readonly string[],
): Told[] {
  return names.map((name) => {
    const folder = join(dataFolder, "kernels", name);
    if (!existsSync(folder)) return `${name}: was not there`;
    if (isForeign(folder)) return `${name}: kept, since it is not ours`;
    rmSync(folder, { recursive: true });
    return `${name}: removed from ${folder}`;
  });
}

function isForeign(folder: string): boolean {
  if (!existsSync(folder)) return false;
  try {
    const spec = JSON.parse(readFileSync(join(folder, "kernel.json"), "utf8"));
    return spec?.metadata?.swaplab !== true;
  } catch {
    return true; // What we cannot read, we have not written.
  }
}
