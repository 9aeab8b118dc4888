/**
 * Page faults: what happens when the processor finds no usable entry.
 *
 * Empty entry → a fresh page of zeros, or the shared object's page. An entry
 * that names a swap slot → bring the page back (memory_swap.ts). A write to a
 * read-only page → it may be shared: copy it, unless nobody else can see it.
 *
 * A fault looks at the entry first and locks it only at the end, so it has to
 * look again then (`pte_same()`); if the entry has changed, it drops what it
 * prepared and returns 0: the processor tries again.
 *
 * Kernel: mm/memory.c (v6.12). Differs: anonymous memory only, private or
 * shared; the area is looked up by the caller and cannot change meanwhile.
 */
import { VM_BUG_ON } from "../base/bug.ts";
import { ENOMEM } from "../base/errno.ts";
import { spin_lock, spin_unlock } from "../locking/spinlock.ts";
import { spend } from "../sim/clock.ts";
import { pause, type Task } from "../sim/task.ts";
import { enter } from "../sim/trace.ts";
import { folio_add_lru } from "./lru.ts";
import { mem_cgroup_charge } from "./memcontrol_charge.ts";
import { count_memcg_event_mm } from "./memcontrol_stat.ts";
import { pfn_folio } from "./folio.ts";
import type { AddressSpace, Folio, Kernel, Pfn, VmArea } from "./mm_types.ts";
import {
  beforeTrylock,
  folio_get,
  folio_test_swapcache,
  folio_trylock,
  folio_unlock,
  PageAnonExclusive,
  PG_anon_exclusive,
  PG_dirty,
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
  pte_mkwrite,
  pte_none,
  pte_pfn,
  pte_present,
  pte_same,
  pte_write,
  pteMkwriteDirty,
  ptep_get,
  PTRS_PER_PTE,
  set_pte,
} from "./pgtable.ts";
import { do_swap_page } from "./memory_swap.ts";
import { free_swap_cache } from "./memory_zap.ts";
import {
  anon_vma_prepare,
  folio_add_file_rmap_pte,
  folio_add_new_anon_rmap,
  folio_remove_rmap_pte,
  type PteSlot,
} from "./rmap.ts";
import { linear_page_index, shmem_get_folio_gfp } from "./shmem.ts";
import { folio_free_swap } from "./swapfile.ts";
import { tell } from "./tell.ts";

export const VM_READ = 1 << 0;
export const VM_WRITE = 1 << 1;
/** Writes are seen by all who map the same object. */
export const VM_SHARED = 1 << 3;

export const FAULT_FLAG_WRITE = 1 << 0;
/** The fault may give up rather than wait, and say VM_FAULT_RETRY. */
export const FAULT_FLAG_ALLOW_RETRY = 1 << 2;
/** It did so once. */
export const FAULT_FLAG_TRIED = 1 << 5;

export const VM_FAULT_OOM = 1 << 0;
export const VM_FAULT_SIGBUS = 1 << 1;
/** The page had to be read in. */
export const VM_FAULT_MAJOR = 1 << 2;
/** The page was lost before: as bad as SIGBUS. */
export const VM_FAULT_HWPOISON = 1 << 4;
export const VM_FAULT_SIGSEGV = 1 << 6;
/** Nothing was done: fault again, with FAULT_FLAG_TRIED. */
export const VM_FAULT_RETRY = 1 << 10;
/** The bits that end the access. */
export const VM_FAULT_ERROR = VM_FAULT_OOM | VM_FAULT_SIGBUS |
  VM_FAULT_HWPOISON | VM_FAULT_SIGSEGV;

/** One fault under way. (Linux: struct vm_fault.) */
export interface VmFault extends PteSlot {
  /** FAULT_FLAG_* bits. */
  readonly flags: number;
  readonly orig_pte: Pte;
}

