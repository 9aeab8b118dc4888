/**
 * How many users a swap slot has: one byte of `swap_map` per slot.
 *
 *   0x00         free
 *   0x01 … 0x3e  that many page-table entries hold the slot's entry
 *   0x3f         bad: never given out
 *   + 0x40       pinned: a folio is in the swap cache, or is about to be
 *   + 0x80       the count goes on in a continuation page
 *   0xbf         owned by shared memory: not counted
 *
 * 0x40 alone is a slot with no users that nobody may take: just given out,
 * cached after its last user left, or waiting to be really freed.
 *
 * Callers hold the lock that guards the byte: that of its cluster, or si.lock
 * on a device without clusters. The names with two underscores assert it.
 *
 * Up to 2.6.30 the swap cache was one more user (`swap_map_cache_flag: "off"`):
 * 2 is two page-table entries, or one and the cache. Helpers below say what a
 * pin is, and who is left.
 *
 * Kernel: mm/swapfile.c (v6.12). Differs: split off from swapfile.c; no
 * cont_lock, since nothing here pauses. With "off", a byte of today, not 16
 * bits: a slot on its way from its last user to its device reads 0x40, that of
 * 2.6.30 was free at once; full counts are continued, there they stayed full.
 * Whoever looks for slots of the cache alone today does so then, too.
 */
import { BUG_ON } from "swaplab/base/bug.ts";
import { xa_load } from "swaplab/base/xarray.ts";
import {
  EEXIST,
  EINVAL,
  ENOENT,
  ENOMEM,
  type Errno,
} from "swaplab/base/errno.ts";
import type { Folio, Kernel, SwapInfoStruct } from "swaplab/mm/mm_types.ts";
import { PAGE_SHIFT, PAGE_SIZE } from "swaplab/mm/pgtable.ts";
import {
  folio_put,
  get_page_from_freelist,
  GFP_ATOMIC,
} from "swaplab/mm/page_alloc.ts";
import {
  COUNT_CONTINUED,
  SWAP_CONT_MAX,
  SWAP_HAS_CACHE,
  SWAP_MAP_BAD,
  SWAP_MAP_MAX,
  SWAP_MAP_SHMEM,
  SWP_CONTINUED,
} from "swaplab/mm/swap.ts";
import { assertSlotLocked } from "swaplab/mm/swap_cluster.ts";
import { spaceIndex, swp_entry } from "swaplab/mm/swapops.ts";

/** The byte without the cache bit. Keeps COUNT_CONTINUED, as Linux does. */
export function swap_count(byte: number): number {
  return byte & ~SWAP_HAS_CACHE;
}

/** What the swap cache adds to a byte: the flag, or one more user. */
export function pinUsage({ proposals }: Kernel): number {
  return proposals.swap_map_cache_flag === "on" ? SWAP_HAS_CACHE : 1;
}

/**
 * Does the swap cache alone hold the slot? The flag tells; without it a count
 * of 1 may be a page-table entry as well, and the cache has to be looked at.
 *
 * Context: no lock needed; the answer without the slot's lock may be old.
 */
export function onlyCacheLeft(
  k: Kernel,
  si: SwapInfoStruct,
  offset: number,
): boolean {
  if (si.swap_map[offset] !== pinUsage(k)) return false;
  if (k.proposals.swap_map_cache_flag === "on") return true;
  const space = si.swapper_spaces[spaceIndex(swp_entry(si.type, offset))]!;
  const found = xa_load(space.xa, offset);
  return found !== null && typeof found !== "number";
}

// #region answer-swap-duplicate
/**
 * __swap_duplicate() - count one more user of a slot, or pin it.
 *
 * @param usage 1 for a page-table entry, SWAP_HAS_CACHE for a pin,
 *   SWAP_MAP_SHMEM for shared memory
 * @returns 0 and the byte changed; or, with the byte as it was,
 *   -ENOENT (bad or free slot), -EEXIST (pin asked for, already pinned),
 *   -EINVAL (the byte's count cannot be counted up),
 *   -ENOMEM (the count is full and has no continuation page)
 *
 * Context: caller holds the slot's lock. Kernel: mm/swapfile.c (v6.12).
 * Differs: one slot at a time; the caller looked the device up.
 */
export function __swap_duplicate(
  k: Kernel,
  si: SwapInfoStruct,
  offset: number,
  usage: number,
): Errno {
  throw new Error(
    "Not implemented yet: write the body of __swap_duplicate().",
  );
}
// #endregion

/**
 * __swap_entry_free_locked() - take away one user of a slot, or its pin.
 *
 * @param usage 1, or SWAP_HAS_CACHE for the pin
 * @returns what is left of the byte; 0 means that the slot has neither users
 *   nor pin: the byte then reads 0x40, so that nobody can take the slot, and
 *   the caller must hand it to free_swap_slot()
 */
export function __swap_entry_free_locked(
  k: Kernel,
  si: SwapInfoStruct,
  offset: number,
  usage: number,
): number {
  assertSlotLocked(si, offset);
  const byte = si.swap_map[offset]!;
  let pinned = byte & SWAP_HAS_CACHE;
  let count = swap_count(byte);

  if (usage === SWAP_HAS_CACHE) {
    BUG_ON(
      pinned === 0,
      () => `slot ${offset} loses a pin that it does not have`,
    );
    pinned = 0;
  } else if (count === SWAP_MAP_SHMEM) {
    count = 0;
  } else if ((count & ~COUNT_CONTINUED) <= SWAP_MAP_MAX) {
    count = oneUserLess(k, si, offset, count);
  }

  const left = count | pinned;
  si.swap_map[offset] = left === 0 ? SWAP_HAS_CACHE : left;
  return left;
}

