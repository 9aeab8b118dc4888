/**
 * Slots are given out and taken back: which device, and what is kept.
 *
 * A batch of slots always comes from one device: the first with free slots of
 * the highest priority. It then moves behind its equals, so that devices of
 * the same priority take turns. How a slot is found on it: swap_scan.ts for
 * devices with a head, swap_cluster_alloc.ts for others.
 *
 * Kernel: mm/swapfile.c (v6.12): get_swap_pages(), swap_range_free(). Differs:
 * split off from swapfile.c; slots of order 0 only.
 */
import { VM_BUG_ON } from "../base/bug.ts";
import {
  plist_add,
  plist_del,
  plist_node_empty,
  plist_requeue,
  plistFirst,
  plistNext,
} from "../base/plist.ts";
import {
  lockdep_assert_held,
  spin_lock,
  spin_unlock,
} from "../locking/spinlock.ts";
import { queue_work } from "../locking/workqueue.ts";
import { makeOp, pause, type Task } from "../sim/task.ts";
import { enter } from "../sim/trace.ts";
import { mem_cgroup_uncharge_swap } from "./memcontrol_swap.ts";
import type { Kernel, SwapInfoStruct } from "./mm_types.ts";
import { SWAP_BATCH, SWAP_HAS_CACHE, SWP_BLKDEV, SWP_WRITEOK } from "./swap.ts";
import { pinUsage } from "./swap_count.ts";
import {
  dec_cluster_info_page,
  lock_cluster,
  unlock_cluster,
} from "./swap_cluster.ts";
import { clear_shadow_from_swap_cache } from "./swap_state.ts";
import { scan_swap_map_slots } from "./swap_scan.ts";
import { _swap_info_get, vm_swap_full } from "./swapfile.ts";
import { swp_entry, swp_offset, swp_type, type SwpEntry } from "./swapops.ts";
import { zswap_invalidate } from "./zswap.ts";

/**
 * get_swap_pages() - up to `n_goal` slots of one device.
 *
 * @param swp_entries gets them, from index 0 on; each byte is pinUsage()
 * @returns how many; 0 if swap is full. Never more than SWAP_BATCH.
 */
export function* get_swap_pages(
  k: Kernel,
  n_goal: number,
  swp_entries: SwpEntry[],
): Task<number> {
  enter(k.trace, "get_swap_pages");
  const { swap_avail_lock } = k.swap;
  yield* spin_lock(swap_avail_lock);
  const goal = Math.min(n_goal, SWAP_BATCH, k.nr_swap_pages);
  if (goal <= 0) {
    spin_unlock(swap_avail_lock);
    return 0;
  }
  // Counted as taken before they are found: others must not hope for them.
  k.nr_swap_pages -= goal;
  const n_ret = yield* searchDevices(k, goal, swp_entries);
  k.nr_swap_pages += goal - n_ret;
  return n_ret;
}

/** The first device that gives any. Context: drops swap_avail_lock. */
function* searchDevices(
  k: Kernel,
  goal: number,
  swp_entries: SwpEntry[],
): Task<number> {
  const { swap_avail_lock, swap_avail_heads } = k.swap;
  const nid = numa_node_id(k);
  const head = swap_avail_heads[nid]!;
  const resched = makeOp("resched", "get_swap_pages", k.swap);
  let node = plistFirst(head);
  while (node !== null) {
    const si = node.owner;
    const next = plistNext(node);
    plist_requeue(node, head);
    spin_unlock(swap_avail_lock);
    yield* spin_lock(si.lock);
    if (si.highest_bit !== 0 && (si.flags & SWP_WRITEOK) !== 0) {
      const n_ret = yield* scan_swap_map_slots(
        k,
        si,
        pinUsage(k),
        goal,
        swp_entries,
      );
      spin_unlock(si.lock);
      if (n_ret > 0) return n_ret;
      yield* pause(resched);
      yield* spin_lock(swap_avail_lock);
    } else {
      // It became full, or is being taken away, since it was on the list.
      yield* spin_lock(swap_avail_lock);
      for (const link of si.avail_lists) plist_del(link);
      spin_unlock(si.lock);
    }
    // The list was free to change: if the next one left it, start over.
    const gone = next !== null && plist_node_empty(next);
    node = gone ? plistFirst(head) : next;
  }
  spin_unlock(swap_avail_lock);
  return 0;
}

/** The node of the CPU that runs: CPUs are spread over the nodes in turn. */
function numa_node_id(k: Kernel): number {
  return k.current.cpu % k.nodes.length;
}

/** The device has free slots again. Context: si.lock is held. */
export function* add_to_avail_list(k: Kernel, si: SwapInfoStruct): Task {
  const { swap_avail_lock, swap_avail_heads } = k.swap;
  yield* spin_lock(swap_avail_lock);
  for (const [nid, link] of si.avail_lists.entries()) {
    plist_add(link, swap_avail_heads[nid]!);
  }
  spin_unlock(swap_avail_lock);
}

