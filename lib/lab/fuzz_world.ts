/**
 * A machine under test, and what its processes should read. Ours.
 *
 * The machine's own shadow is off; fuzz_oracle.ts takes its place. Memory of a
 * process is private or shared: a child of one with shared memory uses the same
 * object, so all of such a family have one oracle.
 */
import type { BlockDevice } from "../block/bio.ts";
import type { Disk } from "../block/disk.ts";
import type { PgData } from "../mm/mm_types.ts";
import { PAGE_COUNTER_MAX } from "../mm/page_counter.ts";
import { SWAP_CLUSTER_MAX } from "../mm/swap.ts";
import { makeRng, nextUint32 } from "../sim/rng.ts";
import type { Cgroup } from "./cgroup.ts";
import type { Machine } from "./machine.ts";
import { makeMachine } from "./machine.ts";
import type { MachineOptions } from "./options.ts";
import { makePageSource, pageKinds } from "./pages.ts";
import { compare, expectChange, type Oracle } from "./fuzz_oracle.ts";
import { tally } from "./must.ts";
import { type Process, ProcessKilled } from "./process.ts";

const pageSize = 4096;
const contentCount = 96;
const mostSubjects = 6;
/** More than zswap's worker takes where it tries in vain for a dozen groups. */
const stepLimit = 2_000_000;

/** A process, and what its pages should read as. */
export interface Subject {
  readonly process: Process;
  readonly oracle: Oracle;
  /** With its parent and its children. */
  readonly shared: boolean;
}

export interface World {
  readonly machine: Machine;
  /** Pages of each process. */
  readonly pages: number;
  readonly subjects: Subject[];
  readonly contents: readonly Uint8Array[];
  /** Devices that swapoff has taken away, to come back. */
  readonly off: BlockDevice[];
  /** Control groups that are not removed, parents before children. */
  readonly groups: Cgroup[];
  /** Operations so far; makes each write different from the last. */
  step: number;
  /** On some device reads are past the swap cache (SWP_SYNCHRONOUS_IO). */
  readonly passesCache: boolean;
  /** A device may have lost a page: SIGBUS is no surprise. */
  faulty: boolean;
  /** How often something happened that tests want to see. */
  readonly seen: Map<string, number>;
}

/** What a script may do. */
export interface Operation {
  /** How often it comes, against the sum of all. */
  readonly weight: number;
  /** How many numbers it takes. */
  readonly arity: number;
  readonly act: (world: World, ...numbers: number[]) => void;
}

/** The oracle found that the engine is wrong. */
export class FuzzError extends Error {
  override name = "FuzzError";
}

/** A world with one process. */
export function makeWorld(
  options: MachineOptions,
  pages: number,
  contents: readonly Uint8Array[],
): World {
  const machine = makeMachine({ stepLimit, ...options, shadow: false });
  const { swap } = machine.settings;
  const passesCache = swap.some(({ kind }) =>
    kind === "brd" || kind === "zram"
  );
  const faulty = swap
    .some((device) => device.readErrorRate + device.writeErrorRate > 0);
  const world: World = {
    machine,
    pages,
    subjects: [],
    contents,
    off: [],
    groups: [],
    step: 0,
    passesCache,
    faulty,
    seen: new Map(),
  };
  spawn(world, false);
  return world;
}

/** Contents of every kind, a third of them zeros or one word throughout. */
export function makeContents(): Uint8Array[] {
  const source = makePageSource(pageKinds, 9);
  return Array.from({ length: contentCount }, (_, index) => {
    const bytes = new Uint8Array(pageSize);
    source.fill(index, bytes);
    return bytes;
  });
}

/** The living process that `who` stands for, in any script. */
export function subjectOf({ subjects }: World, who: number): Subject {
  return subjects[who % subjects.length]!;
}

export function isFull({ subjects }: World): boolean {
  return subjects.length >= mostSubjects;
}

export function spawn(world: World, shared: boolean): void {
  const process = world.machine.spawn({ pages: world.pages, shared });
  world.subjects.push({ process, oracle: new Map(), shared });
}

