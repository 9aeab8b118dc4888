/**
 * The reality check as a table: recording by recording, what is equal. Ours.
 */
import { type Check, checkLine } from "../lab/reality_check.ts";
import type { Difference } from "../lab/reality_compare.ts";
import type { Figure } from "./figure.ts";
import { type Column, type Row, table } from "./table.ts";

const columns: readonly Column[] = [
  { key: "recording" },
  { key: "equal" },
  { key: "different" },
  { key: "explained", label: "of these with a known cause" },
  { key: "notModelled", label: "not modelled" },
];

function rowOf(check: Check): Row {
  const { recording, equal, different, notModelled } = checkLine(check);
  const explained = check.differences.filter(hasCause).length;
  return { recording, equal, different, explained, notModelled };
}

function hasCause({ cause }: Difference): boolean {
  return cause !== null;
}

/** The last row: the sums. */
function total(rows: readonly Row[]): Row {
  const sum = (key: string) =>
    rows.reduce((so, row) => so + Number(row[key]), 0);
  const sums = columns.slice(1).map(({ key }) => [key, sum(key)]);
  return { recording: "all", ...Object.fromEntries(sums) };
}

/** realityTable() - the checks as a figure. */
export function realityTable(checks: readonly Check[]): Figure {
  const rows = checks.map(rowOf);
  const caption =
    "Values that engine and kernel have in common, at every snapshot";
  return table([...rows, total(rows)], { caption, columns });
}

/** realityText() - table, first differences, causes and what is left out. */
export function realityText(checks: readonly Check[]): string {
  const parts = [
    realityTable(checks).bundle["text/plain"] as string,
    ...checks.filter(({ first }) => first !== null).map(firstText),
    ...checks.filter(({ stopped }) => stopped !== null).map(stoppedText),
    counted("Known causes", causesOf(checks)),
    counted("Not modelled", leftOutOf(checks)),
  ];
  return parts.filter((part) => part !== "").join("\n\n");
}

/** Where a recording and the engine part for the first time. */
function firstText({ name, first }: Check): string {
  const { line, text, counter, kernel, ours, label, behind, cause } = first!;
  const why = cause === null ? "" : `\n  known cause: ${cause}`;
  return `${name}: first difference at "${label}"\n` +
    `  line ${line}: ${text}\n` +
    `  ${counter}: kernel ${kernel ?? "–"}, engine ${ours ?? "–"}\n` +
    `  ${behind}${why}`;
}

function stoppedText({ name, stopped }: Check): string {
  return `${name}: the engine stopped\n  ${stopped}`;
}

function causesOf(checks: readonly Check[]): Map<string, number> {
  const sums = new Map<string, number>();
  for (const { cause } of checks.flatMap(({ differences }) => differences)) {
    if (cause !== null) sums.set(cause, (sums.get(cause) ?? 0) + 1);
  }
  return sums;
}

function leftOutOf(checks: readonly Check[]): Map<string, number> {
  const sums = new Map<string, number>();
  for (const [reason, count] of checks.flatMap((one) => [...one.notModelled])) {
    sums.set(reason, (sums.get(reason) ?? 0) + count);
  }
  return sums;
}

function counted(title: string, sums: ReadonlyMap<string, number>): string {
  if (sums.size === 0) return "";
  const lines = [...sums].map(([text, count]) => `  ${count} values: ${text}`);
  return [`${title}:`, ...lines].join("\n");
}
