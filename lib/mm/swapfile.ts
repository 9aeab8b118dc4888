/**
 * Users of swap slots come and go.
 *
 * A page-table entry that names a slot is a user; a folio in the swap cache
 * is a pin. `swap_duplicate()` and `swapcache_prepare()` add one,
 * `swap_free()` and `swapcache_clear()` take it away; the last one to go hands
 * the slot to free_swap_slot(). How the byte counts: swap_count.ts; how slots
 * are found, given out and taken back: swap_alloc.ts; coming and going of
 * devices: swapon.ts, swapoff.ts.
 *
 * Kernel: mm/swapfile.c (v6.12). Differs: folios of one page; the slot's lock is
 * kept while its count gets a page of digits (Linux: dropped, taken again).
 */
import { BUG_ON } from "../base/bug.ts";
import { EINVAL, ENOENT, ENOMEM, type Errno } from "../base/errno.ts";
import { percpu_ref_put, percpu_ref_tryget_live } from "../base/percpu_ref.ts";
import { spin_lock, spin_unlock } from "../locking/spinlock.ts";
import { andThen, chain, over, passed, pause, type Task } from "../sim/task.ts";
import { enter } from "../sim/trace.ts";
import type { Folio, Kernel, SwapInfoStruct } from "./mm_types.ts";
import {
  folio_test_swapcache,
  folio_test_writeback,
  PG_dirty,
  setFlag,
} from "./page_flags.ts";
import { swap_entry_range_free } from "./swap_alloc.ts";
import {
  lock_cluster_or_swap_info,
  slotLock,
  unlock_cluster_or_swap_info,
} from "./swap_cluster.ts";
import {
  __swap_duplicate,
  __swap_entry_free_locked,
  add_swap_count_continuation,
  onlyCacheLeft,
  pinUsage,
  swap_count,
} from "./swap_count.ts";
import {
  __try_to_reclaim_swap,
  TTRS_FULL,
  TTRS_UNMAPPED,
} from "./swap_reclaim.ts";
import { forgetSlot, free_swap_slot } from "./swap_slots.ts";
import { delete_from_swap_cache } from "./swap_state.ts";
import {
  SWAP_HAS_CACHE,
  SWAP_MAP_SHMEM,
  SWAPFILE_CLUSTER,
  SWP_USED,
} from "./swap.ts";
import {
  entryName,
  non_swap_entry,
  swp_entry,
  swp_offset,
  swp_type,
  type SwpEntry,
} from "./swapops.ts";

/**
 * _swap_info_get() - the device of an entry that is in use.
 *
 * @returns null, and a line in `k.warnings`, if there is no such device, the
 *   slot is beyond it, or free
 */
export function _swap_info_get(
  k: Kernel,
  entry: SwpEntry,
): SwapInfoStruct | null {
  const si = k.swap_info[swp_type(entry)];
  const bad = si === undefined
    ? "Bad swap file entry"
    : (si.flags & SWP_USED) === 0
    ? "Unused swap file entry"
    : swp_offset(entry) >= si.max
    ? "Bad swap offset entry"
    : si.swap_map[swp_offset(entry)] === 0
    ? "Unused swap offset entry"
    : null;
  if (bad === null) return si!;
  k.warnings.push(`_swap_info_get: ${bad} ${entryName(entry)}`);
  return null;
}

/** The device of an entry, or null if it is gone or the slot beyond it. */
export function swp_swap_info(
  k: Kernel,
  entry: SwpEntry,
): SwapInfoStruct | null {
  const si = k.swap_info[swp_type(entry)];
  return si !== undefined && swp_offset(entry) < si.max ? si : null;
}

/**
 * get_swap_device() - keep the device of an entry from being taken away.
 *
 * @returns null if it is gone, or is going; else the caller has to give it
 *   back with put_swap_device()
 */
export function get_swap_device(
  k: Kernel,
  entry: SwpEntry,
): SwapInfoStruct | null {
  const si = k.swap_info[swp_type(entry)];
  if (si === undefined || !percpu_ref_tryget_live(si.users)) return null;
  if (swp_offset(entry) < si.max) return si;
  put_swap_device(si);
  return null;
}

export function put_swap_device(si: SwapInfoStruct): void {
  percpu_ref_put(si.users);
}

/** More than half of all swap is in use: slots should not be kept for luck. */
export function vm_swap_full(k: Kernel): boolean {
  return k.nr_swap_pages * 2 < k.total_swap_pages;
}

/**
 * Users of the slot, the pin not counted; a continued count reads ≥ 0x80.
 *
 * Context: no lock; the answer may be old when it arrives.
 */
