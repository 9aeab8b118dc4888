/**
 * zswap writes an entry back while its swap device is taken away.
 *
 * swapoff loads every page and then frees the device's trees. Writeback first
 * gets a folio for the slot, and with that holds the device (a reference, then
 * the slot's pin); only then it looks into the tree. Up to 6.7 it looked first:
 * "tree first" does so, and meets a tree that is no more. Ours.
 */
import type { Proposals } from "../../proposals.ts";
import { makeOp, pause, type Task } from "../../sim/task.ts";
import type { Kernel } from "../../mm/mm_types.ts";
import { sys_swapoff } from "../../mm/swapoff.ts";
import { swap_zswap_tree, type ZswapEntry } from "../../mm/zswap_entry.ts";
import { shrink_memcg, zswap_writeback_entry } from "../../mm/zswap_shrink.ts";
import type { Litmus, Stage } from "./litmus.ts";
import { agedEntry, kernelActor, swappedPage, wordAtEnd } from "./stage.ts";

/** Looks into the tree for an entry that it has from the list. */
function* treeFirst(k: Kernel, entry: ZswapEntry): Task {
  // The trees go while swapoff has this mutex.
  const { swapon_mutex } = k.swap;
  yield* pause(makeOp("read", "swap_zswap_tree", swapon_mutex));
  swap_zswap_tree(k, entry.swpentry);
  yield* zswap_writeback_entry(k, entry, entry.swpentry);
}

function stage(proposals: Partial<Proposals>, variant: string): Stage {
  const scene = swappedPage({ swap: { kind: "brd", pages: 2 }, proposals });
  const { machine, k } = scene;
  const entry = agedEntry(k);
  const shrinks: Task<unknown> = variant === "tree first"
    ? treeFirst(k, entry)
    : shrink_memcg(k, null);
  return {
    machine,
    actors: [
      kernelActor(0, shrinks),
      kernelActor(1, sys_swapoff(k, k.swap_info[0]!)),
    ],
    finish: () => `no swap, and ${wordAtEnd(scene)}`,
  };
}

export const writebackVsSwapoff: Litmus = {
  name: "writeback-vs-swapoff",
  thread: null,
  about: "can zswap write back to a device that is being taken away?",
  bound: null,
  variants: {
    "v6.12": { proposals: {}, expect: "holds" },
    "tree first": { proposals: {}, expect: "bug" },
  },
  stage,
};
