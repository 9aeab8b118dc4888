/**
 * Named parts of a source file, as chapters quote them and exercises cut them
 * out:
 *
 *   // #region name … // #endregion     a part with a name, in kebab-case
 *   // #aside reason … // #endaside     code that no chapter tells, and why
 *
 * Parts may hold one another and never overlap; an aside holds no aside.
 * Markers stand on lines of their own and are no part of what they mark. Ours.
 */

export interface Region {
  readonly name: string;
  /** Of its first marker, from 1, as all lines here. */
  readonly from: number;
  /** Of its last marker. */
  readonly to: number;
}

/** The same, with a reason for a name. */
export interface Aside extends Omit<Region, "name"> {
  readonly reason: string;
}

export interface Regions {
  readonly lines: readonly string[];
  readonly regions: readonly Region[];
  readonly asides: readonly Aside[];
  /** The lines that are markers. */
  readonly markers: ReadonlySet<number>;
}

/** A line of a file and its number there. */
export interface Numbered {
  readonly line: number;
  readonly text: string;
}

/** Markers that are not right: says where, what, and what to do. */
export class RegionError extends Error {
  override name = "RegionError";

  constructor(file: string, line: number, message: string) {
    super(`${file}:${line}: ${message}`);
  }
}

const LIKE_MARKER = /^\s*\/[/*]\s*#\s*(end\s*)?(region|aside)\b/i;
const MARKER = /^\s*\/\/ #(region|endregion|aside|endaside)(?: (.*\S))?$/;
const NAME = /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/;

/** A part that is not closed yet. */
interface Open {
  readonly kind: "region" | "aside";
  /** Name or reason. */
  readonly label: string;
  readonly from: number;
}

/** How far a file is read. */
interface Reader {
  readonly file: string;
  readonly open: Open[];
  readonly regions: Region[];
  readonly asides: Aside[];
}

/**
 * readRegions() - the named parts of a file, in the order of their ends.
 *
 * @param file for messages only
 * @throws {RegionError} for a marker that is misspelt, unbalanced or unnamed,
 *   and for a name given twice
 */
export function readRegions(text: string, file: string): Regions {
  const lines = text.split(/\r?\n/);
  const markers = new Set<number>();
  const reader: Reader = { file, open: [], regions: [], asides: [] };
  for (const [index, content] of lines.entries()) {
    if (!LIKE_MARKER.test(content)) continue;
    markers.add(index + 1);
    readMarker(reader, content, index + 1);
  }
  const left = reader.open.at(-1);
  if (left !== undefined) {
    const message = `${nameOf(left)} has no end; close it with a line ` +
      `// #end${left.kind}`;
    throw new RegionError(file, left.from, message);
  }
  const { regions, asides } = reader;
  return { lines, regions, asides, markers };
}

function nameOf({ kind, label }: Open): string {
  return kind === "region" ? `region ${label}` : `the aside "${label}"`;
}

function readMarker(reader: Reader, content: string, line: number): void {
  const [, kind, label = ""] = MARKER.exec(content) ?? [];
  if (kind === "region" || kind === "aside") {
    begin(reader, { kind, label, from: line });
  } else if (kind !== undefined && label === "") {
    end(reader, kind === "endregion" ? "region" : "aside", line);
  } else {
    const message = `"${content.trim()}" is no marker; write one of ` +
      "// #region some-name, // #endregion, // #aside why, // #endaside";
    throw new RegionError(reader.file, line, message);
  }
}

function begin({ file, open, regions }: Reader, part: Open): void {
  const { kind, label, from } = part;
  const fail = (message: string) => new RegionError(file, from, message);
  if (kind === "aside") {
    if (label === "") throw fail("an aside without its reason; add it");
    const outer = open.find((one) => one.kind === "aside");
    if (outer !== undefined) {
      throw fail(`an aside inside that of line ${outer.from}; remove one`);
    }
  } else if (!NAME.test(label)) {
    throw fail(`"${label}" is no region's name; write it as some-words`);
  }
  const isTwin = (one: { name: string }) => one.name === label;
  const twin = regions.find(isTwin) ??
    open.find((one) => one.kind === "region" && one.label === label);
  if (kind === "region" && twin !== undefined) {
    throw fail(
      `region ${label} is there already, at line ${twin.from}; ` +
        "rename one of them",
    );
  }
  open.push(part);
}

function end(reader: Reader, kind: "region" | "aside", line: number): void {
  const part = reader.open.pop();
  if (part === undefined) {
    const message = `this ends no ${kind}; remove it, or add a line ` +
      `// #${kind} before`;
    throw new RegionError(reader.file, line, message);
  }
  const { label, from } = part;
  if (part.kind !== kind) {
    const message = `${nameOf(part)} of line ${from} is still open; ` +
      `put // #end${part.kind} before this line`;
    throw new RegionError(reader.file, line, message);
  }
  if (kind === "aside") reader.asides.push({ reason: label, from, to: line });
  else reader.regions.push({ name: label, from, to: line });
}

/** linesOf() - what a region holds, without markers and outer indentation. */
export function linesOf(
  { lines, markers }: Regions,
  { from, to }: Pick<Region, "from" | "to">,
): Numbered[] {
  const held = lines.slice(from, to - 1)
    .map((text, index) => ({ line: from + 1 + index, text }))
    .filter(({ line }) => !markers.has(line));
  const indents = held.filter(({ text }) => text.trim() !== "")
    .map(({ text }) => text.length - text.trimStart().length);
  const indent = Math.min(...indents);
  return held.map(({ line, text }) => ({ line, text: text.slice(indent) }));
}

/** withoutMarkers() - the file as if nobody quoted it, but for some regions. */
export function withoutMarkers(
  text: string,
  file: string,
  kept: readonly string[] = [],
): string {
  const { lines, regions, markers } = readRegions(text, file);
  const spared = new Set(
    regions.filter(({ name }) => kept.includes(name))
      .flatMap(({ from, to }) => [from, to]),
  );
  return lines
    .filter((_, index) => !markers.has(index + 1) || spared.has(index + 1))
    .join("\n");
}
