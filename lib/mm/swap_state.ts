/**
 * The swap cache: pages that are in memory and have a slot as well.
 *
 * A page is in the cache on its way out (its slot is known, its mappings are
 * being replaced) and on its way in (it is being read; whoever faults on the
 * slot meanwhile finds the same folio and waits for its lock).
 *
 * Kernel: mm/swap_state.c (v6.12). Differs: no readahead (a window of one
 * page, as with vm.page-cluster = 0) and no shadow entries.
 */
import { VM_BUG_ON } from "../base/bug.ts";
import { EEXIST } from "../base/errno.ts";
import { xa_erase, xa_load, xa_store } from "../base/xarray.ts";
import { spin_lock, spin_unlock } from "../locking/spinlock.ts";
import { schedule_timeout } from "../locking/wait.ts";
import { TICK_NSEC } from "../sim/clock.ts";
import { pause, type Task } from "../sim/task.ts";
import { emit } from "../sim/trace.ts";
import { folio_add_lru } from "./lru.ts";
import type { Folio, Kernel, SwapperSpace } from "./mm_types.ts";
import {
  clearFlag,
  folio_get,
  folio_test_locked,
  folio_test_swapcache,
  folio_trylock,
  PG_dirty,
  PG_swapbacked,
  PG_swapcache,
  setFlag,
} from "./page_flags.ts";
import { folio_alloc, folio_put, GFP_HIGHUSER_MOVABLE } from "./page_alloc.ts";
import { swap_read_folio } from "./page_io.ts";
import { folio_alloc_swap } from "./swap_alloc.ts";
import {
  __swap_count,
  _swap_info_get,
  put_swap_folio,
  swapcache_prepare,
} from "./swapfile.ts";
import {
  entryName,
  spaceIndex,
  swp_offset,
  swp_type,
  type SwpEntry,
} from "./swapops.ts";

function swap_address_space(k: Kernel, entry: SwpEntry): SwapperSpace {
  const si = k.swap_info[swp_type(entry)];
  const space = si?.swapper_spaces[spaceIndex(entry)];
  if (space === undefined) throw new RangeError(`No slot ${entryName(entry)}`);
  return space;
}

/**
 * filemap_get_folio() - the folio in the cache at `entry`, one more reference.
 *
 * Context: no lock; the answer may be old when it arrives, so callers lock
 * the folio and look again.
 */
export function* filemap_get_folio(
  k: Kernel,
  entry: SwpEntry,
): Task<Folio | null> {
  const space = swap_address_space(k, entry);
  yield* pause(space.load);
  const folio = xa_load(space.xa, swp_offset(entry));
  if (folio !== null) folio_get(folio);
  return folio;
}

/**
 * add_to_swap_cache() - the folio stands for the slot from now on.
 *
 * Context: folio locked; the slot is pinned by the caller, so that nobody
 * else can be putting a folio there.
 */
export function* add_to_swap_cache(
  k: Kernel,
  folio: Folio,
  entry: SwpEntry,
): Task {
  VM_BUG_ON(!folio_test_locked(folio), "add_to_swap_cache: folio not locked");
  const space = swap_address_space(k, entry);
  yield* spin_lock(space.lock);
  folio_get(folio);
  setFlag(folio, PG_swapcache);
  folio.swap = entry;
  const old = xa_store(space.xa, swp_offset(entry), folio);
  VM_BUG_ON(old !== null, `two folios in the cache at ${entryName(entry)}`);
  spin_unlock(space.lock);
}

/** Take the folio out of the cache. Context: its space's lock is held. */
export function __delete_from_swap_cache(k: Kernel, folio: Folio): void {
  const space = swap_address_space(k, folio.swap);
  const old = xa_erase(space.xa, swp_offset(folio.swap));
  VM_BUG_ON(old !== folio, `frame ${folio.pfn} is not in the swap cache`);
  clearFlag(folio, PG_swapcache);
}

/**
 * delete_from_swap_cache() - the folio goes on without its slot.
 *
 * Context: folio locked, not under writeback.
 */
