/**
 * The lists on which pages age.
 *
 * A new page starts at the head of the inactive list; reclaim takes from its
 * tail. A page that was used twice is moved to the active list.
 *
 * Kernel: mm/swap.c, include/linux/mm_inline.h (v6.12). Differs: no per-CPU
 * batches in front of the lists, so a folio is on its list at once and holds
 * no extra reference.
 */
import {
  list_add,
  list_add_tail,
  list_del,
  makeFolioList,
} from "./folio_list.ts";
import { spin_lock_init } from "../locking/spinlock.ts";
import { count_memcg_folio_events } from "./memcontrol_stat.ts";
import type { Folio, Kernel, Lruvec, MemCgroup, PgData } from "./mm_types.ts";
import {
  clearFlag,
  folio_is_file_lru,
  folio_test_active,
  folio_test_dirty,
  folio_test_locked,
  folio_test_lru,
  folio_test_referenced,
  folio_test_swapcache,
  PG_active,
  PG_lru,
  PG_referenced,
  PG_swapbacked,
  setFlag,
} from "./page_flags.ts";
import { page_to_nid } from "./page_alloc.ts";
import { SWAP_CLUSTER_MAX } from "./swap.ts";
import { workingset_age_nonresident } from "./workingset.ts";

export const LRU_INACTIVE_ANON = 0;
export const LRU_ACTIVE_ANON = 1;
/** MADV_FREE'd pages; there are no files. */
export const LRU_INACTIVE_FILE = 2;
export const LRU_ACTIVE_FILE = 3;
export const NR_LRU_LISTS = 4;

/** The empty lists of one group on one node. */
export function lruvec_init(memcg: MemCgroup, pgdat: PgData): Lruvec {
  const where = memcg.parent === null ? "" : `${memcg.name}, `;
  return {
    memcg,
    pgdat,
    lru_lock: spin_lock_init(`lru_lock(${where}node ${pgdat.node_id})`),
    lists: Array.from({ length: NR_LRU_LISTS }, makeFolioList),
    lru_size: new Array(NR_LRU_LISTS).fill(0),
    zswap_lruvec_state: { nr_disk_swapins: 0 },
    anon_cost: 0,
    file_cost: 0,
    nonresident_age: 0,
    workingset_activate_anon: 0,
    refaults: 0,
  };
}

/** The lists of the parent group on the same node; null for the root's. */
export function parent_lruvec({ memcg, pgdat }: Lruvec): Lruvec | null {
  if (memcg.parent === null) return null;
  return memcg.parent.nodeinfo[pgdat.node_id]!.lruvec;
}

/** The lists of the folio's group on the folio's node. */
export function folio_lruvec(k: Kernel, folio: Folio): Lruvec {
  const memcg = folio.memcg ?? k.root_mem_cgroup;
  return memcg.nodeinfo[page_to_nid(k, folio.pfn)]!.lruvec;
}

/** A sum over the group of `lruvec` and all below it, on its node. */
export function subtreeSum(
  { memcg, pgdat }: Lruvec,
  valueOf: (lruvec: Lruvec) => number,
): number {
  const below = (at: MemCgroup): number => {
    let sum = valueOf(at.nodeinfo[pgdat.node_id]!.lruvec);
    for (const child of at.children) sum += below(child);
    return sum;
  };
  return below(memcg);
}

/** Folios on one kind of list, of the group and all below it. */
export function lruvec_page_state(lruvec: Lruvec, lru: number): number {
  return subtreeSum(lruvec, ({ lru_size }) => lru_size[lru]!);
}

/** Folios on one kind of list, of all groups and nodes. */
export function lruPages(k: Kernel, lru: number): number {
  return k.root_mem_cgroup.nodeinfo
    .reduce((sum, { lruvec }) => sum + lruvec_page_state(lruvec, lru), 0);
}

/** Which of the lists the folio's flags name. */
function folio_lru_list(folio: Folio): number {
  const base = folio_is_file_lru(folio) ? LRU_INACTIVE_FILE : LRU_INACTIVE_ANON;
  return folio_test_active(folio) ? base + 1 : base;
}