export function __swap_count(k: Kernel, entry: SwpEntry): Task<number> {
  const si = k.swap_info[swp_type(entry)];
  if (si === undefined) return over(0);
  const offset = swp_offset(entry);
  return andThen(
    pause(slotLock(si, offset).peek),
    () => swap_count(si.swap_map[offset] ?? 0),
  );
}

/** The same with the slot's lock taken: nobody is just changing it. */
export function swap_swapcount(
  si: SwapInfoStruct,
  entry: SwpEntry,
): Task<number> {
  const offset = swp_offset(entry);
  return andThen(lock_cluster_or_swap_info(si, offset), (ci) => {
    const count = swap_count(si.swap_map[offset]!);
    unlock_cluster_or_swap_info(si, ci);
    return count;
  });
}

/**
 * swap_duplicate() - one more page-table entry names the slot.
 *
 * @returns 0 or -ENOMEM. As in Linux, a free or bad slot also gives 0: only
 *   the want of a continuation page is reported.
 *
 * Context: takes the slot's lock; called with the page-table lock held.
 */
export function swap_duplicate(k: Kernel, entry: SwpEntry): Task<Errno> {
  enter(k.trace, "swap_duplicate");
  return andThen(
    duplicateLocked(k, entry, 1),
    (result) => result === -ENOMEM ? -ENOMEM : 0,
  );
}

/** swap_shmem_alloc() - the slot belongs to shared memory: not counted. */
export function* swap_shmem_alloc(k: Kernel, entry: SwpEntry): Task {
  // Before the flag there was no such value either: a user like others.
  const flag = k.proposals.swap_map_cache_flag === "on";
  yield* duplicateLocked(k, entry, flag ? SWAP_MAP_SHMEM : 1);
}

/**
 * swapcache_prepare() - pin the slot before its page is read in.
 *
 * @returns 0; -EEXIST if it is pinned already; -ENOENT if it is free; -EINVAL
 *   if there is no such slot. If the pin is one more user: never -EEXIST, but
 *   -ENOMEM as of swap_duplicate()
 */
export function swapcache_prepare(k: Kernel, entry: SwpEntry): Task<Errno> {
  enter(k.trace, "swapcache_prepare");
  return duplicateLocked(k, entry, pinUsage(k));
}

function duplicateLocked(
  k: Kernel,
  entry: SwpEntry,
  usage: number,
): Task<Errno> {
  const si = swp_swap_info(k, entry);
  if (si === null) return over(-EINVAL);
  const offset = swp_offset(entry);
  return andThen(lock_cluster_or_swap_info(si, offset), (ci) => {
    // Without the flag, 0x40 is a slot that waits to be freed: nobody's.
    const flag = k.proposals.swap_map_cache_flag === "on";
    const free = !flag && swap_count(si.swap_map[offset]!) === 0;
    let result = free ? -ENOENT : __swap_duplicate(k, si, offset, usage);
    while (result === -ENOMEM) {
      if (add_swap_count_continuation(k, si, offset) < 0) break;
      result = __swap_duplicate(k, si, offset, usage);
    }
    unlock_cluster_or_swap_info(si, ci);
    return result;
  });
}

/**
 * Take away a user (1) or the pin.
 *
 * @returns what is left of the byte; if 0, the slot is the caller's to free
 */
export function takeUsage(
  k: Kernel,
  si: SwapInfoStruct,
  offset: number,
  usage: number,
): Task<number> {
  return andThen(lock_cluster_or_swap_info(si, offset), (ci) => {
    const left = __swap_entry_free_locked(k, si, offset, usage);
    unlock_cluster_or_swap_info(si, ci);
    return left;
  });
}

/** The same; frees it. (Linux: __swap_entry_free(), cluster_swap_free_nr().) */
function swapEntryPut(
  k: Kernel,
  si: SwapInfoStruct,
  entry: SwpEntry,
  usage: number,
): Task<number> {
  return chain(takeUsage(k, si, swp_offset(entry), usage), (left) => {
    if (left > 0) return over(left);
    const freed: Task = free_swap_slot(k, entry);
    return andThen(freed, () => left);
  });
}

/** swap_free() - a page-table entry no longer names the slot. */
export function swap_free(k: Kernel, entry: SwpEntry): Task<unknown> {
  enter(k.trace, "swap_free");
  const si = _swap_info_get(k, entry);
  return si === null ? passed : swapEntryPut(k, si, entry, 1);
}

/** put_swap_folio() - the folio left the swap cache: the pin goes. */
export function put_swap_folio(k: Kernel, entry: SwpEntry): Task<unknown> {
  enter(k.trace, "put_swap_folio");
  const si = _swap_info_get(k, entry);
  return si === null ? passed : swapEntryPut(k, si, entry, pinUsage(k));
}

