/**
 * zswap's pools: a compressor and an allocator each, and how full they get.
 *
 * New pages go to the first pool of the list, the current one. When another
 * compressor or allocator is chosen, a pool of that kind goes to the front and
 * the former one loses its initial reference: it takes no pages any more, and
 * vanishes with its last entry. Chosen again before that, it comes back.
 *
 * Kernel: mm/zswap.c (v6.12). Differs: split off from zswap.c; nothing here
 * pauses, so there is no zswap_pools_lock, one compressor instance and buffer
 * serve all CPUs, and an empty pool is destroyed at once, not by a work item.
 */
import { ENOSPC } from "../base/errno.ts";
import { VM_BUG_ON } from "../base/bug.ts";
import {
  entriesOf,
  INIT_LIST_HEAD,
  list_del,
  list_first_entry_or_null,
  type ListHead,
} from "../base/list.ts";
import {
  percpu_ref_init,
  percpu_ref_put,
  percpu_ref_tryget,
  type PercpuRef,
} from "../base/percpu_ref.ts";
import { type CompAlg, crypto_alloc_acomp } from "../crypto/acomp.ts";
import { spend } from "../sim/clock.ts";
import { enter } from "../sim/trace.ts";
import type { Folio, Kernel } from "./mm_types.ts";
import { __GFP_KSWAPD_RECLAIM, __GFP_NORETRY } from "./page_alloc.ts";
import { pageBytes } from "./page_io.ts";
import { PAGE_SIZE } from "./pgtable.ts";
import { entryName } from "./swapops.ts";
import type { ZswapEntry } from "./zswap_entry.ts";
import { filledWith, fillWith } from "./zswap_filled.ts";
import {
  type Zpool,
  zpool_create_pool,
  zpool_destroy_pool,
  ZPOOL_MM_RO,
  ZPOOL_MM_WO,
} from "./zpool.ts";

/** A compressor and an allocator that belong together. */
export interface ZswapPool {
  readonly tfm_name: string;
  readonly acomp: CompAlg;
  readonly zpool: Zpool;
  /** One for being the current pool, one for each entry. */
  readonly ref: PercpuRef;
  /** Link in `ZswapState.pools`. */
  readonly list: ListHead<ZswapPool>;
}

/**
 * zswap_pool_create() - an empty pool of `compressor` and allocator `type`.
 *
 * It holds its initial reference and is on no list: the caller makes it the
 * current one.
 */
export function zswap_pool_create(
  k: Kernel,
  type: string,
  compressor: string,
): ZswapPool {
  const pool = {
    tfm_name: compressor,
    acomp: crypto_alloc_acomp(compressor),
    zpool: zpool_create_pool(k, type),
  } as { -readonly [Field in keyof ZswapPool]: ZswapPool[Field] };
  pool.ref = percpu_ref_init(
    `zswap pool ${compressor}/${type}`,
    () => __zswap_pool_empty(k, pool),
  );
  pool.list = INIT_LIST_HEAD<ZswapPool>(pool);
  k.zswap.ever_enabled = true;
  return pool;
}

/** The last reference is gone: off the list, and out of memory. */
function __zswap_pool_empty(k: Kernel, pool: ZswapPool): void {
  if (pool === zswap_pool_current(k)) {
    k.warnings.push(`zswap: ${pool.ref.name} is current and has no reference`);
  }
  list_del(pool.list);
  zpool_destroy_pool(k, pool.zpool);
}

/** The pool that new pages go to. */
export function zswap_pool_current(k: Kernel): ZswapPool | null {
  return list_first_entry_or_null(k.zswap.pools);
}

/** The current pool, one more reference; null if there is none. */
export function zswap_pool_current_get(k: Kernel): ZswapPool | null {
  const pool = zswap_pool_current(k);
  return pool !== null && percpu_ref_tryget(pool.ref) ? pool : null;
}

export function zswap_pool_put(pool: ZswapPool): void {
  percpu_ref_put(pool.ref);
}

/** A pool of that kind that still has entries, one more reference; or null. */
export function zswap_pool_find_get(
  k: Kernel,
  type: string,
  compressor: string,
): ZswapPool | null {
  for (const pool of entriesOf(k.zswap.pools)) {
    if (pool.tfm_name !== compressor || pool.zpool.type !== type) continue;
    if (percpu_ref_tryget(pool.ref)) return pool;
  }
  return null;
}

/**
 * zswap_total_pages() - frames of all pools: what zswap costs.
 *
 * Not the sum of what is in them, and without the entries' own memory.
 */
export function zswap_total_pages(k: Kernel): number {
  let total = 0;
  for (let { next } = k.zswap.pools; next.owner !== null; next = next.next) {
    total += next.owner.zpool.total_pages();
  }
  return total;
}

