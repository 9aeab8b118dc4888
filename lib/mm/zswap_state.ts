/**
 * What zswap keeps: its parameters, its counters, and the data behind them.
 *
 * Kernel: mm/zswap.c (v6.12). Differs: split off from zswap.c; the counters
 * lose no increment.
 */
import { INIT_LIST_HEAD, type ListHead } from "../base/list.ts";
import { spin_lock_init, type Spinlock } from "../locking/spinlock.ts";
import { INIT_WORK, type Work } from "../locking/workqueue.ts";
import { list_lru_init, type ListLru } from "./list_lru.ts";
import type { ObjCgroup } from "./memcontrol_objcg.ts";
import type { Kernel, MemCgroup } from "./mm_types.ts";
import { PAGE_SIZE } from "./pgtable.ts";
import type { ZswapEntry, ZswapTree } from "./zswap_entry.ts";
import type { ZswapPool } from "./zswap_pool.ts";
import { shrink_worker } from "./zswap_shrink.ts";

/** What /sys/module/zswap/parameters and debugfs show, and the data behind. */
export interface ZswapState {
  enabled: boolean;
  /** Of the current pool, by name. */
  compressor: string;
  zpool: string;
  /** Percent of all memory that the pool may take. */
  max_pool_percent: number;
  /** Percent of that size at which a full pool takes pages again. */
  accept_threshold_percent: number;
  /** Write back under memory pressure, before the pool is full. */
  shrinker_enabled: boolean;
  /** Frames in the longest chain of zsmalloc. */
  readonly zsmallocChainSize: number;
  /** zswap_setup() has run. */
  initialized: boolean;
  /** A pool was made once. (Linux: the static key zswap_ever_enabled.) */
  ever_enabled: boolean;
  /** Front: the current pool; behind it, those that still have entries. */
  readonly pools: ListHead<ZswapPool>;
  /** By device, then by 64 MiB of slots. */
  readonly trees: ZswapTree[][];
  /** By group and node; front: the next victim. */
  readonly list_lru: ListLru<ZswapEntry>;
  /** Guards next_shrink. */
  readonly shrink_lock: Spinlock;
  /** The group that the worker tried last, with a reference. */
  next_shrink: MemCgroup | null;
  /** The same where the cursor is an objcg (proposal next_shrink). */
  next_shrink_objcg: ObjCgroup | null;
  /** Full once, and not yet back under the accept threshold. */
  pool_reached_full: boolean;
  readonly shrink_work: Work;
  /** Where a page is compressed to. */
  readonly buffer: Uint8Array;
  /** Live entries. */
  stored_pages: number;
  /** Store attempts that found the pool at or over its limit. */
  pool_limit_hit: number;
  /** Failed writebacks of single entries. */
  reject_reclaim_fail: number;
  /** The allocator, or the tree, had no memory. */
  reject_alloc_fail: number;
  /** No memory for an entry. */
  reject_kmemcache_fail: number;
  /** The compressor failed: with lz4, an incompressible page. */
  reject_compress_fail: number;
  /** Compressed, but too big for the allocator (zbud: over 3968 bytes). */
  reject_compress_poor: number;
  written_back_pages: number;
  /** (Quirk filledPages.) Live entries that have only a word. */
  same_filled_pages: number;
  /** (Quirk incompressible.) Live entries that were not compressed. */
  stored_incompressible_pages: number;
}

export interface ZswapOptions {
  readonly enabled: boolean;
  readonly compressor: string;
  readonly zpool: string;
  readonly maxPoolPercent: number;
  readonly acceptThresholdPercent: number;
  readonly shrinkerEnabled: boolean;
  readonly chainSize: number;
}

/** zswap as it is before zswap_init(): the parameters and no pool. */
export function makeZswapState(
  machine: Omit<Kernel, "zswap">,
  options: ZswapOptions,
): ZswapState {
  const k = machine as Kernel;
  return {
    enabled: options.enabled,
    compressor: options.compressor,
    zpool: options.zpool,
    max_pool_percent: options.maxPoolPercent,
    accept_threshold_percent: options.acceptThresholdPercent,
    shrinker_enabled: options.shrinkerEnabled,
    zsmallocChainSize: options.chainSize,
    initialized: false,
    ever_enabled: false,
    pools: INIT_LIST_HEAD<ZswapPool>(),
    trees: [],
    list_lru: list_lru_init<ZswapEntry>(k, "zswap_list_lru"),
    shrink_lock: spin_lock_init("zswap_shrink_lock"),
    next_shrink: null,
    next_shrink_objcg: null,
    pool_reached_full: false,
    shrink_work: INIT_WORK("zswap-shrink", () => shrink_worker(k)),
    buffer: new Uint8Array(PAGE_SIZE),
    stored_pages: 0,
    pool_limit_hit: 0,
    reject_reclaim_fail: 0,
    reject_alloc_fail: 0,
    reject_kmemcache_fail: 0,
    reject_compress_fail: 0,
    reject_compress_poor: 0,
    written_back_pages: 0,
    same_filled_pages: 0,
    stored_incompressible_pages: 0,
  };
}
