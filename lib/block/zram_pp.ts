/**
 * What zram does later with pages that it has: mark them idle, try better
 * compressors on them, move them to the backing device.
 *
 * Somebody has to ask for each (Linux: by writing into a file of sysfs, hence
 * the names). Both of the long ones go through the whole table, take one slot
 * lock at a time, and exclude each other.
 *
 * Kernel: drivers/block/zram/zram_drv.c (v6.12). Differs: split off from
 * zram.ts; arguments are values, not text; the page in between is a buffer,
 * not a frame, so it cannot fail.
 */
import { EAGAIN, EINVAL, EIO, ENODEV, ENOSPC } from "../base/errno.ts";
import type { Errno } from "../base/errno.ts";
import { spin_lock, spin_unlock } from "../locking/spinlock.ts";
import { spend } from "../sim/clock.ts";
import { makeOp, pause, type Task } from "../sim/task.ts";
import { PAGE_SIZE, REQ_OP_WRITE, submit_bio_wait } from "./bio.ts";
import {
  alloc_block_bdev,
  free_block_bdev,
  type Zram,
  zram_allocated,
  zram_free_page,
  ZRAM_HUGE,
  ZRAM_IDLE,
  ZRAM_INCOMPRESSIBLE,
  ZRAM_MAX_COMPS,
  zram_read_from_zspool,
  ZRAM_SAME,
  ZRAM_SECONDARY_COMP,
  zram_test_flag,
  ZRAM_UNDER_WB,
  ZRAM_WB,
  type ZramTableEntry,
} from "./zram_table.ts";

/** Nothing more is done to such pages. */
const settled = ZRAM_WB | ZRAM_UNDER_WB | ZRAM_SAME;

/**
 * idle_store() - mark pages that nobody has used for a time.
 *
 * @param which "all", or the seconds since the last use
 */
export function* idle_store(zram: Zram, which: "all" | number): Task {
  const { now } = zram.clock;
  const age = which === "all" ? 0 : which * 1e9;
  for (const entry of zram.table) {
    yield* spin_lock(entry.lock);
    if (zram_allocated(entry) && !zram_test_flag(entry, settled)) {
      const idle = which === "all" || entry.ac_time < now - age;
      if (idle) entry.flags |= ZRAM_IDLE;
      else entry.flags &= ~ZRAM_IDLE;
    }
    spin_unlock(entry.lock);
  }
}

export interface RecompressOptions {
  /** Which pages; all that have an object, if not given. */
  readonly type?: "idle" | "huge" | "huge_idle";
  /** Try so many pages and stop. */
  readonly max_pages?: number;
  /** Leave objects of fewer bytes; keep no result of more. */
  readonly threshold?: number;
  /** Use this compressor only: by name or by its place in the list, 1 … 3. */
  readonly algo?: string;
  readonly priority?: number;
}

/** One run over the table. */
interface Recompression {
  readonly buffer: Uint8Array;
  readonly threshold: number;
  /** Compressors from … up to but not including. */
  readonly prio: number;
  readonly prio_max: number;
  pagesLeft: number;
}

/**
 * recompress_store() - put pages into smaller objects, if another compressor
 * can make them. "Smaller" means a cheaper class of the pool.
 *
 * @returns 0; -EAGAIN if something of the kind is running; -EINVAL for an
 *   unknown compressor or a threshold of raw pages; -ENOMEM
 */
export function* recompress_store(
  zram: Zram,
  options: RecompressOptions = {},
): Task<Errno> {
  const { type, threshold = 0, max_pages = Infinity } = options;
  if (threshold >= zram.mem_pool.huge_class_size()) return -EINVAL;
  if (zram.pp_in_progress) return -EAGAIN;
  const range = whichComps(zram, options);
  if (range === null) return -EINVAL;

  zram.pp_in_progress = true;
  const buffer = new Uint8Array(PAGE_SIZE);
  const work = { buffer, threshold, ...range, pagesLeft: max_pages };
  const resched = makeOp("resched", "cond_resched", zram);
  let result: Errno = 0;
  for (const entry of zram.table) {
    if (work.pagesLeft === 0 || result !== 0) break;
    yield* spin_lock(entry.lock);
    if (isWanted(entry, type, settled | ZRAM_INCOMPRESSIBLE)) {
      result = zram_recompress(zram, entry, work);
    }
    spin_unlock(entry.lock);
    yield* pause(resched);
  }
  zram.pp_in_progress = false;
  return result;
}

function whichComps(
  { comps }: Zram,
  { algo, priority }: RecompressOptions,
): { prio: number; prio_max: number } | null {
  let prio = ZRAM_SECONDARY_COMP;
  let prio_max = ZRAM_MAX_COMPS;
  if (priority !== undefined) {
    prio = Math.max(priority, ZRAM_SECONDARY_COMP);
    prio_max = Math.min(prio + 1, ZRAM_MAX_COMPS);
  }
  if (algo === undefined) return { prio, prio_max };
  const found = comps.findIndex((each, i) => i >= prio && each.name === algo);
  return found < 0 ? null : { prio: found, prio_max: found + 1 };
}

/** Does the slot hold a page of this type, and none of the flags `without`? */
function isWanted(
  entry: ZramTableEntry,
  type: string | undefined,
  without: number,
): boolean {
  if (!zram_allocated(entry) || zram_test_flag(entry, without)) return false;
  const needed = (type?.includes("idle") ? ZRAM_IDLE : 0) |
    (type?.includes("huge") ? ZRAM_HUGE : 0);
  return (entry.flags & needed) === needed;
}

