/**
 * Reclaim of one node: every group of the target, its pages and its caches.
 *
 * Kernel: mm/vmscan.c (v6.12), shrink_node(). Differs: split off from
 * vmscan.c; no compaction, no vmpressure, no memory.min and memory.low.
 */
import { makeOp, pause, type Task } from "../sim/task.ts";
import { enter } from "../sim/trace.ts";
import {
  LRU_ACTIVE_FILE,
  LRU_INACTIVE_ANON,
  LRU_INACTIVE_FILE,
  lruvec_page_state,
} from "./lru.ts";
import { mem_cgroup_iter, mem_cgroup_iter_break } from "./memcontrol_iter.ts";
import type { Kernel, Lruvec, MemCgroup, PgData } from "./mm_types.ts";
import { shrink_slab } from "./shrinker.ts";
import {
  cgroup_reclaim,
  current_is_kswapd,
  DEACTIVATE_ANON,
  DEACTIVATE_FILE,
  mem_cgroup_lruvec,
  PGDAT_WRITEBACK,
  reclaim_throttle,
  type ScanControl,
} from "./vmscan_control.ts";
import { inactive_is_low } from "./vmscan_lists.ts";
import { shrink_lruvec } from "./vmscan_scan.ts";

/** Remember the refaults, to see at the next reclaim whether there are new. */
export function snapshot_refaults(
  k: Kernel,
  target: MemCgroup | null,
  pgdat: PgData,
): void {
  const lruvec = mem_cgroup_lruvec(k, target, pgdat);
  lruvec.refaults = lruvec.workingset_activate_anon;
}

/** Which active lists may be taken from: too few inactive, or new refaults. */
function mayDeactivate(lruvec: Lruvec, sc: ScanControl): number {
  if (sc.force_deactivate) return DEACTIVATE_ANON | DEACTIVATE_FILE;
  const isNew = lruvec.workingset_activate_anon !== lruvec.refaults;
  const anon = isNew || inactive_is_low(lruvec, LRU_INACTIVE_ANON);
  const file = inactive_is_low(lruvec, LRU_INACTIVE_FILE);
  return (anon ? DEACTIVATE_ANON : 0) | (file ? DEACTIVATE_FILE : 0);
}

/** prepare_scan_control() - what the state of the lists says about a pass. */
export function prepare_scan_control(
  k: Kernel,
  pgdat: PgData,
  sc: ScanControl,
): void {
  const target = mem_cgroup_lruvec(k, sc.target_mem_cgroup, pgdat);
  sc.anon_cost = target.anon_cost;
  sc.file_cost = target.file_cost;
  sc.may_deactivate = mayDeactivate(target, sc);

  const inactiveFile = lruvec_page_state(target, LRU_INACTIVE_FILE);
  sc.cache_trim_mode = inactiveFile >> sc.priority > 0 &&
    (sc.may_deactivate & DEACTIVATE_FILE) === 0 && !sc.no_cache_trim_mode;

  if (cgroup_reclaim(sc)) return;
  const file = inactiveFile + lruvec_page_state(target, LRU_ACTIVE_FILE);
  const { free_list, watermark } = pgdat.zone;
  const anon = lruvec_page_state(target, LRU_INACTIVE_ANON);
  sc.file_is_tiny = file + free_list.length <= watermark.high &&
    (sc.may_deactivate & DEACTIVATE_ANON) === 0 && anon >> sc.priority > 0;
}

/**
 * shrink_node_memcgs() - the target and all groups below it.
 *
 * Who needs memory himself goes on where the last one stopped, and stops when
 * he has enough; kswapd visits every group.
 */
function* shrink_node_memcgs(
  k: Kernel,
  pgdat: PgData,
  sc: ScanControl,
): Task {
  const target = sc.target_mem_cgroup;
  const isFullWalk = current_is_kswapd(k) || sc.memcg_full_walk;
  const partial = isFullWalk ? null : { pgdat, generation: 0 };
  const resched = makeOp("resched", "cond_resched", pgdat);
  let memcg = mem_cgroup_iter(k, target, null, partial);
  for (; memcg !== null; memcg = mem_cgroup_iter(k, target, memcg, partial)) {
    yield* pause(resched);
    yield* shrink_lruvec(k, mem_cgroup_lruvec(k, memcg, pgdat), sc);
    yield* shrink_slab(k, sc.gfp_mask, pgdat.node_id, memcg, sc.priority);
    if (partial !== null && sc.nr_reclaimed >= sc.nr_to_reclaim) {
      mem_cgroup_iter_break(k, target, memcg);
      break;
    }
  }
}

/** shrink_node() - one pass over a node's part of the target. */
export function* shrink_node(k: Kernel, pgdat: PgData, sc: ScanControl): Task {
  enter(k.trace, "shrink_node");
  sc.nr = { writeback: 0, immediate: 0, taken: 0 };
  const before = sc.nr_reclaimed;
  prepare_scan_control(k, pgdat, sc);
  yield* shrink_node_memcgs(k, pgdat, sc);

  if (current_is_kswapd(k)) {
    const { writeback, taken, immediate } = sc.nr;
    if (writeback > 0 && writeback === taken) pgdat.flags |= PGDAT_WRITEBACK;
    // The lists turn faster than the device writes.
    if (immediate > 0) yield* reclaim_throttle(k, pgdat);
  }
  if (sc.nr_reclaimed > before) pgdat.kswapd_failures = 0;
  else if (sc.cache_trim_mode) sc.cache_trim_mode_failed = true;
}