/** The process ends; there is always one. */
export function end(world: World, subject: Subject): void {
  subject.process.exit();
  world.subjects.splice(world.subjects.indexOf(subject), 1);
  if (world.subjects.length === 0) spawn(world, false);
}

/**
 * Do what may kill the process.
 *
 * @throws FuzzError if it was killed although no device ever failed, or for
 *   want of memory where there is some
 */
export function survive(world: World, subject: Subject, act: () => void): void {
  try {
    act();
  } catch (error) {
    if (!(error instanceof ProcessKilled)) throw error;
    const sigbus = error.message.startsWith("SIGBUS");
    if (sigbus && !world.faulty) {
      throw new FuzzError(`Every device is sound, but: ${error.message}`);
    }
    if (!sigbus && hasMemory(world)) {
      throw new FuzzError(`There is memory, but: ${error.message}`);
    }
    tally(world.seen, sigbus ? "SIGBUS" : "out of memory");
    end(world, subject);
  }
}

/** More than kswapd would free, and no group is limited. */
function hasMemory({ machine: { k }, groups }: World): boolean {
  if (groups.some(({ memcg }) => memcg.memory.max !== PAGE_COUNTER_MAX)) {
    return false;
  }
  const spare = ({ zone: { free_list, watermark } }: PgData) =>
    free_list.length - watermark.high;
  return k.nodes.some((node) => spare(node) > SWAP_CLUSTER_MAX);
}

/** Write a content, or a part of it, made unique by the step's number. */
export function write(
  world: World,
  subject: Subject,
  page: number,
  content: number,
  part: number,
): void {
  const whole = world.contents[content % world.contents.length]!;
  const bytes = whole.slice();
  // Contents of one word stay what they are: two in three are stamped.
  if (content % 3 !== 0) {
    new DataView(bytes.buffer).setUint32(4 * (part % 1024), world.step, true);
  }
  const isWhole = part % 4 !== 0;
  const offset = isWhole ? 0 : part % pageSize;
  const length = isWhole ? pageSize : 1 + content % (pageSize - offset);
  const piece = bytes.subarray(offset, offset + length);
  subject.process.write(page, piece, offset);
  expectChange(
    subject.oracle,
    page,
    world.step,
    (known) => known.set(piece, offset),
  );
}

/** Change one word, as a program that uses the page. */
export function touch(
  { step }: World,
  { process, oracle }: Subject,
  page: number,
): void {
  process.touch(page, true);
  expectChange(oracle, page, step, (known) => {
    const view = new DataView(known.buffer);
    const word = view.getUint32(pageSize - 4, true) + 1;
    view.setUint32(pageSize - 4, word >>> 0, true);
  });
}

/**
 * Read a page and compare it.
 *
 * @throws FuzzError for bytes that were never written there
 */
export function read({ process, oracle }: Subject, page: number): void {
  const wrong = compare(oracle, page, process.read(page));
  if (wrong === null) return;
  throw new FuzzError(
    `page ${page} of process ${process.pid} reads wrong bytes: ${wrong}`,
  );
}

export function fork(world: World, subject: Subject): void {
  const { oracle, shared } = subject;
  const process = subject.process.fork();
  const known = shared ? oracle : new Map(oracle);
  world.subjects.push({ process, oracle: known, shared });
}

/** From now on devices that can fail do so at these rates. */
export function setFaults(world: World, read: number, write: number): void {
  for (const si of world.machine.k.swap_info) {
    const { faults } = si.disk as Partial<Disk>;
    if (faults === undefined) continue;
    faults.readErrorRate = read;
    faults.writeErrorRate = write;
  }
  if (read + write > 0) world.faulty = true;
}

/** Every page of every process, in order. */
export function readAll(world: World): void {
  for (const subject of [...world.subjects]) {
    survive(world, subject, () => {
      for (let page = 0; page < world.pages; page++) read(subject, page);
    });
  }
}

/** A stream of numbers below 10,000: the arguments of operations. */
export function argumentsFrom(seed: number): () => number {
  const rng = makeRng(seed);
  return () => nextUint32(rng) % 10_000;
}
