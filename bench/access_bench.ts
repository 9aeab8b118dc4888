/**
 * What a resident access costs beside the same loop on a bare typed array,
 * how that grows with the number of pages, what the engine keeps for each
 * page, and what tracing costs that is switched off. Ours.
 *
 * Pages are drawn by Zipf's law with exponent 0.9, as in ../shared/facts; the
 * rows "uniform" are for comparison.
 *
 * The growth to 10^6 pages cannot be 1.3: the bare loop itself grows more, as
 * each access misses the caches and the TLB, and so does the least that an
 * access has to do (look at the entry, add one to the word), which misses
 * twice. Both stand beside that row. The figure of 1.21 in ../shared/facts is
 * of a simulator that touched no page of 4 KiB.
 *
 * A page keeps its frame's words in mem_map (44 bytes; an eighth of the frames
 * are free, and have them too), its entry in the page table (8) and its part
 * of the table's lock. Collected twice: the first run leaves what it found dead
 * to be given back in the background.
 *
 * The shadow is off: it is the laboratory's check, not the engine's work.
 */
import { type Machine, makeMachine } from "swaplab/lab/machine.ts";
import { makePageSource } from "swaplab/lab/pages.ts";
import { zipf } from "swaplab/lab/pattern.ts";
import type { Process } from "swaplab/lab/process.ts";
import { PAGE_SIZE, pteAt } from "swaplab/mm/pgtable.ts";
import { makeRng, nextBelow } from "swaplab/sim/rng.ts";
import { emit, makeTrace } from "swaplab/sim/trace.ts";
import type { Row } from "./row.ts";
import { type Candidate, takeTurns } from "./turns.ts";

/** Drawn ahead, for both sides; a turn makes some of them. */
const accesses = 1_000_000;
const accessesATurn = 100_000;
const rounds = 60;

/**
 * A machine with room, and a process that has written all its pages, none by
 * touch(): a compiler that has seen no fault there leaves none in the loop.
 */
function resident(pages: number): { machine: Machine; process: Process } {
  const machine = makeMachine({
    frames: pages + (pages >> 3) + 64,
    swap: false,
    shadow: false,
    traceEvents: 0,
  });
  const process = machine.spawn({ pages });
  const bytes = Uint8Array.of(1);
  for (let page = 0; page < pages; page++) process.write(page, bytes);
  return { machine, process };
}

/** Which page each access goes to: the same for both. */
function drawPages(pages: number, exponent: number): Uint32Array {
  const drawn = zipf({ pages, count: accesses, exponent });
  return Uint32Array.from(Iterator.from(drawn).map(({ page }) => page));
}

/** The next accesses of the order each time, written in place. */
function inTurns(
  order: Uint32Array,
  access: (part: Uint32Array) => void,
  first = 0,
): Candidate {
  let at = first;
  return {
    work: () => {
      access(order.subarray(at, at + accessesATurn));
      at = (at + accessesATurn) % order.length;
    },
  };
}

function ours(process: Process, order: Uint32Array): Candidate {
  return inTurns(order, (part) => {
    for (let i = 0; i < part.length; i++) process.touch(part[i]!, true);
  });
}

function bare(pages: number, order: Uint32Array): Candidate {
  const words = new Uint32Array(pages * 1024).fill(1);
  return inTurns(order, (part) => {
    for (let i = 0; i < part.length; i++) words[part[i]! * 1024 + 1023]!++;
  });
}

/**
 * On our own pages, whatever has to be done: see that the entry is present,
 * writable and marked, and change the word. Far ahead of us or behind in the
 * order, so as not to warm the caches.
 */
function least(
  { k }: Machine,
  { mm, area }: Process,
  order: Uint32Array,
): Candidate {
  const { halves } = mm.ptes;
  const words = new Int32Array(k.memory.buffer);
  const first = 2 * pteAt(area.vm_start / PAGE_SIZE);
  const ready = 0x63;
  return inTurns(order, (part) => {
    for (let i = 0; i < part.length; i++) {
      const at = first + 2 * part[i]!;
      const low = halves[at]!;
      if ((low & ready) !== ready) throw new Error("bench: a page has gone");
      words[halves[at + 1]! << 30 | low >>> 12 << 10 | 1023]!++;
    }
  }, order.length / 2);
}

/** Median milliseconds of a turn. */
interface Times {
  readonly ours: number;
  readonly bare: number;
  readonly least: number;
}

