/**
 * zram: a RAM disk that compresses.
 *
 * A write stores the page as one word if all its words are equal, raw if it
 * hardly shrinks, else compressed; a read keeps the copy. So while zswap or
 * memory has the page, zram may have it, too; a slot that is freed tells zram
 * (`slotFreeNotify`), and a slot that was never written reads as zeros.
 *
 * Kernel: drivers/block/zram/zram_drv.c (v6.12). Differs: pool, compressors
 * and backing device are given when it is made (Linux: sysfs files before
 * `disksize`); a page that its compressor refuses is stored raw, for ours may
 * refuse; no discard, reset, partial pages or algorithm parameters.
 */
import { EIO, ENOMEM, type Errno } from "../base/errno.ts";
import { spin_lock, spin_trylock, spin_unlock } from "../locking/spinlock.ts";
import { type Clock, spend } from "../sim/clock.ts";
import { makeOp, pause, type Task } from "../sim/task.ts";
import {
  type Bio,
  BLK_FEAT_STABLE_WRITES,
  BLK_FEAT_SYNCHRONOUS,
  type BlockDevice,
  makeDiskStats,
  PAGE_SIZE,
  REQ_OP_READ,
  submit_bio,
} from "./bio.ts";
import {
  makeTable,
  makeZramStats,
  page_same_filled,
  type ZcompAlg,
  type Zram,
  zram_allocated,
  zram_free_page,
  ZRAM_HUGE,
  ZRAM_IDLE,
  ZRAM_MAX_COMPS,
  ZRAM_PRIMARY_COMP,
  zram_read_from_zspool,
  ZRAM_SAME,
  zram_test_flag,
  ZRAM_WB,
  type ZramPool,
  type ZramTableEntry,
} from "./zram_table.ts";

export interface ZramOptions {
  /** In pages of 4096 bytes: what can be stored, not what it costs. */
  readonly pages: number;
  readonly pool: ZramPool;
  /** One to four; the first is the primary one. */
  readonly comps: readonly ZcompAlg[];
  readonly backing?: BlockDevice;
  /** Copying or scanning one page: 220 if not given. */
  readonly copyNanoseconds?: number;
}

export function makeZram(options: ZramOptions, clock: Clock): Zram {
  const { pages, pool, comps, backing = null, copyNanoseconds = 220 } = options;
  if (comps.length < 1 || comps.length > ZRAM_MAX_COMPS) {
    throw new RangeError(
      `zram: wanted 1 to ${ZRAM_MAX_COMPS} compressors, got ${comps.length}`,
    );
  }
  const zram: Zram = {
    name: "zram",
    features: BLK_FEAT_SYNCHRONOUS | BLK_FEAT_STABLE_WRITES,
    pages,
    clock,
    stats: makeDiskStats(),
    table: makeTable(pages),
    mem_pool: pool,
    comps,
    stream: new Uint8Array(2 * PAGE_SIZE),
    zstats: makeZramStats(),
    limit_pages: 0,
    bdev: backing,
    bitmap: new Uint8Array(backing?.pages ?? 0),
    wb_limit_enable: false,
    bd_wb_limit: 0,
    pp_in_progress: false,
    pages_compacted: 0,
    copyNanoseconds,
    submit_bio: (bio) => zram_submit_bio(zram, bio),
    hasPage: (sector) => zram_allocated(zram.table[sector]!),
    framesUsed: () => pool.total_pages(),
    slotFreeNotify: (sector) => zram_slot_free_notify(zram, sector),
  };
  return zram;
}

function zram_submit_bio(zram: Zram, bio: Bio): Task {
  return bio.op === REQ_OP_READ
    ? zram_bio_read(zram, bio)
    : zram_bio_write(zram, bio);
}

function* zram_bio_read(zram: Zram, bio: Bio): Task {
  const entry = zram.table[bio.sector]!;
  zram.stats.reads++;
  yield* spin_lock(entry.lock);
  if (zram_test_flag(entry, ZRAM_WB)) {
    spin_unlock(entry.lock);
    yield* read_from_bdev(zram, entry, bio);
    yield* zram_accessed(zram, entry);
    return;
  }
  // Whoever frees the slot meanwhile finds it locked.
  yield* pause(entry.decompress);
  const result = zram_read_from_zspool(zram, entry, bio.page);
  spin_unlock(entry.lock);
  if (result < 0) zram.zstats.failed_reads++;
  else yield* zram_accessed(zram, entry);
  bio_endio(zram, bio, result);
}

/**
 * read_from_bdev() - the backing device reads; its end is our bio's end.
 *
 * The slot is not locked any more, so the page of the device may have been
 * freed, and given to somebody else, before it is read. Linux has this race.
 */
function* read_from_bdev(zram: Zram, entry: ZramTableEntry, bio: Bio): Task {
  yield* pause(makeOp("read", "zram_get_handle", entry));
  zram.zstats.bd_reads++;
  const bi_end_io = (status: Errno) => bio_endio(zram, bio, status);
  yield* submit_bio(zram.bdev!, { ...bio, sector: entry.handle, bi_end_io });
}

function* zram_bio_write(zram: Zram, bio: Bio): Task {
  const entry = zram.table[bio.sector]!;
  zram.stats.writes++;
  const result = yield* zram_write_page(zram, entry, bio.page);
  if (result < 0) zram.zstats.failed_writes++;
  else yield* zram_accessed(zram, entry);
  bio_endio(zram, bio, result);
}

