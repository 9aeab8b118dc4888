/**
 * Taking mappings away: the pages of a range lose this user.
 *
 * It works under the page-table lock and so must not sleep. A slot that only
 * the swap cache keeps is therefore freed with a trylock, or stays: an *orphan*
 * that nobody looks for until reclaim meets it (thread 004).
 *
 * Kernel: mm/memory.c, mm/swap_state.c, mm/mmu_gather.c (v6.12). Differs: split
 * off from memory.c; pages are freed when the page table is done, not in
 * batches.
 */
import { spin_lock, spin_unlock } from "../locking/spinlock.ts";
import type { Task } from "../sim/task.ts";
import { enter } from "../sim/trace.ts";
import { pfn_folio } from "./folio.ts";
import { folio_mark_accessed } from "./lru.ts";
import type { Folio, Kernel, SwapInfoStruct, VmArea } from "./mm_types.ts";
import {
  beforeTrylock,
  folio_lock,
  folio_mapped,
  folio_test_anon,
  folio_test_swapcache,
  folio_trylock,
  folio_unlock,
  folio_wait_writeback,
  PG_dirty,
  setFlag,
} from "./page_flags.ts";
import { folio_put } from "./page_alloc.ts";
import {
  clearPtes,
  PAGE_SIZE,
  type PageTable,
  type Pte,
  pte_dirty,
  pte_move_swp_offset,
  pte_none,
  pte_pfn,
  pte_present,
  pte_same,
  pte_to_swp_entry,
  pte_young,
  ptep_get,
  PTRS_PER_PTE,
} from "./pgtable.ts";
import { folio_remove_rmap_pte } from "./rmap.ts";
import { lookup_swap_cgroup_id } from "./swap_cgroup.ts";
import { filemap_get_folio } from "./swap_state.ts";
import { onlyCacheLeft } from "./swap_count.ts";
import { folio_free_swap, free_swap_and_cache_nr } from "./swapfile.ts";
import {
  non_swap_entry,
  swp_entry,
  swp_offset,
  swp_type,
  type SwpEntry,
} from "./swapops.ts";

/** Entries that the proposal `lock` collects before it has to free them. */
const staleSwapSize = 63;

/** What one page table's worth of zapping leaves to be done without locks. */
interface Gather {
  /** (Linux: struct mmu_gather.) */
  readonly gone: Folio[];
  /** The proposal `lock`: orphans. (Its patch: struct stale_swap.) */
  readonly stale: SwpEntry[];
}

/** Part of an area that one page table covers: pages `from` … `to` − 1. */
export interface TableRange {
  readonly table: PageTable;
  readonly from: number;
  readonly to: number;
}

/** The virtual pages `from` … `to` − 1 of an area that have a table. */
export function* tablesOf(
  vma: VmArea,
  from: number = vma.vm_start / PAGE_SIZE,
  to: number = vma.vm_end / PAGE_SIZE,
): Generator<TableRange, void, void> {
  while (from < to) {
    const key = Math.floor(from / PTRS_PER_PTE);
    const end = Math.min(to, (key + 1) * PTRS_PER_PTE);
    const table = vma.vm_mm.tables.get(key);
    if (table !== undefined) yield { table, from, to: end };
    from = end;
  }
}

/** zap_page_range_single() - empty the entries of pages `from` … `to` − 1. */
export function* zap_page_range_single(
  k: Kernel,
  vma: VmArea,
  from: number = vma.vm_start / PAGE_SIZE,
  to: number = vma.vm_end / PAGE_SIZE,
): Task {
  for (const range of tablesOf(vma, from, to)) {
    let { from: next } = range;
    while (next < range.to) {
      next = yield* zap_pte_range(k, vma, { ...range, from: next });
    }
  }
  if (k.proposals.zap_frees_swap === "scan") yield* freeAllOrphans(k);
}

/** Empty entries of one table; returns the page at which to go on. */
function* zap_pte_range(
  k: Kernel,
  vma: VmArea,
  { table, from, to }: TableRange,
): Task<number> {
  const gather: Gather = { gone: [], stale: [] };
  yield* spin_lock(table.ptl);
  let vpn = from;
  let nr = 1;
  for (; vpn < to && gather.stale.length < staleSwapSize; vpn += nr) {
    const index = vpn % PTRS_PER_PTE;
    const pte = ptep_get(table, index);
    nr = 1;
    if (pte_none(pte)) continue;
    if (pte_present(pte)) zapPresent(k, vma, pte, gather);
    else {
      nr = swap_pte_batch(k, table, index, roomFor(k, to - vpn, gather));
      yield* zapSwapped(k, vma, pte_to_swp_entry(pte), nr, gather);
    }
    clearPtes(table, index, nr);
  }
  spin_unlock(table.ptl);
  for (const folio of gather.gone) yield* free_page_and_swap_cache(k, folio);
  yield* freeStale(k, gather.stale);
  return vpn;
}

