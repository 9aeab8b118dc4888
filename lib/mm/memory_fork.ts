/**
 * fork: a copy of an address space that shares all its pages.
 *
 * Both sides become read-only where they share, so that the first write
 * copies. A page in swap gets one more user of its slot; if the slot's count
 * has no room for it, the locks are dropped for a page of digits. Shared memory
 * is not copied at all: the child finds its pages through their object.
 *
 * Kernel: kernel/fork.c, mm/memory.c (v6.12). Differs: split off from both; the
 * child's tables are written without their locks, since both entries of a page
 * change in one step; pages are never pinned, so none is copied at once.
 */
import { ENOMEM, type Errno } from "../base/errno.ts";
import { spin_lock, spin_unlock } from "../locking/spinlock.ts";
import type { Task } from "../sim/task.ts";
import { enter } from "../sim/trace.ts";
import { pte_alloc } from "./memory.ts";
import { type TableRange, tablesOf } from "./memory_zap.ts";
import { exit_mmap, linkToMapping, mm_alloc } from "./mmap.ts";
import { pfn_folio, sameFolio } from "./folio.ts";
import type { Kernel, MmStruct, VmArea } from "./mm_types.ts";
import { clearFlag, folio_get, PG_anon_exclusive } from "./page_flags.ts";
import { folio_alloc, folio_put, GFP_KERNEL } from "./page_alloc.ts";
import {
  growPteStore,
  PAGE_SHIFT,
  PAGE_SIZE,
  type PageTable,
  type Pte,
  pte_mkold,
  pte_none,
  pte_pfn,
  pte_present,
  pte_swp_clear_exclusive,
  pte_to_swp_entry,
  pte_wrprotect,
  ptep_get,
  PTRS_PER_PTE,
  set_pte,
} from "./pgtable.ts";
import { add_swap_count_continuation } from "./swap_count.ts";
import { anon_vma_prepare, linkAnonVma } from "./rmap.ts";
import {
  lock_cluster_or_swap_info,
  unlock_cluster_or_swap_info,
} from "./swap_cluster.ts";
import {
  get_swap_device,
  put_swap_device,
  swap_duplicate,
} from "./swapfile.ts";
import { non_swap_entry, swp_offset, type SwpEntry } from "./swapops.ts";
import { tell } from "./tell.ts";

/**
 * dup_mmap() - a copy of an address space that shares all its pages.
 *
 * @returns the child; or -ENOMEM, and nothing remains of it
 */
export function* dup_mmap(
  k: Kernel,
  parent: MmStruct,
): Task<MmStruct | Errno> {
  enter(k.trace, "dup_mmap");
  const child = mm_alloc(k, parent.memcg);
  for (const vma of parent.mmap) {
    const copy = copyArea(k, vma, child);
    if ((yield* copy_page_range(k, vma, copy)) < 0) {
      yield* exit_mmap(k, child);
      return -ENOMEM;
    }
  }
  return child;
}

/** The child's area inherits the parent's families and starts its own. */
function copyArea(k: Kernel, vma: VmArea, child: MmStruct): VmArea {
  const copy: VmArea = {
    ...vma,
    vm_mm: child,
    anon_vma: null,
    anon_vma_chain: [],
  };
  child.mmap.push(copy);
  growPteStore(child.ptes, copy.vm_end / PAGE_SIZE);
  linkToMapping(copy);
  for (const anon_vma of vma.anon_vma_chain) {
    linkAnonVma(copy, anon_vma);
  }
  if (vma.anon_vma !== null) anon_vma_prepare(k, copy);
  return copy;
}

/** copy_page_range() - the entries of one area; 0 or -ENOMEM. */
function* copy_page_range(
  k: Kernel,
  source: VmArea,
  copy: VmArea,
): Task<Errno> {
  // (Linux: vma_needs_copy().) A fault finds shared pages, and zeros, again.
  if (source.anon_vma === null) return 0;
  for (const range of tablesOf(source)) {
    if ((yield* copy_pte_range(k, copy, range)) < 0) return -ENOMEM;
  }
  return 0;
}