/** Put the folio at the head of the list that its flags name. */
export function folio_add_lru(k: Kernel, folio: Folio): void {
  const lruvec = folio_lruvec(k, folio);
  const lru = folio_lru_list(folio);
  setFlag(folio, PG_lru);
  list_add(folio, lruvec.lists[lru]!);
  lruvec.lru_size[lru]!++;
}

/** Take the folio off its list. (Linux: lruvec_del_folio().) */
export function lruDelete(k: Kernel, folio: Folio): void {
  clearFlag(folio, PG_lru);
  list_del(folio);
  folio_lruvec(k, folio).lru_size[folio_lru_list(folio)]!--;
}

/**
 * folio_rotate_reclaimable() - its write to the device is over: free it next.
 *
 * Only if it is back on a list, unlocked and clean: else it is in use.
 */
export function folio_rotate_reclaimable(k: Kernel, folio: Folio): void {
  if (!folio_test_lru(folio)) return;
  if (folio_test_locked(folio) || folio_test_dirty(folio)) return;
  lruDelete(k, folio);
  clearFlag(folio, PG_active);
  k.vm_event.pgrotated++;
  setFlag(folio, PG_lru);
  const lruvec = folio_lruvec(k, folio);
  const lru = folio_lru_list(folio);
  list_add_tail(folio, lruvec.lists[lru]!);
  lruvec.lru_size[lru]!++;
}

/**
 * folio_mark_accessed() - it was used: the second time makes it active.
 *
 * For pages whose accessed bits nobody looks at any more, since the mapping
 * goes, and not before reclaim comes to them.
 */
export function folio_mark_accessed(k: Kernel, folio: Folio): void {
  if (!folio_test_referenced(folio)) {
    setFlag(folio, PG_referenced);
    return;
  }
  if (folio_test_active(folio)) return;
  if (folio_test_lru(folio)) folio_activate(k, folio);
  clearFlag(folio, PG_referenced);
  workingset_age_nonresident(folio_lruvec(k, folio), 1);
}

function folio_activate(k: Kernel, folio: Folio): void {
  lruDelete(k, folio);
  setFlag(folio, PG_active);
  folio_add_lru(k, folio);
  k.vm_event.pgactivate++;
  count_memcg_folio_events(folio, "pgactivate", 1);
}

/**
 * folio_mark_lazyfree() - MADV_FREE: its content is not needed any more.
 *
 * To the inactive file list, without PG_swapbacked: if it is still clean when
 * reclaim comes, its frame is free without a slot and without I/O.
 */
export function folio_mark_lazyfree(k: Kernel, folio: Folio): void {
  if (folio_is_file_lru(folio)) return;
  if (!folio_test_lru(folio) || folio_test_swapcache(folio)) return;
  lruDelete(k, folio);
  clearFlag(folio, PG_active | PG_referenced | PG_swapbacked);
  folio_add_lru(k, folio);
  k.vm_event.pglazyfree++;
  count_memcg_folio_events(folio, "pglazyfree", 1);
}

/**
 * lru_note_cost() - what reclaim of one kind of list has cost lately: I/O, and
 * pages that were looked at in vain.
 *
 * The two sums are halved when they exceed a quarter of the lists.
 * Differs: without taking the LRU locks one after the other.
 */
export function lru_note_cost(
  lruvec: Lruvec,
  file: boolean,
  nr_io: number,
  nr_rotated: number,
): void {
  const cost = nr_io * SWAP_CLUSTER_MAX + nr_rotated;
  for (let at: Lruvec | null = lruvec; at !== null; at = parent_lruvec(at)) {
    if (file) at.file_cost += cost;
    else at.anon_cost += cost;
    const lrusize = subtreeSum(
      at,
      (one) => one.lru_size.reduce((a, b) => a + b),
    );
    if (at.file_cost + at.anon_cost > Math.floor(lrusize / 4)) {
      at.file_cost = Math.floor(at.file_cost / 2);
      at.anon_cost = Math.floor(at.anon_cost / 2);
    }
  }
}

/** A page had to be read back that should have stayed. */
export function lru_note_cost_refault(k: Kernel, folio: Folio): void {
  lru_note_cost(folio_lruvec(k, folio), folio_is_file_lru(folio), 1, 0);
}
