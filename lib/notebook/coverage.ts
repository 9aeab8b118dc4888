/**
 * Is the engine told? Each line of code of lib/mm, lib/locking, lib/crypto and
 * lib/block is to be quoted by exactly one chapter, or to stand in an aside.
 *
 * A line of code is one that is neither blank nor a comment nor part of an
 * import: imports and head comments are for those who open the file.
 */
import {
  readRegions,
  type Region,
  RegionError,
  type Regions,
} from "../region.ts";
import { attempt, type ChapterSource } from "./chapters.ts";
import { type Quote, readQuote } from "./quote.ts";
import type { Sources } from "./sources.ts";

export interface FileCoverage {
  readonly path: string;
  /** How many lines of code are quoted by a chapter. */
  readonly told: number;
  /** How many stand in an aside. */
  readonly aside: number;
  /** The other lines of code, from 1. */
  readonly untold: readonly number[];
}

/** A quote and the chapter that has it. */
export interface Telling extends Quote {
  readonly chapter: string;
}

export interface Coverage {
  readonly files: readonly FileCoverage[];
  readonly tellings: readonly Telling[];
  /** Sentences with file and line. */
  readonly errors: readonly string[];
  readonly warnings: readonly string[];
}

const TOLD = /^lib\/(?:mm|locking|crypto|block)\/.*(?<!\.d)\.ts$/;

/** coverageOf() - how much of the engine the chapters tell. */
export function coverageOf(
  chapters: readonly ChapterSource[],
  sources: Sources,
): Coverage {
  const errors: string[] = [];
  const tellings = chapters.flatMap(({ name, directives }) =>
    directives.filter(({ kind }) => kind === "quote").flatMap((directive) => {
      const quote = attempt(() => readQuote(directive, sources), errors);
      return quote === null ? [] : [{ ...quote, chapter: name }];
    })
  );
  errors.push(...toldTwice(tellings));
  const files: FileCoverage[] = [];
  const warnings: string[] = [];
  for (const path of sources.paths()) {
    const text = sources.read(path) ?? "";
    const regions = regionsOf(text, path, errors);
    if (regions === null) continue;
    const own = tellings.filter((telling) => telling.path === path);
    warnings.push(...unused(path, regions, own));
    if (!TOLD.test(path)) continue;
    const { file, contradictions } = coverFile(path, regions, own);
    files.push(file);
    errors.push(...contradictions);
  }
  return { files, tellings, errors: [...new Set(errors)], warnings };
}

function regionsOf(
  text: string,
  path: string,
  errors: string[],
): Regions | null {
  try {
    return readRegions(text, path);
  } catch (error) {
    if (!(error instanceof RegionError)) throw error;
    errors.push(error.message);
    return null;
  }
}

/** The same line in two chapters, or a region twice in one. */
function toldTwice(tellings: readonly Telling[]): string[] {
  const first = new Map<string, Telling>();
  const clashes = new Map<string, string>();
  for (const telling of tellings) {
    const { path, region, chapter, lines } = telling;
    for (const { line } of lines) {
      const before = first.get(`${path}:${line}`);
      if (before === undefined) {
        first.set(`${path}:${line}`, telling);
        continue;
      }
      const isOther = before.chapter !== chapter;
      if (!isOther && before.region !== region) continue;
      const key = [path, before.region, region, chapter].join();
      if (clashes.has(key)) continue;
      const where = isOther
        ? `${before.chapter} (region ${before.region}) and by ${chapter} ` +
          `(region ${region}); let one of them refer to the other`
        : `${chapter} twice; refer to #quote-${region} instead`;
      clashes.set(key, `${path}:${line}: told by ${where}`);
    }
  }
  return [...clashes.values()];
}

function unused(
  path: string,
  { regions }: Regions,
  tellings: readonly Telling[],
): string[] {
  const used = new Set(tellings.map(({ region }) => region));
  return regions
    .filter(({ name }) => !used.has(name) && !name.startsWith("answer-"))
    .map(({ name, from }) =>
      `${path}:${from}: no chapter quotes region ${name}; quote it or ` +
      "remove its markers"
    );
}

function coverFile(
  path: string,
  regions: Regions,
  tellings: readonly Telling[],
): { file: FileCoverage; contradictions: string[] } {
  const told = new Set(
    tellings.flatMap(({ lines }) => lines.map(({ line }) => line)),
  );
  const code = codeLines(regions);
  const contradictions = regions.asides.flatMap((aside) => {
    const line = code.find((one) => told.has(one) && isIn(aside, one));
    if (line === undefined) return [];
    return `${path}:${line}: a chapter tells this line, and the aside of ` +
      `line ${aside.from} says that none does; remove one`;
  });
  const rest = code.filter((line) => !told.has(line));
  const untold = rest.filter((line) =>
    !regions.asides.some((aside) => isIn(aside, line))
  );
  const file = {
    path,
    told: code.length - rest.length,
    aside: rest.length - untold.length,
    untold,
  };
  return { file, contradictions };
}

function isIn({ from, to }: Pick<Region, "from" | "to">, line: number) {
  return from < line && line < to;
}

/** codeLines() - numbers of the lines of a file that are to be told. */
export function codeLines({ lines, markers }: Regions): number[] {
  const found: number[] = [];
  let within: "code" | "comment" | "import" = "code";
  for (const [index, content] of lines.entries()) {
    const text = content.trim();
    if (text === "" || text.startsWith("//") || markers.has(index + 1)) {
      continue;
    }
    if (within === "code") within = beginningOf(content);
    if (within === "code") found.push(index + 1);
    const isDone = within === "comment"
      ? text.endsWith("*/")
      : text.endsWith(";");
    if (within !== "code" && isDone) within = "code";
  }
  return found;
}

function beginningOf(content: string): "code" | "comment" | "import" {
  if (content.trimStart().startsWith("/*")) return "comment";
  const isImport = /^import\b|^export (?:type )?(?:\*|\{)/.test(content);
  return isImport ? "import" : "code";
}