/** No slot is to be looked for on the device. Context: si.lock is held. */
export function* del_from_avail_list(k: Kernel, si: SwapInfoStruct): Task {
  const { swap_avail_lock } = k.swap;
  lockdep_assert_held(si.lock);
  yield* spin_lock(swap_avail_lock);
  for (const link of si.avail_lists) plist_del(link);
  spin_unlock(swap_avail_lock);
}

/**
 * swap_range_alloc() - the slot is taken: keep bounds and count.
 *
 * Context: si.lock is held. The free pages of all swap were counted before.
 */
export function* swap_range_alloc(
  k: Kernel,
  si: SwapInfoStruct,
  offset: number,
): Task {
  if (offset === si.lowest_bit) si.lowest_bit++;
  if (offset === si.highest_bit) si.highest_bit--;
  si.inuse_pages++;
  if (si.inuse_pages < si.pages) return;
  si.lowest_bit = si.max;
  si.highest_bit = 0;
  yield* del_from_avail_list(k, si);
  if (si.cluster_info !== null && vm_swap_full(k)) {
    queue_work(k.workqueue, si.reclaim_work);
  }
}

/**
 * swap_entry_range_free() - a slot without users or pin can be given out again.
 *
 * Context: si.lock is held; the byte reads 0x40, so nobody else frees it.
 */
export function* swap_entry_range_free(
  k: Kernel,
  si: SwapInfoStruct,
  entry: SwpEntry,
): Task {
  lockdep_assert_held(si.lock);
  const offset = swp_offset(entry);
  const ci = yield* lock_cluster(si, offset);
  VM_BUG_ON(
    si.swap_map[offset] !== SWAP_HAS_CACHE,
    () => `slot ${offset} is freed with byte ${si.swap_map[offset]}`,
  );
  si.swap_map[offset] = 0;
  if (ci !== null) dec_cluster_info_page(k, si, ci);
  unlock_cluster(ci);
  if (k.proposals.memcg_uncharge_at === "swap_range_free") {
    mem_cgroup_uncharge_swap(k, entry, 1);
  }
  yield* swap_range_free(k, si, offset);
}

/**
 * swap_range_free() - the slot is free: everything kept about it goes.
 *
 * The counters change last, so that swapoff, which waits for inuse_pages to
 * reach 0 without a lock, sees that only when the rest is done.
 */
function* swap_range_free(
  k: Kernel,
  si: SwapInfoStruct,
  offset: number,
): Task {
  enter(k.trace, "swap_range_free");
  zeromapClear(si, offset);
  if (offset < si.lowest_bit) si.lowest_bit = offset;
  if (offset > si.highest_bit) {
    const was_full = si.highest_bit === 0;
    si.highest_bit = offset;
    if (was_full && (si.flags & SWP_WRITEOK) !== 0) {
      yield* add_to_avail_list(k, si);
    }
  }
  if (k.proposals.zswap_invalidate_at === "swap_range_free") {
    yield* zswap_invalidate(k, swp_entry(si.type, offset));
  }
  if ((si.flags & SWP_BLKDEV) !== 0) si.disk.slotFreeNotify?.(offset);
  clear_shadow_from_swap_cache(k, si.type, offset, offset);
  k.nr_swap_pages++;
  si.inuse_pages--;
}

/**
 * swapcache_free_entries() - give slots without users or pin back.
 *
 * Sorted by device, so that si.lock is held over all entries of one device.
 */
export function* swapcache_free_entries(
  k: Kernel,
  entries: readonly SwpEntry[],
): Task {
  enter(k.trace, "swapcache_free_entries");
  const sorted = k.swap_info.length > 1
    ? entries.toSorted((a, b) => swp_type(a) - swp_type(b))
    : entries;
  let locked: SwapInfoStruct | null = null;
  for (const entry of sorted) {
    const si = _swap_info_get(k, entry);
    if (si !== locked) {
      if (locked !== null) spin_unlock(locked.lock);
      if (si !== null) yield* spin_lock(si.lock);
      locked = si;
    }
    if (si !== null) yield* swap_entry_range_free(k, si, entry);
  }
  if (locked !== null) spin_unlock(locked.lock);
}

/** The page of this slot is all zero and stands nowhere else. */
export function zeromapSet(si: SwapInfoStruct, offset: number): void {
  si.zeromap[offset >>> 3]! |= 1 << (offset & 7);
}

export function zeromapClear(si: SwapInfoStruct, offset: number): void {
  si.zeromap[offset >>> 3]! &= ~(1 << (offset & 7));
}

export function zeromapTest(si: SwapInfoStruct, offset: number): boolean {
  return (si.zeromap[offset >>> 3]! & (1 << (offset & 7))) !== 0;
}
