/**
 * What zram keeps about each page, and the two things that all its parts do:
 * free a page, and bring its bytes back.
 *
 * A page stands in one of four ways: not at all (reads as zeros), as one word
 * (every word of the page is the same), as an object in the pool (compressed,
 * or raw if it hardly shrank), or on the backing device. A slot's lock guards
 * its entry; it is held while the page is decompressed.
 *
 * Kernel: drivers/block/zram/zram_drv.c, zram_drv.h (v6.12). Differs: size and
 * priority have fields of their own beside the flags; the fill value has one
 * beside the handle; one compression stream, since none is ever interrupted.
 */
import { BUG_ON } from "../base/bug.ts";
import type { Errno } from "../base/errno.ts";
import { spin_lock_init, type Spinlock } from "../locking/spinlock.ts";
import { spend } from "../sim/clock.ts";
import { makeOp, type Op, type Task } from "../sim/task.ts";
import { type BlockDevice, PAGE_SIZE } from "./bio.ts";

/** All words are equal; `element` is that word. */
export const ZRAM_SAME = 1 << 0;
/** On the backing device, in page `handle` of it. */
export const ZRAM_WB = 1 << 1;
/** On its way there. */
export const ZRAM_UNDER_WB = 1 << 2;
/** Stored raw. */
export const ZRAM_HUGE = 1 << 3;
/** Not used since the last marking. */
export const ZRAM_IDLE = 1 << 4;
/** No compressor makes it smaller. */
export const ZRAM_INCOMPRESSIBLE = 1 << 5;

export const ZRAM_PRIMARY_COMP = 0;
export const ZRAM_SECONDARY_COMP = 1;
export const ZRAM_MAX_COMPS = 4;

/** A compressor, as lib/crypto makes them. */
export interface ZcompAlg {
  readonly name: string;
  readonly compressNanoseconds: number;
  readonly decompressNanoseconds: number;
  compress(src: Uint8Array, dst: Uint8Array): number;
  decompress(src: Uint8Array, dst: Uint8Array): number;
}

/** The allocator: zsmalloc, in the machine's frames. */
export interface ZramPool {
  /** @returns a handle or -ENOMEM; takes no frame that needs reclaim */
  malloc(size: number): number | Errno;
  /** The same, but reclaims if it must (GFP_NOIO). */
  mallocSlow(size: number): Task<number | Errno>;
  free(handle: number): void;
  /** The object's bytes, to be read or to be written; until unmap(). */
  map(handle: number, how: "read" | "write"): Uint8Array;
  unmap(handle: number): void;
  /** Frames in use. */
  total_pages(): number;
  /** Lengths from here on cost a whole frame. */
  huge_class_size(): number;
  /** Objects of one class cost the same; a higher class costs more. */
  lookup_class_index(size: number): number;
  /** Move objects together. @returns frames freed */
  compact(): number;
}

export interface ZramTableEntry {
  /** Of the object, or a page of the backing device; 0: none. */
  handle: number;
  /** Bytes of the object; 4096: raw. */
  size: number;
  /** ZRAM_* bits. */
  flags: number;
  /** Which of `comps` made it. */
  priority: number;
  /** The word that fills the page, if ZRAM_SAME. */
  element: bigint;
  /** When it was last read or written, in nanoseconds. */
  ac_time: number;
  readonly lock: Spinlock;
  /** The pause while its page is decompressed. */
  readonly decompress: Op;
}

/** Counted in pages, but for compr_data_size (bytes) and events. */
export interface ZramStats {
  compr_data_size: number;
  failed_reads: number;
  failed_writes: number;
  notify_free: number;
  same_pages: number;
  huge_pages: number;
  huge_pages_since: number;
  pages_stored: number;
  max_used_pages: number;
  writestall: number;
  miss_free: number;
  bd_count: number;
  bd_reads: number;
  bd_writes: number;
}

export interface Zram extends BlockDevice {
  readonly table: readonly ZramTableEntry[];
  readonly mem_pool: ZramPool;
  /** The first compresses what is written, the others recompress. */
  readonly comps: readonly ZcompAlg[];
  /** Room for what a compressor gives, even if it is more than a page. */
  readonly stream: Uint8Array;
  readonly zstats: ZramStats;
  /** Frames that the pool may take; 0: no limit. */
  limit_pages: number;
  /** The backing device, its pages that are taken, and how many may be. */
  readonly bdev: BlockDevice | null;
  readonly bitmap: Uint8Array;
  wb_limit_enable: boolean;
  bd_wb_limit: number;
  /** Recompression or writeback is running: one at a time. */
  pp_in_progress: boolean;
  /** Frames that compaction has freed. */
  pages_compacted: number;
  readonly copyNanoseconds: number;
}

export function makeTable(pages: number): ZramTableEntry[] {
  return Array.from({ length: pages }, (_, index) => {
    const lock = spin_lock_init(`zram slot ${index}`);
    return {
      handle: 0,
      size: 0,
      flags: 0,
      priority: 0,
      element: 0n,
      ac_time: 0,
      lock,
      decompress: makeOp("read", "zcomp_decompress", lock),
    };
  });
}

