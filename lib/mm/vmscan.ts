/**
 * Reclaim: which pages leave memory, and how.
 *
 * Pages are taken from the tail of the inactive list, 32 at a time. Each is
 * looked at once: used since the last look → it stays; else it gets a slot,
 * its mappings are replaced by the slot's entry, its bytes are written, and
 * when nobody refers to it any more its frame is free. A page that zswap took
 * is free in the same pass; one that a disk has to write is met again later.
 *
 * Kernel: mm/vmscan.c (v6.12). Differs: classic lists (no multi-generational
 * LRU), anonymous pages only, no cgroups, no demotion, no throttling.
 */
import {
  entriesOf,
  INIT_LIST_HEAD,
  lastEntryOrNull,
  list_add,
  list_del,
  list_empty,
  type ListHead,
} from "../base/list.ts";
import { spin_lock, spin_unlock } from "../locking/spinlock.ts";
import { schedule_timeout } from "../locking/wait.ts";
import { TICK_NSEC } from "../sim/clock.ts";
import type { Task } from "../sim/task.ts";
import { emit } from "../sim/trace.ts";
import { folio_add_lru, lruDelete } from "./lru.ts";
import type { Folio, Kernel } from "./mm_types.ts";
import {
  clearFlag,
  folio_get,
  folio_mapped,
  folio_test_dirty,
  folio_test_swapcache,
  folio_test_writeback,
  folio_trylock,
  folio_unlock,
  PG_active,
  PG_dirty,
  PG_reclaim,
  PG_referenced,
  setFlag,
  testAndClearFlag,
} from "./page_flags.ts";
import {
  __GFP_IO,
  folio_put,
  free_unref_page,
  GFP_KERNEL,
  nr_free_pages,
  PF_KSWAPD,
  PF_MEMALLOC,
} from "./page_alloc.ts";
import { swap_writepage } from "./page_io.ts";
import { folio_referenced, try_to_unmap } from "./rmap.ts";
import { SWAP_CLUSTER_MAX } from "./swap.ts";
import {
  __delete_from_swap_cache,
  add_to_swap,
  swapCacheLockOf,
} from "./swap_state.ts";
import { folio_free_swap, put_swap_folio, vm_swap_full } from "./swapfile.ts";
import { entryName } from "./swapops.ts";

/** The first priority: look at 1/4096 of the list. 0 looks at all of it. */
export const DEF_PRIORITY = 12;

/** What one reclaimer wants and has done. */
export interface ScanControl {
  readonly nr_to_reclaim: number;
  readonly gfp_mask: number;
  priority: number;
  nr_scanned: number;
  nr_reclaimed: number;
  /** Folios of the current batch that are being written. */
  nr_writeback: number;
}

/**
 * What became of a folio that was looked at: its frame is free; or it stays,
 * locked or not; or it stays, locked, and goes to the active list.
 */
type Fate = "reclaimed" | "keep" | "keep_locked" | "activate_locked";

function current_is_kswapd(k: Kernel): boolean {
  return (k.current.flags & PF_KSWAPD) !== 0;
}

/** Nobody refers to the folio but the reclaimer and the swap cache. */
function is_page_cache_freeable(folio: Folio): boolean {
  return folio._refcount === 1 + (folio_test_swapcache(folio) ? 1 : 0);
}

/**
 * folio_check_references() - was it used since the last look?
 *
 * One use keeps the folio for one more round; a second one, or a use by
 * several processes at once, makes it active.
 */
function* folio_check_references(
  folio: Folio,
): Task<"reclaim" | "keep_locked" | "activate_locked"> {
  const referencedPtes = yield* folio_referenced(folio);
  const referencedFolio = testAndClearFlag(folio, PG_referenced);
  if (referencedPtes === 0) return "reclaim";
  setFlag(folio, PG_referenced);
  if (referencedFolio || referencedPtes > 1) return "activate_locked";
  return "keep_locked";
}

/**
 * shrink_folio_list() - try to free every folio of a private list.
 *
 * Freed ones leave the list; what is left is for the caller to put back.
 *
 * @returns how many frames were freed
 *
 * Context: each folio has a reference of the caller's and is on no LRU list.
 */
export function* shrink_folio_list(
  k: Kernel,
  folio_list: ListHead<Folio>,
  sc: ScanControl,
): Task<number> {
  const ret_folios: Folio[] = [];
  let nr_reclaimed = 0;
  let folio = lastEntryOrNull(folio_list);
  for (; folio !== null; folio = lastEntryOrNull(folio_list)) {
    list_del(folio.lru);
    const fate = folio_trylock(folio) ? yield* shrinkOne(k, folio, sc) : "keep";
    if (fate === "reclaimed") {
      nr_reclaimed++;
      continue;
    }
    if (fate === "activate_locked") yield* activateLocked(k, folio);
    if (fate !== "keep") folio_unlock(folio);
    ret_folios.push(folio);
  }
  for (const kept of ret_folios) list_add(kept.lru, folio_list);
  return nr_reclaimed;
}

