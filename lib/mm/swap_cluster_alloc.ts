/**
 * Finding a slot on a device with clusters.
 *
 * Each CPU goes on in a cluster of its own; when that is used up it takes a
 * free one, and only when there is none left it looks into those that others
 * have begun. So long as there are free clusters nothing is searched.
 *
 * Kernel: mm/swapfile.c (v6.12), cluster_alloc_swap_entry(). Differs: split
 * off from swapfile.c; slots of order 0 only, so nothing is stolen from higher
 * orders.
 */
import { VM_BUG_ON } from "../base/bug.ts";
import { list_first_entry_or_null, list_move_tail } from "../base/list.ts";
import {
  lockdep_assert_held,
  spin_lock,
  spin_unlock,
} from "../locking/spinlock.ts";
import { makeOp, pause, type Task } from "../sim/task.ts";
import type { Kernel, SwapInfoStruct } from "./mm_types.ts";
import {
  CLUSTER_FLAG_FRAG,
  CLUSTER_FLAG_FULL,
  CLUSTER_FLAG_NONFULL,
  SWAP_NEXT_INVALID,
  SWAPFILE_CLUSTER,
  SWP_SCANNING,
  SWP_WRITEOK,
} from "./swap.ts";
import { swap_range_alloc } from "./swap_alloc.ts";
import {
  cluster_is_free,
  cluster_offset,
  leaveFrag,
  lock_cluster,
  swap_do_scheduled_discard,
  unlock_cluster,
} from "./swap_cluster.ts";
import { onlyCacheLeft } from "./swap_count.ts";
import type { SwapClusterInfo } from "./swap_info.ts";
import {
  __try_to_reclaim_swap,
  TTRS_ANYWAY,
  TTRS_DIRECT,
} from "./swap_reclaim.ts";
import { vm_swap_full } from "./swapfile.ts";
import { swp_entry, type SwpEntry } from "./swapops.ts";

/** What a search has found: a slot, or 0; and where to go on, or 0. */
interface Place {
  readonly found: number;
  readonly next: number;
}

const nowhere: Place = { found: 0, next: SWAP_NEXT_INVALID };

/**
 * cluster_alloc_swap() - up to `nr` slots, written to `slots` from index 0.
 *
 * @returns how many
 *
 * Context: si.lock is held; dropped while cache-only slots are taken back.
 */
export function* cluster_alloc_swap(
  k: Kernel,
  si: SwapInfoStruct,
  usage: number,
  nr: number,
  slots: SwpEntry[],
): Task<number> {
  let n_ret = 0;
  si.flags += SWP_SCANNING;
  while (n_ret < nr) {
    const offset = yield* cluster_alloc_swap_entry(k, si, usage);
    if (offset === 0) break;
    slots[n_ret++] = swp_entry(si.type, offset);
  }
  si.flags -= SWP_SCANNING;
  return n_ret;
}

/** One slot, or 0. What is found sets where this CPU goes on. */
function* cluster_alloc_swap_entry(
  k: Kernel,
  si: SwapInfoStruct,
  usage: number,
): Task<number> {
  lockdep_assert_held(si.lock);
  const cpu = k.current.cpu;
  let place = nowhere;
  do {
    const hint = si.percpu_cluster[cpu]!;
    if (hint !== SWAP_NEXT_INVALID) {
      place = yield* alloc_swap_scan_cluster(k, si, hint, usage);
    }
    if (place.found === 0) place = yield* searchLists(k, si, usage);
    // Telling the device drops the lock: look again from the beginning.
  } while (place.found === 0 && (yield* discardedSome(si)));
  si.percpu_cluster[cpu] = place.next;
  return place.found;
}

/** A free cluster; else those that are not full, the least searched first. */
function* searchLists(
  k: Kernel,
  si: SwapInfoStruct,
  usage: number,
): Task<Place> {
  const free = list_first_entry_or_null(si.free_clusters);
  if (free !== null) {
    const start = cluster_offset(free);
    const place = yield* alloc_swap_scan_cluster(k, si, start, usage);
    VM_BUG_ON(
      place.found === 0 && (si.flags & SWP_WRITEOK) !== 0,
      () => `cluster ${free.index} is free but has no slot`,
    );
    return place;
  }
  if (vm_swap_full(k)) yield* swap_reclaim_full_clusters(k, si, false);

  let frags = 0;
  let ci = list_first_entry_or_null(si.nonfull_clusters);
  for (; ci !== null; ci = list_first_entry_or_null(si.nonfull_clusters)) {
    list_move_tail(ci.list, si.frag_clusters);
    ci.flags = CLUSTER_FLAG_FRAG;
    si.frag_cluster_nr++;
    frags++;
    const start = cluster_offset(ci);
    const place = yield* alloc_swap_scan_cluster(k, si, start, usage);
    if (place.found !== 0) return place;
  }
  // Those that were just moved there have been searched.
  for (; frags < si.frag_cluster_nr; frags++) {
    const rotated = list_first_entry_or_null(si.frag_clusters)!;
    list_move_tail(rotated.list, si.frag_clusters);
    const start = cluster_offset(rotated);
    const place = yield* alloc_swap_scan_cluster(k, si, start, usage);
    if (place.found !== 0) return place;
  }
  return nowhere;
}

