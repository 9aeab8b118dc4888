/**
 * A machine under test, and an oracle that only remembers what was written.
 *
 * The oracle is a list of pages in plain arrays; it knows nothing of the
 * engine, and the machine's own shadow is off. After MADV_FREE a page may read
 * as it was or as zeros, so the oracle keeps all contents that are possible;
 * a read must show one of them. Ours.
 */
import type { BlockDevice } from "../block/bio.ts";
import type { Disk } from "../block/disk.ts";
import { makeRng, nextUint32 } from "../sim/rng.ts";
import type { Cgroup } from "./cgroup.ts";
import type { Machine } from "./machine.ts";
import { makeMachine } from "./machine.ts";
import type { MachineOptions } from "./options.ts";
import { makePageSource, pageKinds } from "./pages.ts";
import { type Process, ProcessKilled } from "./process.ts";

const pageSize = 4096;
const contentCount = 96;
const mostSubjects = 6;
/** Far more than any operation on these small machines takes. */
const stepLimit = 300_000;

/** What a page may read as: one content, or several. */
interface KnownPage {
  /** Never changed once they are here: children share them. */
  readonly possible: readonly Uint8Array[];
  /** It may become zeros at any time. */
  readonly lazy: boolean;
}

/** A process, and what its pages should read as; none means zeros. */
export interface Subject {
  readonly process: Process;
  readonly oracle: Map<number, KnownPage>;
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
  /** A device may have lost a page: SIGBUS is no surprise. */
  faulty: boolean;
  readonly killed: { oom: number; sigbus: number };
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

const zeros: Uint8Array = new Uint8Array(pageSize);
const untouched: KnownPage = { possible: [zeros], lazy: false };

/** A world with one process. */
export function makeWorld(
  options: MachineOptions,
  pages: number,
  contents: readonly Uint8Array[],
): World {
  const machine = makeMachine({ stepLimit, ...options, shadow: false });
  const faulty = machine.settings.swap
    .some((device) => device.readErrorRate + device.writeErrorRate > 0);
  const killed = { oom: 0, sigbus: 0 };
  const world = {
    machine,
    pages,
    subjects: [],
    contents,
    off: [],
    groups: [],
    step: 0,
    faulty,
    killed,
  };
  spawn(world);
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

export function spawn(world: World): void {
  const process = world.machine.spawn({ pages: world.pages });
  world.subjects.push({ process, oracle: new Map() });
}

/** The process ends; there is always one. */
export function end(world: World, subject: Subject): void {
  subject.process.exit();
  world.subjects.splice(world.subjects.indexOf(subject), 1);
  if (world.subjects.length === 0) spawn(world);
}

/**
 * Do what may kill the process.
 *
 * @throws FuzzError if it was killed although no device ever failed
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
    world.killed[sigbus ? "sigbus" : "oom"]++;
    end(world, subject);
  }
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
  patch(subject, page, (known) => known.set(piece, offset));
}

/** Change one word, as a program that uses the page. */
export function touch(subject: Subject, page: number): void {
  subject.process.touch(page, true);
  patch(subject, page, (known) => {
    const view = new DataView(known.buffer);
    const word = view.getUint32(pageSize - 4, true) + 1;
    view.setUint32(pageSize - 4, word >>> 0, true);
  });
}

function patch(
  { oracle }: Subject,
  page: number,
  change: (known: Uint8Array) => void,
): void {
  const { possible } = oracle.get(page) ?? untouched;
  const changed = possible.map((known) => {
    const copy = known.slice();
    change(copy);
    return copy;
  });
  oracle.set(page, { possible: changed, lazy: false });
}

/**
 * Read a page and compare it.
 *
 * @throws FuzzError for bytes that were never written there
 */
export function read({ process, oracle }: Subject, page: number): void {
  const actual = process.read(page);
  const known = oracle.get(page) ?? untouched;
  const match = known.possible.find((each) => sameBytes(each, actual));
  if (match === undefined) {
    throw new FuzzError(
      `page ${page} of process ${process.pid} reads wrong bytes: ` +
        difference(known.possible[0]!, actual),
    );
  }
  // What is not lazy will not change by itself: now we know which it was.
  if (known.lazy && match !== zeros) return;
  if (known.possible.length > 1) {
    oracle.set(page, { possible: [match], lazy: false });
  }
}

/** From now on the page may read as zeros. */
export function expectMaybeZeros({ oracle }: Subject, page: number): void {
  const { possible } = oracle.get(page) ?? untouched;
  if (possible.length === 1 && possible[0] === zeros) return;
  const others = possible.filter((each) => each !== zeros);
  oracle.set(page, { possible: [...others, zeros], lazy: true });
}

/** From now on the page reads as zeros. */
export function expectZeros({ oracle }: Subject, page: number): void {
  oracle.delete(page);
}

export function fork(world: World, subject: Subject): void {
  const process = subject.process.fork();
  world.subjects.push({ process, oracle: new Map(subject.oracle) });
}

/** Has one of the pages stayed as it was since a fork? */
export function isShared(
  { subjects }: World,
  subject: Subject,
  from: number,
  to: number,
): boolean {
  for (let page = from; page < to; page++) {
    const known = subject.oracle.get(page);
    const same = (other: Subject) => other.oracle.get(page) === known;
    if (known === undefined) continue;
    if (subjects.some((other) => other !== subject && same(other))) return true;
  }
  return false;
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

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  const left = new Uint32Array(a.buffer, a.byteOffset, pageSize / 4);
  const right = new Uint32Array(b.buffer, b.byteOffset, pageSize / 4);
  for (let i = 0; i < left.length; i++) {
    if (left[i] !== right[i]) return false;
  }
  return true;
}

function difference(expected: Uint8Array, actual: Uint8Array): string {
  const at = expected.findIndex((byte, i) => byte !== actual[i]);
  return `byte ${at} is ${actual[at]}, was written ${expected[at]}`;
}

/** A stream of numbers below 10,000: the arguments of operations. */
export function argumentsFrom(seed: number): () => number {
  const rng = makeRng(seed);
  return () => nextUint32(rng) % 10_000;
}
