/**
 * What the check leaves out and what it knows to be different, each with its
 * reason. Everything else has to be equal. Ours.
 */
import { recordedSeries, type Recording } from "./reality_recording.ts";
import type { Series } from "./reality_era.ts";

/** Counters that the engine cannot have: a pattern and the reason. */
const left: readonly (readonly [RegExp, string])[] = [
  [
    /^memory\.current$/,
    "charges of page tables and slabs, taken in batches; two runs of one " +
    "kernel differ by up to 5.6 %",
  ],
  [
    /^zswap\.duplicate_entry$/,
    "counted until 6.8 only; v6.12 has no such file",
  ],
  [
    /^zswap\.decompress_fail$/,
    "after 6.12; here a bad block stops the machine",
  ],
];

/** Why a counter is not compared; null: it is. */
export function notModelledBecause(counter: string): string | null {
  return left.find(([pattern]) => pattern.test(counter))?.[1] ?? null;
}

/** Known differences: in which series, in which counters, why. */
interface Cause {
  readonly series: readonly Series[];
  readonly counters: RegExp;
  readonly because: string;
}

const causes: readonly Cause[] = [];

/** Why a value may differ; null: it may not. */
export function causeOf(recording: Recording, counter: string): string | null {
  const series = recordedSeries(recording);
  const cause = causes.find((one) =>
    one.series.includes(series) && one.counters.test(counter)
  );
  return cause?.because ?? null;
}
