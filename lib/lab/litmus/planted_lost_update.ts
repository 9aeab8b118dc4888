/**
 * A planted fault: two CPUs count up one word, by a read and a write.
 *
 * With the lock none of the updates is lost. Without it a CPU that is
 * preempted between its read and its write overwrites what the other one has
 * counted meanwhile. If the search did not find that, nothing else that it
 * says could be believed. Ours.
 */
import { KernelBug } from "../../base/bug.ts";
import {
  spin_lock,
  spin_lock_init,
  spin_unlock,
  type Spinlock,
} from "../../locking/spinlock.ts";
import type { Proposals } from "../../proposals.ts";
import { makeOp, type Op, pause, type Task } from "../../sim/task.ts";
import { enter } from "../../sim/trace.ts";
import type { Machine } from "../machine.ts";
import { emptyMachine } from "../race.ts";
import type { Litmus, Stage } from "./litmus.ts";
import { kernelActor } from "./stage.ts";

interface Counter {
  value: number;
  readonly read: Op;
  readonly write: Op;
}

const updatesEach = 2;

function makeCounter(): Counter {
  const word = {};
  return {
    value: 0,
    read: makeOp("read", "READ_ONCE(counter)", word),
    write: makeOp("write", "WRITE_ONCE(counter)", word),
  };
}

// #region count-up
function* countUp(
  { k }: Machine,
  counter: Counter,
  lock: Spinlock | null,
): Task {
  for (let i = 0; i < updatesEach; i++) {
    enter(k.trace, "countUp");
    if (lock !== null) yield* spin_lock(lock);
    yield* pause(counter.read);
    const seen = counter.value;
    yield* pause(counter.write);
    counter.value = seen + 1;
    if (lock !== null) spin_unlock(lock);
  }
}
// #endregion

function stage(proposals: Partial<Proposals>, variant: string): Stage {
  const machine = emptyMachine(proposals);
  const counter = makeCounter();
  const lock = variant === "no lock" ? null : spin_lock_init("counter_lock");
  return {
    machine,
    actors: [0, 1].map((cpu) =>
      kernelActor(cpu, countUp(machine, counter, lock))
    ),
    watch: () => `counter ${counter.value}`,
    finish() {
      const { value } = counter;
      const all = 2 * updatesEach;
      if (value === all) return `counted ${value}`;
      throw new KernelBug(`Invariant broken: ${value} of ${all} updates`);
    },
  };
}

export const plantedLostUpdate: Litmus = {
  name: "planted-lost-update",
  thread: null,
  about: "a planted fault: is an update lost between a read and a write?",
  bound: null,
  variants: {
    "v6.12": { proposals: {}, expect: "holds" },
    "no lock": { proposals: {}, expect: "invariant" },
  },
  stage,
};
