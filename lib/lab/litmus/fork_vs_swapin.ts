/**
 * A process forks while a page that it shares is swapped in by its child.
 *
 * The slot gets one more user, the fault takes one away: the count has to come
 * out right, and nobody may think that the page is his alone. "no mmap_lock":
 * a thread of the forking process itself faults, which Linux forbids; the
 * page-table lock and pte_same() would do. "no page-table lock": the entry is
 * copied without it: meanwhile it is a page again, and its slot free. Ours.
 */
import type { Proposals } from "../../proposals.ts";
import { pte_alloc } from "../../mm/memory.ts";
import { dup_mmap } from "../../mm/memory_fork.ts";
import type { Kernel } from "../../mm/mm_types.ts";
import {
  is_swap_pte,
  pte_swp_clear_exclusive,
  pte_to_swp_entry,
  ptep_get,
  set_pte,
} from "../../mm/pgtable.ts";
import { pteSlotOf } from "../../mm/rmap.ts";
import { swap_duplicate } from "../../mm/swapfile.ts";
import { makeOp, pause, type Task } from "../../sim/task.ts";
import { enter } from "../../sim/trace.ts";
import { checkMachine } from "../invariants.ts";
import {
  loadWord,
  makeExpected,
  pageOut,
  raceMachine,
  storeWord,
  vpnOf,
} from "../race.ts";
import type { Process } from "../process.ts";
import type { Litmus, Stage } from "./litmus.ts";
import { threadActor } from "./stage.ts";

/** What fork does to one entry, without the lock. */
function* hastyFork(k: Kernel, parent: Process, child: Process): Task {
  enter(k.trace, "copy_nonpresent_pte");
  const { table, index } = pteSlotOf(parent.area, vpnOf(parent, 0))!;
  yield* pause(table.ptl.peek);
  const pte = ptep_get(table, index);
  if (!is_swap_pte(pte)) return;
  yield* swap_duplicate(k, pte_to_swp_entry(pte));
  yield* pause(makeOp("write", "set_pte", table.ptl.peek.object));
  const shared = pte_swp_clear_exclusive(pte);
  set_pte(table, index, shared);
  set_pte(pte_alloc(child.area, vpnOf(child, 0)), index, shared);
  child.mm.swap_ents++;
}

function stage(proposals: Partial<Proposals>, variant: string): Stage {
  const machine = raceMachine({ swap: { kind: "ssd", pages: 3 }, proposals });
  const { k } = machine;
  const parent = machine.spawn({ pages: 1 });
  const expected = makeExpected();
  machine.run(storeWord(k, parent, 0, 1, expected), parent.task);
  const alone = variant !== "v6.12";
  const child = alone ? machine.spawn({ pages: 1 }) : parent.fork();
  machine.run(pageOut(k, parent, 0), parent.task);
  const faulting = alone ? parent : child;
  const written = { ...makeExpected(), words: new Map([[0, 1]]) };
  const forks: Task<unknown> = variant === "no page-table lock"
    ? hastyFork(k, parent, child)
    : dup_mmap(k, parent.mm);
  return {
    machine,
    actors: [
      threadActor(parent, "forks", 0, forks),
      threadActor(faulting, "faults", 1, storeWord(k, faulting, 0, 2, written)),
    ],
    finish() {
      const own = alone ? written : expected;
      const last = machine.run(loadWord(k, parent, 0, own), parent.task);
      machine.run(loadWord(k, faulting, 0, written), faulting.task);
      checkMachine(machine);
      return `the parent has ${last}`;
    },
  };
}

export const forkVsSwapin: Litmus = {
  name: "fork-vs-swapin",
  thread: null,
  about: "does a fork see the page and count the slot while it is swapped in?",
  bound: null,
  variants: {
    "v6.12": { proposals: {}, expect: "holds" },
    "no mmap_lock": { proposals: {}, expect: "holds" },
    "no page-table lock": {
      proposals: {},
      expect: ["bug", "corruption", "invariant"],
    },
  },
  stage,
};
