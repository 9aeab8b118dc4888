/**
 * The outer form of a MyST notebook: which lines are front matter, code cells
 * and prose. What they mean is myst.ts' part.
 */

/** A source that is not right: says where, what, and what to do. */
export class MystError extends Error {
  override name = "MystError";
  readonly file: string;
  readonly line: number;

  constructor(file: string, line: number, message: string) {
    super(`${file}:${line}: ${message}`);
    this.file = file;
    this.line = line;
  }
}

export interface Option {
  text: string;
  line: number;
}

/** A code cell or a stretch of prose; lines are those of the file, from 1. */
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
}

/** The lines of a file and how far they are read. */
interface Reader {
  file: string;
  lines: readonly string[];
  /** Index of the next line. */
  at: number;
}

const FENCE = /^(`{3,}|~{3,})\s*(.*)$/;
const OPTION = /^:([A-Za-z][\w-]*):(?:\s+(.*))?$/;

/** splitBlocks() - front matter (null if none) and blocks, in order. */
export function splitBlocks(
  text: string,
  file: string,
): { frontMatter: string | null; blocks: Block[] } {
  const lines = text.replace(/\r\n?/g, "\n").replace(/\n$/, "").split("\n");
  const reader: Reader = { file, lines, at: 0 };
  const frontMatter = readFrontMatter(reader);
  const blocks: Block[] = [];
  while (reader.at < lines.length) {
    const block = isCodeCell(lines[reader.at] ?? "")
      ? readCode(reader)
      : readProse(reader);
    if (block !== null) blocks.push(block);
  }
  return { frontMatter, blocks };
}

function readFrontMatter(reader: Reader): string | null {
  const { lines, file } = reader;
  if (lines[0] !== "---") return null;
  const end = lines.indexOf("---", 1);
  if (end < 0) {
    const remedy = "close it with a line `---`";
    throw new MystError(file, 1, `front matter has no end; ${remedy}`);
  }
  reader.at = end + 1;
  return lines.slice(1, end).join("\n");
}

function isCodeCell(line: string): boolean {
  return /^(`{3,}|~{3,})\s*\{code(-cell)?\}/.test(line);
}

/** The index of the line that closes a fence; the same signs, no fewer. */
function closingLine(reader: Reader, fence: string): number {
  const closing = new RegExp(`^${fence[0]}{${fence.length},}\\s*$`);
  for (let at = reader.at + 1; at < reader.lines.length; at++) {
    if (closing.test(reader.lines[at] ?? "")) return at;
  }
  const message = `this fence is not closed; end it with a line ${fence}`;
  throw new MystError(reader.file, reader.at + 1, message);
}

function readCode(reader: Reader): Block {
  const { lines, file, at } = reader;
  const [, fence = "", info = ""] = FENCE.exec(lines[at] ?? "") ?? [];
  if (!/^\{code-cell\}\s+typescript\s*$/.test(info)) {
    const message = `"${info}" is no cell of ours; write ` +
      `\`\`\`{code-cell} typescript`;
    throw new MystError(file, at + 1, message);
  }
  const end = closingLine(reader, fence);
  const options = new Map<string, Option>();
  let first = at + 1;
  while (first < end && readOption(lines[first] ?? "", first, options, file)) {
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
function readProse(reader: Reader): Block | null {
  const { lines } = reader;
  const start = reader.at;
  const split = /^\+\+\+(?:\s+(.*))?$/.exec(lines[start] ?? "");
  if (split !== null) reader.at++;
  let first = reader.at;
  while (reader.at < lines.length && !endsProse(lines[reader.at] ?? "")) {
    const fence = FENCE.exec(lines[reader.at] ?? "")?.[1];
    if (fence !== undefined) reader.at = closingLine(reader, fence);
    reader.at++;
  }
  let end = reader.at;
  while (first < end && lines[first]?.trim() === "") first++;
  while (first < end && lines[end - 1]?.trim() === "") end--;
  if (first === end && !split?.[1]) return null;
  const source = lines.slice(first, end).join("\n");
  const named = readSplit(split?.[1] ?? "", start + 1, reader.file);
  return {
    kind: "prose",
    line: start + 1,
    sourceLine: first + 1,
    source,
    ...named,
  };
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
