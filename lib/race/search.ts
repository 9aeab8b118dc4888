/**
 * One search, as the command line asks for it, and what it came to. Ours.
 */
import { printDiagram } from "../lab/diagram.ts";
import { type Litmus, programOf } from "../lab/litmus/litmus.ts";
import type { Proposals } from "../proposals.ts";
import type { Program, Scheduler } from "../sim/execute.ts";
import {
  type Exploration,
  explore,
  type Failure,
  runSchedule,
  shortestFailure,
} from "../sim/explore.ts";
import { pct } from "../sim/pct.ts";
import { randomScheduler } from "../sim/random.ts";
import type { RaceOptions } from "./options.ts";

/** A failure with its shortest schedule drawn. */
export interface Told {
  readonly kind: string;
  readonly invariant: string;
  readonly schedule: string;
  readonly count: number;
  readonly diagram: string;
}

/** What `--json` prints. */
export interface RaceReport {
  readonly litmus: string;
  readonly proposals: Partial<Proposals>;
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
 * The switches of one search: those of the variant, then --set.
 *
 * @throws TypeError if there is no such variant
 */
export function proposalsFor(
  litmus: Litmus,
  { variant, proposals }: RaceOptions,
): Partial<Proposals> {
  const { variants } = litmus;
  const found = Object.hasOwn(variants, variant) ? variants[variant] : null;
  if (!found) {
    throw new TypeError(
      `--variant ${variant}: ${litmus.name} has ` +
        Object.keys(variants).join(", "),
    );
  }
  return { ...found.proposals, ...proposals };
}

function chosenScheduler(options: RaceOptions): Scheduler | null {
  const { scheduler, seed, runs } = options;
  if (scheduler === "random") return randomScheduler(seed, runs);
  if (scheduler === "pct") return pct({ seed, runs, depth: 3 });
  return null;
}

/** Search a litmus test. */
export function search(
  litmus: Litmus,
  options: RaceOptions,
  progress?: (runs: number) => void,
): RaceReport {
  const proposals = proposalsFor(litmus, options);
  const program = programOf(litmus, proposals, options.variant);
  const bound = options.bound === undefined ? litmus.bound : options.bound;
  const scheduler = chosenScheduler(options);
  const found = explore(program, {
    bound,
    search: options.scheduler === "dfs" ? "dfs" : "dpor",
    ...(scheduler === null ? {} : { scheduler }),
    ...(progress === undefined ? {} : { progress }),
  });
  return reportOf(litmus, proposals, options.scheduler, program, found);
}

/** Make the one run that a schedule names. */
export function replayed(
  litmus: Litmus,
  options: RaceOptions,
  schedule: string,
): RaceReport {
  const proposals = proposalsFor(litmus, options);
  const program = programOf(litmus, proposals, options.variant);
  const run = runSchedule(program, schedule);
  const example = { schedule, preemptions: 0, steps: run.steps.length };
  const { violation, outcome } = run;
  const found: Exploration = {
    program: program.name,
    bound: null,
    complete: true,
    runs: 1,
    blocked: 0,
    steps: run.steps.length,
    outcomes: violation !== null
      ? []
      : [{ name: outcome, count: 1, ...example }],
    failures: violation === null
      ? []
      : [{ ...violation, count: 1, ...example }],
  };
  return reportOf(litmus, proposals, "replay", program, found);
}

function reportOf(
  litmus: Litmus,
  proposals: Partial<Proposals>,
  how: string,
  program: Program,
  found: Exploration,
): RaceReport {
  const tell = (failure: Failure): Told => {
    const shortest = how === "replay"
      ? failure
      : shortestFailure(program, failure);
    return {
      kind: failure.kind,
      invariant: shortest.message,
      schedule: shortest.schedule,
      count: failure.count,
      diagram: printDiagram(program, shortest.schedule),
    };
  };
  return {
    litmus: litmus.name,
    proposals,
    bound: found.bound,
    complete: found.complete,
    runs: found.runs,
    steps: found.steps,
    reduction: { search: how, blocked: found.blocked },
    outcomes: found.outcomes.map(({ name, count, schedule }) => ({
      name,
      count,
      schedule,
    })),
    violations: found.failures.map(tell),
  };
}
