/**
 * madvise: a program says what it will do with its memory, or no longer.
 *
 *   MADV_DONTNEED  the pages go, at once; zeros come back
 *   MADV_FREE      the pages may go: if reclaim comes before the next write,
 *                  without I/O
 *   MADV_COLD      the pages are old
 *   MADV_PAGEOUT   the pages go to swap now
 *   MADV_WILLNEED  the pages come back from swap now
 *
 * Kernel: mm/madvise.c (v6.12). Differs: only these five; folios of one page;
 * MADV_WILLNEED looks at entries without the page-table lock.
 */
import { EINVAL, ENOMEM, type Errno } from "../base/errno.ts";
import { blk_finish_plug, blk_start_plug } from "../block/blk_plug.ts";
import { list_add, makeFolioList } from "./folio_list.ts";
import { spin_lock, spin_unlock } from "../locking/spinlock.ts";
import type { Task } from "../sim/task.ts";
import { enter } from "../sim/trace.ts";
import { folio_add_lru, folio_mark_lazyfree, lruDelete } from "./lru.ts";
import { count_memcg_folio_events } from "./memcontrol_stat.ts";
import {
  swap_pte_batch,
  type TableRange,
  tablesOf,
  zap_page_range_single,
} from "./memory_zap.ts";
import { pfn_folio } from "./folio.ts";
import type { Folio, Kernel, MmStruct, VmArea } from "./mm_types.ts";
import { folio_put, GFP_HIGHUSER_MOVABLE } from "./page_alloc.ts";
import {
  beforeTrylock,
  clearFlag,
  folio_test_active,
  folio_test_dirty,
  folio_test_lru,
  folio_test_swapcache,
  folio_trylock,
  folio_unlock,
  PG_active,
  PG_dirty,
  PG_referenced,
  PG_workingset,
  setFlag,
} from "./page_flags.ts";
import { swap_read_folio } from "./page_io.ts";
import {
  clearPtes,
  is_swap_pte,
  PAGE_ALIGN,
  PAGE_SIZE,
  presentPfn,
  pte_mkclean,
  pte_mkold,
  pte_none,
  pte_pfn,
  pte_to_swp_entry,
  ptep_get,
  PTRS_PER_PTE,
  set_pte,
} from "./pgtable.ts";
import { linear_page_index, swapinError } from "./shmem.ts";
import { __read_swap_cache_async } from "./swap_state.ts";
import { folio_free_swap, free_swap_and_cache_nr } from "./swapfile.ts";
import { non_swap_entry, type SwpEntry } from "./swapops.ts";
import { folio_isolate_lru, reclaim_pages } from "./vmscan.ts";

export const MADV_WILLNEED = 3;
export const MADV_DONTNEED = 4;
export const MADV_FREE = 8;
export const MADV_COLD = 20;
export const MADV_PAGEOUT = 21;

const advices: readonly number[] = [
  MADV_WILLNEED,
  MADV_DONTNEED,
  MADV_FREE,
  MADV_COLD,
  MADV_PAGEOUT,
];

/**
 * do_madvise() - take advice about `len` bytes from `start`.
 *
 * @param len rounded up to whole pages
 * @returns 0; -EINVAL for advice that is not known here, or does not fit the
 *   area, or a start that is no multiple of 4096; -ENOMEM if part of the range
 *   is not mapped (the rest was done)
 */
export function* do_madvise(
  k: Kernel,
  mm: MmStruct,
  start: number,
  len: number,
  behavior: number,
): Task<Errno> {
  enter(k.trace, "do_madvise");
  if (!advices.includes(behavior)) return -EINVAL;
  if (start % PAGE_SIZE !== 0 || len < 0) return -EINVAL;
  const end = start + PAGE_ALIGN(len);
  let mapped = 0;
  for (const vma of mm.mmap) {
    const from = Math.max(start, vma.vm_start) / PAGE_SIZE;
    const to = Math.min(end, vma.vm_end) / PAGE_SIZE;
    if (from >= to) continue;
    mapped += (to - from) * PAGE_SIZE;
    const result = yield* madviseArea(k, vma, from, to, behavior);
    if (result !== 0) return result;
  }
  return mapped === end - start ? 0 : -ENOMEM;
}

/** Pages `from` … `to` − 1 of one area. (Linux: madvise_vma_behavior().) */
function* madviseArea(
  k: Kernel,
  vma: VmArea,
  from: number,
  to: number,
  behavior: number,
): Task<Errno> {
  switch (behavior) {
    case MADV_DONTNEED:
      yield* zap_page_range_single(k, vma, from, to);
      return 0;
    case MADV_WILLNEED:
      yield* madvise_willneed(k, vma, from, to);
      return 0;
    case MADV_FREE:
      if (vma.vm_mapping !== null) return -EINVAL;
      for (const range of tablesOf(vma, from, to)) {
        yield* madvise_free_pte_range(k, vma, range);
      }
      return 0;
    case MADV_COLD:
    case MADV_PAGEOUT:
      for (const range of tablesOf(vma, from, to)) {
        const pageout = behavior === MADV_PAGEOUT;
        yield* madvise_cold_or_pageout_pte_range(k, range, pageout);
      }
      return 0;
    default:
      return -EINVAL;
  }
}

