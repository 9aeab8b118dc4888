/**
 * Page tables: 512 entries of 64 bits to a table, packed as on x86-64.
 *
 * A present entry holds a frame number; one that is neither zero nor present
 * holds a swap entry. The processor's own work (set accessed and dirty bits)
 * is `touchPte()`, on the low 32 bits; faults read the whole word.
 *
 * Kernel: arch/x86/include/asm/pgtable.h, pgtable_64.h, pgtable_types.h
 * (v6.12). Differs: only the lowest level is a table; the three above it are
 * one map. Each table has its lock (CONFIG_SPLIT_PTE_PTLOCKS).
 */
import type { Spinlock } from "../locking/spinlock.ts";
import { spin_lock_init } from "../locking/spinlock.ts";
import type { Pfn } from "./mm_types.ts";
import { swp_entry, swp_offset, swp_type, type SwpEntry } from "./swapops.ts";

/** One page-table entry, 64 bits. */
export type Pte = bigint & { readonly __brand: "Pte" };

export const PAGE_SHIFT = 12;
export const PAGE_SIZE = 4096;

/** A length in bytes, rounded up to whole pages. */
export function PAGE_ALIGN(bytes: number): number {
  return Math.ceil(bytes / PAGE_SIZE) * PAGE_SIZE;
}

export const PTRS_PER_PTE = 512;
/** Where the first area of a process begins. */
export const TASK_UNMAPPED_BASE = 0x4000_0000;

export const _PAGE_PRESENT = 1n << 0n;
export const _PAGE_RW = 1n << 1n;
export const _PAGE_USER = 1n << 2n;
export const _PAGE_ACCESSED = 1n << 5n;
export const _PAGE_DIRTY = 1n << 6n;
export const _PAGE_SOFT_DIRTY = 1n << 11n;
/** In a swap entry, bits that are free there are used again. */
export const _PAGE_SWP_SOFT_DIRTY = 1n << 1n;
export const _PAGE_SWP_UFFD_WP = 1n << 2n;
export const _PAGE_SWP_EXCLUSIVE = 1n << 3n;

const PRESENT_BITS = _PAGE_PRESENT | _PAGE_USER | _PAGE_ACCESSED;
const SWP_TYPE_SHIFT = 59n;
const SWP_OFFSET_FIRST_BIT = 9n;
const SWP_OFFSET_MASK = (1n << 50n) - 1n;
const PFN_MASK = (1n << 40n) - 1n;
// What is not exported costs touchPte() no look at the module.
const LOW_PRESENT = 1;
const LOW_RW = 2;
const LOW_ACCESSED = 1 << 5;
const LOW_DIRTY = 1 << 6;

/**
 * The entries of a process in one array, ordered by address from
 * TASK_UNMAPPED_BASE on. (Ours: an access then needs no look for the table.)
 * It has room for all areas; where there is no table yet, entries are empty.
 */
export interface PteStore {
  words: BigUint64Array;
  /** The same bytes by halves; entry i has its low half at 2i. */
  halves: Int32Array;
}

/** One table: the entries of 2 MiB of addresses. */
export interface PageTable {
  /** Guards every entry of this table. */
  readonly ptl: Spinlock;
  readonly store: PteStore;
  /** Where in the store its entries begin. */
  readonly base: number;
}

export function makePteStore(): PteStore {
  return { words: new BigUint64Array(0), halves: new Int32Array(0) };
}

/** The place of a virtual page's entry in the store. */
export function pteAt(vpn: number): number {
  return vpn - TASK_UNMAPPED_BASE / PAGE_SIZE;
}

/** Room for a new area; `end` is the first page behind it. */
export function growPteStore(store: PteStore, end: number): void {
  const tables = Math.ceil(pteAt(end) / PTRS_PER_PTE);
  if (store.words.length >= tables * PTRS_PER_PTE) return;
  const words = new BigUint64Array(tables * PTRS_PER_PTE);
  words.set(store.words);
  store.words = words;
  store.halves = new Int32Array(words.buffer);
}

/** The empty table of a virtual page. */
export function pte_alloc_one(
  store: PteStore,
  name: string,
  vpn: number,
): PageTable {
  const base = pteAt(vpn - vpn % PTRS_PER_PTE);
  return { ptl: spin_lock_init(name), store, base };
}

export function ptep_get({ store, base }: PageTable, index: number): Pte {
  return store.words[base + index]! as Pte;
}

/**
 * The frame of a present entry; −1 if it is not present. (Ours: pte_present()
 * and pte_pfn() in small numbers, for walks over many entries.)
 */
export function presentPfn({ store, base }: PageTable, index: number): number {
  const at = 2 * (base + index);
  const low = store.halves[at]!;
  return (low & LOW_PRESENT) === 0 ? -1 : pfnOf(low, store.halves[at + 1]!);
}

/** A machine has fewer than 2³¹ frames: a small integer will do. */
function pfnOf(low: number, high: number): number {
  return high << (32 - PAGE_SHIFT) | low >>> PAGE_SHIFT;
}

export function set_pte(
  { store, base }: PageTable,
  index: number,
  pte: Pte,
): void {
  store.words[base + index] = pte;
}

/** Empty `nr` entries. (Linux: clear_ptes(), pte by pte.) */
export function clearPtes(
  { store, base }: PageTable,
  index: number,
  nr: number,
): void {
  store.words.fill(0n, base + index, base + index + nr);
}

/** Empty the entry; returns what it held. */
export function ptep_get_and_clear(table: PageTable, index: number): Pte {
  const pte = ptep_get(table, index);
  set_pte(table, index, 0n as Pte);
  return pte;
}