/** From then on, touch() has a fault in the compiler's eyes. */
function makeFaults(process: Process): void {
  process.advise("dontneed", 0, 5000);
  for (let page = 0; page < 5000; page++) process.touch(page, true);
}

/** @param faults whether touch() has faulted before */
function timesOf(pages: number, exponent: number, faults = false): Times {
  const order = drawPages(pages, exponent);
  const { machine, process } = resident(pages);
  if (faults) makeFaults(process);
  const times = takeTurns(rounds, [
    ours(process, order),
    bare(pages, order),
    least(machine, process, order),
  ]);
  return { ours: times[0]!, bare: times[1]!, least: times[2]! };
}

/** Few pages and many; each alone, or many would empty the caches of few. */
function accessRows(exponent: number, what: string): Row[] {
  const few = timesOf(10_000, exponent);
  const many = timesOf(1_000_000, exponent);
  const peer = "the same loop on a typed array";
  const less = { better: "less", peer } as const;
  const growth = (of: keyof Times) => (many[of] / few[of]).toFixed(2);
  return [
    {
      name: `access: 10^4 resident pages, ${what}`,
      ratio: few.ours / few.bare,
      goal: 3,
      ...less,
    },
    {
      name: `access: 10^6 resident pages, ${what}`,
      ratio: many.ours / many.bare,
      goal: 3,
      ...less,
    },
    {
      name: `access: 10^6 pages to 10^4, ${what}`,
      ratio: many.ours / few.ours,
      goal: exponent > 0 ? 1.3 : Infinity,
      ...less,
      peer: `itself; the bare loop grows ${growth("bare")} times, ` +
        `entry and word alone ${growth("least")}`,
    },
  ];
}

/** Bytes of the engine for each resident page, its 4096 left out. */
function memoryRow(): Row {
  const pages = 200_000;
  const collect = (globalThis as { gc?: () => void }).gc;
  const used = () => {
    collect?.();
    collect?.();
    const { heapUsed, external } = Deno.memoryUsage();
    return heapUsed + external;
  };
  const before = used();
  const { machine } = resident(pages);
  const bytes = used() - before - machine.k.memory.length;
  return {
    name: "memory: bytes beside each page",
    ratio: bytes / pages,
    peer: collect === undefined ? "not collected: --expose-gc" : "a count",
    goal: 64,
    better: "less",
  };
}

/** Swap traffic: a process of twice the memory reads and writes. */
function traffic(traceEvents: number): Machine {
  const machine = makeMachine({ frames: 512, shadow: false, traceEvents });
  const process = machine.spawn({ pages: 1000 });
  process.fill(makePageSource("python", 1));
  const rng = makeRng(5);
  for (let i = 0; i < 6000; i++) process.touch(nextBelow(rng, 1000), i % 2 > 0);
  return machine;
}

/**
 * The engine without calls of emit() does not exist, so that time is reckoned:
 * the time with tracing off, less so many calls that do nothing.
 */
function traceRow(): Row {
  const { events, dropped } = traffic(1 << 22).k.trace;
  const calls = events.length + dropped;
  const off = makeTrace(0);
  const nothing = () => {
    for (let i = 0; i < calls; i++) {
      const what = `compressed to ${i} bytes`;
      emit(off, { time: i, fn: "zswap_store", what, pfn: i, slot: `0:${i}` });
    }
  };
  const [whole, idle] = takeTurns(7, [
    { work: () => void traffic(0) },
    { work: nothing },
  ]);
  return {
    name: "trace: off",
    ratio: whole! / (whole! - idle!),
    peer: `reckoned without its ${calls} calls`,
    goal: 1.03,
    better: "less",
  };
}

/** The last one of the rows: what the compiler has seen it does not forget. */
function faultedRow(): Row {
  const { ours, bare } = timesOf(1_000_000, 0.9, true);
  return {
    name: "access: 10^6 pages, Zipf 0.9, after faults",
    ratio: ours / bare,
    goal: Infinity,
    better: "less",
    peer: "the same loop on a typed array",
  };
}

/** All rows; takes 5 GiB of memory for a moment. */
export function accessRowsAll(): Row[] {
  return [
    memoryRow(),
    ...accessRows(0.9, "Zipf 0.9"),
    ...accessRows(0, "uniform"),
    faultedRow(),
    traceRow(),
  ];
}
