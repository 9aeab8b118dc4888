/**
 * The data of the machine: one object holds what Linux keeps in globals.
 *
 * State is plain data, made by factories, changed by functions that take the
 * `Kernel` first. The lock that guards a field is named beside it.
 *
 * Lock order: folio lock → page-table lock → swap_lock → si.lock → ci.lock;
 * si.lock → swap_avail_lock, zswap tree, LRU lock.
 *
 * Kernel: include/linux/mm_types.h, mmzone.h, swap.h, sched.h (v6.12).
 * Differs: one zone a node, folios of one page.
 */
import type { ListHead } from "../base/list.ts";
import type { PercpuRef } from "../base/percpu_ref.ts";
import type { PlistNode } from "../base/plist.ts";
import type { XArray } from "../base/xarray.ts";
import type { BlockDevice } from "../block/bio.ts";
import type { Rcu } from "../locking/rcu.ts";
import type { Spinlock } from "../locking/spinlock.ts";
import type { WaitQueueHead } from "../locking/wait.ts";
import type { Work, Workqueue } from "../locking/workqueue.ts";
import type { Clock } from "../sim/clock.ts";
import type { Proposals } from "../proposals.ts";
import type { Quirks } from "../quirks.ts";
import type { Op } from "../sim/task.ts";
import type { Trace } from "../sim/trace.ts";
import type { FolioList } from "./folio_list.ts";
import type { FreeList, MemMap } from "./mem_map.ts";
import type { MemcgState } from "./memcontrol.ts";
import type { ObjCgroup } from "./memcontrol_objcg.ts";
import type { MemcgEvents, MemcgVmstats } from "./memcontrol_stat.ts";
import type { PageCounter } from "./page_counter.ts";
import type { PageTable, PteStore } from "./pgtable.ts";
import type { ShmemInodeInfo } from "./shmem.ts";
import type { Shrinker, ShrinkerInfo } from "./shrinker.ts";
import type { SwapReadahead } from "./swap_readahead.ts";
import type { SwapClusterInfo, SwapState } from "./swap_info.ts";
import type { SwpEntry } from "./swapops.ts";
import type { VmEvents } from "./vmstat.ts";
import type { ZswapState } from "./zswap_state.ts";

/** Page frame number: index of a 4 KiB frame in the machine's memory. */
export type Pfn = number & { readonly __brand: "Pfn" };

/**
 * One page of memory in use: a look at its frame's words (folio.ts). Two of
 * one page are two objects; sameFolio() compares them.
 */
export interface Folio {
  readonly pfn: Pfn;
  /** Which user of the frame this is, counted over the machine's life. */
  readonly generation: number;
  /** Where its words are, the links of its list among them. */
  readonly mem_map: MemMap;
  /** PG_* bits of page_flags.ts. */
  flags: number;
  _refcount: number;
  /** Page-table entries that map it. Differs: Linux counts from −1. */
  _mapcount: number;
  /**
   * Where its mappings can be found: private memory's family, or the shared
   * object that it belongs to. Null while it was never mapped.
   */
  mapping: AnonVma | AddressSpace | null;
  /** Virtual page number of its mappings, or page of its object. */
  index: number;
  /** The group that it is charged to; null before and after. */
  memcg: MemCgroup | null;
  /** Its slot; valid while PG_swapcache is set. Guarded by the folio lock. */
  swap: SwpEntry;
}

/** The areas in which the pages of one family of processes can be mapped. */
export interface AnonVma {
  readonly id: number;
  readonly vmas: VmArea[];
}

/** The pages of one shared object. */
export interface AddressSpace {
  readonly host: ShmemInodeInfo;
  /** By page: the folio, or the entry of the slot where it is. */
  readonly i_pages: XArray<Folio | SwpEntry>;
  /** The areas that map it. */
  readonly i_mmap: VmArea[];
  /** Guards `i_pages`. (Linux: xa_lock.) */
  readonly lock: Spinlock;
  /** The pause before a lookup without the lock. */
  readonly load: Op;
}