/** Every error of a driver becomes the block layer's only one. */
function bio_endio(zram: Zram, bio: Bio, result: Errno): void {
  if (result < 0) zram.stats.errors++;
  bio.bi_end_io(result < 0 ? -EIO : 0);
}

function* zram_accessed({ clock }: Zram, entry: ZramTableEntry): Task {
  yield* spin_lock(entry.lock);
  entry.flags &= ~ZRAM_IDLE;
  entry.ac_time = clock.now;
  spin_unlock(entry.lock);
}

/**
 * zram_write_page() - store a page; what stood there before goes last.
 *
 * @returns 0; or -ENOMEM (no frames, or over the limit): the old content is
 *   still there
 */
function* zram_write_page(
  zram: Zram,
  entry: ZramTableEntry,
  page: Uint8Array,
): Task<Errno> {
  const { zstats, clock, copyNanoseconds } = zram;
  spend(clock, copyNanoseconds);
  const element = page_same_filled(page);
  if (element !== null) {
    zstats.same_pages++;
    yield* spin_lock(entry.lock);
    zram_free_page(zram, entry);
    entry.flags |= ZRAM_SAME;
    entry.element = element;
    spin_unlock(entry.lock);
    zstats.pages_stored++;
    return 0;
  }

  const object = yield* storeObject(zram, page);
  if (typeof object === "number") return object;
  const huge = object.size === PAGE_SIZE;
  yield* spin_lock(entry.lock);
  zram_free_page(zram, entry);
  if (huge) {
    entry.flags |= ZRAM_HUGE;
    zstats.huge_pages++;
    zstats.huge_pages_since++;
  }
  entry.handle = object.handle;
  entry.size = object.size;
  spin_unlock(entry.lock);
  zstats.pages_stored++;
  return 0;
}

/** An object with the page in it, compressed or raw; or an errno. */
function* storeObject(
  zram: Zram,
  page: Uint8Array,
): Task<{ handle: number; size: number } | Errno> {
  const { mem_pool, zstats } = zram;
  let size = compressPage(zram, page);
  let handle = mem_pool.malloc(size);
  if (handle < 0) {
    // Reclaiming may sleep; the stream is somebody else's meanwhile.
    zstats.writestall++;
    handle = yield* mem_pool.mallocSlow(size);
    if (handle < 0) return handle;
    if (size !== PAGE_SIZE) size = compressPage(zram, page);
  }

  const used = mem_pool.total_pages();
  zstats.max_used_pages = Math.max(zstats.max_used_pages, used);
  if (zram.limit_pages > 0 && used > zram.limit_pages) {
    mem_pool.free(handle);
    return -ENOMEM;
  }
  const bytes = size === PAGE_SIZE ? page : zram.stream.subarray(0, size);
  mem_pool.map(handle, "write").set(bytes);
  mem_pool.unmap(handle);
  zstats.compr_data_size += size;
  return { handle, size };
}

/** Bytes in the stream; PAGE_SIZE if the page had better be stored raw. */
function compressPage(zram: Zram, page: Uint8Array): number {
  const alg = zram.comps[ZRAM_PRIMARY_COMP]!;
  spend(zram.clock, alg.compressNanoseconds);
  const size = alg.compress(page, zram.stream);
  const raw = size < 0 || size >= zram.mem_pool.huge_class_size();
  return raw ? PAGE_SIZE : size;
}

/**
 * zram_slot_free_notify() - the slot is free: free the page, unless somebody
 * has it locked. Then it stays, until it is overwritten or freed again.
 *
 * Context: must not sleep: called with swap locks held.
 */
function zram_slot_free_notify(zram: Zram, index: number): void {
  const entry = zram.table[index]!;
  zram.zstats.notify_free++;
  if (!spin_trylock(entry.lock)) {
    zram.zstats.miss_free++;
    return;
  }
  zram_free_page(zram, entry);
  spin_unlock(entry.lock);
}

/** Let the pool take at most so many bytes; 0: as many as it likes. */
export function mem_limit_store(zram: Zram, bytes: number): void {
  zram.limit_pages = Math.ceil(bytes / PAGE_SIZE);
}

/** mem_used_max begins anew at what is used now. */
export function mem_used_max_store(zram: Zram): void {
  zram.zstats.max_used_pages = zram.mem_pool.total_pages();
}

/** Move the objects together. @returns frames freed */
export function compact_store(zram: Zram): number {
  const freed = zram.mem_pool.compact();
  zram.pages_compacted += freed;
  return freed;
}

/** The file `mm_stat`, in its order; the first five in bytes. */
export function mmStat(zram: Zram) {
  const { zstats, mem_pool, limit_pages, pages_compacted } = zram;
  return {
    orig_data_size: zstats.pages_stored * PAGE_SIZE,
    compr_data_size: zstats.compr_data_size,
    mem_used_total: mem_pool.total_pages() * PAGE_SIZE,
    mem_limit: limit_pages * PAGE_SIZE,
    mem_used_max: zstats.max_used_pages * PAGE_SIZE,
    same_pages: zstats.same_pages,
    pages_compacted,
    huge_pages: zstats.huge_pages,
    huge_pages_since: zstats.huge_pages_since,
  };
}
