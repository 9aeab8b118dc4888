/**
 * The swap cache: pages that are in memory and have a slot as well.
 *
 * A page is in the cache on its way out (its slot is known, its mappings are
 * being replaced) and on its way in (it is being read; whoever faults on the
 * slot meanwhile finds the same folio and waits for its lock).
 *
 * Where a page was, its *shadow* stays behind: a number that tells how long ago
 * reclaim took it (workingset.ts), until the slot is freed or the page returns.
 *
 * Reading in the neighbours as well: swap_readahead.ts.
 *
 * Kernel: mm/swap_state.c (v6.12). Differs: whether a slot has users is looked
 * at without its lock, and shadows are cleared without that of their space:
 * nobody pauses in the middle of a change of either.
 */
import { VM_BUG_ON } from "../base/bug.ts";
import { EEXIST, ENOMEM, type Errno } from "../base/errno.ts";
import { xa_erase, xa_load, xa_store } from "../base/xarray.ts";
import {
  lockdep_assert_held,
  spin_lock,
  spin_unlock,
} from "../locking/spinlock.ts";
import { schedule_timeout } from "../locking/wait.ts";
import { TICK_NSEC } from "../sim/clock.ts";
import { andThen, pause, type Task } from "../sim/task.ts";
import { enter } from "../sim/trace.ts";
import { sameFolio } from "./folio.ts";
import { folio_add_lru } from "./lru.ts";
import { mem_cgroup_swapin_charge_folio } from "./memcontrol_charge.ts";
import type { Folio, Kernel, SwapperSpace } from "./mm_types.ts";
import {
  clearFlag,
  folio_get,
  folio_test_locked,
  folio_test_swapcache,
  folio_test_writeback,
  folio_trylock,
  folio_unlock,
  PG_dirty,
  PG_swapbacked,
  PG_swapcache,
  setFlag,
} from "./page_flags.ts";
import {
  __GFP_HIGH,
  __GFP_NOMEMALLOC,
  folio_alloc,
  folio_put,
} from "./page_alloc.ts";
import { folio_alloc_swap } from "./swap_slots.ts";
import {
  __swap_count,
  get_swap_device,
  put_swap_device,
  put_swap_folio,
  swapcache_prepare,
} from "./swapfile.ts";
import {
  entryName,
  spaceIndex,
  swp_entry,
  swp_offset,
  swp_type,
  type SwpEntry,
} from "./swapops.ts";
import { tell } from "./tell.ts";
import { workingset_refault } from "./workingset.ts";

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
export function filemap_get_folio(
  k: Kernel,
  entry: SwpEntry,
): Task<Folio | null> {
  const space = swap_address_space(k, entry);
  return andThen(pause(space.load), () => {
    const found = xa_load(space.xa, swp_offset(entry));
    // A number is the shadow of a page that went.
    if (found === null || typeof found === "number") return null;
    folio_get(found);
    return found;
  });
}

/** What the page left behind when it was reclaimed, or null. */
export function get_shadow_from_swap_cache(
  k: Kernel,
  entry: SwpEntry,
): number | null {
  const space = swap_address_space(k, entry);
  const found = xa_load(space.xa, swp_offset(entry));
  return typeof found === "number" ? found : null;
}

/** The result of add_to_swap_cache(): the shadow is only there on success. */
export interface AddedToSwapCache {
  readonly err: Errno;
  readonly shadow: number | null;
}

/**
 * add_to_swap_cache() - the folio stands for the slot from now on.
 *
 * @returns err 0 and the shadow that was there, or null; err -ENOMEM, the
 *   folio as it was, if the array has no memory for a node: only the
 *   laboratory makes that happen (`k.inject.swapCacheNodes`)
 *
 * Context: folio locked; the slot is pinned by the caller, so that nobody
 * else can be putting a folio there. Where a pin is just one more user, all
 * can: whoever comes second gets -EEXIST.
 */
export function add_to_swap_cache(
  k: Kernel,
  folio: Folio,
  entry: SwpEntry,
  _gfp: number,
): Task<AddedToSwapCache> {
  enter(k.trace, "add_to_swap_cache");
  VM_BUG_ON(!folio_test_locked(folio), "add_to_swap_cache: folio not locked");
  VM_BUG_ON(folio_test_swapcache(folio), "add_to_swap_cache: it is in there");
  const space = swap_address_space(k, entry);
  folio_get(folio);
  setFlag(folio, PG_swapcache);
  folio.swap = entry;
  return andThen(spin_lock(space.lock), () => {
    const err = refusal(k, space, swp_offset(entry));
    if (err !== 0) {
      spin_unlock(space.lock);
      clearFlag(folio, PG_swapcache);
      folio._refcount--;
      return { err, shadow: null };
    }
    const old = xa_store(space.xa, swp_offset(entry), folio);
    const shadow = typeof old === "number" ? old : null;
    VM_BUG_ON(
      old !== shadow,
      () => `two folios in the cache at ${entryName(entry)}`,
    );
    space.nrpages++;
    spin_unlock(space.lock);
    return { err: 0, shadow };
  });
}

/** Why no folio can be put there, or 0. */
function refusal(k: Kernel, { xa }: SwapperSpace, offset: number): Errno {
  const there = xa_load(xa, offset);
  const taken = there !== null && typeof there !== "number";
  if (taken && k.proposals.swap_map_cache_flag === "off") return -EEXIST;
  if (k.inject.swapCacheNodes === 0) return 0;
  k.inject.swapCacheNodes--;
  return -ENOMEM;
}

/**
 * __delete_from_swap_cache() - take the folio out of the cache.
 *
 * @param shadow what stays in its place; null if it was not reclaimed
 *
 * Context: folio locked, not under writeback; its space's lock is held.
 */