/** How many of the next `nr` entries can be taken at once. */
function roomFor(k: Kernel, nr: number, { stale }: Gather): number {
  if (k.quirks.slotsFreedBy === "one") return 1;
  if (k.proposals.zap_frees_swap !== "lock") return nr;
  return Math.min(nr, staleSwapSize - stale.length);
}

/** (Linux: zap_present_folio_ptes().) */
function zapPresent(k: Kernel, { vm_mm }: VmArea, pte: Pte, gather: Gather) {
  const folio = pfn_folio(k, pte_pfn(pte));
  if (pte_pfn(pte) === k.zero_pfn || !folio) return;
  if (folio_test_anon(folio)) vm_mm.anon_pages--;
  else {
    vm_mm.shmem_pages--;
    if (pte_dirty(pte)) setFlag(folio, PG_dirty);
    // Nobody will find the bit: it counts now.
    if (pte_young(pte)) folio_mark_accessed(k, folio);
  }
  folio_remove_rmap_pte(folio);
  gather.gone.push(folio);
}

/** `nr` entries in a row that name slots in a row, from `entry` on. */
function* zapSwapped(
  k: Kernel,
  { vm_mm }: VmArea,
  entry: SwpEntry,
  nr: number,
  { stale }: Gather,
): Task {
  if (non_swap_entry(entry)) return;
  vm_mm.swap_ents -= nr;
  yield* free_swap_and_cache_nr(k, entry, nr);
  if (k.proposals.zap_frees_swap !== "lock") return;
  for (let i = 0; i < nr; i++) {
    const slot = swp_entry(swp_type(entry), swp_offset(entry) + i);
    const si = k.swap_info[swp_type(slot)]!;
    // Nobody uses it; if the swap cache has it, it is an orphan.
    if (onlyCacheLeft(k, si, swp_offset(slot))) stale.push(slot);
  }
}

/**
 * swap_pte_batch() - how many entries from `index` on name slots in a row.
 *
 * Their other bits are the same, too, and so is the group that pays for them.
 *
 * @returns at least 1, at most `max_nr`
 */
export function swap_pte_batch(
  k: Kernel,
  table: PageTable,
  index: number,
  max_nr: number,
): number {
  const first = ptep_get(table, index);
  // The marker of a lost page is alone.
  if (non_swap_entry(pte_to_swp_entry(first))) return 1;
  const id = lookup_swap_cgroup_id(k, pte_to_swp_entry(first));
  let nr = 1;
  for (; nr < max_nr; nr++) {
    const pte = ptep_get(table, index + nr);
    if (!pte_same(pte, pte_move_swp_offset(first, nr))) break;
    if (lookup_swap_cgroup_id(k, pte_to_swp_entry(pte)) !== id) break;
  }
  return nr;
}

/** The proposal `lock`: free what a trylock could not, sleeping for it. */
function* freeStale(k: Kernel, stale: readonly SwpEntry[]): Task {
  for (const entry of stale) {
    const folio = yield* filemap_get_folio(k, entry);
    if (folio === null) continue;
    yield* folio_lock(folio);
    yield* folio_wait_writeback(folio);
    if (folio.swap === entry) yield* folio_free_swap(k, folio);
    folio_unlock(folio);
    folio_put(k, folio);
  }
}

/** The proposal `scan`: look for orphans when fewer than 1/16 are free. */
function* freeAllOrphans(k: Kernel): Task {
  if (k.nr_swap_pages * 16 >= k.total_swap_pages) return;
  for (const si of k.swap_info) yield* freeOrphansOf(k, si);
}

function* freeOrphansOf(k: Kernel, si: SwapInfoStruct): Task {
  for (let offset = 1; offset < si.max; offset++) {
    if (!onlyCacheLeft(k, si, offset)) continue;
    yield* freeStale(k, [swp_entry(si.type, offset)]);
  }
}

/**
 * free_swap_cache() - the slot too, if this was the last mapping and nobody
 * has the folio locked just now.
 */
export function* free_swap_cache(k: Kernel, folio: Folio): Task {
  enter(k.trace, "free_swap_cache");
  if (!folio_test_swapcache(folio) || folio_mapped(folio)) return;
  yield* beforeTrylock(folio);
  if (!folio_trylock(folio)) return;
  yield* folio_free_swap(k, folio);
  folio_unlock(folio);
}

/** Drop a mapping's reference, and the slot if it was the last mapping. */
export function* free_page_and_swap_cache(k: Kernel, folio: Folio): Task {
  yield* free_swap_cache(k, folio);
  folio_put(k, folio);
}
