/**
 * `deno task weave [--coverage [FILE...]] [--strict]`: do the chapters tell the
 * engine? Prints what is wrong with quotes and regions; with `--coverage` a
 * line a file, and for files named the lines that nobody tells.
 *
 * Ours. Exit code: 0 all well, 1 errors, or with `--strict` also warnings and
 * untold lines, 2 bad usage.
 */
import process from "node:process";
import { readChapters } from "swaplab/notebook/chapters.ts";
import {
  type Coverage,
  coverageOf,
  type FileCoverage,
} from "swaplab/notebook/coverage.ts";
import { rangesOf } from "swaplab/notebook/quote.ts";
import { projectSources, type Sources } from "swaplab/notebook/sources.ts";
import { projectRoot } from "./files.ts";

const USAGE = "usage: deno task weave [--coverage [FILE...]] [--strict]";

const DECLARES =
  /^(?:export )?(?:declare )?(?:function\*?|const|interface|type|class) (\w+)/;

/** main() - what the command does; returns its exit code. */
export function main(
  args: readonly string[],
  root: string,
  tell: (line: string) => void = console.log,
): number {
  const flags = args.filter((arg) => arg.startsWith("-"));
  const named = args.filter((arg) => !arg.startsWith("-"));
  const wrong = flags.find((flag) =>
    flag !== "--coverage" && flag !== "--strict"
  );
  const prints = flags.includes("--coverage");
  if (wrong !== undefined || (named.length > 0 && !prints)) {
    tell(
      wrong === "--help" ? USAGE : `cannot read ${args.join(" ")}\n${USAGE}`,
    );
    return wrong === "--help" ? 0 : 2;
  }
  const problems: string[] = [];
  const chapters = readChapters(root, problems);
  const sources = projectSources(root);
  const coverage = coverageOf(chapters, sources);
  const unknown = named.find((path) =>
    coverage.files.every((file) => file.path !== path)
  );
  if (unknown !== undefined) {
    tell(`${unknown} is no file that has to be told\n${USAGE}`);
    return 2;
  }
  if (prints) printCoverage(coverage, named, sources, tell);
  const errors = [...problems, ...coverage.errors];
  for (const error of errors) tell(`error: ${error}`);
  for (const warning of coverage.warnings) tell(`warning: ${warning}`);
  tell(summary(coverage, errors.length));
  if (errors.length > 0) return 1;
  const isWhole = coverage.warnings.length === 0 &&
    coverage.files.every(({ untold }) => untold.length === 0);
  return flags.includes("--strict") && !isWhole ? 1 : 0;
}

function printCoverage(
  { files }: Coverage,
  named: readonly string[],
  sources: Sources,
  tell: (line: string) => void,
): void {
  const row = (...cells: (string | number)[]) =>
    cells.map((cell, index) =>
      index === 0 ? String(cell).padEnd(36) : String(cell).padStart(7)
    ).join("");
  const rowOf = ({ path, told, aside, untold }: FileCoverage) =>
    row(path, told, aside, untold.length);
  tell(row("lines of code in", "told", "aside", "untold"));
  const isWanted = ({ path }: FileCoverage) =>
    named.length === 0 || named.includes(path);
  for (const file of files.filter(isWanted)) {
    tell(rowOf(file));
    if (named.length === 0) continue;
    const lines = sources.read(file.path)?.split("\n") ?? [];
    for (const line of untoldBy(lines, file.untold)) tell(`  ${line}`);
  }
}

/** `zbud_free 127–136`: what is untold of each function, type or constant. */
function untoldBy(
  lines: readonly string[],
  untold: readonly number[],
): string[] {
  const groups = Map.groupBy(untold, (line) => {
    const above = lines.slice(0, line).findLast((text) => DECLARES.test(text));
    return DECLARES.exec(above ?? "")?.[1] ?? "the beginning";
  });
  return [...groups].map(([name, own]) =>
    `${name.padEnd(34)} ${rangesOf(own.map((line) => ({ line })))}`
  );
}

function summary({ files, tellings, warnings }: Coverage, errors: number) {
  const sum = (count: (file: FileCoverage) => number) =>
    files.reduce((total, file) => total + count(file), 0);
  const told = sum((file) => file.told);
  const aside = sum((file) => file.aside);
  const untold = sum((file) => file.untold.length);
  const all = told + aside + untold;
  const percent = all === 0 ? 100 : 100 * (told + aside) / all;
  return `${tellings.length} quotes tell ${told} of ${all} lines of code, ` +
    `${aside} stand in asides, ${untold} are untold (` +
    `${percent.toFixed(1)} % done); ${errors} errors, ` +
    `${warnings.length} warnings`;
}

if (import.meta.main) {
  process.exitCode = main(process.argv.slice(2), projectRoot);
}
