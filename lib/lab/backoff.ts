/**
 * The experiment of thread 003: what a fault does that finds the slot pinned.
 *
 * Workers go through one region, page by page, half of them upwards and half
 * downwards; before each page they sleep for a moment. One more thread swaps
 * the region out, a 32nd at a time. Minor and major faults are counted, for
 * each way to back off from a slot that somebody else has pinned. Ours.
 *
 * From the sources: what the threads do is what Kairui Song's program does
 * (named in 13ddaf26be32); naps last up to the 50 µs of slack that the kernel
 * gives its timers (prctl(2)); swap is a zram; faults are counted as
 * mm_account_fault() does; who has the CPU: backoff_cpus.ts. Costs are those
 * of the engine. Not from the sources, which do not tell: how many CPUs (two), and
 * how many workers live at a time (eight a CPU: with sixteen, the one that
 * swaps out no longer gets its part). The region is a 16th of that of 32 MB.
 *
 * What comes out, for every seed tried: tick < unpatched < schedule() < no
 * backoff, the order of the thread's table; and the wait queue, which came
 * later, between unpatched and schedule(). What does not are the distances: in
 * the thread a tick is a sixth below unpatched, here at a quarter of it; and no
 * backoff is ten times above schedule() there, twice to five times here, which
 * depends on how often whoever has the pin loses the CPU. With four CPUs for
 * twice the workers a tick equals unpatched, and no backoff is 1.3 times above
 * schedule().
 *
 * The order was known beforehand, and so it is no prediction: with a first form
 * of this experiment, whose time slices were picked, it did not come out, and
 * the number of workers was settled after runs had been seen.
 */
import { makeRng, nextBelow, type Rng } from "../sim/rng.ts";
import type { Task } from "../sim/task.ts";
import { schedule_timeout } from "../locking/wait.ts";
import { do_madvise, MADV_PAGEOUT } from "../mm/madvise.ts";
import {
  FAULT_FLAG_ALLOW_RETRY,
  FAULT_FLAG_TRIED,
  FAULT_FLAG_WRITE,
  handle_mm_fault,
  VM_FAULT_MAJOR,
  VM_FAULT_RETRY,
} from "../mm/memory.ts";
import { PAGE_SIZE, pteAt, touchPte } from "../mm/pgtable.ts";
import type { Kernel } from "../mm/mm_types.ts";
import type { Proposals } from "../proposals.ts";
import { makeThread, runOnCpus } from "./backoff_cpus.ts";
import {
  makeExpected,
  raceMachine,
  storeWord,
  threadOf,
  vpnOf,
} from "./race.ts";
import type { Process } from "./process.ts";

export interface BackoffOptions {
  /** 16. */
  readonly workers?: number;
  /** 2. */
  readonly cpus?: number;
  /** Of the region; 512. */
  readonly pages?: number;
  /** Of simulated time; 40. */
  readonly milliseconds?: number;
  readonly seed?: number;
}

/** What came of one way to back off. */
export interface BackoffCount {
  readonly name: string;
  /** The figures of the thread, each of 30 s: the least and the most. */
  readonly thread: {
    readonly minor: readonly [number, number];
    readonly major: readonly [number, number];
  } | null;
  readonly minor: number;
  readonly major: number;
}

interface Way {
  readonly name: string;
  readonly proposals: Partial<Proposals>;
  readonly thread: BackoffCount["thread"];
}

/** In the order of the thread's table; the wait queue came later. */
const ways: readonly Way[] = [
  {
    name: "unpatched",
    proposals: { sync_swapin_pin: "none" },
    thread: { minor: [22_150, 33_089], major: [958_745, 1_221_665] },
  },
  {
    name: "pin, no backoff",
    proposals: { sync_swapin_backoff: "none" },
    thread: { minor: [280_094, 436_862], major: [919_860, 1_198_871] },
  },
  {
    name: "pin, schedule()",
    proposals: { sync_swapin_backoff: "schedule" },
    thread: { minor: [33_057, 43_066], major: [844_188, 1_218_174] },
  },
  {
    name: "pin, one tick",
    proposals: { sync_swapin_backoff: "tick" },
    thread: { minor: [18_333, 26_748], major: [887_531, 1_211_894] },
  },
  {
    name: "pin, wait queue",
    proposals: { sync_swapin_backoff: "waitqueue" },
    thread: null,
  },
];