function* discardedSome(si: SwapInfoStruct): Task<boolean> {
  // A free cluster that gave nothing: swapoff has begun.
  if (list_first_entry_or_null(si.free_clusters) !== null) return false;
  if (list_first_entry_or_null(si.discard_clusters) === null) return false;
  yield* swap_do_scheduled_discard(si);
  return true;
}

/** Take the first usable slot of the cluster, from `offset` on. */
function* alloc_swap_scan_cluster(
  k: Kernel,
  si: SwapInfoStruct,
  offset: number,
  usage: number,
): Task<Place> {
  const start = offset - offset % SWAPFILE_CLUSTER;
  const end = Math.min(start + SWAPFILE_CLUSTER, si.max);
  const ci = (yield* lock_cluster(si, offset))!;
  let place = nowhere;
  if (ci.count < SWAPFILE_CLUSTER) {
    for (let slot = offset; slot < end; slot++) {
      if (!(yield* cluster_scan_range(k, si, ci, slot))) continue;
      if (!(yield* cluster_alloc_range(k, si, ci, slot, usage))) break;
      const more = (ci.count as number) < SWAPFILE_CLUSTER && slot + 1 < end;
      place = { found: slot, next: more ? slot + 1 : SWAP_NEXT_INVALID };
      break;
    }
  }
  unlock_cluster(ci);
  return place;
}

/** Can this slot be taken? If only the cache holds it: try to free it. */
function* cluster_scan_range(
  k: Kernel,
  si: SwapInfoStruct,
  ci: SwapClusterInfo,
  offset: number,
): Task<boolean> {
  if (si.swap_map[offset] === 0) return true;
  if (!onlyCacheLeft(k, si, offset) || !vm_swap_full(k)) return false;
  return yield* cluster_reclaim_range(k, si, ci, offset);
}

/** Both locks are dropped: everything may have changed, the slot too. */
function* cluster_reclaim_range(
  k: Kernel,
  si: SwapInfoStruct,
  ci: SwapClusterInfo,
  offset: number,
): Task<boolean> {
  spin_unlock(ci.lock);
  spin_unlock(si.lock);
  yield* __try_to_reclaim_swap(k, si, offset, TTRS_ANYWAY | TTRS_DIRECT);
  yield* spin_lock(si.lock);
  yield* spin_lock(ci.lock);
  return si.swap_map[offset] === 0;
}

/** Take the slot; false if swapoff has begun. */
function* cluster_alloc_range(
  k: Kernel,
  si: SwapInfoStruct,
  ci: SwapClusterInfo,
  offset: number,
  usage: number,
): Task<boolean> {
  if ((si.flags & SWP_WRITEOK) === 0) return false;
  if (cluster_is_free(ci)) {
    list_move_tail(ci.list, si.nonfull_clusters);
    ci.flags = CLUSTER_FLAG_NONFULL;
  }
  si.swap_map[offset] = usage;
  yield* swap_range_alloc(k, si, offset);
  ci.count++;
  if (ci.count === SWAPFILE_CLUSTER) {
    leaveFrag(si, ci);
    list_move_tail(ci.list, si.full_clusters);
    ci.flags = CLUSTER_FLAG_FULL;
  }
  return true;
}

/**
 * swap_reclaim_full_clusters() - take cache-only slots back where none is free.
 *
 * @param force as many clusters as the slots in use could fill; else one
 *
 * Context: si.lock is held, and dropped meanwhile.
 */
export function* swap_reclaim_full_clusters(
  k: Kernel,
  si: SwapInfoStruct,
  force: boolean,
): Task {
  const resched = makeOp("resched", "swap_reclaim_full_clusters", si);
  let to_scan = force ? Math.floor(si.inuse_pages / SWAPFILE_CLUSTER) : 1;
  do {
    const ci = list_first_entry_or_null(si.full_clusters);
    if (ci === null) return;
    list_move_tail(ci.list, si.full_clusters);
    to_scan--;
    spin_unlock(si.lock);
    const end = Math.min(si.max, cluster_offset(ci) + SWAPFILE_CLUSTER);
    for (let offset = cluster_offset(ci); offset < end; offset++) {
      if (!onlyCacheLeft(k, si, offset)) continue;
      yield* __try_to_reclaim_swap(k, si, offset, TTRS_ANYWAY | TTRS_DIRECT);
    }
    yield* pause(resched);
    yield* spin_lock(si.lock);
  } while (to_scan > 0);
}

export function* swap_reclaim_work(k: Kernel, si: SwapInfoStruct): Task {
  yield* spin_lock(si.lock);
  yield* swap_reclaim_full_clusters(k, si, true);
  spin_unlock(si.lock);
}
