/**
 * Tables: the same rows as semantic HTML, as aligned text and as JSON.
 * Figures use the text form for the data that they carry along.
 *
 * Numbers are printed without thousands separators, so that a reader can copy
 * them into a cell.
 */
import { describe, type Figure, makeFigure, wantText } from "./figure.ts";
import { escapeText } from "./svg.ts";

/** What a cell may hold; null and undefined are printed as a dash. */
export type Value = string | number | bigint | boolean | null | undefined;
export type Row = Readonly<Record<string, Value>>;

export interface Column {
  /** The field of a row; for rows that are arrays, a name of your choice. */
  key: string;
  /** The heading; default: the key. */
  label?: string;
  /** Printed after the label: "bytes", "ticks", "%". */
  unit?: string;
  /** Decimals of all numbers; default: none, or about four digits in all. */
  digits?: number;
}

export interface TableOptions {
  caption: string;
  /** Which fields, in which order; default: those of the first row. */
  columns?: readonly (string | Column)[];
}

/** A table of which all is known: each row has a value per column. */
export interface Grid {
  columns: Column[];
  rows: Value[][];
}

/**
 * table() - rows as a table.
 *
 * @param rows plain objects, or arrays (then `columns` must be given)
 */
export function table(
  rows: readonly (Row | readonly Value[])[],
  options: TableOptions,
): Figure {
  const caption = wantText(options?.caption, "table() caption");
  const grid = gridOf(rows, options.columns);
  return makeFigure({
    title: caption,
    finding: caption,
    html: gridHtml(grid, caption),
    text: `${caption}\n\n${gridText(grid)}`,
    json: { caption, columns: grid.columns, rows: grid.rows.map(jsonRow) },
  });
}

/** gridOf() - checks rows and columns against each other. */
export function gridOf(
  rows: readonly (Row | readonly Value[])[],
  columns?: readonly (string | Column)[],
): Grid {
  if (!Array.isArray(rows) || rows.length === 0) {
    const came = describe(rows);
    throw new TypeError(`table() rows: wanted at least one row, got ${came}`);
  }
  const chosen = (columns ?? keysOf(rows[0])).map(columnOf);
  if (chosen.length === 0) throw new TypeError("table() columns: got none");
  return {
    columns: chosen,
    rows: rows.map((row, index) => rowValues(row, chosen, index)),
  };
}

function keysOf(row: unknown): string[] {
  if (typeof row === "object" && row !== null && !Array.isArray(row)) {
    return Object.keys(row);
  }
  const came = describe(row);
  throw new TypeError(`table() columns: wanted for rows like ${came}`);
}

function columnOf(column: string | Column): Column {
  const whole = typeof column === "string" ? { key: column } : column;
  wantText(whole?.key, "table() column key");
  const digits = whole.digits ?? 0;
  if (Number.isInteger(digits) && digits >= 0 && digits <= 20) return whole;
  throw new RangeError(`table() digits: wanted 0 to 20, got ${digits}`);
}

function rowValues(
  row: Row | readonly Value[],
  columns: Column[],
  index: number,
): Value[] {
  if (Array.isArray(row)) {
    if (row.length === columns.length) {
      return row.map((value) => wantValue(value, `row ${index}`));
    }
    const wanted = `wanted ${columns.length} values, got ${row.length}`;
    throw new RangeError(`table() row ${index}: ${wanted}`);
  }
  if (typeof row !== "object" || row === null) {
    const came = describe(row);
    throw new TypeError(`table() row ${index}: wanted an object, got ${came}`);
  }
  const fields: Row = row as Row;
  return columns.map(({ key }) => {
    if (Object.hasOwn(fields, key)) {
      return wantValue(fields[key], `row ${index}, ${key}`);
    }
    const has = Object.keys(fields).join(", ");
    throw new RangeError(`table() row ${index}: wanted "${key}", got ${has}`);
  });
}

function wantValue(value: unknown, where: string): Value {
  const isFine = value === null || value === undefined ||
    ["string", "number", "bigint", "boolean"].includes(typeof value);
  if (isFine) return value as Value;
  const came = describe(value);
  throw new TypeError(`table() ${where}: wanted text or number, got ${came}`);
}

