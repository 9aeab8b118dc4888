/**
 * Which pages should not have left: the distance of a refault.
 *
 * Each pair of lists counts how many pages went through it (evictions and
 * activations). When a page leaves, the count stays behind in its place as a
 * "shadow". When it comes back, the count has moved on by the distance of the
 * refault: so much more memory would have kept it. If that is no more than
 * what is in memory already as active pages, it becomes active at once.
 *
 * Kernel: mm/workingset.c (v6.12). Differs: classic lists; a shadow is a safe
 * integer of 53 bits with 6 bits for the node; shadows stay until their slot
 * is freed (no shadow-node shrinker).
 */
import { VM_BUG_ON } from "../base/bug.ts";
import {
  folio_lruvec,
  LRU_ACTIVE_ANON,
  LRU_ACTIVE_FILE,
  LRU_INACTIVE_ANON,
  LRU_INACTIVE_FILE,
  lru_note_cost_refault,
  lruvec_page_state,
  parent_lruvec,
} from "./lru.ts";
import {
  mem_cgroup_from_id,
  mem_cgroup_id,
  mem_cgroup_put,
  mem_cgroup_tryget,
} from "./memcontrol.ts";
import { mod_lruvec_state } from "./memcontrol_stat.ts";
import { mem_cgroup_get_nr_swap_pages } from "./memcontrol_swap.ts";
import type { Folio, Kernel, Lruvec, MemCgroup } from "./mm_types.ts";
import {
  folio_test_locked,
  folio_test_lru,
  folio_test_workingset,
  PG_active,
  PG_workingset,
  setFlag,
} from "./page_flags.ts";
import { page_to_nid } from "./page_alloc.ts";

const WORKINGSET_SHIFT = 1;
const NODES_SHIFT = 6;
const MEM_CGROUP_ID_SHIFT = 16;
/** Bits of a shadow that are left for the count of evictions. */
const timestampBits = 53 - WORKINGSET_SHIFT - NODES_SHIFT -
  MEM_CGROUP_ID_SHIFT;
const evictionRange = 2 ** timestampBits;
/** As many values as each of the other parts can have. */
const groupRange = 2 ** MEM_CGROUP_ID_SHIFT;
const nodeRange = 2 ** NODES_SHIFT;
const workingsetRange = 2 ** WORKINGSET_SHIFT;
const belowEviction = groupRange * nodeRange * workingsetRange;

/** What a shadow says about the page that was there. */
export interface Shadow {
  readonly memcgid: number;
  readonly nid: number;
  /** The count of its lists, in buckets. */
  readonly eviction: number;
  /** It had been active. */
  readonly workingset: boolean;
}

/**
 * Counts are kept in buckets of 2^order pages, so coarse that a distance of
 * all memory fits in a shadow. (Linux: bucket_order, set at boot.)
 */
export function bucketOrder(totalram_pages: number): number {
  if (totalram_pages <= evictionRange) return 0;
  const max_order = Math.ceil(Math.log2(Math.max(totalram_pages, 1)));
  return max_order - timestampBits;
}

/** One number from the four parts: eviction, group, node, working set. */
export function pack_shadow(shadow: Shadow): number {
  let packed = shadow.eviction % evictionRange;
  packed = packed * groupRange + shadow.memcgid;
  packed = packed * nodeRange + shadow.nid;
  return packed * workingsetRange + Number(shadow.workingset);
}

export function unpack_shadow(packed: number): Shadow {
  // The parts below the count are a small number: the remainder of a large
  // one is slow.
  const eviction = Math.floor(packed / belowEviction);
  const below = packed - eviction * belowEviction;
  const nodes = Math.floor(below / workingsetRange);
  return {
    memcgid: Math.floor(nodes / nodeRange),
    nid: nodes % nodeRange,
    eviction,
    workingset: below % workingsetRange === 1,
  };
}

/** Pages went through the lists, and so through those of every ancestor. */
export function workingset_age_nonresident(
  lruvec: Lruvec,
  nr_pages: number,
): void {
  for (let at: Lruvec | null = lruvec; at !== null; at = parent_lruvec(at)) {
    at.nonresident_age += nr_pages;
  }
}

