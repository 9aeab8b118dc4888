/**
 * Thread 002: the shrink worker stops at a group that is being removed.
 *
 * The worker goes from group to group and remembers in a cursor, with a
 * reference, which one it tried last; until the pool is full again, nobody
 * looks at the cursor. CPU0 is the worker and comes to group a, CPU1 removes
 * a. When both are done nothing must keep the dead group.
 *
 * Merged: the end of the group moves a cursor that is at it. Yosry Ahmed saw
 * the race of that with the worker: so the worker works with a second
 * reference, and never leaves a group that is no longer online in the cursor,
 * for its cleanup may be over. In "two go" group b is removed as well, by
 * CPU2: the end of a must not move the cursor to a b whose own end is past.
 * Ours.
 */
import { removeCgroup } from "../../mm/memcontrol_css.ts";
import { shrink_worker } from "../../mm/zswap_shrink.ts";
import type { Proposals } from "../../proposals.ts";
import { checkMachine } from "../invariants.ts";
import { must } from "../must.ts";
import { makeMachine, swapper } from "../machine.ts";
import { type Litmus, type Stage, stageActor } from "./litmus.ts";

function stage(proposals: Partial<Proposals>, variant: string): Stage {
  const machine = makeMachine({
    frames: 16,
    cpus: 3,
    swap: { kind: "brd", pages: 2 },
    shadow: false,
    traceEvents: 0,
    proposals,
  });
  const { k } = machine;
  const groups = ["a", "b"].map((name) => machine.cgroup(name).memcg);
  const going = variant === "two go" ? groups : groups.slice(0, 1);
  // The pool is empty, so the worker tries one group: first the root.
  const kworker = { ...swapper, comm: "kworker" };
  machine.run(shrink_worker(k), kworker);
  return {
    machine,
    actors: [
      stageActor("CPU0", kworker, shrink_worker(k)),
      ...going.map((memcg, index) =>
        stageActor(
          `CPU${index + 1}`,
          { ...swapper, comm: "rmdir", cpu: index + 1 },
          removeCgroup(k, memcg),
        )
      ),
    ],
    finish() {
      machine.settle();
      const { next_shrink, next_shrink_objcg } = k.zswap;
      const cursor = next_shrink?.name ?? next_shrink_objcg?.name ?? "the end";
      for (const { name, freed } of going) {
        must(freed, `${name}, removed, is freed; the cursor is at ${cursor}`);
      }
      checkMachine(machine);
      return `cursor at ${cursor}`;
    },
  };
}

export const nextShrinkZombie: Litmus = {
  name: "next-shrink-zombie",
  thread: "002",
  about: "does the shrink worker's cursor keep a group that was removed?",
  bound: null,
  variants: {
    "v6.12": { proposals: {}, expect: "holds" },
    "two go": { proposals: {}, expect: "holds" },
    "cursor holds on": {
      proposals: { next_shrink: "held" },
      expect: "invariant",
    },
    "cursor holds the objcg": {
      proposals: { next_shrink: "objcg" },
      expect: "holds",
    },
  },
  stage,
};
