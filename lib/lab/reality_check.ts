/**
 * The reality check: a recorded kernel, the engine on the same workload, and
 * where they part. Ours.
 */
import { KernelBug, SimError } from "../base/bug.ts";
import { entryAt } from "./entry.ts";
import { ProcessKilled } from "./process.ts";
import {
  compareRun,
  type Comparison,
  type Difference,
} from "./reality_compare.ts";
import { readCounters } from "./reality_counters.ts";
import { recordedSeries, type Recording } from "./reality_recording.ts";
import { type EngineRun, runReality } from "./reality_run.ts";
import { type Command, parseWorkload } from "./reality_workload.ts";
import type { Hardware, World } from "./reality_world.ts";

/** The names of the devices in the guest. */
const devices: Readonly<Record<string, string>> = {
  vda: "/dev/vda",
  brd: "/dev/ram0",
  zram: "/dev/zram0",
};

/** One recording, checked. */
export interface Check extends Comparison {
  readonly run: EngineRun;
  /** The first difference without a cause, else the first, told; or null. */
  readonly first: FirstDifference | null;
  /** Why the engine stopped on the way; null: it did not. */
  readonly stopped: string | null;
}

/** Where kernel and engine part for the first time. */
export interface FirstDifference extends Difference {
  /** Lines of the workload since the last equal snapshot; the last of them. */
  readonly line: number;
  readonly text: string;
  /** Which pages moved the counter in the engine, with their slots. */
  readonly behind: string;
}

/** What a recording's workload is, and on what it ran. */
export function commandsOf(recording: Recording, workload: string): Command[] {
  const { zpool, swap } = recording;
  const values = { comp: "lz4", zpool, dev: devices[swap] ?? `/dev/${swap}` };
  return parseWorkload(workload, `${recording.workload}.wl`, values);
}

export function hardwareOf(recording: Recording): Hardware {
  const { zpool, swap, memTotalKb } = recording;
  return { series: recordedSeries(recording), zpool, swap, memTotalKb };
}

/**
 * checkRecording() - run the workload and compare every value.
 *
 * @param workload the text of the `.wl` file
 */
export function checkRecording(recording: Recording, workload: string): Check {
  const commands = commandsOf(recording, workload);
  const hardware = hardwareOf(recording);
  let run: EngineRun;
  try {
    run = runReality(commands, hardware);
  } catch (error) {
    if (!isStop(error)) throw error;
    return stoppedCheck(recording, error);
  }
  const comparison = compareRun(recording, run);
  const { differences } = comparison;
  const found = differences.find(({ cause }) => cause === null) ??
    differences[0];
  const first = found === undefined
    ? null
    : explain(recording, commands, run, found);
  return { ...comparison, run, first, stopped: null };
}

/** A bug that the engine found in itself, or a process that it ended. */
function isStop(error: unknown): error is Error {
  return error instanceof KernelBug || error instanceof SimError ||
    error instanceof ProcessKilled;
}

/** The engine did not come to the end: every value is another. */
function stoppedCheck(recording: Recording, { message }: Error): Check {
  const snapshots = recording.labels.map((label) => ({
    label,
    line: 0,
    processes: 0,
    generation: 0,
    counters: {},
  }));
  const run = { snapshots, bad: 0, warnings: [] };
  const comparison = compareRun(recording, run);
  return { ...comparison, run, first: null, stopped: message };
}

/** Run once more and watch the counter, page by page. */
function explain(
  recording: Recording,
  commands: readonly Command[],
  run: EngineRun,
  difference: Difference,
): FirstDifference {
  const snaps = commands.filter(({ op }) => op === "snap");
  const from = snaps[difference.index - 1]?.line ?? 0;
  const to = snaps[difference.index]!.line;
  const between = commands.filter(({ line, op }) =>
    line > from && line < to && op !== "settle" && op !== "map"
  );
  const last = between.at(-1) ?? snaps[difference.index]!;
  const { counter, index } = difference;
  const start = run.snapshots[index - 1]?.counters[counter] ?? 0;
  const watched = { counter, from, to, start };
  const behind = watch(recording, commands, watched);
  return { ...difference, line: last.line, text: last.text, behind };
}

/** At most so many pages are named. */
const namedPages = 5;

/** A counter between two lines, and its value at the first of them. */
interface Watched {
  readonly counter: string;
  readonly from: number;
  readonly to: number;
  readonly start: number;
}

function watch(
  recording: Recording,
  commands: readonly Command[],
  { counter, from, to, start }: Watched,
): string {
  const told: string[] = [];
  let before = start;
  const onPage = (world: World, command: Command, page: number) => {
    if (command.line < from || told.length === namedPages) return;
    const now = readCounters(world)[counter] ?? before;
    if (now !== before) told.push(tell(world, command, page, now - before));
    before = now;
  };
  const upTo = commands.filter(({ line }) => line <= to);
  runReality(upTo, hardwareOf(recording), onPage);
  if (told.length === 0) return "nothing moved it in the engine";
  return `in the engine: ${told.join(", ")}`;
}

/** "A 107 (rand, slot 0:33) +4096" */
function tell(
  world: World,
  command: Command,
  page: number,
  change: number,
): string {
  const name = "process" in command ? command.process : "";
  const worker = world.workers.get(name);
  const sign = change > 0 ? "+" : "";
  if (!worker?.process || !worker.region) return `${name} ${sign}${change}`;
  const kind = worker.region.kinds[page];
  const { slot } = entryAt(worker.process, page);
  const where = slot === null ? "in memory" : `slot ${slot}`;
  return `${name} ${page} (${kind}, ${where}) ${sign}${change}`;
}

/** One line of `--json`. */
export interface CheckLine {
  readonly recording: string;
  readonly equal: number;
  readonly different: number;
  readonly notModelled: number;
  readonly first: FirstDifference | null;
  /** Only if the engine stopped on the way: why. */
  readonly stopped?: string;
}

export function checkLine(check: Check): CheckLine {
  const { name, equal, differences, notModelled, first, stopped } = check;
  const left = [...notModelled.values()].reduce((sum, n) => sum + n, 0);
  const counts = { equal, different: differences.length, notModelled: left };
  const line = { recording: name, ...counts, first };
  return stopped === null ? line : { ...line, stopped };
}
