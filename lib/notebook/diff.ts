/**
 * What differs between two notebooks, told for people: which cell, and a
 * unified diff of its source or of the text of its outputs. JSON is not shown.
 */
import type { Cell, Notebook, Output } from "./nbformat.ts";

const CONTEXT_LINES = 2;

interface DiffLine {
  sign: " " | "-" | "+";
  text: string;
}

/** diffNotebooks() - the differences as text, "" if a reader would see none. */
export function diffNotebooks(before: Notebook, after: Notebook): string {
  const old = new Map(before.cells.map((cell) => [cell.id, cell]));
  const parts: string[] = [];
  for (const cell of after.cells) {
    const was = old.get(cell.id);
    old.delete(cell.id);
    if (was === undefined) parts.push(`cell ${cell.id}: is new`);
    else parts.push(...diffCell(was, cell));
  }
  for (const id of old.keys()) parts.push(`cell ${id}: is gone`);
  parts.push(
    ...diffPart("notebook, metadata", toldOf(before), toldOf(after)),
  );
  parts.push(...diffOrder(before, after));
  return parts.join("\n");
}

/** The metadata but for the record of the cells, which are told themselves. */
function toldOf({ metadata }: Notebook): Notebook["metadata"] {
  const { swaplab: _, ...told } = metadata;
  return told;
}

function diffOrder(before: Notebook, after: Notebook): string[] {
  const ids = (notebook: Notebook) => notebook.cells.map((cell) => cell.id);
  const [old, now] = [ids(before), ids(after)];
  const isMoved = old.length === now.length && old.join() !== now.join() &&
    old.toSorted().join() === now.toSorted().join();
  return isMoved ? diffPart("order of cells", old, now) : [];
}

function diffCell(was: Cell, cell: Cell): string[] {
  const name = `cell ${cell.id}`;
  const parts = [
    ...diffPart(`${name}, type`, was.cell_type, cell.cell_type),
    ...diffPart(`${name}, source`, was.source, cell.source),
    ...diffPart(`${name}, metadata`, was.metadata, cell.metadata),
  ];
  if (was.cell_type !== "code" || cell.cell_type !== "code") return parts;
  return [
    ...parts,
    ...diffPart(
      `${name}, number of the run`,
      was.execution_count,
      cell.execution_count,
    ),
    ...diffOutputs(name, was.outputs, cell.outputs),
  ];
}

function diffOutputs(name: string, was: Output[], now: Output[]): string[] {
  if (JSON.stringify(was) === JSON.stringify(now)) return [];
  const oldText = was.map(outputText).join("\n");
  const newText = now.map(outputText).join("\n");
  if (oldText !== newText) return diffPart(`${name}, output`, oldText, newText);
  return [`${name}, output: differs in ${differentParts(was, now)}`];
}

/** For outputs of equal text: which mime types or fields are not equal. */
function differentParts(was: Output[], now: Output[]): string {
  const names = new Set<string>();
  for (const [index, output] of now.entries()) {
    const other: Output | undefined = was[index];
    const parts = "data" in output ? output.data : { ...output };
    const others = other && "data" in other ? other.data : { ...other };
    for (const key of Object.keys({ ...parts, ...others })) {
      const isSame = JSON.stringify(Reflect.get(parts, key)) ===
        JSON.stringify(Reflect.get(others, key));
      if (!isSame) names.add(key);
    }
  }
  return names.size === 0 ? "number of the run" : [...names].join(", ");
}

/** An output as a reader of a terminal would see it. */
function outputText(output: Output): string {
  if (output.output_type === "stream") {
    return `[${output.name}]\n${output.text}`;
  }
  if (output.output_type === "error") return output.traceback.join("\n");
  const types = Object.keys(output.data).sort().join(", ");
  const text = output.data["text/plain"];
  return `[${types}]\n${typeof text === "string" ? text : ""}`;
}

function diffPart(name: string, was: unknown, now: unknown): string[] {
  const text = (value: unknown) =>
    typeof value === "string" ? value : JSON.stringify(value, null, 1);
  if (text(was) === text(now)) return [];
  return [`${name}:\n${unifiedDiff(text(was), text(now))}`];
}

/** unifiedDiff() - lines of both texts with their signs, unchanged ones cut. */
export function unifiedDiff(before: string, after: string): string {
  const lines = diffLines(before.split("\n"), after.split("\n"));
  const isShown = lines.map((_, index) =>
    lines.slice(Math.max(0, index - CONTEXT_LINES), index + CONTEXT_LINES + 1)
      .some((line) => line.sign !== " ")
  );
  return lines
    .map(({ sign, text }, index) => {
      if (isShown[index]) return `  ${sign} ${text}`.trimEnd();
      return isShown[index - 1] || index === 0 ? "  ⋮" : null;
    })
    .filter((line) => line !== null)
    .join("\n");
}

/** The longest common subsequence, by the table; texts of cells are short. */
function diffLines(a: readonly string[], b: readonly string[]): DiffLine[] {
  const table = commonLengths(a, b);
  const common = (i: number, j: number) => table[i]?.[j] ?? 0;
  const lines: DiffLine[] = [];
  let [i, j] = [0, 0];
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      lines.push({ sign: " ", text: a[i] ?? "" });
      i++;
      j++;
    } else if (j >= b.length || common(i + 1, j) >= common(i, j + 1)) {
      if (i < a.length) lines.push({ sign: "-", text: a[i++] ?? "" });
      else lines.push({ sign: "+", text: b[j++] ?? "" });
    } else lines.push({ sign: "+", text: b[j++] ?? "" });
  }
  return lines;
}

function commonLengths(a: readonly string[], b: readonly string[]): number[][] {
  const table = Array.from(
    { length: a.length + 1 },
    () => new Array<number>(b.length + 1).fill(0),
  );
  for (let i = a.length - 1; i >= 0; i--) {
    const row = table[i] ?? [];
    const below = table[i + 1] ?? [];
    for (let j = b.length - 1; j >= 0; j--) {
      row[j] = a[i] === b[j]
        ? (below[j + 1] ?? 0) + 1
        : Math.max(below[j] ?? 0, row[j + 1] ?? 0);
    }
  }
  return table;
}
