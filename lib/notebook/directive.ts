/**
 * `{quote}` and `{claim}` directives: what stands in a chapter's source, and
 * what stands for it in the built notebook, and back.
 *
 * A directive is a fence of three backticks at the beginning of a line. Its
 * built form begins with an HTML comment that holds the directive's own lines
 * and ends with another; between them is what a reader of the notebook sees.
 * So the way back loses no byte.
 */
import {
  type BuiltClaim,
  collapseClaim,
  expandClaim,
  readBuiltClaim,
} from "./claim.ts";
import { nearest } from "./imports.ts";
import { MystError, type Option } from "./myst_blocks.ts";
import {
  type BuiltQuote,
  collapseQuote,
  expandQuote,
  readBuiltQuote,
} from "./quote.ts";
import type { Sources } from "./sources.ts";

export interface Directive {
  readonly kind: "quote" | "claim";
  readonly file: string;
  /** Of its fence in the file, from 1. */
  readonly line: number;
  /** What stands on the fence's line behind the name, as it stands there. */
  readonly argument: string;
  readonly options: ReadonlyMap<string, Option>;
  /** The lines of the options, as they stand there. */
  readonly optionLines: readonly string[];
  readonly body: readonly string[];
}

/** Where prose stands, and what it can quote. */
export interface Place {
  readonly file: string;
  /** Of the first line of the prose, from 1. */
  readonly line: number;
  readonly sources: Sources;
}

/** A built directive as the book wants it. */
export type Built = BuiltQuote | BuiltClaim;

const FENCE = /^(`{3,}|~{3,})\s*(.*)$/;
const ANY = /^\s*(?:`{3,}|~{3,})\s*\{([\w-]+)\}/;
const OURS = /^```\{(quote|claim)\}(.*)$/;
const BEGIN = /^<!-- \{(quote|claim)\}(.*)$/;
const MARKER = /^<!-- (?:\{(?:quote|claim)\}|\/(?:quote|claim)\b)/;
const OPTION = /^:([A-Za-z][\w-]*):(?:\s+(.*))?$/;
const COMMENT_END = "-->";

/** The end of `kind`'s built form; a quote has its checksum there. */
function endMarker(kind: string): RegExp {
  return new RegExp(`^<!-- /${kind}(?: [0-9a-f]+)? -->$`);
}

/** Lines of prose, and the file and line where they stand. */
interface Prose {
  readonly file: string;
  readonly line: number;
  readonly lines: readonly string[];
}

/**
 * expandDirectives() - prose of a source as the built notebook has it.
 *
 * @throws {MystError} for a directive that is not right, with its remedy
 */
export function expandDirectives(markdown: string, place: Place): string {
  const { file, line, sources } = place;
  const prose = { file, line, lines: markdown.split("\n") };
  const built: string[] = [];
  for (const part of partsOf(prose)) {
    if (typeof part === "string") built.push(part);
    else built.push(...expand(part, sources));
  }
  return built.join("\n");
}

/** directivesOf() - those of some prose, in order. */
export function directivesOf(
  markdown: string,
  place: Omit<Place, "sources">,
): Directive[] {
  const prose = { ...place, lines: markdown.split("\n") };
  return partsOf(prose).filter((part) => typeof part !== "string");
}

function expand(directive: Directive, sources: Sources): string[] {
  const { kind, argument, optionLines } = directive;
  const isQuote = kind === "quote";
  const { shown, mark } = isQuote
    ? expandQuote(directive, sources)
    : { shown: expandClaim(directive), mark: "" };
  return [
    `<!-- {${kind}}${hide(argument)}`,
    ...optionLines.map(hide),
    COMMENT_END,
    "",
    ...shown,
    "",
    `<!-- /${kind}${mark} ${COMMENT_END}`,
  ];
}

/** What would end the comment too early is written as an entity. */
function hide(text: string): string {
  return text.replaceAll("&", "&amp;").replace(/(--!?)>/g, "$1&gt;");
}

function unhide(text: string): string {
  return text.replaceAll("&gt;", ">").replaceAll("&amp;", "&");
}

/** The lines of prose, with each directive read as one. */
function partsOf(prose: Prose): (string | Directive)[] {
  const { lines, file } = prose;
  const parts: (string | Directive)[] = [];
  let at = 0;
  while (at < lines.length) {
    const text = lines[at]!;
    if (OURS.test(text)) {
      const end = closingLine(prose, at);
      parts.push(readDirective(prose, at, end));
      at = end + 1;
      continue;
    }
    const line = prose.line + at;
    refuseUnknown(text, file, line);
    if (MARKER.test(text)) {
      const message = "this is what the build makes of a directive; write " +
        "the directive itself, a fence ```{quote} or ```{claim}";
      throw new MystError(file, line, message);
    }
    const end = endOfFence(lines, at);
    parts.push(...lines.slice(at, end + 1));
    at = end + 1;
  }
  return parts;
}

/** The index of the line that closes a fence begun at `at`, or `at`. */
function endOfFence(lines: readonly string[], at: number): number {
  const fence = FENCE.exec(lines[at] ?? "")?.[1];
  if (fence === undefined) return at;
  const closing = new RegExp(`^${fence[0]}{${fence.length},}\\s*$`);
  const end = lines.findIndex((text, i) => i > at && closing.test(text));
  return end < 0 ? lines.length - 1 : end;
}

function refuseUnknown(text: string, file: string, line: number): void {
  const name = ANY.exec(text)?.[1];
  if (name === undefined || name === "code-cell") return;
  const known = ["quote", "claim"];
  if (known.includes(name)) {
    const message = `write \`\`\`{${name}} with three backticks, at the ` +
      "beginning of a line";
    throw new MystError(file, line, message);
  }
  const similar = nearest(name, known);
  const remedy = similar === null
    ? "known are {quote} and {claim}; boxes are written :::{note}"
    : `did you mean {${similar}}?`;
  throw new MystError(file, line, `unknown directive {${name}}; ${remedy}`);
}