/** One table: as often as it takes, a page of digits each time in between. */
function* copy_pte_range(
  k: Kernel,
  copy: VmArea,
  { table, from, to }: TableRange,
): Task<Errno> {
  let vpn = from;
  while (vpn < to) {
    yield* spin_lock(table.ptl);
    let full: SwpEntry | null = null;
    for (; vpn < to && full === null; vpn++) {
      const pte = ptep_get(table, vpn % PTRS_PER_PTE);
      if (pte_none(pte)) continue;
      if (pte_present(pte)) copyPresent(k, table, copy, vpn);
      else full = yield* copy_nonpresent_pte(k, table, copy, vpn);
      if (full !== null) break;
    }
    spin_unlock(table.ptl);
    if (full === null) return 0;
    if ((yield* addContinuation(k, full)) < 0) return -ENOMEM;
  }
  return 0;
}

/**
 * A page of digits for a full count. (Linux: add_swap_count_continuation() with
 * GFP_KERNEL.)
 *
 * @returns 0, also if it turns out not to be needed; -ENOMEM if there is no
 *   frame, and by then none for GFP_ATOMIC either
 *
 * Context: sleeps; no locks held.
 */
function* addContinuation(k: Kernel, entry: SwpEntry): Task<Errno> {
  const page = yield* folio_alloc(k, GFP_KERNEL);
  const si = get_swap_device(k, entry);
  if (si === null) {
    if (page !== null) folio_put(k, page);
    return 0;
  }
  const offset = swp_offset(entry);
  const ci = yield* lock_cluster_or_swap_info(si, offset);
  const err = add_swap_count_continuation(k, si, offset, page);
  unlock_cluster_or_swap_info(si, ci);
  put_swap_device(si);
  const pages = si.continuations.get(offset >>> PAGE_SHIFT) ?? [];
  const kept = page === null || pages.some((each) => sameFolio(each, page));
  if (!kept) folio_put(k, page);
  return err;
}

/** (Linux: copy_present_ptes().) */
function copyPresent(
  k: Kernel,
  table: PageTable,
  copy: VmArea,
  vpn: number,
): void {
  const index = vpn % PTRS_PER_PTE;
  const shared: Pte = pte_wrprotect(ptep_get(table, index));
  set_pte(table, index, shared);
  set_pte(pte_alloc(copy, vpn), index, pte_mkold(shared));
  const folio = pfn_folio(k, pte_pfn(shared));
  if (pte_pfn(shared) === k.zero_pfn || !folio) return;
  clearFlag(folio, PG_anon_exclusive);
  folio_get(folio);
  folio._mapcount++;
  copy.vm_mm.anon_pages++;
  tell(k, "dup_mmap", "shared with the parent, read-only", {
    at: { vma: copy, vpn },
    folio,
  });
}

/**
 * One more user of a slot.
 *
 * @returns null; or the entry if its count is full and nothing was copied.
 *   (Linux: -EIO.)
 */
function* copy_nonpresent_pte(
  k: Kernel,
  table: PageTable,
  copy: VmArea,
  vpn: number,
): Task<SwpEntry | null> {
  const index = vpn % PTRS_PER_PTE;
  const pte = ptep_get(table, index);
  const entry = pte_to_swp_entry(pte);
  if (non_swap_entry(entry)) {
    set_pte(pte_alloc(copy, vpn), index, pte);
    return null;
  }
  if ((yield* swap_duplicate(k, entry)) < 0) return entry;
  const shared = pte_swp_clear_exclusive(pte);
  set_pte(table, index, shared);
  set_pte(pte_alloc(copy, vpn), index, shared);
  copy.vm_mm.swap_ents++;
  tell(k, "dup_mmap", "one more user of the slot", {
    at: { vma: copy, vpn },
    entry,
  });
  return null;
}