/** A range of a process's addresses with one set of rights. */
export interface VmArea {
  readonly vm_mm: MmStruct;
  /** First byte, and first byte behind it; multiples of 4096. */
  vm_start: number;
  vm_end: number;
  readonly vm_flags: number;
  /** The shared object behind it; null for private memory. */
  readonly vm_mapping: AddressSpace | null;
  /** The page of the object at `vm_start`. */
  readonly vm_pgoff: number;
  /** Where new pages are registered. */
  anon_vma: AnonVma | null;
  /** Every anon_vma whose pages may be mapped here: own and inherited. */
  readonly anon_vma_chain: AnonVma[];
  /** Last fault, window and hits, packed by SWAP_RA_VAL(); 0 at first. */
  swap_readahead_info: number;
}

/** One address space. */
export interface MmStruct {
  readonly pid: number;
  /** The group of its owner: new pages are charged to it. */
  memcg: MemCgroup;
  /** Table of the 2 MiB region `address >> 21`. */
  readonly tables: Map<number, PageTable>;
  /** What they hold. */
  readonly ptes: PteStore;
  readonly mmap: VmArea[];
  /** Present anonymous pages. */
  anon_pages: number;
  /** Present pages of shared objects. */
  shmem_pages: number;
  /** Page-table entries that hold a swap entry. */
  swap_ents: number;
}

/** Who runs: the context of an allocation, a lock, a trace line. */
export interface TaskStruct {
  readonly comm: string;
  readonly mm: MmStruct | null;
  /** Where it runs: an index of the per-CPU arrays. */
  readonly cpu: number;
  /** PF_* bits. */
  flags: number;
  /** Pages charged above memory.high since it was last slowed down. */
  memcg_nr_pages_over_high?: number;
  /** It got a signal: what can be interrupted gives -EINTR. (TIF_SIGPENDING) */
  signal_pending?: boolean;
  /** It takes a swap device away: out of memory, it is to blame. */
  oom_flag_origin?: boolean;
}

/** Free memory and the levels at which reclaim starts and stops, in pages. */
export interface Zone {
  readonly free_list: FreeList;
  readonly watermark: Readonly<Record<"min" | "low" | "high", number>>;
}

/** One NUMA node: a range of frames and who reclaims them. */
export interface PgData {
  readonly node_id: number;
  /** First frame, and first frame behind the last. */
  readonly node_start_pfn: number;
  readonly node_end_pfn: number;
  readonly zone: Zone;
  readonly kswapd: Work;
  /** Runs of kswapd in a row that freed nothing; at 16 it gives up. */
  kswapd_failures: number;
  /** PGDAT_* bits of vmscan_control.ts. */
  flags: number;
}

/**
 * The lists on which the pages of one group on one node age, by LRU_* of
 * lru.ts. Guarded by `lru_lock`.
 */
export interface Lruvec {
  readonly memcg: MemCgroup;
  readonly pgdat: PgData;
  readonly lru_lock: Spinlock;
  readonly lists: readonly FolioList[];
  /** Folios on each list. (Linux: mem_cgroup_per_node.lru_zone_size.) */
  readonly lru_size: number[];
  /** Pages read from a device of late: zswap wrote back too much. */
  readonly zswap_lruvec_state: { nr_disk_swapins: number };
  /** What reclaim of either kind has cost lately. */
  anon_cost: number;
  file_cost: number;
  /** Pages that went through the lists: the clock of the shadows. */
  nonresident_age: number;
  /** Active refaults, of groups once below it, too; and at the last reclaim. */
  workingset_activate_anon: number;
  refaults: number;
}

/** What a group has on one node. */
export interface MemCgroupPerNode {
  readonly lruvec: Lruvec;
  readonly shrinker_info: ShrinkerInfo;
  /** Where the reclaimers who share the walk from this group are. */
  readonly iter: { position: MemCgroup | null; generation: number };
}

