/**
 * A page is stored in zswap, comes back before its frame is free, and becomes
 * all zero.
 *
 * Reclaim has stored the page and unlocked the folio. Before it can take the
 * folio out of the swap cache, the program faults, finds the folio there and
 * maps it again, writable; slot and compressed copy stay, since reclaim still
 * has a reference. The program writes zeros. Reclaim comes again: one bit in
 * the zero map says it all, and the old compressed copy stays. Writeback takes
 * that copy for the page and puts it into the swap cache, where the next fault
 * finds it: the program reads what it has overwritten.
 *
 * Three act: the program; reclaim of its page, twice (MADV_PAGEOUT stands for
 * it); eviction from zswap, as a store does it whose group is over
 * memory.zswap.max (the first visit of an entry only clears a bit). At
 * most two preemptions. Wrong reads of this kind were seen on real kernels:
 * facts 20.7. Ours.
 */
import { checkMachine } from "../invariants.ts";
import type { Process } from "../process.ts";
import {
  type Expected,
  loadWord,
  makeExpected,
  pageOut,
  raceMachine,
  storeWord,
  useOf,
} from "../race.ts";
import type { Kernel } from "../../mm/mm_types.ts";
import { shrink_memcg } from "../../mm/zswap_shrink.ts";
import type { Proposals } from "../../proposals.ts";
import { pause, type Task } from "../../sim/task.ts";
import type { Litmus, Stage } from "./litmus.ts";
import { threadActor } from "./stage.ts";

/** Overwrites the page with zeros; reads it later. */
function* clearAndRead(
  k: Kernel,
  process: Process,
  expected: Expected,
): Task {
  const [store, load] = [useOf(process, 0, true), useOf(process, 0, false)];
  yield* pause(store);
  yield* storeWord(k, process, 0, 0, expected);
  yield* pause(load);
  yield* loadWord(k, process, 0, expected);
}

/** A read fault makes the page writable as well; what it holds: at the end. */
function* readAndClear(
  k: Kernel,
  process: Process,
  expected: Expected,
): Task {
  const [store, load] = [useOf(process, 0, true), useOf(process, 0, false)];
  yield* pause(load);
  yield* loadWord(k, process, 0, expected);
  yield* pause(store);
  yield* storeWord(k, process, 0, 0, expected);
}

function* reclaimTwice(k: Kernel, process: Process): Task {
  yield* pageOut(k, process, 0);
  yield* pageOut(k, process, 0);
}

/** The first visit clears `referenced`, the second one evicts. */
function* evict(k: Kernel): Task {
  yield* shrink_memcg(k, k.root_mem_cgroup);
  yield* shrink_memcg(k, k.root_mem_cgroup);
}

function stage(proposals: Partial<Proposals>, variant: string): Stage {
  const machine = raceMachine({
    cpus: 3,
    swap: { kind: "ssd", pages: 8 },
    proposals,
  });
  const { k } = machine;
  const readsFirst = variant.includes("read fault");
  const program = machine.spawn({ pages: 1 });
  const expected = makeExpected();
  machine.run(storeWord(k, program, 0, 1, expected), program.task);
  return {
    machine,
    actors: [
      threadActor(
        program,
        "program",
        0,
        readsFirst
          ? readAndClear(k, program, expected)
          : clearAndRead(k, program, expected),
      ),
      threadActor(program, "reclaim", 1, reclaimTwice(k, program)),
      threadActor(program, "evict", 2, evict(k)),
    ],
    finish() {
      machine.settle();
      checkMachine(machine);
      const where = program.whereabouts(0);
      // In the others, the last read of the program has told already.
      if (readsFirst || k.proposals.zeromap_invalidates_zswap === "on") {
        machine.run(loadWord(k, program, 0, expected), program.task);
      }
      return where;
    },
  };
}

export const zeromapOverZswap: Litmus = {
  name: "zeromap-over-zswap",
  thread: null,
  about: "can zswap write back an old copy of a page that is all zero now?",
  // Two find the wrong read. All interleavings (--bound none) take a minute a
  // variant, and end the same: 62,154 runs of v6.12.
  bound: 2,
  variants: {
    "v6.12": { proposals: {}, expect: "corruption" },
    "read fault first": { proposals: {}, expect: "corruption" },
    "repaired": {
      proposals: { zeromap_invalidates_zswap: "on" },
      expect: "holds",
    },
    "repaired, read fault first": {
      proposals: { zeromap_invalidates_zswap: "on" },
      expect: "holds",
    },
  },
  stage,
};
