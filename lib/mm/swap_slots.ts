/**
 * Per-CPU caches of slots: 64 to give out, 64 to give back.
 *
 * A refill takes 64 slots under one si.lock, and 64 freed slots go back under
 * one. Both kinds count as in use meanwhile, their bytes read 0x40 (those to
 * give out: pinUsage()), and no folio stands behind them. Freed slots are never
 * given out again from here: they go back to their device first.
 *
 * The caches work only while there are many free slots: active from 320 per
 * CPU, inactive below 128. `enabled` is another matter: there is swap, and
 * swapoff is not under way.
 *
 * Kernel: mm/swap_slots.c, include/linux/swap_slots.h (v6.12). Differs: the
 * arrays are there from the start; CPUs neither come nor go.
 */
import { plist_head_empty } from "../base/plist.ts";
import { mutex_lock, mutex_unlock } from "../locking/mutex.ts";
import { spin_lock, spin_unlock } from "../locking/spinlock.ts";
import type { Task } from "../sim/task.ts";
import { enter } from "../sim/trace.ts";
import {
  mem_cgroup_try_charge_swap,
  mem_cgroup_uncharge_swap,
} from "./memcontrol_swap.ts";
import type { Folio, Kernel } from "./mm_types.ts";
import { SWAP_BATCH } from "./swap.ts";
import { get_swap_pages, swapcache_free_entries } from "./swap_alloc.ts";
import type { SwapSlotsCache } from "./swap_info.ts";
import { put_swap_folio } from "./swapfile.ts";
import type { SwpEntry } from "./swapops.ts";
import { zswap_invalidate } from "./zswap.ts";

export const SWAP_SLOTS_CACHE_SIZE = SWAP_BATCH;
/** Free slots per CPU above which the caches become active. */
export const THRESHOLD_ACTIVATE_SWAP_SLOTS_CACHE = 5 * SWAP_SLOTS_CACHE_SIZE;
/** Free slots per CPU below which they are given back. */
export const THRESHOLD_DEACTIVATE_SWAP_SLOTS_CACHE = 2 * SWAP_SLOTS_CACHE_SIZE;

function use_swap_slot_cache({ swap }: Kernel): boolean {
  return swap.swap_slot_cache_active && swap.swap_slot_cache_enabled;
}

function thisCpu(k: Kernel): SwapSlotsCache {
  return k.swap.swp_slots[k.current.cpu]!;
}

/**
 * folio_alloc_swap() - a slot for a folio that is about to be swapped out,
 * charged to the folio's group.
 *
 * @returns its entry, the byte pinUsage() (pinned, no users); null if swap is full,
 *   or the group's part of it
 */
export function* folio_alloc_swap(
  k: Kernel,
  folio: Folio,
): Task<SwpEntry | null> {
  enter(k.trace, "folio_alloc_swap");
  const entry = yield* takeSlot(k);
  if (mem_cgroup_try_charge_swap(k, folio, entry) === 0) return entry;
  if (entry !== null) yield* put_swap_folio(k, entry);
  return null;
}

function* takeSlot(k: Kernel): Task<SwpEntry | null> {
  const cached = (yield* check_cache_active(k)) ? yield* takeCached(k) : null;
  if (cached !== null) return cached;
  const entries: SwpEntry[] = [];
  yield* get_swap_pages(k, 1, entries);
  return entries[0] ?? null;
}

/** The next slot of this CPU's cache, refilled if it is empty; or null. */
function* takeCached(k: Kernel): Task<SwpEntry | null> {
  const cache = thisCpu(k);
  yield* mutex_lock(cache.alloc_lock);
  let entry: SwpEntry | null = null;
  if (cache.nr > 0 || (yield* refill_swap_slots_cache(k, cache)) > 0) {
    entry = cache.slots[cache.cur++]!;
    cache.nr--;
  }
  mutex_unlock(cache.alloc_lock);
  return entry;
}

/** Context: `alloc_lock` is held. */
function* refill_swap_slots_cache(
  k: Kernel,
  cache: SwapSlotsCache,
): Task<number> {
  if (!use_swap_slot_cache(k)) return 0;
  cache.cur = 0;
  cache.nr = yield* get_swap_pages(k, SWAP_SLOTS_CACHE_SIZE, cache.slots);
  return cache.nr;
}

/** Are the caches in use? Looks at the free slots, with a margin. */
function* check_cache_active(k: Kernel): Task<boolean> {
  const { swap } = k;
  if (!swap.swap_slot_cache_enabled) return false;
  if (!swap.swap_slot_cache_active) {
    const enough = k.nr_cpus * THRESHOLD_ACTIVATE_SWAP_SLOTS_CACHE;
    if (k.nr_swap_pages > enough) yield* setActive(k, true);
  } else {
    const enough = k.nr_cpus * THRESHOLD_DEACTIVATE_SWAP_SLOTS_CACHE;
    if (k.nr_swap_pages < enough) yield* setActive(k, false);
  }
  return swap.swap_slot_cache_active;
}