/** The life of a group; its root's references are not counted. */
export interface CgroupSubsysState {
  refcnt: number;
  /** CSS_* bits of memcontrol.ts. */
  flags: number;
}

/** The pauses before what others can see of a group. */
export interface MemcgOps {
  readonly charge: Op;
  readonly kill: Op;
  /** Before looking whether it is online. */
  readonly online: Op;
  readonly putId: Op;
  /** Of `objcg`. */
  readonly readObjcg: Op;
  readonly writeObjcg: Op;
  /** Of `kmemcg_id`; one object for all groups, as they change together. */
  readonly readKmemcgId: Op;
  readonly writeKmemcgId: Op;
  /** Before it is freed; who looks up a list would touch it. */
  readonly free: Op;
}

/** A memory control group. The root group is always there. */
export interface MemCgroup {
  readonly css: CgroupSubsysState;
  /** Of the swap records; 0 when nothing refers to it any more. */
  id: number;
  /** Being online, and every slot charged to it. (Linux: id.ref.) */
  idRefs: number;
  readonly name: string;
  readonly parent: MemCgroup | null;
  /** Those below it until they are released, oldest first. */
  readonly children: MemCgroup[];
  /** By node. */
  readonly nodeinfo: MemCgroupPerNode[];
  /** Pages of memory, and slots, with those of all groups below. */
  readonly memory: PageCounter;
  readonly swap: PageCounter;
  /** memory.zswap.max, in pages. */
  zswap_max: number;
  /** memory.zswap.writeback. */
  zswap_writeback: boolean;
  /** Index of its list_lru lists; −1 for the root; the parent's when dead. */
  kmemcg_id: number;
  /** To whom new objects are charged; null for the root and the dead. */
  objcg: ObjCgroup | null;
  /** The first one, kept as long as the group. */
  orig_objcg: ObjCgroup | null;
  /** What it took over from dead children. Guarded by objcg_lock. */
  readonly objcg_list: ObjCgroup[];
  readonly vmstats: MemcgVmstats;
  /** memory.events and memory.swap.events. */
  readonly memory_events: MemcgEvents;
  readonly ops: MemcgOps;
  /** The memory of this object was given back: nobody may look at it. */
  freed: boolean;
}

/**
 * One swap device. Guarded by `lock` unless said otherwise.
 *
 * It stays when its device is taken away, without SWP_USED and with a map of
 * no slots, until the next swapon takes its number.
 */
export interface SwapInfoStruct {
  readonly type: number;
  /** Higher first; 0 … 32767 as asked for, below 0 given by itself. */
  prio: number;
  /** SWP_*. */
  flags: number;
  readonly lock: Spinlock;
  /** Link in swap_active_head. Guarded by swap_lock. */
  readonly list: PlistNode<SwapInfoStruct>;
  /** The node whose CPUs prefer it, or NUMA_NO_NODE. (Linux: swap_node().) */
  homeNode: number;
  /** Links in swap_avail_heads, by node. Guarded by swap_avail_lock. */
  readonly avail_lists: readonly PlistNode<SwapInfoStruct>[];
  /** One byte per slot; what it says: swap_count.ts. Also ci.lock. */
  swap_map: Uint8Array;
  /** One bit per slot: the page is all zero and stands nowhere. */
  zeromap: Uint8Array;
  /** Slots, the header included. */
  max: number;
  /** Slots that can be used. */
  pages: number;
  /** Among them: given out, or put by in the caches of slots. */
  inuse_pages: number;
  /** No slot below or above them is free; highest_bit is 0 if none is. */
  lowest_bit: number;
  highest_bit: number;
  /** Rotating devices: where the search goes on, and how far. */
  cluster_next: number;
  cluster_nr: number;
  /** Devices without a head: the slots in clusters. Null for others. */
  cluster_info: readonly SwapClusterInfo[] | null;
  free_clusters: ListHead<SwapClusterInfo>;
  full_clusters: ListHead<SwapClusterInfo>;
  nonfull_clusters: ListHead<SwapClusterInfo>;
  /** Like nonfull, but somebody takes, or took, slots from them. */
  frag_clusters: ListHead<SwapClusterInfo>;
  frag_cluster_nr: number;
  /** Empty; the device has to be told before they are free. */
  discard_clusters: ListHead<SwapClusterInfo>;
  /** By CPU: the slot from which it goes on, or SWAP_NEXT_INVALID. */
  percpu_cluster: number[];
  readonly discard_work: Work;
  readonly reclaim_work: Work;
  /** Who uses a slot of it without another hold: get_swap_device(). */
  readonly users: PercpuRef;
  /** Pages of higher digits, by page of the map (4096 slots each). */
  readonly continuations: Map<number, Folio[]>;
  /** Swap cache, one array for each 64 MiB. Guarded by its own lock. */
  swapper_spaces: readonly SwapperSpace[];
  disk: BlockDevice;
}

