/**
 * zswap: keep pages that shrink in memory instead of writing them to swap.
 *
 * zswap stands between the swap cache and the device. A page has a slot
 * already; zswap keeps its bytes, compressed, under that slot, and the device
 * sees nothing until zswap writes the page back. A load takes the compressed
 * copy away if the folio is in the swap cache: the folio owns the data then,
 * and is dirty.
 *
 * Callers hold the folio lock. An entry is published in the tree first and on
 * the LRU list last; before that, writeback cannot see it.
 *
 * Kernel: mm/zswap.c (v6.12). Differs: no cgroups and one node, so one LRU
 * list; one pool at a time; the dynamic shrinker is left out.
 */
import { VM_BUG_ON } from "../base/bug.ts";
import {
  INIT_LIST_HEAD,
  list_add_tail,
  list_del,
  type ListHead,
} from "../base/list.ts";
import {
  xa_cmpxchg,
  xa_empty,
  xa_erase,
  xa_init,
  xa_load,
  xa_store,
  type XArray,
} from "../base/xarray.ts";
import { spin_lock_init, type Spinlock } from "../locking/spinlock.ts";
import { INIT_WORK, queue_work, type Work } from "../locking/workqueue.ts";
import { makeOp, type Op, pause, type Task } from "../sim/task.ts";
import { emit } from "../sim/trace.ts";
import type { Folio, Kernel, SwapInfoStruct } from "./mm_types.ts";
import {
  folio_test_swapcache,
  PG_dirty,
  PG_uptodate,
  setFlag,
} from "./page_flags.ts";
import { PAGE_SIZE } from "./pgtable.ts";
import { SWAP_ADDRESS_SPACE_PAGES } from "./swap.ts";
import {
  entryName,
  spaceIndex,
  swp_offset,
  swp_type,
  type SwpEntry,
} from "./swapops.ts";
import {
  zswap_accept_thr_pages,
  zswap_compress,
  zswap_decompress,
  zswap_max_pages,
  zswap_total_pages,
  type ZswapPool,
} from "./zswap_pool.ts";
import { shrink_worker } from "./zswap_shrink.ts";

/** One compressed page. */
export interface ZswapEntry {
  readonly swpentry: SwpEntry;
  /** Compressed size in bytes. */
  readonly length: number;
  /** Set at store; the first time the shrinker comes by, it only clears it. */
  referenced: boolean;
  readonly pool: ZswapPool;
  readonly handle: number;
  /** Link in `ZswapState.list_lru`. */
  readonly lru: ListHead<ZswapEntry>;
}

/** The entries of 64 MiB of slots. */
export interface ZswapTree {
  readonly xa: XArray<ZswapEntry>;
  readonly load: Op;
  readonly change: Op;
}

/** What /sys/module/zswap/parameters and debugfs show, and the data behind. */
export interface ZswapState {
  enabled: boolean;
  /** Percent of all memory that the pool may take. */
  max_pool_percent: number;
  /** Percent of that size at which a full pool takes pages again. */
  accept_threshold_percent: number;
  /** Null until zswap_pool_create(). */
  pool: ZswapPool | null;
  /** By device, then by 64 MiB of slots. */
  readonly trees: ZswapTree[][];
  /** Front: the next victim. Guarded by `lru_lock`. */
  readonly list_lru: ListHead<ZswapEntry>;
  readonly lru_lock: Spinlock;
  nr_lru: number;
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
  /** The allocator had no memory. */
  reject_alloc_fail: number;
  reject_kmemcache_fail: number;
  /** The compressor failed: with lz4, an incompressible page. */
  reject_compress_fail: number;
  /** Compressed, but too big for the allocator (zbud: over 3968 bytes). */
  reject_compress_poor: number;
  written_back_pages: number;
}

export interface ZswapOptions {
  readonly enabled: boolean;
  readonly compressor: string;
  readonly zpool: string;
  readonly maxPoolPercent: number;
  readonly acceptThresholdPercent: number;
}

/** zswap with an empty pool. (Linux: zswap_setup().) */
export function zswap_setup(
  k: () => Kernel,
  options: ZswapOptions,
): ZswapState {
  return {
    enabled: options.enabled,
    max_pool_percent: options.maxPoolPercent,
    accept_threshold_percent: options.acceptThresholdPercent,
    pool: null,
    trees: [],
    list_lru: INIT_LIST_HEAD<ZswapEntry>(),
    lru_lock: spin_lock_init("zswap_list_lru"),
    nr_lru: 0,
    pool_reached_full: false,
    shrink_work: INIT_WORK("zswap-shrink", () => shrink_worker(k())),
    buffer: new Uint8Array(PAGE_SIZE),
    stored_pages: 0,
    pool_limit_hit: 0,
    reject_reclaim_fail: 0,
    reject_alloc_fail: 0,
    reject_kmemcache_fail: 0,
    reject_compress_fail: 0,
    reject_compress_poor: 0,
    written_back_pages: 0,
  };
}

/** zswap_swapon() - the trees of a new device, one for each 64 MiB. */
export function zswap_swapon(k: Kernel, si: SwapInfoStruct): void {
  const count = Math.ceil(si.max / SWAP_ADDRESS_SPACE_PAGES);
  k.zswap.trees[si.type] = Array.from({ length: count }, (_, index) => {
    const name = `zswap tree ${si.type}:${index}`;
    const xa = xa_init<ZswapEntry>(name);
    return {
      xa,
      load: makeOp("read", `xa_load(${name})`, xa),
      change: makeOp("write", `xa_lock(${name})`, xa),
    };
  });
}

function swap_zswap_tree(k: Kernel, entry: SwpEntry): ZswapTree {
  const tree = k.zswap.trees[swp_type(entry)]?.[spaceIndex(entry)];
  VM_BUG_ON(tree === undefined, `no zswap tree for ${entryName(entry)}`);
  return tree!;
}