/** The table of a virtual page, made if there is none. */
export function pte_alloc(vma: VmArea, vpn: number): PageTable {
  const { tables, ptes, pid } = vma.vm_mm;
  const key = Math.floor(vpn / PTRS_PER_PTE);
  let table = tables.get(key);
  if (table === undefined) {
    table = pte_alloc_one(ptes, `ptl of process ${pid}, table ${key}`, vpn);
    tables.set(key, table);
  }
  return table;
}

/**
 * handle_mm_fault() - make the entry of one virtual page usable, if it can be.
 *
 * @param flags FAULT_FLAG_WRITE for a write; FAULT_FLAG_ALLOW_RETRY
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
  enter(k.trace, "handle_mm_fault");
  spend(k.clock, k.costs.fault);
  const write = (flags & FAULT_FLAG_WRITE) !== 0;
  // (Linux: access_error(), before it gets here.)
  if (write && (vma.vm_flags & VM_WRITE) === 0) return VM_FAULT_SIGSEGV;

  const result = yield* handle_pte_fault(k, vma, vpn, flags);
  // Who has to come again is counted then. (Linux: mm_account_fault().)
  if ((result & VM_FAULT_RETRY) === 0) {
    k.vm_event.pgfault++;
    count_memcg_event_mm(vma.vm_mm, "pgfault");
  }
  return result;
}

/** What the entry says decides. */
function* handle_pte_fault(
  k: Kernel,
  vma: VmArea,
  vpn: number,
  flags: number,
): Task<number> {
  const table = pte_alloc(vma, vpn);
  const index = vpn % PTRS_PER_PTE;
  yield* pause(table.ptl.peek);
  const orig_pte = ptep_get(table, index);
  const vmf: VmFault = { vma, table, index, vpn, flags, orig_pte };
  // #region three-kinds-of-fault
  if (pte_none(orig_pte)) {
    return vma.vm_mapping === null
      ? yield* do_anonymous_page(k, vmf)
      : yield* do_fault(k, vmf, vma.vm_mapping);
  }
  if (!pte_present(orig_pte)) return yield* do_swap_page(k, vmf);
  // #endregion
  const write = (flags & FAULT_FLAG_WRITE) !== 0;
  if (!write || pte_write(orig_pte)) return 0;
  yield* spin_lock(table.ptl);
  if (!pte_same(ptep_get(table, index), orig_pte)) {
    spin_unlock(table.ptl);
    return 0;
  }
  return yield* do_wp_page(k, vmf);
}

/** A frame for user memory, charged, its bytes yet to be written. */
function* newUserFolio(k: Kernel, { vm_mm }: VmArea): Task<Folio | null> {
  const gfp = GFP_HIGHUSER_MOVABLE;
  const folio = yield* folio_alloc(k, gfp);
  if (folio === null) return null;
  if ((yield* mem_cgroup_charge(k, folio, vm_mm, gfp)) !== 0) {
    folio_put(k, folio);
    return null;
  }
  spend(k.clock, k.costs.copyPage);
  return folio;
}

/**
 * do_anonymous_page() - the first touch of a page.
 *
 * A read maps the one frame of zeros that all share; a write gets a frame.
 */
