/**
 * One run of a program, told step by step: who, what, who else could have gone
 * on, and what the shared state was afterwards. Pictures are made of it. Ours.
 */
import {
  execute,
  makeLockOrder,
  type Program,
  type Run,
  type Scheduler,
} from "../sim/execute.ts";
import { replay } from "../sim/replay.ts";
import type { OpKind } from "../sim/task.ts";

/** One step. Masks have bit n for actor n. */
export interface StoryStep {
  readonly actor: number;
  /** The operation, in kernel spelling. */
  readonly what: string;
  readonly kind: OpKind;
  /** Who could have gone on instead. */
  readonly enabled: number;
  /** Who had not ended yet. */
  readonly alive: number;
  /** Nobody could go on before it, and time passed. */
  readonly afterIdle: boolean;
  /** What the program's watch() says after the step; "" if it has none. */
  readonly state: string;
}

export interface RunStory {
  readonly names: readonly string[];
  readonly steps: readonly StoryStep[];
  /** What watch() says before the first step. */
  readonly begin: string;
  readonly run: Run;
}

/** What is to be seen before each step, and at the end. */
interface Moment {
  readonly alive: number;
  readonly state: string;
}

/**
 * tellRun() - the run that a schedule names, step by step.
 *
 * @throws SimError at the step at which the schedule ceases to fit; RangeError
 *   for what is not a schedule
 */
export function tellRun(program: Program, schedule: string): RunStory {
  let watch = () => "";
  const watched: Program = {
    name: program.name,
    start() {
      const instance = program.start();
      watch = instance.watch ?? watch;
      return instance;
    },
  };
  const moments: Moment[] = [];
  const { begin, choose, end } = replay(schedule);
  const scheduler: Scheduler = {
    begin,
    choose(view) {
      moments.push({ alive: maskOf(view.pending), state: watch() });
      return choose(view);
    },
    end(run) {
      moments.push({ alive: 0, state: watch() });
      end(run);
    },
  };
  const run = execute(watched, scheduler, makeLockOrder());
  const steps = run.steps.map(({ actor, op, enabled, afterIdle }, at) => ({
    actor,
    what: op.what,
    kind: op.kind,
    enabled,
    alive: moments[at]!.alive,
    afterIdle,
    state: moments[at + 1]!.state,
  }));
  return { names: run.names, steps, begin: moments[0]!.state, run };
}

function maskOf(pending: readonly unknown[]): number {
  let mask = 0;
  for (const [actor, op] of pending.entries()) {
    if (op !== null) mask |= 1 << actor;
  }
  return mask;
}
