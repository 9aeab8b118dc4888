/**
 * Thread 002: a fault waits for itself, through reclaim and zswap.
 *
 * CPU0 faults on a page that is in zswap. It pins the slot and needs a frame
 * for it; the group is at memory.max, so it reclaims. The victim goes to
 * zswap; the group is at memory.zswap.max, so zswap writes its oldest entry
 * back first, which is the very page of the fault. Writeback finds the slot
 * pinned and no folio in the swap cache: whoever pinned it will put one there
 * soon, so it sleeps a tick and looks again. But that somebody is CPU0.
 *
 * Writeback must not wait there: skip_if_exists. One task is enough. Ours.
 */
import type { Proposals } from "../../proposals.ts";
import { checkMachine } from "../invariants.ts";
import {
  loadWord,
  makeExpected,
  pageOut,
  raceMachine,
  storeWord,
} from "../race.ts";
import type { Litmus, Stage } from "./litmus.ts";
import { agedEntry, threadActor } from "./stage.ts";

function stage(proposals: Partial<Proposals>): Stage {
  const machine = raceMachine({
    // Not a RAM disk: the fault goes through the swap cache.
    swap: { kind: "ssd", pages: 8 },
    zswap: { maxPoolPercent: 100 },
    proposals,
  });
  const { k } = machine;
  const group = machine.cgroup("C");
  const program = machine.spawn({ pages: 2, cgroup: group });
  const expected = makeExpected();
  for (const page of [0, 1]) {
    machine.run(storeWord(k, program, page, page + 1, expected), program.task);
  }
  machine.run(pageOut(k, program, 0), program.task);
  agedEntry(k);
  // The group may have no more than it has.
  group.write("memory.zswap.max", 0);
  group.write("memory.max", group.read("memory.current"));
  return {
    machine,
    actors: [
      threadActor(program, "program", 0, loadWord(k, program, 0, expected)),
    ],
    finish() {
      machine.settle();
      checkMachine(machine);
      machine.run(loadWord(k, program, 1, expected), program.task);
      return k.zswap.reject_reclaim_fail > 0
        ? "writeback gave up"
        : "no writeback";
    },
  };
}

export const skipIfExistsRecursion: Litmus = {
  name: "skip-if-exists-recursion",
  thread: "002",
  about: "can a fault wait for itself, through its own reclaim and zswap?",
  bound: null,
  variants: {
    "v6.12": { proposals: {}, expect: "holds" },
    "writeback waits": {
      proposals: { skip_if_exists: "off" },
      expect: "endless",
    },
  },
  stage,
};