function* do_anonymous_page(k: Kernel, vmf: VmFault): Task<number> {
  enter(k.trace, "do_anonymous_page");
  const { table, index, vma } = vmf;
  if ((vmf.flags & FAULT_FLAG_WRITE) === 0) {
    yield* spin_lock(table.ptl);
    if (pte_none(ptep_get(table, index))) {
      set_pte(table, index, mk_pte(k.zero_pfn, 0n));
    }
    spin_unlock(table.ptl);
    return 0;
  }
  anon_vma_prepare(k, vma);
  const folio = yield* newUserFolio(k, vma);
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

/**
 * do_fault() - map a page of a shared object, whoever has it there.
 *
 * Read or write, the entry is writable at once: a shared page is never copied.
 */
function* do_fault(
  k: Kernel,
  vmf: VmFault,
  mapping: AddressSpace,
): Task<number> {
  const { table, index, vma, vpn } = vmf;
  const page = linear_page_index(vma, vpn);
  const mm = vma.vm_mm;
  const found = yield* shmem_get_folio_gfp(k, mapping, page, mm);
  const { folio, fault_type } = found;
  if (folio === null) {
    return found.err === -ENOMEM ? VM_FAULT_OOM : VM_FAULT_SIGBUS;
  }
  const write = (vmf.flags & FAULT_FLAG_WRITE) !== 0;
  yield* spin_lock(table.ptl);
  const wanted = pte_none(ptep_get(table, index));
  if (wanted) {
    const pte = mk_pte(folio.pfn, 0n);
    set_pte(table, index, write ? pteMkwriteDirty(pte) : pte_mkwrite(pte));
    folio_add_file_rmap_pte(folio);
    mm.shmem_pages++;
  }
  spin_unlock(table.ptl);
  if (wanted && write) setFlag(folio, PG_dirty);
  folio_unlock(folio);
  // The mapping keeps the reference.
  if (!wanted) folio_put(k, folio);
  return fault_type;
}

/** Map a private folio writable. Context: page-table lock held. */
function mapNewFolio(k: Kernel, vmf: VmFault, folio: Folio): void {
  const { table, index, vma, vpn } = vmf;
  folio_add_new_anon_rmap(k, folio, vmf, true);
  folio_add_lru(k, folio);
  set_pte(table, index, pteMkwriteDirty(mk_pte(folio.pfn, 0n)));
  vma.vm_mm.anon_pages++;
  tell(k, "set_pte", "a new frame is mapped", { at: { vma, vpn }, folio });
}

/**
 * do_wp_page() - a write to a page that is mapped read-only.
 *
 * Context: page-table lock held, and the entry is still `orig_pte`; drops it.
 */
export function* do_wp_page(k: Kernel, vmf: VmFault): Task<number> {
  enter(k.trace, "do_wp_page");
  const { table, index, orig_pte } = vmf;
  const pfn = pte_pfn(orig_pte);
  const folio = pfn === k.zero_pfn ? null : pfn_folio(k, pfn);
  VM_BUG_ON(
    folio === null && pfn !== k.zero_pfn,
    () => `process ${vmf.vma.vm_mm.pid} maps the free frame ${pfn}`,
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
  yield* beforeTrylock(folio);
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
  enter(k.trace, "wp_page_copy");
  const { table, index, vma, orig_pte } = vmf;
  anon_vma_prepare(k, vma);
  const copy = yield* newUserFolio(k, vma);
  if (copy === null) {
    if (old !== null) folio_put(k, old);
    return VM_FAULT_OOM;
  }
  if (old === null) pageBytes(k, copy).fill(0);
  else pageBytes(k, copy).set(pageBytes(k, old));
  setFlag(copy, PG_uptodate);

  yield* spin_lock(table.ptl);
  const copied = pte_same(ptep_get(table, index), orig_pte);
  if (copied) {
    mapNewFolio(k, vmf, copy);
    if (old !== null) {
      vma.vm_mm.anon_pages--;
      folio_remove_rmap_pte(old);
    }
  }
  spin_unlock(table.ptl);
  // The copy that nobody wants; or the reference of the mapping that went.
  const unneeded = copied ? old : copy;
  if (unneeded !== null) folio_put(k, unneeded);
  if (old !== null) {
    if (copied) yield* free_swap_cache(k, old);
    folio_put(k, old);
  }
  return 0;
}

/** The frame behind a present entry, or null. (Ours, for the laboratory.) */
export function framePresentAt(vma: VmArea, vpn: number): Pfn | null {
  const table = vma.vm_mm.tables.get(Math.floor(vpn / PTRS_PER_PTE));
  if (table === undefined) return null;
  const pte = ptep_get(table, vpn % PTRS_PER_PTE);
  return pte_present(pte) ? pte_pfn(pte) : null;
}
