/**
 * Random operations against an oracle that only remembers what was written.
 *
 * The machine's own shadow check is off here: the oracle below is independent
 * of it. A failure names its seed; the same seed fails again.
 */
import assert from "node:assert/strict";
import { checkMachine } from "swaplab/lab/invariants.ts";
import { type Machine, makeMachine } from "swaplab/lab/machine.ts";
import { makePageSource, pageKinds } from "swaplab/lab/pages.ts";
import { type Process, ProcessKilled } from "swaplab/lab/process.ts";
import { SWAP_HAS_CACHE } from "swaplab/mm/swap.ts";
import { makeRng, nextBelow, type Rng } from "swaplab/sim/rng.ts";

const seeds = 60;
const operationsPerSeed = 600;
const pages = 40;

/** A process, and what each of its pages should read. */
interface Subject {
  readonly process: Process;
  readonly oracle: Map<number, Uint8Array>;
}

const zeros = new Uint8Array(4096);
const source = makePageSource(pageKinds, 9);

function pick<T>(rng: Rng, items: readonly T[]): T {
  return items[nextBelow(rng, items.length)]!;
}

function write(rng: Rng, { process, oracle }: Subject): void {
  const page = nextBelow(rng, pages);
  const bytes = new Uint8Array(4096);
  source.fill(nextBelow(rng, 500), bytes);
  const length = nextBelow(rng, 4) === 0 ? 1 + nextBelow(rng, 4096) : 4096;
  const offset = nextBelow(rng, 4096 - length + 1);
  process.write(page, bytes.subarray(0, length), offset);
  const known = (oracle.get(page) ?? zeros).slice();
  known.set(bytes.subarray(0, length), offset);
  oracle.set(page, known);
}

function read(rng: Rng, { process, oracle }: Subject): void {
  const page = nextBelow(rng, pages);
  const wanted = oracle.get(page) ?? zeros;
  assert.ok(
    process.read(page).every((byte, at) => byte === wanted[at]),
    `page ${page} of process ${process.pid} reads wrong bytes`,
  );
}

function fork({ process, oracle }: Subject): Subject {
  return { process: process.fork(), oracle: new Map(oracle) };
}

function turnKnob(rng: Rng, { k }: Machine): void {
  k.zswap.enabled = nextBelow(rng, 4) > 0;
  k.zswap.max_pool_percent = 1 + nextBelow(rng, 60);
  k.zswap.accept_threshold_percent = 1 + nextBelow(rng, 100);
}

/** One operation, drawn from the seed; killed processes leave the list. */
function step(rng: Rng, machine: Machine, subjects: Subject[]): void {
  const subject = pick(rng, subjects);
  const end = () => {
    subject.process.exit();
    subjects.splice(subjects.indexOf(subject), 1);
  };
  const choice = nextBelow(rng, 100);
  try {
    if (choice < 45) write(rng, subject);
    else if (choice < 90) read(rng, subject);
    else if (choice < 93 && subjects.length < 6) subjects.push(fork(subject));
    else if (choice < 95 && subjects.length > 1) end();
    else if (choice < 97) turnKnob(rng, machine);
    else if (choice < 98) machine.settle();
    else if (subjects.length < 6) subjects.push(start(machine));
  } catch (error) {
    // Out of memory or an unreadable page: the process is gone, others live.
    if (!(error instanceof ProcessKilled)) throw error;
    if (subjects.includes(subject)) end();
  }
  if (subjects.length === 0) subjects.push(start(machine));
}

function start(machine: Machine): Subject {
  return { process: machine.spawn({ pages }), oracle: new Map() };
}

function fuzz(seed: number, faults: boolean): Machine {
  const rng = makeRng(seed);
  const errorRate = faults ? 0.05 : 0;
  const machine = makeMachine({
    frames: pick(rng, [24, 48, 96]),
    swap: {
      pages: pick(rng, [60, 200, 1000]),
      readErrorRate: errorRate,
      writeErrorRate: errorRate,
    },
    zswap: {
      compressor: pick(rng, ["lz4", "lz4js", "null", "deflate"]),
      zpool: pick(rng, ["zbud", "z3fold", "zsmalloc"]),
      maxPoolPercent: 1 + nextBelow(rng, 60),
    },
    seed,
    shadow: false,
    traceEvents: 0,
  });
  const subjects = [start(machine)];
  for (let operation = 0; operation < operationsPerSeed; operation++) {
    step(rng, machine, subjects);
    if (operation % 20 === 0) checkMachine(machine);
  }
  for (const { process } of subjects) process.exit();
  machine.settle();
  checkMachine(machine);
  checkOnlyOrphansRemain(machine);
  return machine;
}

/**
 * When every process has ended, a slot may still be in use: its folio was
 * under writeback when its last user left, so it stays in the swap cache until
 * reclaim meets it. (As in Linux: thread 004 is about these orphans.)
 */
function checkOnlyOrphansRemain({ k }: Machine): void {
  const si = k.swap_info[0]!;
  const orphans = si.swapper_spaces[0]!.xa.entries;
  for (const [offset, folio] of orphans) {
    assert.equal(si.swap_map[offset], SWAP_HAS_CACHE);
    assert.equal(folio._mapcount, 0);
  }
  assert.equal(k.zswap.stored_pages, 0);
  assert.equal(si.inuse_pages, orphans.size);
  assert.equal(k.zone.free_list.length, k.totalram_pages - 1 - orphans.size);
}

for (const faults of [false, true]) {
  const disk = faults ? "a disk with faults" : "a sound disk";
  Deno.test(`the engine agrees with the oracle on ${seeds} seeds, ${disk}`, () => {
    let exercised = 0;
    for (let seed = 1; seed <= seeds; seed++) {
      try {
        exercised += fuzz(seed, faults).k.vm_event.zswpin;
      } catch (error) {
        throw new Error(`seed ${seed} (faults: ${faults})`, { cause: error });
      }
    }
    assert.ok(exercised > 500, `only ${exercised} loads from zswap`);
  });
}
