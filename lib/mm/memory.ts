/**
 * Page faults: what happens when the processor finds no usable entry.
 *
 * Empty entry → a fresh page of zeros. An entry that names a swap slot → bring
 * the page back. A write to a read-only page → it may be shared: copy it,
 * unless nobody else can see it.
 *
 * A fault looks at the entry first and locks it only at the end, so it has to
 * look again then (`pte_same()`); if the entry has changed, it drops what it
 * prepared and returns 0: the processor tries again.
 *
 * Kernel: mm/memory.c (v6.12). Differs: anonymous private memory only; swapped
 * pages always come in through the swap cache; the area is looked up by the
 * caller and cannot change during the fault.
 */
import { VM_BUG_ON } from "../base/bug.ts";
import { spin_lock, spin_unlock } from "../locking/spinlock.ts";
import { spend } from "../sim/clock.ts";
import type { Task } from "../sim/task.ts";
import { emit } from "../sim/trace.ts";
import { folio_add_lru } from "./lru.ts";
import type { Folio, Kernel, Pfn, VmArea } from "./mm_types.ts";
import {
  folio_get,
  folio_lock,
  folio_test_swapcache,
  folio_test_uptodate,
  folio_trylock,
  folio_unlock,
  PageAnonExclusive,
  PG_anon_exclusive,
  PG_uptodate,
  setFlag,
} from "./page_flags.ts";
import { folio_alloc, folio_put, GFP_HIGHUSER_MOVABLE } from "./page_alloc.ts";
import { pageBytes } from "./page_io.ts";
import {
  mk_pte,
  type PageTable,
  type Pte,
  pte_alloc_one,
  pte_mksoft_dirty,
  pte_mkwrite,
  pte_none,
  pte_pfn,
  pte_present,
  pte_same,
  pte_swp_exclusive,
  pte_swp_soft_dirty,
  pte_to_swp_entry,
  pte_write,
  pteMkwriteDirty,
  ptep_get,
  PTRS_PER_PTE,
  set_pte,
} from "./pgtable.ts";
import {
  anon_vma_prepare,
  folio_add_anon_rmap_pte,
  folio_add_new_anon_rmap,
  folio_remove_rmap_pte,
  type PteSlot,
} from "./rmap.ts";
import {
  filemap_get_folio,
  standsFor,
  swapin_readahead,
} from "./swap_state.ts";
import {
  __swap_count,
  _swap_info_get,
  folio_free_swap,
  swap_free,
  vm_swap_full,
} from "./swapfile.ts";
import { entryName, type SwpEntry } from "./swapops.ts";

export const VM_READ = 1 << 0;
export const VM_WRITE = 1 << 1;

export const FAULT_FLAG_WRITE = 1 << 0;

export const VM_FAULT_OOM = 1 << 0;
export const VM_FAULT_SIGBUS = 1 << 1;
/** The page had to be read in. */
export const VM_FAULT_MAJOR = 1 << 2;
export const VM_FAULT_SIGSEGV = 1 << 6;

/** One fault under way. (Linux: struct vm_fault.) */
interface VmFault extends PteSlot {
  write: boolean;
  readonly orig_pte: Pte;
}

/** The table of a virtual page, made if there is none. */
export function pte_alloc(vma: VmArea, vpn: number): PageTable {
  const { tables, pid } = vma.vm_mm;
  const key = Math.floor(vpn / PTRS_PER_PTE);
  let table = tables.get(key);
  if (table === undefined) {
    table = pte_alloc_one(`ptl of process ${pid}, table ${key}`);
    tables.set(key, table);
  }
  return table;
}

/**
 * handle_mm_fault() - make the entry of one virtual page usable, if it can be.
 *
 * @param flags FAULT_FLAG_WRITE for a write
 * @returns VM_FAULT_* bits; 0 also if somebody else was faster
 *
 * Context: sleeps. No locks held.
 */
export function* handle_mm_fault(
  k: Kernel,
  vma: VmArea,
  vpn: number,
  flags: number,
): Task<number> {
  k.vm_event.pgfault++;
  spend(k.clock, k.costs.fault);
  const write = (flags & FAULT_FLAG_WRITE) !== 0;
  if (write && (vma.vm_flags & VM_WRITE) === 0) return VM_FAULT_SIGSEGV;

  const table = pte_alloc(vma, vpn);
  const index = vpn % PTRS_PER_PTE;
  const orig_pte = ptep_get(table, index);
  const vmf: VmFault = { vma, table, index, vpn, write, orig_pte };
  if (pte_none(orig_pte)) return yield* do_anonymous_page(k, vmf);
  if (!pte_present(orig_pte)) return yield* do_swap_page(k, vmf);
  if (!write || pte_write(orig_pte)) return 0;
  yield* spin_lock(table.ptl);
  if (!pte_same(ptep_get(table, index), orig_pte)) {
    spin_unlock(table.ptl);
    return 0;
  }
  return yield* do_wp_page(k, vmf);
}

