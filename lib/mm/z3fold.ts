/**
 * z3fold: up to three objects to a page, and the middle one slides.
 *
 * A page has 64 chunks of 64 bytes, two of them the header. FIRST begins
 * behind it, LAST ends at the page's end, MIDDLE lies between them, at first
 * right behind FIRST. A longer object gets a HEADLESS page of its own. A
 * handle names a slot, the slot tells the page and the place, so an object can
 * move: after each free the middle slides to join free chunks, and an object
 * left alone goes to another page with room.
 *
 * Kernel: mm/z3fold.c (v6.12). Differs: one set of unbuddied lists, not one
 * per CPU; compaction runs within the free, as Linux does for a page that no
 * CPU has listed, else in a worker; no page migration.
 */
import { EINVAL, ENOMEM, ENOSPC, type Errno } from "../base/errno.ts";
import { BUG_ON, VM_BUG_ON } from "../base/bug.ts";
import {
  INIT_LIST_HEAD,
  list_add,
  list_del,
  list_first_entry_or_null,
  type ListHead,
} from "../base/list.ts";
import type { Folio } from "./mm_types.ts";
import { PAGE_SIZE } from "./pgtable.ts";
import {
  addressOf,
  type Buddy,
  BUDDY_MASK,
  type BuddySlots,
  CHUNK_SIZE,
  chunksOf,
  get_free_buddy,
  hasFreePlace,
  HEADLESS,
  isEmpty,
  MIDDLE,
  NCHUNKS,
  num_free_chunks,
  onlyBuddy,
  setChunks,
  size_to_chunks,
  slotValue,
  z3fold_compact_page,
  type Z3foldHeader,
  ZHDR_SIZE_ALIGNED,
} from "./z3fold_page.ts";
import type { FrameSource, Zpool } from "./zpool.ts";

/** Slots lie 64 bytes apart, four words of 8 bytes in each. */
const SLOTS_ALIGN = 64;
const slotSize = 8;

/** A whole page for one object; the handle is its address with bit 0 set. */
const PAGE_HEADLESS = 1;

interface Z3foldPool {
  readonly frames: FrameSource;
  readonly unbuddied: readonly ListHead<Z3foldHeader>[];
  readonly headers: Map<number, Z3foldHeader>;
  readonly headless: Map<number, Folio>;
  readonly slots: Map<number, BuddySlots>;
  nextSlots: number;
}

export function makeZ3fold(frames: FrameSource): Zpool {
  const pool: Z3foldPool = {
    frames,
    unbuddied: Array.from(
      { length: NCHUNKS },
      () => INIT_LIST_HEAD<Z3foldHeader>(),
    ),
    headers: new Map(),
    headless: new Map(),
    slots: new Map(),
    nextSlots: 1,
  };
  return {
    type: "z3fold",
    malloc: (size, gfp) => z3fold_alloc(pool, size, gfp),
    free: (handle) => z3fold_free(pool, handle),
    map: (handle) => z3fold_map(pool, handle),
    unmap: (handle) => z3fold_unmap(pool, handle),
    total_pages: () => pool.headers.size + pool.headless.size,
  };
}

function add_to_unbuddied(pool: Z3foldPool, zhdr: Z3foldHeader): void {
  if (!hasFreePlace(zhdr)) return;
  list_add(zhdr.buddy, pool.unbuddied[num_free_chunks(zhdr)]!);
}

function encode_handle(zhdr: Z3foldHeader, buddy: Buddy): number {
  const slots = zhdr.slots!;
  const place = (buddy + zhdr.first_num) & BUDDY_MASK;
  slots.slot[place] = slotValue(zhdr, buddy);
  return slots.id * SLOTS_ALIGN + place * slotSize;
}

interface Found {
  readonly slots: BuddySlots;
  readonly place: number;
  readonly zhdr: Z3foldHeader;
  readonly buddy: Buddy;
}

