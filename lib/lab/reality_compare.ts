/**
 * A recording and the engine's run of the same workload, value by value. Ours.
 */
import { causeOf, notModelledBecause } from "./reality_causes.ts";
import {
  type Recording,
  RecordingError,
  recordingName,
} from "./reality_recording.ts";
import type { EngineRun, Snapshot } from "./reality_run.ts";

/** One value that the engine has otherwise than the kernel. */
export interface Difference {
  /** Index of the snapshot, and its label. */
  readonly index: number;
  readonly label: string;
  readonly counter: string;
  /** Null: no such value at this point. */
  readonly kernel: number | null;
  readonly ours: number | null;
  /** Why that is known to be so; null if it is not. */
  readonly cause: string | null;
}

export interface Comparison {
  /** "6.12.zsmalloc.g-directed" */
  readonly name: string;
  readonly equal: number;
  /** By snapshot, then in the order of the recording's counters. */
  readonly differences: readonly Difference[];
  /** Values left out, by reason. */
  readonly notModelled: ReadonlyMap<string, number>;
}

/** A value of the kernel, and the engine's beside it. */
interface Pair {
  readonly index: number;
  readonly counter: string;
  readonly kernel: number | null;
  readonly ours: number | null;
  /** Why it is not compared; null: it is. */
  readonly leftOut: string | null;
}

/**
 * compareRun() - every value of every snapshot.
 *
 * Throws RecordingError if the two have not the same snapshots.
 */
export function compareRun(recording: Recording, run: EngineRun): Comparison {
  const name = recordingName(recording);
  const labels = run.snapshots.map(({ label }) => label);
  if (labels.join() !== recording.labels.join()) {
    throw new RecordingError(
      `${name}: the recording has the snapshots ` +
        `${recording.labels.join(" ")}; the workload makes ${labels.join(" ")}`,
    );
  }
  let equal = 0;
  const differences: Difference[] = [];
  const notModelled = new Map<string, number>();
  for (const pair of pairsOf(recording, run)) {
    const { index, counter, kernel, ours, leftOut } = pair;
    if (leftOut !== null) {
      notModelled.set(leftOut, (notModelled.get(leftOut) ?? 0) + 1);
    } else if (kernel === ours) equal++;
    else {
      const cause = causeOf(recording, counter);
      const label = labels[index]!;
      differences.push({ index, label, counter, kernel, ours, cause });
    }
  }
  return { name, equal, differences, notModelled };
}

/** By snapshot, then by counter; where neither has a value, there is no pair. */
function* pairsOf(recording: Recording, run: EngineRun): Iterable<Pair> {
  const workers = ownPages(recording, run.snapshots);
  for (const [index, { counters }] of run.snapshots.entries()) {
    for (const [counter, values] of Object.entries(recording.counters)) {
      const kernel = values[index]!;
      const ours = counters[counter] ?? null;
      if (kernel === null && ours === null) continue;
      if (counter === "stat.anon" && ours !== null && kernel !== null) {
        yield { index, counter, kernel, ...workers[index]!(ours) };
        continue;
      }
      const leftOut = notModelledBecause(counter);
      yield { index, counter, kernel, ours, leftOut };
    }
  }
  yield* wholeRun(recording, run);
}

/** What has to be so at the end: no page read wrong, no WARN_ON. */
function* wholeRun(recording: Recording, run: EngineRun): Iterable<Pair> {
  const last = { index: recording.labels.length - 1, leftOut: null };
  const { bad } = recording;
  yield { ...last, counter: "pages read wrong", kernel: bad, ours: run.bad };
  const ours = run.warnings.length;
  yield { ...last, counter: "WARN_ON", kernel: 0, ours };
}

const readOff = "anonymous pages of the worker itself (its data, its stack): " +
  "read off after each fork or exit, then expected to stay";

/** More than that is not the worker itself: 104 to 116 pages each so far. */
const mostOwnBytes = 128 * 4096;

type WithOwn = (ours: number) => Pick<Pair, "ours" | "leftOut">;

/**
 * What the kernel's stat.anon has more than the regions: the workers' own
 * pages. They change when a process begins or ends, so they are read off at
 * the first snapshot after that; all others have to agree.
 */
function ownPages(
  recording: Recording,
  snapshots: readonly Snapshot[],
): WithOwn[] {
  let own = 0;
  return snapshots.map(({ generation, processes, counters }, index) => {
    const fresh = generation !== snapshots[index - 1]?.generation;
    if (!fresh || processes === 0) {
      own = processes === 0 ? 0 : own;
      const now = own;
      return (ours) => ({ ours: ours + now, leftOut: null });
    }
    const kernel = recording.counters["stat.anon"]?.[index] ?? 0;
    const more = kernel - (counters["stat.anon"] ?? 0);
    const plausible = more >= 0 && more <= processes * mostOwnBytes;
    own = plausible ? more : 0;
    return (ours) => ({ ours, leftOut: plausible ? readOff : null });
  });
}
