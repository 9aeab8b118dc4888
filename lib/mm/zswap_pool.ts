/**
 * zswap's pool: a compressor and an allocator, and how full it may get.
 *
 * Kernel: mm/zswap.c (v6.12). Differs: split off from zswap.c; one buffer for
 * the machine, since compression does not pause.
 */
import { ENOSPC } from "../base/errno.ts";
import { VM_BUG_ON } from "../base/bug.ts";
import { type CompAlg, crypto_alloc_acomp } from "../crypto/acomp.ts";
import { spend } from "../sim/clock.ts";
import type { Folio, Kernel } from "./mm_types.ts";
import { __GFP_KSWAPD_RECLAIM, __GFP_NORETRY } from "./page_alloc.ts";
import { pageBytes } from "./page_io.ts";
import { PAGE_SIZE } from "./pgtable.ts";
import { entryName } from "./swapops.ts";
import type { ZswapEntry } from "./zswap.ts";
import {
  type Zpool,
  zpool_create_pool,
  ZPOOL_MM_RO,
  ZPOOL_MM_WO,
} from "./zpool.ts";

/** A compressor and an allocator that belong together. */
export interface ZswapPool {
  readonly tfm: CompAlg;
  readonly zpool: Zpool;
}

/** zswap_pool_create() - an empty pool of `compressor` and allocator `type`. */
export function zswap_pool_create(
  k: Kernel,
  type: string,
  compressor: string,
): ZswapPool {
  return {
    tfm: crypto_alloc_acomp(compressor),
    zpool: zpool_create_pool(k, type),
  };
}

/** Frames of the pool: what it costs, not the sum of what is in it. */
export function zswap_total_pages(k: Kernel): number {
  return k.zswap.pool?.zpool.total_pages() ?? 0;
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

/**
 * Compress a folio into the pool.
 *
 * @returns handle and length; or null, one of the reject counters raised
 */
export function zswap_compress(
  k: Kernel,
  pool: ZswapPool,
  folio: Folio,
): { handle: number; length: number } | null {
  const { zswap } = k;
  spend(k.clock, pool.tfm.compressNanoseconds);
  const length = pool.tfm.compress(pageBytes(k, folio), zswap.buffer);
  if (length === -ENOSPC) zswap.reject_compress_poor++;
  else if (length < 0) zswap.reject_compress_fail++;
  if (length < 0) return null;

  const gfp = __GFP_NORETRY | __GFP_KSWAPD_RECLAIM;
  const handle = pool.zpool.malloc(length, gfp);
  if (handle === -ENOSPC) zswap.reject_compress_poor++;
  else if (handle < 0) zswap.reject_alloc_fail++;
  if (handle < 0) return null;

  const object = pool.zpool.map(handle, ZPOOL_MM_WO);
  object.set(zswap.buffer.subarray(0, length));
  pool.zpool.unmap(handle);
  return { handle, length };
}

/** Bring an entry's page back into a folio; a bad block stops the machine. */
export function zswap_decompress(
  k: Kernel,
  entry: ZswapEntry,
  folio: Folio,
): void {
  const { tfm, zpool } = entry.pool;
  spend(k.clock, tfm.decompressNanoseconds);
  const object = zpool.map(entry.handle, ZPOOL_MM_RO);
  const length = tfm.decompress(
    object.subarray(0, entry.length),
    pageBytes(k, folio),
  );
  zpool.unmap(entry.handle);
  VM_BUG_ON(
    length !== PAGE_SIZE,
    `zswap: ${entryName(entry.swpentry)} decompresses to ${length} bytes`,
  );
}
