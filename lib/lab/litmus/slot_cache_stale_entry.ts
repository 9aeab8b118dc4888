/**
 * Thread 000: a slot nobody needs is parked, its compressed page is not freed.
 *
 * The last user of a swapped-out page goes (CPU0). Its slot is not given back
 * but waits, byte 0x40, in the CPU's cache of freed slots. If zswap drops the
 * page only when the slot is given back, the shrink worker (CPU1, the pool is
 * full) meets an entry that it cannot write back: the slot has no user, so
 * there is no folio to be had for it. It fails 16 times and gives up.
 *
 * Merged: drop the page when the slot enters the cache. The first patch let
 * the worker drop it instead. Here CPU0 and CPU1 meet in every order.
 *
 * Is si.lock needed to drop it? In "slot used again" there is one slot, and
 * CPU2 swaps out another page, to that slot as soon as it is free; in "slot
 * drained" CPU2 finds the slot parked and drains the caches first. CPU1 tries
 * one entry only. All interleavings: the other page is never lost. Ours.
 */
import { xa_load } from "../../base/xarray.ts";
import { do_munmap } from "../../mm/mmap.ts";
import { swp_offset } from "../../mm/swapops.ts";
import { shrink_memcg, shrink_worker } from "../../mm/zswap_shrink.ts";
import type { Proposals } from "../../proposals.ts";
import { checkMachine } from "../invariants.ts";
import { must } from "../must.ts";
import { loadWord, makeExpected, pageOut, storeWord } from "../race.ts";
import type { Litmus, Stage } from "./litmus.ts";
import { agedEntry, kernelActor, swappedPage, threadActor } from "./stage.ts";

/** Variants in which CPU2 wants the slot. */
const reusing: readonly string[] = ["slot used again", "slot drained"];

function stage(proposals: Partial<Proposals>, variant: string): Stage {
  const reuse = reusing.includes(variant);
  const { machine, k, program } = swappedPage({
    cpus: 3,
    // One slot, or so many that the caches of slots are in use.
    swap: { kind: "brd", pages: reuse ? 2 : 1000 },
    zswap: { maxPoolPercent: 100 },
    proposals,
  });
  const other = machine.spawn({ pages: 1 });
  const expected = makeExpected();
  machine.run(storeWord(k, other, 0, 2, expected), other.task);
  // "Slot drained": as if the device had been nearly empty a moment ago.
  k.swap.swap_slot_cache_active = variant !== "slot used again";
  const tree = k.zswap.trees[0]![0]!.xa;
  const slot = swp_offset(agedEntry(k).swpentry);
  // The pool is full.
  k.zswap.max_pool_percent = 0;
  const { vm_start, vm_end } = program.area;
  return {
    machine,
    actors: [
      threadActor(
        program,
        "program",
        0,
        do_munmap(k, program.mm, vm_start, vm_end - vm_start),
      ),
      kernelActor(
        1,
        reuse ? shrink_memcg(k, k.root_mem_cgroup) : shrink_worker(k),
      ),
      ...(reuse ? [threadActor(other, "other", 2, pageOut(k, other, 0))] : []),
    ],
    finish() {
      machine.settle();
      checkMachine(machine);
      const { written_back_pages, reject_reclaim_fail } = k.zswap;
      const again = other.whereabouts(0) === "swap" ? ", slot used again" : "";
      machine.run(loadWord(k, other, 0, expected), other.task);
      checkMachine(machine);
      must(
        xa_load(tree, slot) === null,
        `a freed slot has no compressed page; ` +
          `the worker failed ${reject_reclaim_fail} times`,
      );
      const how = k.vm_event.zswpwb > 0
        ? "written back"
        : written_back_pages > 0
        ? "dropped by the worker"
        : "dropped with its slot";
      return how + again;
    },
  };
}

export const slotCacheStaleEntry: Litmus = {
  name: "slot-cache-stale-entry",
  thread: "000",
  about: "does the page of a freed slot stay in zswap, and the worker fail?",
  bound: null,
  variants: {
    "v6.12": { proposals: {}, expect: "holds" },
    "slot used again": { proposals: {}, expect: "holds" },
    "slot drained": { proposals: {}, expect: "holds" },
    "with the slot": {
      proposals: { zswap_invalidate_at: "swap_range_free" },
      expect: "invariant",
    },
    "first patch": {
      proposals: {
        zswap_invalidate_at: "swap_range_free",
        writeback_ignores_freed_slot: "on",
      },
      expect: "holds",
    },
  },
  stage,
};
