/**
 * The data of the machine: one object holds what Linux keeps in globals.
 *
 * State is plain data, made by factories, changed by functions that take the
 * `Kernel` first. The lock that guards a field is named beside it.
 *
 * Lock order: folio lock → page-table lock → si.lock → zswap tree, LRU lock.
 *
 * Kernel: include/linux/mm_types.h, mmzone.h, swap.h, sched.h (v6.12).
 * Differs: one node, one zone, folios of one page, anonymous memory only.
 */
import type { ListHead } from "../base/list.ts";
import type { XArray } from "../base/xarray.ts";
import type { Disk } from "../block/disk.ts";
import type { Spinlock } from "../locking/spinlock.ts";
import type { Work, Workqueue } from "../locking/workqueue.ts";
import type { Clock } from "../sim/clock.ts";
import type { Op } from "../sim/task.ts";
import type { Trace } from "../sim/trace.ts";
import type { PageTable } from "./pgtable.ts";
import type { SwpEntry } from "./swapops.ts";
import type { VmEvents } from "./vmstat.ts";
import type { ZswapState } from "./zswap.ts";

/** Page frame number: index of a 4 KiB frame in the machine's memory. */
export type Pfn = number & { readonly __brand: "Pfn" };

/** One page of memory in use; made when its frame is given out. */
export interface Folio {
  readonly pfn: Pfn;
  /** PG_* bits of page_flags.ts. */
  flags: number;
  _refcount: number;
  /** Page-table entries that map it. Differs: Linux counts from −1. */
  _mapcount: number;
  /** Where its mappings can be found; null while it was never mapped. */
  mapping: AnonVma | null;
  /** Virtual page number of its mappings (the same after fork). */
  index: number;
  /** Its slot; valid while PG_swapcache is set. Guarded by the folio lock. */
  swap: SwpEntry;
  /** Link in a list of `Lruvec`, or in a private list during reclaim. */
  readonly lru: ListHead<Folio>;
  /** The pauses before taking its lock and before waiting for its I/O. */
  readonly ops: { readonly lock: Op; readonly writeback: Op };
}

/** The areas in which the pages of one family of processes can be mapped. */
export interface AnonVma {
  readonly id: number;
  readonly vmas: VmArea[];
}

/** A range of a process's addresses with one set of rights. */
export interface VmArea {
  readonly vm_mm: MmStruct;
  /** First byte, and first byte behind it; multiples of 4096. */
  vm_start: number;
  vm_end: number;
  readonly vm_flags: number;
  /** Where new pages are registered. */
  anon_vma: AnonVma | null;
  /** Every anon_vma whose pages may be mapped here: own and inherited. */
  readonly anon_vma_chain: AnonVma[];
}

/** One address space. */
export interface MmStruct {
  readonly pid: number;
  /** Table of the 2 MiB region `address >> 21`. */
  readonly tables: Map<number, PageTable>;
  readonly mmap: VmArea[];
  /** Present anonymous pages. */
  anon_pages: number;
  /** Page-table entries that hold a swap entry. */
  swap_ents: number;
}

/** Who runs: the context of an allocation, a lock, a trace line. */
export interface TaskStruct {
  readonly comm: string;
  readonly mm: MmStruct | null;
  /** PF_* bits. */
  flags: number;
}

/** Free memory and the levels at which reclaim starts and stops, in pages. */
export interface Zone {
  readonly free_list: Pfn[];
  readonly watermark: {
    readonly min: number;
    readonly low: number;
    readonly high: number;
  };
}

/** The lists on which pages age. Guarded by `lru_lock`. */
export interface Lruvec {
  readonly lru_lock: Spinlock;
  readonly inactive_anon: ListHead<Folio>;
  readonly active_anon: ListHead<Folio>;
  nr_inactive_anon: number;
  nr_active_anon: number;
}

/** One swap device. Guarded by `lock` unless said otherwise. */
export interface SwapInfoStruct {
  readonly type: number;
  readonly prio: number;
  flags: number;
  readonly lock: Spinlock;
  /** One byte per slot; what it says: swap_count.ts. */
  readonly swap_map: Uint8Array;
  /** One bit per slot: the page is all zero and stands nowhere. */
  readonly zeromap: Uint8Array;
  /** Slots, the header included. */
  readonly max: number;
  /** Slots that can be used. */
  readonly pages: number;
  inuse_pages: number;
  lowest_bit: number;
  highest_bit: number;
  cluster_next: number;
  cluster_nr: number;
  /** Pages of higher digits, by page of the map (4096 slots each). */
  readonly continuations: Map<number, Folio[]>;
  /** Swap cache, one array for each 64 MiB. Guarded by its own lock. */
  readonly swapper_spaces: readonly SwapperSpace[];
  readonly disk: Disk;
}

/** Folios of 64 MiB of slots, by offset. */
export interface SwapperSpace {
  readonly xa: XArray<Folio>;
  /** Guards `xa` and the folios' PG_swapcache. */
  readonly lock: Spinlock;
  /** The pause before a lookup without the lock. */
  readonly load: Op;
}

/** Nanoseconds of simulated time; model figures, chosen, not measured here. */
export interface Costs {
  /** Entering and leaving a page fault. */
  readonly fault: number;
  /** Copying or clearing 4096 bytes. */
  readonly copyPage: number;
  /** Looking whether a page is all zero. */
  readonly scanPage: number;
}

export interface Kernel {
  /** All frames, one behind the other: frame p starts at byte 4096 × p. */
  readonly memory: Uint8Array;
  readonly totalram_pages: number;
  /** A frame of zeros that fresh pages share until they are written. */
  readonly zero_pfn: Pfn;
  /** What is in a frame: null for a free or reserved one. */
  readonly mem_map: (Folio | null)[];
  readonly zone: Zone;
  readonly lruvec: Lruvec;
  readonly vm_event: VmEvents;
  readonly swap_info: SwapInfoStruct[];
  nr_swap_pages: number;
  total_swap_pages: number;
  readonly zswap: ZswapState;
  readonly mms: Set<MmStruct>;
  next_pid: number;
  next_anon_vma: number;
  readonly clock: Clock;
  readonly costs: Costs;
  readonly trace: Trace;
  /** kswapd and the zswap shrinker run from here. */
  readonly workqueue: Workqueue;
  readonly kswapd: Work;
  current: TaskStruct;
  /** WARN_ON lines; tests fail on any they did not expect. */
  readonly warnings: string[];
}
