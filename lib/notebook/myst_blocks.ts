/**
 * The outer form of a MyST notebook: which lines are front matter, code cells
 * and prose. What they mean is myst.ts' part.
 */

/** A source that is not right: says where, what, and what to do. */
export class MystError extends Error {
  override name = "MystError";
  readonly file: string;
  readonly line: number;
  /** The message without file and line. */
  readonly reason: string;

  constructor(file: string, line: number, reason: string) {
    super(`${file}:${line}: ${reason}`);
    this.file = file;
    this.line = line;
    this.reason = reason;
  }
}

export interface Option {
  text: string;
  line: number;
}

/**
 * A code cell or a stretch of prose; lines are those of the file, from 1.
 * Every line of a file is in its head, in `lead` or `own` of one block, or in
 * its tail: so what a block holds can be replaced without touching the rest.
 */
export interface Block {
  kind: "code" | "prose";
  /** Of the fence, of `+++`, or of the first line of prose. */
  line: number;
  sourceLine: number;
  source: string;
  /** `:key: text` lines of a code cell; the id of prose, if given. */
  options: ReadonlyMap<string, Option>;
  /** What `+++ {…}` says besides the id. */
  metadata: Record<string, unknown>;
  /** Empty lines, and `+++` that split nothing, before the block. */
  lead: readonly string[];
  /** From its fence, `+++` or first line of prose to its last line. */
  own: readonly string[];
  /** Which of `own` are `source`: [from, to). */
  from: number;
  to: number;
}

export interface SplitSource {
  /** What is between the two `---`; null if there is no front matter. */
  frontMatter: string | null;
  /** The lines of the front matter with their `---`. */
  head: readonly string[];
  blocks: Block[];
  /** What follows the last block. */
  tail: readonly string[];
}

/** What reading a block gives, but for `lead` and `own`. */
type Found = Omit<Block, "lead" | "own"> & {
  /** Index of the first line of `own`, and of the one behind it. */
  begin: number;
  end: number;
};

/** The lines of a file and how far they are read. */
interface Reader {
  file: string;
  lines: readonly string[];
  /** Index of the next line. */
  at: number;
}

const FENCE = /^ {0,3}(`{3,}(?=[^`]*$)|~{3,})\s*(.*)$/;
const OPTION = /^:([A-Za-z][\w-]*):(?:\s+(.*))?$/;

/** splitBlocks() - the parts of a file, in order. */
export function splitBlocks(text: string, file: string): SplitSource {
  const lines = text.split("\n");
  refuseBytes(lines, file);
  const reader: Reader = { file, lines, at: 0 };
  const frontMatter = readFrontMatter(reader);
  const head = lines.slice(0, reader.at);
  const blocks: Block[] = [];
  let done = reader.at;
  while (reader.at < lines.length) {
    const found = isCodeCell(lines[reader.at] ?? "")
      ? readCode(reader)
      : readProse(reader);
    if (found === null) continue;
    const { begin, end, ...block } = found;
    const lead = lines.slice(done, begin);
    blocks.push({ ...block, lead, own: lines.slice(begin, end) });
    done = end;
  }
  return { frontMatter, head, blocks, tail: lines.slice(done) };
}

/** What an editor does not show and git may change. */
function refuseBytes(lines: readonly string[], file: string): void {
  if (lines[0]?.startsWith("\ufeff")) {
    const message = "the file begins with a byte order mark; save it as " +
      "UTF-8 without one";
    throw new MystError(file, 1, message);
  }
  const line = lines.findIndex((text) => text.includes("\r")) + 1;
  if (line === 0) return;
  const message = "the line ends in CR LF; save the file with LF, and let " +
    "git leave it so: git config core.autocrlf input";
  throw new MystError(file, line, message);
}

function refuseTab(reader: Reader, index: number, where: string): void {
  if (!reader.lines[index]?.includes("\t")) return;
  const message = `a tab in ${where}; write spaces`;
  throw new MystError(reader.file, index + 1, message);
}

function readFrontMatter(reader: Reader): string | null {
  const { lines, file } = reader;
  if (lines[0] !== "---") return null;
  const end = lines.indexOf("---", 1);
  if (end < 0) {
    const remedy = "close it with a line `---`";
    throw new MystError(file, 1, `front matter has no end; ${remedy}`);
  }
  for (let at = 1; at < end; at++) refuseTab(reader, at, "front matter");
  reader.at = end + 1;
  return lines.slice(1, end).join("\n");
}

