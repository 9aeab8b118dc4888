/**
 * Reverse mapping: from a page to the page-table entries that map it.
 *
 * An anonymous page knows an `AnonVma`, which knows the areas where the page
 * can be mapped; its address is the same in all of them.
 *
 * Kernel: mm/rmap.c (v6.12). Differs: areas in a plain array instead of an
 * interval tree; a child's areas never move, so an address is an index; no
 * mlock; accessed bits count even if the area's process is being killed.
 */
import { VM_BUG_ON } from "../base/bug.ts";
import { spin_lock, spin_unlock } from "../locking/spinlock.ts";
import { andThen, over, type Task } from "../sim/task.ts";
import { enter } from "../sim/trace.ts";
import { mem_cgroup_is_descendant } from "./memcontrol.ts";
import type { AnonVma, Folio, Kernel, MemCgroup, VmArea } from "./mm_types.ts";
import {
  clearFlag,
  folio_test_anon,
  folio_test_dirty,
  folio_test_swapbacked,
  PageAnonExclusive,
  PG_anon_exclusive,
  PG_dirty,
  PG_swapbacked,
  setFlag,
} from "./page_flags.ts";
import { folio_put } from "./page_alloc.ts";
import {
  PAGE_SIZE,
  type PageTable,
  presentPfn,
  type Pte,
  pte_dirty,
  pte_mkold,
  pte_soft_dirty,
  pte_swp_mkexclusive,
  pte_swp_mksoft_dirty,
  pte_young,
  ptep_get,
  ptep_get_and_clear,
  PTRS_PER_PTE,
  set_pte,
  swp_entry_to_pte,
} from "./pgtable.ts";
import { swap_duplicate } from "./swapfile.ts";
import { tell } from "./tell.ts";

/** Where one page-table entry is. (Linux: page_vma_mapped_walk.) */
export interface PteSlot {
  readonly vma: VmArea;
  readonly table: PageTable;
  readonly index: number;
  /** Virtual page number: address / 4096. */
  readonly vpn: number;
}

/** The table entry of a virtual page, if its table exists. */
export function pteSlotOf(vma: VmArea, vpn: number): PteSlot | null {
  const table = vma.vm_mm.tables.get(Math.floor(vpn / PTRS_PER_PTE));
  if (table === undefined) return null;
  return { vma, table, index: vpn % PTRS_PER_PTE, vpn };
}

/** A new anon_vma for an area that has none. */
export function anon_vma_prepare(k: Kernel, vma: VmArea): AnonVma {
  if (vma.anon_vma !== null) return vma.anon_vma;
  const anon_vma: AnonVma = { id: k.next_anon_vma++, vmas: [] };
  vma.anon_vma = anon_vma;
  linkAnonVma(vma, anon_vma);
  return anon_vma;
}

/** Pages of `anon_vma` may be mapped in `vma` from now on. */
export function linkAnonVma(vma: VmArea, anon_vma: AnonVma): void {
  vma.anon_vma_chain.push(anon_vma);
  anon_vma.vmas.push(vma);
}

/** The area goes away: no page can be mapped there any more. */
export function unlink_anon_vmas(vma: VmArea): void {
  for (const anon_vma of vma.anon_vma_chain) {
    anon_vma.vmas.splice(anon_vma.vmas.indexOf(vma), 1);
  }
  vma.anon_vma_chain.length = 0;
  vma.anon_vma = null;
}

/** The areas in which the folio can be mapped, as they are now. */
function areasOf({ mapping }: Folio): readonly VmArea[] {
  if (mapping === null) return [];
  return ("vmas" in mapping ? mapping.vmas : mapping.i_mmap).slice();
}

/** The page-table entry of the area that maps the folio, or null. */
function mappingIn(vma: VmArea, folio: Folio): PteSlot | null {
  const address = vma_address(vma, folio);
  if (address < vma.vm_start || address >= vma.vm_end) return null;
  const slot = pteSlotOf(vma, address / PAGE_SIZE);
  return slot !== null && maps(slot, folio) ? slot : null;
}

/** Where the folio's page is in the area, if it is in there at all. */
function vma_address(vma: VmArea, folio: Folio): number {
  if (folio_test_anon(folio)) return folio.index * PAGE_SIZE;
  return vma.vm_start + (folio.index - vma.vm_pgoff) * PAGE_SIZE;
}

function maps(slot: PteSlot, folio: Folio): boolean {
  return presentPfn(slot.table, slot.index) === folio.pfn;
}

/**
 * folio_add_new_anon_rmap() - the first mapping of a fresh page.
 *
 * @param exclusive nobody else can map it: writes need no copy
 */
export function folio_add_new_anon_rmap(
  k: Kernel,
  folio: Folio,
  slot: PteSlot,
  exclusive: boolean,
): void {
  VM_BUG_ON(
    folio._mapcount !== 0,
    () => `frame ${folio.pfn} is mapped already`,
  );
  setFlag(folio, PG_swapbacked);
  folio_add_anon_rmap_pte(k, folio, slot, exclusive);
}

/** One more mapping, of a page that may have others. */
export function folio_add_anon_rmap_pte(
  k: Kernel,
  folio: Folio,
  { vma, vpn }: PteSlot,
  exclusive: boolean,
): void {
  if (folio.mapping === null) {
    // What is not exclusive may belong to the whole family: its root.
    const own = anon_vma_prepare(k, vma);
    folio.mapping = exclusive ? own : vma.anon_vma_chain[0] ?? own;
    folio.index = vpn;
  }
  folio._mapcount++;
  if (exclusive) setFlag(folio, PG_anon_exclusive);
}

