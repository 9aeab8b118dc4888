/**
 * A planted fault: two locks, taken by two CPUs in two orders.
 *
 * "inverted": either has one lock and waits for the other's; the two locks
 * are of one class, as two page-table locks are, so that only the deadlock
 * tells. "in turn": they take them in both orders, but never at the same time:
 * no run stops, and lockdep has to tell that another one could. Ours.
 */
import {
  spin_lock,
  spin_lock_init,
  spin_unlock,
  type Spinlock,
} from "../../locking/spinlock.ts";
import { wait_event } from "../../locking/wait.ts";
import type { Proposals } from "../../proposals.ts";
import type { Task } from "../../sim/task.ts";
import { enter } from "../../sim/trace.ts";
import type { Machine } from "../machine.ts";
import { emptyMachine } from "../race.ts";
import type { Litmus, Stage } from "./litmus.ts";
import { kernelActor } from "./stage.ts";

/** Whose turn it is, where they take turns. */
interface Turn {
  first: boolean;
}

// #region take-both
function* takeBoth(
  { k }: Machine,
  outer: Spinlock,
  inner: Spinlock,
  turn: Turn,
): Task {
  enter(k.trace, "takeBoth");
  yield* spin_lock(outer);
  yield* spin_lock(inner);
  spin_unlock(inner);
  spin_unlock(outer);
  turn.first = false;
}
// #endregion

function* whenOver(turn: Turn, task: Task): Task {
  yield* wait_event(turn, "wait_event(turn)", () => !turn.first);
  yield* task;
}

function stage(proposals: Partial<Proposals>, variant: string): Stage {
  const machine = emptyMachine(proposals);
  const inTurn = variant === "in turn";
  const [a, b] = inTurn
    ? [spin_lock_init("lock a"), spin_lock_init("lock b")]
    : [spin_lock_init("lock 1"), spin_lock_init("lock 2")];
  const turn: Turn = { first: true };
  const second: Task = variant === "v6.12"
    ? takeBoth(machine, a, b, turn)
    : takeBoth(machine, b, a, turn);
  return {
    machine,
    actors: [
      kernelActor(0, takeBoth(machine, a, b, turn)),
      kernelActor(1, inTurn ? whenOver(turn, second) : second),
    ],
    watch: () =>
      [a, b].filter(({ locked }) => locked).map(({ name }) => name).join(", ") +
      " held",
    finish: () => "both had both",
  };
}

export const plantedLockInversion: Litmus = {
  name: "planted-lock-inversion",
  thread: null,
  about: "a planted fault: do two who take two locks wait for each other?",
  bound: null,
  variants: {
    "v6.12": { proposals: {}, expect: "holds" },
    inverted: { proposals: {}, expect: "deadlock" },
    "in turn": { proposals: {}, expect: "lock order" },
  },
  stage,
};
