/**
 * What our kernel answers besides running cells: a table from a request's type
 * to the content of its reply. Ours.
 */
import process from "node:process";
import { compileCell } from "./cell.ts";
import { CellFault } from "./cell_fault.ts";
import type { HistoryEntry } from "./kernel_execute.ts";
import { type Content, PROTOCOL_VERSION } from "./kernel_wire.ts";

/** What a front end needs to know of the language; no version, see facts. */
const LANGUAGE_INFO = {
  name: "typescript",
  version: "6.0",
  mimetype: "text/typescript",
  file_extension: ".ts",
  codemirror_mode: {
    mode: "typescript",
    name: "javascript",
    typescript: true,
  },
  pygments_lexer: "typescript",
  nbconvert_exporter: "script",
};

/** kernelInfo() - the content of `kernel_info_reply`. */
export function kernelInfo(): Content {
  return {
    status: "ok",
    protocol_version: PROTOCOL_VERSION,
    implementation: "swaplab",
    implementation_version: "1.0",
    language_info: LANGUAGE_INFO,
    banner: "Swaplab: TypeScript, checked; cells run in " +
      `Deno ${process.versions.deno ?? "?"}. An interrupt keeps the state.`,
    debugger: false,
    help_links: [],
    supported_features: [],
  };
}

/** The text of a request and the cursor in it, in code points. */
export function cursorIn({ code, cursor_pos }: Content): [string, number] {
  const source = String(code ?? "");
  return [source, Number(cursor_pos ?? [...source].length)];
}

/** A `complete_reply` when TypeScript has no answer. */
export function noMatches(cursor: number): Content {
  const span = { cursor_start: cursor, cursor_end: cursor };
  return { status: "ok", matches: [], ...span, metadata: {} };
}

/** An `inspect_reply` when TypeScript has no answer. */
export function nothingFound(): Content {
  return { status: "ok", found: false, data: {}, metadata: {} };
}

/**
 * isComplete() - the content of `is_complete_reply`: whether a console should
 * run what was typed, or ask for another line.
 */
export function isComplete(code: string): Content {
  try {
    compileCell(code, () => null);
    return { status: "complete" };
  } catch (error) {
    if (!(error instanceof CellFault)) return { status: "unknown" };
    const isOpen = /end of the cell|unterminated/i.test(error.message);
    if (!isOpen) return { status: "invalid" };
    return { status: "incomplete", indent: indentAfter(code) };
  }
}

/** The last line's indentation, two more if it opens something. */
function indentAfter(code: string): string {
  const line = code.trimEnd().split("\n").at(-1) ?? "";
  const indent = /^\s*/.exec(line)?.[0] ?? "";
  return /[{([]$/.test(line) ? `${indent}  ` : indent;
}

/** historyReply() - what was run in this session, as the request wants it. */
export function historyReply(
  history: readonly HistoryEntry[],
  request: Content,
): Content {
  const entries = chosen(history, request).map(({ count, source }) => {
    const line = request.output === true ? [source, null] : source;
    return [SESSION, count, line];
  });
  return { status: "ok", history: entries };
}

/** There is no history beyond the kernel's life. */
const SESSION = 1;

function chosen(
  history: readonly HistoryEntry[],
  request: Content,
): readonly HistoryEntry[] {
  switch (request.hist_access_type) {
    case "range": {
      const start = Number(request.start ?? 0);
      const stop = Number(request.stop ?? Infinity);
      return history.filter(({ count }) => count >= start && count < stop);
    }
    case "search": {
      const matches = globPattern(String(request.pattern ?? "*"));
      const found = history.filter(({ source }) => matches.test(source));
      const once = request.unique === true ? lastOfEach(found) : found;
      return lastOf(once, request.n);
    }
    default:
      return lastOf(history, request.n);
  }
}

function lastOf(history: readonly HistoryEntry[], n: unknown) {
  return typeof n === "number" ? history.slice(-n || history.length) : history;
}

function lastOfEach(history: readonly HistoryEntry[]): HistoryEntry[] {
  return history.filter(({ source }, at) =>
    history.findLastIndex((other) => other.source === source) === at
  );
}

/** A shell's pattern: `*` is any text, `?` any character. */
function globPattern(pattern: string): RegExp {
  const text = pattern.replace(/[.+^${}()|[\]\\]/g, "\\$&")
    .replaceAll("*", ".*").replaceAll("?", ".");
  return new RegExp(`^${text}$`, "s");
}
