/**
 * Running programs on a machine, and watching the counters meanwhile. Ours.
 */
import { nr_free_pages } from "../mm/page_alloc.ts";
import { zswap_total_pages } from "../mm/zswap_pool.ts";
import type { Machine } from "./machine.ts";
import type { Access } from "./pattern.ts";
import { zipf } from "./pattern.ts";
import type { Process } from "./process.ts";

/** The state after so many accesses. Counts are since boot. */
export type Sample = {
  readonly access: number;
  /** Simulated time since boot. */
  readonly microseconds: number;
  readonly free_pages: number;
  /** Pages that zswap holds, and frames that its pool takes for them. */
  readonly stored_pages: number;
  readonly pool_pages: number;
  readonly pgmajfault: number;
  readonly zswpin: number;
  readonly pswpin: number;
  readonly pswpout: number;
};

/** What one process does. */
export interface Program {
  readonly process: Process;
  readonly accesses: Iterable<Access>;
}

/**
 * runWorkload() - let programs run in turns, one access each.
 *
 * @param sampleEvery a sample after so many accesses of all together, one
 *   before the first and one after the last
 * @returns the samples
 */
export function runWorkload(
  machine: Machine,
  programs: readonly Program[],
  sampleEvery: number = 100,
): Sample[] {
  if (!Number.isInteger(sampleEvery) || sampleEvery < 1) {
    throw new RangeError(
      `sampleEvery: wanted a whole number ≥ 1, got ${sampleEvery}`,
    );
  }
  const samples = [takeSample(machine, 0)];
  const running = programs.map(({ process, accesses }) => ({
    process,
    next: accesses[Symbol.iterator](),
  }));
  let count = 0;
  while (running.length > 0) {
    for (const program of [...running]) {
      const { done, value } = program.next.next();
      if (done) {
        running.splice(running.indexOf(program), 1);
        continue;
      }
      program.process.touch(value.page, value.write);
      count++;
      if (count % sampleEvery === 0) samples.push(takeSample(machine, count));
    }
  }
  if (count % sampleEvery !== 0) samples.push(takeSample(machine, count));
  return samples;
}

function takeSample({ k }: Machine, access: number): Sample {
  return {
    access,
    microseconds: k.clock.now / 1000,
    free_pages: nr_free_pages(k),
    stored_pages: k.zswap.stored_pages,
    pool_pages: zswap_total_pages(k),
    pgmajfault: k.vm_event.pgmajfault,
    zswpin: k.vm_event.zswpin,
    pswpin: k.vm_event.pswpin,
    pswpout: k.vm_event.pswpout,
  };
}

export interface ForkOptions {
  /** Children, one after the other. */
  readonly children: number;
  /** Accesses of each child. */
  readonly count: number;
  /** Share of them that write, 0 … 1; 0.5 if left out. */
  readonly writeFraction?: number;
  /** 1 if left out. */
  readonly seed?: number;
}

/**
 * runForks() - a server that forks for each request: the child uses some of
 * the parent's pages, changes a few, and ends.
 *
 * @returns a sample before the first child and after each one's end
 */
export function runForks(
  machine: Machine,
  parent: Process,
  options: ForkOptions,
): Sample[] {
  const { children, count, writeFraction = 0.5, seed = 1 } = options;
  if (!Number.isInteger(children) || children < 1) {
    throw new RangeError(
      `children: wanted a whole number ≥ 1, got ${children}`,
    );
  }
  const samples = [takeSample(machine, 0)];
  for (let i = 0; i < children; i++) {
    const { pages } = parent;
    const accesses = zipf({ pages, count, writeFraction, seed: seed + i });
    const child = parent.fork();
    runWorkload(machine, [{ process: child, accesses }], count);
    child.exit();
    samples.push(takeSample(machine, (i + 1) * count));
  }
  return samples;
}
