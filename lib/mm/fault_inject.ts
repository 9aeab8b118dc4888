/**
 * Allocations of small objects fail when the laboratory wants them to.
 *
 * Only frames are modelled as memory that can be exhausted. What Linux takes
 * from a slab cache for its own bookkeeping is free of charge here, so that it
 * is lacking has to be said: `k.inject.zswapEntries = 3`.
 *
 * Kernel: lib/fault-inject.c (v6.12). Differs: the next so many attempts fail,
 * nothing is left to chance.
 */
import type { Inject, Kernel } from "./mm_types.ts";

/** Whether this attempt is one of those that are to fail. */
export function failsNow(k: Kernel, what: keyof Inject): boolean {
  if (k.inject[what] === 0) return false;
  k.inject[what]--;
  return true;
}

/** Everything succeeds. */
export function makeInject(): Inject {
  return {
    swapCacheNodes: 0,
    listLruArrays: 0,
    zswapEntries: 0,
    zswapTreeNodes: 0,
    zswapParameters: 0,
  };
}
