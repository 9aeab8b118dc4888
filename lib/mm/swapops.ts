/**
 * Swap entries: which slot of which device holds a page.
 *
 * Kernel: include/linux/swapops.h (v6.12). Differs: an entry is a JavaScript
 * number, type × 2^40 + offset; `rawEntry()` gives the kernel's 64 bits.
 */
import { VM_BUG_ON } from "../base/bug.ts";
import { MAX_SWAPFILES, SWAP_ADDRESS_SPACE_SHIFT } from "./swap.ts";

/** A device's number and a slot's; never zero, since slot 0 is the header. */
export type SwpEntry = number & { readonly __brand: "SwpEntry" };

const OFFSET_RANGE = 2 ** 40;
/** Where the kernel's word has the type: XA_VALUE bits minus 5. */
const SWP_TYPE_SHIFT = 58n;

export function swp_entry(type: number, offset: number): SwpEntry {
  VM_BUG_ON(
    offset < 0 || offset >= OFFSET_RANGE,
    () => `swp_entry: offset ${offset}`,
  );
  return (type * OFFSET_RANGE + offset) as SwpEntry;
}

export function swp_type(entry: SwpEntry): number {
  return entry < OFFSET_RANGE ? 0 : Math.floor(entry / OFFSET_RANGE);
}

export function swp_offset(entry: SwpEntry): number {
  // Most have type 0; the remainder of large numbers is slow.
  return entry < OFFSET_RANGE ? entry : entry % OFFSET_RANGE;
}

/** The word `swp_entry_t.val` of the kernel. (Ours: Linux just reads it.) */
export function rawEntry(entry: SwpEntry): bigint {
  return (BigInt(swp_type(entry)) << SWP_TYPE_SHIFT) |
    BigInt(swp_offset(entry));
}

/** Which 64 MiB space of its device the slot is in. */
export function spaceIndex(entry: SwpEntry): number {
  return swp_offset(entry) >>> SWAP_ADDRESS_SPACE_SHIFT;
}

/** As shown to people and kept in traces: "0:17". */
export function entryName(entry: SwpEntry): string {
  return `${swp_type(entry)}:${swp_offset(entry)}`;
}

/** No slot: migration, hwpoison, device memory, or a marker. */
export function non_swap_entry(entry: SwpEntry): boolean {
  return swp_type(entry) >= MAX_SWAPFILES;
}

/** The last of the 32 numbers: its offset says what is marked. */
const SWP_PTE_MARKER = 31;
/** The page is lost: who uses it gets SIGBUS. */
const PTE_MARKER_POISONED = 1 << 1;

export function make_poisoned_swp_entry(): SwpEntry {
  return swp_entry(SWP_PTE_MARKER, PTE_MARKER_POISONED);
}

export function is_poisoned_swp_entry(entry: SwpEntry): boolean {
  return swp_type(entry) === SWP_PTE_MARKER &&
    (swp_offset(entry) & PTE_MARKER_POISONED) !== 0;
}
