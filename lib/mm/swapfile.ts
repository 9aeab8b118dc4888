/**
 * Users of swap slots come and go.
 *
 * A page-table entry that names a slot is a user; a folio in the swap cache
 * is a pin. `swap_duplicate()` and `swapcache_prepare()` add one,
 * `swap_free()` and `swapcache_clear()` take it away; the last one to go hands
 * the slot to free_swap_slot(). How the byte counts: swap_count.ts; how slots
 * are found and given out: swap_alloc.ts.
 *
 * Kernel: mm/swapfile.c, mm/swap_slots.c (v6.12). Differs: the device's lock
 * stands for the cluster lock; slots are freed at once (no slot cache).
 */
import { VM_BUG_ON } from "../base/bug.ts";
import { ENOENT, ENOMEM, type Errno } from "../base/errno.ts";
import { spin_lock, spin_unlock } from "../locking/spinlock.ts";
import type { Task } from "../sim/task.ts";
import type { Folio, Kernel, SwapInfoStruct } from "./mm_types.ts";
import {
  folio_mapped,
  folio_test_swapcache,
  folio_test_writeback,
  folio_trylock,
  folio_unlock,
  PG_dirty,
  setFlag,
} from "./page_flags.ts";
import { folio_put } from "./page_alloc.ts";
import { swap_range_free } from "./swap_alloc.ts";
import {
  __swap_duplicate,
  __swap_entry_free_locked,
  add_swap_count_continuation,
  swap_count,
} from "./swap_count.ts";
import { delete_from_swap_cache, filemap_get_folio } from "./swap_state.ts";
import { SWAP_HAS_CACHE, SWP_USED } from "./swap.ts";
import { swp_offset, swp_type, type SwpEntry } from "./swapops.ts";
import { zswap_invalidate } from "./zswap.ts";

/** The device of an entry, or null if there is none or the slot is beyond it. */
export function _swap_info_get(
  k: Kernel,
  entry: SwpEntry,
): SwapInfoStruct | null {
  const si = k.swap_info[swp_type(entry)];
  if (si === undefined || (si.flags & SWP_USED) === 0) return null;
  return swp_offset(entry) < si.max ? si : null;
}

/** More than half of all swap is in use: slots should not be kept for luck. */
export function vm_swap_full(k: Kernel): boolean {
  return k.nr_swap_pages * 2 < k.total_swap_pages;
}

/** Users of the slot, the pin not counted; a continued count reads ≥ 0x80. */
export function __swap_count(k: Kernel, entry: SwpEntry): number {
  const si = _swap_info_get(k, entry);
  return si === null ? 0 : swap_count(si.swap_map[swp_offset(entry)]!);
}

/**
 * swap_duplicate() - one more page-table entry names the slot.
 *
 * @returns 0 or -ENOMEM. As in Linux, a free or bad slot also gives 0: only
 *   the want of a continuation page is reported.
 *
 * Context: takes si.lock; called with the page-table lock held.
 */
export function* swap_duplicate(k: Kernel, entry: SwpEntry): Task<Errno> {
  const si = _swap_info_get(k, entry);
  if (si === null) return 0;
  const offset = swp_offset(entry);
  yield* spin_lock(si.lock);
  let result = __swap_duplicate(k, si, offset, 1);
  while (result === -ENOMEM) {
    if (add_swap_count_continuation(k, si, offset) < 0) break;
    result = __swap_duplicate(k, si, offset, 1);
  }
  spin_unlock(si.lock);
  return result === -ENOMEM ? -ENOMEM : 0;
}

/**
 * swapcache_prepare() - pin the slot before its page is read in.
 *
 * @returns 0; -EEXIST if it is pinned already; -ENOENT if it is free
 */
export function* swapcache_prepare(k: Kernel, entry: SwpEntry): Task<Errno> {
  const si = _swap_info_get(k, entry);
  if (si === null) return -ENOENT;
  yield* spin_lock(si.lock);
  const result = __swap_duplicate(k, si, swp_offset(entry), SWAP_HAS_CACHE);
  spin_unlock(si.lock);
  return result;
}

