/**
 * What a built notebook says about the source that it was built from: the id
 * and a hash of each cell, in `metadata.swaplab.source`. So `sync` can tell
 * who changed a cell since, the source or Jupyter, on any machine.
 */
import { createHash } from "node:crypto";
import { stableJson } from "./ipynb.ts";
import type { Cell, Notebook } from "./nbformat.ts";

/** Digits of a hash: a chance of 1 in 10^14 to miss a change. */
const DIGITS = 12;

/** What Jupyter keeps in a cell about how it is looked at. */
const VIEW_KEYS: ReadonlySet<string> = new Set([
  "ExecuteTime",
  "collapsed",
  "editable",
  "execution",
  "heading_collapsed",
  "hidden",
  "id",
  "jp-MarkdownHeadingCollapsed",
  "jupyter",
  "scrolled",
  "slideshow",
  "trusted",
  "vscode",
]);

/** ownMetadata() - of a cell's metadata, what a source can say. */
export function ownMetadata(cell: Cell): Cell["metadata"] {
  const { tags } = cell.metadata;
  const isTagged = Array.isArray(tags) && tags.length > 0;
  if (cell.cell_type === "code") return isTagged ? { tags } : {};
  const entries = Object.entries(cell.metadata)
    .filter(([key]) => !VIEW_KEYS.has(key) && (key !== "tags" || isTagged));
  return Object.fromEntries(entries);
}

/** contentHash() - of a cell as its source has it, outputs left out. */
export function contentHash(cell: Cell): string {
  const { cell_type, source } = cell;
  const text = stableJson([cell_type, source, ownMetadata(cell)]);
  return createHash("sha256").update(text).digest("hex").slice(0, DIGITS);
}

/** withRecord() - a notebook's metadata with what its cells are now. */
export function withRecord(notebook: Notebook): Notebook["metadata"] {
  const source = notebook.cells.map((cell) =>
    `${cell.id} ${contentHash(cell)}`
  );
  return { ...notebook.metadata, swaplab: { source } };
}

/** readRecord() - hash by id, in the order of the cells; null if not there. */
export function readRecord(
  metadata: Notebook["metadata"],
): Map<string, string> | null {
  const ours: unknown = metadata["swaplab"];
  if (typeof ours !== "object" || ours === null) return null;
  const source: unknown = Reflect.get(ours, "source");
  if (!Array.isArray(source)) return null;
  return new Map(source.map((one) => {
    const [id = "", hash = ""] = String(one).split(" ");
    return [id, hash];
  }));
}
