/**
 * Thread 003: two threads fault on one page of a RAM disk; the slot comes back.
 *
 * CPU0 reads the slot past the swap cache and is slow. CPU1 does the same, is
 * done, writes the page, and the page is swapped out again: to the same slot,
 * if that was free. CPU0 finds its entry as it was, and maps what it read:
 * the write is lost. Ours.
 */
import { xa_load } from "../../base/xarray.ts";
import type { Proposals } from "../../proposals.ts";
import type { Program } from "../../sim/execute.ts";
import type { Task } from "../../sim/task.ts";
import { entryAt } from "../entry.ts";
import { loadWord } from "../race.ts";
import { type Litmus, programOf, type Stage } from "./litmus.ts";
import {
  type Scene,
  swappedPage,
  threadActor,
  wordAtEnd,
  writeAndSwapOut,
} from "./stage.ts";

/** Where a race may differ from the litmus test's own. */
export interface AbaOptions {
  /** brd; a zram forgets what was in a slot when the slot is freed. */
  readonly device?: "brd" | "zram";
  /** Slots of the device; 1: what is freed is what is given out next. */
  readonly slots?: number;
  /** How often the writer writes the page and has it swapped out; 1. */
  readonly rounds?: number;
  /** The CPU on which the writer is; 1. The page went out first on CPU 0. */
  readonly writerCpu?: 0 | 1;
}

function* writeManyTimes(scene: Scene, rounds: number): Task {
  for (let i = 0; i < rounds; i++) yield* writeAndSwapOut(scene);
}

// #region stage
function stage(
  proposals: Partial<Proposals>,
  { device = "brd", slots = 1, rounds = 1, writerCpu = 1 }: AbaOptions = {},
): Stage {
  // A page of 4096 bytes that holds 1 and is in swap: in slot 1.
  const scene = swappedPage({
    // The first page of a device is its header.
    swap: { kind: device, pages: slots + 1 },
    zswap: { enabled: false },
    proposals,
  });
  const { machine, k, program, expected } = scene;
  return {
    machine,
    actors: [
      threadActor(program, "reader", 0, loadWord(k, program, 0, expected)),
      threadActor(program, "writer", writerCpu, writeManyTimes(scene, rounds)),
    ],
    watch: () => watchSlot(scene),
    finish: () => wordAtEnd(scene),
  };
}
// #endregion

/** "PTE: slot 1, map: 0x41, cache: empty": all that there is about slot 1. */
function watchSlot({ k, program }: Scene): string {
  const { frame, slot } = entryAt(program, 0);
  const si = k.swap_info[0]!;
  const byte = si.swap_map[1]!.toString(16).padStart(2, "0");
  const cached = xa_load(si.swapper_spaces[0]!.xa, 1);
  const pte = slot === null ? frameName(frame) : `slot ${slot.slice(2)}`;
  const found = cached !== null && typeof cached === "object";
  const cache = frameName(found ? cached.pfn : null);
  return `PTE: ${pte}, map: 0x${byte}, cache: ${cache}`;
}

function frameName(frame: number | null): string {
  return frame === null ? "empty" : `frame ${frame}`;
}

/** abaProgram() - the litmus test on another device, or with more rounds. */
export function abaProgram(
  proposals: Partial<Proposals>,
  options: AbaOptions,
): Program {
  const larger = { ...syncSwapinAba, stage: () => stage(proposals, options) };
  return programOf(larger, proposals);
}

export const syncSwapinAba: Litmus = {
  name: "sync-swapin-aba",
  thread: "003",
  about: "can a slot come back to its page while a read around the cache runs?",
  bound: null,
  variants: {
    "v6.12": { proposals: {}, expect: "holds" },
    "no pin": {
      proposals: { sync_swapin_pin: "none" },
      expect: "corruption",
    },
    "count of two": {
      proposals: { sync_swapin_pin: "count" },
      expect: "corruption",
    },
    "pin and tick": {
      proposals: { sync_swapin_backoff: "tick" },
      expect: "holds",
    },
  },
  stage: (proposals) => stage(proposals),
};
