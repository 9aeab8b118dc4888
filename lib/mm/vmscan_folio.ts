/**
 * Reclaim of single folios: stay, become active, or give the frame back.
 *
 * Each folio is looked at once, in the kernel's order of decisions: being
 * written or used since the last look → it stays; else it gets a slot, its
 * mappings are replaced by the slot's entry, its bytes are written, and when
 * nobody refers to it any more its frame is free. One that the program gave
 * up (MADV_FREE) and has not written since needs neither slot nor write.
 *
 * Kernel: mm/vmscan.c (v6.12), shrink_folio_list(). Differs: split off from
 * vmscan.c; no demotion, no mlock; with cgroup v2 nobody waits for the end of
 * a write (the third of the three writeback cases).
 */
import {
  type FolioList,
  lastEntryOrNull,
  list_add,
  list_del,
} from "./folio_list.ts";
import { VM_BUG_ON } from "../base/bug.ts";
import { spin_lock, spin_unlock } from "../locking/spinlock.ts";
import { makeOp, pause, type Task } from "../sim/task.ts";
import { enter } from "../sim/trace.ts";
import { count_memcg_folio_events } from "./memcontrol_stat.ts";
import { mem_cgroup_swap_full } from "./memcontrol_swap.ts";
import type { Folio, Kernel, MemCgroup, PgData } from "./mm_types.ts";
import {
  beforeTrylock,
  beforeUnlock,
  clearFlag,
  folio_is_file_lru,
  folio_mapped,
  folio_test_active,
  folio_test_anon,
  folio_test_dirty,
  folio_test_reclaim,
  folio_test_swapbacked,
  folio_test_swapcache,
  folio_test_writeback,
  folio_trylock,
  folio_unlock,
  folioOfObject,
  PG_active,
  PG_dirty,
  PG_reclaim,
  PG_referenced,
  setFlag,
  testAndClearFlag,
} from "./page_flags.ts";
import { __GFP_FS, __GFP_IO, free_unref_page } from "./page_alloc.ts";
import { AOP_WRITEPAGE_ACTIVATE, swap_writepage } from "./page_io.ts";
import { filemap_remove_folio } from "./shmem.ts";
import { shmem_writepage } from "./shmem_swap.ts";
import { folio_referenced, try_to_unmap } from "./rmap.ts";
import {
  __delete_from_swap_cache,
  add_to_swap,
  swapCacheLockOf,
} from "./swap_state.ts";
import { folio_free_swap, put_swap_folio } from "./swapfile.ts";
import { tell } from "./tell.ts";
import {
  current_is_kswapd,
  PGDAT_WRITEBACK,
  type ReclaimStat,
  type ScanControl,
} from "./vmscan_control.ts";
import { workingset_eviction } from "./workingset.ts";

/** Who looks at a list of folios, where, and what he met. */
export interface Batch {
  readonly pgdat: PgData;
  readonly sc: ScanControl;
  readonly stat: ReclaimStat;
  /** Reclaim them even if they were used (MADV_PAGEOUT). */
  readonly ignore_references: boolean;
}

/**
 * What became of a folio that was looked at: its frame is free; or it stays,
 * locked or not; or it stays, locked, and goes to the active list.
 */
type Fate = "reclaimed" | "keep" | "keep_locked" | "activate_locked";

/** What folio_check_references() says. (Linux: enum folio_references.) */
type References = "reclaim" | "reclaim_clean" | "keep" | "activate";

/** Nobody refers to the folio but the reclaimer and the swap cache. */
function is_page_cache_freeable(folio: Folio): boolean {
  const cached = folio_test_swapcache(folio) || folioOfObject(folio);
  return folio._refcount === 1 + (cached ? 1 : 0);
}

/** Its bytes may be written: swap needs only __GFP_IO, a file system more. */
function may_enter_fs(folio: Folio, gfp_mask: number): boolean {
  if ((gfp_mask & __GFP_FS) !== 0) return true;
  return folio_test_swapcache(folio) && (gfp_mask & __GFP_IO) !== 0;
}

/**
 * folio_check_references() - was it used since the last look?
 *
 * One use keeps the folio for one more round; a second one, or a use by
 * several processes at once, makes it active.
 */
