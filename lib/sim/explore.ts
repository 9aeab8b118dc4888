/**
 * Explore a program: all outcomes, and the shortest way to each failure. Ours.
 *
 * `explore()` makes runs until its scheduler has no more, counts what came of
 * them, and keeps for each outcome and each kind of failure the schedule with
 * the fewest preemptions, then the fewest steps.
 */
import { SimError } from "../base/bug.ts";
import { dfs } from "./dfs.ts";
import { dpor } from "./dpor.ts";
import {
  execute,
  makeLockOrder,
  type Program,
  type Run,
  type Scheduler,
  type ViolationKind,
} from "./execute.ts";
import { fairVerdict } from "./fair.ts";
import { lowestActor } from "./mask.ts";
import { replay, scheduleOf } from "./replay.ts";

/** One schedule, and what it costs. */
export interface Example {
  /** For replay(): "A3B12A". */
  readonly schedule: string;
  /** Switches away from an actor that could have gone on. */
  readonly preemptions: number;
  readonly steps: number;
}

export interface Outcome extends Example {
  readonly name: string;
  /** Runs that ended so. */
  readonly count: number;
}

export interface Failure extends Example {
  readonly kind: ViolationKind;
  readonly message: string;
  readonly count: number;
}

export interface Exploration {
  readonly program: string;
  /** Most preemptions in a run; null for no bound. */
  readonly bound: number | null;
  /** Nothing within the bound was left out. */
  readonly complete: boolean;
  /** Runs made to their end, and runs given up as seen already. */
  readonly runs: number;
  readonly blocked: number;
  readonly steps: number;
  readonly outcomes: readonly Outcome[];
  readonly failures: readonly Failure[];
}

export interface ExploreOptions {
  readonly bound?: number | null;
  /** "dpor" leaves out what cannot differ; "dfs" makes every run. */
  readonly search?: "dpor" | "dfs";
  /** Instead of a search: runs chosen otherwise, never complete. */
  readonly scheduler?: Scheduler;
  /** Runs after which it stops; 1,000,000. */
  readonly maxRuns?: number;
  /** Stop at the first failure. */
  readonly stopAtFailure?: boolean;
  /** Make each run twice and compare: finds what is not deterministic. */
  readonly twice?: boolean;
  /** Told every thousand runs. */
  readonly progress?: (runs: number) => void;
}

/** What is known so far. */
interface Tally {
  readonly outcomes: Map<string, Outcome>;
  readonly failures: Map<string, Failure>;
  runs: number;
  steps: number;
}

/** Switches away from an actor that could have gone on. */
export function preemptionsOf({ steps }: Run): number {
  let count = 0;
  for (let i = 1; i < steps.length; i++) {
    const before = steps[i - 1]!.actor;
    const { actor, enabled } = steps[i]!;
    if (actor !== before && (enabled & (1 << before)) !== 0) count++;
  }
  return count;
}

/** Make all runs that the options ask for. */
export function explore(
  program: Program,
  options: ExploreOptions = {},
): Exploration {
  const { bound = null, maxRuns = 1_000_000 } = options;
  const search = options.search === "dfs" ? dfs(bound) : dpor(bound);
  const scheduler = options.scheduler ?? search;
  const lockOrder = makeLockOrder();
  const tally: Tally = {
    outcomes: new Map(),
    failures: new Map(),
    runs: 0,
    steps: 0,
  };
  let blocked = 0;
  let ended = false;
  while (tally.runs < maxRuns) {
    if (!scheduler.begin()) {
      ended = true;
      break;
    }
    lockOrder.run++;
    const run = execute(program, scheduler, lockOrder);
    if (lockOrder.schedules.has(lockOrder.run)) {
      lockOrder.schedules.set(lockOrder.run, scheduleOf(run.steps));
    }
    if (run.end === "cut") {
      blocked++;
      continue;
    }
    count(tally, run);
    if (options.twice) {
      compare(run, execute(program, follow(run), lockOrder));
    }
    if (options.stopAtFailure && tally.failures.size > 0) break;
    if (tally.runs % 1000 === 0) options.progress?.(tally.runs);
  }
  return {
    program: program.name,
    bound,
    complete: ended && options.scheduler === undefined,
    runs: tally.runs,
    blocked,
    steps: tally.steps,
    outcomes: [...tally.outcomes.values()].sort(byName),
    failures: [...tally.failures.values()].sort(byLength)
      .map((failure) => judgeEndless(program, failure)),
  };
}

