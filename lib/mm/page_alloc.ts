/**
 * Giving out and taking back page frames.
 *
 * Each node has three levels of free memory. While a node is above `low`, its
 * frames go to whoever asks: first our own node's, then the others'. When all
 * are below, each node's kswapd is woken; below `min` the caller has to
 * reclaim for itself first. Who is reclaiming already (PF_MEMALLOC) may take
 * the last frame: it is about to free more.
 *
 * Kernel: mm/page_alloc.c, include/linux/gfp_types.h (v6.12). Differs: frames
 * of one page, one zone a node, all nodes equally far; no per-CPU lists;
 * min_free_kbytes has no floor of 128 KiB, so that small machines can be
 * looked at.
 */
import { KernelBug, VM_BUG_ON } from "../base/bug.ts";
import { over, type Task } from "../sim/task.ts";
import { endFolio, isStale, makeFolio } from "./folio.ts";
import { isListed } from "./folio_list.ts";
import { popFree, pushFree } from "./mem_map.ts";
import type { Folio, Kernel, Pfn, PgData, Zone } from "./mm_types.ts";
import { folio_test_locked, folio_test_lru } from "./page_flags.ts";
import { MAX_RECLAIM_RETRIES } from "./swap.ts";
import { lruDelete } from "./lru.ts";
import { mem_cgroup_uncharge } from "./memcontrol_charge.ts";
import { try_to_free_pages } from "./vmscan.ts";
import { zone_reclaimable_pages } from "./vmscan_control.ts";
import { wakeup_kswapd } from "./vmscan_kswapd.ts";

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
 * The levels of free memory of a zone, in pages: its share of the machine's
 * min = ¼ of min_free_kbytes = √(16 × KiB of memory); low and high above it by
 * the larger of min/4 and 10/10000 of the zone.
 *
 * @param totalram pages of the machine
 * @param managed pages of the zone
 */
export function setup_per_zone_wmarks(
  totalram: number,
  managed: number = totalram,
): Zone["watermark"] {
  const minFreeKibibytes = Math.floor(Math.sqrt(totalram * 4 * 16));
  const pages_min = Math.floor(minFreeKibibytes / 4);
  const min = Math.max(1, Math.floor(pages_min * managed / totalram));
  const step = Math.max(1, min >> 2, Math.floor((managed * 10) / 10000));
  return { min, low: min + step, high: min + 2 * step };
}

/** Free frames of all nodes. */
export function nr_free_pages(k: Kernel): number {
  return k.nodes.reduce((sum, node) => sum + node.zone.free_list.length, 0);
}

/** The node that a frame belongs to. */
export function page_to_nid(k: Kernel, pfn: Pfn): number {
  const { nodes } = k;
  for (let nid = 0; nid < nodes.length; nid++) {
    if (pfn < nodes[nid]!.node_end_pfn) return nid;
  }
  throw new KernelBug(`frame ${pfn} is on no node`);
}

/** The node of a CPU: neighbours share one. */
export function cpu_to_node(k: Kernel, cpu: number): number {
  return Math.floor(cpu * k.nodes.length / k.nr_cpus);
}

/** The node of the CPU that we run on. */
export function numa_node_id(k: Kernel): number {
  return cpu_to_node(k, k.current.cpu);
}

/** Where to look for memory: the wanted node, then the next ones in a ring. */
export function node_zonelist(k: Kernel, nid: number): readonly PgData[] {
  if (nid === 0) return k.nodes;
  return [...k.nodes.slice(nid), ...k.nodes.slice(0, nid)];
}

/**
 * The free frames that must remain on a node for an allocation with `gfp`.
 *
 * Below `min`: who reclaims may take all; who is urgent (__GFP_HIGH) half of
 * it, and if he cannot sleep either, a quarter of the rest.
 */
function reserveFor(k: Kernel, gfp: number, { watermark }: Zone): number {
  const mayUseAll = (k.current.flags & PF_MEMALLOC) !== 0;
  const isModest = (gfp & __GFP_NOMEMALLOC) !== 0;
  if (mayUseAll && !isModest) return 0;
  let min = watermark.min;
  if ((gfp & __GFP_HIGH) === 0) return min;
  min -= min >> 1;
  if ((gfp & __GFP_DIRECT_RECLAIM) === 0 && !isModest) min -= min >> 2;
  return min;
}

/** Which frames an allocation may take, from which node first. */
export interface AllocPlace {
  /** The level of each node that must remain; `min` unless given. */
  readonly mark?: "min" | "low";
  /** The node to begin with; that of our CPU unless given. */
  readonly nid?: number;
}

/**
 * get_page_from_freelist() - a frame if there are enough, without sleeping.
 *
 * @returns a folio with one reference, its bytes as the last user left them;
 *   or null
 */
