/** Requests as one-liners, for the tests of the devices. */
import type { Errno } from "swaplab/base/errno.ts";
import { type BlockDevice, submit_bio } from "swaplab/block/bio.ts";
import type { BlkPlug } from "swaplab/block/blk_plug.ts";
import { idleUntilNextEvent } from "swaplab/sim/clock.ts";
import { run } from "swaplab/sim/task.ts";

export const noFaults = { readErrorRate: 0, writeErrorRate: 0 };

/** [nanoseconds when it ended, how]. */
export type End = [number, Errno];

/** Submit one request; its end is added to `ends` when it comes. */
export function submit(
  bdev: BlockDevice,
  op: 0 | 1,
  sector: number,
  more: { page?: Uint8Array; plug?: BlkPlug; ends?: End[] } = {},
): void {
  const page = more.page ?? new Uint8Array(4096);
  const bi_end_io = (status: Errno) => {
    more.ends?.push([bdev.clock.now, status]);
  };
  const bio = { op, sector, page, bi_end_io };
  run(submit_bio(bdev, bio, more.plug ?? null));
}

/** Let the device finish everything. */
export function finish(bdev: BlockDevice): void {
  while (idleUntilNextEvent(bdev.clock));
}

/** Submit these at once; when each ended, and how, in the order of ending. */
export function endsOf(bdev: BlockDevice, bios: [0 | 1, number][]): End[] {
  const ends: End[] = [];
  for (const [op, sector] of bios) submit(bdev, op, sector, { ends });
  finish(bdev);
  return ends;
}

/** A page of this byte. */
export function pageOf(byte: number): Uint8Array {
  return new Uint8Array(4096).fill(byte);
}

/** What the device gives for `sector` now. */
export function readBack(bdev: BlockDevice, sector: number): Uint8Array {
  const page = new Uint8Array(4096).fill(0x77);
  submit(bdev, 0, sector, { page });
  finish(bdev);
  return page;
}
