/**
 * Address spaces: making them, copying them, taking them down.
 *
 * Kernel: mm/mmap.c, mm/memory.c (zap_pte_range, copy_pte_range), kernel/fork.c
 * (v6.12). Differs: areas are placed one behind the other and unmapped whole;
 * no file mappings, no limits.
 */
import { ENOMEM, type Errno } from "../base/errno.ts";
import { spin_lock, spin_unlock } from "../locking/spinlock.ts";
import type { Task } from "../sim/task.ts";
import { emit } from "../sim/trace.ts";
import { pte_alloc, VM_READ, VM_WRITE } from "./memory.ts";
import type { Folio, Kernel, MmStruct, VmArea } from "./mm_types.ts";
import {
  clearFlag,
  folio_get,
  folio_mapped,
  folio_test_swapcache,
  folio_trylock,
  folio_unlock,
  PG_anon_exclusive,
  PG_dirty,
  setFlag,
} from "./page_flags.ts";
import { folio_put } from "./page_alloc.ts";
import {
  PAGE_SIZE,
  type PageTable,
  type Pte,
  pte_dirty,
  pte_mkold,
  pte_none,
  pte_pfn,
  pte_present,
  pte_swp_clear_exclusive,
  pte_to_swp_entry,
  pte_wrprotect,
  ptep_get,
  ptep_get_and_clear,
  PTRS_PER_PTE,
  set_pte,
} from "./pgtable.ts";
import {
  anon_vma_prepare,
  folio_remove_rmap_pte,
  linkAnonVma,
  unlink_anon_vmas,
} from "./rmap.ts";
import {
  folio_free_swap,
  free_swap_and_cache,
  swap_duplicate,
} from "./swapfile.ts";
import { entryName } from "./swapops.ts";

/** Where the first area of a process begins. */
export const TASK_UNMAPPED_BASE = 0x4000_0000;

/** An empty address space. */
export function mm_alloc(k: Kernel): MmStruct {
  const mm: MmStruct = {
    pid: k.next_pid++,
    tables: new Map(),
    mmap: [],
    anon_pages: 0,
    swap_ents: 0,
  };
  k.mms.add(mm);
  return mm;
}

/** A new private anonymous area of `pages` pages, readable and writable. */
export function do_mmap(mm: MmStruct, pages: number): VmArea {
  const last = mm.mmap.at(-1);
  // A page between two areas, so that running over the end is noticed.
  const start = last === undefined
    ? TASK_UNMAPPED_BASE
    : last.vm_end + PAGE_SIZE;
  const vma: VmArea = {
    vm_mm: mm,
    vm_start: start,
    vm_end: start + pages * PAGE_SIZE,
    vm_flags: VM_READ | VM_WRITE,
    anon_vma: null,
    anon_vma_chain: [],
  };
  mm.mmap.push(vma);
  return vma;
}

/** The virtual pages of an area that have a table, with their table. */
function* tablesOf(
  vma: VmArea,
): Generator<{ table: PageTable; from: number; to: number }, void, void> {
  const end = vma.vm_end / PAGE_SIZE;
  let vpn = vma.vm_start / PAGE_SIZE;
  while (vpn < end) {
    const key = Math.floor(vpn / PTRS_PER_PTE);
    const to = Math.min(end, (key + 1) * PTRS_PER_PTE);
    const table = vma.vm_mm.tables.get(key);
    if (table !== undefined) yield { table, from: vpn, to };
    vpn = to;
  }
}

/** do_munmap() - take an area away, with all that is in it. */
export function* do_munmap(k: Kernel, vma: VmArea): Task {
  for (const { table, from, to } of tablesOf(vma)) {
    yield* zap_pte_range(k, vma, table, from, to);
  }
  unlink_anon_vmas(vma);
  vma.vm_mm.mmap.splice(vma.vm_mm.mmap.indexOf(vma), 1);
}

/** exit_mmap() - the process ends: every area goes. */
export function* exit_mmap(k: Kernel, mm: MmStruct): Task {
  while (mm.mmap.length > 0) yield* do_munmap(k, mm.mmap[0]!);
  mm.tables.clear();
  k.mms.delete(mm);
}