function isNumeric(value: Value): boolean {
  return typeof value === "number" || typeof value === "bigint";
}

function isNumberColumn(grid: Grid, column: number): boolean {
  const values = grid.rows.map((row) => row[column]);
  return values.some(isNumeric) &&
    values.every((value) => isNumeric(value) || value == null);
}

/** The decimals that all numbers of a column share, so that points align. */
function digitsOf(grid: Grid, column: number): number {
  const given = grid.columns[column]?.digits;
  if (given !== undefined) return given;
  const numbers = grid.rows.map((row) => Number(row[column] ?? 0))
    .filter(Number.isFinite);
  if (numbers.every(Number.isInteger)) return 0;
  const largest = Math.max(...numbers.map(Math.abs));
  if (largest >= 100) return 1;
  return largest >= 10 ? 2 : 3;
}

/** cellText() - one value as it is printed, in text and HTML alike. */
export function cellText(value: Value, digits?: number): string {
  if (value === null || value === undefined) return "–";
  if (typeof value !== "number" || !Number.isFinite(value)) {
    return String(value);
  }
  if (digits !== undefined) return value.toFixed(digits);
  return String(Math.round(value * 1000) / 1000);
}

function headingOf(column: Column): string {
  const label = column.label ?? column.key;
  return column.unit === undefined ? label : `${label} (${column.unit})`;
}

/** gridText() - aligned columns under a ruled heading; no final newline. */
export function gridText(grid: Grid): string {
  const digits = grid.columns.map((_, at) => digitsOf(grid, at));
  const cells = grid.rows.map((row) =>
    row.map((value, at) => oneLine(cellText(value, digits[at])))
  );
  const headings = grid.columns.map((it) => oneLine(headingOf(it)));
  const widths = headings.map((heading, at) =>
    Math.max(heading.length, ...cells.map((row) => row[at]!.length))
  );
  const rule = widths.map((width) => "-".repeat(width));
  const lines = [headings, rule, ...cells].map((row) => {
    const padded = row.map((text, at) =>
      isNumberColumn(grid, at)
        ? text.padStart(widths[at]!)
        : text.padEnd(widths[at]!)
    );
    return padded.join("  ").trimEnd();
  });
  return lines.join("\n");
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, " ");
}

/**
 * sampleText() - the rows of a figure as text: all, or evenly chosen ones
 * with the first and the last, and a line that says so.
 */
export function sampleText(grid: Grid, limit: number): string {
  const { rows } = grid;
  if (rows.length <= limit) return gridText(grid);
  const chosen = Array.from({ length: limit }, (_, index) => {
    return rows[Math.round(index * (rows.length - 1) / (limit - 1))]!;
  });
  const note = `(${limit} of ${rows.length} rows, evenly sampled)`;
  return `${gridText({ ...grid, rows: chosen })}\n${note}`;
}

function gridHtml(grid: Grid, caption: string): string {
  const digits = grid.columns.map((_, at) => digitsOf(grid, at));
  const align = grid.columns.map((_, at) =>
    isNumberColumn(grid, at) ? ' style="text-align:right"' : ""
  );
  const head = grid.columns.map((column, at) =>
    `<th scope="col"${align[at]}>${escapeText(headingOf(column))}</th>`
  );
  const body = grid.rows.map((row) => {
    const cells = row.map((value, at) => {
      const text = escapeText(cellText(value, digits[at]));
      const isName = at === 0 && align[0] === "";
      if (isName) return `<th scope="row">${text}</th>`;
      return `<td${align[at]}>${text}</td>`;
    });
    return `<tr>${cells.join("")}</tr>`;
  });
  return `<table><caption>${escapeText(caption)}</caption>\n` +
    `<thead><tr>${head.join("")}</tr></thead>\n` +
    `<tbody>\n${body.join("\n")}\n</tbody></table>`;
}

/** jsonRow() - values that JSON has: a bigint becomes its digits. */
export function jsonRow(row: readonly Value[]): unknown[] {
  return row.map((value) => {
    if (typeof value === "bigint") return String(value);
    const isLost = value === undefined ||
      (typeof value === "number" && !Number.isFinite(value));
    return isLost ? null : value;
  });
}
