/**
 * Reclaim of one list: take a batch from its tail, judge it, put the rest back.
 *
 * Folios that leave the inactive list go to shrink_folio_list(); those that
 * leave the active list become inactive and lose their accessed bits.
 *
 * Kernel: mm/vmscan.c (v6.12). Differs: split off from vmscan.c; as many
 * tasks as like may have folios off the lists at once.
 */
import {
  type FolioList,
  lastEntryOrNull,
  list_add,
  list_del,
  list_empty,
  list_move,
  makeFolioList,
} from "./folio_list.ts";
import { spin_lock, spin_unlock } from "../locking/spinlock.ts";
import { makeOp, pause, type Task } from "../sim/task.ts";
import { enter } from "../sim/trace.ts";
import {
  folio_add_lru,
  LRU_ACTIVE_ANON,
  LRU_ACTIVE_FILE,
  LRU_INACTIVE_FILE,
  lru_note_cost,
  lruDelete,
  lruvec_page_state,
} from "./lru.ts";
import { count_memcg_events } from "./memcontrol_stat.ts";
import type { Kernel, Lruvec } from "./mm_types.ts";
import { folio_put } from "./page_alloc.ts";
import {
  clearFlag,
  folio_get,
  folio_mapped,
  folio_test_active,
  PG_active,
  PG_workingset,
  setFlag,
} from "./page_flags.ts";
import { folio_referenced } from "./rmap.ts";
import {
  cgroup_reclaim,
  current_is_kswapd,
  DEACTIVATE_ANON,
  DEACTIVATE_FILE,
  makeReclaimStat,
  type ScanControl,
} from "./vmscan_control.ts";
import { shrink_folio_list } from "./vmscan_folio.ts";
import { workingset_age_nonresident } from "./workingset.ts";

/** A list, and how many folios of it to look at. */
export interface ListScan {
  readonly lru: number;
  readonly nr_to_scan: number;
}

export function is_active_lru(lru: number): boolean {
  return lru === LRU_ACTIVE_ANON || lru === LRU_ACTIVE_FILE;
}

export function is_file_lru(lru: number): boolean {
  return lru === LRU_INACTIVE_FILE || lru === LRU_ACTIVE_FILE;
}

interface Isolated {
  readonly folios: FolioList;
  readonly nr_taken: number;
  readonly nr_scanned: number;
}

/**
 * isolate_lru_folios() - take folios from the tail of a list, each with a
 * reference. One that must not be unmapped goes to the head instead.
 *
 * Context: the LRU lock is held.
 */
function isolate_lru_folios(
  k: Kernel,
  lruvec: Lruvec,
  sc: ScanControl,
  { lru, nr_to_scan }: ListScan,
): Isolated {
  const src = lruvec.lists[lru]!;
  const folios = makeFolioList();
  let nr_taken = 0;
  let nr_scanned = 0;
  for (; nr_scanned < nr_to_scan && !list_empty(src); nr_scanned++) {
    const folio = lastEntryOrNull(k, src)!;
    if (!sc.may_unmap && folio_mapped(folio)) {
      list_move(folio, src);
      continue;
    }
    folio_get(folio);
    lruDelete(k, folio);
    list_add(folio, folios);
    nr_taken++;
  }
  return { folios, nr_taken, nr_scanned };
}

/**
 * move_folios_to_lru() - back to the lists that their flags name; the last
 * reference frees.
 *
 * Context: the LRU lock is held.
 * @returns how many are on a list now
 */
function move_folios_to_lru(
  k: Kernel,
  lruvec: Lruvec,
  list: FolioList,
): number {
  let nr_moved = 0;
  while (!list_empty(list)) {
    const folio = lastEntryOrNull(k, list)!;
    list_del(folio);
    if (folio._refcount > 1) {
      folio_add_lru(k, folio);
      nr_moved++;
      if (folio_test_active(folio)) workingset_age_nonresident(lruvec, 1);
    }
    folio_put(k, folio);
  }
  return nr_moved;
}

/** Count `nr` folios scanned or stolen: by whom, of which kind, of whom. */
function countReclaim(
  k: Kernel,
  { memcg }: Lruvec,
  sc: ScanControl,
  [what, lru, nr]: ["pgscan" | "pgsteal", number, number],
): void {
  const who = current_is_kswapd(k) ? "kswapd" : "direct";
  if (!cgroup_reclaim(sc)) k.vm_event[`${what}_${who}`] += nr;
  count_memcg_events(memcg, `${what}_${who}`, nr);
  k.vm_event[`${what}_${is_file_lru(lru) ? "file" : "anon"}`] += nr;
}