/** One page. @returns 0 also if nothing was gained; -ENOMEM, -EINVAL */
function zram_recompress(
  zram: Zram,
  entry: ZramTableEntry,
  work: Recompression,
): Errno {
  const { mem_pool, zstats, comps, stream } = zram;
  const { buffer, threshold } = work;
  if (entry.size < threshold) return 0;
  const error = zram_read_from_zspool(zram, entry, buffer);
  if (error < 0) return error;
  entry.flags &= ~ZRAM_IDLE;

  // The compressors in their order, until one gains something.
  const oldClass = mem_pool.lookup_class_index(entry.size);
  let tried = 0;
  let size = PAGE_SIZE;
  let prio = Math.max(work.prio, entry.priority + 1);
  for (; prio < Math.min(work.prio_max, comps.length); prio++) {
    tried++;
    size = recompressedSize(zram, prio, buffer);
    const cheaper = mem_pool.lookup_class_index(size) < oldClass;
    if (cheaper && (threshold === 0 || size < threshold)) break;
  }
  if (tried === 0) return 0;
  work.pagesLeft--;
  if (mem_pool.lookup_class_index(size) >= oldClass) {
    // All the others failed? Do not try this page again.
    if (tried === comps.length - 1) entry.flags |= ZRAM_INCOMPRESSIBLE;
    return 0;
  }
  if (threshold > 0 && size >= threshold) return 0;

  // The old object goes only when the new one is there.
  const handle = mem_pool.malloc(size);
  if (handle < 0) return handle;
  mem_pool.map(handle, "write").set(stream.subarray(0, size));
  mem_pool.unmap(handle);
  zram_free_page(zram, entry);
  entry.handle = handle;
  entry.size = size;
  entry.priority = prio;
  zstats.compr_data_size += size;
  zstats.pages_stored++;
  return 0;
}

/** Bytes in the stream; a page or more: no gain. */
function recompressedSize(zram: Zram, prio: number, page: Uint8Array): number {
  const alg = zram.comps[prio]!;
  spend(zram.clock, alg.compressNanoseconds);
  const size = alg.compress(page, zram.stream);
  return size < 0 ? PAGE_SIZE : Math.min(size, PAGE_SIZE);
}

/** Which pages go to the backing device: a kind, or one by its number. */
export type WritebackMode =
  | "idle"
  | "huge"
  | "huge_idle"
  | "incompressible"
  | number;

/**
 * writeback_store() - move pages to the backing device, one by one.
 *
 * A page that was used or freed while it was on its way stays as it is then.
 *
 * @returns 0; -ENODEV without a device; -EAGAIN if something of the kind is
 *   running; -EINVAL for a page that does not exist; -ENOSPC if the device is
 *   full; -EIO if a write failed (the others were tried) or the limit is used
 */
export function* writeback_store(
  zram: Zram,
  mode: WritebackMode,
): Task<Errno> {
  const one = typeof mode === "number";
  if (one && zram.table[mode] === undefined) return -EINVAL;
  if (zram.pp_in_progress) return -EAGAIN;
  if (zram.bdev === null) return -ENODEV;

  zram.pp_in_progress = true;
  const page = new Uint8Array(PAGE_SIZE);
  const type = one ? undefined : mode;
  let block = 0;
  let result: Errno = 0;
  for (const entry of one ? [zram.table[mode]!] : zram.table) {
    if (zram.wb_limit_enable && zram.bd_wb_limit === 0) {
      result = -EIO;
      break;
    }
    block ||= alloc_block_bdev(zram);
    if (block === 0) {
      result = -ENOSPC;
      break;
    }
    if (!(yield* beginWriteback(zram, entry, type, page))) continue;
    const bio = { op: REQ_OP_WRITE, sector: block, page } as const;
    const error = yield* submit_bio_wait(zram.bdev, bio);
    if (error !== 0) result = error;
    else zram.zstats.bd_writes++;
    if (yield* endWriteback(zram, entry, error === 0 ? block : 0)) block = 0;
  }
  if (block !== 0) free_block_bdev(zram, block);
  zram.pp_in_progress = false;
  return result;
}

/** Mark the slot and read its page, if it is wanted. @returns whether it is */
function* beginWriteback(
  zram: Zram,
  entry: ZramTableEntry,
  type: string | undefined,
  page: Uint8Array,
): Task<boolean> {
  yield* spin_lock(entry.lock);
  const poor = type !== "incompressible" ||
    zram_test_flag(entry, ZRAM_INCOMPRESSIBLE);
  const kind = type === "incompressible" ? undefined : type;
  const wanted = poor && isWanted(entry, kind, settled) &&
    zram_read_from_zspool(zram, entry, page) === 0;
  // IDLE: who uses the page, or frees it, clears this, and we see it.
  if (wanted) entry.flags |= ZRAM_UNDER_WB | ZRAM_IDLE;
  spin_unlock(entry.lock);
  return wanted;
}

/** @param block where the page is now; 0: nowhere. @returns did it move? */
function* endWriteback(
  zram: Zram,
  entry: ZramTableEntry,
  block: number,
): Task<boolean> {
  yield* spin_lock(entry.lock);
  const same = zram_allocated(entry) && zram_test_flag(entry, ZRAM_IDLE);
  const moved = block !== 0 && same;
  if (moved) {
    zram_free_page(zram, entry);
    entry.flags = ZRAM_WB;
    entry.handle = block;
    zram.zstats.pages_stored++;
    if (zram.wb_limit_enable && zram.bd_wb_limit > 0) zram.bd_wb_limit--;
  } else {
    entry.flags &= ~(ZRAM_UNDER_WB | ZRAM_IDLE);
  }
  spin_unlock(entry.lock);
  return moved;
}
