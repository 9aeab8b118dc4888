/**
 * The dynamic shrinker: zswap gives pages back before its pool is full, when
 * memory is short. Off unless the parameter shrinker_enabled is set.
 *
 * It offers less than it has: pages that came back from the device of late say
 * that too much was written back, and the better pages compress, the less
 * memory writing one back frees.
 *
 * Kernel: mm/zswap.c (v6.12). Differs: split off from zswap.c; statistics of
 * groups are always up to date, so nothing is flushed.
 */
import type { Task } from "../sim/task.ts";
import {
  list_lru_shrink_count,
  list_lru_shrink_walk,
  type LruStatus,
} from "./list_lru.ts";
import { memcg_page_state } from "./memcontrol_stat.ts";
import { mem_cgroup_zswap_writeback_enabled } from "./memcontrol_zswap.ts";
import { folio_lruvec } from "./lru.ts";
import type { Folio, Kernel } from "./mm_types.ts";
import { __GFP_FS, __GFP_IO } from "./page_alloc.ts";
import { PAGE_SIZE } from "./pgtable.ts";
import {
  DEFAULT_SEEKS,
  SHRINK_STOP,
  type ShrinkControl,
  type Shrinker,
  shrinker_alloc,
  SHRINKER_MEMCG_AWARE,
  SHRINKER_NUMA_AWARE,
} from "./shrinker.ts";
import { shrink_memcg_cb, type WalkFinding } from "./zswap_shrink.ts";

/** A page of this group was read from the device: zswap would have helped. */
export function zswap_folio_swapin(k: Kernel, folio: Folio): void {
  folio_lruvec(k, folio).zswap_lruvec_state.nr_disk_swapins++;
}

/** How many objects may be offered when `disk_swapins` were read of late. */
export function offeredPages(
  freeable: number,
  disk_swapins: number,
  backing: number,
  stored: number,
): { offered: number; swapinsLeft: number } {
  const swapinsLeft = Math.max(0, disk_swapins - freeable);
  const unprotected = freeable - (disk_swapins - swapinsLeft);
  // Linux: mult_frac(), which rounds down.
  const offered = Math.floor((unprotected * backing) / stored);
  return { offered, swapinsLeft };
}

/**
 * zswap_shrinker_count() - entries of one group on one node to be had.
 *
 * Uses up the count of swap-ins from the device, as far as it matters. What is
 * stored and what it takes are sums over the group and all below it; the list
 * is the group's own, on one node.
 */
export function zswap_shrinker_count(k: Kernel, sc: ShrinkControl): number {
  const memcg = sc.memcg ?? k.root_mem_cgroup;
  if (!mayShrink(k, sc)) return 0;
  // Writing back enters the block layer, perhaps a file system.
  const io_fs = __GFP_IO | __GFP_FS;
  if ((sc.gfp_mask & io_fs) !== io_fs) return 0;

  const bytes = memcg_page_state(memcg, "MEMCG_ZSWAP_B");
  const backing = Math.floor(bytes / PAGE_SIZE);
  const stored = memcg_page_state(memcg, "MEMCG_ZSWAPPED");
  if (stored === 0) return 0;
  const freeable = list_lru_shrink_count(k, k.zswap.list_lru, sc);
  if (freeable === 0) return 0;

  const state = memcg.nodeinfo[sc.nid]!.lruvec.zswap_lruvec_state;
  const { nr_disk_swapins } = state;
  const found = offeredPages(freeable, nr_disk_swapins, backing, stored);
  state.nr_disk_swapins = found.swapinsLeft;
  return found.offered;
}

/**
 * zswap_shrinker_scan() - write back some of them.
 *
 * @returns entries evicted; SHRINK_STOP if there was none, or one whose page
 *   is in the swap cache
 */
export function* zswap_shrinker_scan(
  k: Kernel,
  sc: ShrinkControl,
): Task<number> {
  if (!mayShrink(k, sc)) {
    sc.nr_scanned = 0;
    return SHRINK_STOP;
  }
  const finding: WalkFinding = { encounteredPageInSwapcache: false };
  const evicted = yield* list_lru_shrink_walk(
    k,
    k.zswap.list_lru,
    sc,
    (item, one, lock): Task<LruStatus> =>
      shrink_memcg_cb(k, item, one, lock, finding),
  );
  if (finding.encounteredPageInSwapcache || evicted === 0) return SHRINK_STOP;
  return evicted;
}

function mayShrink(k: Kernel, { memcg }: ShrinkControl): boolean {
  return k.zswap.shrinker_enabled && k.proposals.zswap_lru === "memcg" &&
    mem_cgroup_zswap_writeback_enabled(k, memcg);
}

export function zswap_alloc_shrinker(k: Kernel): Shrinker {
  return shrinker_alloc(k, "mm-zswap", {
    flags: SHRINKER_NUMA_AWARE | SHRINKER_MEMCG_AWARE,
    seeks: DEFAULT_SEEKS,
    count_objects: zswap_shrinker_count,
    scan_objects: zswap_shrinker_scan,
  });
}