export function __delete_from_swap_cache(
  k: Kernel,
  folio: Folio,
  entry: SwpEntry,
  shadow: number | null,
): void {
  const space = swap_address_space(k, entry);
  lockdep_assert_held(space.lock);
  VM_BUG_ON(
    !folio_test_locked(folio) || folio_test_writeback(folio),
    () => `frame ${folio.pfn} leaves the swap cache unlocked or while written`,
  );
  const old = shadow === null
    ? xa_erase(space.xa, swp_offset(entry))
    : xa_store(space.xa, swp_offset(entry), shadow);
  VM_BUG_ON(
    !sameFolio(old, folio),
    () => `frame ${folio.pfn} is not in the swap cache`,
  );
  folio.swap = 0 as SwpEntry;
  clearFlag(folio, PG_swapcache);
  space.nrpages--;
}

/**
 * clear_shadow_from_swap_cache() - the slots are free: nobody comes back.
 *
 * @param end the last slot, included
 *
 * Context: takes no lock: nobody pauses while he holds that of a space.
 */
export function clear_shadow_from_swap_cache(
  k: Kernel,
  type: number,
  begin: number,
  end: number,
): void {
  for (let offset = begin; offset <= end; offset++) {
    const { xa, lock } = swap_address_space(k, swp_entry(type, offset));
    VM_BUG_ON(lock.locked, () => `${lock.name} is held across a pause`);
    if (typeof xa_load(xa, offset) === "number") xa_erase(xa, offset);
  }
}

/**
 * delete_from_swap_cache() - the folio goes on without its slot.
 *
 * Context: folio locked, not under writeback.
 */
export function* delete_from_swap_cache(k: Kernel, folio: Folio): Task {
  enter(k.trace, "delete_from_swap_cache");
  const entry = folio.swap;
  const space = swap_address_space(k, entry);
  yield* spin_lock(space.lock);
  __delete_from_swap_cache(k, folio, entry, null);
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
 * @returns false if swap is full, or there is no memory for the cache
 *
 * Context: folio locked and up to date. Leaves it dirty: the slot holds
 * nothing yet.
 */
export function* add_to_swap(k: Kernel, folio: Folio): Task<boolean> {
  enter(k.trace, "add_to_swap");
  // Reclaim must not eat the last frames for the cache's own nodes.
  const gfp = __GFP_HIGH | __GFP_NOMEMALLOC;
  let entry: SwpEntry | null;
  for (;;) {
    entry = yield* folio_alloc_swap(k, folio);
    if (entry === null) return false;
    const { err } = yield* add_to_swap_cache(k, folio, entry, gfp);
    if (err === 0) break;
    yield* put_swap_folio(k, entry);
    // A reader took the new slot for a used one: the next, please.
    if (err !== -EEXIST) return false;
  }
  setFlag(folio, PG_dirty);
  tell(k, "add_to_swap", "the page has a slot and is in the swap cache", {
    folio,
    entry,
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
  gfp: number,
  skip_if_exists: boolean,
): Task<{ folio: Folio; isNew: boolean } | null> {
  enter(k.trace, "__read_swap_cache_async");
  const si = get_swap_device(k, entry);
  if (si === null) return null;
  const found = yield* findOrMake(k, entry, gfp, skip_if_exists);
  put_swap_device(si);
  return found;
}

function* findOrMake(
  k: Kernel,
  entry: SwpEntry,
  gfp: number,
  skip_if_exists: boolean,
): Task<{ folio: Folio; isNew: boolean } | null> {
  let fresh: Folio | null = null;
  for (;;) {
    const cached = yield* filemap_get_folio(k, entry);
    if (cached !== null) {
      if (fresh !== null) folio_put(k, fresh);
      return { folio: cached, isNew: false };
    }
    // Nobody needs the slot: it is being freed, or waits for that.
    const unneeded = (yield* __swap_count(k, entry)) === 0;
    if (unneeded && k.swap.swap_slot_cache_enabled) break;

    fresh ??= yield* folio_alloc(k, gfp);
    if (fresh === null) return null;

    const result = yield* swapcache_prepare(k, entry);
    if (result === 0) {
      const err = yield* addFreshFolio(k, fresh, entry, gfp);
      if (err === 0) return { folio: fresh, isNew: true };
      if (err !== -EEXIST) return null;
      fresh = null;
      continue;
    }
    if (result !== -EEXIST) break;
    if (skip_if_exists && k.proposals.skip_if_exists === "on") break;
    // Pinned, but not in the cache yet, or no longer: soon it will be.
    yield* schedule_timeout(k.clock, TICK_NSEC);
  }
  if (fresh !== null) folio_put(k, fresh);
  return null;
}

/** Into the cache and on the lists; else pin and folio are given back. */
function* addFreshFolio(
  k: Kernel,
  folio: Folio,
  entry: SwpEntry,
  gfp: number,
): Task<Errno> {
  folio_trylock(folio);
  setFlag(folio, PG_swapbacked);
  // To the group that the slot is recorded for.
  let err = yield* mem_cgroup_swapin_charge_folio(k, folio, null, gfp, entry);
  let shadow: number | null = null;
  if (err === 0) {
    ({ err, shadow } = yield* add_to_swap_cache(k, folio, entry, gfp));
  }
  if (err !== 0) {
    yield* put_swap_folio(k, entry);
    folio_unlock(folio);
    folio_put(k, folio);
    return err;
  }
  if (shadow !== null) workingset_refault(k, folio, shadow);
  folio_add_lru(k, folio);
  return 0;
}

/** What the cache holds, for reports. (/proc/meminfo: SwapCached.) */
export function swapCachePages(k: Kernel): number {
  let pages = 0;
  for (const si of k.swap_info) {
    for (const { nrpages } of si.swapper_spaces) pages += nrpages;
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
