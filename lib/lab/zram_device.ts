/**
 * A zram on a machine: its pool is zsmalloc in the machine's own frames, its
 * compressors are those of lib/crypto. Ours: lib/block may import neither.
 *
 * What zram stores makes the machine's memory smaller, as in Linux: swapping
 * to it pays only as far as pages shrink.
 */
import { ENOMEM } from "../base/errno.ts";
import type { BlockDevice } from "../block/bio.ts";
import { makeZram } from "../block/zram.ts";
import type { Zram, ZramPool } from "../block/zram_table.ts";
import { crypto_alloc_acomp } from "../crypto/acomp.ts";
import type { Kernel } from "../mm/mm_types.ts";
import {
  __GFP_KSWAPD_RECLAIM,
  __GFP_RECLAIM,
  folio_alloc,
  folio_put,
  get_page_from_freelist,
} from "../mm/page_alloc.ts";
import { ZPOOL_MM_RO, ZPOOL_MM_WO } from "../mm/zpool.ts";
import {
  defaultChainSize,
  zs_compact,
  zs_create_pool,
  zs_free,
  zs_get_total_pages,
  zs_huge_class_size,
  zs_lookup_class_index,
  zs_malloc,
  zs_map_object,
  zs_unmap_object,
  type ZsPool,
} from "../mm/zsmalloc.ts";
import type { Task } from "../sim/task.ts";

export interface ZramDeviceOptions {
  /** In pages of 4096 bytes. */
  readonly pages: number;
  /** By name; the first is the primary one. `["lz4"]` if not given. */
  readonly compressors?: readonly string[];
  /** Where writeback goes. */
  readonly backing?: BlockDevice;
}

export function makeZramDevice(k: Kernel, options: ZramDeviceOptions): Zram {
  const { compressors = ["lz4"], ...rest } = options;
  const comps = compressors.map(crypto_alloc_acomp);
  const copyNanoseconds = k.costs.copyPage;
  const given = { ...rest, comps, pool: makeZramPool(k), copyNanoseconds };
  return makeZram(given, k.clock);
}

/** zsmalloc, as zram wants it. */
export function makeZramPool(k: Kernel): ZramPool {
  const pool = zs_create_pool({
    memory: k.memory,
    alloc: (gfp) => get_page_from_freelist(k, gfp),
    free: (frame) => folio_put(k, frame),
  });
  return {
    malloc: (size) => zs_malloc(pool, size, __GFP_KSWAPD_RECLAIM),
    mallocSlow: (size): Task<number> => mallocSlow(k, pool, size),
    free: (handle) => zs_free(pool, handle),
    map: (handle, how) =>
      zs_map_object(pool, handle, how === "read" ? ZPOOL_MM_RO : ZPOOL_MM_WO),
    unmap: (handle) => zs_unmap_object(pool, handle),
    total_pages: () => zs_get_total_pages(pool),
    huge_class_size: () => zs_huge_class_size(pool),
    lookup_class_index: (size) => zs_lookup_class_index(pool, size),
    compact: () => zs_compact(pool),
  };
}

/**
 * zsmalloc takes frames and never waits for them; here somebody reclaims them
 * first, one by one, at most as many as the longest zspage has.
 */
function* mallocSlow(k: Kernel, pool: ZsPool, size: number): Task<number> {
  for (let round = 0; round < defaultChainSize; round++) {
    const handle = zs_malloc(pool, size, __GFP_RECLAIM);
    if (handle !== -ENOMEM) return handle;
    const frame = yield* folio_alloc(k, __GFP_RECLAIM);
    if (frame === null) return -ENOMEM;
    folio_put(k, frame);
  }
  return zs_malloc(pool, size, __GFP_RECLAIM);
}
