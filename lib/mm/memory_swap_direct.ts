/**
 * The way past the swap cache: a private folio, read by the task itself.
 *
 * The pin on the slot (thread 003) is what this file is about: who pins, who
 * has to back off, when the pin goes.
 *
 * Kernel: mm/memory.c (v6.12), do_swap_page(), alloc_swap_folio(). Differs:
 * split off from memory.c; folios of one page. There was no such way before
 * the map had a flag: with `swap_map_cache_flag: "off"` the pin is that of the
 * proposal `count`, and keeps no reader away who comes through the cache.
 */
import { EBUSY, type Errno } from "../base/errno.ts";
import { xa_load } from "../base/xarray.ts";
import {
  schedule_timeout,
  sleepOn,
  waitqueue_active,
  wake_up,
} from "../locking/wait.ts";
import { spin_lock, spin_unlock } from "../locking/spinlock.ts";
import { TICK_NSEC } from "../sim/clock.ts";
import { makeOp, passed, pause, type Task } from "../sim/task.ts";
import { folio_add_lru, folio_lruvec } from "./lru.ts";
import { mem_cgroup_swapin_charge_folio } from "./memcontrol_charge.ts";
import { type VmFault } from "./memory.ts";
import type { Folio, Kernel, SwapInfoStruct, VmArea } from "./mm_types.ts";
import { folio_alloc, folio_put, GFP_HIGHUSER_MOVABLE } from "./page_alloc.ts";
import {
  folio_trylock,
  folio_unlock,
  PG_swapbacked,
  setFlag,
} from "./page_flags.ts";
import { swap_read_folio } from "./page_io.ts";
import {
  lock_cluster_or_swap_info,
  unlock_cluster_or_swap_info,
} from "./swap_cluster.ts";
import { __swap_duplicate, swap_count } from "./swap_count.ts";
import { add_to_swap_cache, get_shadow_from_swap_cache } from "./swap_state.ts";
import { swap_free, swapcache_clear, swapcache_prepare } from "./swapfile.ts";
import { spaceIndex, swp_offset, swp_type, type SwpEntry } from "./swapops.ts";
import { workingset_refault } from "./workingset.ts";

import type { SwapIn } from "./memory_swap.ts";

// #region swap-in-directly
/**
 * A private folio for the slot, read; or what went wrong.
 *
 * Order: folio, charge, pin, shadow, LRU, read. (Linux: in do_swap_page().)
 */
export function* swapInDirectly(
  k: Kernel,
  vmf: VmFault,
  si: SwapInfoStruct,
  entry: SwpEntry,
): Task<SwapIn | "lost the race" | null> {
  const folio = yield* alloc_swap_folio(k, vmf.vma, entry);
  if (folio === null) return null;
  folio_trylock(folio);
  setFlag(folio, PG_swapbacked);
  if ((yield* pinSlot(k, si, entry)) !== 0) {
    yield* backOff(k);
    folio_unlock(folio);
    folio_put(k, folio);
    return "lost the race";
  }
  const shadow = get_shadow_from_swap_cache(k, entry);
  const swapcache = yield* maybeAddToCache(k, folio, entry);
  if (shadow !== null) workingset_refault(k, folio, shadow);
  // Reclaim can find it from here on, and lock it when it has been read.
  const { lru_lock } = folio_lruvec(k, folio);
  yield* spin_lock(lru_lock);
  folio_add_lru(k, folio);
  spin_unlock(lru_lock);
  folio.swap = entry;
  yield* swap_read_folio(k, folio, null);
  if (!swapcache) folio.swap = 0 as SwpEntry;
  const pinned = !swapcache && k.proposals.sync_swapin_pin !== "none";
  return { vmf, si, entry, folio, swapcache, pinned };
}
// #endregion

// #region alloc-swap-folio
/** A frame, charged to the slot's group, or else to the area's owner. */
function* alloc_swap_folio(
  k: Kernel,
  vma: VmArea,
  entry: SwpEntry,
): Task<Folio | null> {
  const gfp = GFP_HIGHUSER_MOVABLE;
  const folio = yield* folio_alloc(k, gfp);
  if (folio === null) return null;
  const mm = vma.vm_mm;
  if (yield* mem_cgroup_swapin_charge_folio(k, folio, mm, gfp, entry)) {
    folio_put(k, folio);
    return null;
  }
  return folio;
}
// #endregion

// #region pin-slot
/**
 * Keep the slot as it is until the page is mapped. (Thread 003.)
 *
 * Without a flag in the map all that can be done is to count.
 */
function* pinSlot(
  k: Kernel,
  si: SwapInfoStruct,
  entry: SwpEntry,
): Task<Errno> {
  switch (k.proposals.sync_swapin_pin) {
    case "none":
      return 0;
    case "count":
      return yield* countTwo(k, si, entry);
    case "has_cache":
      return k.proposals.swap_map_cache_flag === "on"
        ? yield* swapcache_prepare(k, entry)
        : yield* countTwo(k, si, entry);
  }
}
// #endregion

// #region count-two
/** The proposal: from one user to two, if it is still one. */
function* countTwo(
  k: Kernel,
  si: SwapInfoStruct,
  entry: SwpEntry,
): Task<Errno> {
  const offset = swp_offset(entry);
  const ci = yield* lock_cluster_or_swap_info(si, offset);
  const result = swap_count(si.swap_map[offset]!) === 1
    ? __swap_duplicate(k, si, offset, 1)
    : -EBUSY;
  unlock_cluster_or_swap_info(si, ci);
  return result;
}
// #endregion

// #region unpin-slot
/** The pin goes, and who waited for that may try again. */
export function unpinSlot(k: Kernel, swapIn: SwapIn): Task {
  return swapIn.pinned ? unpin(k, swapIn) : passed;
}

function* unpin(k: Kernel, { si, entry }: SwapIn): Task {
  if (k.proposals.sync_swapin_pin === "count") yield* swap_free(k, entry);
  else yield* swapcache_clear(k, si, entry);
  yield* pause(k.swapcache_wq.wake);
  if (waitqueue_active(k.swapcache_wq)) wake_up(k.swapcache_wq);
}
// #endregion

// #region back-off
/** Somebody else has the pin: what to do before the fault is tried again. */
function* backOff(k: Kernel): Task {
  switch (k.proposals.sync_swapin_backoff) {
    case "none":
      return;
    case "schedule":
      return yield* pause(makeOp("resched", "schedule", k.swapcache_wq));
    case "tick":
      return yield* schedule_timeout(k.clock, TICK_NSEC);
    case "waitqueue":
      return yield* sleepOn(k.swapcache_wq, k.clock, TICK_NSEC);
  }
}
// #endregion

/**
 * The RFC of thread 001: a page that zswap has goes through the cache after
 * all, so that there is an owner when the load takes the compressed copy.
 */
function* maybeAddToCache(
  k: Kernel,
  folio: Folio,
  entry: SwpEntry,
): Task<boolean> {
  if (k.proposals.zswapin_adds_to_swapcache === "off") return false;
  const tree = k.zswap.trees[swp_type(entry)]![spaceIndex(entry)]!;
  yield* pause(tree.load);
  if (xa_load(tree.xa, swp_offset(entry)) === null) return false;
  const gfp = GFP_HIGHUSER_MOVABLE;
  return (yield* add_to_swap_cache(k, folio, entry, gfp)).err === 0;
}
