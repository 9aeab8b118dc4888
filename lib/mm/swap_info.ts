/**
 * The data of the swap devices beside `SwapInfoStruct` itself: their clusters,
 * the lists of devices, and the per-CPU caches of slots.
 *
 * Kernel: include/linux/swap.h, swap_slots.h, mm/swapfile.c (v6.12).
 * Differs: clusters of single pages only (order 0).
 */
import type { ListHead } from "../base/list.ts";
import { plist_head_init, type PlistHead } from "../base/plist.ts";
import { type Mutex, mutex_init } from "../locking/mutex.ts";
import { spin_lock_init, type Spinlock } from "../locking/spinlock.ts";
import type { SwapInfoStruct } from "./mm_types.ts";
import type { SwpEntry } from "./swapops.ts";

/** SWAPFILE_CLUSTER slots side by side. */
export interface SwapClusterInfo {
  /** Its first slot is `index` × SWAPFILE_CLUSTER. */
  readonly index: number;
  /** Guards `count`, and the map bytes of its slots. */
  readonly lock: Spinlock;
  /** Slots in use, or unusable: bad, the header, behind the device's end. */
  count: number;
  /** CLUSTER_FLAG_*: which list it is on. Guarded by si.lock too. */
  flags: number;
  /** Link in a list of its device. Guarded by si.lock. */
  readonly list: ListHead<SwapClusterInfo>;
}

/** What one CPU has put by: slots to give out, and slots to give back. */
export interface SwapSlotsCache {
  /** Guards `slots`, `nr` and `cur`. */
  readonly alloc_lock: Mutex;
  readonly slots: SwpEntry[];
  /** How many are left, from index `cur` on. */
  nr: number;
  cur: number;
  /** Guards `slots_ret` and `n_ret`. */
  readonly free_lock: Spinlock;
  readonly slots_ret: SwpEntry[];
  n_ret: number;
}

/** What Linux keeps in the globals of swapfile.c and swap_slots.c. */
export interface SwapState {
  /** Guards the list of active devices and their priorities. */
  readonly swap_lock: Spinlock;
  /** Devices that swapoff has not taken away, by priority. */
  readonly swap_active_head: PlistHead<SwapInfoStruct>;
  /** Guards `swap_avail_heads`; taken inside si.lock. */
  readonly swap_avail_lock: Spinlock;
  /** By node: those of them that have free slots. */
  readonly swap_avail_heads: readonly PlistHead<SwapInfoStruct>[];
  readonly swapon_mutex: Mutex;
  /** The lowest priority given out by itself. */
  least_priority: number;
  /** By CPU. */
  readonly swp_slots: readonly SwapSlotsCache[];
  /** There is swap, and nobody is taking a device away. */
  swap_slot_cache_enabled: boolean;
  /** There are enough free slots to put some by. */
  swap_slot_cache_active: boolean;
  readonly swap_slots_cache_mutex: Mutex;
  readonly swap_slots_cache_enable_mutex: Mutex;
}

/** No device yet. */
export function makeSwapState(nodes: number, cpus: number): SwapState {
  return {
    swap_lock: spin_lock_init("swap_lock"),
    swap_active_head: plist_head_init(),
    swap_avail_lock: spin_lock_init("swap_avail_lock"),
    swap_avail_heads: Array.from({ length: nodes }, () => plist_head_init()),
    swapon_mutex: mutex_init("swapon_mutex"),
    least_priority: -1,
    swp_slots: Array.from({ length: cpus }, (_, cpu) => makeSlotsCache(cpu)),
    swap_slot_cache_enabled: false,
    swap_slot_cache_active: false,
    swap_slots_cache_mutex: mutex_init("swap_slots_cache_mutex"),
    swap_slots_cache_enable_mutex: mutex_init("swap_slots_cache_enable_mutex"),
  };
}

function makeSlotsCache(cpu: number): SwapSlotsCache {
  return {
    alloc_lock: mutex_init(`swp_slots[${cpu}].alloc_lock`),
    slots: [],
    nr: 0,
    cur: 0,
    free_lock: spin_lock_init(`swp_slots[${cpu}].free_lock`),
    slots_ret: [],
    n_ret: 0,
  };
}
