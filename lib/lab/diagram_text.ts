/**
 * The columns of kernel commit messages: text into steps, steps into text.
 *
 * A diagram has a line of heads ("CPU0    CPU1"), perhaps a ruler, and lines
 * whose place tells who acts: a step belongs to the last head that begins at
 * or left of it. Tabs count to the next multiple of eight. A mail's "> " in
 * front, blank lines and bars between the columns are passed over.
 * What a step says: diagram_step.ts. Ours.
 */

/** One cell of a diagram. */
export interface Cell {
  /** Whose column, from 0. */
  readonly column: number;
  /** Spaces behind the column's beginning: how deep the call is nested. */
  readonly indent: number;
  readonly text: string;
  /** Where it stands in the text, from 1. */
  readonly line: number;
  readonly at: number;
}

export interface DiagramText {
  /** "CPU0", "kworker", …; two or three, or more. */
  readonly heads: readonly string[];
  readonly cells: readonly Cell[];
}

/** What is wrong with a diagram, and where. */
export class DiagramError extends Error {
  override name = "DiagramError";
  readonly line: number;
  readonly at: number;

  constructor(message: string, line: number, at: number, text: string) {
    const pointer = `${" ".repeat(Math.max(0, at - 1))}^`;
    super(`line ${line}, column ${at}: ${message}\n  ${text}\n  ${pointer}`);
    this.line = line;
    this.at = at;
  }
}

/** A word that can head a column: CPU0, CPU 1, T1, kswapd0, task A. */
const head = /(?:CPU|cpu|Thread|thread|Task|task|Process|process)\s?#?\w+|\S+/g;
/** A diagram of one column: only this can be its head. */
const onlyHead = /^\s*CPU\s?#?\d+$/;
const ruler = /^[\s\-=+_*~|]+$/;

/** Tabs become spaces, up to the next multiple of eight. */
export function expandTabs(text: string): string {
  let line = "";
  for (const letter of text) {
    if (letter !== "\t") line += letter;
    else line += " ".repeat(8 - (line.length % 8));
  }
  return line;
}

/** A quoted line without its "> > "; how much was taken away. */
function unquote(text: string): { text: string; cut: number } {
  const quote = /^(?:>[ ]?)+/.exec(text);
  const cut = quote?.[0].length ?? 0;
  return { text: text.slice(cut), cut };
}

interface Line {
  readonly number: number;
  readonly text: string;
  /** Columns of the quotation in front. */
  readonly cut: number;
  readonly original: string;
}

function linesOf(text: string): Line[] {
  return text.split(/\r?\n/).map((original, index) => {
    const { text, cut } = unquote(original);
    return {
      number: index + 1,
      text: expandTabs(text).trimEnd(),
      cut,
      original,
    };
  });
}

/** Where each head begins. */
interface Heads {
  readonly names: readonly string[];
  readonly starts: readonly number[];
}

function headsOf(line: Line): Heads | null {
  const text = line.text.replaceAll("|", " ");
  const found = [...text.matchAll(head)];
  if (found.length < 2 && !onlyHead.test(text)) return null;
  for (let i = 1; i < found.length; i++) {
    const end = found[i - 1]!.index + found[i - 1]![0].length;
    if (found[i]!.index - end < 2) return null;
  }
  if (found.some(([name]) => /[();]/.test(name))) return null;
  return {
    names: found.map(([name]) => name),
    starts: found.map(({ index }) => index),
  };
}

/** @throws DiagramError if there is no line of heads, or no step */
export function parseColumns(text: string): DiagramText {
  const lines = linesOf(text);
  const first = lines.find(({ text }) => text.trim() !== "");
  const headLine = lines.find((line) => headsOf(line) !== null);
  if (first === undefined || headLine === undefined) {
    const line = first ?? lines[0]!;
    throw new DiagramError(
      'wanted a line of heads such as "CPU0        CPU1"',
      line.number,
      1,
      line.original,
    );
  }
  const heads = headsOf(headLine)!;
  const cells: Cell[] = [];
  for (const line of lines.slice(lines.indexOf(headLine) + 1)) {
    if (line.text.trim() === "" || ruler.test(line.text)) continue;
    for (const cell of cellsOf(line, heads.starts)) addCell(cells, cell);
  }
  if (cells.length === 0) {
    throw new DiagramError(
      "no step stands below the heads",
      headLine.number,
      1,
      headLine.original,
    );
  }
  return { heads: heads.names, cells };
}

