/** The files of notebooks/ as the command line names them. */
import { nearest } from "./imports.ts";

/** plainName() - `notebooks/00_one_page.md` is `00_one_page`. */
export function plainName(argument: string): string {
  return argument.replace(/^.*[/\\]/, "").replace(/\.(md|ipynb)$/, "");
}

/** notebookNames() - those with a file that ends in one of `endings`. */
export async function notebookNames(
  root: string,
  endings: readonly ("md" | "ipynb")[],
): Promise<string[]> {
  const names = new Set<string>();
  for await (const entry of Deno.readDir(`${root}/notebooks`)) {
    const [, name, ending] = /^(\d\d_.*)\.(md|ipynb)$/.exec(entry.name) ?? [];
    if (!entry.isFile || name === undefined) continue;
    if (endings.some((one) => one === ending)) names.add(name);
  }
  return [...names].sort();
}

export function noSuchNotebook(
  name: string,
  present: readonly string[],
): string {
  const similar = nearest(name, present);
  const hint = similar === null
    ? `there are ${present.join(", ") || "none"}`
    : `did you mean ${similar}?`;
  return `no notebook ${name}; ${hint}`;
}

/** readIfThere() - a file's text, or null if there is no such file. */
export async function readIfThere(path: string): Promise<string | null> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}
