/**
 * Clusters: 512 slots side by side that share a lock and stand on a list.
 *
 *   free      nothing in it; the first one is taken when a CPU needs a new one
 *   nonfull   something was freed in it, or a CPU goes on in it
 *   frag      it was on nonfull and somebody searched it since
 *   full      no slot left; under pressure its cache-only slots are taken back
 *   discard   empty, but the device has to be told first
 *
 * Devices with a head have no clusters (`cluster_info` is null): there si.lock
 * guards the map bytes too. Who finds a slot: swap_cluster_alloc.ts.
 *
 * Kernel: mm/swapfile.c (v6.12). Differs: split off from swapfile.c; slots of
 * order 0 only; discarding takes no time.
 */
import { VM_BUG_ON } from "../base/bug.ts";
import {
  INIT_LIST_HEAD,
  list_add_tail,
  list_del,
  list_first_entry_or_null,
  list_move_tail,
} from "../base/list.ts";
import { blkdev_issue_discard } from "../block/bio.ts";
import {
  lockdep_assert_held,
  spin_lock,
  spin_lock_init,
  spin_unlock,
  type Spinlock,
} from "../locking/spinlock.ts";
import { queue_work } from "../locking/workqueue.ts";
import { andThen, over, type Task } from "../sim/task.ts";
import type { Kernel, SwapInfoStruct } from "./mm_types.ts";
import {
  CLUSTER_FLAG_FRAG,
  CLUSTER_FLAG_FREE,
  CLUSTER_FLAG_NONFULL,
  SWAP_ADDRESS_SPACE_PAGES,
  SWAP_MAP_BAD,
  SWAP_NEXT_INVALID,
  SWAPFILE_CLUSTER,
  SWP_PAGE_DISCARD,
  SWP_WRITEOK,
} from "./swap.ts";
import type { SwapClusterInfo } from "./swap_info.ts";

export function cluster_is_free(ci: SwapClusterInfo): boolean {
  return (ci.flags & CLUSTER_FLAG_FREE) !== 0;
}

/** The first slot of a cluster. (Linux takes `si` too.) */
export function cluster_offset(ci: SwapClusterInfo): number {
  return ci.index * SWAPFILE_CLUSTER;
}

/** The cluster of a slot; null if there are none. */
function clusterOf(si: SwapInfoStruct, offset: number): SwapClusterInfo | null {
  return si.cluster_info?.[Math.floor(offset / SWAPFILE_CLUSTER)] ?? null;
}

/** Lock the cluster of a slot; null, and no lock, if there are none. */
export function lock_cluster(
  si: SwapInfoStruct,
  offset: number,
): Task<SwapClusterInfo | null> {
  const ci = clusterOf(si, offset);
  return ci === null ? over(null) : andThen(spin_lock(ci.lock), () => ci);
}

export function unlock_cluster(ci: SwapClusterInfo | null): void {
  if (ci !== null) spin_unlock(ci.lock);
}

/** Take the lock that guards the slot's map byte: its cluster's, or si.lock. */
export function lock_cluster_or_swap_info(
  si: SwapInfoStruct,
  offset: number,
): Task<SwapClusterInfo | null> {
  const ci = clusterOf(si, offset);
  return andThen(spin_lock(ci === null ? si.lock : ci.lock), () => ci);
}

export function unlock_cluster_or_swap_info(
  si: SwapInfoStruct,
  ci: SwapClusterInfo | null,
): void {
  if (ci !== null) spin_unlock(ci.lock);
  else spin_unlock(si.lock);
}

/** The lock that guards the slot's map byte. */
export function slotLock(si: SwapInfoStruct, offset: number): Spinlock {
  const ci = clusterOf(si, offset);
  return ci === null ? si.lock : ci.lock;
}

/** Stop the machine unless the lock of the slot's map byte is held. */
export function assertSlotLocked(si: SwapInfoStruct, offset: number): void {
  lockdep_assert_held(slotLock(si, offset));
}

/**
 * dec_cluster_info_page() - one slot of the cluster is free again.
 *
 * Context: si.lock and the cluster's lock are held.
 */
export function dec_cluster_info_page(
  k: Kernel,
  si: SwapInfoStruct,
  ci: SwapClusterInfo,
): void {
  lockdep_assert_held(si.lock);
  lockdep_assert_held(ci.lock);
  VM_BUG_ON(ci.count < 1, () => `cluster ${ci.index} has nothing to free`);
  VM_BUG_ON(cluster_is_free(ci), () => `cluster ${ci.index} is free already`);
  ci.count--;
  if (ci.count === 0) {
    free_cluster(k, si, ci);
    return;
  }
  if ((ci.flags & CLUSTER_FLAG_NONFULL) !== 0) return;
  leaveFrag(si, ci);
  list_move_tail(ci.list, si.nonfull_clusters);
  ci.flags = CLUSTER_FLAG_NONFULL;
}

/** It is about to leave the list that it is on. */
export function leaveFrag(si: SwapInfoStruct, ci: SwapClusterInfo): void {
  if ((ci.flags & CLUSTER_FLAG_FRAG) !== 0) si.frag_cluster_nr--;
}

