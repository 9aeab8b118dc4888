/** A scheduler that chooses by lot, for a number of runs. Ours. */
import type { Scheduler, View } from "./execute.ts";
import { countActors, nthActor } from "./mask.ts";
import { makeRng, nextBelow } from "./rng.ts";

export function randomScheduler(seed: number, runs: number): Scheduler {
  const rng = makeRng(seed);
  let left = runs;
  return {
    begin: () => left-- > 0,
    choose({ enabled }: View): number {
      return nthActor(enabled, nextBelow(rng, countActors(enabled)));
    },
    end() {},
  };
}
