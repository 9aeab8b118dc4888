/**
 * How much of each list to look at, and looking at it.
 *
 * A pass looks at 1/2^priority of every list. Between anonymous pages and file
 * pages (here: those that MADV_FREE gave up) the pressure is divided by
 * swappiness and by what reclaim of either has cost lately.
 *
 * Kernel: mm/vmscan.c (v6.12), get_scan_count() and shrink_lruvec(). Differs:
 * split off from vmscan.c; no memory.min and memory.low.
 */
import type { Task } from "../sim/task.ts";
import {
  LRU_ACTIVE_ANON,
  LRU_INACTIVE_ANON,
  LRU_INACTIVE_FILE,
  NR_LRU_LISTS,
} from "./lru.ts";
import { mem_cgroup_online } from "./memcontrol.ts";
import type { Kernel, Lruvec, MemCgroup } from "./mm_types.ts";
import { SWAP_CLUSTER_MAX } from "./swap.ts";
import {
  can_reclaim_anon_pages,
  cgroup_reclaim,
  current_is_kswapd,
  DEF_PRIORITY,
  MAX_SWAPPINESS,
  type ScanControl,
} from "./vmscan_control.ts";
import {
  inactive_is_low,
  is_file_lru,
  shrink_active_list,
  shrink_list,
} from "./vmscan_lists.ts";

/** (Linux: enum scan_balance.) */
type ScanBalance = "equal" | "fract" | "anon" | "file";

/** 0: no anonymous pages if it can be avoided; 200: nothing else. */
function sc_swappiness(k: Kernel, sc: ScanControl): number {
  return sc.proactive_swappiness ?? k.vm_swappiness;
}

/** Which kind of pages to take, before it comes to shares. */
function scanBalance(
  k: Kernel,
  memcg: MemCgroup,
  sc: ScanControl,
): ScanBalance {
  const swappiness = sc_swappiness(k, sc);
  if (!sc.may_swap || !can_reclaim_anon_pages(k, memcg)) return "file";
  if (cgroup_reclaim(sc) && swappiness === 0) return "file";
  // Close to the end: whatever there is.
  if (sc.priority === 0 && swappiness !== 0) return "equal";
  if (sc.file_is_tiny) return "anon";
  if (sc.cache_trim_mode) return "file";
  return "fract";
}

/**
 * The shares of anonymous and file pages: swappiness : (200 − swappiness),
 * each divided by its cost, where no cost weighs more than twice the other's.
 */
export function scanFractions(
  swappiness: number,
  { anon_cost, file_cost }: Pick<ScanControl, "anon_cost" | "file_cost">,
): { anon: number; file: number } {
  const sum = anon_cost + file_cost;
  const total = 3 * sum;
  const share = (weight: number, cost: number): number =>
    Math.floor(weight * (total + 1) / (sum + cost + 1));
  return {
    anon: share(swappiness, anon_cost),
    file: share(MAX_SWAPPINESS - swappiness, file_cost),
  };
}

/** get_scan_count() - how many folios of each list to look at. */
export function get_scan_count(
  k: Kernel,
  lruvec: Lruvec,
  sc: ScanControl,
): number[] {
  const balance = scanBalance(k, lruvec.memcg, sc);
  const fractions = scanFractions(sc_swappiness(k, sc), sc);
  const isDying = !mem_cgroup_online(lruvec.memcg);
  return lruvec.lru_size.map((size, lru) => {
    const file = is_file_lru(lru);
    let scan = size >> sc.priority;
    // What a deleted group left is taken to the last page.
    if (scan === 0 && isDying) scan = Math.min(size, SWAP_CLUSTER_MAX);
    if (balance === "equal") return scan;
    if (balance !== "fract") return (balance === "file") === file ? scan : 0;
    const part = scan * (file ? fractions.file : fractions.anon) /
      (fractions.anon + fractions.file);
    return isDying ? Math.ceil(part) : Math.floor(part);
  });
}

/** One pass over the part of the lists that the priority allows. */
export function* shrink_lruvec(
  k: Kernel,
  lruvec: Lruvec,
  sc: ScanControl,
): Task {
  const nr = get_scan_count(k, lruvec, sc);
  const targets = [...nr];
  // A first look by somebody who needs memory: he does his whole share.
  const proportional_reclaim = !cgroup_reclaim(sc) && !current_is_kswapd(k) &&
    sc.priority === DEF_PRIORITY;
  let nr_reclaimed = 0;
  while (nr.some((left, lru) => left > 0 && lru !== LRU_ACTIVE_ANON)) {
    for (let lru = 0; lru < NR_LRU_LISTS; lru++) {
      if (nr[lru] === 0) continue;
      const nr_to_scan = Math.min(nr[lru]!, SWAP_CLUSTER_MAX);
      nr[lru]! -= nr_to_scan;
      nr_reclaimed += yield* shrink_list(k, lruvec, sc, { lru, nr_to_scan });
    }
    if (nr_reclaimed < sc.nr_to_reclaim || proportional_reclaim) continue;
    if (!stopSmallerKind(nr, targets)) break;
  }
  sc.nr_reclaimed += nr_reclaimed;

  // Even if no anonymous page was taken: keep some of them inactive.
  if (k.total_swap_pages > 0 && inactive_is_low(lruvec, LRU_INACTIVE_ANON)) {
    const scan = { lru: LRU_ACTIVE_ANON, nr_to_scan: SWAP_CLUSTER_MAX };
    yield* shrink_active_list(k, lruvec, sc, scan);
  }
}

/**
 * Enough is free: of the two kinds, stop looking at the one with less left,
 * and leave as large a part of the other one.
 *
 * @param nr left to look at, by list; changed
 * @returns false if one kind has nothing left: stop altogether
 */
export function stopSmallerKind(
  nr: number[],
  targets: readonly number[],
): boolean {
  const sum = (of: readonly number[], base: number): number =>
    of[base]! + of[base + 1]!;
  const nr_anon = sum(nr, LRU_INACTIVE_ANON);
  const nr_file = sum(nr, LRU_INACTIVE_FILE);
  if (nr_anon === 0 || nr_file === 0) return false;
  const smaller = nr_file > nr_anon ? LRU_INACTIVE_ANON : LRU_INACTIVE_FILE;
  const larger = nr_file > nr_anon ? LRU_INACTIVE_FILE : LRU_INACTIVE_ANON;
  const percentage = Math.floor(
    sum(nr, smaller) * 100 / (sum(targets, smaller) + 1),
  );
  nr[smaller] = 0;
  nr[smaller + 1] = 0;
  for (const lru of [larger, larger + 1]) {
    const nr_scanned = targets[lru]! - nr[lru]!;
    const part = Math.floor(targets[lru]! * (100 - percentage) / 100);
    nr[lru] = part - Math.min(part, nr_scanned);
  }
  return true;
}