/** Say of a run without end whose fault that is. */
function judgeEndless(program: Program, failure: Failure): Failure {
  if (failure.kind !== "endless") return failure;
  const verdict = fairVerdict(program, failure.schedule);
  return { ...failure, message: `${failure.message}; ${verdict}` };
}

function byName(a: Outcome, b: Outcome): number {
  return a.name < b.name ? -1 : 1;
}

function byLength(a: Example, b: Example): number {
  return a.preemptions - b.preemptions || a.steps - b.steps;
}

function count(tally: Tally, run: Run): void {
  tally.runs++;
  tally.steps += run.steps.length;
  const example = {
    schedule: scheduleOf(run.steps),
    preemptions: preemptionsOf(run),
    steps: run.steps.length,
  };
  if (run.violation === null) {
    const name = run.outcome;
    keep(tally.outcomes, name, { name, count: 1, ...example });
    return;
  }
  const { kind, message } = run.violation;
  keep(tally.failures, kind, { kind, message, count: 1, ...example });
}

/** Keep the shorter example; add up the counts. */
function keep<T extends Example & { readonly count: number }>(
  known: Map<string, T>,
  name: string,
  example: T,
): void {
  const old = known.get(name);
  const best = old !== undefined && byLength(old, example) <= 0 ? old : example;
  known.set(name, { ...best, count: (old?.count ?? 0) + 1 });
}

/** A scheduler that makes the run's choices once more. */
export function follow(run: Run): Scheduler {
  return {
    begin: () => true,
    choose: ({ depth, enabled }) => {
      const actor = run.steps[depth]?.actor ?? -1;
      const can = actor >= 0 && (enabled & (1 << actor)) !== 0;
      return can ? actor : lowestActor(enabled);
    },
    end: () => {},
  };
}

/** @throws SimError if two runs of the same choices differ */
function compare(first: Run, second: Run): void {
  const length = Math.max(first.steps.length, second.steps.length);
  for (let i = 0; i < length; i++) {
    const [a, b] = [first.steps[i], second.steps[i]];
    const same = a?.actor === b?.actor && a?.object === b?.object &&
      a?.op.what === b?.op.what;
    if (same) continue;
    throw new SimError(
      `Nondeterminism: step ${i + 1} was ${a?.op.what ?? "none"}, then ` +
        `${b?.op.what ?? "none"}, with the same choices`,
    );
  }
  if (first.outcome !== second.outcome) {
    throw new SimError(
      `Nondeterminism: "${first.outcome}", then "${second.outcome}", with ` +
        `the same choices`,
    );
  }
}

/**
 * shortestFailures() - for each kind of failure, the schedule with the fewest
 * preemptions, then the fewest steps.
 *
 * Tries all runs without preemption, then with one, and so on, until each kind
 * has been seen again.
 *
 * @param known the failures that explore() found
 * @param maxRuns runs to spend; after that the known ones stand
 */
export function shortestFailures(
  program: Program,
  known: readonly Failure[],
  maxRuns = 20_000,
): Failure[] {
  const best = new Map(known.map((failure) => [failure.kind, failure]));
  const open = new Map(best);
  let left = maxRuns;
  for (let bound = 0; open.size > 0 && left > 0; bound++) {
    const found = explore(program, { search: "dfs", bound, maxRuns: left });
    left -= found.runs;
    for (const failure of found.failures) {
      const first = open.get(failure.kind);
      if (first === undefined) continue;
      open.delete(failure.kind);
      if (byLength(failure, first) >= 0) continue;
      best.set(failure.kind, { ...failure, count: first.count });
    }
    for (const [kind, { preemptions }] of open) {
      if (preemptions <= bound) open.delete(kind);
    }
  }
  return [...best.values()].sort(byLength);
}

/** shortestFailure() - the same for one of them. */
export function shortestFailure(
  program: Program,
  known: Failure,
  maxRuns?: number,
): Failure {
  return shortestFailures(program, [known], maxRuns)[0]!;
}

/**
 * runSchedule() - the one run that a string names.
 *
 * @throws SimError at the step at which it ceases to fit; RangeError for what
 *   is not a schedule
 */
export function runSchedule(program: Program, schedule: string): Run {
  return execute(program, replay(schedule), makeLockOrder());
}
