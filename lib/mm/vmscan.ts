/**
 * Reclaim: which pages leave memory, and who makes them leave.
 *
 * Four reasons: an allocation found too little free (try_to_free_pages), a
 * node fell below its low watermark (kswapd: vmscan_kswapd.ts), a group is at
 * its limit (try_to_free_mem_cgroup_pages), a program asked for it
 * (reclaim_pages). The first three go over the groups of
 * a node (vmscan_node.ts), decide how much of each list to look at
 * (vmscan_scan.ts), take folios from the lists' tails (vmscan_lists.ts) and
 * judge each (vmscan_folio.ts), with a rising urgency: priority 12 looks at
 * 1/4096 of the lists, priority 0 at all.
 *
 * Kernel: mm/vmscan.c (v6.12). Differs: classic lists (no multi-generational
 * LRU), anonymous pages only, no demotion, no compaction; a task in need is
 * never made to wait for kswapd.
 */
import {
  type FolioList,
  lastEntryOrNull,
  list_del,
  list_empty,
  list_move,
  makeFolioList,
} from "./folio_list.ts";
import { spin_lock, spin_unlock } from "../locking/spinlock.ts";
import { andThen, type Task } from "../sim/task.ts";
import { enter } from "../sim/trace.ts";
import { folio_add_lru, folio_lruvec, lruDelete } from "./lru.ts";
import type { Folio, Kernel, MemCgroup, PgData } from "./mm_types.ts";
import {
  folio_put,
  GFP_KERNEL,
  node_zonelist,
  numa_node_id,
  page_to_nid,
  PF_MEMALLOC,
} from "./page_alloc.ts";
import {
  clearFlag,
  folio_get,
  folio_test_lru,
  PG_active,
} from "./page_flags.ts";
import { SWAP_CLUSTER_MAX } from "./swap.ts";
import {
  cgroup_reclaim,
  current_is_kswapd,
  DEF_PRIORITY,
  makeReclaimStat,
  makeScanControl,
  reclaim_throttle,
  type ScanControl,
} from "./vmscan_control.ts";
import { shrink_folio_list } from "./vmscan_folio.ts";
import { shrink_node, snapshot_refaults } from "./vmscan_node.ts";

/** A group may swap out to get below its limit. */
export const MEMCG_RECLAIM_MAY_SWAP = 1 << 1;
/**
 * Somebody asked for it (memory.reclaim); nothing is short. Changes nothing
 * here: in Linux it silences vmpressure and forbids demotion.
 */
export const MEMCG_RECLAIM_PROACTIVE = 1 << 2;

/**
 * Too little progress at the end: let the device catch up.
 *
 * Differs: also when a group is over its limit. Linux goes on, and the writes
 * end meanwhile; here reclaim takes no time, so they would not.
 */
function* consider_reclaim_throttle(
  k: Kernel,
  pgdat: PgData,
  sc: ScanControl,
): Task {
  if (sc.nr_reclaimed > sc.nr_scanned >> 3) return;
  if (current_is_kswapd(k)) return;
  if (sc.priority !== 1 || sc.nr_reclaimed > 0) return;
  yield* reclaim_throttle(k, pgdat);
}

/** One pass over all nodes. */
function* shrink_zones(
  k: Kernel,
  zonelist: readonly PgData[],
  sc: ScanControl,
): Task {
  for (const pgdat of zonelist) yield* shrink_node(k, pgdat, sc);
  yield* consider_reclaim_throttle(k, zonelist[0]!, sc);
}

/** What to do otherwise when a whole round freed nothing; false: give up. */
function tryHarder(sc: ScanControl): boolean {
  if (!sc.memcg_full_walk) {
    sc.memcg_full_walk = true;
  } else if (sc.skipped_deactivate) {
    sc.force_deactivate = true;
    sc.skipped_deactivate = false;
  } else {
    return false;
  }
  sc.priority = DEF_PRIORITY;
  return true;
}

/**
 * do_try_to_free_pages() - from priority 12 down to 0, until enough is free.
 *
 * A round in vain is tried again without stopping half-way through the groups,
 * then with active pages.
 */
function* do_try_to_free_pages(k: Kernel, sc: ScanControl): Task<number> {
  const zonelist = node_zonelist(k, numa_node_id(k));
  do {
    if (!cgroup_reclaim(sc)) k.vm_event.allocstall_normal++;
    for (; sc.priority >= 0; sc.priority--) {
      sc.nr_scanned = 0;
      yield* shrink_zones(k, zonelist, sc);
      if (sc.nr_reclaimed >= sc.nr_to_reclaim) break;
    }
    for (const pgdat of zonelist) {
      snapshot_refaults(k, sc.target_mem_cgroup, pgdat);
    }
  } while (sc.nr_reclaimed === 0 && tryHarder(sc));
  return sc.nr_reclaimed;
}

