/**
 * A page-table entry taken apart, for people. Ours.
 */
import {
  PAGE_SIZE,
  pte_dirty,
  pte_none,
  pte_pfn,
  pte_present,
  pte_to_swp_entry,
  pte_write,
  pte_young,
  ptep_get,
  PTRS_PER_PTE,
} from "../mm/pgtable.ts";
import { entryName } from "../mm/swapops.ts";
import type { Process } from "./process.ts";

export interface PageTableEntry {
  /** The 64 bits as 16 hexadecimal digits. */
  readonly raw: string;
  readonly present: boolean;
  /** Frame number, if present. */
  readonly frame: number | null;
  /** "device:slot", if the page is in swap. */
  readonly slot: string | null;
  readonly writable: boolean;
  readonly accessed: boolean;
  readonly dirty: boolean;
}

/** entryAt() - the page-table entry of a page, as it stands now. */
export function entryAt(process: Process, page: number): PageTableEntry {
  // Throws for a page that does not exist.
  process.whereabouts(page);
  const vpn = process.area.vm_start / PAGE_SIZE + page;
  const table = process.mm.tables.get(Math.floor(vpn / PTRS_PER_PTE));
  const word = table ? ptep_get(table, vpn % PTRS_PER_PTE) : 0n;
  const raw = word.toString(16).padStart(16, "0");
  const nothing = {
    raw,
    present: false,
    frame: null,
    slot: null,
    writable: false,
    accessed: false,
    dirty: false,
  };
  if (table === undefined) return nothing;
  const pte = ptep_get(table, vpn % PTRS_PER_PTE);
  if (pte_none(pte)) return nothing;
  if (!pte_present(pte)) {
    return { ...nothing, slot: entryName(pte_to_swp_entry(pte)) };
  }
  return {
    raw,
    present: true,
    frame: pte_pfn(pte),
    slot: null,
    writable: pte_write(pte),
    accessed: pte_young(pte),
    dirty: pte_dirty(pte),
  };
}
