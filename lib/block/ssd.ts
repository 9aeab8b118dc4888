/**
 * A solid-state disk: no place is nearer than another, and several requests
 * are under way at once.
 *
 * The model: a request of one page takes the time of its kind, each further
 * page that was merged into it only its transfer. Up to `queueDepth` requests
 * run side by side; the others wait in order.
 *
 * Kernel: none; Linux sees a queue without BLK_FEAT_ROTATIONAL (v6.12).
 */
import type { Clock } from "../sim/clock.ts";
import type { Rng } from "../sim/rng.ts";
import { REQ_OP_READ } from "./bio.ts";
import type { Request } from "./blk_plug.ts";
import { type Disk, type FaultOptions, makeDisk } from "./disk.ts";

export interface SsdOptions extends FaultOptions {
  /** In pages of 4096 bytes. */
  readonly pages: number;
  readonly readNanoseconds: number;
  readonly writeNanoseconds: number;
  readonly queueDepth: number;
}

export interface Ssd extends Disk {
  readonly options: SsdOptions;
}

/** A further page of one request: 4 KiB at 2 GB/s. A chosen figure. */
export const ssdTransferNanoseconds = 2_000;

export function makeSsd(options: SsdOptions, clock: Clock, rng: Rng): Ssd {
  const { pages, queueDepth, readNanoseconds, writeNanoseconds } = options;
  const model = {
    name: "ssd",
    features: 0,
    pages,
    queueDepth,
    pick: () => 0,
    serve: ({ op, bios }: Request) => {
      const first = op === REQ_OP_READ ? readNanoseconds : writeNanoseconds;
      return first + (bios.length - 1) * ssdTransferNanoseconds;
    },
  };
  const disk = makeDisk(model, options, clock, rng);
  const discard = (sector: number, nr: number) => {
    for (let page = 0; page < nr; page++) disk.sectors.delete(sector + page);
  };
  return Object.assign(disk, { options, discard });
}