/** Empty the entries of one table; the pages lose this user. */
function* zap_pte_range(
  k: Kernel,
  vma: VmArea,
  table: PageTable,
  from: number,
  to: number,
): Task {
  yield* spin_lock(table.ptl);
  const gone: Folio[] = [];
  for (let vpn = from; vpn < to; vpn++) {
    const pte = ptep_get_and_clear(table, vpn % PTRS_PER_PTE);
    if (pte_none(pte)) continue;
    if (!pte_present(pte)) {
      vma.vm_mm.swap_ents--;
      yield* free_swap_and_cache(k, pte_to_swp_entry(pte));
      continue;
    }
    const folio = k.mem_map[pte_pfn(pte)];
    if (pte_pfn(pte) === k.zero_pfn || !folio) continue;
    if (pte_dirty(pte)) setFlag(folio, PG_dirty);
    folio_remove_rmap_pte(folio);
    vma.vm_mm.anon_pages--;
    gone.push(folio);
  }
  spin_unlock(table.ptl);
  // Linux collects them likewise (mmu_gather) and frees after the flush.
  for (const folio of gone) yield* free_page_and_swap_cache(k, folio);
}

/** Drop a mapping's reference, and the slot if it was the last mapping. */
function* free_page_and_swap_cache(k: Kernel, folio: Folio): Task {
  const unused = folio_test_swapcache(folio) && !folio_mapped(folio);
  if (unused && folio_trylock(folio)) {
    yield* folio_free_swap(k, folio);
    folio_unlock(folio);
  }
  folio_put(k, folio);
}

/**
 * dup_mmap() - a copy of an address space that shares all its pages.
 *
 * Both sides become read-only where they share, so that the first write
 * copies; a page in swap gets one more user of its slot.
 *
 * @returns the child; or -ENOMEM, and nothing remains of it
 */
export function* dup_mmap(
  k: Kernel,
  parent: MmStruct,
): Task<MmStruct | Errno> {
  const child = mm_alloc(k);
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
  for (const anon_vma of vma.anon_vma_chain) {
    linkAnonVma(copy, anon_vma);
  }
  if (vma.anon_vma !== null) anon_vma_prepare(k, copy);
  return copy;
}

function* copy_page_range(
  k: Kernel,
  source: VmArea,
  copy: VmArea,
): Task<Errno> {
  for (const { table, from, to } of tablesOf(source)) {
    yield* spin_lock(table.ptl);
    for (let vpn = from; vpn < to; vpn++) {
      const index = vpn % PTRS_PER_PTE;
      const pte = ptep_get(table, index);
      if (pte_none(pte)) continue;
      const result = pte_present(pte)
        ? copyPresent(k, table, copy, vpn)
        : yield* copyNonpresent(k, table, copy, vpn);
      if (result === 0) continue;
      spin_unlock(table.ptl);
      return result;
    }
    spin_unlock(table.ptl);
  }
  return 0;
}

/** (Linux: copy_present_ptes().) */
function copyPresent(
  k: Kernel,
  table: PageTable,
  copy: VmArea,
  vpn: number,
): Errno {
  const index = vpn % PTRS_PER_PTE;
  const shared: Pte = pte_wrprotect(ptep_get(table, index));
  set_pte(table, index, shared);
  set_pte(pte_alloc(copy, vpn), index, pte_mkold(shared));
  const folio = k.mem_map[pte_pfn(shared)];
  if (pte_pfn(shared) === k.zero_pfn || !folio) return 0;
  clearFlag(folio, PG_anon_exclusive);
  folio_get(folio);
  folio._mapcount++;
  copy.vm_mm.anon_pages++;
  emit(k.trace, {
    time: k.clock.now,
    fn: "dup_mmap",
    what: "shared with the parent, read-only",
    pid: copy.vm_mm.pid,
    vpn,
    pfn: folio.pfn,
  });
  return 0;
}

/** (Linux: copy_nonpresent_pte().) */
function* copyNonpresent(
  k: Kernel,
  table: PageTable,
  copy: VmArea,
  vpn: number,
): Task<Errno> {
  const index = vpn % PTRS_PER_PTE;
  const pte = ptep_get(table, index);
  const entry = pte_to_swp_entry(pte);
  if ((yield* swap_duplicate(k, entry)) < 0) return -ENOMEM;
  const shared = pte_swp_clear_exclusive(pte);
  set_pte(table, index, shared);
  set_pte(pte_alloc(copy, vpn), index, shared);
  copy.vm_mm.swap_ents++;
  emit(k.trace, {
    time: k.clock.now,
    fn: "dup_mmap",
    what: "one more user of the slot",
    pid: copy.vm_mm.pid,
    vpn,
    slot: entryName(entry),
  });
  return 0;
}