function closingLine({ lines, file, line }: Prose, at: number): number {
  const end = lines.findIndex((text, i) => i > at && text.startsWith("```"));
  if (lines[end] === "```") return end;
  const message = end < 0
    ? "this directive is not closed; end it with a line ```"
    : `"${lines[end]}" does not close it; write a line that is just \`\`\``;
  throw new MystError(file, line + Math.max(at, end), message);
}

function readDirective(prose: Prose, at: number, end: number): Directive {
  const { lines, file } = prose;
  const line = prose.line + at;
  const [, kind = "", argument = ""] = OURS.exec(lines[at]!) ?? [];
  const options = new Map<string, Option>();
  let first = at + 1;
  for (; first < end; first++) {
    const [, key, text = ""] = OPTION.exec(lines[first]!) ?? [];
    if (key === undefined) break;
    if (options.has(key)) {
      const message = `option ":${key}:" stands there twice; remove one`;
      throw new MystError(file, prose.line + first, message);
    }
    options.set(key, { text: text.trim(), line: prose.line + first });
  }
  return {
    kind: kind === "quote" ? "quote" : "claim",
    file,
    line,
    argument,
    options,
    optionLines: lines.slice(at + 1, first),
    body: lines.slice(first, end),
  };
}

/**
 * collapseDirectives() - prose of a built notebook as its source has it: the
 * inverse of expandDirectives(), byte for byte.
 *
 * The text of a claim may have been edited; what is made from the engine or
 * from options may not.
 *
 * @param file of the notebook; it and the line in the cell are for messages
 * @throws {MystError} for a built directive that was edited or torn apart
 */
export function collapseDirectives(
  markdown: string,
  file = "markdown cell",
): string {
  const lines = markdown.split("\n");
  const source: string[] = [];
  let at = 0;
  while (at < lines.length) {
    const unit = readUnit({ file, line: 1, lines }, at);
    if (unit !== null) {
      const { head, content, mark } = unit;
      const body = head.kind === "quote"
        ? collapseQuote(head, content, mark)
        : collapseClaim(head, content);
      const { kind, argument, optionLines } = head;
      source.push(`\`\`\`{${kind}}${argument}`, ...optionLines, ...body);
      source.push("```");
      at = unit.end + 1;
      continue;
    }
    const end = endOfFence(lines, at);
    source.push(...lines.slice(at, end + 1));
    at = end + 1;
  }
  return source.join("\n");
}

/** A built directive: its own lines, what is shown, how it ends. */
interface Unit {
  readonly head: Directive;
  readonly content: readonly string[];
  readonly mark: string;
  /** Index of its last line. */
  readonly end: number;
}

function readUnit(prose: Prose, at: number): Unit | null {
  const { lines, file, line } = prose;
  const torn = (message: string) =>
    new MystError(
      file,
      line + at,
      `${message}; undo that, or change the chapter's source instead`,
    );
  const [, kind] = BEGIN.exec(lines[at]!) ?? [];
  if (kind === undefined) {
    if (!MARKER.test(lines[at]!)) return null;
    throw torn("the end of a built directive without its beginning");
  }
  const ending = endMarker(kind);
  const end = lines.findIndex((text, i) => i > at && ending.test(text));
  const close = lines.indexOf(COMMENT_END, at);
  const isWhole = close > at && close + 1 < end - 1 &&
    lines[close + 1] === "" && lines[end - 1] === "";
  if (!isWhole) throw torn(`this built ${kind} has lost one of its markers`);
  const own = lines.slice(at, close).map(unhide);
  const fence = own[0]!.replace("<!-- ", "```");
  const head = readDirective(
    { file, line: line + at, lines: [fence, ...own.slice(1)] },
    0,
    own.length,
  );
  return {
    head,
    content: lines.slice(close + 2, end - 1),
    mark: lines[end]!.replace(`<!-- /${kind}`, "").replace(" -->", ""),
    end,
  };
}

/**
 * readBuilt() - a built directive at the very beginning of `markdown`.
 *
 * @returns it and its own text; null if there is none
 * @throws {MystError} if it was torn apart
 */
export function readBuilt(
  markdown: string,
  file = "markdown cell",
): { raw: string; built: Built } | null {
  if (!BEGIN.test(markdown.split("\n", 1)[0]!)) return null;
  const lines = markdown.split("\n");
  const unit = readUnit({ file, line: 1, lines }, 0);
  if (unit === null) return null;
  return { raw: lines.slice(0, unit.end + 1).join("\n"), built: seen(unit) };
}

/** builtIn() - all built directives of some prose. */
export function builtIn(markdown: string, file = "markdown cell"): Built[] {
  const prose = { file, line: 1, lines: markdown.split("\n") };
  const found: Built[] = [];
  for (let at = 0; at < prose.lines.length; at++) {
    const unit = readUnit(prose, at);
    if (unit !== null) found.push(seen(unit));
    at = unit?.end ?? endOfFence(prose.lines, at);
  }
  return found;
}

function seen({ head, content }: Unit): Built {
  return head.kind === "quote"
    ? readBuiltQuote(head, content)
    : readBuiltClaim(head, content);
}
