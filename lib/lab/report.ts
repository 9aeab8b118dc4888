/**
 * What the machine's own files would show. Ours; names and units are those of
 * /proc/vmstat, /proc/meminfo, /proc/swaps and /sys/kernel/debug/zswap.
 */
import { LRU_ACTIVE_ANON, LRU_INACTIVE_ANON, lruPages } from "../mm/lru.ts";
import { nr_free_pages } from "../mm/page_alloc.ts";
import { SWP_USED } from "../mm/swap.ts";
import { swapCachePages } from "../mm/swap_state.ts";
import { si_swapinfo } from "../mm/swapon.ts";
import type { Kernel, SwapInfoStruct } from "../mm/mm_types.ts";
import type { VmEvents } from "../mm/vmstat.ts";
import { zswapCompressedBytes } from "../mm/zswap.ts";
import { zswap_total_pages } from "../mm/zswap_pool.ts";

/** /proc/meminfo, in KiB. */
export interface MemInfo {
  readonly MemTotal: number;
  readonly MemFree: number;
  readonly SwapCached: number;
  readonly "Active(anon)": number;
  readonly "Inactive(anon)": number;
  readonly SwapTotal: number;
  readonly SwapFree: number;
  /** Memory that zswap's pool takes: the sum of the compressed sizes. */
  readonly Zswap: number;
  /** Memory that its pages would take uncompressed. */
  readonly Zswapped: number;
}

/** /sys/kernel/debug/zswap; pool_total_size in bytes, the rest counts. */
export interface ZswapDebugfs {
  readonly pool_limit_hit: number;
  readonly reject_reclaim_fail: number;
  readonly reject_alloc_fail: number;
  readonly reject_kmemcache_fail: number;
  readonly reject_compress_fail: number;
  readonly reject_compress_poor: number;
  readonly written_back_pages: number;
  readonly pool_total_size: number;
  readonly stored_pages: number;
}

/** One line of /proc/swaps; sizes in KiB. */
export interface SwapLine {
  readonly Filename: string;
  readonly Size: number;
  readonly Used: number;
  readonly Priority: number;
}

export interface Report {
  /** Simulated time since boot, in microseconds. */
  readonly microseconds: number;
  readonly vmstat: Readonly<VmEvents>;
  readonly meminfo: MemInfo;
  readonly zswap: ZswapDebugfs;
  readonly swaps: readonly SwapLine[];
}

const kibibytesPerPage = 4;

/** report() - all counters of the machine, as they stand now. */
export function report({ k }: { readonly k: Kernel }): Report {
  return {
    microseconds: k.clock.now / 1000,
    vmstat: { ...k.vm_event },
    meminfo: meminfo(k),
    zswap: zswapDebugfs(k),
    swaps: k.swap_info.filter(isUsed).map((si) => ({
      Filename: `swap device ${si.type}`,
      Size: si.pages * kibibytesPerPage,
      Used: si.inuse_pages * kibibytesPerPage,
      Priority: si.prio,
    })),
  };
}

function isUsed({ flags }: SwapInfoStruct): boolean {
  return (flags & SWP_USED) !== 0;
}

function meminfo(k: Kernel): MemInfo {
  const swap = si_swapinfo(k);
  return {
    MemTotal: k.totalram_pages * kibibytesPerPage,
    MemFree: nr_free_pages(k) * kibibytesPerPage,
    SwapCached: swapCachePages(k) * kibibytesPerPage,
    "Active(anon)": lruPages(k, LRU_ACTIVE_ANON) * kibibytesPerPage,
    "Inactive(anon)": lruPages(k, LRU_INACTIVE_ANON) * kibibytesPerPage,
    SwapTotal: swap.totalswap * kibibytesPerPage,
    SwapFree: swap.freeswap * kibibytesPerPage,
    Zswap: zswap_total_pages(k) * kibibytesPerPage,
    Zswapped: k.zswap.stored_pages * kibibytesPerPage,
  };
}

function zswapDebugfs(k: Kernel): ZswapDebugfs {
  const { zswap } = k;
  return {
    pool_limit_hit: zswap.pool_limit_hit,
    reject_reclaim_fail: zswap.reject_reclaim_fail,
    reject_alloc_fail: zswap.reject_alloc_fail,
    reject_kmemcache_fail: zswap.reject_kmemcache_fail,
    reject_compress_fail: zswap.reject_compress_fail,
    reject_compress_poor: zswap.reject_compress_poor,
    written_back_pages: zswap.written_back_pages,
    pool_total_size: zswap_total_pages(k) * 4096,
    stored_pages: zswap.stored_pages,
  };
}

/** Bytes of compressed data in zswap: what memory.stat calls `zswap`. */
export function compressedBytes({ k }: { readonly k: Kernel }): number {
  return zswapCompressedBytes(k);
}
