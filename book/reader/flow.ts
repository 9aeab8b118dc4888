/**
 * Output on its way to the page: sent in batches, so that a loop that prints
 * does not drown the page, and cut at a size that a page can hold.
 */

import type { Output } from "../../lib/notebook/nbformat.ts";

/** Outputs wait at most this long before they are sent on. */
const BATCH_MS = 100;
/** A cell's output beyond this many characters is not shown. */
export const LIMIT_CHARACTERS = 1_000_000;

export interface Flow {
  /** One output as it appears, at a time in milliseconds. */
  take(output: Output, now: number): void;
  /** All outputs of a finished cell, cut where a page ends. */
  limit(outputs: readonly Output[]): { outputs: Output[]; cut: boolean };
}

/** makeFlow() - batches for one run of one cell. */
export function makeFlow(send: (outputs: Output[]) => void): Flow {
  let batch: Output[] = [];
  let sentAt = -Infinity;
  let size = 0;
  const take = (output: Output, now: number) => {
    if (size > LIMIT_CHARACTERS) return;
    size += sizeOf(output);
    batch.push(output);
    if (now - sentAt < BATCH_MS) return;
    send(mergeStreams(batch));
    batch = [];
    sentAt = now;
  };
  return { take, limit };
}

/** mergeStreams() - adjacent texts of one stream become one output. */
export function mergeStreams(outputs: readonly Output[]): Output[] {
  const merged: Output[] = [];
  for (const output of outputs) {
    const last = merged.at(-1);
    const joins = last?.output_type === "stream" &&
      output.output_type === "stream" && last.name === output.name;
    if (!joins) merged.push({ ...output });
    else last.text += output.text;
  }
  return merged;
}

/** The error of a cell is kept even where the rest is cut. */
function limit(
  outputs: readonly Output[],
): { outputs: Output[]; cut: boolean } {
  const kept: Output[] = [];
  let room = LIMIT_CHARACTERS;
  let cut = false;
  for (const output of outputs) {
    const fits = sizeOf(output) <= room;
    if (fits || output.output_type === "error") kept.push(output);
    else if (output.output_type === "stream" && room > 0) {
      kept.push({ ...output, text: output.text.slice(0, room) });
    }
    cut ||= !fits;
    room = fits ? room - sizeOf(output) : 0;
  }
  return { outputs: kept, cut };
}

function sizeOf(output: Output): number {
  if (output.output_type === "stream") return output.text.length;
  if (output.output_type === "error") return 0;
  return Object.values(output.data).reduce<number>(
    (sum, value) => sum + (typeof value === "string" ? value.length : 1000),
    0,
  );
}