/** Nothing is left in it: free, unless the device wants to be told first. */
function free_cluster(
  k: Kernel,
  si: SwapInfoStruct,
  ci: SwapClusterInfo,
): void {
  leaveFrag(si, ci);
  const tellDevice = SWP_WRITEOK | SWP_PAGE_DISCARD;
  if ((si.flags & tellDevice) !== tellDevice) __free_cluster(si, ci);
  else swap_cluster_schedule_discard(k, si, ci);
}

function __free_cluster(si: SwapInfoStruct, ci: SwapClusterInfo): void {
  lockdep_assert_held(si.lock);
  lockdep_assert_held(ci.lock);
  list_move_tail(ci.list, si.free_clusters);
  ci.flags = CLUSTER_FLAG_FREE;
}

/** Its slots read as bad until the device knows: nobody can take one. */
function swap_cluster_schedule_discard(
  k: Kernel,
  si: SwapInfoStruct,
  ci: SwapClusterInfo,
): void {
  const first = cluster_offset(ci);
  si.swap_map.fill(SWAP_MAP_BAD, first, first + SWAPFILE_CLUSTER);
  list_move_tail(ci.list, si.discard_clusters);
  ci.flags = 0;
  queue_work(k.workqueue, si.discard_work);
}

/**
 * swap_do_scheduled_discard() - tell the device, and free the clusters.
 *
 * Context: si.lock is held, and dropped while the device is told.
 */
export function* swap_do_scheduled_discard(si: SwapInfoStruct): Task {
  let ci = list_first_entry_or_null(si.discard_clusters);
  for (; ci !== null; ci = list_first_entry_or_null(si.discard_clusters)) {
    list_del(ci.list);
    spin_unlock(si.lock);
    const first = cluster_offset(ci);
    yield* blkdev_issue_discard(si.disk, first, SWAPFILE_CLUSTER);
    yield* spin_lock(si.lock);
    yield* spin_lock(ci.lock);
    __free_cluster(si, ci);
    si.swap_map.fill(0, first, first + SWAPFILE_CLUSTER);
    spin_unlock(ci.lock);
  }
}

export function* swap_discard_work(si: SwapInfoStruct): Task {
  yield* spin_lock(si.lock);
  yield* swap_do_scheduled_discard(si);
  spin_unlock(si.lock);
}

/**
 * The free list of a new device goes by columns of this many clusters, so that
 * neighbours on the list are in different 64 MiB of slots.
 */
const SWAP_CLUSTER_COLS = Math.ceil(
  SWAP_ADDRESS_SPACE_PAGES / SWAPFILE_CLUSTER,
);

/**
 * setup_clusters() - the clusters of a new device, on their lists.
 *
 * Slots that nobody can use count as in use from the start: the header, the
 * bad ones (`badPages`), and those behind the device's end.
 */
export function setup_clusters(
  si: SwapInfoStruct,
  badPages: readonly number[],
  cpus: number,
): void {
  const clusters = Array.from(
    { length: Math.ceil(si.max / SWAPFILE_CLUSTER) },
    (_, index) => makeCluster(si.type, index),
  );
  si.percpu_cluster = new Array(cpus).fill(SWAP_NEXT_INVALID);
  si.cluster_info = clusters;
  emptyClusterLists(si);
  const useless = [0, ...badPages.filter((page) => page < si.max)];
  for (const page of useless) {
    clusters[Math.floor(page / SWAPFILE_CLUSTER)]!.count++;
  }
  const beyond = clusters.length * SWAPFILE_CLUSTER - si.max;
  clusters[clusters.length - 1]!.count += beyond;
  for (let column = 0; column < SWAP_CLUSTER_COLS; column++) {
    for (let i = column; i < clusters.length; i += SWAP_CLUSTER_COLS) {
      enlist(si, clusters[i]!);
    }
  }
}

function makeCluster(type: number, index: number): SwapClusterInfo {
  const lock = spin_lock_init(
    `swap_info[${type}]->cluster_info[${index}].lock`,
  );
  const ci = { index, lock, count: 0, flags: 0 } as {
    -readonly [Field in keyof SwapClusterInfo]: SwapClusterInfo[Field];
  };
  ci.list = INIT_LIST_HEAD<SwapClusterInfo>(ci);
  return ci;
}

function enlist(si: SwapInfoStruct, ci: SwapClusterInfo): void {
  const unused = ci.count === 0;
  ci.flags = unused ? CLUSTER_FLAG_FREE : CLUSTER_FLAG_NONFULL;
  list_add_tail(ci.list, unused ? si.free_clusters : si.nonfull_clusters);
}

/** No cluster on any list. */
export function emptyClusterLists(si: SwapInfoStruct): void {
  si.free_clusters = INIT_LIST_HEAD();
  si.nonfull_clusters = INIT_LIST_HEAD();
  si.frag_clusters = INIT_LIST_HEAD();
  si.full_clusters = INIT_LIST_HEAD();
  si.discard_clusters = INIT_LIST_HEAD();
  si.frag_cluster_nr = 0;
}
