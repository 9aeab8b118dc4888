/**
 * The code cells of an `.ipynb`, as a kernel is given them. Ours.
 */
import type { CodeCell } from "../../lib/notebook/nbformat.ts";
import { parseNotebook } from "../../lib/notebook/read.ts";

/** Code cells in order, without those that are tagged `skip-execution`. */
export async function readCodeCells(path: string | URL): Promise<CodeCell[]> {
  const { cells } = parseNotebook(await Deno.readTextFile(path), String(path));
  return cells.filter((cell) => cell.cell_type === "code")
    .filter((cell) => !cell.metadata.tags?.includes("skip-execution"));
}
