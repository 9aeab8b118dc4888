/**
 * A planted fault: one looks, then goes to sleep; another wakes in between.
 *
 * Whoever wants to sleep says so first and looks again afterwards, as
 * prepare_to_wait() is used. "no second look" sleeps on what it saw before it
 * was on the queue: a wakeup that comes in between wakes nobody, and there is
 * no other. Ours.
 */
import { wait_event } from "../../locking/wait.ts";
import type { Proposals } from "../../proposals.ts";
import { makeOp, type Op, pause, type Task } from "../../sim/task.ts";
import { enter } from "../../sim/trace.ts";
import type { Machine } from "../machine.ts";
import { emptyMachine } from "../race.ts";
import type { Litmus, Stage } from "./litmus.ts";
import { kernelActor } from "./stage.ts";

/** A condition and who waits for it. */
interface Flag {
  set: boolean;
  waiting: boolean;
  readonly look: Op;
  readonly enqueue: Op;
  readonly wake: Op;
}

function makeFlag(): Flag {
  const word = {};
  return {
    set: false,
    waiting: false,
    look: makeOp("read", "READ_ONCE(flag)", word),
    enqueue: makeOp("write", "prepare_to_wait", word),
    wake: makeOp("write", "wake_up", word),
  };
}

// #region sleeper
function* sleeper({ k }: Machine, flag: Flag, looksAgain: boolean): Task {
  enter(k.trace, "sleeper");
  yield* pause(flag.look);
  if (flag.set) return;
  yield* pause(flag.enqueue);
  flag.waiting = true;
  if (looksAgain) {
    yield* pause(flag.look);
    if (flag.set) return;
  }
  yield* wait_event(flag.look.object, "schedule", () => !flag.waiting);
}

function* waker({ k }: Machine, flag: Flag): Task {
  enter(k.trace, "waker");
  yield* pause(flag.wake);
  flag.set = true;
  flag.waiting = false;
}
// #endregion

function stage(proposals: Partial<Proposals>, variant: string): Stage {
  const machine = emptyMachine(proposals);
  const flag = makeFlag();
  const looksAgain = variant !== "no second look";
  return {
    machine,
    actors: [
      kernelActor(0, sleeper(machine, flag, looksAgain)),
      kernelActor(1, waker(machine, flag)),
    ],
    watch: () =>
      `${flag.set ? "set" : "not set"}, ${flag.waiting ? "one" : "none"} waits`,
    finish: () => "woken",
  };
}

export const plantedMissingWakeup: Litmus = {
  name: "planted-missing-wakeup",
  thread: null,
  about: "a planted fault: is a wakeup lost between a look and a sleep?",
  bound: null,
  variants: {
    "v6.12": { proposals: {}, expect: "holds" },
    "no second look": { proposals: {}, expect: "lost wakeup" },
  },
  stage,
};
