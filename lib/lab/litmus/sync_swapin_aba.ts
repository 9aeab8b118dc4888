/**
 * Thread 003: two threads fault on one page of a RAM disk; the slot comes back.
 *
 * CPU0 reads the slot past the swap cache and is slow. CPU1 does the same, is
 * done, writes the page, and the page is swapped out again: to the same slot,
 * if that was free. CPU0 finds its entry as it was, and maps what it read:
 * the write is lost. Ours.
 */
import type { Proposals } from "../../proposals.ts";
import { makeMachine } from "../machine.ts";
import {
  type Expected,
  loadWord,
  makeExpected,
  pageOut,
  storeWord,
  threadOf,
} from "../race.ts";
import type { Process } from "../process.ts";
import type { Kernel } from "../../mm/mm_types.ts";
import type { Task } from "../../sim/task.ts";
import { type Litmus, type Stage, stageActor } from "./litmus.ts";

/** Writes the page and has it swapped out: the slot is used again. */
function* writeAndSwapOut(
  k: Kernel,
  process: Process,
  expected: Expected,
): Task {
  yield* storeWord(k, process, 0, 2, expected);
  yield* pageOut(k, process, 0);
}

function stage(proposals: Partial<Proposals>): Stage {
  const machine = makeMachine({
    frames: 24,
    cpus: 2,
    pageCluster: 0,
    // One slot: what is freed is what is given out next.
    swap: { kind: "brd", pages: 2 },
    zswap: { enabled: false },
    shadow: false,
    traceEvents: 0,
    proposals,
  });
  const { k } = machine;
  const program = machine.spawn({ pages: 1 });
  const expected = makeExpected();
  machine.run(storeWord(k, program, 0, 1, expected), program.task);
  machine.run(pageOut(k, program, 0), program.task);
  return {
    machine,
    actors: [
      stageActor(
        "CPU0",
        threadOf(program, "reader", 0),
        loadWord(k, program, 0, expected),
      ),
      stageActor(
        "CPU1",
        threadOf(program, "writer", 1),
        writeAndSwapOut(k, program, expected),
      ),
    ],
    finish() {
      const last = machine.run(loadWord(k, program, 0, expected), program.task);
      return `the page holds ${last}`;
    },
  };
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
  stage,
};