/** The folio of a present entry; null for the page of zeros, and for −1. */
function folioOf(k: Kernel, pfn: number): Folio | null {
  return pfn < 0 || pfn === k.zero_pfn ? null : pfn_folio(k, pfn);
}

/**
 * MADV_COLD: pages look unused, and are inactive. MADV_PAGEOUT: they leave now,
 * used or not.
 */
function* madvise_cold_or_pageout_pte_range(
  k: Kernel,
  { table, from, to }: TableRange,
  pageout: boolean,
): Task {
  const folio_list = makeFolioList();
  yield* spin_lock(table.ptl);
  for (let vpn = from; vpn < to; vpn++) {
    const index = vpn % PTRS_PER_PTE;
    const folio = folioOf(k, presentPfn(table, index));
    // What others map as well, or is on no list, is left alone.
    if (folio === null || !folio_test_lru(folio) || folio._mapcount !== 1) {
      continue;
    }
    if (!pageout) set_pte(table, index, pte_mkold(ptep_get(table, index)));
    clearFlag(folio, PG_referenced);
    if (folio_test_active(folio)) setFlag(folio, PG_workingset);
    if (!pageout) folio_deactivate(k, folio);
    else if (yield* folio_isolate_lru(k, folio)) {
      list_add(folio, folio_list);
    }
  }
  spin_unlock(table.ptl);
  yield* reclaim_pages(k, folio_list);
}

/** To the front of the inactive list. */
function folio_deactivate(k: Kernel, folio: Folio): void {
  if (!folio_test_active(folio)) return;
  lruDelete(k, folio);
  clearFlag(folio, PG_active | PG_referenced);
  folio_add_lru(k, folio);
  k.vm_event.pgdeactivate++;
  count_memcg_folio_events(folio, "pgdeactivate", 1);
}

/**
 * MADV_FREE on one table: a page in swap goes at once, one in memory loses its
 * slot and its dirty bits, so that reclaim finds nothing to write.
 */
function* madvise_free_pte_range(
  k: Kernel,
  { vm_mm }: VmArea,
  { table, from, to }: TableRange,
): Task {
  yield* spin_lock(table.ptl);
  let nr = 1;
  for (let vpn = from; vpn < to; vpn += nr) {
    const index = vpn % PTRS_PER_PTE;
    const pte = ptep_get(table, index);
    nr = 1;
    if (pte_none(pte)) continue;
    if (is_swap_pte(pte)) {
      nr = swap_pte_batch(k, table, index, to - vpn);
      const entry = pte_to_swp_entry(pte);
      // The marker of a lost page goes, too, but was not counted.
      if (!non_swap_entry(entry)) vm_mm.swap_ents -= nr;
      yield* free_swap_and_cache_nr(k, entry, nr);
      clearPtes(table, index, nr);
      continue;
    }
    const folio = folioOf(k, pte_pfn(pte));
    if (folio === null || !(yield* makeClean(k, folio))) continue;
    set_pte(table, index, pte_mkold(pte_mkclean(pte)));
    folio_mark_lazyfree(k, folio);
  }
  spin_unlock(table.ptl);
}

/** No slot, not dirty; false if others use the page, or somebody has it. */
function* makeClean(k: Kernel, folio: Folio): Task<boolean> {
  if (!folio_test_swapcache(folio) && !folio_test_dirty(folio)) return true;
  yield* beforeTrylock(folio);
  if (!folio_trylock(folio)) return false;
  const mine = folio._mapcount === 1 &&
    (!folio_test_swapcache(folio) || (yield* folio_free_swap(k, folio)));
  if (mine) clearFlag(folio, PG_dirty);
  folio_unlock(folio);
  return mine;
}

/** Start to read what is in swap; does not wait for it. */
function* madvise_willneed(
  k: Kernel,
  vma: VmArea,
  from: number,
  to: number,
): Task {
  const plug = blk_start_plug();
  for (let vpn = from; vpn < to; vpn++) {
    const entry = entryAt(vma, vpn);
    if (entry === null) continue;
    const gfp = GFP_HIGHUSER_MOVABLE;
    const found = yield* __read_swap_cache_async(k, entry, gfp, false);
    if (found === null) continue;
    if (found.isNew) yield* swap_read_folio(k, found.folio, plug);
    folio_put(k, found.folio);
  }
  blk_finish_plug(plug);
}

/** The slot of a page, if that is where it is. */
function entryAt(vma: VmArea, vpn: number): SwpEntry | null {
  if (vma.vm_mapping !== null) {
    const { entries } = vma.vm_mapping.i_pages;
    const found = entries.get(linear_page_index(vma, vpn));
    return typeof found === "number" && found !== swapinError ? found : null;
  }
  const table = vma.vm_mm.tables.get(Math.floor(vpn / PTRS_PER_PTE));
  if (table === undefined) return null;
  const pte = ptep_get(table, vpn % PTRS_PER_PTE);
  const entry = is_swap_pte(pte) ? pte_to_swp_entry(pte) : null;
  return entry === null || non_swap_entry(entry) ? null : entry;
}
