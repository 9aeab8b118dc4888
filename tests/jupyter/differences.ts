/**
 * What a host made of a cell beside what is stored, in words. Ours.
 *
 * A stored display may hold some of its mime types only (a fixture written by
 * hand does); then those are compared. Of an error, name and message are
 * compared, and the traceback where more than the headline is stored.
 */
import { isDeepStrictEqual } from "node:util";
import { unifiedDiff } from "../../lib/notebook/diff.ts";
import type { CodeCell, Output } from "../../lib/notebook/nbformat.ts";
import { compare } from "./as_tslab.ts";
import type { Execution } from "./client.ts";

/** Says what differs; nothing if all is the same. */
export type Judge = (
  cell: Pick<CodeCell, "outputs">,
  execution: Execution,
) => string[];

/** sameBytes() - every byte of every output, in order. */
export const sameBytes: Judge = (cell, { outputs, status }) => {
  const came = outputs.map((one, at) => narrowed(one, cell.outputs[at]));
  const stored = cell.outputs.map((one) => narrowed(one, one));
  return [...wrongStatus(cell, status), ...diff(stored, came)];
};

/** sameInTslab() - the same in the words of tslab; see as_tslab.ts. */
export const sameInTslab: Judge = (cell, execution) => {
  const { wanted, actual } = compare(cell, execution);
  return [...wrongStatus(cell, execution.status), ...diff(wanted, actual)];
};

/** losses() - short words for what is missing or different, no more. */
export const losses: Judge = (cell, { outputs, status }) => {
  const stored = cell.outputs;
  const wrong = wrongStatus(cell, status);
  if (wrong.length > 0) return wrong;
  const lost = stored.length - outputs.length;
  if (lost > 0) return [`${lost} of ${stored.length} outputs lost`];
  return stored.flatMap((wanted, at) => {
    const actual = outputs[at];
    if (actual?.output_type !== wanted.output_type) return ["another order"];
    const isSame = isDeepStrictEqual(
      narrowed(actual, wanted),
      narrowed(wanted, wanted),
    );
    return isSame ? [] : [`${WORDS[wanted.output_type]} differs`];
  });
};

const WORDS: Record<Output["output_type"], string> = {
  stream: "printed text",
  display_data: "a figure",
  execute_result: "the print of a value",
  error: "the error's text",
};

function wrongStatus(cell: Pick<CodeCell, "outputs">, status: string) {
  const fails = cell.outputs.some((one) => one.output_type === "error");
  const wanted = fails ? "error" : "ok";
  return status === wanted ? [] : [`it ended "${status}", not "${wanted}"`];
}

function diff(wanted: unknown, actual: unknown): string[] {
  if (isDeepStrictEqual(wanted, actual)) return [];
  const text = (value: unknown) => JSON.stringify(value, null, 1);
  return [`it gave otherwise:\n${unifiedDiff(text(wanted), text(actual))}`];
}

/** Of an output, what is stored of the like. */
function narrowed(output: Output, stored: Output | undefined): Output {
  if (stored === undefined) return output;
  if ("data" in output && "data" in stored) {
    const mimes = Object.entries(output.data)
      .filter(([mime]) => mime in stored.data);
    return { ...output, data: Object.fromEntries(mimes) };
  }
  const isShort = stored.output_type === "error" &&
    stored.traceback.length === 1;
  if (output.output_type !== "error" || !isShort) return output;
  return { ...output, traceback: output.traceback.slice(0, 1) };
}
