/**
 * Objects inside a zspage, in the real bytes of its frames.
 *
 * Objects lie end to end through the chain, so one may begin in a frame and
 * end in the next. Its first word holds the handle with bit 0 set while it is
 * in use, and twice the index of the next free object while it is not. Only
 * a huge object has no such word: its handle stays in the zspage.
 *
 * Kernel: mm/zsmalloc.c (v6.12). Differs: frames of a chain are an array, not
 * linked through page->index; the upper half of a word is 0.
 */
import { embedLink, INIT_LIST_HEAD } from "../base/list.ts";
import type { Folio } from "./mm_types.ts";
import { PAGE_SHIFT, PAGE_SIZE } from "./pgtable.ts";
import type { FrameSource } from "./zpool.ts";
import type { SizeClass, Zspage } from "./zsmalloc_class.ts";

export const OBJ_ALLOCATED_TAG = 1;
export const OBJ_TAG_BITS = 1;
const tagRange = 2 ** OBJ_TAG_BITS;

/** What the last free object links to. */
const noObject = 0x7fff_ffff;

/** Byte address in the machine's memory of byte `at` of a zspage. */
export function addressOf(zspage: Zspage, at: number): number {
  const frame = zspage.pages[at >> PAGE_SHIFT]!;
  return frame.pfn * PAGE_SIZE + (at & (PAGE_SIZE - 1));
}

/** True if object `index` begins in one frame and ends in the next. */
export function spansTwoPages({ size }: SizeClass, index: number): boolean {
  return ((index * size) & (PAGE_SIZE - 1)) + size > PAGE_SIZE;
}

// Sizes are multiples of 16, so a word never crosses the end of a frame.
function writeWord(words: DataView, at: number, word: number): void {
  words.setUint32(at, word, true);
  words.setUint32(at + 4, 0);
}

function readWord(words: DataView, at: number): number {
  return words.getUint32(at, true);
}

/** An empty zspage over `pages`, every object linked to the next. */
export function init_zspage(
  words: DataView,
  from: SizeClass,
  pages: readonly Folio[],
): Zspage {
  const { size, objs_per_zspage, pages_per_zspage } = from;
  const list = INIT_LIST_HEAD<Zspage>();
  const zspage = embedLink(list, {
    class: from,
    pages,
    huge: objs_per_zspage === 1 && pages_per_zspage === 1,
    hugeHandle: 0,
    inuse: 0,
    freeobj: 0,
    fullness: 0,
    list,
  });
  for (let index = 0; index < objs_per_zspage; index++) {
    const next = index + 1 < objs_per_zspage ? index + 1 : noObject;
    const link = addressOf(zspage, index * size);
    writeWord(words, link, next * tagRange);
  }
  return zspage;
}

/** Take the first free object for `handle`. @returns its index */
export function obj_malloc(
  words: DataView,
  zspage: Zspage,
  handle: number,
): number {
  const index = zspage.freeobj;
  const head = addressOf(zspage, index * zspage.class.size);
  zspage.freeobj = Math.floor(readWord(words, head) / tagRange);
  if (zspage.huge) zspage.hugeHandle = handle + OBJ_ALLOCATED_TAG;
  else writeWord(words, head, handle + OBJ_ALLOCATED_TAG);
  zspage.inuse++;
  return index;
}

/** Put object `index` in front of the free ones. */
export function obj_free(
  words: DataView,
  zspage: Zspage,
  index: number,
): void {
  const head = addressOf(zspage, index * zspage.class.size);
  if (zspage.huge) zspage.hugeHandle = 0;
  else writeWord(words, head, zspage.freeobj * tagRange);
  zspage.freeobj = index;
  zspage.inuse--;
}

/** The handle of object `index`, or 0 if it is free. */
export function obj_allocated(
  words: DataView,
  zspage: Zspage,
  index: number,
): number {
  const head = addressOf(zspage, index * zspage.class.size);
  const word = zspage.huge ? zspage.hugeHandle : readWord(words, head);
  const isAllocated = word % 2 === OBJ_ALLOCATED_TAG;
  return isAllocated ? word - OBJ_ALLOCATED_TAG : 0;
}

/** Copy a whole object, handle included; both may span two frames. */
export function zs_object_copy(
  { memory }: FrameSource,
  to: { zspage: Zspage; index: number },
  from: { zspage: Zspage; index: number },
): void {
  const { size } = from.zspage.class;
  const target = to.index * size;
  const source = from.index * size;
  let done = 0;
  while (done < size) {
    const length = Math.min(
      size - done,
      untilFrameEnd(target + done),
      untilFrameEnd(source + done),
    );
    const begin = addressOf(from.zspage, source + done);
    memory.copyWithin(
      addressOf(to.zspage, target + done),
      begin,
      begin + length,
    );
    done += length;
  }
}

function untilFrameEnd(at: number): number {
  return PAGE_SIZE - (at & (PAGE_SIZE - 1));
}
