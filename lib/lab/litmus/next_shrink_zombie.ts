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
import { onCpu, raceMachine } from "../race.ts";
import type { Litmus, Stage } from "./litmus.ts";
import { kernelActor } from "./stage.ts";

function stage(proposals: Partial<Proposals>, variant: string): Stage {
  const machine = raceMachine({
    cpus: 3,
    swap: { kind: "brd", pages: 2 },
    proposals,
  });
  const { k } = machine;
  const groups = ["a", "b"].map((name) => machine.cgroup(name).memcg);
  const going = variant === "two go" ? groups : groups.slice(0, 1);
  // The pool is empty, so the worker tries one group: first the root.
  machine.run(shrink_worker(k), onCpu(0));
  return {
    machine,
    actors: [
      kernelActor(0, shrink_worker(k)),
      ...going.map((memcg, index) =>
        kernelActor(index + 1, removeCgroup(k, memcg))
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