/** One mapping more of a page of a shared object. */
export function folio_add_file_rmap_pte(folio: Folio): void {
  folio._mapcount++;
}

/** One mapping less. */
export function folio_remove_rmap_pte(folio: Folio): void {
  VM_BUG_ON(folio._mapcount <= 0, () => `frame ${folio.pfn} is not mapped`);
  folio._mapcount--;
}

/** The owner of the area is in the group, or in one below it. */
function mm_match_cgroup({ vm_mm }: VmArea, memcg: MemCgroup): boolean {
  return mem_cgroup_is_descendant(vm_mm.memcg, memcg);
}

/**
 * folio_referenced() - how many mappings were used since the last look.
 *
 * Clears their accessed bits.
 *
 * @param memcg only mappings of processes in this group or below; null: all
 *
 * Context: takes the page-table locks.
 */
export function* folio_referenced(
  folio: Folio,
  memcg: MemCgroup | null,
): Task<number> {
  let referenced = 0;
  for (const vma of areasOf(folio)) {
    const slot = mappingIn(vma, folio);
    if (slot === null) continue;
    if (memcg !== null && !mm_match_cgroup(vma, memcg)) continue;
    yield* spin_lock(slot.table.ptl);
    const pte = ptep_get(slot.table, slot.index);
    if (maps(slot, folio) && pte_young(pte)) {
      set_pte(slot.table, slot.index, pte_mkold(pte));
      referenced++;
    }
    spin_unlock(slot.table.ptl);
  }
  return referenced;
}

/**
 * try_to_unmap() - replace every mapping of a swap-cache folio by its slot.
 *
 * A folio that MADV_FREE gave up has no slot: its mappings are just removed,
 * unless somebody wrote to it since; then it is an ordinary page again. Stops
 * at the first mapping that has to stay; the caller looks at folio_mapped().
 *
 * Context: folio locked. Takes the page-table locks.
 */
export function* try_to_unmap(k: Kernel, folio: Folio): Task {
  enter(k.trace, "try_to_unmap");
  for (const vma of areasOf(folio)) {
    const slot = mappingIn(vma, folio);
    if (slot === null) continue;
    yield* spin_lock(slot.table.ptl);
    const unmapped = !maps(slot, folio) || (yield* unmapOne(k, folio, slot));
    spin_unlock(slot.table.ptl);
    if (!unmapped) return;
  }
}

/** One mapping, under its page-table lock; false puts it back as it was. */
function unmapOne(k: Kernel, folio: Folio, slot: PteSlot): Task<boolean> {
  const mm = slot.vma.vm_mm;
  const pte = ptep_get_and_clear(slot.table, slot.index);
  if (pte_dirty(pte)) setFlag(folio, PG_dirty);
  if (!folio_test_anon(folio)) {
    // The object knows where the page is: the entry stays empty.
    mm.shmem_pages--;
    folio_remove_rmap_pte(folio);
    folio_put(k, folio);
    return over(true);
  }
  if (!folio_test_swapbacked(folio)) {
    return over(discardOne(k, folio, slot, pte));
  }
  return andThen(swap_duplicate(k, folio.swap), (err) => {
    if (err === 0) nameSlot(k, folio, slot, pte);
    else set_pte(slot.table, slot.index, pte);
    return err === 0;
  });
}

/** The entry names the slot instead of the frame. */
function nameSlot(k: Kernel, folio: Folio, slot: PteSlot, pte: Pte): void {
  const mm = slot.vma.vm_mm;
  set_pte(slot.table, slot.index, swapPteFor(folio, pte));
  clearFlag(folio, PG_anon_exclusive);
  mm.anon_pages--;
  mm.swap_ents++;
  folio_remove_rmap_pte(folio);
  tell(k, "try_to_unmap", "the page table now names the slot", {
    at: slot,
    folio,
    entry: folio.swap,
  });
  folio_put(k, folio);
}

/**
 * The mapping of a page whose content may be lost; false if it may not: it is
 * dirty, or somebody holds a reference through which it could become so.
 */
function discardOne(
  k: Kernel,
  folio: Folio,
  slot: PteSlot,
  pte: Pte,
): boolean {
  const isOnlyMapped = folio._refcount === 1 + folio._mapcount;
  if (!isOnlyMapped || folio_test_dirty(folio)) {
    set_pte(slot.table, slot.index, pte);
    setFlag(folio, PG_swapbacked);
    return false;
  }
  slot.vma.vm_mm.anon_pages--;
  clearFlag(folio, PG_anon_exclusive);
  folio_remove_rmap_pte(folio);
  tell(k, "try_to_unmap", "given up and not written since: the mapping goes", {
    at: slot,
    folio,
  });
  folio_put(k, folio);
  return true;
}

function swapPteFor(folio: Folio, old: Pte): Pte {
  let pte = swp_entry_to_pte(folio.swap);
  if (PageAnonExclusive(folio)) pte = pte_swp_mkexclusive(pte);
  if (pte_soft_dirty(old)) pte = pte_swp_mksoft_dirty(pte);
  return pte;
}
