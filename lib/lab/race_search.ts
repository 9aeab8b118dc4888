/**
 * A litmus test searched, or one run of it, and what it came to. Ours.
 *
 * The command line, the pages and the grader ask for it in the same way.
 */
import type { Proposals } from "../proposals.ts";
import type { Program, Run, Scheduler } from "../sim/execute.ts";
import {
  explore,
  type Failure,
  runSchedule,
  shortestFailures,
} from "../sim/explore.ts";
import { pct } from "../sim/pct.ts";
import { randomScheduler } from "../sim/random.ts";
import { printDiagram } from "./diagram_print.ts";
import { programOf } from "./litmus/litmus.ts";
import { findLitmus, proposalsOf } from "./litmus/mod.ts";

/** A litmus test, and how it is to run. */
export interface RaceChoice {
  readonly litmus: string;
  readonly variant: string;
  /** Switches on top of the variant's. */
  readonly proposals: Partial<Proposals>;
}

export const schedulers = ["dpor", "dfs", "random", "pct"] as const;

/** How to search. */
export interface RaceSearch {
  /** Most preemptions in a run; left out: as the litmus test says. */
  readonly bound?: number | null | undefined;
  readonly scheduler?: (typeof schedulers)[number];
  /** For random and pct, which make 1,000 runs from seed 1 if not told. */
  readonly seed?: number;
  readonly runs?: number;
  /** Stop at the first failure: to know what breaks, not how often. */
  readonly stopAtFailure?: boolean;
  /** Told every thousand runs. */
  readonly progress?: (runs: number) => void;
}

/** A failure with its shortest schedule drawn. */
export interface Told {
  readonly kind: string;
  readonly invariant: string;
  readonly schedule: string;
  readonly count: number;
  readonly diagram: string;
}

/** What `deno task race --json` prints. */
export interface RaceReport extends RaceChoice {
  readonly bound: number | null;
  readonly complete: boolean;
  readonly runs: number;
  readonly steps: number;
  /** How runs were saved, and the runs given up as seen already. */
  readonly reduction: { readonly search: string; readonly blocked: number };
  readonly outcomes: readonly {
    readonly name: string;
    readonly count: number;
    readonly schedule: string;
  }[];
  readonly violations: readonly Told[];
}

/**
 * chosenProgram() - the program of a choice, and all its switches.
 *
 * @throws RangeError if there is no such litmus test, or no such variant
 */
export function chosenProgram(
  choice: RaceChoice,
): { program: Program; proposals: Partial<Proposals> } {
  const litmus = findLitmus(choice.litmus);
  const proposals = proposalsOf(litmus, choice);
  return { program: programOf(litmus, proposals, choice.variant), proposals };
}

function schedulerOf(search: RaceSearch): Scheduler | null {
  const { scheduler, seed = 1, runs = 1000 } = search;
  if (scheduler === "random") return randomScheduler(seed, runs);
  if (scheduler === "pct") return pct({ seed, runs, depth: 3 });
  return null;
}

/** searchRace() - all runs that the search asks for; if all, each twice. */
export function searchRace(
  choice: RaceChoice,
  search: RaceSearch = {},
): RaceReport {
  const { program, proposals } = chosenProgram(choice);
  const { scheduler = "dpor", stopAtFailure = false, progress } = search;
  const given = schedulerOf(search);
  const found = explore(program, {
    bound: search.bound === undefined
      ? findLitmus(choice.litmus).bound
      : search.bound,
    search: scheduler === "dfs" ? "dfs" : "dpor",
    twice: !stopAtFailure,
    stopAtFailure,
    ...(given === null ? {} : { scheduler: given }),
    ...(progress === undefined ? {} : { progress }),
  });
  const { bound, complete, runs, steps, blocked, outcomes } = found;
  return {
    ...choice,
    proposals,
    bound,
    complete,
    runs,
    steps,
    reduction: { search: scheduler, blocked },
    outcomes: outcomes.map(({ name, count, schedule }) => ({
      name,
      count,
      schedule,
    })),
    violations: shortestFailures(program, found.failures).map((failure) =>
      told(program, failure)
    ),
  };
}

function told(
  program: Program,
  { kind, message, schedule, count }: Omit<Failure, "preemptions" | "steps">,
): Told {
  const diagram = printDiagram(program, schedule);
  return { kind, invariant: message, schedule, count, diagram };
}

/**
 * replayRace() - the one run that a schedule names.
 *
 * @throws SimError at the step at which it ceases to fit; RangeError for what
 *   is not a schedule
 */
export function replayRace(choice: RaceChoice, schedule: string): RaceReport {
  const { program, proposals } = chosenProgram(choice);
  const run = runSchedule(program, schedule);
  return {
    ...choice,
    proposals,
    bound: null,
    complete: false,
    runs: 1,
    steps: run.steps.length,
    reduction: { search: "replay", blocked: 0 },
    ...endOf(program, run, schedule),
  };
}

function endOf(
  program: Program,
  { outcome, violation }: Run,
  schedule: string,
): Pick<RaceReport, "outcomes" | "violations"> {
  if (violation === null) {
    return {
      outcomes: [{ name: outcome, count: 1, schedule }],
      violations: [],
    };
  }
  const failure = { ...violation, schedule, count: 1 };
  return { outcomes: [], violations: [told(program, failure)] };
}