/** (Linux: reactivate_, deactivate_swap_slots_cache().) */
function* setActive(k: Kernel, active: boolean): Task {
  const { swap } = k;
  yield* mutex_lock(swap.swap_slots_cache_mutex);
  swap.swap_slot_cache_active = active;
  if (!active) yield* __drain_swap_slots_cache(k);
  mutex_unlock(swap.swap_slots_cache_mutex);
}

/** Every slot of every cache goes back to its device. */
function* __drain_swap_slots_cache(k: Kernel): Task {
  for (const cache of k.swap.swp_slots) {
    yield* mutex_lock(cache.alloc_lock);
    const unused = cache.slots.slice(cache.cur, cache.cur + cache.nr);
    yield* giveBack(k, unused);
    cache.cur = 0;
    cache.nr = 0;
    mutex_unlock(cache.alloc_lock);
    yield* spin_lock(cache.free_lock);
    yield* flushReturned(k, cache);
    spin_unlock(cache.free_lock);
  }
}

/**
 * Slots that nobody got. Where a pin is one more user, that has to go first,
 * and a reader may have come since.
 */
function* giveBack(k: Kernel, unused: readonly SwpEntry[]): Task {
  if (k.proposals.swap_map_cache_flag === "on") {
    return yield* swapcache_free_entries(k, unused);
  }
  for (const entry of unused) yield* put_swap_folio(k, entry);
}

/** Context: `free_lock` is held. */
function* flushReturned(k: Kernel, cache: SwapSlotsCache): Task {
  yield* swapcache_free_entries(k, cache.slots_ret.slice(0, cache.n_ret));
  cache.n_ret = 0;
}

/**
 * free_swap_slot() - nobody needs the slot any more.
 *
 * Its byte reads 0x40, so nobody can take it meanwhile: that is why zswap's
 * copy may be dropped without si.lock. The slot itself waits in the cache
 * until 64 others have come.
 *
 * Context: does not sleep: page-table locks may be held.
 */
export function* free_swap_slot(k: Kernel, entry: SwpEntry): Task {
  enter(k.trace, "free_swap_slot");
  yield* forgetSlot(k, entry);
  const cache = thisCpu(k);
  if (use_swap_slot_cache(k)) {
    yield* spin_lock(cache.free_lock);
    // Somebody may have drained the caches meanwhile.
    if (use_swap_slot_cache(k)) {
      if (cache.n_ret >= SWAP_SLOTS_CACHE_SIZE) yield* flushReturned(k, cache);
      cache.slots_ret[cache.n_ret++] = entry;
      spin_unlock(cache.free_lock);
      return;
    }
    spin_unlock(cache.free_lock);
  }
  yield* swapcache_free_entries(k, [entry]);
}

/**
 * What goes when a slot loses its last user, before it is really free. (Ours:
 * in Linux it stands here and at two places that go round the cache.)
 */
export function* forgetSlot(k: Kernel, entry: SwpEntry): Task {
  if (k.proposals.zswap_invalidate_at === "free_swap_slot") {
    yield* zswap_invalidate(k, entry);
  }
  if (k.proposals.memcg_uncharge_at === "free_swap_slot") {
    mem_cgroup_uncharge_swap(k, entry, 1);
  }
}

/** Nobody may use the caches: a device is being taken away. */
export function* disable_swap_slots_cache_lock(k: Kernel): Task {
  yield* mutex_lock(k.swap.swap_slots_cache_enable_mutex);
  k.swap.swap_slot_cache_enabled = false;
  yield* __drain_swap_slots_cache(k);
}

/** The other half of disable_swap_slots_cache_lock(). */
export function reenable_swap_slots_cache_unlock(k: Kernel): void {
  __reenable_swap_slots_cache(k);
  mutex_unlock(k.swap.swap_slots_cache_enable_mutex);
}

function __reenable_swap_slots_cache(k: Kernel): void {
  k.swap.swap_slot_cache_enabled = k.proposals.swap_slot_cache === "on" &&
    has_usable_swap(k);
}

/** There is a device, full or not. */
export function has_usable_swap({ swap }: Kernel): boolean {
  return !plist_head_empty(swap.swap_active_head);
}

/**
 * A device was added. While another is taken away the caches stay off: who does
 * that enables them at the end. (Linux waits for that here.)
 */
export function enable_swap_slots_cache(k: Kernel): void {
  if (k.swap.swap_slots_cache_enable_mutex.locked) return;
  __reenable_swap_slots_cache(k);
}