/** Folios of 64 MiB of slots, by offset; a number is a shadow. */
export interface SwapperSpace {
  readonly xa: XArray<Folio | number>;
  /** Folios among them. */
  nrpages: number;
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

/** Failures to come, for tests: so many of the next ones fail. (Ours.) */
export interface Inject {
  /** Nodes of the swap cache: add_to_swap_cache() gives -ENOMEM. */
  swapCacheNodes: number;
  /** Lists of a group: memcg_list_lru_alloc() gives -ENOMEM. */
  listLruArrays: number;
  /** Entries of zswap: reject_kmemcache_fail. */
  zswapEntries: number;
  /** Nodes of zswap's trees: reject_alloc_fail. */
  zswapTreeNodes: number;
  /** Names of zswap's parameters: a switch of the pool gives -ENOMEM. */
  zswapParameters: number;
}

export interface Kernel {
  /** All frames in turn: frame p begins at byte 4096 × p. */
  readonly memory: Uint8Array;
  readonly totalram_pages: number;
  /** A frame of zeros that fresh pages share until they are written. */
  readonly zero_pfn: Pfn;
  /** What is known of each frame, as words; pfn_folio() shows one. */
  readonly mem_map: MemMap;
  /** (Linux: NODE_DATA(nid).) */
  readonly nodes: readonly PgData[];
  readonly nr_cpus: number;
  readonly root_mem_cgroup: MemCgroup;
  readonly memcg: MemcgState;
  readonly rcu: Rcu;
  /** Which of the ideas of the threads are in force; default: v6.12. */
  readonly proposals: Proposals;
  /** What of other releases it does; default: nothing, v6.12. */
  readonly quirks: Quirks;
  readonly vm_event: VmEvents;
  /** By type; a number once given out stays. (nr_swapfiles: its length.) */
  readonly swap_info: SwapInfoStruct[];
  readonly swap: SwapState;
  /** Below 0 while a device with more free slots than that is taken away. */
  nr_swap_pages: number;
  total_swap_pages: number;
  /** Devices with a head among them. */
  nr_rotate_swap: number;
  readonly readahead: SwapReadahead;
  /** Where losers of the race for a direct swap-in wait. */
  readonly swapcache_wq: WaitQueueHead;
  readonly zswap: ZswapState;
  readonly mms: Set<MmStruct>;
  /** 0 … 200: how willingly anonymous pages are taken rather than others. */
  vm_swappiness: number;
  /** Caches that reclaim asks for memory, and the next group-aware id. */
  readonly shrinker_list: Shrinker[];
  next_shrinker_id: number;
  next_pid: number;
  next_anon_vma: number;
  /** Shared objects with pages in swap. */
  readonly shmem_swaplist: ShmemInodeInfo[];
  next_shmem: number;
  readonly clock: Clock;
  readonly costs: Costs;
  readonly trace: Trace;
  /** kswapd and the zswap shrinker run from here. */
  readonly workqueue: Workqueue;
  current: TaskStruct;
  readonly inject: Inject;
  /** WARN_ON lines; tests fail on any they did not expect. */
  readonly warnings: string[];
}