/** A frame for user memory, its bytes zero or about to be overwritten. */
function* newUserFolio(k: Kernel): Task<Folio | null> {
  const folio = yield* folio_alloc(k, GFP_HIGHUSER_MOVABLE);
  if (folio !== null) spend(k.clock, k.costs.copyPage);
  return folio;
}

/**
 * do_anonymous_page() - the first touch of a page.
 *
 * A read maps the one frame of zeros that all share; a write gets a frame.
 */
function* do_anonymous_page(k: Kernel, vmf: VmFault): Task<number> {
  const { table, index, vma } = vmf;
  if (!vmf.write) {
    yield* spin_lock(table.ptl);
    if (pte_none(ptep_get(table, index))) {
      set_pte(table, index, mk_pte(k.zero_pfn, 0n));
    }
    spin_unlock(table.ptl);
    return 0;
  }
  anon_vma_prepare(k, vma);
  const folio = yield* newUserFolio(k);
  if (folio === null) return VM_FAULT_OOM;
  pageBytes(k, folio).fill(0);
  setFlag(folio, PG_uptodate);

  yield* spin_lock(table.ptl);
  if (!pte_none(ptep_get(table, index))) {
    spin_unlock(table.ptl);
    folio_put(k, folio);
    return 0;
  }
  mapNewFolio(k, vmf, folio);
  spin_unlock(table.ptl);
  return 0;
}

/** Map a private folio writable. Context: page-table lock held. */
function mapNewFolio(k: Kernel, vmf: VmFault, folio: Folio): void {
  const { table, index, vma, vpn } = vmf;
  folio_add_new_anon_rmap(k, folio, vmf, true);
  folio_add_lru(k, folio);
  set_pte(table, index, pteMkwriteDirty(mk_pte(folio.pfn, 0n)));
  vma.vm_mm.anon_pages++;
  emit(k.trace, {
    time: k.clock.now,
    fn: "set_pte",
    what: "a new frame is mapped",
    pid: vma.vm_mm.pid,
    vpn,
    pfn: folio.pfn,
  });
}

/**
 * do_swap_page() - bring a page back from its slot.
 *
 * @returns VM_FAULT_MAJOR if it was not in the swap cache; VM_FAULT_SIGBUS if
 *   it could not be read; VM_FAULT_OOM
 */
function* do_swap_page(k: Kernel, vmf: VmFault): Task<number> {
  const entry = pte_to_swp_entry(vmf.orig_pte);
  if (_swap_info_get(k, entry) === null) return VM_FAULT_SIGBUS;

  let result = 0;
  let folio = yield* filemap_get_folio(k, entry);
  if (folio === null) {
    folio = yield* swapin_readahead(k, entry);
    if (folio === null) return yield* noFolio(vmf);
    result = VM_FAULT_MAJOR;
    k.vm_event.pgmajfault++;
  }

  // Whoever reads it has the lock until the bytes are there.
  yield* folio_lock(folio);
  if (!standsFor(folio, entry)) {
    return dropFolio(k, folio, result);
  }
  yield* spin_lock(vmf.table.ptl);
  if (!pte_same(ptep_get(vmf.table, vmf.index), vmf.orig_pte)) {
    spin_unlock(vmf.table.ptl);
    return dropFolio(k, folio, result);
  }
  if (!folio_test_uptodate(folio)) {
    spin_unlock(vmf.table.ptl);
    return dropFolio(k, folio, VM_FAULT_SIGBUS);
  }
  const writable = yield* mapSwappedIn(k, vmf, folio, entry);
  folio_unlock(folio);
  // The reference of the lookup is the mapping's now.
  if (vmf.write && !writable) {
    const pte = ptep_get(vmf.table, vmf.index);
    return result | (yield* do_wp_page(k, { ...vmf, orig_pte: pte }));
  }
  spin_unlock(vmf.table.ptl);
  return result;
}

/** No frame, or the slot is gone: out of memory only if the entry stands. */
function* noFolio({ table, index, orig_pte }: VmFault): Task<number> {
  yield* spin_lock(table.ptl);
  const same = pte_same(ptep_get(table, index), orig_pte);
  spin_unlock(table.ptl);
  return same ? VM_FAULT_OOM : 0;
}

function dropFolio(k: Kernel, folio: Folio, result: number): number {
  folio_unlock(folio);
  folio_put(k, folio);
  return result;
}

/**
 * Put the folio's frame where the entry was.
 *
 * @returns whether it was mapped for the write that faulted
 *
 * Context: folio locked, page-table lock held.
 */