/**
 * One access by the processor: it marks the entry. (Ours: in Linux this is
 * hardware.)
 *
 * @param at the entry's place in the store: pteAt()
 * @returns the frame; −1 if it faults: not present, or a write to a read-only
 *   page
 */
export function touchPte(
  { halves }: PteStore,
  at: number,
  write: boolean,
): number {
  const low = halves[2 * at]!;
  const wanted = write ? LOW_PRESENT | LOW_RW : LOW_PRESENT;
  if ((low & wanted) !== wanted) return -1;
  const marks = write ? LOW_ACCESSED | LOW_DIRTY : LOW_ACCESSED;
  // What is set is not written again.
  if ((low & marks) !== marks) halves[2 * at] = low | marks;
  return pfnOf(low, halves[2 * at + 1]!);
}

export function pte_none(pte: Pte): boolean {
  return pte === 0n;
}

export function pte_present(pte: Pte): boolean {
  return (pte & _PAGE_PRESENT) !== 0n;
}

export function pte_write(pte: Pte): boolean {
  return (pte & _PAGE_RW) !== 0n;
}

export function pte_young(pte: Pte): boolean {
  return (pte & _PAGE_ACCESSED) !== 0n;
}

export function pte_dirty(pte: Pte): boolean {
  return (pte & _PAGE_DIRTY) !== 0n;
}

export function pte_soft_dirty(pte: Pte): boolean {
  return (pte & _PAGE_SOFT_DIRTY) !== 0n;
}

/** Written since somebody last asked (/proc/PID/clear_refs). */
export function pte_mksoft_dirty(pte: Pte): Pte {
  return (pte | _PAGE_SOFT_DIRTY) as Pte;
}

/** The values are equal. Says nothing about what happened in between. */
export function pte_same(a: Pte, b: Pte): boolean {
  return a === b;
}

export function pte_pfn(pte: Pte): Pfn {
  return Number((pte >> BigInt(PAGE_SHIFT)) & PFN_MASK) as Pfn;
}

/** A present entry: user, accessed, and the bits given. */
export function mk_pte(pfn: Pfn, bits: bigint): Pte {
  return (BigInt(pfn * PAGE_SIZE) | PRESENT_BITS | bits) as Pte;
}

export function pte_wrprotect(pte: Pte): Pte {
  return (pte & ~_PAGE_RW) as Pte;
}

export function pte_mkold(pte: Pte): Pte {
  return (pte & ~_PAGE_ACCESSED) as Pte;
}

export function pte_mkclean(pte: Pte): Pte {
  return (pte & ~_PAGE_DIRTY) as Pte;
}

/** Writable but still clean: the processor will set the dirty bit. */
export function pte_mkwrite(pte: Pte): Pte {
  return (pte | _PAGE_RW) as Pte;
}

/** Writable and dirty: what the second half of a write fault makes. */
export function pteMkwriteDirty(pte: Pte): Pte {
  return (pte | _PAGE_RW | _PAGE_DIRTY | _PAGE_SOFT_DIRTY) as Pte;
}

/** Neither empty nor present: the page is elsewhere. */
export function is_swap_pte(pte: Pte): boolean {
  return !pte_none(pte) && !pte_present(pte);
}

// #region swap-entry
/**
 * Pack a swap entry: type in bits 59–63, the offset *inverted* in bits 9–58
 * (so that a speculative load through it hits no real memory: L1TF).
 */
export function swp_entry_to_pte(entry: SwpEntry): Pte {
  const offset = ~BigInt(swp_offset(entry)) & SWP_OFFSET_MASK;
  return ((BigInt(swp_type(entry)) << SWP_TYPE_SHIFT) |
    (offset << SWP_OFFSET_FIRST_BIT)) as Pte;
}
// #endregion

export function pte_to_swp_entry(pte: Pte): SwpEntry {
  const offset = ~(pte >> SWP_OFFSET_FIRST_BIT) & SWP_OFFSET_MASK;
  return swp_entry(Number(pte >> SWP_TYPE_SHIFT), Number(offset));
}

/** The entry of a slot `delta` further on, all other bits as they are. */
export function pte_move_swp_offset(pte: Pte, delta: number): Pte {
  // The offset is kept inverted: it counts down.
  return (pte - (BigInt(delta) << SWP_OFFSET_FIRST_BIT)) as Pte;
}

export function pte_swp_exclusive(pte: Pte): boolean {
  return (pte & _PAGE_SWP_EXCLUSIVE) !== 0n;
}

export function pte_swp_mkexclusive(pte: Pte): Pte {
  return (pte | _PAGE_SWP_EXCLUSIVE) as Pte;
}

export function pte_swp_clear_exclusive(pte: Pte): Pte {
  return (pte & ~_PAGE_SWP_EXCLUSIVE) as Pte;
}

export function pte_swp_soft_dirty(pte: Pte): boolean {
  return (pte & _PAGE_SWP_SOFT_DIRTY) !== 0n;
}

export function pte_swp_mksoft_dirty(pte: Pte): Pte {
  return (pte | _PAGE_SWP_SOFT_DIRTY) as Pte;
}

/** Only the slot, not what is known of the page. */
export function pte_swp_clear_flags(pte: Pte): Pte {
  const flags = _PAGE_SWP_EXCLUSIVE | _PAGE_SWP_SOFT_DIRTY | _PAGE_SWP_UFFD_WP;
  return (pte & ~flags) as Pte;
}