/** One folio, locked, in the kernel's order of decisions. */
function* shrinkOne(k: Kernel, folio: Folio, sc: ScanControl): Task<Fate> {
  sc.nr_scanned++;

  // It is being written: let the end of the write bring it back here.
  if (folio_test_writeback(folio)) {
    setFlag(folio, PG_reclaim);
    sc.nr_writeback++;
    return "activate_locked";
  }

  const references = yield* folio_check_references(folio);
  if (references !== "reclaim") {
    tellKept(k, folio, references);
    return references;
  }

  // A slot of its own.
  if (!folio_test_swapcache(folio)) {
    if ((sc.gfp_mask & __GFP_IO) === 0) return "keep_locked";
    if (!(yield* add_to_swap(k, folio))) return "activate_locked";
  }

  // Nobody may reach it any more but through the slot.
  if (folio_mapped(folio)) {
    yield* try_to_unmap(k, folio);
    if (folio_mapped(folio)) return "activate_locked";
  }

  // Its bytes to where the slot finds them.
  if (folio_test_dirty(folio)) {
    const written = yield* pageout(k, folio);
    if (written !== "clean") return written;
  }

  if (!(yield* __remove_mapping(k, folio))) return "keep_locked";
  folio_unlock(folio);
  folio._refcount = 0;
  free_unref_page(k, folio);
  return "reclaimed";
}

function tellKept(k: Kernel, folio: Folio, fate: Fate): void {
  const list = fate === "activate_locked" ? "active" : "inactive";
  emit(k.trace, {
    time: k.clock.now,
    fn: "folio_check_references",
    what: `used since the last look: stays, ${list}`,
    pfn: folio.pfn,
  });
}

/**
 * pageout() - write a dirty folio.
 *
 * @returns "clean" and the folio locked if the bytes are safe already;
 *   otherwise what becomes of the folio
 */
function* pageout(k: Kernel, folio: Folio): Task<"clean" | Fate> {
  if (!is_page_cache_freeable(folio)) return "keep_locked";
  clearFlag(folio, PG_dirty);
  setFlag(folio, PG_reclaim);
  yield* swap_writepage(k, folio);
  if (!folio_test_writeback(folio)) clearFlag(folio, PG_reclaim);

  // Unlocked now: a disk is writing, or somebody took it into use again.
  if (folio_test_writeback(folio) || folio_test_dirty(folio)) return "keep";
  if (!folio_trylock(folio)) return "keep";
  if (folio_test_writeback(folio) || folio_test_dirty(folio)) {
    return "keep_locked";
  }
  return "clean";
}

/**
 * __remove_mapping() - take a folio that nobody uses out of the swap cache.
 *
 * @returns false if somebody uses it after all, or it is dirty again
 *
 * Context: folio locked. The caller's reference is the last one afterwards.
 */
function* __remove_mapping(k: Kernel, folio: Folio): Task<boolean> {
  if (!folio_test_swapcache(folio)) return false;
  const lock = swapCacheLockOf(k, folio);
  yield* spin_lock(lock);
  if (!is_page_cache_freeable(folio) || folio_test_dirty(folio)) {
    spin_unlock(lock);
    return false;
  }
  const entry = folio.swap;
  __delete_from_swap_cache(k, folio);
  spin_unlock(lock);
  emit(k.trace, {
    time: k.clock.now,
    fn: "__remove_mapping",
    what: "the frame is free; only the slot has the page",
    pfn: folio.pfn,
    slot: entryName(entry),
  });
  yield* put_swap_folio(k, entry);
  return true;
}

/** It stays in memory: active, and without its slot if swap is scarce. */
function* activateLocked(k: Kernel, folio: Folio): Task {
  if (folio_test_swapcache(folio) && vm_swap_full(k)) {
    yield* folio_free_swap(k, folio);
  }
  setFlag(folio, PG_active);
  k.vm_event.pgactivate++;
}

/**
 * Take up to `count` folios from the tail of a list, each with a reference.
 * (Linux: isolate_lru_folios().)
 */
function* isolate_lru_folios(
  k: Kernel,
  list: ListHead<Folio>,
  count: number,
): Task<ListHead<Folio>> {
  const taken = INIT_LIST_HEAD<Folio>();
  yield* spin_lock(k.lruvec.lru_lock);
  for (let i = 0; i < count; i++) {
    const folio = lastEntryOrNull(list);
    if (folio === null) break;
    folio_get(folio);
    lruDelete(k, folio);
    list_add(folio.lru, taken);
  }
  spin_unlock(k.lruvec.lru_lock);
  return taken;
}

/** Back to the lists that their flags name; the last reference frees. */
function* move_folios_to_lru(k: Kernel, list: ListHead<Folio>): Task {
  yield* spin_lock(k.lruvec.lru_lock);
  while (!list_empty(list)) {
    const folio = lastEntryOrNull(list)!;
    list_del(folio.lru);
    if (folio._refcount > 1) folio_add_lru(k, folio);
    folio_put(k, folio);
  }
  spin_unlock(k.lruvec.lru_lock);
}

