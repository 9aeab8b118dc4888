/**
 * How inspected parts become lines: quoting, one-line or broken braces, and
 * the columns that Node makes of long arrays. Only text goes in and out; what
 * a value's parts are is decided in inspect.ts.
 *
 * The widths and thresholds are Node's defaults (breakLength 80, compact 3,
 * maxArrayLength 100), because the same notebook must print the same text
 * under tslab, which is Node.
 */

/** The width in columns that output tries not to pass. */
export const BREAK_LENGTH = 80;

/** How many levels of nesting may share one line. */
export const COMPACT_LEVELS = 3;

/** How many items of a list are printed before `... n more items`. */
export const MAX_ITEMS = 100;

/** The longest string that is printed whole, in characters. */
export const MAX_STRING_LENGTH = 10_000;

const SHORT_ESCAPES: Record<string, string> = {
  "\b": "\\b",
  "\t": "\\t",
  "\n": "\\n",
  "\f": "\\f",
  "\r": "\\r",
  "\\": "\\\\",
};

/** Control characters, backslash and halves of surrogate pairs. */
const ESCAPED = new RegExp(
  [
    "[\\x00-\\x1f\\x7f-\\x9f\\\\]",
    "[\\ud800-\\udbff](?![\\udc00-\\udfff])",
    "(?<![\\ud800-\\udbff])[\\udc00-\\udfff]",
  ].join("|"),
  "g",
);

function escapeCharacter(character: string): string {
  const short = SHORT_ESCAPES[character];
  if (short !== undefined) return short;
  const code = character.charCodeAt(0);
  const hex = code.toString(16);
  if (code >= 0x100) return `\\u${hex}`;
  return `\\x${hex.toUpperCase().padStart(2, "0")}`;
}

function quoteFor(text: string): string {
  if (!text.includes("'")) return "'";
  if (!text.includes('"')) return '"';
  return text.includes("`") || text.includes("${") ? "'" : "`";
}

/** quote() - a string literal, in the quotes that need the fewest escapes. */
export function quote(text: string): string {
  const mark = quoteFor(text);
  const escaped = text.replace(ESCAPED, escapeCharacter);
  if (mark !== "'") return mark + escaped + mark;
  return `'${escaped.replaceAll("'", "\\'")}'`;
}

/**
 * quoteLines() - a nested string: a long one is broken after its newlines.
 *
 * @param indent columns already taken by the surrounding braces
 */
export function quoteLines(text: string, indent: number): string {
  const left = text.length - MAX_STRING_LENGTH;
  const kept = left > 0 ? text.slice(0, MAX_STRING_LENGTH) : text;
  const trailer = left > 0
    ? `... ${left} more character${left > 1 ? "s" : ""}`
    : "";
  const isLong = kept.length > 16 && kept.length > BREAK_LENGTH - indent - 4;
  if (!isLong) return quote(kept) + trailer;
  const joint = ` +\n${" ".repeat(indent + 2)}`;
  return kept.split(/(?<=\n)/).map(quote).join(joint) + trailer;
}

/** How the items of an array-like may be arranged in columns. */
export interface List {
  /** True for numbers. */
  alignRight: boolean;
  /** True if the last part is not an item but `... n more items`. */
  hasTrailer: boolean;
}

/** What one pair of braces holds and where it stands. */
export interface Block {
  /** Text before the brace: `[Function: f]`, `<ref *1>`, or nothing. */
  base: string;
  open: string;
  close: string;
  parts: string[];
  /** Columns taken by the surrounding braces. */
  indent: number;
  /** False when too many levels lie inside for one line. */
  mayShareLine: boolean;
  /** Set for array-likes only: may be arranged in columns. */
  list?: List;
}

function fitsOneLine(block: Block): boolean {
  const { base, open, parts, indent } = block;
  let width = parts.length * 2 + indent + open.length + base.length + 10;
  for (const part of parts) {
    if (part.includes("\n")) return false;
    width += part.length;
  }
  return width <= BREAK_LENGTH && !base.includes("\n");
}

/** layOut() - one line if it fits, else a line (or row) per part. */
export function layOut(block: Block): string {
  const { base, open, close, indent } = block;
  const head = base === "" ? open : `${base} ${open}`;
  const rows = block.list ? arrangeColumns(block) : block.parts;
  const isArranged = rows.length !== block.parts.length;
  if (!isArranged && block.mayShareLine && fitsOneLine(block)) {
    return `${head} ${rows.join(", ")} ${close}`;
  }
  const newline = `\n${" ".repeat(indent)}`;
  return `${head}${newline}  ${rows.join(`,${newline}  `)}${newline}${close}`;
}

/** First and last of the blocks whose letters take two columns, near enough. */
const WIDE_BLOCKS = [
  [0x1100, 0x115f],
  [0x2e80, 0xa4cf],
  [0xac00, 0xd7a3],
  [0xf900, 0xfaff],
  [0xfe30, 0xfe6f],
  [0xff00, 0xff60],
  [0xffe0, 0xffe6],
] as const;

function isWide(character: string): boolean {
  const code = character.codePointAt(0) ?? 0;
  return WIDE_BLOCKS.some(([first, last]) => first <= code && code <= last) ||
    /\p{Emoji_Presentation}/u.test(character);
}

function columnsOf(text: string): number {
  let width = 0;
  for (const character of text) width += isWide(character) ? 2 : 1;
  return width;
}

/** The number of columns for cells of these widths; 1 means: do not. */
function columnCount(widths: number[], cells: number, indent: number): number {
  const longest = Math.max(...widths);
  const cell = longest + 2;
  const total = widths.reduce((sum, width) => sum + width + 2, 0);
  const isEven = total / cell > 5 || longest <= 6;
  if (cell * 3 + indent >= BREAK_LENGTH || !isEven) return 1;
  // Aims at a block whose sides look alike: a character is 2.5 times as high
  // as it is wide; uneven lengths are allowed somewhat narrower cells.
  const bias = Math.sqrt(cell - total / cells);
  const aimed = Math.max(cell - 3 - bias, 1);
  const square = Math.sqrt(2.5 * aimed * widths.length) / aimed;
  const fitting = Math.floor((BREAK_LENGTH - indent) / cell);
  return Math.min(Math.round(square), fitting, COMPACT_LEVELS * 4, 15);
}

/** Rows of aligned cells, or the parts as they came if that looks no better. */
function arrangeColumns({ parts, indent, list }: Block): string[] {
  if (parts.length <= 6 || list === undefined) return parts;
  const cells = list.hasTrailer ? parts.slice(0, -1) : parts;
  const widths = cells.map(columnsOf);
  const columns = columnCount(widths, parts.length, indent);
  if (columns <= 1) return parts;
  const wide = Array.from({ length: columns }, (_, column) => {
    const own = widths.filter((_, index) => index % columns === column);
    return Math.max(...own);
  });
  const rows: string[] = [];
  for (let start = 0; start < cells.length; start += columns) {
    const row = cells.slice(start, start + columns).map((cell, column, all) => {
      const space = " ".repeat(wide[column]! - widths[start + column]!);
      const isLast = column === all.length - 1;
      const comma = isLast ? "" : ", ";
      if (list.alignRight) return space + cell + comma;
      return isLast ? cell : cell + comma + space;
    });
    rows.push(row.join(""));
  }
  return list.hasTrailer ? [...rows, parts.at(-1)!] : rows;
}