/**
 * shrink_inactive_list() - try to free the folios at the tail.
 *
 * @returns how many frames were freed
 */
function* shrink_inactive_list(
  k: Kernel,
  lruvec: Lruvec,
  sc: ScanControl,
  scan: ListScan,
): Task<number> {
  enter(k.trace, "shrink_inactive_list");
  yield* spin_lock(lruvec.lru_lock);
  const isolated = isolate_lru_folios(k, lruvec, sc, scan);
  const { folios, nr_taken, nr_scanned } = isolated;
  countReclaim(k, lruvec, sc, ["pgscan", scan.lru, nr_scanned]);
  spin_unlock(lruvec.lru_lock);
  if (nr_taken === 0) return 0;

  const stat = makeReclaimStat();
  const { pgdat } = lruvec;
  const batch = { pgdat, sc, stat, ignore_references: false };
  const nr_reclaimed = yield* shrink_folio_list(k, folios, batch);

  yield* spin_lock(lruvec.lru_lock);
  move_folios_to_lru(k, lruvec, folios);
  countReclaim(k, lruvec, sc, ["pgsteal", scan.lru, nr_reclaimed]);
  spin_unlock(lruvec.lru_lock);

  const file = is_file_lru(scan.lru);
  lru_note_cost(lruvec, file, stat.nr_pageout, nr_scanned - nr_reclaimed);
  sc.nr.writeback += stat.nr_writeback;
  sc.nr.immediate += stat.nr_immediate;
  sc.nr.taken += nr_taken;
  return nr_reclaimed;
}

/** The oldest active folios become inactive; their accessed bits are lost. */
export function* shrink_active_list(
  k: Kernel,
  lruvec: Lruvec,
  sc: ScanControl,
  scan: ListScan,
): Task {
  yield* spin_lock(lruvec.lru_lock);
  const isolated = isolate_lru_folios(k, lruvec, sc, scan);
  const { folios: l_hold, nr_scanned } = isolated;
  if (!cgroup_reclaim(sc)) k.vm_event.pgrefill += nr_scanned;
  count_memcg_events(lruvec.memcg, "pgrefill", nr_scanned);
  spin_unlock(lruvec.lru_lock);

  const resched = makeOp("resched", "cond_resched", lruvec);
  const l_inactive = makeFolioList();
  while (!list_empty(l_hold)) {
    yield* pause(resched);
    const folio = lastEntryOrNull(k, l_hold)!;
    list_del(folio);
    yield* folio_referenced(folio, sc.target_mem_cgroup);
    clearFlag(folio, PG_active);
    setFlag(folio, PG_workingset);
    list_add(folio, l_inactive);
  }
  yield* spin_lock(lruvec.lru_lock);
  const nr_deactivate = move_folios_to_lru(k, lruvec, l_inactive);
  k.vm_event.pgdeactivate += nr_deactivate;
  count_memcg_events(lruvec.memcg, "pgdeactivate", nr_deactivate);
  spin_unlock(lruvec.lru_lock);
}

/**
 * shrink_list() - one step on one list: free from an inactive one, age an
 * active one if there are too few inactive ones.
 *
 * @returns how many frames were freed
 */
export function* shrink_list(
  k: Kernel,
  lruvec: Lruvec,
  sc: ScanControl,
  scan: ListScan,
): Task<number> {
  if (!is_active_lru(scan.lru)) {
    return yield* shrink_inactive_list(k, lruvec, sc, scan);
  }
  const kind = is_file_lru(scan.lru) ? DEACTIVATE_FILE : DEACTIVATE_ANON;
  if ((sc.may_deactivate & kind) === 0) sc.skipped_deactivate = true;
  else yield* shrink_active_list(k, lruvec, sc, scan);
  return 0;
}

/**
 * inactive_is_low() - too few inactive folios, of the group and all below it,
 * to tell the used from the unused.
 *
 * @param inactive_lru LRU_INACTIVE_ANON or LRU_INACTIVE_FILE
 */
export function inactive_is_low(lruvec: Lruvec, inactive_lru: number): boolean {
  const inactive = lruvec_page_state(lruvec, inactive_lru);
  const active = lruvec_page_state(lruvec, inactive_lru + 1);
  const gigabytes = (inactive + active) >> 18;
  const ratio = gigabytes > 0 ? Math.floor(Math.sqrt(10 * gigabytes)) : 1;
  return inactive * ratio < active;
}