/** Take away a user (1) or the pin; free the slot if that was the last. */
function* swapEntryPut(k: Kernel, entry: SwpEntry, usage: number): Task {
  const si = _swap_info_get(k, entry);
  if (si === null || si.swap_map[swp_offset(entry)] === 0) {
    k.warnings.push(`swap_free: unused or bad entry ${entry}`);
    return;
  }
  yield* spin_lock(si.lock);
  const left = __swap_entry_free_locked(k, si, swp_offset(entry), usage);
  spin_unlock(si.lock);
  if (left === 0) yield* free_swap_slot(k, entry);
}

/** swap_free() - a page-table entry no longer names the slot. */
export function* swap_free(k: Kernel, entry: SwpEntry): Task {
  yield* swapEntryPut(k, entry, 1);
}

/** put_swap_folio() - the folio left the swap cache: the pin goes. */
export function* put_swap_folio(k: Kernel, entry: SwpEntry): Task {
  yield* swapEntryPut(k, entry, SWAP_HAS_CACHE);
}

/**
 * free_swap_slot() - nobody needs the slot any more.
 *
 * Its byte reads 0x40, so nobody can take it meanwhile: that is why zswap's
 * copy may be dropped without si.lock.
 */
export function* free_swap_slot(k: Kernel, entry: SwpEntry): Task {
  yield* zswap_invalidate(k, entry);
  yield* swapcache_free_entries(k, [entry]);
}

/** Give slots without users or pin back to their devices. */
export function* swapcache_free_entries(
  k: Kernel,
  entries: readonly SwpEntry[],
): Task {
  for (const entry of entries) {
    const si = _swap_info_get(k, entry);
    if (si === null) continue;
    yield* spin_lock(si.lock);
    const offset = swp_offset(entry);
    VM_BUG_ON(
      si.swap_map[offset] !== SWAP_HAS_CACHE,
      `slot ${offset} is freed with byte ${si.swap_map[offset]}`,
    );
    si.swap_map[offset] = 0;
    swap_range_free(k, si, offset);
    spin_unlock(si.lock);
  }
}

/**
 * folio_free_swap() - give up the slot of a folio that nobody else needs.
 *
 * @returns true if the folio left the swap cache; it is dirty then, since no
 *   copy of it remains
 *
 * Context: folio locked.
 */
export function* folio_free_swap(k: Kernel, folio: Folio): Task<boolean> {
  if (!folio_test_swapcache(folio)) return false;
  if (folio_test_writeback(folio)) return false;
  if (__swap_count(k, folio.swap) !== 0) return false;
  yield* delete_from_swap_cache(k, folio);
  setFlag(folio, PG_dirty);
  return true;
}

/**
 * free_swap_and_cache() - an address that named the slot is gone.
 *
 * If only the cache is left, try to drop that too; if its folio is locked
 * just now, it stays: reclaim will meet it.
 *
 * Context: called with the page-table lock held, must not sleep.
 */
export function* free_swap_and_cache(k: Kernel, entry: SwpEntry): Task {
  const si = _swap_info_get(k, entry);
  if (si === null) return;
  yield* spin_lock(si.lock);
  const left = __swap_entry_free_locked(k, si, swp_offset(entry), 1);
  spin_unlock(si.lock);
  if (left === 0) yield* free_swap_slot(k, entry);
  if (left === SWAP_HAS_CACHE) yield* tryToReclaimCached(k, entry);
}

/** TTRS_UNMAPPED | TTRS_FULL of Linux' __try_to_reclaim_swap(). */
function* tryToReclaimCached(k: Kernel, entry: SwpEntry): Task {
  const folio = yield* filemap_get_folio(k, entry);
  if (folio === null) return;
  if (folio_trylock(folio)) {
    const wanted = !folio_mapped(folio) || vm_swap_full(k);
    if (wanted && folio.swap === entry) yield* folio_free_swap(k, folio);
    folio_unlock(folio);
  }
  folio_put(k, folio);
}
