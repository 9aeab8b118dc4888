/** Small machines for the tests of lib/mm; every invariant is checked. */
import { type Machine, makeMachine } from "swaplab/lab/machine.ts";
import type { MachineOptions } from "swaplab/lab/options.ts";
import { makePageSource, type PageKind } from "swaplab/lab/pages.ts";
import type { Process } from "swaplab/lab/process.ts";
import { entryAt } from "swaplab/lab/entry.ts";
import type { Kernel } from "swaplab/mm/mm_types.ts";
import { folio_alloc, GFP_KERNEL } from "swaplab/mm/page_alloc.ts";
import { folio_alloc_swap } from "swaplab/mm/swap_slots.ts";
import {
  swp_entry,
  swp_offset,
  swp_type,
  type SwpEntry,
} from "swaplab/mm/swapops.ts";
import type { Task } from "swaplab/sim/task.ts";

export interface Scene {
  readonly machine: Machine;
  readonly program: Process;
}

/** A machine of 64 frames and a process of 100 pages, nothing written yet. */
export function scene(options: MachineOptions = {}): Scene {
  const machine = makeMachine({ frames: 64, debug: true, ...options });
  return { machine, program: machine.spawn({ pages: 100 }) };
}

/** The 4096 bytes of page `index` of a kind. */
export function pageOf(kind: PageKind, index = 0): Uint8Array {
  const bytes = new Uint8Array(4096);
  makePageSource(kind, 1).fill(index, bytes);
  return bytes;
}

/** Write other pages until page `page` is in swap. */
export function pushOut(
  { program }: Scene,
  page: number,
  kind: PageKind = "text",
): void {
  for (let other = program.pages - 1; other > 0; other--) {
    if (program.whereabouts(page) === "swap") return;
    if (other !== page) program.write(other, pageOf(kind, other));
  }
  throw new Error(`page ${page} is still in ${program.whereabouts(page)}`);
}

/** The slot that a page's entry names. */
export function slotOf(program: Process, page: number): SwpEntry {
  const slot = entryAt(program, page).slot;
  if (slot === null) throw new Error(`page ${page} has no slot`);
  const [type, offset] = slot.split(":").map(Number);
  return swp_entry(type!, offset!);
}

/** folio_alloc_swap() for a fresh folio of nobody's. */
export function* allocSlot(k: Kernel): Task<SwpEntry | null> {
  const folio = yield* folio_alloc(k, GFP_KERNEL);
  return yield* folio_alloc_swap(k, folio!);
}

/** The byte of the map for a slot. */
export function byteOf({ machine }: Scene, slot: SwpEntry): number {
  return machine.k.swap_info[swp_type(slot)]!.swap_map[swp_offset(slot)]!;
}

/** Let a task go on until it is about to do `what`; its value if it ended. */
export function stepUntil<T>(task: Task<T>, what: string): T | undefined {
  for (;;) {
    const { done, value } = task.next();
    if (done) return value;
    if (value.what.includes(what)) return undefined;
    if (value.ready?.() === false) throw new Error(`it waits: ${value.what}`);
  }
}