/** "[preempted before spin_lock(cluster_info[0].lock)": one bracket more. */
function isOpen(text: string): boolean {
  const count = (letter: string) => text.split(letter).length;
  return text.startsWith("[") && count("[") > count("]");
}

/** A bracket that is still open goes on in the next line of its column. */
function addCell(cells: Cell[], cell: Cell): void {
  const index = cells.findLastIndex(({ column }) => column === cell.column);
  const before = cells[index];
  if (before !== undefined && isOpen(before.text)) {
    cells[index] = { ...before, text: `${before.text} ${cell.text}` };
  } else cells.push(cell);
}

/** Chunks with two spaces or a bar between them; each in its column. */
function cellsOf(line: Line, starts: readonly number[]): Cell[] {
  const cells: Cell[] = [];
  const text = line.text.replaceAll(/\s\|(?=\s|$)/g, "  ");
  for (const match of text.matchAll(/\S+(?: \S+)*/g)) {
    const column = columnOf(match.index, starts);
    const before = cells.at(-1);
    // Words set apart in one column are one step still.
    if (before?.column === column) {
      cells[cells.length - 1] = {
        ...before,
        text: `${before.text} ${match[0]}`,
      };
      continue;
    }
    cells.push({
      column,
      indent: Math.max(0, match.index - starts[column]!),
      text: match[0],
      line: line.number,
      at: match.index + line.cut + 1,
    });
  }
  return cells;
}

/** The last head that begins at or left of it, a space of slack. */
function columnOf(at: number, starts: readonly number[]): number {
  let column = 0;
  for (const [index, start] of starts.entries()) {
    if (at >= start - 1) column = index;
  }
  return column;
}

/** One line to be printed. */
export interface Written {
  readonly column: number;
  readonly indent: number;
  readonly text: string;
}

/** Widest line of a commit message. */
export const messageWidth = 76;

/** A bracket is folded rather than be wider than that. */
const bracketWidth = 20;
/** Columns do not come closer. */
const columnWidth = 12;

/** Columns in equal distances; to the left if the last one needs room. */
function distanceOf(columns: number, lines: readonly Written[]): number {
  const last = columns - 1;
  const needed = lines.filter(({ column }) => column === last)
    .map(({ indent, text }) =>
      indent + (text.startsWith("[") ? bracketWidth : text.length)
    );
  const left = messageWidth - Math.max(...needed, 0);
  const equal = Math.floor(messageWidth / columns);
  if (last === 0) return equal;
  return Math.max(columnWidth, Math.min(equal, Math.floor(left / last)));
}

/**
 * formatColumns() - lines under their heads, at most 76 columns wide.
 *
 * A bracket that is too long for its column goes on in the next line. A call
 * may reach into the next column, which is empty there; one that would be too
 * wide even so becomes "...".
 */
export function formatColumns(
  heads: readonly string[],
  lines: readonly Written[],
): string {
  const distance = distanceOf(heads.length, lines);
  const headLine = heads.map((name) => name.padEnd(distance)).join("")
    .trimEnd();
  const body = lines.flatMap(({ column, indent, text }) => {
    const start = column * distance + indent;
    const isLast = column === heads.length - 1;
    const room = isLast ? messageWidth - start : distance - indent - 1;
    const parts = text.startsWith("[")
      ? fold(text, room)
      : [start + text.length <= messageWidth ? text : "..."];
    return parts.map((part) => " ".repeat(start) + part);
  });
  return [headLine, ...body].join("\n") + "\n";
}

/** Lines of at most `width`, broken at spaces where there are some. */
function fold(text: string, width: number): string[] {
  const lines: string[] = [];
  let rest = text;
  while (rest.length > width) {
    const space = rest.lastIndexOf(" ", width);
    const at = space > 0 ? space : width;
    lines.push(rest.slice(0, at));
    rest = ` ${rest.slice(at).trimStart()}`;
  }
  return [...lines, rest];
}
