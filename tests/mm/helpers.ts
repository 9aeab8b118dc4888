/** Small machines for the tests of lib/mm; every invariant is checked. */
import { type Machine, makeMachine } from "swaplab/lab/machine.ts";
import type { MachineOptions } from "swaplab/lab/options.ts";
import { makePageSource, type PageKind } from "swaplab/lab/pages.ts";
import type { Process } from "swaplab/lab/process.ts";
import { entryAt } from "swaplab/lab/entry.ts";
import { swp_entry, type SwpEntry } from "swaplab/mm/swapops.ts";

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
