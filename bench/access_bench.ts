/**
 * What a resident access costs beside the same loop on a bare typed array,
 * how that grows with the number of pages, what the engine keeps for each
 * page, and what tracing costs that is switched off. Ours.
 *
 * The shadow is off: it is the laboratory's check, not the engine's work.
 */
import { type Machine, makeMachine } from "swaplab/lab/machine.ts";
import { makePageSource } from "swaplab/lab/pages.ts";
import type { Process } from "swaplab/lab/process.ts";
import { makeRng, nextBelow } from "swaplab/sim/rng.ts";
import { emit, makeTrace } from "swaplab/sim/trace.ts";
import type { Row } from "./row.ts";
import { takeTurns } from "./turns.ts";

const accesses = 1_000_000;

/** A machine with room, and a process that has written all its pages. */
function resident(pages: number): { machine: Machine; process: Process } {
  const machine = makeMachine({
    frames: pages + (pages >> 3) + 64,
    swap: false,
    shadow: false,
    traceEvents: 0,
  });
  const process = machine.spawn({ pages });
  for (let page = 0; page < pages; page++) process.touch(page, true);
  return { machine, process };
}

/** Which page each access goes to: the same for both. */
function drawPages(pages: number): Uint32Array {
  const rng = makeRng(1);
  return Uint32Array.from({ length: accesses }, () => nextBelow(rng, pages));
}

function ours(process: Process, order: Uint32Array): () => void {
  return () => {
    for (let i = 0; i < order.length; i++) process.touch(order[i]!, true);
  };
}

function bare(pages: number, order: Uint32Array): () => void {
  const words = new Uint32Array(pages * 1024).fill(1);
  return () => {
    for (let i = 0; i < order.length; i++) words[order[i]! * 1024 + 1023]!++;
  };
}

function accessRows(): Row[] {
  const [few, many] = [10_000, 1_000_000];
  const [ordersFew, ordersMany] = [drawPages(few), drawPages(many)];
  const [a, b, c, d] = takeTurns(7, [
    ours(resident(few).process, ordersFew),
    bare(few, ordersFew),
    ours(resident(many).process, ordersMany),
    bare(many, ordersMany),
  ]);
  const less = { better: "less" } as const;
  const growth = (d! / b!).toFixed(2);
  return [
    {
      name: "access: resident, 10^4 pages",
      ratio: a! / b!,
      peer: "the same loop on a typed array",
      goal: 3,
      ...less,
    },
    {
      name: "access: 10^6 pages to 10^4",
      ratio: c! / a!,
      peer: `itself; the bare loop grows ${growth} times`,
      goal: 1.3,
      ...less,
    },
  ];
}

/** Bytes of the engine for each resident page, its 4096 left out. */
function memoryRow(): Row {
  const pages = 200_000;
  const collect = (globalThis as { gc?: () => void }).gc;
  const used = () => {
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
  const [whole, idle] = takeTurns(7, [() => void traffic(0), () => {
    for (let i = 0; i < calls; i++) {
      const what = `compressed to ${i} bytes`;
      emit(off, { time: i, fn: "zswap_store", what, pfn: i, slot: `0:${i}` });
    }
  }]);
  return {
    name: "trace: off",
    ratio: whole! / (whole! - idle!),
    peer: `reckoned without its ${calls} calls`,
    goal: 1.03,
    better: "less",
  };
}

/** All rows; takes 5 GiB of memory for a moment. */
export function accessRowsAll(): Row[] {
  return [memoryRow(), ...accessRows(), traceRow()];
}