/**
 * try_to_free_pages() - direct reclaim, by whoever wants memory.
 *
 * @returns frames freed; it stops at 32, or when all was looked at in vain
 *
 * Context: the caller has PF_MEMALLOC.
 */
export function try_to_free_pages(k: Kernel, gfp_mask: number): Task<number> {
  const nr_to_reclaim = SWAP_CLUSTER_MAX;
  return do_try_to_free_pages(k, makeScanControl({ nr_to_reclaim, gfp_mask }));
}

/**
 * try_to_free_mem_cgroup_pages() - reclaim from a group and all below it.
 *
 * @param nr_pages how many are wanted; it tries for at least 32
 * @param reclaim_options MEMCG_RECLAIM_* bits
 * @param swappiness 0 … 200 in place of vm.swappiness; null: as usual
 * @returns frames freed
 */
export function* try_to_free_mem_cgroup_pages(
  k: Kernel,
  memcg: MemCgroup,
  nr_pages: number,
  gfp_mask: number,
  reclaim_options: number,
  swappiness: number | null = null,
): Task<number> {
  enter(k.trace, "try_to_free_mem_cgroup_pages");
  const sc = makeScanControl({
    nr_to_reclaim: Math.max(nr_pages, SWAP_CLUSTER_MAX),
    // Any kind of page will do: only the caller's reclaim bits count.
    gfp_mask,
    target_mem_cgroup: memcg,
    proactive_swappiness: swappiness,
    may_swap: (reclaim_options & MEMCG_RECLAIM_MAY_SWAP) !== 0,
  });
  const task = k.current;
  const { flags } = task;
  task.flags |= PF_MEMALLOC;
  const nr_reclaimed = yield* do_try_to_free_pages(k, sc);
  task.flags = flags;
  return nr_reclaimed;
}

/**
 * folio_isolate_lru() - take a folio off its list, with a reference.
 *
 * @returns false if it is on no list: somebody else has taken it
 *
 * Context: the caller has a reference, or the lock of a table that maps it.
 */
export function folio_isolate_lru(k: Kernel, folio: Folio): Task<boolean> {
  const { lru_lock } = folio_lruvec(k, folio);
  return andThen(spin_lock(lru_lock), () => {
    const isListed = folio_test_lru(folio);
    if (isListed) {
      folio_get(folio);
      lruDelete(k, folio);
    }
    spin_unlock(lru_lock);
    return isListed;
  });
}

/** Folios of one node, used or not. */
function* reclaim_folio_list(
  k: Kernel,
  list: FolioList,
  pgdat: PgData,
): Task<number> {
  const sc = makeScanControl({ gfp_mask: GFP_KERNEL });
  const stat = makeReclaimStat();
  const batch = { pgdat, sc, stat, ignore_references: true };
  const nr_reclaimed = yield* shrink_folio_list(k, list, batch);
  while (!list_empty(list)) {
    const folio = lastEntryOrNull(k, list)!;
    list_del(folio);
    folio_putback_lru(k, folio);
  }
  return nr_reclaimed;
}

/** A folio that was taken off its list goes back to the one it belongs to. */
export function folio_putback_lru(k: Kernel, folio: Folio): void {
  if (folio._refcount > 1) folio_add_lru(k, folio);
  folio_put(k, folio);
}

/**
 * reclaim_pages() - free these folios now, used or not (MADV_PAGEOUT).
 *
 * @param folio_list off the LRU lists, each with a reference of the caller's;
 *   empty afterwards
 * @returns how many frames were freed
 */
export function* reclaim_pages(
  k: Kernel,
  folio_list: FolioList,
): Task<number> {
  enter(k.trace, "reclaim_pages");
  const task = k.current;
  const { flags } = task;
  task.flags |= PF_MEMALLOC;
  let nr_reclaimed = 0;
  while (!list_empty(folio_list)) {
    const node_folio_list = makeFolioList();
    const nid = page_to_nid(k, lastEntryOrNull(k, folio_list)!.pfn);
    let folio = lastEntryOrNull(k, folio_list);
    while (folio !== null && page_to_nid(k, folio.pfn) === nid) {
      clearFlag(folio, PG_active);
      list_move(folio, node_folio_list);
      folio = lastEntryOrNull(k, folio_list);
    }
    const pgdat = k.nodes[nid]!;
    nr_reclaimed += yield* reclaim_folio_list(k, node_folio_list, pgdat);
  }
  task.flags = flags;
  return nr_reclaimed;
}
