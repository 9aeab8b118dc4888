/**
 * What all block devices have in common: requests of one page and the shape
 * of a device, of which there are four (ssd.ts, hdd.ts, brd.ts, zram.ts).
 *
 * Two ways to use one. `submit_bio()` hands a request over; its `bi_end_io` is
 * called when it is over, maybe before submit_bio() returns. With
 * `submit_bio_wait()` the caller sleeps until then. A device with
 * BLK_FEAT_SYNCHRONOUS does the whole work in the caller's own time, so that
 * waiting for it costs nothing more.
 *
 * Kernel: block/blk-core.c, block/bio.c, include/linux/bio.h, blkdev.h,
 * blk_types.h (v6.12). Differs: a bio is one page of 4096 bytes, sectors are
 * counted in pages, a status is an errno; the task's plug is an argument.
 */
import type { Errno } from "../base/errno.ts";
import { wait_event } from "../locking/wait.ts";
import type { Clock } from "../sim/clock.ts";
import { makeOp, pause, type Task } from "../sim/task.ts";
import type { BlkPlug } from "./blk_plug.ts";

export const PAGE_SIZE = 4096;

export const REQ_OP_READ = 0;
export const REQ_OP_WRITE = 1;

/** Its head has to travel: neighbours in time should be neighbours in place. */
export const BLK_FEAT_ROTATIONAL = 1 << 2;
/** A page under write must not change: the device reads it more than once. */
export const BLK_FEAT_STABLE_WRITES = 1 << 5;
/** The request is over when submit_bio() returns. */
export const BLK_FEAT_SYNCHRONOUS = 1 << 6;

/** What to move: 4096 bytes between memory and page `sector` of the device. */
export interface Transfer {
  readonly op: typeof REQ_OP_READ | typeof REQ_OP_WRITE;
  /** In pages of 4096 bytes. */
  readonly sector: number;
  /** Where the bytes are; read or filled when the request completes. */
  readonly page: Uint8Array;
}

/** One request. */
export interface Bio extends Transfer {
  /** Called once, when the request is over: 0 or -EIO. */
  readonly bi_end_io: (status: Errno) => void;
}

/** What a device has done, in pages; `errors` of any kind. */
export interface DiskStats {
  reads: number;
  writes: number;
  errors: number;
  /** Bios that became part of a neighbour's request. */
  merges: number;
}

export interface BlockDevice {
  /** "ssd", "hdd", "brd" or "zram". */
  readonly name: string;
  /** BLK_FEAT_* bits. */
  readonly features: number;
  /** Its size, in pages of 4096 bytes. */
  readonly pages: number;
  readonly clock: Clock;
  readonly stats: DiskStats;
  /** The driver's own way to take a request: see submit_bio(). */
  readonly submit_bio: (bio: Bio, plug: BlkPlug | null) => Task;
  /** Would a read of this page give what was written to it? Costs nothing. */
  readonly hasPage: (sector: number) => boolean;
  /** Frames of the machine in which it keeps its pages. */
  readonly framesUsed: () => number;
  /** The page's swap slot is free (`swap_slot_free_notify`); null: no use. */
  readonly slotFreeNotify: ((sector: number) => void) | null;
  /** The `nr` pages from `sector` on hold nothing needed; absent: no use. */
  readonly discard?: (sector: number, nr: number) => void;
}

/** blkdev_issue_discard() - tell the device what is not needed any more. */
export function* blkdev_issue_discard(
  bdev: BlockDevice,
  sector: number,
  nr: number,
): Task {
  yield* pause(makeOp("write", "blkdev_issue_discard", bdev));
  bdev.discard?.(sector, nr);
}

export function bdev_synchronous({ features }: BlockDevice): boolean {
  return (features & BLK_FEAT_SYNCHRONOUS) !== 0;
}

export function bdev_stable_writes({ features }: BlockDevice): boolean {
  return (features & BLK_FEAT_STABLE_WRITES) !== 0;
}

/** True for everything that has no head to move. */
export function bdev_nonrot({ features }: BlockDevice): boolean {
  return (features & BLK_FEAT_ROTATIONAL) === 0;
}

export function makeDiskStats(): DiskStats {
  return { reads: 0, writes: 0, errors: 0, merges: 0 };
}

/**
 * submit_bio() - hand a request to its device.
 *
 * @param plug where a device with a queue may let it wait for neighbours; the
 *   caller has to end it with blk_finish_plug()
 *
 * Context: may pause if the device is synchronous, else returns at once.
 */
export function* submit_bio(
  bdev: BlockDevice,
  bio: Bio,
  plug: BlkPlug | null = null,
): Task {
  if (bio.sector < 0 || bio.sector >= bdev.pages) {
    throw new RangeError(
      `${bdev.name}: wanted a page below ${bdev.pages}, got ${bio.sector}`,
    );
  }
  yield* bdev.submit_bio(bio, plug);
}

/**
 * submit_bio_wait() - do one request and sleep until it is over.
 *
 * @returns 0 or -EIO
 */
export function* submit_bio_wait(
  bdev: BlockDevice,
  { op, sector, page }: Transfer,
): Task<Errno> {
  let status: Errno | null = null;
  const bi_end_io = (result: Errno) => {
    status = result;
  };
  const bio = { op, sector, page, bi_end_io };
  yield* submit_bio(bdev, bio);
  if (status === null) {
    yield* wait_event(bio, "submit_bio_wait", () => status !== null);
  }
  return status!;
}
