/** The engine's files, as chapters quote them. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

export interface Sources {
  /** The text of a file of lib/ by its path in the project; null if none. */
  read(path: string): string | null;
  /** Paths of all TypeScript files of lib/, in order. */
  paths(): readonly string[];
}

/** projectSources() - those of this project, or of a folder like it. */
export function projectSources(
  root: string = fileURLToPath(new URL("../../", import.meta.url)),
): Sources {
  const read = (path: string) =>
    path.startsWith("lib/") && !path.includes("..") &&
      existsSync(`${root}/${path}`)
      ? readFileSync(`${root}/${path}`, "utf8")
      : null;
  return { read, paths: () => pathsOf(root) };
}

function pathsOf(root: string): string[] {
  if (!existsSync(`${root}/lib`)) return [];
  return readdirSync(`${root}/lib`, { recursive: true })
    .map((path) => `lib/${String(path).replaceAll("\\", "/")}`)
    .filter((path) => path.endsWith(".ts")).sort();
}