export function* delete_from_swap_cache(k: Kernel, folio: Folio): Task {
  const entry = folio.swap;
  const space = swap_address_space(k, entry);
  yield* spin_lock(space.lock);
  __delete_from_swap_cache(k, folio);
  spin_unlock(space.lock);
  yield* put_swap_folio(k, entry);
  folio_put(k, folio);
}

/** The lock of the folio's space, for __remove_mapping(). */
export function swapCacheLockOf(k: Kernel, folio: Folio) {
  return swap_address_space(k, folio.swap).lock;
}

/**
 * add_to_swap() - give an anonymous folio a slot and put it in the cache.
 *
 * @returns false if swap is full
 *
 * Context: folio locked and up to date. Leaves it dirty: the slot holds
 * nothing yet.
 */
export function* add_to_swap(k: Kernel, folio: Folio): Task<boolean> {
  const entry = yield* folio_alloc_swap(k);
  if (entry === null) return false;
  yield* add_to_swap_cache(k, folio, entry);
  setFlag(folio, PG_dirty);
  emit(k.trace, {
    time: k.clock.now,
    fn: "add_to_swap",
    what: "the page has a slot and is in the swap cache",
    pfn: folio.pfn,
    slot: entryName(entry),
  });
  return true;
}

/**
 * __read_swap_cache_async() - the folio for a slot, made if there is none.
 *
 * @param skip_if_exists give up if the slot is pinned by somebody whose folio
 *   is not in the cache: zswap's writeback must not wait there, since that
 *   somebody may be waiting for it
 * @returns the folio with a reference, and whether it is new: a new one is
 *   locked and its bytes still have to be read; null if the slot is free, or
 *   pinned and to be skipped, or memory is exhausted
 */
export function* __read_swap_cache_async(
  k: Kernel,
  entry: SwpEntry,
  skip_if_exists: boolean,
): Task<{ folio: Folio; isNew: boolean } | null> {
  if (_swap_info_get(k, entry) === null) return null;
  let fresh: Folio | null = null;
  for (;;) {
    const cached = yield* filemap_get_folio(k, entry);
    if (cached !== null) {
      if (fresh !== null) folio_put(k, fresh);
      return { folio: cached, isNew: false };
    }
    // Nobody needs the slot: it is being freed.
    if (__swap_count(k, entry) === 0) break;

    fresh ??= yield* folio_alloc(k, GFP_HIGHUSER_MOVABLE);
    if (fresh === null) return null;

    const result = yield* swapcache_prepare(k, entry);
    if (result === 0) {
      yield* addFreshFolio(k, fresh, entry);
      return { folio: fresh, isNew: true };
    }
    if (result !== -EEXIST || skip_if_exists) break;
    // Pinned, but not in the cache yet, or no longer: soon it will be.
    yield* schedule_timeout(k.clock, TICK_NSEC);
  }
  if (fresh !== null) folio_put(k, fresh);
  return null;
}

function* addFreshFolio(k: Kernel, folio: Folio, entry: SwpEntry): Task {
  folio_trylock(folio);
  setFlag(folio, PG_swapbacked);
  yield* add_to_swap_cache(k, folio, entry);
  folio_add_lru(k, folio);
}

/**
 * swapin_readahead() - the folio for a slot, its read started.
 *
 * @returns the folio with a reference, perhaps still locked for I/O; or null
 */
export function* swapin_readahead(
  k: Kernel,
  entry: SwpEntry,
): Task<Folio | null> {
  const found = yield* __read_swap_cache_async(k, entry, false);
  if (found === null) return null;
  if (found.isNew) yield* swap_read_folio(k, found.folio);
  return found.folio;
}

/** What the cache holds, for reports. (/proc/meminfo: SwapCached.) */
export function swapCachePages(k: Kernel): number {
  let pages = 0;
  for (const si of k.swap_info) {
    for (const space of si.swapper_spaces) pages += space.xa.entries.size;
  }
  return pages;
}

/** Whether the folio is still the one that stands for `entry`. */
export function standsFor(
  folio: Folio,
  entry: SwpEntry,
): boolean {
  return folio_test_swapcache(folio) && folio.swap === entry;
}
