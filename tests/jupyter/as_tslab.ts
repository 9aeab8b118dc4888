/**
 * How tslab 1.0.22 says what our runner stores in a notebook. Ours.
 *
 * | stored                  | in tslab                                      |
 * |-------------------------|-----------------------------------------------|
 * | value of a cell         | a line on stdout; a string without its quotes |
 * | `null` as value         | nothing                                       |
 * | two streams in a row    | one, if they have the same name               |
 * | error                   | stderr, with the stack of Node                |
 * | metadata of a display   | none                                          |
 *
 * So both sides are brought to one form: streams and displays. A value that
 * has a picture (a figure as last expression) has no such form: tslab prints
 * it as an object. Notebooks say `show(figure)`.
 */
import type { CodeCell, Output } from "../../lib/notebook/nbformat.ts";
import type { Execution } from "./client.ts";

export type Shown =
  | { stream: "stdout" | "stderr"; text: string }
  | { display: Record<string, unknown> };

/** The wanted outputs of a cell, and its actual ones, in the common form. */
export interface Comparison {
  wanted: Shown[];
  actual: Shown[];
}

/** compare() - what `cell` has stored against what tslab made of it. */
export function compare(
  cell: Pick<CodeCell, "outputs">,
  execution: Execution,
): Comparison {
  const wanted = merged(cell.outputs.flatMap((output) => asTslab(output)));
  const actual = execution.outputs.map(shown);
  return {
    wanted,
    actual: actual.map((one, at) => narrowed(one, wanted[at], cell.outputs)),
  };
}

/** asTslab() - a stored output as tslab would publish it. */
export function asTslab(output: Output): Shown[] {
  if (output.output_type === "execute_result") return valueLine(output.data);
  return [shown(output)];
}

function shown(output: Output): Shown {
  switch (output.output_type) {
    case "stream":
      return { stream: output.name, text: output.text };
    case "error":
      return { stream: "stderr", text: errorLine(output) };
    default:
      return { display: output.data };
  }
}

function valueLine(data: Record<string, unknown>): Shown[] {
  const { "text/plain": text, ...pictures } = data;
  if (typeof text !== "string" || Object.keys(pictures).length > 0) {
    throw new TypeError(
      "A cell ends in a value that is more than text, which tslab cannot " +
        "display: say show(value)",
    );
  }
  if (text === "null") return [];
  return [{ stream: "stdout", text: `${unquoted(text)}\n` }];
}

/** A value that inspect() quoted is a string; tslab prints it bare. */
function unquoted(text: string): string {
  const quoted = /^(['"`])((?:\\.|(?!\1)[^\\\n])*)\1$/s.exec(text);
  if (quoted === null) return text;
  const [, , inner = ""] = quoted;
  return inner.replace(/\\(.)/g, (_, escaped) => ESCAPES[escaped] ?? escaped);
}

const ESCAPES: Record<string, string> = { n: "\n", t: "\t", r: "\r" };

function errorLine({ ename, evalue }: { ename: string; evalue: string }) {
  return `${ename}: ${evalue}\n`;
}

function merged(outputs: readonly Shown[]): Shown[] {
  const all: Shown[] = [];
  for (const one of outputs) {
    const last = all.at(-1);
    const joins = last !== undefined && "stream" in last && "stream" in one &&
      last.stream === one.stream;
    if (joins) all[all.length - 1] = { ...one, text: last.text + one.text };
    else all.push(one);
  }
  return all;
}

/**
 * Of what came, only what can be compared: the mime types that are stored (a
 * notebook stores all, a fixture those that matter); of an error, not the
 * stack around it.
 */
function narrowed(
  actual: Shown,
  wanted: Shown | undefined,
  stored: readonly Output[],
): Shown {
  if (wanted === undefined) return actual;
  if ("display" in actual && "display" in wanted) {
    const mimes = Object.keys(wanted.display);
    return {
      display: Object.fromEntries(
        mimes.map((mime) => [mime, actual.display[mime]]),
      ),
    };
  }
  const error = stored.find((output) => output.output_type === "error");
  const isError = error !== undefined && "stream" in actual &&
    "stream" in wanted && actual.stream === "stderr";
  return isError ? withoutStack(actual, wanted, errorLine(error)) : actual;
}

/** Before the error: byte for byte. Then its line must be in Node's report. */
function withoutStack<T extends { text: string }>(
  actual: T,
  wanted: { text: string },
  line: string,
): T {
  const before = wanted.text.slice(0, wanted.text.length - line.length);
  const rest = actual.text.slice(before.length);
  const isThere = actual.text.startsWith(before) && rest.includes(line.trim());
  return isThere ? { ...actual, text: wanted.text } : actual;
}
