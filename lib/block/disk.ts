/**
 * What SSD and hard disk share: a queue of requests, the pages themselves, and
 * faults. ssd.ts and hdd.ts add how long a request takes, and which is next.
 *
 * Kernel: block/blk-mq.c, block/mq-deadline.c (v6.12). Differs: contents are
 * kept sparsely; a page that was never written reads as the byte 0xdb, like
 * garbage on a used disk. Which request is next is the device's own choice.
 */
import { EIO, type Errno } from "../base/errno.ts";
import { at, type Clock } from "../sim/clock.ts";
import { nextFraction, type Rng } from "../sim/rng.ts";
import {
  type Bio,
  type BlockDevice,
  makeDiskStats,
  REQ_OP_READ,
} from "./bio.ts";
import {
  addToPlug,
  makeRequest,
  type Request,
  type RequestQueue,
} from "./blk_plug.ts";

/** What a page reads as before its first write. */
export const neverWritten = 0xdb;

/**
 * Bad luck, drawn from the machine's seed for each page: shares 0 … 1. The
 * rates of errors may be changed while the device runs.
 */
export interface FaultOptions {
  readErrorRate: number;
  writeErrorRate: number;
  /** A slow request takes `slowNanoseconds` more than its kind does. */
  readonly slowRate?: number;
  readonly slowNanoseconds?: number;
}

/** How one kind of disk behaves. */
export interface DiskModel {
  readonly name: string;
  /** BLK_FEAT_* bits. */
  readonly features: number;
  readonly pages: number;
  /** Requests under way at once; further ones wait. */
  readonly queueDepth: number;
  /** Which of the waiting requests is next: an index; there is at least one. */
  readonly pick: (waiting: readonly Request[]) => number;
  /** Nanoseconds from `now` until this request is over; it begins now. */
  readonly serve: (request: Request, now: number) => number;
}

/** A device with a queue. */
export interface Disk extends BlockDevice {
  readonly sectors: Map<number, Uint8Array>;
  readonly faults: FaultOptions;
  readonly rng: Rng;
  /** Requests that wait for their turn. */
  readonly queue: Request[];
  inFlight: number;
}

export function makeDisk(
  model: DiskModel,
  faults: FaultOptions,
  clock: Clock,
  rng: Rng,
): Disk {
  const sectors = new Map<number, Uint8Array>();
  const disk: Disk = {
    name: model.name,
    features: model.features,
    pages: model.pages,
    clock,
    stats: makeDiskStats(),
    sectors,
    faults,
    rng,
    queue: [],
    inFlight: 0,
    // deno-lint-ignore require-yield -- a queue takes it and returns at once
    *submit_bio(bio, plug) {
      if (plug === null) toDevice.queueRequests([makeRequest(bio)]);
      else addToPlug(plug, toDevice, bio);
    },
    hasPage: (sector) => sectors.has(sector),
    framesUsed: () => 0,
    slotFreeNotify: null,
  };
  const toDevice: RequestQueue = {
    queueRequests: (requests) => {
      disk.queue.push(...requests);
      startRequests(disk, model);
    },
    countMerge: () => disk.stats.merges++,
  };
  return disk;
}

/** Begin as many requests as the device does at once. */
function startRequests(disk: Disk, model: DiskModel): void {
  while (disk.inFlight < model.queueDepth && disk.queue.length > 0) {
    const [request] = disk.queue.splice(model.pick(disk.queue), 1);
    disk.inFlight++;
    const { now } = disk.clock;
    const cost = model.serve(request!, now) + slowness(disk);
    at(disk.clock, now + cost, () => complete(disk, model, request!));
  }
}

function slowness({ rng, faults }: Disk): number {
  const { slowRate = 0, slowNanoseconds = 0 } = faults;
  return happens(rng, slowRate) ? slowNanoseconds : 0;
}

function complete(disk: Disk, model: DiskModel, { bios }: Request): void {
  disk.inFlight--;
  for (const bio of bios) {
    const status = transfer(disk, bio);
    if (status !== 0) disk.stats.errors++;
    bio.bi_end_io(status);
  }
  startRequests(disk, model);
}

/** Move the bytes of one page, or fail and move none. */
function transfer({ sectors, stats, faults, rng }: Disk, bio: Bio): Errno {
  if (bio.op === REQ_OP_READ) {
    stats.reads++;
    if (happens(rng, faults.readErrorRate)) return -EIO;
    const content = sectors.get(bio.sector);
    if (content === undefined) bio.page.fill(neverWritten);
    else bio.page.set(content);
    return 0;
  }
  stats.writes++;
  if (happens(rng, faults.writeErrorRate)) return -EIO;
  sectors.set(bio.sector, bio.page.slice());
  return 0;
}

/** No number is drawn at rate 0, so that a faultless run stays as it is. */
export function happens(rng: Rng, rate: number): boolean {
  return rate > 0 && nextFraction(rng) < rate;
}