/** The pool is full, or was and has not shrunk to the threshold since. */
function zswap_check_limits(k: Kernel): boolean {
  const total = zswap_total_pages(k);
  const { zswap } = k;
  if (total >= zswap_max_pages(k)) {
    zswap.pool_limit_hit++;
    zswap.pool_reached_full = true;
  } else if (zswap.pool_reached_full && total <= zswap_accept_thr_pages(k)) {
    zswap.pool_reached_full = false;
  }
  return zswap.pool_reached_full;
}

/**
 * zswap_store() - take a folio's bytes, compressed.
 *
 * @returns false if the device has to take them: zswap is off or full, or the
 *   page does not shrink. Then zswap holds no older copy of the slot either.
 *
 * Context: folio locked, in the swap cache.
 */
export function* zswap_store(k: Kernel, folio: Folio): Task<boolean> {
  const { zswap } = k;
  const stored = zswap.enabled && (yield* storePage(k, folio));
  if (stored) return true;
  if (zswap.enabled && zswap.pool_reached_full) {
    queue_work(k.workqueue, zswap.shrink_work);
  }
  // An older copy under this slot would be read instead of the device's.
  yield* zswap_invalidate(k, folio.swap);
  return false;
}

function* storePage(k: Kernel, folio: Folio): Task<boolean> {
  const { zswap } = k;
  if (zswap_check_limits(k)) return false;
  const pool = zswap.pool;
  if (pool === null) return false;
  const object = zswap_compress(k, pool, folio);
  if (object === null) return false;

  const entry = makeEntry(folio.swap, pool, object);
  const tree = swap_zswap_tree(k, folio.swap);
  yield* pause(tree.change);
  const old = xa_store(tree.xa, swp_offset(folio.swap), entry);
  if (old !== null) zswap_entry_free(k, old);
  zswap_lru_add(k, entry);
  zswap.stored_pages++;
  k.vm_event.zswpout++;
  emit(k.trace, {
    time: k.clock.now,
    fn: "zswap_store",
    what: `compressed to ${entry.length} bytes`,
    pfn: folio.pfn,
    slot: entryName(folio.swap),
  });
  return true;
}

function makeEntry(
  swpentry: SwpEntry,
  pool: ZswapPool,
  object: { handle: number; length: number },
): ZswapEntry {
  const entry = { swpentry, pool, referenced: true, ...object } as {
    -readonly [Field in keyof ZswapEntry]: ZswapEntry[Field];
  };
  entry.lru = INIT_LIST_HEAD<ZswapEntry>(entry);
  return entry;
}

function zswap_lru_add(k: Kernel, entry: ZswapEntry): void {
  list_add_tail(entry.lru, k.zswap.list_lru);
  k.zswap.nr_lru++;
}

/** Give back all that an entry holds; it is in no tree any more. */
export function zswap_entry_free(k: Kernel, entry: ZswapEntry): void {
  list_del(entry.lru);
  k.zswap.nr_lru--;
  entry.pool.zpool.free(entry.handle);
  k.zswap.stored_pages--;
}

/**
 * zswap_load() - bring one page back from the compressed pool.
 *
 * If the folio is in the swap cache it takes the data over: the compressed
 * copy is freed, and the folio is dirty, since it is the only copy now.
 *
 * @param folio locked, not up to date; its `swap` names the slot
 * @returns true if zswap had the page; false leaves the folio untouched
 *
 * Context: may pause (the tree). Caller holds the folio lock.
 */
export function* zswap_load(k: Kernel, folio: Folio): Task<boolean> {
  const tree = swap_zswap_tree(k, folio.swap);
  const offset = swp_offset(folio.swap);
  const swapcache = folio_test_swapcache(folio);
  yield* pause(swapcache ? tree.change : tree.load);
  const entry = swapcache
    ? xa_erase(tree.xa, offset)
    : xa_load(tree.xa, offset);
  if (entry === null) return false;

  zswap_decompress(k, entry, folio);
  k.vm_event.zswpin++;
  emit(k.trace, {
    time: k.clock.now,
    fn: "zswap_load",
    what: `decompressed from ${entry.length} bytes`,
    pfn: folio.pfn,
    slot: entryName(folio.swap),
  });
  if (swapcache) {
    zswap_entry_free(k, entry);
    setFlag(folio, PG_dirty);
  }
  setFlag(folio, PG_uptodate);
  return true;
}

/**
 * zswap_invalidate() - the slot's page is not needed any more.
 *
 * Context: may pause (the tree) but does not sleep.
 */
export function* zswap_invalidate(k: Kernel, swp: SwpEntry): Task {
  const tree = swap_zswap_tree(k, swp);
  if (xa_empty(tree.xa)) return;
  yield* pause(tree.change);
  const entry = xa_erase(tree.xa, swp_offset(swp));
  if (entry !== null) zswap_entry_free(k, entry);
}

/** Take `entry` out of its tree if it is still the one there. */
export function* claimEntry(k: Kernel, entry: ZswapEntry): Task<boolean> {
  const tree = swap_zswap_tree(k, entry.swpentry);
  yield* pause(tree.change);
  const offset = swp_offset(entry.swpentry);
  return xa_cmpxchg(tree.xa, offset, entry, null) === entry;
}

/** Sum of the compressed sizes, in bytes. (Linux: MEMCG_ZSWAP_B.) */
export function zswapCompressedBytes(k: Kernel): number {
  let bytes = 0;
  for (const trees of k.zswap.trees) {
    for (const tree of trees) {
      for (const entry of tree.xa.entries.values()) bytes += entry.length;
    }
  }
  return bytes;
}
