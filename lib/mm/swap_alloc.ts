/**
 * Finding free slots on a device, and taking them back.
 *
 * The search is the one for rotating disks: go on where the last one ended, so
 * that neighbours in time are neighbours on disk; now and then look for a
 * whole free cluster to go on in.
 *
 * Kernel: mm/swapfile.c (v6.12): get_swap_pages(), scan_swap_map_slots(),
 * sys_swapon(). Differs: split off from swapfile.c; slots one at a time; every
 * device is searched this way, also those that Linux gives clusters.
 */
import { xa_init } from "../base/xarray.ts";
import type { Disk } from "../block/disk.ts";
import {
  lockdep_assert_held,
  spin_lock,
  spin_lock_init,
  spin_unlock,
} from "../locking/spinlock.ts";
import { makeOp, type Task } from "../sim/task.ts";
import type {
  Folio,
  Kernel,
  SwapInfoStruct,
  SwapperSpace,
} from "./mm_types.ts";
import {
  SWAP_ADDRESS_SPACE_PAGES,
  SWAP_HAS_CACHE,
  SWAP_MAP_BAD,
  SWAPFILE_CLUSTER,
  SWP_BLKDEV,
  SWP_USED,
  SWP_WRITEOK,
} from "./swap.ts";
import { swp_entry, type SwpEntry } from "./swapops.ts";
import { zswap_swapon } from "./zswap.ts";

/**
 * folio_alloc_swap() - a slot for a folio that is about to be swapped out.
 *
 * @returns its entry, the byte 0x40 (pinned, no users); null if swap is full
 */
export function* folio_alloc_swap(k: Kernel): Task<SwpEntry | null> {
  if (k.nr_swap_pages <= 0) return null;
  for (const si of byPriority(k)) {
    yield* spin_lock(si.lock);
    const offset = scan_swap_map_slots(si, SWAP_HAS_CACHE);
    if (offset !== 0) {
      k.nr_swap_pages--;
      spin_unlock(si.lock);
      return swp_entry(si.type, offset);
    }
    spin_unlock(si.lock);
  }
  return null;
}

function byPriority(k: Kernel): SwapInfoStruct[] {
  return k.swap_info.filter((si) => (si.flags & SWP_WRITEOK) !== 0)
    .sort((a, b) => b.prio - a.prio);
}

/**
 * scan_swap_map_slots() - find one free slot and write `usage` in its byte.
 *
 * @returns its offset, or 0 if the device is full
 *
 * Context: caller holds si.lock.
 */
export function scan_swap_map_slots(
  si: SwapInfoStruct,
  usage: number,
): number {
  lockdep_assert_held(si.lock);
  if (si.highest_bit === 0) return 0;
  if (si.cluster_nr === 0) findFreeCluster(si);
  else si.cluster_nr--;

  const start = si.cluster_next > si.highest_bit
    ? si.lowest_bit
    : si.cluster_next;
  const offset = firstFree(si, start, si.highest_bit) ||
    firstFree(si, si.lowest_bit, start - 1);
  if (offset === 0) return 0;
  si.swap_map[offset] = usage;
  swap_range_alloc(si, offset);
  si.cluster_next = offset + 1;
  return offset;
}

/** The first slot from `from` to `to` (both included) whose byte is 0, or 0. */
function firstFree(si: SwapInfoStruct, from: number, to: number): number {
  const offset = si.swap_map.indexOf(0, from);
  return offset < 0 || offset > to ? 0 : offset;
}

/** Go on in the first run of SWAPFILE_CLUSTER free slots, if there is one. */
function findFreeCluster(si: SwapInfoStruct): void {
  si.cluster_nr = SWAPFILE_CLUSTER - 1;
  if (si.pages - si.inuse_pages < SWAPFILE_CLUSTER) return;
  let run = 0;
  for (let offset = si.lowest_bit; offset <= si.highest_bit; offset++) {
    run = si.swap_map[offset] === 0 ? run + 1 : 0;
    if (run < SWAPFILE_CLUSTER) continue;
    si.cluster_next = offset - SWAPFILE_CLUSTER + 1;
    return;
  }
}

/** The slot is taken: keep the bounds of the search. */
function swap_range_alloc(si: SwapInfoStruct, offset: number): void {
  if (offset === si.lowest_bit) si.lowest_bit++;
  if (offset === si.highest_bit) si.highest_bit--;
  si.inuse_pages++;
  if (si.inuse_pages < si.pages) return;
  si.lowest_bit = si.max;
  si.highest_bit = 0;
}

/**
 * swap_range_free() - the slot is free: everything kept about it goes.
 *
 * The counters change last, so that whoever sees them sees a clean slot.
 * Context: caller holds si.lock; the byte is 0 already.
 */
export function swap_range_free(
  k: Kernel,
  si: SwapInfoStruct,
  offset: number,
): void {
  lockdep_assert_held(si.lock);
  zeromapClear(si, offset);
  if (offset < si.lowest_bit) si.lowest_bit = offset;
  if (offset > si.highest_bit) si.highest_bit = offset;
  k.nr_swap_pages++;
  si.inuse_pages--;
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

/**
 * sys_swapon() - start to swap to `disk`. Slot 0 holds the header.
 *
 * @returns the device; its priority is −2, −3, … in the order of adding
 */
export function sys_swapon(k: Kernel, disk: Disk): SwapInfoStruct {
  const max = disk.options.pages;
  const type = k.swap_info.length;
  const si: SwapInfoStruct = {
    type,
    prio: -2 - type,
    flags: SWP_USED | SWP_WRITEOK | SWP_BLKDEV,
    lock: spin_lock_init(`swap_info[${type}]->lock`),
    swap_map: new Uint8Array(max),
    zeromap: new Uint8Array(Math.ceil(max / 8)),
    max,
    pages: max - 1,
    inuse_pages: 0,
    lowest_bit: 1,
    highest_bit: max - 1,
    cluster_next: 1,
    cluster_nr: 0,
    continuations: new Map(),
    swapper_spaces: makeSpaces(type, max),
    disk,
  };
  si.swap_map[0] = SWAP_MAP_BAD;
  k.swap_info.push(si);
  k.nr_swap_pages += si.pages;
  k.total_swap_pages += si.pages;
  zswap_swapon(k, si);
  return si;
}

function makeSpaces(type: number, max: number): SwapperSpace[] {
  const count = Math.ceil(max / SWAP_ADDRESS_SPACE_PAGES);
  return Array.from({ length: count }, (_, index) => {
    const name = `swap cache ${type}:${index}`;
    const xa = xa_init<Folio>(name);
    return {
      xa,
      lock: spin_lock_init(`xa_lock(${name})`),
      load: makeOp("read", `filemap_get_folio(${name})`, xa),
    };
  });
}