/** measureBackoff() - faults of each kind for each way, on equal machines. */
export function measureBackoff(options: BackoffOptions = {}): BackoffCount[] {
  return ways.map(({ name, proposals, thread }) => {
    const { minor, major } = measure(proposals, options);
    return { name, thread, minor, major };
  });
}

/** What all threads share. */
interface Region {
  readonly k: Kernel;
  readonly process: Process;
  readonly faults: { minor: number; major: number };
}

/** What a timer may be late, in nanoseconds: the kernel's default slack. */
const slack = 50_000;
/** The share of the region that is swapped out at a time: 1 MB of 32. */
const parts = 32;

/** nanosleep(), the slack included. */
function* nap({ k }: Region, rng: Rng, nanoseconds: number): Task {
  yield* schedule_timeout(k.clock, nanoseconds + nextBelow(rng, slack));
}

/** One atomic addition; its faults counted as by mm_account_fault(). */
function* touch({ k, process, faults }: Region, page: number): Task {
  const vpn = vpnOf(process, page);
  const first = FAULT_FLAG_ALLOW_RETRY | FAULT_FLAG_WRITE;
  for (let flags = first; touchPte(process.mm.ptes, pteAt(vpn), true) < 0;) {
    const result = yield* handle_mm_fault(k, process.area, vpn, flags);
    const tried = (flags & FAULT_FLAG_TRIED) !== 0;
    flags = first;
    if ((result & VM_FAULT_RETRY) !== 0) flags |= FAULT_FLAG_TRIED;
    else if (tried || (result & VM_FAULT_MAJOR) !== 0) faults.major++;
    else faults.minor++;
  }
}

/** One page after the other, upwards or downwards. */
function* worker(region: Region, rng: Rng, upwards: boolean): Task {
  const { pages } = region.process;
  const step = upwards ? 1 : pages - 1;
  for (let page = nextBelow(rng, pages);; page = (page + step) % pages) {
    yield* nap(region, rng, 1);
    yield* touch(region, page);
  }
}

/** One part after the other, then all at once. */
function* swapsOut(region: Region, rng: Rng): Task {
  const { k, process: { mm, area, pages } } = region;
  const part = Math.max(1, Math.floor(pages / parts)) * PAGE_SIZE;
  const size = pages * PAGE_SIZE;
  for (;;) {
    for (let at = 0; at < size; at += part) {
      yield* do_madvise(k, mm, area.vm_start + at, part, MADV_PAGEOUT);
      yield* nap(region, rng, 1000);
    }
    yield* do_madvise(k, mm, area.vm_start, size, MADV_PAGEOUT);
  }
}

function measure(
  proposals: Partial<Proposals>,
  options: BackoffOptions,
): Region["faults"] {
  const { workers = 16, cpus = 2, pages = 512, milliseconds = 40 } = options;
  const machine = raceMachine({
    frames: 4 * pages,
    cpus,
    // The header is a page as well.
    swap: { kind: "zram", pages: pages + 1 },
    zswap: { enabled: false },
    proposals,
  });
  const { k } = machine;
  const process = machine.spawn({ pages });
  const words = makeExpected();
  for (let page = 0; page < pages; page++) {
    machine.run(storeWord(k, process, page, page + 1, words), process.task);
  }
  const region = { k, process, faults: { minor: 0, major: 0 } };
  const rngOf = (thread: number) =>
    makeRng((options.seed ?? 1) * 1000 + thread);
  const threads = Array.from({ length: workers }, (_, i) => {
    const task: Task = worker(region, rngOf(i), i % 2 === 0);
    return makeThread(threadOf(process, `worker ${i}`, i % cpus), task);
  });
  const out = threadOf(process, "swaps out", 0);
  const outTask: Task = swapsOut(region, rngOf(workers));
  threads.push(makeThread(out, outTask));
  runOnCpus(machine, threads, cpus, milliseconds * 1_000_000);
  return region.faults;
}