function* shrink_inactive_list(
  k: Kernel,
  count: number,
  sc: ScanControl,
): Task<number> {
  const { inactive_anon } = k.lruvec;
  const folios = yield* isolate_lru_folios(k, inactive_anon, count);
  const scannedBefore = sc.nr_scanned;
  sc.nr_writeback = 0;
  const reclaimed = yield* shrink_folio_list(k, folios, sc);
  yield* move_folios_to_lru(k, folios);

  const scanned = sc.nr_scanned - scannedBefore;
  if (current_is_kswapd(k)) {
    k.vm_event.pgscan_kswapd += scanned;
    k.vm_event.pgsteal_kswapd += reclaimed;
  } else {
    k.vm_event.pgscan_direct += scanned;
    k.vm_event.pgsteal_direct += reclaimed;
  }
  // All of them wait for the disk: so do we.
  if (scanned > 0 && sc.nr_writeback === scanned) {
    yield* schedule_timeout(k.clock, TICK_NSEC);
  }
  return reclaimed;
}

/** The oldest active folios become inactive; their accessed bits are lost. */
function* shrink_active_list(k: Kernel, count: number): Task {
  const folios = yield* isolate_lru_folios(k, k.lruvec.active_anon, count);
  for (const folio of [...entriesOf(folios)]) {
    yield* folio_referenced(folio);
    clearFlag(folio, PG_active);
    k.vm_event.pgdeactivate++;
  }
  yield* move_folios_to_lru(k, folios);
}

/** Too few inactive folios to tell the used from the unused. */
export function inactive_is_low(k: Kernel): boolean {
  const { nr_inactive_anon, nr_active_anon } = k.lruvec;
  const gigabytes = (nr_inactive_anon + nr_active_anon) >> 18;
  const ratio = gigabytes > 0 ? Math.floor(Math.sqrt(10 * gigabytes)) : 1;
  return nr_inactive_anon * ratio < nr_active_anon;
}

/** One pass over the part of the lists that the priority allows. */
function* shrink_lruvec(k: Kernel, sc: ScanControl): Task {
  if (k.nr_swap_pages <= 0) return;
  let inactive = k.lruvec.nr_inactive_anon >> sc.priority;
  let active = k.lruvec.nr_active_anon >> sc.priority;
  const mayDeactivate = inactive_is_low(k);
  while (inactive > 0) {
    const batch = Math.min(inactive, SWAP_CLUSTER_MAX);
    inactive -= batch;
    sc.nr_reclaimed += yield* shrink_inactive_list(k, batch, sc);
    const toAge = Math.min(active, SWAP_CLUSTER_MAX);
    active -= toAge;
    if (mayDeactivate && toAge > 0) yield* shrink_active_list(k, toAge);
    if (sc.nr_reclaimed >= sc.nr_to_reclaim) break;
  }
  if (inactive_is_low(k)) yield* shrink_active_list(k, SWAP_CLUSTER_MAX);
}

function scanControl(nr_to_reclaim: number, gfp_mask: number): ScanControl {
  const done = { nr_scanned: 0, nr_reclaimed: 0, nr_writeback: 0 };
  return { nr_to_reclaim, gfp_mask, priority: DEF_PRIORITY, ...done };
}

/**
 * try_to_free_pages() - direct reclaim, by whoever wants memory.
 *
 * @returns frames freed; it stops at 32, or when all was looked at in vain
 */
export function* try_to_free_pages(k: Kernel, gfp: number): Task<number> {
  const sc = scanControl(SWAP_CLUSTER_MAX, gfp);
  const flags = k.current.flags;
  k.current.flags |= PF_MEMALLOC;
  for (; sc.priority >= 0; sc.priority--) {
    yield* shrink_lruvec(k, sc);
    if (sc.nr_reclaimed >= sc.nr_to_reclaim) break;
  }
  k.current.flags = flags;
  return sc.nr_reclaimed;
}

/**
 * balance_pgdat() - kswapd: free memory up to the high watermark.
 *
 * Goes from priority 12 to 1; a pass that freed something and looked at enough
 * is tried again at the same priority.
 */
export function* balance_pgdat(k: Kernel): Task {
  const { high } = k.zone.watermark;
  const sc = scanControl(Math.max(high, SWAP_CLUSTER_MAX), GFP_KERNEL);
  k.vm_event.pageoutrun++;
  while (sc.priority >= 1 && nr_free_pages(k) < high) {
    if (inactive_is_low(k)) yield* shrink_active_list(k, SWAP_CLUSTER_MAX);
    const before = sc.nr_reclaimed;
    const scannedBefore = sc.nr_scanned;
    sc.nr_reclaimed = 0;
    yield* shrink_lruvec(k, sc);
    const scanned = sc.nr_scanned - scannedBefore;
    if (scanned < sc.nr_to_reclaim || sc.nr_reclaimed === 0) sc.priority--;
    sc.nr_reclaimed += before;
  }
}