function isCodeCell(line: string): boolean {
  return /^(`{3,}|~{3,})\s*\{code(-cell)?\}/.test(line);
}

/** The index of the line that closes a fence; the same signs, no fewer. */
function closingLine(reader: Reader, fence: string): number {
  const closing = new RegExp(`^ {0,3}${fence[0]}{${fence.length},}\\s*$`);
  for (let at = reader.at + 1; at < reader.lines.length; at++) {
    if (closing.test(reader.lines[at] ?? "")) return at;
  }
  const message = `this fence is not closed; end it with a line ${fence}`;
  throw new MystError(reader.file, reader.at + 1, message);
}

function readCode(reader: Reader): Found {
  const { lines, file, at } = reader;
  const [, fence = "", info = ""] = FENCE.exec(lines[at] ?? "") ?? [];
  if (!/^\{code-cell\}\s+typescript\s*$/.test(info)) {
    const message = `"${info}" is no cell of ours; write ` +
      `\`\`\`{code-cell} typescript`;
    throw new MystError(file, at + 1, message);
  }
  refuseTab(reader, at, "the line of a fence");
  const end = closingLine(reader, fence);
  const options = new Map<string, Option>();
  let first = at + 1;
  while (first < end && readOption(lines[first] ?? "", first, options, file)) {
    refuseTab(reader, first, "an option");
    first++;
  }
  // An empty line after the options belongs to them.
  if (first < end && lines[first] === "") first++;
  reader.at = end + 1;
  return {
    kind: "code",
    line: at + 1,
    sourceLine: first + 1,
    source: lines.slice(first, end).join("\n"),
    options,
    metadata: {},
    begin: at,
    end: end + 1,
    from: first - at,
    to: end - at,
  };
}

function readOption(
  text: string,
  index: number,
  options: Map<string, Option>,
  file: string,
): boolean {
  const match = OPTION.exec(text);
  if (match === null) return false;
  const [, key = "", value = ""] = match;
  const line = index + 1;
  if (key !== "id" && key !== "tags") {
    const remedy = "a code cell has `:id:` and `:tags:`";
    throw new MystError(file, line, `unknown option ":${key}:"; ${remedy}`);
  }
  if (options.has(key)) {
    const message = `option ":${key}:" stands there twice; remove one`;
    throw new MystError(file, line, message);
  }
  options.set(key, { text: value.trim(), line });
  return true;
}

/** Prose up to the next code cell or `+++`; null if there is nothing to keep. */
function readProse(reader: Reader): Found | null {
  const { lines } = reader;
  const start = reader.at;
  const split = /^\+\+\+(?:\s+(.*))?$/.exec(lines[start] ?? "");
  if (split !== null) reader.at++;
  let first = reader.at;
  readProseLines(reader);
  let end = reader.at;
  while (first < end && lines[first]?.trim() === "") first++;
  while (first < end && lines[end - 1]?.trim() === "") end--;
  if (first === end && !split?.[1]) return null;
  const named = readSplit(split?.[1] ?? "", start + 1, reader.file);
  const begin = split === null ? first : start;
  const last = first === end ? start + 1 : end;
  return {
    kind: "prose",
    line: begin + 1,
    sourceLine: first + 1,
    source: lines.slice(first, end).join("\n"),
    ...named,
    begin,
    end: last,
    from: Math.min(first, last) - begin,
    to: last - begin,
  };
}

/** Move on to what ends prose; fences and boxes must be whole in it. */
function readProseLines(reader: Reader): void {
  const { lines, file } = reader;
  const boxes: { line: number; colons: string }[] = [];
  for (; reader.at < lines.length; reader.at++) {
    const text = lines[reader.at] ?? "";
    if (endsProse(text)) break;
    refuseIndented(text, reader);
    const fence = FENCE.exec(text)?.[1];
    if (fence !== undefined) {
      reader.at = closingLine(reader, fence);
      continue;
    }
    const [, colons = "", name] = /^(:{3,})\s*(\{.*)?$/.exec(text) ?? [];
    if (name !== undefined) boxes.push({ line: reader.at + 1, colons });
    else if (colons !== "" && colons === boxes.at(-1)?.colons) boxes.pop();
  }
  const [open] = boxes;
  if (open === undefined) return;
  const message = `this box is not closed in its cell; end it with a line ` +
    open.colons;
  throw new MystError(file, open.line, message);
}

function refuseIndented(text: string, reader: Reader): void {
  if (!/^\s+(`{3,}|~{3,})\s*\{code-cell\}/.test(text)) return;
  const message = "a code cell begins at the left margin; remove the spaces " +
    "before its fence";
  throw new MystError(reader.file, reader.at + 1, message);
}

function endsProse(line: string): boolean {
  return isCodeCell(line) || /^\+\+\+(\s|$)/.test(line);
}

function readSplit(
  text: string,
  line: number,
  file: string,
): Pick<Block, "options" | "metadata"> {
  const options = new Map<string, Option>();
  if (text.trim() === "") return { options, metadata: {} };
  const metadata = parseObject(text);
  const { id, ...others } = metadata ?? {};
  if (metadata === null || !["string", "undefined"].includes(typeof id)) {
    const message = "after +++ comes nothing or JSON with an id, as in " +
      '+++ {"id": "some-words"}';
    throw new MystError(file, line, message);
  }
  if (typeof id === "string") options.set("id", { text: id, line });
  return { options, metadata: others };
}

function parseObject(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    const isObject = typeof value === "object" && value !== null;
    return isObject && !Array.isArray(value) ? { ...value } : null;
  } catch {
    return null;
  }
}