function* folio_check_references(
  folio: Folio,
  target: MemCgroup | null,
): Task<References> {
  const referencedPtes = yield* folio_referenced(folio, target);
  const referencedFolio = testAndClearFlag(folio, PG_referenced);
  if (referencedPtes > 0) {
    setFlag(folio, PG_referenced);
    return referencedFolio || referencedPtes > 1 ? "activate" : "keep";
  }
  if (referencedFolio && folio_is_file_lru(folio)) return "reclaim_clean";
  return "reclaim";
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
  folio_list: FolioList,
  batch: Batch,
): Task<number> {
  enter(k.trace, "shrink_folio_list");
  const ret_folios: Folio[] = [];
  const resched = makeOp("resched", "cond_resched", batch.pgdat);
  let nr_reclaimed = 0;
  let folio = lastEntryOrNull(k, folio_list);
  for (; folio !== null; folio = lastEntryOrNull(k, folio_list)) {
    yield* pause(resched);
    list_del(folio);
    yield* beforeTrylock(folio);
    const fate = folio_trylock(folio)
      ? yield* shrinkOne(k, folio, batch)
      : "keep";
    if (fate === "reclaimed") {
      nr_reclaimed++;
      continue;
    }
    if (fate === "activate_locked") yield* activateLocked(k, folio, batch);
    if (fate !== "keep") {
      // Read in, and not mapped yet: whoever wants it may find it locked.
      if (folio.mapping === null) yield* beforeUnlock(folio);
      folio_unlock(folio);
    }
    ret_folios.push(folio);
  }
  for (const kept of ret_folios) list_add(kept, folio_list);
  k.vm_event.pgactivate += batch.stat.nr_activate;
  return nr_reclaimed;
}

/** One folio, locked, in the kernel's order of decisions. */
function* shrinkOne(k: Kernel, folio: Folio, batch: Batch): Task<Fate> {
  const { sc } = batch;
  VM_BUG_ON(folio_test_active(folio), "shrink_folio_list: folio is active");
  sc.nr_scanned++;
  if (!sc.may_unmap && folio_mapped(folio)) return "keep_locked";

  if (folio_test_writeback(folio)) return leaveToWriteback(k, folio, batch);

  const references = batch.ignore_references
    ? "reclaim"
    : yield* folio_check_references(folio, sc.target_mem_cgroup);
  if (references === "keep" || references === "activate") {
    tellKept(k, folio, references);
    return references === "activate" ? "activate_locked" : "keep_locked";
  }

  // #region steps-out
  // A slot of its own, unless its content may be lost, or it is being read
  // past the swap cache: then it has no mapping yet, and a slot already.
  const isPrivate = folio_test_anon(folio) && folio_test_swapbacked(folio);
  if (isPrivate && !folio_test_swapcache(folio)) {
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
    const written = yield* writeDirty(k, folio, references, batch);
    if (written !== "clean") return written;
  }
  return yield* freeClean(k, folio, sc);
  // #endregion
}

/**
 * It is being written: let the end of the write bring it back here.
 *
 * Kswapd counts the pages that it meets a second time while the node is known
 * to be full of such: it has to slow down.
 */
function leaveToWriteback(k: Kernel, folio: Folio, batch: Batch): Fate {
  const nodeIsBusy = (batch.pgdat.flags & PGDAT_WRITEBACK) !== 0;
  if (current_is_kswapd(k) && folio_test_reclaim(folio) && nodeIsBusy) {
    batch.stat.nr_immediate++;
  } else {
    setFlag(folio, PG_reclaim);
    batch.stat.nr_writeback++;
  }
  return "activate_locked";
}

function tellKept(k: Kernel, folio: Folio, references: References): void {
  const list = references === "activate" ? "active" : "inactive";
  tell(
    k,
    "folio_check_references",
    `used since the last look: stays, ${list}`,
    { folio },
  );
}

