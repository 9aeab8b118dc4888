/**
 * Finding slots on a device with a head: go on where the last search ended, so
 * that neighbours in time are neighbours in place; after 512 slots look for a
 * whole free cluster to go on in, from the start of the device.
 *
 * The byte map itself is searched; si.lock is dropped for the long parts.
 *
 * Kernel: mm/swapfile.c (v6.12), scan_swap_map_slots(). Differs: split off
 * from swapfile.c; a search that has come round once gives up: Linux' goes on
 * for as long as a cache-only slot is left whose folio is locked.
 */
import {
  lockdep_assert_held,
  spin_lock,
  spin_unlock,
} from "../locking/spinlock.ts";
import { makeOp, type Op, pause, type Task } from "../sim/task.ts";
import type { Kernel, SwapInfoStruct } from "./mm_types.ts";
import {
  LATENCY_LIMIT,
  SWAPFILE_CLUSTER,
  SWP_SCANNING,
  SWP_WRITEOK,
} from "./swap.ts";
import { swap_range_alloc } from "./swap_alloc.ts";
import { cluster_alloc_swap } from "./swap_cluster_alloc.ts";
import { onlyCacheLeft } from "./swap_count.ts";
import {
  __try_to_reclaim_swap,
  TTRS_ANYWAY,
  TTRS_DIRECT,
} from "./swap_reclaim.ts";
import { vm_swap_full } from "./swapfile.ts";
import { swp_entry, type SwpEntry } from "./swapops.ts";

/** One search under way. */
interface Scan {
  /** The slot to look at. */
  offset: number;
  /** Where the search began, and where it ends when it has come round. */
  base: number;
  cameRound: boolean;
  /** Steps until others may run. */
  latency_ration: number;
  /** That happened while a free slot was looked for: be content with it. */
  scanned_many: boolean;
  readonly resched: Op;
}

/**
 * scan_swap_map_slots() - up to `nr` free slots of a device, marked `usage`.
 *
 * @param slots gets their entries, from index 0 on
 * @returns how many; 0 if none is free
 *
 * Context: si.lock is held, and dropped meanwhile.
 */
export function* scan_swap_map_slots(
  k: Kernel,
  si: SwapInfoStruct,
  usage: number,
  nr: number,
  slots: SwpEntry[],
): Task<number> {
  lockdep_assert_held(si.lock);
  if (si.cluster_info !== null) {
    return yield* cluster_alloc_swap(k, si, usage, nr, slots);
  }
  si.flags += SWP_SCANNING;
  const scan: Scan = {
    offset: si.cluster_next,
    base: si.cluster_next,
    cameRound: false,
    latency_ration: LATENCY_LIMIT,
    scanned_many: false,
    resched: makeOp("resched", "scan_swap_map_slots", si),
  };
  if (si.cluster_nr === 0) yield* findFreeCluster(si, scan);
  else si.cluster_nr--;
  let n_ret = 0;
  while (yield* usableSlot(k, si, scan, n_ret)) {
    const { offset } = scan;
    si.swap_map[offset] = usage;
    yield* swap_range_alloc(k, si, offset);
    slots[n_ret++] = swp_entry(si.type, offset);
    const enough = n_ret === nr || offset >= si.highest_bit;
    if (enough || !nextInBatch(si, scan)) {
      si.cluster_next = scan.offset + 1;
      break;
    }
  }
  si.flags -= SWP_SCANNING;
  return n_ret;
}

/** Go on at the first run of SWAPFILE_CLUSTER free slots, if there is one. */
function* findFreeCluster(si: SwapInfoStruct, scan: Scan): Task {
  si.cluster_nr = SWAPFILE_CLUSTER - 1;
  if (si.pages - si.inuse_pages < SWAPFILE_CLUSTER) return;
  spin_unlock(si.lock);
  scan.base = si.lowest_bit;
  scan.offset = si.lowest_bit;
  let run = 0;
  // To where the last run could begin.
  const last = () => si.highest_bit - (SWAPFILE_CLUSTER - 1);
  for (let slot = si.lowest_bit; slot - run <= last(); slot++) {
    run = si.swap_map[slot] === 0 ? run + 1 : 0;
    if (run === SWAPFILE_CLUSTER) {
      scan.offset = slot - SWAPFILE_CLUSTER + 1;
      break;
    }
    yield* takeABreak(scan);
  }
  yield* spin_lock(si.lock);
  if (run === SWAPFILE_CLUSTER) si.cluster_next = scan.offset;
  si.cluster_nr = SWAPFILE_CLUSTER - 1;
}

/**
 * Bring `scan` to a slot whose byte is 0.
 *
 * @returns false if there is none, or, with some in hand, none right here
 */
function* usableSlot(
  k: Kernel,
  si: SwapInfoStruct,
  scan: Scan,
  inHand: number,
): Task<boolean> {
  for (;;) {
    if ((si.flags & SWP_WRITEOK) === 0 || si.highest_bit === 0) return false;
    if (scan.offset > si.highest_bit) {
      scan.base = si.lowest_bit;
      scan.offset = si.lowest_bit;
    }
    if (si.swap_map[scan.offset] === 0) return true;
    if (onlyCacheLeft(k, si, scan.offset) && vm_swap_full(k)) {
      spin_unlock(si.lock);
      const how = TTRS_ANYWAY | TTRS_DIRECT;
      const freed = yield* __try_to_reclaim_swap(k, si, scan.offset, how);
      yield* spin_lock(si.lock);
      if (freed > 0) continue;
    } else if (inHand > 0) {
      si.cluster_next = scan.offset + 1;
      return false;
    }
    if (!(yield* searchOn(k, si, scan))) return false;
  }
}

/** The next slot that is free, or could be: to the end, then from the start. */
function* searchOn(k: Kernel, si: SwapInfoStruct, scan: Scan): Task<boolean> {
  const usable = () =>
    si.swap_map[scan.offset] === 0 ||
    (onlyCacheLeft(k, si, scan.offset) && vm_swap_full(k));
  spin_unlock(si.lock);
  let found = false;
  while (!found && !scan.cameRound && ++scan.offset <= si.highest_bit) {
    scan.scanned_many = (yield* takeABreak(scan)) || scan.scanned_many;
    found = usable();
  }
  if (!found && !scan.cameRound) {
    scan.cameRound = true;
    scan.offset = si.lowest_bit - 1;
  }
  while (!found && ++scan.offset < scan.base) {
    scan.scanned_many = (yield* takeABreak(scan)) || scan.scanned_many;
    found = usable();
  }
  yield* spin_lock(si.lock);
  return found;
}

/** Every LATENCY_LIMIT steps let others run; tells whether it was time. */
function* takeABreak(scan: Scan): Task<boolean> {
  if (--scan.latency_ration >= 0) return false;
  scan.latency_ration = LATENCY_LIMIT;
  yield* pause(scan.resched);
  return true;
}

/** More for the batch: the next slot, or one not far, the lock kept. */
function nextInBatch(si: SwapInfoStruct, scan: Scan): boolean {
  if (--scan.latency_ration < 0) return false;
  if (si.cluster_nr > 0 && si.swap_map[++scan.offset] === 0) {
    si.cluster_nr--;
    return true;
  }
  if (scan.scanned_many) return false;
  const limit = scan.offset < scan.base ? scan.base : si.highest_bit;
  for (; scan.offset <= limit && --scan.latency_ration > 0; scan.offset++) {
    if (si.swap_map[scan.offset] === 0) return true;
  }
  return false;
}
