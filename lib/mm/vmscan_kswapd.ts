/**
 * kswapd: one task a node that keeps some of its memory free.
 *
 * It is woken when an allocation finds less than `low` free, and goes on until
 * `high` is free. If it frees nothing 16 times in a row, it gives up until
 * somebody who reclaims for himself has success.
 *
 * Kernel: mm/vmscan.c (v6.12). Differs: split off from vmscan.c; a work item
 * instead of a thread; no watermark boost, no laptop mode.
 */
import { queue_work } from "../locking/workqueue.ts";
import type { Task } from "../sim/task.ts";
import { LRU_ACTIVE_ANON, LRU_INACTIVE_ANON } from "./lru.ts";
import { mem_cgroup_iter } from "./memcontrol_iter.ts";
import type { Kernel, PgData } from "./mm_types.ts";
import { GFP_KERNEL } from "./page_alloc.ts";
import { MAX_RECLAIM_RETRIES, SWAP_CLUSTER_MAX } from "./swap.ts";
import {
  DEF_PRIORITY,
  makeScanControl,
  mem_cgroup_lruvec,
  PGDAT_WRITEBACK,
  reclaim_throttle,
  type ScanControl,
} from "./vmscan_control.ts";
import { inactive_is_low, shrink_active_list } from "./vmscan_lists.ts";
import { shrink_node, snapshot_refaults } from "./vmscan_node.ts";

/** Enough is free on the node. */
function pgdat_balanced({ zone }: PgData): boolean {
  return zone.free_list.length > zone.watermark.high;
}

/** Let kswapd run, unless it need not or has given up. */
export function wakeup_kswapd(k: Kernel, pgdat: PgData): void {
  if (pgdat.kswapd_failures >= MAX_RECLAIM_RETRIES) return;
  if (pgdat_balanced(pgdat)) return;
  queue_work(k.workqueue, pgdat.kswapd);
}

/** Nothing to do, or nothing that could be done. */
function prepare_kswapd_sleep(pgdat: PgData): boolean {
  if (pgdat.kswapd_failures >= MAX_RECLAIM_RETRIES) return true;
  if (!pgdat_balanced(pgdat)) return false;
  pgdat.flags &= ~PGDAT_WRITEBACK;
  return true;
}

/**
 * kswapd() - balance the node, again and again until it may sleep.
 *
 * Differs: after a run that freed nothing it waits for the device, since its
 * scan takes no simulated time.
 */
export function* kswapd(k: Kernel, pgdat: PgData): Task {
  while (!prepare_kswapd_sleep(pgdat)) {
    const failures = pgdat.kswapd_failures;
    yield* balance_pgdat(k, pgdat);
    if (pgdat.kswapd_failures > failures) yield* reclaim_throttle(k, pgdat);
  }
}

/** Give the pages of every group a chance to be used again before the scan. */
function* kswapd_age_node(k: Kernel, pgdat: PgData, sc: ScanControl): Task {
  if (k.total_swap_pages <= 0) return;
  const root = mem_cgroup_lruvec(k, null, pgdat);
  if (!inactive_is_low(root, LRU_INACTIVE_ANON)) return;
  const scan = { lru: LRU_ACTIVE_ANON, nr_to_scan: SWAP_CLUSTER_MAX };
  let memcg = mem_cgroup_iter(k, null, null);
  for (; memcg !== null; memcg = mem_cgroup_iter(k, null, memcg)) {
    const lruvec = mem_cgroup_lruvec(k, memcg, pgdat);
    yield* shrink_active_list(k, lruvec, sc, scan);
  }
}

/** True if it looked at so much that a higher priority is not needed. */
function* kswapd_shrink_node(
  k: Kernel,
  pgdat: PgData,
  sc: ScanControl,
): Task<boolean> {
  const before = sc.nr_reclaimed;
  sc.nr_to_reclaim = Math.max(pgdat.zone.watermark.high, SWAP_CLUSTER_MAX);
  yield* shrink_node(k, pgdat, sc);
  return Math.max(sc.nr_scanned, sc.nr_reclaimed - before) >= sc.nr_to_reclaim;
}

/**
 * balance_pgdat() - free memory up to the high watermark.
 *
 * Goes from priority 12 to 1; a pass that freed something and looked at enough
 * is tried again at the same priority.
 */
export function* balance_pgdat(k: Kernel, pgdat: PgData): Task {
  const sc = makeScanControl({ gfp_mask: GFP_KERNEL });
  k.vm_event.pageoutrun++;
  let isBalanced = yield* lowerPriorities(k, pgdat, sc);
  const isInVain = !isBalanced && sc.nr_reclaimed === 0;
  if (isInVain && sc.cache_trim_mode_failed) {
    // Only old file pages were looked at: now all.
    sc.no_cache_trim_mode = true;
    sc.priority = DEF_PRIORITY;
    isBalanced = yield* lowerPriorities(k, pgdat, sc);
  }
  if (!isBalanced && sc.nr_reclaimed === 0) pgdat.kswapd_failures++;
  snapshot_refaults(k, null, pgdat);
}

/**
 * @returns true if a look before a pass found enough free; what the last pass
 *   has brought about is not looked at any more
 */
function* lowerPriorities(
  k: Kernel,
  pgdat: PgData,
  sc: ScanControl,
): Task<boolean> {
  while (sc.priority >= 1) {
    if (pgdat_balanced(pgdat)) return true;
    const before = sc.nr_reclaimed;
    yield* kswapd_age_node(k, pgdat, sc);
    sc.nr_scanned = 0;
    const isEnough = yield* kswapd_shrink_node(k, pgdat, sc);
    if (!isEnough || sc.nr_reclaimed === before) sc.priority--;
  }
  return false;
}