function* mapSwappedIn(
  k: Kernel,
  vmf: VmFault,
  folio: Folio,
  entry: SwpEntry,
): Task<boolean> {
  const { table, index, vma, vpn } = vmf;
  const exclusive = pte_swp_exclusive(vmf.orig_pte);
  // The entry is replaced below, under the same lock.
  yield* swap_free(k, entry);
  if (should_try_to_free_swap(k, folio, vmf)) yield* folio_free_swap(k, folio);
  vma.vm_mm.anon_pages++;
  vma.vm_mm.swap_ents--;

  let pte = mk_pte(folio.pfn, 0n);
  const alone = exclusive || folio._refcount === 1;
  const writable = alone && (vma.vm_flags & VM_WRITE) !== 0;
  if (writable) pte = vmf.write ? pteMkwriteDirty(pte) : pte_mkwrite(pte);
  if (pte_swp_soft_dirty(vmf.orig_pte)) pte = pte_mksoft_dirty(pte);
  folio_add_anon_rmap_pte(k, folio, vmf, alone);
  set_pte(table, index, pte);
  emit(k.trace, {
    time: k.clock.now,
    fn: "do_swap_page",
    what: "the page is mapped again",
    pid: vma.vm_mm.pid,
    vpn,
    pfn: folio.pfn,
    slot: entryName(entry),
  });
  return writable;
}

/** Is it better to give the slot up than to keep page and slot together? */
function should_try_to_free_swap(
  k: Kernel,
  folio: Folio,
  vmf: VmFault,
): boolean {
  if (!folio_test_swapcache(folio)) return false;
  if (vm_swap_full(k)) return true;
  // A write makes the slot's copy worthless, if only the cache shares it.
  return vmf.write && folio._refcount === 2;
}

/**
 * do_wp_page() - a write to a page that is mapped read-only.
 *
 * Context: page-table lock held, and the entry is still `orig_pte`; drops it.
 */
function* do_wp_page(k: Kernel, vmf: VmFault): Task<number> {
  const { table, index, orig_pte } = vmf;
  const pfn = pte_pfn(orig_pte);
  const folio = pfn === k.zero_pfn ? null : k.mem_map[pfn] ?? null;
  VM_BUG_ON(
    folio === null && pfn !== k.zero_pfn,
    `process ${vmf.vma.vm_mm.pid} maps the free frame ${pfn}`,
  );
  const reusable = folio !== null &&
    (PageAnonExclusive(folio) ||
      (yield* wp_can_reuse_anon_folio(k, folio, vmf.vma)));
  if (reusable) {
    setFlag(folio!, PG_anon_exclusive);
    set_pte(table, index, pteMkwriteDirty(orig_pte));
    spin_unlock(table.ptl);
    return 0;
  }
  if (folio !== null) folio_get(folio);
  spin_unlock(table.ptl);
  return yield* wp_page_copy(k, vmf, folio);
}

/** Only this mapping and perhaps the swap cache refer to the folio. */
function* wp_can_reuse_anon_folio(
  k: Kernel,
  folio: Folio,
  vma: VmArea,
): Task<boolean> {
  const cached = folio_test_swapcache(folio) ? 1 : 0;
  if (folio._refcount > 1 + cached) return false;
  if (!folio_trylock(folio)) return false;
  if (folio_test_swapcache(folio)) yield* folio_free_swap(k, folio);
  const reusable = folio._refcount === 1;
  // From now on only this area's family can map it.
  if (reusable) folio.mapping = anon_vma_prepare(k, vma);
  folio_unlock(folio);
  return reusable;
}

/** Give the writer a copy. `old` is null for the shared page of zeros. */
function* wp_page_copy(
  k: Kernel,
  vmf: VmFault,
  old: Folio | null,
): Task<number> {
  const { table, index, vma, orig_pte } = vmf;
  anon_vma_prepare(k, vma);
  const copy = yield* newUserFolio(k);
  if (copy === null) {
    if (old !== null) folio_put(k, old);
    return VM_FAULT_OOM;
  }
  if (old === null) pageBytes(k, copy).fill(0);
  else pageBytes(k, copy).set(pageBytes(k, old));
  setFlag(copy, PG_uptodate);

  yield* spin_lock(table.ptl);
  if (pte_same(ptep_get(table, index), orig_pte)) {
    if (old !== null) {
      folio_remove_rmap_pte(old);
      folio_put(k, old);
      vma.vm_mm.anon_pages--;
    }
    mapNewFolio(k, vmf, copy);
  } else {
    folio_put(k, copy);
  }
  spin_unlock(table.ptl);
  if (old !== null) folio_put(k, old);
  return 0;
}

/** The frame behind a present entry, or null. (Ours, for the laboratory.) */
export function framePresentAt(vma: VmArea, vpn: number): Pfn | null {
  const table = vma.vm_mm.tables.get(Math.floor(vpn / PTRS_PER_PTE));
  if (table === undefined) return null;
  const pte = ptep_get(table, vpn % PTRS_PER_PTE);
  return pte_present(pte) ? pte_pfn(pte) : null;
}
