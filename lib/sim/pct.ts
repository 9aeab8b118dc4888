/**
 * Probabilistic concurrency testing: priorities by lot, lowered at a few
 * chosen steps. Ours.
 *
 * A bug that needs d ordering constraints is found in a run with a chance of
 * at least 1 / (n · k^(d−1)), for n actors and k steps (Burckhardt et al.,
 * ASPLOS 2010).
 */
import type { Run, Scheduler, View } from "./execute.ts";
import { makeRng, nextBelow, shuffle } from "./rng.ts";

export interface PctOptions {
  readonly seed: number;
  readonly runs: number;
  /** d: changes of priority, plus one. */
  readonly depth: number;
}

export function pct({ seed, runs, depth }: PctOptions): Scheduler {
  const rng = makeRng(seed);
  let left = runs;
  let longest = 1;
  let priorities: number[] = [];
  let changes: number[] = [];
  return {
    begin() {
      priorities = [];
      changes = Array.from(
        { length: depth - 1 },
        () => nextBelow(rng, longest),
      );
      return left-- > 0;
    },
    choose({ enabled, depth: step, last, pending }: View): number {
      if (priorities.length === 0) {
        priorities = shuffle(rng, pending.map((_, i) => depth + i));
      }
      const change = changes.indexOf(step);
      if (change >= 0 && last >= 0) priorities[last] = change;
      let best = -1;
      for (let actor = 0; actor < pending.length; actor++) {
        if ((enabled & (1 << actor)) === 0) continue;
        if (best < 0 || priorities[actor]! > priorities[best]!) best = actor;
      }
      return best;
    },
    end(run: Run) {
      longest = Math.max(longest, run.steps.length);
    },
  };
}
