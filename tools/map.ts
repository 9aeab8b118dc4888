/**
 * `deno task map [--write]`: our file → kernel files → lines → chapters →
 * tests, as a table; with `--write` as MAP.md.
 *
 * Ours. Kernel files come from the `Kernel:` line of each head comment,
 * chapters from what they quote, tests from imports: those that import the
 * file themselves, or else the nearest that reach it through others.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import process from "node:process";
import { readChapters } from "swaplab/notebook/chapters.ts";
import { coverageOf, type Telling } from "swaplab/notebook/coverage.ts";
import { projectSources } from "swaplab/notebook/sources.ts";
import { declaredIn } from "swaplab/notebook/symbols.ts";
import { projectFiles, projectRoot } from "./files.ts";

export interface MapRow {
  readonly file: string;
  /** As its head comment says; "ours" if it has no counterpart. */
  readonly kernel: readonly string[];
  readonly lines: number;
  /** Chapters that quote it. */
  readonly chapters: readonly string[];
  /** Tests that import it, the one of its name first. */
  readonly direct: readonly string[];
  /** Tests that reach it through other files, nearest first. */
  readonly through: readonly string[];
}

const engine = /^lib\/(?:base|sim|locking|crypto|block|mm)\/[^/]+\.ts$/;
const imports =
  /^(?:import|export)\s+(?!type\b)[^;]*?from\s+"([^"]+)"|^import\s+"([^"]+)"/gm;

/** The files of the project that a file runs when it is imported. */
function importsOf(file: string, text: string): string[] {
  const found: string[] = [];
  for (const [, from, bare] of text.matchAll(imports)) {
    const name = from ?? bare!;
    if (name === "swaplab") found.push("lib/mod.ts");
    else if (name.startsWith("swaplab/")) found.push(`lib/${name.slice(8)}`);
    else if (name.startsWith(".")) {
      found.push(normalize(join(dirname(file), name)));
    }
  }
  return found;
}

/** The files named behind `Kernel:` in the head comment. */
export function kernelFilesOf(text: string): string[] {
  const head = /^\/\*\*[^]*?\*\//.exec(text)?.[0] ?? "";
  const said = /\bKernel:([^]*?)(?:\bDiffers:|\*\/|\n \*\n)/.exec(head)?.[1];
  const files = said?.match(/[\w-]+(?:\/[\w.-]+)*\.[ch]\b/g) ?? [];
  // "include/linux/bio.h, blkdev.h": the second is in the same folder.
  let folder = "";
  const named = files.map((file) => {
    if (!file.includes("/")) return folder + file;
    folder = file.slice(0, file.lastIndexOf("/") + 1);
    return file;
  });
  return named.length > 0 ? [...new Set(named)] : ["ours"];
}

/** Everything that `from` reaches, with the number of steps. */
function reach(
  from: string,
  graph: ReadonlyMap<string, readonly string[]>,
): Map<string, number> {
  const steps = new Map([[from, 0]]);
  for (const [file, distance] of steps) {
    for (const next of graph.get(file) ?? []) {
      if (!steps.has(next)) steps.set(next, distance + 1);
    }
  }
  return steps;
}

/** tellingsOf() - what the chapters quote; what is wrong is weave's to say. */
export function tellingsOf(): readonly Telling[] {
  const chapters = readChapters(projectRoot, []);
  return coverageOf(chapters, projectSources(projectRoot)).tellings;
}

/** mapRows() - one row for each file of the engine, in order. */
export function mapRows(
  tellings: readonly Telling[] = tellingsOf(),
): MapRow[] {
  const files = projectFiles(projectRoot)
    .filter((file) =>
      file.endsWith(".ts") && existsSync(join(projectRoot, file))
    );
  const texts = new Map(
    files.map((file) =>
      [file, readFileSync(join(projectRoot, file), "utf8")] as const
    ),
  );
  const graph = new Map(
    [...texts].map(([file, text]) => [file, importsOf(file, text)] as const),
  );
  const reached = files.filter((file) => /^tests\/.*_test\.ts$/.test(file))
    .map((test) => ({ test, steps: reach(test, graph) }));
  return files.filter((file) => engine.test(file)).sort().map((file) => {
    const own = `${file.replace(/^lib/, "tests").slice(0, -3)}_test.ts`;
    const rank = (test: string) =>
      test === own ? 0 : dirname(test) === dirname(own) ? 1 : 2;
    const tests = reached.filter(({ steps }) => steps.has(file))
      .sort((a, b) =>
        a.steps.get(file)! - b.steps.get(file)! || rank(a.test) - rank(b.test)
      );
    const isDirect = (steps: Map<string, number>) => steps.get(file) === 1;
    return {
      file,
      kernel: kernelFilesOf(texts.get(file)!),
      lines: texts.get(file)!.split("\n").length - 1,
      chapters: chaptersOf(file, tellings),
      direct: tests.filter(({ steps }) => isDirect(steps))
        .map(({ test }) => test)
        .sort((a, b) => rank(a) - rank(b)),
      through: tests.filter(({ steps }) => !isDirect(steps))
        .map(({ test }) => test),
    };
  });
}

function chaptersOf(file: string, tellings: readonly Telling[]): string[] {
  const own = tellings.filter(({ path }) => path === file);
  return [...new Set(own.map(({ chapter }) => chapter))].sort();
}

/** At most two names, and how many more there are. */
function some(tests: readonly string[]): string {
  const shown = tests.slice(0, 2).map((test) => test.slice("tests/".length));
  const more = tests.length - shown.length;
  return shown.join(", ") + (more > 0 ? ` +${more}` : "");
}

function testsOf({ direct, through }: MapRow): string {
  if (direct.length > 0) return some(direct);
  return through.length > 0 ? `through ${some(through)}` : "none";
}

/** The test to open first: of the file's name, or the nearest. */
function firstTest({ file, direct, through }: MapRow): string {
  const test = direct[0] ?? through[0];
  if (test === undefined) return file.endsWith(".d.ts") ? "types only" : "none";
  const link = `[${test.slice("tests/".length)}](${test})`;
  return direct.length > 0 ? link : `through ${link}`;
}

/** mapFile() - MAP.md: the table, and the names that each chapter introduces. */
export function mapFile(
  rows: readonly MapRow[],
  tellings: readonly Telling[],
): string {
  const linkTo = (chapter: string) => `[${chapter}](notebooks/${chapter}.md)`;
  const lines = rows.map((row) =>
    `| [${row.file.slice("lib/".length)}](${row.file}) | ${
      row.kernel.join(", ")
    } | ${row.chapters.map(linkTo).join(", ")} | ${firstTest(row)} |`
  );
  const names = [...introduced(tellings)].map(([chapter, own]) =>
    `- ${linkTo(chapter)}: ${own.map((name) => `\`${name}\``).join(", ")}`
  );
  return [
    "# Map of the engine",
    "",
    "Made by `deno task map --write` from the files' heads, the chapters' " +
    "quotes and the tests' imports: do not edit.",
    "",
    "| file of lib/ | Linux | told by | test |",
    "|---|---|---|---|",
    ...lines,
    "",
    "## What each chapter introduces",
    "",
    ...names,
    "",
  ].join("\n");
}

/** For each chapter, the functions and types whose beginning it quotes. */
function introduced(tellings: readonly Telling[]): Map<string, string[]> {
  const names = new Map<string, string[]>();
  for (const { chapter, lines } of tellings) {
    const own = declaredIn(lines.map(({ text }) => text));
    if (own.length === 0) continue;
    names.set(chapter, [...names.get(chapter) ?? [], ...own]);
  }
  return names;
}

function printMap(rows: readonly MapRow[]): void {
  for (const row of rows) {
    const kernel = row.kernel.join(", ");
    const lines = String(row.lines).padStart(4);
    const numbers = row.chapters.map((chapter) => chapter.slice(0, 2));
    console.log(
      `${row.file.padEnd(34)} ${kernel.padEnd(46)} ${lines}  ` +
        `${numbers.join(" ").padEnd(5)}  ${testsOf(row)}`,
    );
  }
  const lines = rows.reduce((sum, row) => sum + row.lines, 0);
  const direct = rows.filter((row) => row.direct.length > 0).length;
  console.log(
    `${rows.length} files, ${lines} lines; ${direct} have tests of their own`,
  );
}

if (import.meta.main) {
  const [flag, ...more] = process.argv.slice(2);
  const tellings = tellingsOf();
  if (more.length > 0 || (flag !== undefined && flag !== "--write")) {
    console.error("usage: deno task map [--write]");
    process.exitCode = 2;
  } else if (flag === undefined) printMap(mapRows(tellings));
  else {
    const text = mapFile(mapRows(tellings), tellings);
    writeFileSync(join(projectRoot, "MAP.md"), text);
  }
}
