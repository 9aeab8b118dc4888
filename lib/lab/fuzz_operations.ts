/**
 * What a fuzz script may do, each operation with its weight.
 *
 * Arguments are any whole numbers: an operation takes what it needs from them
 * by remainder, so that every script makes sense, also with lines left out.
 * Ours.
 */
import { EINTR, ENOMEM, errnoName } from "../base/errno.ts";
import { compressorNames } from "../crypto/acomp.ts";
import { GFP_KERNEL, PF_MEMALLOC } from "../mm/page_alloc.ts";
import { SWAP_FLAG_PREFER, SWP_WRITEOK } from "../mm/swap.ts";
import { sys_swapoff } from "../mm/swapoff.ts";
import { sys_swapon } from "../mm/swapon.ts";
import { try_to_free_pages } from "../mm/vmscan.ts";
import { zpoolNames } from "../mm/zpool.ts";
import {
  end,
  expectMaybeZeros,
  expectZeros,
  fork,
  FuzzError,
  isFull,
  isShared,
  type Operation,
  read,
  setFaults,
  spawn,
  subjectOf,
  survive,
  touch,
  type World,
  write,
} from "./fuzz_world.ts";
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
  survive(world, subject, () => touch(subject, page! % world.pages));
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

/**
 * Advice about some pages; the oracle learns what may have become zeros.
 *
 * No MADV_FREE of a page that another process shares: v6.12 looks at the
 * number of mappings only if the folio is dirty or in the swap cache, and one
 * that came in past the cache is neither, so its other users may lose it, too.
 */
function doAdvise(world: World, ...[who, what, page, count]: number[]): void {
  const subject = subjectOf(world, who!);
  const from = page! % world.pages;
  const to = Math.min(world.pages, from + 1 + count! % 12);
  const advice = advices[what! % advices.length]!;
  if (advice === "free" && isShared(world, subject, from, to)) return;
  survive(world, subject, () => {
    subject.process.advise(advice, from, to);
    for (let each = from; each < to; each++) {
      if (advice === "dontneed") expectZeros(subject, each);
      if (advice === "free") expectMaybeZeros(subject, each);
    }
  });
}

function doFork(world: World, ...[who]: number[]): void {
  if (isFull(world)) return;
  const subject = subjectOf(world, who!);
  survive(world, subject, () => fork(world, subject));
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

/**
 * Take a device away, or leave it if memory and the others have no room.
 *
 * The last one may go, too: then nothing is swapped until it is back. Pages
 * that two processes share can go back to their slots as fast as they come (in
 * Linux as well), so whoever waits sends a signal after some time.
 */
function doSwapoff(world: World, ...[which, time]: number[]): void {
  const { machine, off } = world;
  const { k } = machine;
  const used = k.swap_info.filter(({ flags }) => (flags & SWP_WRITEOK) !== 0);
  if (used.length === 0) return;
  const si = used[which! % used.length]!;
  const { disk } = si;
  let patience = time! % 80;
  const err = machine.run(sys_swapoff(k, si), {
    comm: "swapoff",
    mm: null,
    cpu: 0,
    flags: 0,
    get signal_pending() {
      return patience-- <= 0;
    },
  });
  if (err === 0) off.push(disk);
  else if (err !== -ENOMEM && err !== -EINTR) {
    throw new FuzzError(`swapoff: ${errnoName(err)}`);
  }
}

/** Bring the one back that has been away for longest; perhaps preferred. */
function doSwapon({ machine, off }: World, ...[priority]: number[]): void {
  const disk = off.shift();
  if (disk === undefined) return;
  const prio = priority! % 6;
  const swap_flags = prio === 0 ? 0 : SWAP_FLAG_PREFER | prio;
  const si = sys_swapon(machine.k, disk, { swap_flags });
  if (typeof si === "number") {
    throw new FuzzError(`swapon: ${errnoName(si)}`);
  }
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
  ["spawn", operation(10, 0, (world) => void (isFull(world) || spawn(world)))],
  [
    "exit",
    operation(25, 1, (world, who) => {
      end(world, subjectOf(world, who!));
    }),
  ],
  ["settle", operation(10, 0, ({ machine }) => machine.settle())],
  ["reclaim", operation(20, 2, doReclaim)],
  ["zswap-limits", operation(20, 3, doZswapLimits)],
  ["zswap-pool", operation(10, 2, doZswapPool)],
  ["swapoff", operation(6, 2, doSwapoff)],
  ["swapon", operation(12, 1, doSwapon)],
  ...groupOperations,
  ["faults", operation(10, 2, doFaults)],
]);
