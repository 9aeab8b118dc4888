/**
 * The `{quote}` directive: engine code in a chapter, never copied by hand.
 *
 *   ```{quote} lib/mm/zswap.ts#region-name
 *   :emphasize: 3, 5-7
 *   ```
 *
 * The built form is the region as a fenced block, each emphasised line with a
 * trailing arrow (a notebook has no other way to mark one), then the file, its
 * lines and a link. A checksum at the end tells code that was edited in a
 * notebook, where it must not be, from code that changed in the engine.
 */
import { hashDigits, hashText, makeTextHash } from "../lab/hash.ts";
import {
  linesOf,
  type Numbered,
  readRegions,
  type Region,
  RegionError,
  type Regions,
} from "../region.ts";
import type { Directive } from "./directive.ts";
import { nearest } from "./imports.ts";
import { MystError, type Option } from "./myst_blocks.ts";
import type { Sources } from "./sources.ts";

/** What a reader takes in at once, in lines; a longer region is two. */
export const MAX_LINES = 40;

/** A quote with the lines that it shows. */
export interface Quote {
  readonly path: string;
  readonly region: string;
  /** Without markers; the numbers are those of the file. */
  readonly lines: readonly Numbered[];
  /** Numbers of the file's lines. */
  readonly emphasized: ReadonlySet<number>;
}

/** The same as read from a built notebook. */
export interface BuiltQuote extends Quote {
  readonly kind: "quote";
}

const ARROW = " // ←";
const TARGET = /^(lib\/[\w./-]+\.ts)#([\w-]+)$/;

/** targetOf() - the file and the region that a quote names. */
export function targetOf(
  { argument, file, line }: Pick<Directive, "argument" | "file" | "line">,
): { path: string; region: string } {
  const [, path, region] = TARGET.exec(argument.trim()) ?? [];
  if (path !== undefined && region !== undefined) return { path, region };
  const message = `"${argument.trim()}" names no part of the engine; write ` +
    "```{quote} lib/mm/file.ts#region-name";
  throw new MystError(file, line, message);
}

/** readQuote() - what a quote shows; throws MystError with its remedy. */
export function readQuote(directive: Directive, sources: Sources): Quote {
  const { file, line, options, body } = directive;
  const { path, region: name } = targetOf(directive);
  const fail = (message: string) => new MystError(file, line, message);
  const regions = regionsOf(path, name, sources, fail);
  const region = regions.regions.find((one) => one.name === name);
  if (region === undefined) {
    throw fail(`${path} has no region ${name}; ${hint(name, regions, path)}`);
  }
  for (const [key, option] of options) {
    if (key === "emphasize") continue;
    const message = `unknown option ":${key}:"; a quote has \`:emphasize:\``;
    throw new MystError(file, option.line, message);
  }
  if (body.length > 0) {
    throw fail("a quote holds nothing but its options; remove the rest");
  }
  const lines = linesOf(regions, region);
  checkLength(lines, region, path, fail);
  const emphasized = emphasis(options.get("emphasize"), lines, directive);
  return { path, region: name, lines, emphasized };
}

type Fail = (message: string) => MystError;

function regionsOf(
  path: string,
  name: string,
  sources: Sources,
  fail: Fail,
): Regions {
  const text = sources.read(path);
  if (text === null) throw fail(`no file ${path}; ${whereNow(name, sources)}`);
  try {
    return readRegions(text, path);
  } catch (error) {
    if (!(error instanceof RegionError)) throw error;
    throw fail(`cannot quote ${path}#${name}: ${error.message}`);
  }
}

/** The file was renamed: where does its region stand now? */
function whereNow(name: string, sources: Sources): string {
  const marker = new RegExp(`^\\s*// #region ${name}$`, "m");
  const holders = sources.paths()
    .filter((path) => marker.test(sources.read(path) ?? ""));
  return holders.length === 0
    ? `no other has a region ${name}`
    : `write ${holders.map((path) => `${path}#${name}`).join(" or ")}`;
}

function hint(name: string, { regions }: Regions, path: string): string {
  const names = regions.map((region) => region.name);
  const similar = nearest(name, names);
  if (similar !== null) return `did you mean ${path}#${similar}?`;
  const known = names.length === 0 ? "none" : names.join(", ");
  return `it has ${known}; put // #region ${name} and // #endregion ` +
    "around the lines";
}

