/**
 * Slots that only the swap cache holds: their last user has gone, and their
 * folio is still in memory. They can be had back, at the price of writing the
 * folio again.
 *
 * Kernel: mm/swapfile.c (v6.12), __try_to_reclaim_swap(). Differs: split off
 * from swapfile.c; folios of one page.
 */
import { spin_lock, spin_unlock } from "../locking/spinlock.ts";
import type { Task } from "../sim/task.ts";
import { enter } from "../sim/trace.ts";
import { mem_cgroup_swap_full } from "./memcontrol_swap.ts";
import type { Folio, Kernel, SwapInfoStruct } from "./mm_types.ts";
import {
  beforeTrylock,
  folio_mapped,
  folio_trylock,
  folio_unlock,
  PG_dirty,
  setFlag,
} from "./page_flags.ts";
import { folio_put } from "./page_alloc.ts";
import { swap_entry_range_free } from "./swap_alloc.ts";
import {
  lock_cluster_or_swap_info,
  unlock_cluster_or_swap_info,
} from "./swap_cluster.ts";
import { onlyCacheLeft } from "./swap_count.ts";
import { forgetSlot } from "./swap_slots.ts";
import {
  __delete_from_swap_cache,
  delete_from_swap_cache,
  filemap_get_folio,
  swapCacheLockOf,
} from "./swap_state.ts";
import { folio_swapcache_freeable, takeUsage } from "./swapfile.ts";
import { swp_entry, swp_offset } from "./swapops.ts";

// What __try_to_reclaim_swap() may do.
/** Free the slot if nobody else needs it, whatever its folio is used for. */
export const TTRS_ANYWAY = 1 << 0;
/** Free it if no page table maps the folio. */
export const TTRS_UNMAPPED = 1 << 1;
/** Free it if swap is getting full. */
export const TTRS_FULL = 1 << 2;
/** The slot goes back to its device at once, round the cache of slots. */
export const TTRS_DIRECT = 1 << 3;

/**
 * __try_to_reclaim_swap() - free a slot that only the swap cache holds.
 *
 * @param flags TTRS_*: when it is wanted, and how
 * @returns 1: the slot is free, its folio dirty; −1: there is a folio, but it
 *   is locked or the slot is still needed; 0: no folio stands for the slot
 *
 * Context: must not sleep on the folio's lock: reclaim holds such locks.
 */
export function* __try_to_reclaim_swap(
  k: Kernel,
  si: SwapInfoStruct,
  offset: number,
  flags: number,
): Task<number> {
  enter(k.trace, "__try_to_reclaim_swap");
  const folio = yield* filemap_get_folio(k, swp_entry(si.type, offset));
  if (folio === null) return 0;
  let result = -1;
  yield* beforeTrylock(folio);
  if (folio_trylock(folio)) {
    const wanted = (flags & TTRS_ANYWAY) !== 0 ||
      ((flags & TTRS_UNMAPPED) !== 0 && !folio_mapped(folio)) ||
      ((flags & TTRS_FULL) !== 0 && mem_cgroup_swap_full(k, folio));
    if (wanted && folio_swapcache_freeable(folio)) {
      const direct = (flags & TTRS_DIRECT) !== 0;
      if (yield* freeCacheOnly(k, si, folio, direct)) result = 1;
    }
    folio_unlock(folio);
  }
  folio_put(k, folio);
  return result;
}

/** Context: folio locked; it may be at another slot than the one looked up. */
function* freeCacheOnly(
  k: Kernel,
  si: SwapInfoStruct,
  folio: Folio,
  direct: boolean,
): Task<boolean> {
  const entry = folio.swap;
  const offset = swp_offset(entry);
  const ci = yield* lock_cluster_or_swap_info(si, offset);
  const cacheOnly = onlyCacheLeft(k, si, offset);
  unlock_cluster_or_swap_info(si, ci);
  if (!cacheOnly) return false;
  if (!direct) {
    yield* delete_from_swap_cache(k, folio);
    setFlag(folio, PG_dirty);
    return true;
  }
  const lock = swapCacheLockOf(k, folio);
  yield* spin_lock(lock);
  __delete_from_swap_cache(k, folio, entry, null);
  spin_unlock(lock);
  folio._refcount--;
  setFlag(folio, PG_dirty);
  if (k.proposals.swap_map_cache_flag === "off") {
    // Without the flag the cache's count has to go, and a reader may have come.
    if ((yield* takeUsage(k, si, offset, 1)) !== 0) return true;
  }
  yield* spin_lock(si.lock);
  yield* forgetSlot(k, entry);
  yield* swap_entry_range_free(k, si, entry);
  spin_unlock(si.lock);
  return true;
}
