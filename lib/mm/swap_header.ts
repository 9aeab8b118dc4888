/**
 * The first page of a swap device: what mkswap writes and swapon reads.
 *
 *   byte 1024  version (1), last page, number of bad pages: 32 bits each
 *   byte 1036  uuid and volume label, 16 bytes each
 *   byte 1536  the bad pages, 32 bits each, at most 637
 *   byte 4086  "SWAPSPACE2"
 *
 * Numbers are in the byte order of the machine that made the header; a
 * version that reads as 1 only backwards says that it was another one.
 *
 * Kernel: mm/swapfile.c, include/linux/swap.h (v6.12), read_swap_header().
 */
import {
  type BlockDevice,
  REQ_OP_WRITE,
  submit_bio_wait,
} from "../block/bio.ts";
import type { Errno } from "../base/errno.ts";
import type { Task } from "../sim/task.ts";
import { PAGE_SIZE } from "./pgtable.ts";

const MAGIC = "SWAPSPACE2";
const MAGIC_AT = PAGE_SIZE - MAGIC.length;
const VERSION_AT = 1024;
const LAST_PAGE_AT = 1028;
const NR_BADPAGES_AT = 1032;
const BADPAGES_AT = 1536;

/** How many bad pages a header has room for: 637. */
export const MAX_SWAP_BADPAGES = Math.floor((MAGIC_AT - BADPAGES_AT) / 4);

/** What a header says. */
export interface SwapHeader {
  readonly last_page: number;
  readonly badpages: readonly number[];
}

/**
 * makeSwapHeader() - page 0 of a swap area. (Ours: mkswap's work.)
 *
 * @returns 4096 bytes, little-endian
 */
export function makeSwapHeader(
  { last_page, badpages }: SwapHeader,
): Uint8Array {
  const page = new Uint8Array(PAGE_SIZE);
  const view = new DataView(page.buffer);
  view.setUint32(VERSION_AT, 1, true);
  view.setUint32(LAST_PAGE_AT, last_page, true);
  view.setUint32(NR_BADPAGES_AT, badpages.length, true);
  for (const [i, bad] of badpages.slice(0, MAX_SWAP_BADPAGES).entries()) {
    view.setUint32(BADPAGES_AT + 4 * i, bad, true);
  }
  for (let i = 0; i < MAGIC.length; i++) {
    page[MAGIC_AT + i] = MAGIC.charCodeAt(i);
  }
  return page;
}

/** mkswap - make a device a swap area of all its pages. 0 or -EIO. (Ours.) */
export function* mkswap(
  bdev: BlockDevice,
  badpages: readonly number[] = [],
): Task<Errno> {
  const page = makeSwapHeader({ last_page: bdev.pages - 1, badpages });
  return yield* submit_bio_wait(bdev, { op: REQ_OP_WRITE, sector: 0, page });
}

/** The header in a page; null if it is none that this kernel can read. */
export function parseSwapHeader(page: Uint8Array): SwapHeader | null {
  for (let i = 0; i < MAGIC.length; i++) {
    if (page[MAGIC_AT + i] !== MAGIC.charCodeAt(i)) return null;
  }
  const view = new DataView(page.buffer, page.byteOffset, PAGE_SIZE);
  const little = view.getUint32(VERSION_AT, true) === 1;
  if (!little && view.getUint32(VERSION_AT, false) !== 1) return null;
  const last_page = view.getUint32(LAST_PAGE_AT, little);
  const nr_badpages = view.getUint32(NR_BADPAGES_AT, little);
  if (last_page === 0 || nr_badpages > MAX_SWAP_BADPAGES) return null;
  const badpages = Array.from(
    { length: nr_badpages },
    (_, i) => view.getUint32(BADPAGES_AT + 4 * i, little),
  );
  return { last_page, badpages };
}
