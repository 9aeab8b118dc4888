/** A zram on a machine of its own, and pages of every kind. */
import { makeZramDevice } from "swaplab/lab/zram_device.ts";
import { makeMachine } from "swaplab/lab/machine.ts";
import type { Zram, ZramTableEntry } from "swaplab/block/zram_table.ts";
import type { BlockDevice } from "swaplab/block/bio.ts";
import type { Kernel } from "swaplab/mm/mm_types.ts";
import { makeSsd } from "swaplab/block/ssd.ts";
import { idleUntilNextEvent } from "swaplab/sim/clock.ts";
import { makeRng } from "swaplab/sim/rng.ts";
import { run as runTask, type Task } from "swaplab/sim/task.ts";
import {
  fillKernelPage,
  type KernelPageKind,
} from "../../lib/lab/kernel_pages.ts";
import { noFaults } from "./helpers.ts";

export function zramOf(
  options: {
    frames?: number;
    pages?: number;
    compressors?: string[];
    backing?: (k: Kernel) => BlockDevice;
  } = {},
): { k: Kernel; zram: Zram } {
  const { frames = 256, pages = 64, compressors, backing } = options;
  const { k } = makeMachine({ frames, swap: false, traceEvents: 0 });
  const zram = makeZramDevice(k, {
    pages,
    ...(compressors === undefined ? {} : { compressors }),
    ...(backing === undefined ? {} : { backing: backing(k) }),
  });
  return { k, zram };
}

/** A backing device of so many pages. */
export function backingOf(pages: number, faults = {}) {
  const times = { readNanoseconds: 80_000, writeNanoseconds: 40_000 };
  const options = { pages, queueDepth: 1, ...times, ...noFaults, ...faults };
  return (k: Kernel) => makeSsd(options, k.clock, makeRng(3));
}

/** Page number `i` of this kind, always the same. */
export function page(kind: KernelPageKind, i = 0): Uint8Array {
  const bytes = new Uint8Array(4096);
  fillKernelPage(bytes, kind, 7, i, 1);
  return bytes;
}

export function slot(zram: Zram, index: number): ZramTableEntry {
  return zram.table[index]!;
}

/** Run a task on the zram's machine until it ends. */
export function run<T>(zram: Zram, task: Task<T>): T {
  return runTask(task, () => idleUntilNextEvent(zram.clock));
}
