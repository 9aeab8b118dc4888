/** Paths and folders for the build of the book. */

import { fileURLToPath } from "node:url";

/** The project's folder. */
export const root: URL = new URL("../", import.meta.url);

export { fileURLToPath as fromFileUrl };

/**
 * walk() - the files below a folder in a stable order.
 *
 * @param ending how a name must end; "" for all
 * @param skip names of folders that are not entered
 */
export function walk(
  folder: string,
  ending: string,
  skip: readonly string[] = [],
): string[] {
  const base = folder.replace(/\/$/, "");
  const entries = [...Deno.readDirSync(base)]
    .sort((a, b) => a.name < b.name ? -1 : 1);
  return entries.flatMap((entry) => {
    const path = `${base}/${entry.name}`;
    if (entry.isDirectory) {
      return skip.includes(entry.name) ? [] : walk(path, ending, skip);
    }
    return entry.name.endsWith(ending) ? [path] : [];
  });
}

/** isThere() - does a file or folder exist? */
export function isThere(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
