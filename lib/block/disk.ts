/**
 * A disk: a queue of requests that take their time and may fail.
 *
 * Kernel: block/blk-core.c, include/linux/bio.h (v6.12). Differs: requests of
 * one page; each takes the same time; up to `queueDepth` are under way at
 * once, further ones wait in order. Contents are kept sparsely: a sector that
 * was never written reads as the byte 0xdb, like garbage on a used disk.
 */
import { EIO, type Errno } from "../base/errno.ts";
import { at, type Clock } from "../sim/clock.ts";
import { nextFraction, type Rng } from "../sim/rng.ts";

export const REQ_OP_READ = 0;
export const REQ_OP_WRITE = 1;
/** What a sector reads as before its first write. */
export const neverWritten = 0xdb;

/** One request: 4096 bytes between memory and page `sector` of the disk. */
export interface Bio {
  readonly op: typeof REQ_OP_READ | typeof REQ_OP_WRITE;
  /** In pages of 4096 bytes. */
  readonly sector: number;
  /** Where the bytes are; read or filled when the request completes. */
  readonly page: Uint8Array;
  /** Called when the request is over. */
  readonly bi_end_io: (status: Errno) => void;
}

export interface DiskOptions {
  /** In pages of 4096 bytes. */
  readonly pages: number;
  readonly readNanoseconds: number;
  readonly writeNanoseconds: number;
  readonly queueDepth: number;
  /** Share of requests that fail, 0 … 1, drawn from the machine's seed. */
  readonly readErrorRate: number;
  readonly writeErrorRate: number;
}

export interface Disk {
  readonly options: DiskOptions;
  readonly sectors: Map<number, Uint8Array>;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly queue: Bio[];
  inFlight: number;
  reads: number;
  writes: number;
  errors: number;
}

export function makeDisk(options: DiskOptions, clock: Clock, rng: Rng): Disk {
  return {
    options,
    sectors: new Map(),
    clock,
    rng,
    queue: [],
    inFlight: 0,
    reads: 0,
    writes: 0,
    errors: 0,
  };
}

/** Hand a request to the disk; it completes later, in simulated time. */
export function submit_bio(disk: Disk, bio: Bio): void {
  disk.queue.push(bio);
  startRequests(disk);
}

function startRequests(disk: Disk): void {
  while (disk.inFlight < disk.options.queueDepth) {
    const bio = disk.queue.shift();
    if (bio === undefined) return;
    disk.inFlight++;
    const { readNanoseconds, writeNanoseconds } = disk.options;
    const cost = bio.op === REQ_OP_READ ? readNanoseconds : writeNanoseconds;
    at(disk.clock, disk.clock.now + cost, () => complete(disk, bio));
  }
}

function complete(disk: Disk, bio: Bio): void {
  disk.inFlight--;
  const status = transfer(disk, bio);
  if (status !== 0) disk.errors++;
  bio.bi_end_io(status);
  startRequests(disk);
}

function transfer(disk: Disk, bio: Bio): Errno {
  const { readErrorRate, writeErrorRate } = disk.options;
  if (bio.op === REQ_OP_READ) {
    disk.reads++;
    if (fails(disk, readErrorRate)) return -EIO;
    const content = disk.sectors.get(bio.sector);
    if (content === undefined) bio.page.fill(neverWritten);
    else bio.page.set(content);
    return 0;
  }
  disk.writes++;
  if (fails(disk, writeErrorRate)) return -EIO;
  disk.sectors.set(bio.sector, bio.page.slice());
  return 0;
}

/** No number is drawn at rate 0, so that a faultless run stays as it is. */
function fails(disk: Disk, rate: number): boolean {
  return rate > 0 && nextFraction(disk.rng) < rate;
}
