/**
 * A page of z3fold: where its three objects are and how they may move.
 *
 * Places and sizes count in chunks of 64 bytes from the page's begin; the
 * header takes the first two.
 *
 * Kernel: mm/z3fold.c (v6.12). Differs: the header's fields are a JavaScript
 * object; its chunks in the page stay empty.
 */
import type { ListHead } from "../base/list.ts";
import type { Folio } from "./mm_types.ts";
import { PAGE_SIZE } from "./pgtable.ts";

export const CHUNK_SIZE = PAGE_SIZE / 64;
/** 88 bytes on x86-64, rounded up to whole chunks. */
export const ZHDR_SIZE_ALIGNED = 128;
const ZHDR_CHUNKS = ZHDR_SIZE_ALIGNED / CHUNK_SIZE;
const TOTAL_CHUNKS = PAGE_SIZE / CHUNK_SIZE;
/** Chunks for objects. */
export const NCHUNKS = TOTAL_CHUNKS - ZHDR_CHUNKS;
/** The middle slides only if that joins so many chunks. */
const BIG_CHUNK_GAP = 3;

export const BUDDY_MASK = 3;
export const BUDDY_SHIFT = 2;

/** The places; HEADLESS: not in a page with others. */
export const HEADLESS = 0;
export const FIRST = 1;
export const MIDDLE = 2;
export const LAST = 3;
export type Buddy = 0 | 1 | 2 | 3;

export interface BuddySlots {
  readonly id: number;
  /** Page address + place (+ chunks << 2 for LAST); 0 if free. */
  readonly slot: number[];
}

export interface Z3foldHeader {
  readonly frame: Folio;
  /** In `unbuddied[free chunks]`, or alone when all three places are taken. */
  readonly buddy: ListHead<Z3foldHeader>;
  /** Slots of the objects that were allocated here; null if there are none. */
  slots: BuddySlots | null;
  /** Chunks of each object; 0 if the place is empty. */
  first_chunks: number;
  middle_chunks: number;
  last_chunks: number;
  start_middle: number;
  /** Added to the place of an object; keeps handles true when it slides. */
  first_num: number;
  mapped_count: number;
  middleMapped: boolean;
  /** Objects that moved here and keep the slot of their old page. */
  foreign_handles: number;
}

export function size_to_chunks(size: number): number {
  return Math.ceil(size / CHUNK_SIZE);
}

/** The largest object that fits; with a middle, on one side of it. */
export function num_free_chunks(zhdr: Z3foldHeader): number {
  const { first_chunks, middle_chunks, last_chunks, start_middle } = zhdr;
  if (middle_chunks === 0) return NCHUNKS - first_chunks - last_chunks;
  const before = first_chunks === 0 ? start_middle - ZHDR_CHUNKS : 0;
  const after = TOTAL_CHUNKS - (start_middle + middle_chunks);
  return Math.max(before, last_chunks === 0 ? after : 0);
}

export function hasFreePlace(zhdr: Z3foldHeader): boolean {
  return zhdr.first_chunks === 0 || zhdr.middle_chunks === 0 ||
    zhdr.last_chunks === 0;
}

/** Where an object of `chunks` goes in a page that has the room. */
export function get_free_buddy(zhdr: Z3foldHeader, chunks: number): Buddy {
  if (zhdr.middle_chunks === 0) {
    if (zhdr.first_chunks === 0) return FIRST;
    return zhdr.last_chunks === 0 ? LAST : MIDDLE;
  }
  const before = zhdr.start_middle - ZHDR_CHUNKS;
  if (zhdr.first_chunks === 0 && chunks <= before) return FIRST;
  return zhdr.last_chunks === 0 ? LAST : HEADLESS;
}

export function chunksOf(zhdr: Z3foldHeader, buddy: Buddy): number {
  if (buddy === FIRST) return zhdr.first_chunks;
  return buddy === MIDDLE ? zhdr.middle_chunks : zhdr.last_chunks;
}

/** Give the place `buddy` so many chunks, or empty it with 0. */
export function setChunks(
  zhdr: Z3foldHeader,
  buddy: Buddy,
  chunks: number,
): void {
  if (buddy === FIRST) zhdr.first_chunks = chunks;
  if (buddy === LAST) zhdr.last_chunks = chunks;
  if (buddy !== MIDDLE) return;
  zhdr.middle_chunks = chunks;
  zhdr.start_middle = chunks === 0 ? 0 : zhdr.first_chunks + ZHDR_CHUNKS;
}

/** Byte address of the object in the place `buddy`. */
export function addressOf(zhdr: Z3foldHeader, buddy: Buddy): number {
  const page = zhdr.frame.pfn * PAGE_SIZE;
  if (buddy === FIRST) return page + ZHDR_SIZE_ALIGNED;
  if (buddy === MIDDLE) return page + zhdr.start_middle * CHUNK_SIZE;
  return page + PAGE_SIZE - zhdr.last_chunks * CHUNK_SIZE;
}

/** What the slot of an object holds. */
export function slotValue(zhdr: Z3foldHeader, buddy: Buddy): number {
  const place = (buddy + zhdr.first_num) & BUDDY_MASK;
  const chunks = buddy === LAST ? zhdr.last_chunks << BUDDY_SHIFT : 0;
  return zhdr.frame.pfn * PAGE_SIZE + place + chunks;
}

export function isEmpty(zhdr: Z3foldHeader): boolean {
  return zhdr.first_chunks + zhdr.middle_chunks + zhdr.last_chunks === 0;
}

/** The only object of the page, or HEADLESS if there are more. */
export function onlyBuddy(zhdr: Z3foldHeader): Buddy {
  const taken = ([FIRST, MIDDLE, LAST] as const).filter((buddy) =>
    chunksOf(zhdr, buddy) !== 0
  );
  return taken.length === 1 ? taken[0]! : HEADLESS;
}

/** Slide the middle to where it leaves one gap instead of two. */
export function z3fold_compact_page(
  memory: Uint8Array,
  zhdr: Z3foldHeader,
): void {
  const { first_chunks, middle_chunks, last_chunks, start_middle } = zhdr;
  if (zhdr.middleMapped || middle_chunks === 0) return;
  if (first_chunks === 0 && last_chunks === 0) {
    slideMiddle(memory, zhdr, ZHDR_CHUNKS);
    zhdr.first_chunks = middle_chunks;
    zhdr.middle_chunks = 0;
    zhdr.start_middle = 0;
    // Its slot says MIDDLE; one more here makes that FIRST. Two bits wide.
    zhdr.first_num = (zhdr.first_num + 1) & BUDDY_MASK;
    return;
  }
  const behindFirst = ZHDR_CHUNKS + first_chunks;
  const beforeLast = TOTAL_CHUNKS - last_chunks - middle_chunks;
  if (last_chunks === 0 && start_middle - behindFirst >= BIG_CHUNK_GAP) {
    slideMiddle(memory, zhdr, behindFirst);
  } else if (
    first_chunks === 0 && beforeLast - start_middle >= BIG_CHUNK_GAP
  ) {
    slideMiddle(memory, zhdr, beforeLast);
  }
}

function slideMiddle(
  memory: Uint8Array,
  zhdr: Z3foldHeader,
  chunk: number,
): void {
  const from = addressOf(zhdr, MIDDLE);
  zhdr.start_middle = chunk;
  memory.copyWithin(
    addressOf(zhdr, MIDDLE),
    from,
    from + zhdr.middle_chunks * CHUNK_SIZE,
  );
}
