/**
 * Workloads under memory pressure: what must be true of every snapshot, of the
 * kernel's as of the engine's, and both side by side.
 *
 * Which page goes first is a matter of timing; two runs of one kernel differ
 * by several percent, so values are not compared one by one. Ours.
 */
import { commandsOf, hardwareOf } from "./reality_check.ts";
import { type Recording, recordingName } from "./reality_recording.ts";
import { type EngineRun, runReality } from "./reality_run.ts";
import type { Command } from "./reality_workload.ts";

/** One value of a snapshot; null: it is not known there. */
type Get = (counter: string) => number | null;

/** What a workload says of its processes and its group. */
interface Setting {
  /** Pages of each process's region, children included. */
  readonly pages: ReadonlyMap<string, number>;
  /** memory.max in bytes; null: no limit. */
  readonly max: number | null;
}

function settingOf(commands: readonly Command[]): Setting {
  const pages = new Map<string, number>();
  let max: number | null = null;
  for (const command of commands) {
    if (command.op === "alloc") pages.set(command.process, command.pages);
    if (command.op === "fork") {
      pages.set(command.child, pages.get(command.process) ?? 0);
    }
    if (command.op !== "cg") continue;
    const limit = command.pairs.find(([file]) => file === "memory.max");
    if (limit !== undefined) max = Number(limit[1]);
  }
  return { pages, max };
}

/** A rule: its name, and whether it holds; null if a value is missing. */
type Rule = readonly [string, (get: Get, setting: Setting) => boolean | null];

function below(get: Get, less: string, more: string): boolean | null {
  const [a, b] = [get(less), get(more)];
  return a === null || b === null ? null : a <= b;
}

/** Every page of every process is somewhere. */
function pagesAddUp(get: Get, { pages }: Setting): boolean | null {
  let known = false;
  for (const [name, count] of pages) {
    const [present, swapped] = [get(`${name}.present`), get(`${name}.swapped`)];
    if (present === null || swapped === null) continue;
    known = true;
    const none = get(`${name}.none`);
    if (present + swapped + (none ?? 0) > count) return false;
    if (none !== null && present + swapped + none !== count) return false;
  }
  return known ? true : null;
}

function storedPages(get: Get): boolean | null {
  const [bytes, pages] = [get("stat.zswapped"), get("zswap.stored_pages")];
  return bytes === null || pages === null ? null : bytes === pages * 4096;
}

function underMax(get: Get, { max }: Setting): boolean | null {
  const current = get("memory.current");
  return current === null || max === null ? null : current <= max;
}

const rules: readonly Rule[] = [
  ["present + swapped + none = pages of the region", pagesAddUp],
  ["memory.current ≤ memory.max", underMax],
  ["zswapped = 4096 × stored_pages", storedPages],
  [
    "compressed bytes ≤ pool",
    (get) => below(get, "stat.zswap", "zswap.pool_total_size"),
  ],
  [
    "written_back ≤ pswpout",
    (get) => below(get, "zswap.written_back_pages", "vm.pswpout"),
  ],
];

/** How a rule fared in all snapshots of one run. */
export interface RuleResult {
  readonly rule: string;
  readonly held: number;
  /** Labels of the snapshots where it did not. */
  readonly broken: readonly string[];
}

function judge(
  labels: readonly string[],
  at: (index: number) => Get,
  setting: Setting,
): RuleResult[] {
  return rules.map(([rule, holds]) => {
    const verdicts = labels.map((_, index) => holds(at(index), setting));
    const broken = labels.filter((_, index) => verdicts[index] === false);
    return { rule, held: verdicts.filter((v) => v === true).length, broken };
  });
}

/** The kernel's runs of one workload on one device, and the engine's. */
export interface PressureCheck {
  /** "6.12.zsmalloc.a-mixed, swap on vda" */
  readonly name: string;
  readonly recordings: readonly Recording[];
  readonly run: EngineRun;
  readonly kernelRules: readonly RuleResult[];
  readonly engineRules: readonly RuleResult[];
}

/** groupRuns() - recordings of the same machine and workload, together. */
export function groupRuns(recordings: readonly Recording[]): Recording[][] {
  const groups = new Map<string, Recording[]>();
  for (const recording of recordings) {
    const key = `${recordingName(recording)}, swap on ${recording.swap}`;
    groups.set(key, [...groups.get(key) ?? [], recording]);
  }
  return [...groups.values()];
}

/**
 * checkPressure() - run the workload once and judge both sides.
 *
 * @param recordings runs of one machine and workload
 *
 * Throws NotSupported for what the engine has not.
 */
export function checkPressure(
  recordings: readonly Recording[],
  workload: string,
): PressureCheck {
  const first = recordings[0]!;
  const commands = commandsOf(first, workload);
  const setting = settingOf(commands);
  const run = runReality(commands, hardwareOf(first));
  const labels = run.snapshots.map(({ label }) => label);
  const ours = (index: number): Get => (counter) =>
    run.snapshots[index]!.counters[counter] ?? null;
  const kernelRules = recordings.map((one) => {
    const at = (index: number): Get => (name) =>
      one.counters[name]?.[index] ?? null;
    return judge(one.labels, at, setting);
  });
  return {
    name: `${recordingName(first)}, swap on ${first.swap}`,
    recordings,
    run,
    kernelRules: rules.map(([rule], i) => sum(rule, kernelRules, i)),
    engineRules: judge(labels, ours, setting),
  };
}

function sum(
  rule: string,
  runs: readonly (readonly RuleResult[])[],
  index: number,
): RuleResult {
  const results = runs.map((run) => run[index]!);
  return {
    rule,
    held: results.reduce((so, { held }) => so + held, 0),
    broken: results.flatMap(({ broken }) => broken),
  };
}

/** One counter at one snapshot: the kernel's runs as a band, and the engine. */
export interface BandPoint {
  readonly label: string;
  readonly least: number;
  readonly most: number;
  readonly engine: number;
}

/** bandOf() - a counter over the snapshots where both sides have it. */
export function bandOf(check: PressureCheck, counter: string): BandPoint[] {
  const points: BandPoint[] = [];
  for (const [index, { label, counters }] of check.run.snapshots.entries()) {
    const kernel = check.recordings
      .map((one) => one.counters[counter]?.[index] ?? null)
      .filter((value) => value !== null);
    const engine = counters[counter];
    if (kernel.length === 0 || engine === undefined) continue;
    const [least, most] = [Math.min(...kernel), Math.max(...kernel)];
    points.push({ label, least, most, engine });
  }
  return points;
}
