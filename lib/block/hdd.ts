/**
 * A hard disk: one head over turning platters. What a request costs depends on
 * where the one before it ended.
 *
 *   time = seek + wait for the page to come round + transfer
 *
 *   seek      0 on the same track; else 1 ms + 15 ms × √(share of the disk
 *             that is crossed): 9 ms on average, 16 ms from edge to edge
 *   wait      the platter turns 7,200 times a minute, with the clock: after the
 *             seek the page is somewhere, 0 to 8.33 ms (4.17 on average) away
 *   transfer  8.33 ms / 256 pages of a track = 32.6 µs a page, 126 MB/s
 *
 * So the page that follows at once is there at once (also on the next track:
 * tracks are laid out so that a stream crosses them), and one that follows a
 * little later has just gone by: it costs a whole turn. All figures are chosen
 * (a common desktop disk); the device is the whole disk.
 *
 * Requests are taken in the order of their pages, upwards, then again from the
 * bottom, so that the head sweeps instead of darting about. That is not fair
 * to a request behind the head, but none waits longer than two sweeps.
 *
 * Kernel: block/mq-deadline.c, block/elevator.c (v6.12). Differs: reads have no
 * precedence over writes and no deadline; a request of several merged pages is
 * one turn of the queue. No cache in the disk itself.
 */
import type { Clock } from "../sim/clock.ts";
import type { Rng } from "../sim/rng.ts";
import { BLK_FEAT_ROTATIONAL } from "./bio.ts";
import type { Request } from "./blk_plug.ts";
import { type Disk, type FaultOptions, makeDisk } from "./disk.ts";

export interface HddOptions extends FaultOptions {
  /** In pages of 4096 bytes. */
  readonly pages: number;
  /** One turn: 8,333,333 at 7,200 turns a minute. */
  readonly turnNanoseconds?: number;
  readonly pagesPerTrack?: number;
  /** The shortest seek, and what the longest takes more. */
  readonly nextTrackNanoseconds?: number;
  readonly fullSeekNanoseconds?: number;
}

export interface Hdd extends Disk {
  readonly options: Required<HddOptions>;
  /** The page behind the last one that was begun. */
  head: number;
}

const defaults = {
  turnNanoseconds: 8_333_333,
  pagesPerTrack: 256,
  nextTrackNanoseconds: 1_000_000,
  fullSeekNanoseconds: 15_000_000,
  slowRate: 0,
  slowNanoseconds: 0,
};

export function makeHdd(given: HddOptions, clock: Clock, rng: Rng): Hdd {
  const options = { ...defaults, ...given };
  const model = {
    name: "hdd",
    features: BLK_FEAT_ROTATIONAL,
    pages: options.pages,
    queueDepth: 1,
    pick: (waiting: readonly Request[]) => nextUpwards(waiting, hdd.head),
    serve: (request: Request, now: number) => serve(hdd, request, now),
  };
  const disk = makeDisk(model, options, clock, rng);
  const hdd: Hdd = Object.assign(disk, { options, head: 0 });
  return hdd;
}

function firstPage({ bios }: Request): number {
  return bios[0]!.sector;
}

/** The nearest request from the head on; none there: the lowest of all. */
function nextUpwards(waiting: readonly Request[], head: number): number {
  const above = waiting.filter((request) => firstPage(request) >= head);
  const from = above.length > 0 ? above : waiting;
  const lowest = Math.min(...from.map(firstPage));
  return waiting.findIndex((request) => firstPage(request) === lowest);
}

/** How long this request takes from `now` on; the head is behind it then. */
function serve(hdd: Hdd, request: Request, now: number): number {
  const { turnNanoseconds, pagesPerTrack } = hdd.options;
  const first = firstPage(request);
  const pageNanoseconds = turnNanoseconds / pagesPerTrack;
  const seek = seekNanoseconds(hdd, first);

  // The angle at which the head arrives, in pages of a track.
  const arrival = ((now + seek) / pageNanoseconds) % pagesPerTrack;
  const away = first % pagesPerTrack - arrival;
  const turn = away < -slack ? away + pagesPerTrack : Math.max(0, away);

  hdd.head = first + request.bios.length;
  const pages = turn + request.bios.length;
  return Math.round(seek + pages * pageNanoseconds);
}

/** Rounding to nanoseconds must not cost a turn: a thousandth of a page. */
const slack = 0.001;

/** From the track of the head to that of `page`. */
function seekNanoseconds({ options, head }: Hdd, page: number): number {
  const { pagesPerTrack, nextTrackNanoseconds, fullSeekNanoseconds, pages } =
    options;
  const track = (at: number) => Math.floor(at / pagesPerTrack);
  const tracks = Math.max(1, track(pages - 1));
  const distance = Math.abs(track(page) - track(head));
  if (distance === 0) return 0;
  const share = Math.sqrt(distance / tracks);
  return nextTrackNanoseconds + fullSeekNanoseconds * share;
}
