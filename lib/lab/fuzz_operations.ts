/**
 * What a fuzz script may do, each operation with its weight.
 *
 * Arguments are any whole numbers: an operation takes what it needs from them
 * by remainder, so that every script makes sense, also with lines left out.
 * Ours.
 */
import { compressorNames } from "../crypto/acomp.ts";
import { GFP_KERNEL, PF_MEMALLOC } from "../mm/page_alloc.ts";
import { try_to_free_pages } from "../mm/vmscan.ts";
import { idleUntilNextEvent } from "../sim/clock.ts";
import { zpoolNames } from "../mm/zpool.ts";
import {
  end,
  fork,
  FuzzError,
  isFull,
  type Operation,
  read,
  setFaults,
  spawn,
  type Subject,
  subjectOf,
  survive,
  touch,
  type World,
  write,
} from "./fuzz_world.ts";
import { expectMaybeZeros, expectZeros, sameWrite } from "./fuzz_oracle.ts";
import { swapOperations } from "./fuzz_swapoff.ts";
import { groupOperations } from "./fuzz_groups.ts";
import { setZswap } from "./zswap_knobs.ts";

type Act = Operation["act"];

const advices = ["willneed", "cold", "free", "dontneed", "pageout"] as const;

function operation(weight: number, arity: number, act: Act): Operation {
  return { weight, arity, act };
}

function doWrite(world: World, ...[who, page, content, part]: number[]): void {
  const subject = subjectOf(world, who!);
  const index = page! % world.pages;
  survive(world, subject, () => write(world, subject, index, content!, part!));
}

function doRead(world: World, ...[who, page]: number[]): void {
  const subject = subjectOf(world, who!);
  survive(world, subject, () => read(subject, page! % world.pages));
}

function doTouch(world: World, ...[who, page]: number[]): void {
  const subject = subjectOf(world, who!);
  survive(world, subject, () => touch(world, subject, page! % world.pages));
}

/** Read a stretch of pages: what readahead is for. */
function doSweep(world: World, ...[who, page, count]: number[]): void {
  const subject = subjectOf(world, who!);
  survive(world, subject, () => {
    for (let i = 0; i < count! % 24; i++) {
      read(subject, (page! + i) % world.pages);
    }
  });
}

/** Advice about some pages; shared memory takes all but MADV_FREE. */
function doAdvise(world: World, ...[who, what, page, count]: number[]): void {
  const subject = subjectOf(world, who!);
  const from = page! % world.pages;
  const to = Math.min(world.pages, from + 1 + count! % 12);
  const advice = advices[what! % advices.length]!;
  if (advice === "free" && subject.shared) {
    refuse(subject, from, to);
    return;
  }
  survive(world, subject, () => {
    subject.process.advise(advice, from, to);
    if (subject.shared) return;
    for (let each = from; each < to; each++) {
      if (advice === "dontneed") expectZeros(subject.oracle, each);
      if (advice === "free") expectFreed(world, subject, each);
    }
  });
}

/** MADV_FREE is for private memory only. */
function refuse({ process }: Subject, from: number, to: number): void {
  try {
    process.advise("free", from, to);
  } catch (error) {
    if (error instanceof TypeError && error.message.endsWith("EINVAL")) return;
    throw error;
  }
  throw new FuzzError("MADV_FREE of shared memory is not refused");
}

/**
 * The oracle learns what may have become zeros.
 *
 * v6.12 looks at the number of mappings only if the folio is dirty or in the
 * swap cache. One that came in past the cache is neither: the others that have
 * shared it since a fork may lose it as well.
 */
function expectFreed(world: World, subject: Subject, page: number): void {
  const { oracle } = subject;
  for (const other of world.passesCache ? world.subjects : []) {
    if (other === subject || !sameWrite(oracle, other.oracle, page)) continue;
    expectMaybeZeros(other.oracle, page);
  }
  expectMaybeZeros(oracle, page);
}

function doFork(world: World, ...[who]: number[]): void {
  if (isFull(world)) return;
  const subject = subjectOf(world, who!);
  survive(world, subject, () => fork(world, subject));
}

/** One in three has shared memory. */
function doSpawn(world: World, ...[kind]: number[]): void {
  if (!isFull(world)) spawn(world, kind! % 3 === 0);
}

/** Disks finish, and workers have some turns: they may never be done. */
function doSettle({ machine }: World): void {
  for (let turn = 0; turn < 8; turn++) {
    machine.runBackground();
    if (!idleUntilNextEvent(machine.k.clock)) return;
  }
}

function doReclaim(world: World, ...[who, times]: number[]): void {
  const { machine } = world;
  const { task } = subjectOf(world, who!).process;
  const reclaimer = { ...task, flags: task.flags | PF_MEMALLOC };
  for (let i = 0; i <= times! % 3; i++) {
    machine.run(try_to_free_pages(machine.k, GFP_KERNEL), reclaimer);
  }
}

function doZswapLimits(world: World, ...[on, max, accept]: number[]): void {
  setZswap(world.machine, {
    enabled: on! % 4 > 0,
    maxPoolPercent: 1 + max! % 60,
    acceptThresholdPercent: 1 + accept! % 100,
    shrinkerEnabled: on! % 3 === 0,
  });
}

/** Another compressor, another allocator; the old pool drains. */
function doZswapPool(world: World, ...[which, what]: number[]): void {
  const { machine } = world;
  const zpools = zpoolNames();
  if (which! % 2 === 0) {
    setZswap(machine, { zpool: zpools[what! % zpools.length]! });
    return;
  }
  const compressor = compressorNames[what! % compressorNames.length]!;
  setZswap(machine, { compressor });
}

/** Mostly sound: one call in three makes a bad device. */
function doFaults(world: World, ...[which, rate]: number[]): void {
  const share = (rate! % 20) / 100;
  if (which! % 6 === 0) setFaults(world, share, 0);
  else if (which! % 6 === 1) setFaults(world, 0, share);
  else setFaults(world, 0, 0);
}

/** By name, as scripts call them. */
export const operations: ReadonlyMap<string, Operation> = new Map([
  ["write", operation(340, 4, doWrite)],
  ["read", operation(340, 2, doRead)],
  ["touch", operation(120, 2, doTouch)],
  ["sweep", operation(20, 3, doSweep)],
  ["advise", operation(30, 4, doAdvise)],
  ["fork", operation(30, 1, doFork)],
  ["spawn", operation(10, 1, doSpawn)],
  [
    "exit",
    operation(25, 1, (world, who) => {
      end(world, subjectOf(world, who!));
    }),
  ],
  ["settle", operation(10, 0, doSettle)],
  ["reclaim", operation(20, 2, doReclaim)],
  ["zswap-limits", operation(20, 3, doZswapLimits)],
  ["zswap-pool", operation(10, 2, doZswapPool)],
  ...swapOperations,
  ...groupOperations,
  ["faults", operation(10, 2, doFaults)],
]);
