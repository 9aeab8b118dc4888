/**
 * Thread 003's wait queue: who finds the slot pinned sleeps until the pin goes.
 *
 * The loser is on the queue only after it has seen the pin, and asleep only
 * after that: if the pin goes in between, nobody is woken. Nor is he who comes
 * when the slot is free already (-ENOENT): he sleeps as well. v6.12 knows that:
 * it sleeps for one tick at most, so that a lost wakeup costs a tick and no
 * more. "no timer" takes the tick away: then the loser sleeps for ever. Ours.
 */
import type { Proposals } from "../../proposals.ts";
import { TICK_NSEC } from "../../sim/clock.ts";
import { checkMachine } from "../invariants.ts";
import { loadWord } from "../race.ts";
import type { Litmus, Stage } from "./litmus.ts";
import { swappedPage, threadActor } from "./stage.ts";

function stage(proposals: Partial<Proposals>, variant: string): Stage {
  const { machine, k, program, expected } = swappedPage({
    swap: { kind: "brd", pages: 3 },
    zswap: { enabled: false },
    proposals,
  });
  const begin = k.clock.now;
  const timers = k.clock.events;
  return {
    machine,
    actors: [0, 1].map((cpu) =>
      threadActor(program, "reader", cpu, loadWord(k, program, 0, expected))
    ),
    ...(variant === "no timer" ? { check: () => void timers.splice(0) } : {}),
    finish() {
      const ticks = Math.floor((k.clock.now - begin) / TICK_NSEC);
      checkMachine(machine);
      if (ticks > 0) return "the loser slept a tick";
      return k.swapcache_wq.wakeups > 0 ? "the loser was woken" : "none slept";
    },
  };
}

export const wakeupLostInSwapcacheWq: Litmus = {
  name: "wakeup-lost-in-swapcache-wq",
  thread: "003",
  about: "can the loser of a swap-in sleep on after the pin has gone?",
  bound: null,
  variants: {
    "v6.12": { proposals: {}, expect: "holds" },
    "one tick": {
      proposals: { sync_swapin_backoff: "tick" },
      expect: "holds",
    },
    "no timer": { proposals: {}, expect: "lost wakeup" },
  },
  stage,
};