/** A dirty folio: may it be written here and now, and was it? */
function* writeDirty(
  k: Kernel,
  folio: Folio,
  references: References,
  { sc, stat }: Batch,
): Task<"clean" | Fate> {
  if (folio_is_file_lru(folio)) {
    setFlag(folio, PG_reclaim);
    return "activate_locked";
  }
  if (references === "reclaim_clean") return "keep_locked";
  if (!may_enter_fs(folio, sc.gfp_mask)) return "keep_locked";
  if (!sc.may_writepage) return "keep_locked";

  const result = yield* pageout(k, folio);
  if (result === "keep") return "keep_locked";
  if (result === "activate") return "activate_locked";
  if (result === "clean") return "clean";

  // Unlocked now: a disk is writing, or somebody took it into use again.
  stat.nr_pageout++;
  if (folio_test_writeback(folio) || folio_test_dirty(folio)) return "keep";
  yield* beforeTrylock(folio);
  if (!folio_trylock(folio)) return "keep";
  if (folio_test_dirty(folio) || folio_test_writeback(folio)) {
    return "keep_locked";
  }
  return "clean";
}

/**
 * pageout() - write a dirty folio.
 *
 * @returns "success": begun, or done already, and the folio is unlocked;
 *   "clean": there was nothing to write; "keep", "activate": it stays. All but
 *   "success" leave the folio locked. (Linux: enum pageout_t.)
 */
function* pageout(
  k: Kernel,
  folio: Folio,
): Task<"keep" | "activate" | "success" | "clean"> {
  enter(k.trace, "pageout");
  if (!is_page_cache_freeable(folio)) return "keep";
  const shared = folioOfObject(folio);
  if (!folio_test_swapcache(folio) && !shared) return "keep";
  if (!testAndClearFlag(folio, PG_dirty)) return "clean";
  setFlag(folio, PG_reclaim);
  const result = shared
    ? yield* shmem_writepage(k, folio)
    : yield* swap_writepage(k, folio);
  if (result === AOP_WRITEPAGE_ACTIVATE) {
    clearFlag(folio, PG_reclaim);
    return "activate";
  }
  // Nothing is under way: nobody would take the flag off.
  if (!folio_test_writeback(folio)) clearFlag(folio, PG_reclaim);
  return "success";
}

/** A clean folio that nothing maps: its frame is free, if nobody has it. */
function* freeClean(k: Kernel, folio: Folio, sc: ScanControl): Task<Fate> {
  if (!folio_test_swapbacked(folio)) {
    if (folio._refcount !== 1) return "keep_locked";
    k.vm_event.pglazyfreed++;
    count_memcg_folio_events(folio, "pglazyfreed", 1);
  } else if (!(yield* __remove_mapping(k, folio, sc.target_mem_cgroup))) {
    return "keep_locked";
  }
  folio_unlock(folio);
  folio._refcount = 0;
  free_unref_page(k, folio);
  return "reclaimed";
}

/**
 * __remove_mapping() - take a folio that nobody uses out of the swap cache.
 *
 * Its place keeps a shadow, so that a return can be judged.
 *
 * @returns false if somebody uses it after all, or it is dirty again
 *
 * Context: folio locked. The caller's reference is the last one afterwards.
 */
function* __remove_mapping(
  k: Kernel,
  folio: Folio,
  target: MemCgroup | null,
): Task<boolean> {
  enter(k.trace, "__remove_mapping");
  if (folioOfObject(folio)) {
    return yield* filemap_remove_folio(
      k,
      folio,
      () => is_page_cache_freeable(folio) && !folio_test_dirty(folio),
    );
  }
  if (!folio_test_swapcache(folio)) return false;
  const lock = swapCacheLockOf(k, folio);
  yield* spin_lock(lock);
  // The users first: one who leaves may have made it dirty before.
  if (!is_page_cache_freeable(folio) || folio_test_dirty(folio)) {
    spin_unlock(lock);
    return false;
  }
  const entry = folio.swap;
  const shadow = workingset_eviction(k, folio, target);
  __delete_from_swap_cache(k, folio, entry, shadow);
  spin_unlock(lock);
  tell(k, "__remove_mapping", "the frame is free; only the slot has the page", {
    folio,
    entry,
  });
  yield* put_swap_folio(k, entry);
  return true;
}

/** It stays in memory: active, and without its slot if swap is scarce. */
function* activateLocked(k: Kernel, folio: Folio, { stat }: Batch): Task {
  if (folio_test_swapcache(folio) && mem_cgroup_swap_full(k, folio)) {
    yield* folio_free_swap(k, folio);
  }
  setFlag(folio, PG_active);
  stat.nr_activate++;
  count_memcg_folio_events(folio, "pgactivate", 1);
}
