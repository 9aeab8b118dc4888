/**
 * What one reclaimer wants, may do, and has done so far.
 *
 * Kernel: mm/vmscan.c, struct scan_control (v6.12). Differs: split off from
 * vmscan.c; no compaction, no demotion; cgroup v2 only. Not counted: dirty and
 * congested pages, which Linux counts for files only.
 */
import { schedule_timeout } from "../locking/wait.ts";
import { TICK_NSEC } from "../sim/clock.ts";
import type { Task } from "../sim/task.ts";
import {
  LRU_ACTIVE_ANON,
  LRU_ACTIVE_FILE,
  LRU_INACTIVE_ANON,
  LRU_INACTIVE_FILE,
  lruvec_page_state,
} from "./lru.ts";
import { mem_cgroup_get_nr_swap_pages } from "./memcontrol_swap.ts";
import { pfn_folio } from "./folio.ts";
import type { Kernel, Lruvec, MemCgroup, PgData } from "./mm_types.ts";
import { PF_KSWAPD } from "./page_alloc.ts";
import { folio_test_writeback } from "./page_flags.ts";

/** The first priority: look at 1/4096 of the list. 0 looks at all of it. */
export const DEF_PRIORITY = 12;
/** The largest swappiness: reclaim takes anonymous pages only. */
export const MAX_SWAPPINESS = 200;

/** Bit of `PgData.flags`: all that kswapd meets is being written. */
export const PGDAT_WRITEBACK = 1 << 1;

/** Bits of `may_deactivate`. */
export const DEACTIVATE_ANON = 1 << 0;
export const DEACTIVATE_FILE = 1 << 1;

/** What one batch met, in pages. */
export interface ReclaimStat {
  /** Being written. */
  nr_writeback: number;
  /** Being written, and met a second time on a busy node. */
  nr_immediate: number;
  /** Writes begun. */
  nr_pageout: number;
  nr_activate: number;
}

/** All at zero. */
export function makeReclaimStat(): ReclaimStat {
  return { nr_writeback: 0, nr_immediate: 0, nr_pageout: 0, nr_activate: 0 };
}

/** Sums over the batches of one pass over a node. */
export interface PassSums {
  writeback: number;
  immediate: number;
  taken: number;
}

export interface ScanControl {
  nr_to_reclaim: number;
  readonly gfp_mask: number;
  /** Whose memory is short; null: the machine's. */
  readonly target_mem_cgroup: MemCgroup | null;
  /** In place of vm.swappiness; null: as usual. */
  readonly proactive_swappiness: number | null;
  readonly may_writepage: boolean;
  readonly may_unmap: boolean;
  readonly may_swap: boolean;
  priority: number;

  /** DEACTIVATE_* bits: active pages of this kind may be taken. */
  may_deactivate: number;
  force_deactivate: boolean;
  skipped_deactivate: boolean;
  /** Visit every group before stopping. */
  memcg_full_walk: boolean;
  /** Old pages of the file lists are enough: leave the anonymous ones. */
  cache_trim_mode: boolean;
  cache_trim_mode_failed: boolean;
  no_cache_trim_mode: boolean;
  /** The file lists are about to run out: anonymous pages only. */
  file_is_tiny: boolean;
  anon_cost: number;
  file_cost: number;

  nr_scanned: number;
  nr_reclaimed: number;
  nr: PassSums;
}

/** A reclaimer that may do everything, for the machine, from the start. */
export function makeScanControl(wanted: Partial<ScanControl>): ScanControl {
  return {
    nr_to_reclaim: 0,
    gfp_mask: 0,
    target_mem_cgroup: null,
    proactive_swappiness: null,
    may_writepage: true,
    may_unmap: true,
    may_swap: true,
    priority: DEF_PRIORITY,
    may_deactivate: 0,
    force_deactivate: false,
    skipped_deactivate: false,
    memcg_full_walk: false,
    cache_trim_mode: false,
    cache_trim_mode_failed: false,
    no_cache_trim_mode: false,
    file_is_tiny: false,
    anon_cost: 0,
    file_cost: 0,
    nr_scanned: 0,
    nr_reclaimed: 0,
    nr: { writeback: 0, immediate: 0, taken: 0 },
    ...wanted,
  };
}

/** A group's limit is the reason, not the machine's memory. */
export function cgroup_reclaim(sc: ScanControl): boolean {
  return sc.target_mem_cgroup !== null;
}

export function current_is_kswapd(k: Kernel): boolean {
  return (k.current.flags & PF_KSWAPD) !== 0;
}

/** The lists of a group on a node; null is the root group. */
export function mem_cgroup_lruvec(
  k: Kernel,
  memcg: MemCgroup | null,
  { node_id }: PgData,
): Lruvec {
  return (memcg ?? k.root_mem_cgroup).nodeinfo[node_id]!.lruvec;
}

/** There is swap space for pages of the group. */
export function can_reclaim_anon_pages(
  k: Kernel,
  memcg: MemCgroup | null,
): boolean {
  if (memcg === null) return k.nr_swap_pages > 0;
  return mem_cgroup_get_nr_swap_pages(k, memcg) > 0;
}

/** Pages of a node that reclaim could free, if nobody used them. */
export function zone_reclaimable_pages(k: Kernel, pgdat: PgData): number {
  const lruvec = mem_cgroup_lruvec(k, null, pgdat);
  const size = (lru: number): number => lruvec_page_state(lruvec, lru);
  const file = size(LRU_INACTIVE_FILE) + size(LRU_ACTIVE_FILE);
  if (!can_reclaim_anon_pages(k, null)) return file;
  return file + size(LRU_INACTIVE_ANON) + size(LRU_ACTIVE_ANON);
}

/** Some page of the node is being written. */
function writePending(k: Kernel, pgdat: PgData): boolean {
  for (let pfn = pgdat.node_start_pfn; pfn < pgdat.node_end_pfn; pfn++) {
    const folio = pfn_folio(k, pfn);
    if (folio !== null && folio_test_writeback(folio)) return true;
  }
  return false;
}

/**
 * reclaim_throttle() - let the device catch up.
 *
 * Differs: for every reason one timer tick, and none if nothing of the node is
 * being written. (Linux: 1 to 25 ticks, less if enough writes end.)
 */
export function* reclaim_throttle(k: Kernel, pgdat: PgData): Task {
  if (!writePending(k, pgdat)) return;
  yield* schedule_timeout(k.clock, TICK_NSEC);
}