function oneUserLess(
  k: Kernel,
  si: SwapInfoStruct,
  offset: number,
  count: number,
): number {
  BUG_ON(
    count === 0,
    () => `slot ${offset} loses a user that it does not have`,
  );
  if (count !== COUNT_CONTINUED) return count - 1;
  const more = swap_count_continued(k, si, offset, count);
  return more ? SWAP_MAP_MAX | COUNT_CONTINUED : SWAP_MAP_MAX;
}

/**
 * Carry into, or borrow from, the digits above the byte.
 *
 * The byte counts to 62; the first digit above it is worth 63, each further
 * one 128 times as much. A digit byte has COUNT_CONTINUED if there are more
 * pages above it.
 *
 * @param count SWAP_MAP_MAX (with or without COUNT_CONTINUED) to count up,
 *   COUNT_CONTINUED to count down
 * @returns counting up: there was room; counting down: something is left in
 *   the digits, so that the byte stays continued
 */
export function swap_count_continued(
  k: Kernel,
  si: SwapInfoStruct,
  offset: number,
  count: number,
): boolean {
  const pages = si.continuations.get(offset >>> PAGE_SHIFT) ?? [];
  const at = (page: Folio) => page.pfn * PAGE_SIZE + (offset % PAGE_SIZE);
  if ((count & ~COUNT_CONTINUED) === SWAP_MAP_MAX) {
    return carry(k.memory, pages.map(at), count === SWAP_MAP_MAX);
  }
  return borrow(k.memory, pages.map(at));
}

/** Add 1 to the digits at `places`; `fresh` digits hold nothing yet. */
function carry(
  memory: Uint8Array,
  places: readonly number[],
  fresh: boolean,
): boolean {
  if (places.length === 0) return false;
  if (fresh) {
    for (const place of places) memory[place] = 0;
  }
  const digitOf = (place: number) => memory[place]! & SWAP_CONT_MAX;
  const level = places.findIndex((place) => digitOf(place) < SWAP_CONT_MAX);
  if (level < 0) return false;
  for (const place of places.slice(0, level)) memory[place] = COUNT_CONTINUED;
  memory[places[level]!]! += 1;
  return true;
}

/** Take 1 from the digits at `places`; tells whether anything is left. */
function borrow(memory: Uint8Array, places: readonly number[]): boolean {
  const digitOf = (place: number) => memory[place]! & SWAP_CONT_MAX;
  const level = places.findIndex((place) => digitOf(place) > 0);
  BUG_ON(level < 0, "a continued count has nothing in its digits");
  memory[places[level]!]! -= 1;
  let more = memory[places[level]!]! !== 0;
  for (let below = level - 1; below >= 0; below--) {
    memory[places[below]!] = SWAP_CONT_MAX | (more ? COUNT_CONTINUED : 0);
    more = true;
  }
  return more;
}

/**
 * add_swap_count_continuation() - make room for one more digit.
 *
 * @returns 0, also if the slot was freed or counted down meanwhile (the caller
 *   tries again and finds out); -ENOMEM if there is no free frame
 *
 * @param spare a frame to use, from a caller who could sleep for one
 *
 * Context: does not sleep (GFP_ATOMIC). Caller holds si.lock.
 */
export function add_swap_count_continuation(
  k: Kernel,
  si: SwapInfoStruct,
  offset: number,
  spare: Folio | null = null,
): Errno {
  assertSlotLocked(si, offset);
  const count = swap_count(si.swap_map[offset]!);
  if ((count & ~COUNT_CONTINUED) !== SWAP_MAP_MAX) return 0;
  const key = offset >>> PAGE_SHIFT;
  const pages = si.continuations.get(key) ?? [];
  if (hasRoom(k.memory, pages, offset, count)) return 0;
  const page = spare ?? get_page_from_freelist(k, GFP_ATOMIC);
  if (page === null) return -ENOMEM;
  k.memory.fill(0, page.pfn * PAGE_SIZE, (page.pfn + 1) * PAGE_SIZE);
  si.continuations.set(key, [...pages, page]);
  si.flags |= SWP_CONTINUED;
  return 0;
}

/** A neighbour on the same page of the map has brought the room already. */
function hasRoom(
  memory: Uint8Array,
  pages: readonly Folio[],
  offset: number,
  count: number,
): boolean {
  if (count === SWAP_MAP_MAX) return pages.length > 0;
  return pages.some((page) => {
    const digit = memory[page.pfn * PAGE_SIZE + (offset % PAGE_SIZE)]!;
    return (digit & SWAP_CONT_MAX) < SWAP_CONT_MAX;
  });
}

/** All users of a slot, the digits included. Context: caller holds si.lock. */
export function swp_swapcount(
  k: Kernel,
  si: SwapInfoStruct,
  offset: number,
): number {
  const count = swap_count(si.swap_map[offset]!);
  if ((count & COUNT_CONTINUED) === 0 || count === SWAP_MAP_SHMEM) return count;
  let total = count & ~COUNT_CONTINUED;
  let worth = SWAP_MAP_MAX + 1;
  for (const page of si.continuations.get(offset >>> PAGE_SHIFT) ?? []) {
    const byte = k.memory[page.pfn * PAGE_SIZE + (offset % PAGE_SIZE)]!;
    total += (byte & SWAP_CONT_MAX) * worth;
    if ((byte & COUNT_CONTINUED) === 0) break;
    worth *= SWAP_CONT_MAX + 1;
  }
  return total;
}

/** swapoff: no slot is in use, the pages of digits can go. */
export function free_swap_count_continuations(
  k: Kernel,
  si: SwapInfoStruct,
): void {
  for (const page of [...si.continuations.values()].flat()) folio_put(k, page);
  si.continuations.clear();
}