/** The object of a handle that is not HEADLESS. */
function findObject(pool: Z3foldPool, handle: number): Found {
  const slots = pool.slots.get(Math.floor(handle / SLOTS_ALIGN));
  const place = (handle % SLOTS_ALIGN) / slotSize;
  const value = slots?.slot[place] ?? 0;
  VM_BUG_ON(value === 0, () => `z3fold: handle ${handle} is not in use`);
  const zhdr = pool.headers.get(Math.floor(value / PAGE_SIZE))!;
  const buddy = ((value & BUDDY_MASK) - zhdr.first_num) & BUDDY_MASK;
  return { slots: slots!, place, zhdr, buddy: buddy as Buddy };
}

function isHeadless(handle: number): boolean {
  return handle % 2 === PAGE_HEADLESS;
}

function headlessFrame(pool: Z3foldPool, handle: number): Folio {
  const frame = pool.headless.get(Math.floor(handle / PAGE_SIZE));
  VM_BUG_ON(
    frame === undefined,
    () => `z3fold: handle ${handle} is not in use`,
  );
  return frame!;
}

function alloc_slots(pool: Z3foldPool): BuddySlots {
  const slots = { id: pool.nextSlots++, slot: [0, 0, 0, 0] };
  pool.slots.set(slots.id, slots);
  return slots;
}

function init_z3fold_page(pool: Z3foldPool, frame: Folio): Z3foldHeader {
  const zhdr = {
    frame,
    slots: alloc_slots(pool),
    first_chunks: 0,
    middle_chunks: 0,
    last_chunks: 0,
    start_middle: 0,
    first_num: 0,
    mapped_count: 0,
    middleMapped: false,
    foreign_handles: 0,
  } as { -readonly [Field in keyof Z3foldHeader]: Z3foldHeader[Field] };
  zhdr.buddy = INIT_LIST_HEAD<Z3foldHeader>(zhdr);
  pool.headers.set(frame.pfn, zhdr);
  return zhdr;
}

/** The page with the least room that is enough, taken off its list. */
function __z3fold_alloc(
  pool: Z3foldPool,
  chunks: number,
): Z3foldHeader | null {
  for (let free = chunks; free < NCHUNKS; free++) {
    const zhdr = list_first_entry_or_null(pool.unbuddied[free]!);
    if (zhdr === null) continue;
    list_del(zhdr.buddy);
    zhdr.slots ??= alloc_slots(pool);
    return zhdr;
  }
  return null;
}

/**
 * z3fold_alloc() - room for an object of `size` bytes.
 *
 * @returns its handle; -EINVAL (size 0), -ENOSPC (more than a page), -ENOMEM
 */
function z3fold_alloc(
  pool: Z3foldPool,
  size: number,
  gfp: number,
): number | Errno {
  if (size <= 0) return -EINVAL;
  if (size > PAGE_SIZE) return -ENOSPC;
  if (size > PAGE_SIZE - ZHDR_SIZE_ALIGNED - CHUNK_SIZE) {
    return allocHeadless(pool, gfp);
  }
  const chunks = size_to_chunks(size);
  const zhdr = __z3fold_alloc(pool, chunks) ?? newPage(pool, gfp);
  if (zhdr === null) return -ENOMEM;

  const buddy = get_free_buddy(zhdr, chunks);
  VM_BUG_ON(buddy === HEADLESS, "z3fold_alloc: no room in an unbuddied page");
  setChunks(zhdr, buddy, chunks);
  add_to_unbuddied(pool, zhdr);
  return encode_handle(zhdr, buddy);
}

function allocHeadless(pool: Z3foldPool, gfp: number): number | Errno {
  const frame = pool.frames.alloc(gfp);
  if (frame === null) return -ENOMEM;
  pool.headless.set(frame.pfn, frame);
  return frame.pfn * PAGE_SIZE + PAGE_HEADLESS;
}

function newPage(pool: Z3foldPool, gfp: number): Z3foldHeader | null {
  const frame = pool.frames.alloc(gfp);
  return frame === null ? null : init_z3fold_page(pool, frame);
}