export function get_page_from_freelist(
  k: Kernel,
  gfp: number,
  { mark = "min", nid = numa_node_id(k) }: AllocPlace = {},
): Folio | null {
  for (const { zone } of node_zonelist(k, nid)) {
    const floor = mark === "low"
      ? zone.watermark.low
      : reserveFor(k, gfp, zone);
    if (zone.free_list.length <= floor) continue;
    k.vm_event.pgalloc_normal++;
    return makeFolio(k.mem_map, popFree(k.mem_map, zone.free_list));
  }
  return null;
}

/**
 * folio_alloc() - a frame, near our CPU if possible, reclaiming if it must.
 *
 * @returns a folio with one reference, its bytes as the last user left them;
 *   null if memory is exhausted or `gfp` forbids to try harder
 *
 * Context: sleeps in direct reclaim if `gfp` has __GFP_DIRECT_RECLAIM.
 */
export function folio_alloc(k: Kernel, gfp: number): Task<Folio | null> {
  return __folio_alloc_node(k, gfp, numa_node_id(k));
}

/** The same, beginning with node `nid`. */
export function __folio_alloc_node(
  k: Kernel,
  gfp: number,
  nid: number,
): Task<Folio | null> {
  const folio = get_page_from_freelist(k, gfp, { mark: "low", nid });
  return folio === null ? __alloc_pages_slowpath(k, gfp, nid) : over(folio);
}

function* __alloc_pages_slowpath(
  k: Kernel,
  gfp: number,
  nid: number,
): Task<Folio | null> {
  if ((gfp & __GFP_KSWAPD_RECLAIM) !== 0) wake_all_kswapds(k, nid);
  const folio = get_page_from_freelist(k, gfp, { nid });
  if (folio !== null) return folio;

  // Whoever reclaims must not reclaim to get memory for reclaiming.
  if ((gfp & __GFP_DIRECT_RECLAIM) === 0) return null;
  if ((k.current.flags & PF_MEMALLOC) !== 0) return null;

  let no_progress_loops = 0;
  do {
    const progress = yield* __perform_reclaim(k, gfp);
    const freed = get_page_from_freelist(k, gfp, { nid });
    if (freed !== null) return freed;
    if ((gfp & __GFP_NORETRY) !== 0) return null;
    no_progress_loops = progress > 0 ? 0 : no_progress_loops + 1;
  } while (should_reclaim_retry(k, gfp, no_progress_loops));
  return null;
}

/** Reclaim in the name of the task, which may use the reserves meanwhile. */
function* __perform_reclaim(k: Kernel, gfp: number): Task<number> {
  const task = k.current;
  const { flags } = task;
  task.flags |= PF_MEMALLOC;
  const progress = yield* try_to_free_pages(k, gfp);
  task.flags = flags;
  return progress;
}

/** Whether a node would have enough if all that can be reclaimed were free. */
function should_reclaim_retry(
  k: Kernel,
  gfp: number,
  no_progress_loops: number,
): boolean {
  if (no_progress_loops > MAX_RECLAIM_RETRIES) return false;
  return k.nodes.some((pgdat) => {
    const reclaimable = zone_reclaimable_pages(k, pgdat);
    const available = pgdat.zone.free_list.length + reclaimable;
    return available > reserveFor(k, gfp, pgdat.zone);
  });
}

function wake_all_kswapds(k: Kernel, nid: number): void {
  for (const pgdat of node_zonelist(k, nid)) wakeup_kswapd(k, pgdat);
}

/** Drop a reference; the last one frees the frame. */
export function folio_put(k: Kernel, folio: Folio): void {
  VM_BUG_ON(
    folio._refcount <= 0,
    () => `folio_put: frame ${folio.pfn} is free`,
  );
  folio._refcount--;
  if (folio._refcount > 0) return;
  if (folio_test_lru(folio)) lruDelete(k, folio);
  free_unref_page(k, folio);
}

/** Take a frame back. Stops the machine if somebody still uses it. */
export function free_unref_page(k: Kernel, folio: Folio): void {
  const { pfn } = folio;
  VM_BUG_ON(
    folio._mapcount !== 0 || folio_test_locked(folio),
    () => `Bad page: frame ${pfn} is freed while mapped or locked`,
  );
  VM_BUG_ON(isStale(folio), () => `Bad page: frame ${pfn} is freed twice`);
  VM_BUG_ON(
    isListed(folio),
    () => `Bad page: frame ${pfn} is freed while on a list`,
  );
  mem_cgroup_uncharge(k, folio);
  endFolio(folio);
  const { zone } = k.nodes[page_to_nid(k, pfn)]!;
  pushFree(k.mem_map, zone.free_list, pfn);
  k.vm_event.pgfree++;
}