export function makeZramStats(): ZramStats {
  return {
    compr_data_size: 0,
    failed_reads: 0,
    failed_writes: 0,
    notify_free: 0,
    same_pages: 0,
    huge_pages: 0,
    huge_pages_since: 0,
    pages_stored: 0,
    max_used_pages: 0,
    writestall: 0,
    miss_free: 0,
    bd_count: 0,
    bd_reads: 0,
    bd_writes: 0,
  };
}

export function zram_test_flag(entry: ZramTableEntry, flags: number): boolean {
  return (entry.flags & flags) !== 0;
}

export function zram_allocated(entry: ZramTableEntry): boolean {
  return entry.size > 0 || zram_test_flag(entry, ZRAM_SAME | ZRAM_WB);
}

/**
 * zram_free_page() - the entry holds nothing any more.
 *
 * ZRAM_UNDER_WB stays: whoever set it finds out that the page has gone.
 * Context: slot lock held.
 */
export function zram_free_page(zram: Zram, entry: ZramTableEntry): void {
  const { zstats } = zram;
  const { flags, handle, size } = entry;
  if (flags & ZRAM_HUGE) zstats.huge_pages--;
  const stood = zram_allocated(entry);
  if (flags & ZRAM_WB) free_block_bdev(zram, handle);
  else if (flags & ZRAM_SAME) zstats.same_pages--;
  else if (stood) {
    zram.mem_pool.free(handle);
    zstats.compr_data_size -= size;
  }
  if (stood) zstats.pages_stored--;

  entry.flags = flags & ZRAM_UNDER_WB;
  entry.handle =
    entry.size =
    entry.priority =
    entry.ac_time =
      0;
  entry.element = 0n;
}

/** A page of the backing device; 0, which is never given out: none left. */
export function alloc_block_bdev(zram: Zram): number {
  const block = zram.bitmap.indexOf(0, 1);
  if (block < 0) return 0;
  zram.bitmap[block] = 1;
  zram.zstats.bd_count++;
  return block;
}

export function free_block_bdev(zram: Zram, block: number): void {
  BUG_ON(zram.bitmap[block] !== 1, () => `zram: backing page ${block} is free`);
  zram.bitmap[block] = 0;
  zram.zstats.bd_count--;
}

/**
 * zram_read_from_zspool() - the bytes of a page that is not on the backing
 * device. What was never written, or was freed, reads as zeros.
 *
 * @returns 0, or -EINVAL if the object does not decompress
 *
 * Context: slot lock held.
 */
export function zram_read_from_zspool(
  zram: Zram,
  entry: ZramTableEntry,
  page: Uint8Array,
): Errno {
  const { mem_pool, comps, clock, copyNanoseconds } = zram;
  if (entry.handle === 0) {
    zram_fill_page(page, entry.element);
    spend(clock, copyNanoseconds);
    return 0;
  }
  const bytes = mem_pool.map(entry.handle, "read").subarray(0, entry.size);
  let result: Errno = 0;
  if (entry.size === PAGE_SIZE) {
    page.set(bytes);
    spend(clock, copyNanoseconds);
  } else {
    const alg = comps[entry.priority]!;
    result = Math.min(0, alg.decompress(bytes, page));
    spend(clock, alg.decompressNanoseconds);
  }
  mem_pool.unmap(entry.handle);
  return result;
}

/** Every word of the page becomes `element`. */
export function zram_fill_page(page: Uint8Array, element: bigint): void {
  const view = new DataView(page.buffer, page.byteOffset, page.length);
  view.setBigUint64(0, element, true);
  for (let done = 8; done < page.length; done *= 2) {
    page.copyWithin(done, 0, Math.min(done, page.length - done));
  }
}

/**
 * The word that fills the page, or null if its words differ.
 *
 * Eight words a turn: less than two copies of the page (measured). asUintN()
 * tells the compiler that 64 bits will do; no BigInt is made but the result.
 */
export function page_same_filled(page: Uint8Array): bigint | null {
  // A frame is aligned; a page that is not has to be moved first.
  const { buffer, byteOffset } = byteOffsetIsAligned(page)
    ? page
    : page.slice();
  const words = new BigUint64Array(buffer, byteOffset, PAGE_SIZE / 8);
  const word = words[0]!;
  // The last word is the best witness that they differ.
  if (words[words.length - 1] !== word) return null;
  for (let i = 0; i < PAGE_SIZE / 8; i += 8) {
    const differ = (words[i]! ^ word) | (words[i + 1]! ^ word) |
      (words[i + 2]! ^ word) | (words[i + 3]! ^ word) |
      (words[i + 4]! ^ word) | (words[i + 5]! ^ word) |
      (words[i + 6]! ^ word) | (words[i + 7]! ^ word);
    if (BigInt.asUintN(64, differ) !== 0n) return null;
  }
  return word;
}

function byteOffsetIsAligned({ byteOffset }: Uint8Array): boolean {
  return (byteOffset & 7) === 0;
}