/**
 * workingset_eviction() - a page leaves memory: the shadow for its place.
 *
 * @param target_memcg the group whose shortage it is; null for all memory
 *
 * Context: folio locked, on no list, its last reference gone.
 */
export function workingset_eviction(
  k: Kernel,
  folio: Folio,
  target_memcg: MemCgroup | null,
): number {
  VM_BUG_ON(folio_test_lru(folio), "workingset_eviction: folio is on a list");
  VM_BUG_ON(!folio_test_locked(folio), "workingset_eviction: not locked");
  const memcg = target_memcg ?? k.root_mem_cgroup;
  const nid = page_to_nid(k, folio.pfn);
  const { lruvec } = memcg.nodeinfo[nid]!;
  const bucket = 2 ** bucketOrder(k.totalram_pages);
  const eviction = Math.floor(lruvec.nonresident_age / bucket);
  workingset_age_nonresident(lruvec, 1);
  const workingset = folio_test_workingset(folio);
  return pack_shadow({
    memcgid: mem_cgroup_id(memcg),
    nid,
    eviction,
    workingset,
  });
}

/**
 * workingset_test_recent() - would the page still be here, had memory been
 * larger by no more than the active pages?
 *
 * @param file the page is on a file list: then anonymous pages compete too
 */
export function workingset_test_recent(
  k: Kernel,
  shadow: number,
  file: boolean,
): boolean {
  const { memcgid, nid, eviction } = unpack_shadow(shadow);
  const memcg = mem_cgroup_from_id(k, memcgid);
  if (memcg === null || !mem_cgroup_tryget(memcg)) return false;
  const { lruvec } = memcg.nodeinfo[nid]!;
  const bucket = 2 ** bucketOrder(k.totalram_pages);

  // The subtraction wraps around as the packed count does.
  const wrapped = evictionRange;
  const distance = (lruvec.nonresident_age - eviction * bucket) % wrapped;
  const refault_distance = (distance + wrapped) % wrapped;

  let workingset_size = lruvec_page_state(lruvec, LRU_ACTIVE_FILE);
  if (!file) workingset_size += lruvec_page_state(lruvec, LRU_INACTIVE_FILE);
  if (mem_cgroup_get_nr_swap_pages(k, memcg) > 0) {
    workingset_size += lruvec_page_state(lruvec, LRU_ACTIVE_ANON);
    // A file page would compete with the inactive anonymous ones as well.
    if (file) workingset_size += lruvec_page_state(lruvec, LRU_INACTIVE_ANON);
  }
  mem_cgroup_put(k, memcg);
  return refault_distance <= workingset_size;
}

/**
 * workingset_refault() - a page is back whose shadow was found.
 *
 * If the distance is short it becomes active; if it had been active before it
 * left, it counts as a page that is missed.
 *
 * Context: folio locked, charged, not on a list yet.
 */
export function workingset_refault(
  k: Kernel,
  folio: Folio,
  shadow: number,
): void {
  VM_BUG_ON(!folio_test_locked(folio), "workingset_refault: not locked");
  const lruvec = folio_lruvec(k, folio);
  k.vm_event.workingset_refault_anon++;
  mod_lruvec_state(lruvec, "WORKINGSET_REFAULT_ANON", 1);
  if (!workingset_test_recent(k, shadow, false)) return;

  setFlag(folio, PG_active);
  workingset_age_nonresident(lruvec, 1);
  k.vm_event.workingset_activate_anon++;
  mod_lruvec_state(lruvec, "WORKINGSET_ACTIVATE_ANON", 1);
  for (let at: Lruvec | null = lruvec; at !== null; at = parent_lruvec(at)) {
    at.workingset_activate_anon++;
  }
  if (!unpack_shadow(shadow).workingset) return;

  setFlag(folio, PG_workingset);
  lru_note_cost_refault(k, folio);
  k.vm_event.workingset_restore_anon++;
  mod_lruvec_state(lruvec, "WORKINGSET_RESTORE_ANON", 1);
}
