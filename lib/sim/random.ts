/** A scheduler that chooses by lot, for a number of runs. Ours. */
import type { Scheduler, View } from "./execute.ts";
import { makeRng, nextBelow } from "./rng.ts";

/** The actor of the `index`-th set bit of `mask`, from 0. */
export function nthActor(mask: number, index: number): number {
  let rest = mask;
  for (let i = 0; i < index; i++) rest &= rest - 1;
  return 31 - Math.clz32(rest & -rest);
}

export function countActors(mask: number): number {
  let count = 0;
  for (let rest = mask; rest !== 0; rest &= rest - 1) count++;
  return count;
}

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