function checkLength(
  lines: readonly Numbered[],
  { from, name }: Region,
  path: string,
  fail: Fail,
): void {
  const where = `${path}:${from}: region ${name}`;
  if (lines.length === 0) throw fail(`${where} is empty; remove the quote`);
  if (lines.length <= MAX_LINES) return;
  throw fail(
    `${where} has ${lines.length} lines, a quote shows at most ` +
      `${MAX_LINES}; put smaller regions into it and quote these`,
  );
}

/** `3, 5-7`, counted within the region from 1, as lines of the file. */
function emphasis(
  option: Option | undefined,
  lines: readonly Numbered[],
  { file }: Directive,
): Set<number> {
  const emphasized = new Set<number>();
  for (const range of option?.text.split(",") ?? []) {
    const [, first, last = first] = /^(\d+)(?:-(\d+))?$/.exec(range.trim()) ??
      [];
    const [from, to] = [Number(first), Number(last)];
    if (!(from >= 1 && from <= to && to <= lines.length)) {
      const message = `cannot emphasise "${range.trim()}"; write lines of ` +
        `the region, 1 to ${lines.length}, as in \`:emphasize: 3, 5-7\``;
      throw new MystError(file, option!.line, message);
    }
    for (const { line } of lines.slice(from - 1, to)) emphasized.add(line);
  }
  return emphasized;
}

/** expandQuote() - the lines of the built form, and what its end says. */
export function expandQuote(
  directive: Directive,
  sources: Sources,
): { shown: string[]; mark: string } {
  const quote = readQuote(directive, sources);
  const { path, lines, emphasized } = quote;
  const code = lines.map(({ line, text }) =>
    emphasized.has(line) ? text + ARROW : text
  );
  const runs = code.join("\n").match(/`{3,}/g)?.map((run) => run.length) ?? [];
  const fence = "`".repeat(Math.max(2, ...runs) + 1);
  const [first, last] = [lines[0]!.line, lines.at(-1)!.line];
  const link = `[\`${path}\`](../${path}#L${first}-L${last})`;
  const caption = `${link}, lines ${rangesOf(lines)}`;
  const shown = [`${fence}ts`, ...code, fence, "", caption];
  return { shown, mark: checksum(shown) };
}

/** `82–90, 92–110`: a marker between them is not shown. */
export function rangesOf(lines: readonly { line: number }[]): string {
  const ranges: [number, number][] = [];
  for (const { line } of lines) {
    const range = ranges.at(-1);
    if (range !== undefined && range[1] === line - 1) range[1] = line;
    else ranges.push([line, line]);
  }
  return ranges.map(([from, to]) => from === to ? from : `${from}–${to}`)
    .join(", ");
}

function checksum(shown: readonly string[]): string {
  const hash = makeTextHash();
  hashText(hash, shown.join("\n"));
  return ` ${hashDigits(hash).slice(0, 8)}`;
}

/** collapseQuote() - the directive's body; throws if the code was edited. */
export function collapseQuote(
  head: Directive,
  content: readonly string[],
  mark: string,
): string[] {
  if (checksum(content) === mark) return [];
  const message = `the quoted code of ${head.argument.trim()} was edited; ` +
    "edit the engine's file, then build the notebook again";
  throw new MystError(head.file, head.line, message);
}

/** readBuiltQuote() - what expandQuote() wrote. */
export function readBuiltQuote(
  head: Directive,
  content: readonly string[],
): BuiltQuote {
  const { path, region } = targetOf(head);
  const code = content.slice(1, -3);
  const ranges = /, lines ([\d–, ]+)$/.exec(content.at(-1) ?? "")?.[1] ?? "";
  const numbers = ranges.split(", ").flatMap((range) => {
    const [from = 0, to = from] = range.split("–").map(Number);
    return Array.from({ length: to - from + 1 }, (_, i) => from + i);
  });
  const emphasized = emphasis(
    head.options.get("emphasize"),
    numbers.map((line) => ({ line, text: "" })),
    head,
  );
  const lines = code.map((text, index) => {
    const line = numbers[index] ?? 0;
    const isMarked = emphasized.has(line) && text.endsWith(ARROW);
    return { line, text: isMarked ? text.slice(0, -ARROW.length) : text };
  });
  return { kind: "quote", path, region, lines, emphasized };
}