/** swapcache_clear() - the same for a pin without a folio in the cache. */
export function swapcache_clear(
  k: Kernel,
  si: SwapInfoStruct,
  entry: SwpEntry,
): Task<unknown> {
  enter(k.trace, "swapcache_clear");
  return swapEntryPut(k, si, entry, pinUsage(k));
}

/** It is in the cache and not just being written. Context: folio locked. */
export function folio_swapcache_freeable(folio: Folio): boolean {
  return folio_test_swapcache(folio) && !folio_test_writeback(folio);
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
  enter(k.trace, "folio_free_swap");
  if (!folio_swapcache_freeable(folio)) return false;
  const si = _swap_info_get(k, folio.swap);
  // 0; or 1, where the cache counts.
  const cacheOnly = swap_count(pinUsage(k));
  const entry = folio.swap;
  if (si !== null && (yield* swap_swapcount(si, entry)) !== cacheOnly) {
    return false;
  }
  yield* delete_from_swap_cache(k, folio);
  setFlag(folio, PG_dirty);
  return true;
}

/** free_swap_and_cache() - an address that named the slot is gone. */
export function* free_swap_and_cache(k: Kernel, entry: SwpEntry): Task {
  enter(k.trace, "free_swap_and_cache");
  yield* free_swap_and_cache_nr(k, entry, 1);
}

/**
 * free_swap_and_cache_nr() - `nr` addresses in a row that named `nr` slots in
 * a row are gone.
 *
 * Where only the cache is left, try to drop that too; if a folio is locked
 * just now, it stays: reclaim will meet it.
 *
 * Context: called with the page-table lock held, must not sleep.
 */
export function* free_swap_and_cache_nr(
  k: Kernel,
  entry: SwpEntry,
  nr: number,
): Task {
  enter(k.trace, "free_swap_and_cache_nr");
  if (non_swap_entry(entry)) return;
  const si = get_swap_device(k, entry);
  if (si === null) return;
  const start = swp_offset(entry);
  BUG_ON(start + nr > si.max, () => `${nr} slots from ${entryName(entry)}`);
  if (yield* __swap_entries_free(k, si, entry, nr)) {
    for (let offset = start; offset < start + nr; offset++) {
      if (!onlyCacheLeft(k, si, offset)) continue;
      const how = TTRS_UNMAPPED | TTRS_FULL;
      yield* __try_to_reclaim_swap(k, si, offset, how);
    }
  }
  put_swap_device(si);
}

/** Free slots at once. Context: each byte reads 0x40, without a folio. */
function* freeRange(
  k: Kernel,
  si: SwapInfoStruct,
  first: SwpEntry,
  nr: number,
): Task {
  const slots = Array.from(
    { length: nr },
    (_, i) => swp_entry(si.type, swp_offset(first) + i),
  );
  for (const slot of slots) yield* forgetSlot(k, slot);
  yield* spin_lock(si.lock);
  for (const slot of slots) yield* swap_entry_range_free(k, si, slot);
  spin_unlock(si.lock);
}

/**
 * One user less of each of `nr` slots.
 *
 * Slots with this one user, all cached or none, in one cluster, go in one
 * step, round the cache of slots.
 *
 * @returns whether some slot is left with the cache only, or seems to be
 */
function* __swap_entries_free(
  k: Kernel,
  si: SwapInfoStruct,
  entry: SwpEntry,
  nr: number,
): Task<boolean> {
  const start = swp_offset(entry);
  const single = nr > 1 && swap_count(si.swap_map[start]!) === 1;
  if (single && nr <= SWAPFILE_CLUSTER - start % SWAPFILE_CLUSTER) {
    const ci = yield* lock_cluster_or_swap_info(si, start);
    const bytes = si.swap_map.subarray(start, start + nr);
    const [first] = bytes;
    const alike = swap_count(first!) === 1 && bytes.every((b) => b === first);
    if (alike) bytes.fill(SWAP_HAS_CACHE);
    unlock_cluster_or_swap_info(si, ci);
    // `first` is the byte as it was: bytes[0] reads 0x40 now.
    if (alike && first === 1) yield* freeRange(k, si, entry, nr);
    if (alike) return first !== 1;
  }
  let cacheOnly = false;
  for (let offset = start; offset < start + nr; offset++) {
    if (si.swap_map[offset] === 0) {
      k.warnings.push(`__swap_entries_free: slot ${offset} is free already`);
      continue;
    }
    const slot = swp_entry(si.type, offset);
    const left = yield* swapEntryPut(k, si, slot, 1);
    cacheOnly ||= left === pinUsage(k);
  }
  return cacheOnly;
}
