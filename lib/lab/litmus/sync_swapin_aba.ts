/**
 * Thread 003: two threads fault on one page of a RAM disk; the slot comes back.
 *
 * CPU0 reads the slot past the swap cache and is slow. CPU1 does the same, is
 * done, writes the page, and the page is swapped out again: to the same slot,
 * if that was free. CPU0 finds its entry as it was, and maps what it read:
 * the write is lost. Ours.
 */
import type { Proposals } from "../../proposals.ts";
import { loadWord } from "../race.ts";
import type { Litmus, Stage } from "./litmus.ts";
import {
  swappedPage,
  threadActor,
  wordAtEnd,
  writeAndSwapOut,
} from "./stage.ts";

function stage(proposals: Partial<Proposals>): Stage {
  const scene = swappedPage({
    // One slot: what is freed is what is given out next.
    swap: { kind: "brd", pages: 2 },
    zswap: { enabled: false },
    proposals,
  });
  const { machine, k, program, expected } = scene;
  return {
    machine,
    actors: [
      threadActor(program, "reader", 0, loadWord(k, program, 0, expected)),
      threadActor(program, "writer", 1, writeAndSwapOut(scene)),
    ],
    finish: () => wordAtEnd(scene),
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
