/**
 * The explorer: what a replayed step costs, what the reduction saves, each
 * litmus test, and SPIN beside it. Ours.
 *
 * A step is one operation of a task five calls deep, chosen by a schedule; its
 * peer is the bare `next()` of the same task, by two callers in turn.
 */
import { programOf } from "../lib/lab/litmus/litmus.ts";
import { litmusProgram, litmusTests } from "../lib/lab/litmus/mod.ts";
import {
  type Actor,
  actor,
  execute,
  type Instance,
  type Program,
} from "../lib/sim/execute.ts";
import { explore } from "../lib/sim/explore.ts";
import { replay } from "../lib/sim/replay.ts";
import { makeOp, pause, type Task } from "../lib/sim/task.ts";
import type { Row } from "./row.ts";
import { spinRows } from "./spin_bench.ts";
import { ratioOf } from "./turns.ts";

const stepsEach = 5000;
const rounds = 31;
const steps = makeOp("write", "step", {});

function* depth1(): Task {
  for (let i = 0; i < stepsEach; i++) yield* pause(steps);
}

function* depth2(): Task {
  yield* depth1();
}

function* depth3(): Task {
  yield* depth2();
}

/** pause() is the fifth. */
function* depth4(): Task {
  yield* depth3();
}

function actors(): Actor[] {
  return [actor("A", depth4()), actor("B", depth4())];
}

function nothing(): string {
  return "";
}

function start(): Instance {
  return { actors: actors(), finish: nothing };
}

const program: Program = { name: "two of depth 5", start };

/** A and B by tens: a schedule of ordinary blocks. */
const schedule = "A10B10".repeat(stepsEach / 10);

function replayed(): void {
  execute(program, replay(schedule));
}

function bare(): void {
  const [{ task: a }, { task: b }] = actors() as [Actor, Actor];
  for (let block = 0; block < stepsEach / 10; block++) {
    for (let i = 0; i < 10; i++) a.next();
    for (let i = 0; i < 10; i++) b.next();
  }
  a.next();
  b.next();
}

/** Seconds to search each variant of each litmus test to the end. */
function litmusSeconds(): Map<string, number[]> {
  const seconds = new Map<string, number[]>();
  for (const litmus of litmusTests) {
    const each = Object.entries(litmus.variants).map(([name, variant]) => {
      const begin = performance.now();
      const { bound } = litmus;
      const program = programOf(litmus, variant.proposals, name);
      const found = explore(program, { bound });
      if (!found.complete) throw new Error(`${litmus.name}: not complete`);
      return (performance.now() - begin) / 1000;
    });
    seconds.set(litmus.name, each);
  }
  return seconds;
}

/** Litmus tests of three, a variant of each. */
const ofThree: ReadonlyMap<string, string> = new Map([
  ["slot-cache-stale-entry", "slot used again"],
  ["next-shrink-zombie", "two go"],
]);
const wantedReduction = 10;

/** Runs of a plain enumeration, given up when there are enough of them. */
function reductionRows(): Row[] {
  return [...ofThree].map(([name, variant]): Row => {
    const program = litmusProgram(name, { variant });
    const { runs } = explore(program);
    const maxRuns = wantedReduction * runs + 1;
    const all = explore(program, { search: "dfs", maxRuns });
    return {
      name: `${name}, ${variant}: reduction`,
      ratio: all.runs / runs,
      peer: `${runs} runs; every interleaving: ${all.runs}${
        all.complete ? "" : " and more, given up"
      }`,
      goal: wantedReduction,
      better: "more",
    };
  });
}

/**
 * The ratio of a step, what is saved, then seconds: each litmus test, and all
 * of them; and the table beside SPIN.
 */
export function exploreRows(): Row[] {
  const less = { better: "less" } as const;
  const step: Row = {
    name: "replayed step, call depth 5",
    ratio: ratioOf(rounds, { work: replayed }, { work: bare }),
    peer: "bare next()",
    goal: 3.4,
    ...less,
  };
  const seconds = litmusSeconds();
  const peer = "seconds, searched to the end, the slowest variant";
  const each = [...seconds].map(([name, all]): Row => ({
    name,
    ratio: Math.max(...all),
    peer,
    goal: 5,
    ...less,
  }));
  const total = [...seconds.values()].flat().reduce((sum, one) => sum + one, 0);
  const all = {
    name: "all litmus tests",
    ratio: total,
    peer: "seconds, every variant",
    goal: 60,
  };
  const rows = [step, ...reductionRows(), ...each, { ...all, ...less }];
  return [...rows, ...spinRows()];
}