/** In pages: max_pool_percent of all memory. */
export function zswap_max_pages(k: Kernel): number {
  return Math.floor((k.totalram_pages * k.zswap.max_pool_percent) / 100);
}

/** In pages: accept_threshold_percent of zswap_max_pages(). */
export function zswap_accept_thr_pages(k: Kernel): number {
  const max = zswap_max_pages(k);
  return Math.floor((max * k.zswap.accept_threshold_percent) / 100);
}

// #region check-limits
/**
 * zswap_check_limits() - whether a store has to be refused.
 *
 * Full is full until the pools have shrunk to the accept threshold; only a
 * store looks, so only a store finds out.
 */
export function zswap_check_limits(k: Kernel): boolean {
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
// #endregion

/** What a page has become: an object of the pool, or only a word. */
export interface Compressed {
  /** Of the object; 0 if there is none. */
  readonly handle: number;
  /** Its bytes, a header not counted. */
  readonly length: number;
  /** The word that fills the page; else null. */
  readonly value: bigint | null;
}

/**
 * Compress a folio into the pool.
 *
 * @returns what it has become; or null, one of the reject counters raised
 */
export function zswap_compress(
  k: Kernel,
  pool: ZswapPool,
  folio: Folio,
): Compressed | null {
  const { zswap, quirks } = k;
  const value = quirks.filledPages === "zswap" ? filledWith(k, folio) : null;
  if (value !== null) zswap.same_filled_pages++;
  if (value !== null) return { handle: 0, length: 0, value };

  const length = compressToBuffer(k, pool, folio);
  if (length === -ENOSPC) zswap.reject_compress_poor++;
  else if (length < 0) zswap.reject_compress_fail++;
  if (length < 0) return null;

  const gfp = __GFP_NORETRY | __GFP_KSWAPD_RECLAIM;
  const header = headerOf(k, pool);
  const handle = pool.zpool.malloc(header + length, gfp);
  if (handle === -ENOSPC) zswap.reject_compress_poor++;
  else if (handle < 0) zswap.reject_alloc_fail++;
  if (handle < 0) return null;

  const object = pool.zpool.map(handle, ZPOOL_MM_WO);
  object.set(zswap.buffer.subarray(0, length), header);
  pool.zpool.unmap(handle);
  if (isRaw(k, length)) zswap.stored_incompressible_pages++;
  return { handle, length, value };
}

/** Stored as it is? A block may come to 4096 bytes and be compressed still. */
function isRaw({ quirks }: Kernel, length: number): boolean {
  return length === PAGE_SIZE && quirks.incompressible === "store";
}

/** @returns bytes in `k.zswap.buffer`, or a negative errno */
function compressToBuffer(k: Kernel, pool: ZswapPool, folio: Folio): number {
  const { buffer } = k.zswap;
  spend(k.clock, pool.acomp.compressNanoseconds);
  const length = pool.acomp.compress(pageBytes(k, folio), buffer);
  const shrunk = length >= 0 && length < PAGE_SIZE;
  if (shrunk || k.quirks.incompressible === "reject") return length;
  // As it is, so that pages leave zswap in the order in which they came.
  buffer.set(pageBytes(k, folio));
  return PAGE_SIZE;
}

/** Bytes in front of an object, for allocators that could evict by themselves. */
function headerOf({ quirks }: Kernel, { zpool }: ZswapPool): number {
  return zpool.type === "zsmalloc" ? 0 : quirks.zswapHeader;
}

/** The pool has no use for an entry's bytes any more. */
export function dropCompressed(k: Kernel, entry: ZswapEntry): void {
  if (entry.value !== null) k.zswap.same_filled_pages--;
  else entry.pool.zpool.free(entry.handle);
  if (isRaw(k, entry.length)) k.zswap.stored_incompressible_pages--;
}

/** Bring an entry's page back into a folio; a bad block stops the machine. */
export function zswap_decompress(
  k: Kernel,
  entry: ZswapEntry,
  folio: Folio,
): void {
  enter(k.trace, "zswap_decompress");
  VM_BUG_ON(
    entry.freed,
    () => `use after free: zswap entry of ${entryName(entry.swpentry)}`,
  );
  if (entry.value !== null) return fillWith(k, folio, entry.value);
  const { acomp, zpool } = entry.pool;
  const page = pageBytes(k, folio);
  spend(k.clock, acomp.decompressNanoseconds);
  const object = zpool.map(entry.handle, ZPOOL_MM_RO);
  const header = headerOf(k, entry.pool);
  const bytes = object.subarray(header, header + entry.length);
  const raw = isRaw(k, entry.length);
  if (raw) page.set(bytes);
  const length = raw ? PAGE_SIZE : acomp.decompress(bytes, page);
  zpool.unmap(entry.handle);
  VM_BUG_ON(
    length !== PAGE_SIZE,
    () => `zswap: ${entryName(entry.swpentry)} decompresses to ${length} bytes`,
  );
}