/** Give an object back, then tidy up the page it was in. */
function z3fold_free(pool: Z3foldPool, handle: number): void {
  if (isHeadless(handle)) {
    const frame = headlessFrame(pool, handle);
    pool.headless.delete(frame.pfn);
    pool.frames.free(frame);
    return;
  }
  const found = findObject(pool, handle);
  const { zhdr, buddy } = found;
  setChunks(zhdr, buddy, 0);
  free_handle(pool, found);
  list_del(zhdr.buddy);
  if (isEmpty(zhdr)) releasePage(pool, zhdr);
  else do_compact_page(pool, zhdr);
}

function free_handle(pool: Z3foldPool, { slots, place, zhdr }: Found): void {
  slots.slot[place] = 0;
  if (zhdr.slots !== slots) zhdr.foreign_handles--;
  if (slots.slot.some((value) => value !== 0)) return;
  if (zhdr.slots === slots) zhdr.slots = null;
  pool.slots.delete(slots.id);
}

function releasePage(pool: Z3foldPool, zhdr: Z3foldHeader): void {
  // Slots of its own that no object uses; of one that moved away they stay.
  const { slots } = zhdr;
  if (slots !== null && slots.slot.every((value) => value === 0)) {
    pool.slots.delete(slots.id);
  }
  pool.headers.delete(zhdr.frame.pfn);
  pool.frames.free(zhdr.frame);
}

/** Tidy up a page that is on no list, and list it again if it stays. */
function do_compact_page(pool: Z3foldPool, zhdr: Z3foldHeader): void {
  const single = onlyBuddy(zhdr);
  const mayLeave = zhdr.foreign_handles === 0 && zhdr.mapped_count === 0;
  if (single !== HEADLESS && mayLeave) {
    if (compact_single_buddy(pool, zhdr, single)) {
      releasePage(pool, zhdr);
      return;
    }
  }
  z3fold_compact_page(pool.frames.memory, zhdr);
  add_to_unbuddied(pool, zhdr);
}

/** Move the last object to another page with room; its slot follows. */
function compact_single_buddy(
  pool: Z3foldPool,
  zhdr: Z3foldHeader,
  buddy: Buddy,
): boolean {
  const chunks = chunksOf(zhdr, buddy);
  const target = __z3fold_alloc(pool, chunks);
  if (target === null) return false;

  const place = (buddy + zhdr.first_num) & BUDDY_MASK;
  const to = get_free_buddy(target, chunks);
  setChunks(target, to, chunks);
  const from = addressOf(zhdr, buddy);
  pool.frames.memory.copyWithin(
    addressOf(target, to),
    from,
    from + chunks * CHUNK_SIZE,
  );
  zhdr.slots!.slot[place] = slotValue(target, to);
  target.foreign_handles++;
  add_to_unbuddied(pool, target);
  return true;
}

/** The object's bytes in place; it stays there until z3fold_unmap(). */
function z3fold_map(pool: Z3foldPool, handle: number): Uint8Array {
  const { memory } = pool.frames;
  if (isHeadless(handle)) {
    const begin = headlessFrame(pool, handle).pfn * PAGE_SIZE;
    return memory.subarray(begin, begin + PAGE_SIZE);
  }
  const { zhdr, buddy } = findObject(pool, handle);
  zhdr.mapped_count++;
  if (buddy === MIDDLE) zhdr.middleMapped = true;
  const begin = addressOf(zhdr, buddy);
  return memory.subarray(begin, begin + chunksOf(zhdr, buddy) * CHUNK_SIZE);
}

function z3fold_unmap(pool: Z3foldPool, handle: number): void {
  if (isHeadless(handle)) return;
  const { zhdr, buddy } = findObject(pool, handle);
  BUG_ON(
    zhdr.mapped_count === 0,
    () => `z3fold_unmap: ${handle} is not mapped`,
  );
  zhdr.mapped_count--;
  if (buddy === MIDDLE) zhdr.middleMapped = false;
}
