/**
 * Thread 002: a page is stored in zswap while its group goes away.
 *
 * The program has moved to another group, its page is still charged to C.
 * CPU0 swaps it out: at the end of the store zswap asks the entry's objcg for
 * its group and puts the entry on that group's list. CPU1 removes C: its
 * objcgs go to the parent P, its index (kmemcg_id) becomes P's, its list is
 * spliced to P's and then erased. Whatever the order, the entry must be on the
 * list that a deletion will count down and that somebody can shrink.
 *
 * Nhat Pham feared for entries added late, Muchun Song answered: the index is
 * switched first, and the list is found under the lock that the splice takes.
 * "unprotected" holds, too: while it is stored, the folio's charge keeps C.
 * Where it does not: memcg-free-vs-lru-del. Ours.
 */
import { xa_load } from "../../base/xarray.ts";
import { removeCgroup } from "../../mm/memcontrol_css.ts";
import type { Proposals } from "../../proposals.ts";
import { checkMachine } from "../invariants.ts";
import { must } from "../must.ts";
import {
  loadWord,
  makeExpected,
  pageOut,
  raceMachine,
  storeWord,
} from "../race.ts";
import type { Litmus, Stage } from "./litmus.ts";
import { kernelActor, threadActor } from "./stage.ts";

function stage(proposals: Partial<Proposals>): Stage {
  const machine = raceMachine({
    swap: { kind: "brd", pages: 8 },
    zswap: { maxPoolPercent: 100 },
    proposals,
  });
  const { k } = machine;
  const parent = machine.cgroup("P");
  const child = machine.cgroup("C", { parent });
  const program = machine.spawn({ pages: 1, cgroup: child });
  const expected = makeExpected();
  machine.run(storeWord(k, program, 0, 1, expected), program.task);
  program.mm.memcg = k.root_mem_cgroup;
  return {
    machine,
    actors: [
      threadActor(program, "program", 0, pageOut(k, program, 0)),
      kernelActor(1, removeCgroup(k, child.memcg)),
    ],
    finish() {
      machine.settle();
      checkMachine(machine);
      const stored = xa_load(k.zswap.trees[0]![0]!.xa, 1);
      const payer = stored === null ? "nobody" : stored.objcg!.name;
      machine.run(loadWord(k, program, 0, expected), program.task);
      machine.settle();
      checkMachine(machine);
      must(child.memcg.freed, "C is freed when its last page is");
      return `stored for ${payer}`;
    },
  };
}

export const memcgReparentVsLruAdd: Litmus = {
  name: "memcg-reparent-vs-lru-add",
  thread: "002",
  about: "is an entry lost that is added to a list while its group goes?",
  bound: null,
  variants: {
    "v6.12": { proposals: {}, expect: "holds" },
    "reference": { proposals: { memcg_lookup: "css_get" }, expect: "holds" },
    "unprotected": {
      proposals: { memcg_lookup: "unprotected" },
      expect: "holds",
    },
    "index last": {
      proposals: { kmemcg_id_switch_first: "off" },
      // Added to a list that is gone, or to one that is about to be.
      expect: ["bug", "invariant"],
    },
    "lists at release": {
      proposals: { list_lru_reparent_at: "release" },
      expect: "invariant",
    },
  },
  stage,
};
