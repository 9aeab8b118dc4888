/**
 * Which files belong to the project. Ours.
 */
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";

/** The folder that holds deno.json. */
export const projectRoot: string = join(import.meta.dirname ?? ".", "..");

const skipped: ReadonlySet<string> = new Set([
  ".cache",
  ".git",
  ".ipynb_checkpoints",
  "dist",
  "node_modules",
]);

/**
 * Paths of all files that are tracked or could be, relative to `root`.
 * Without git, or outside a clone, all files but the usual built ones.
 */
export function projectFiles(root: string): string[] {
  if (!existsSync(join(root, ".git"))) return walk(root, "");
  try {
    const listed = execFileSync(
      "git",
      ["ls-files", "-z", "--cached", "--others", "--exclude-standard"],
      { cwd: root, encoding: "utf8", maxBuffer: 1 << 26, stdio: "pipe" },
    );
    return listed.split("\0")
      .filter((path) => path !== "" && existsSync(join(root, path))).sort();
  } catch {
    return walk(root, "");
  }
}

function walk(root: string, folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true })
    .flatMap((entry) => {
      if (skipped.has(entry.name)) return [];
      const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
      if (entry.isDirectory()) return walk(root, path);
      return entry.isFile() ? [path] : [];
    }).sort();
}

/** Whether the bytes are text: no NUL near the start. */
export function isText(bytes: Uint8Array): boolean {
  return !bytes.subarray(0, 8000).includes(0);
}
