/**
 * A RAM disk: pages in memory, copied in the caller's own time.
 *
 * With BLK_FEAT_SYNCHRONOUS the fault path of Linux goes round the swap cache;
 * this is the simplest device that makes it do so. Its pages stay until they
 * are overwritten: nothing is compressed, and nobody is told of a free slot.
 *
 * Kernel: drivers/block/brd.c (v6.12). Differs: its pages are not taken from
 * the machine's frames; a page never written reads as zeros, as in Linux.
 */
import { type Clock, spend } from "../sim/clock.ts";
import { makeOp, pause } from "../sim/task.ts";
import {
  BLK_FEAT_SYNCHRONOUS,
  type BlockDevice,
  makeDiskStats,
  REQ_OP_READ,
} from "./bio.ts";

export interface BrdOptions {
  /** In pages of 4096 bytes. */
  readonly pages: number;
  /** What a copy of one page costs: 220 if not given. */
  readonly copyNanoseconds?: number;
}

export interface Brd extends BlockDevice {
  readonly brd_pages: Map<number, Uint8Array>;
}

export function makeBrd(options: BrdOptions, clock: Clock): Brd {
  const { pages, copyNanoseconds = 220 } = options;
  const stats = makeDiskStats();
  const brd_pages = new Map<number, Uint8Array>();
  const access = makeOp("write", "brd_submit_bio", brd_pages);
  return {
    name: "brd",
    features: BLK_FEAT_SYNCHRONOUS,
    pages,
    clock,
    stats,
    brd_pages,
    *submit_bio({ op, sector, page, bi_end_io }) {
      yield* pause(access);
      if (op === REQ_OP_READ) {
        stats.reads++;
        const content = brd_pages.get(sector);
        if (content === undefined) page.fill(0);
        else page.set(content);
      } else {
        stats.writes++;
        brd_pages.set(sector, page.slice());
      }
      spend(clock, copyNanoseconds);
      bi_end_io(0);
    },
    hasPage: (sector) => brd_pages.has(sector),
    framesUsed: () => 0,
    slotFreeNotify: null,
  };
}
