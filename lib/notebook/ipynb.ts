/**
 * The `.ipynb` form of a notebook: byte for byte as Jupyter's own nbformat
 * writes it, so that opening and saving one there changes nothing. Reading is
 * read.ts' part.
 */
import type { Cell, Notebook, Output } from "./nbformat.ts";

/** Behind each line's end as Python's `splitlines`, so nbformat, sees it. */
// deno-lint-ignore no-control-regex
const LINE_END = /(?<=[\n\v\f\x1c-\x1e\x85\u2028\u2029]|\r(?!\n))/;

function splitLines(text: string): string[] {
  return text.split(LINE_END).filter((line) => line !== "");
}

function isJsonType(mime: string): boolean {
  return mime === "application/json" ||
    (mime.startsWith("application/") && mime.endsWith("+json"));
}

/** serializeNotebook() - one-space indent, sorted keys, texts as lines. */
export function serializeNotebook(notebook: Notebook): string {
  const file = { ...notebook, cells: notebook.cells.map(splitCell) };
  return `${JSON.stringify(sortKeys(file), null, 1)}\n`;
}

function splitCell(cell: Cell): Record<string, unknown> {
  const source = splitLines(cell.source);
  if (cell.cell_type === "markdown") return { ...cell, source };
  return { ...cell, source, outputs: cell.outputs.map(splitOutput) };
}

function splitOutput(output: Output): Record<string, unknown> {
  if (output.output_type === "stream") {
    return { ...output, text: splitLines(output.text) };
  }
  if (output.output_type === "error") return { ...output };
  const data = Object.entries(output.data).map(([mime, value]) => {
    const isText = typeof value === "string" && !isJsonType(mime);
    return [mime, isText ? splitLines(value) : value];
  });
  return { ...output, data: Object.fromEntries(data) };
}

/** stableJson() - equal values give equal texts, however they were made. */
export function stableJson(value: unknown): string {
  return JSON.stringify(sortKeys(value));
}

function sortKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortKeys);
  if (typeof value !== "object" || value === null) return value;
  const entries: [string, unknown][] = Object.entries(value);
  // Without a comparison, sort() orders by UTF-16 unit and by no locale.
  const keys = entries.map(([key]) => key).sort();
  const byKey = new Map(entries);
  return Object.fromEntries(keys.map((key) => [key, sortKeys(byKey.get(key))]));
}
