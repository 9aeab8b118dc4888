/**
 * Colours for code: a small tokenizer of TypeScript (good enough for C), used
 * at build time and, on each key press, by the editor in the page.
 *
 * Contract: the texts of the tokens, joined, are the source, for any string.
 */

export type TokenKind =
  | "comment"
  | "string"
  | "number"
  | "keyword"
  | "literal"
  | "type"
  | "call"
  | "regexp"
  | "plain";

export interface Token {
  kind: TokenKind;
  text: string;
}

const KEYWORDS = new Set(
  ("abstract as async await break case catch class const continue debugger " +
    "declare default delete do else enum export extends finally for from " +
    "function goto if implements import in inline instanceof interface is " +
    "keyof let new of readonly return satisfies static struct super switch " +
    "this throw try type typedef typeof union unsigned var void while with " +
    "yield").split(" "),
);

const LITERALS = new Set(["true", "false", "null", "undefined", "NULL"]);

const TYPES = new Set(
  ("any bigint bool boolean char int long never number object short size_t " +
    "string symbol unknown u8 u16 u32 u64").split(" "),
);

const SPACE = /\s+/y;
const COMMENT = /\/\/[^\n]*|\/\*[^]*?(?:\*\/|$)/y;
const STRING = /"(?:\\[^]|[^"\\\n])*"?|'(?:\\[^]|[^'\\\n])*'?/y;
const NUMBER =
  /0[xXbBoO][\da-fA-F_]+n?|\d[\d_]*(?:\.\d[\d_]*)?(?:[eE][+-]?\d+)?n?/y;
const WORD = /[\p{L}_$][\p{L}\p{N}_$]*/uy;
const REGEXP = /\/(?![*/])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\[\n])+\/[a-z]*/y;
/** Template text up to its end, to a `${`, or to the end of the source. */
const TEMPLATE = /(?:\\[^]|\$(?!\{)|[^`\\$])*(?:`|\$\{|\\?$)/y;

interface Cursor {
  source: string;
  at: number;
  tokens: Token[];
  /** Open braces inside each `${` that is open, innermost last. */
  depths: number[];
  /** The last token that is neither space nor comment. */
  last: Token | undefined;
}

/** tokenize() - cut a source into coloured pieces; never throws. */
export function tokenize(source: string): Token[] {
  const cursor: Cursor = {
    source,
    at: 0,
    tokens: [],
    depths: [],
    last: undefined,
  };
  while (cursor.at < source.length) step(cursor);
  return cursor.tokens;
}

/** highlight() - the source as HTML: escaped, each coloured token a span. */
export function highlight(source: string): string {
  return tokenize(source).map(({ kind, text }) =>
    kind === "plain"
      ? escapeHtml(text)
      : `<span class="t-${kind}">${escapeHtml(text)}</span>`
  ).join("");
}

/** highlightLines() - the same, line by line: no span goes over a line's end. */
export function highlightLines(source: string): string[] {
  const lines = [""];
  for (const { kind, text } of tokenize(source)) {
    for (const [index, piece] of text.split("\n").entries()) {
      if (index > 0) lines.push("");
      if (piece === "") continue;
      const html = escapeHtml(piece);
      lines[lines.length - 1] += kind === "plain"
        ? html
        : `<span class="t-${kind}">${html}</span>`;
    }
  }
  return lines;
}

/** escapeHtml() - text made safe for element content and quoted attributes. */
export function escapeHtml(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}

function step(cursor: Cursor): void {
  if (take(cursor, SPACE, "plain") || take(cursor, COMMENT, "comment")) return;
  if (take(cursor, STRING, "string") || take(cursor, NUMBER, "number")) return;
  const word = match(cursor, WORD);
  if (word !== null) return push(cursor, wordKind(cursor, word), word);
  if (!endsValue(cursor.last) && take(cursor, REGEXP, "regexp")) return;
  mark(cursor, cursor.source[cursor.at]!);
}

/** One punctuation mark; a backquote and the brace after `${` need care. */
function mark(cursor: Cursor, char: string): void {
  const depth = cursor.depths.at(-1);
  if (char === "`") return template(cursor, 1);
  if (char === "}" && depth === 0) {
    cursor.depths.pop();
    return template(cursor, 1);
  }
  if (depth !== undefined && (char === "{" || char === "}")) {
    cursor.depths[cursor.depths.length - 1] = depth + (char === "{" ? 1 : -1);
  }
  push(cursor, "plain", char);
}

/** Template text; `opening` characters before it belong to the token. */
function template(cursor: Cursor, opening: number): void {
  TEMPLATE.lastIndex = cursor.at + opening;
  const rest = TEMPLATE.exec(cursor.source)?.[0] ??
    cursor.source.slice(cursor.at + opening);
  if (rest.endsWith("${")) cursor.depths.push(0);
  push(
    cursor,
    "string",
    cursor.source.slice(cursor.at, cursor.at + opening) + rest,
  );
}

function wordKind(cursor: Cursor, word: string): TokenKind {
  const property = cursor.last?.text === ".";
  if (!property && KEYWORDS.has(word)) return "keyword";
  if (!property && LITERALS.has(word)) return "literal";
  if (!property && TYPES.has(word)) return "type";
  const after = cursor.source[cursor.at + word.length];
  if (after === "(") return "call";
  return /^\p{Lu}.*\p{Ll}/u.test(word) ? "type" : "plain";
}

/** After a value a slash divides; elsewhere it opens a regular expression. */
function endsValue(token: Token | undefined): boolean {
  if (token === undefined || token.kind === "keyword") return false;
  return token.kind !== "plain" || /[\p{L}\p{N}_$)\]]$/u.test(token.text);
}

function take(cursor: Cursor, pattern: RegExp, kind: TokenKind): boolean {
  const text = match(cursor, pattern);
  if (text === null) return false;
  push(cursor, kind, text);
  return true;
}

function match(cursor: Cursor, pattern: RegExp): string | null {
  pattern.lastIndex = cursor.at;
  return pattern.exec(cursor.source)?.[0] ?? null;
}

function push(cursor: Cursor, kind: TokenKind, text: string): void {
  const token = { kind, text };
  cursor.tokens.push(token);
  cursor.at += text.length;
  if (kind !== "comment" && text.trim() !== "") cursor.last = token;
}
