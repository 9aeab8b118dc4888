/**
 * Giving out and taking back page frames.
 *
 * An allocation looks at three levels of free memory. Above `low` it takes a
 * frame and goes. Below it, kswapd is woken; below `min` the caller has to
 * reclaim for itself first. Who is reclaiming already (PF_MEMALLOC) may take
 * the last frame: it is about to free more.
 *
 * Kernel: mm/page_alloc.c, include/linux/gfp_types.h (v6.12). Differs: frames
 * of one page and one zone; no per-CPU lists; min_free_kbytes has no floor of
 * 128 KiB, so that small machines can be looked at.
 */
import { INIT_LIST_HEAD } from "../base/list.ts";
import { VM_BUG_ON } from "../base/bug.ts";
import { queue_work } from "../locking/workqueue.ts";
import { makeOp, type Task } from "../sim/task.ts";
import type { Folio, Kernel, Pfn, Zone } from "./mm_types.ts";
import {
  folio_test_locked,
  folio_test_lru,
  folio_test_writeback,
} from "./page_flags.ts";
import { MAX_RECLAIM_RETRIES } from "./swap.ts";
import type { SwpEntry } from "./swapops.ts";
import { lruDelete } from "./lru.ts";
import { try_to_free_pages } from "./vmscan.ts";

export const __GFP_HIGH = 1 << 0;
export const __GFP_IO = 1 << 1;
export const __GFP_FS = 1 << 2;
export const __GFP_DIRECT_RECLAIM = 1 << 3;
export const __GFP_KSWAPD_RECLAIM = 1 << 4;
export const __GFP_NORETRY = 1 << 5;
export const __GFP_NOMEMALLOC = 1 << 6;
export const __GFP_RECLAIM = __GFP_DIRECT_RECLAIM | __GFP_KSWAPD_RECLAIM;
export const GFP_ATOMIC = __GFP_HIGH | __GFP_KSWAPD_RECLAIM;
export const GFP_KERNEL = __GFP_RECLAIM | __GFP_IO | __GFP_FS;
export const GFP_HIGHUSER_MOVABLE = GFP_KERNEL;

/** The task may use the reserves and must not start reclaim itself. */
export const PF_MEMALLOC = 1 << 11;
/** The task is kswapd. */
export const PF_KSWAPD = 1 << 17;

/**
 * The levels of free memory, in pages, for a machine of `totalram` pages:
 * min = ¼ of min_free_kbytes = √(16 × KiB of memory); low and high above it by
 * the larger of min/4 and 10/10000 of memory.
 */
export function setup_per_zone_wmarks(totalram: number): Zone["watermark"] {
  const kibibytes = totalram * 4;
  const minFreeKibibytes = Math.floor(Math.sqrt(kibibytes * 16));
  const min = Math.max(1, Math.floor(minFreeKibibytes / 4));
  const step = Math.max(1, min >> 2, Math.floor((totalram * 10) / 10000));
  return { min, low: min + step, high: min + 2 * step };
}

export function nr_free_pages(k: Kernel): number {
  return k.zone.free_list.length;
}

/** The fewest free frames that must remain for an allocation with `gfp`. */
function markFor(k: Kernel, gfp: number, mark: number): number {
  const mayUseAll = (k.current.flags & PF_MEMALLOC) !== 0 &&
    (gfp & __GFP_NOMEMALLOC) === 0;
  if (mayUseAll) return 0;
  return (gfp & __GFP_HIGH) === 0 ? mark : mark >> 1;
}

/**
 * get_page_from_freelist() - a frame if there are enough, without sleeping.
 *
 * @param mark frames that must stay free, the zone's `min` unless given
 * @returns a folio with one reference, its bytes as the last user left them;
 *   or null
 */
export function get_page_from_freelist(
  k: Kernel,
  gfp: number,
  mark: number = k.zone.watermark.min,
): Folio | null {
  if (nr_free_pages(k) <= markFor(k, gfp, mark)) return null;
  const pfn = k.zone.free_list.pop();
  if (pfn === undefined) return null;
  k.vm_event.pgalloc_normal++;
  const folio = makeFolio(pfn);
  k.mem_map[pfn] = folio;
  return folio;
}

function makeFolio(pfn: Pfn): Folio {
  const folio = {
    pfn,
    flags: 0,
    _refcount: 1,
    _mapcount: 0,
    mapping: null,
    index: 0,
    swap: 0 as SwpEntry,
  } as { -readonly [Field in keyof Folio]: Folio[Field] };
  folio.lru = INIT_LIST_HEAD<Folio>(folio);
  folio.ops = {
    lock: {
      ...makeOp("lock", "folio_lock", folio),
      ready: () => !folio_test_locked(folio),
    },
    writeback: {
      ...makeOp("wait", "folio_wait_writeback", folio),
      ready: () => !folio_test_writeback(folio),
    },
  };
  return folio;
}

/**
 * folio_alloc() - a frame, reclaiming if it must.
 *
 * @returns a folio with one reference, its bytes as the last user left them;
 *   null if memory is exhausted or `gfp` forbids to try harder
 *
 * Context: sleeps in direct reclaim if `gfp` has __GFP_DIRECT_RECLAIM.
 */
export function* folio_alloc(k: Kernel, gfp: number): Task<Folio | null> {
  const folio = get_page_from_freelist(k, gfp, k.zone.watermark.low);
  if (folio !== null) return folio;
  return yield* __alloc_pages_slowpath(k, gfp);
}

function* __alloc_pages_slowpath(k: Kernel, gfp: number): Task<Folio | null> {
  if ((gfp & __GFP_KSWAPD_RECLAIM) !== 0) wakeup_kswapd(k);
  const folio = get_page_from_freelist(k, gfp);
  if (folio !== null) return folio;

  // Whoever reclaims must not reclaim to get memory for reclaiming.
  if ((gfp & __GFP_DIRECT_RECLAIM) === 0) return null;
  if ((k.current.flags & PF_MEMALLOC) !== 0) return null;

  k.vm_event.allocstall_normal++;
  for (let retries = 0; retries < MAX_RECLAIM_RETRIES; retries++) {
    const progress = yield* try_to_free_pages(k, gfp);
    const freed = get_page_from_freelist(k, gfp);
    if (freed !== null) return freed;
    if ((gfp & __GFP_NORETRY) !== 0) return null;
    if (progress > 0) retries = -1;
  }
  return null;
}

/** Let kswapd run when the current task lets go of the CPU. */
export function wakeup_kswapd(k: Kernel): void {
  if ((k.current.flags & PF_KSWAPD) !== 0) return;
  queue_work(k.workqueue, k.kswapd);
}

/** Drop a reference; the last one frees the frame. */
export function folio_put(k: Kernel, folio: Folio): void {
  VM_BUG_ON(folio._refcount <= 0, `folio_put: frame ${folio.pfn} is free`);
  folio._refcount--;
  if (folio._refcount > 0) return;
  if (folio_test_lru(folio)) lruDelete(k, folio);
  free_unref_page(k, folio);
}

/** Take a frame back. Stops the machine if somebody still uses it. */
export function free_unref_page(k: Kernel, folio: Folio): void {
  VM_BUG_ON(
    folio._mapcount !== 0 || folio_test_locked(folio),
    `Bad page: frame ${folio.pfn} is freed while mapped or locked`,
  );
  VM_BUG_ON(
    k.mem_map[folio.pfn] !== folio,
    `Bad page: frame ${folio.pfn} is freed twice`,
  );
  k.mem_map[folio.pfn] = null;
  folio._refcount = 0;
  k.zone.free_list.push(folio.pfn);
  k.vm_event.pgfree++;
}
