/**
 * Every interleaving, one after the other, perhaps with a bound on how often
 * an actor is interrupted that could have gone on. Ours.
 */
import type { Run, Scheduler, View } from "./execute.ts";
import { lowestActor } from "./mask.ts";

/** One step of the current run and what is left to try there. */
interface Frame {
  chosen: number;
  /** Actors still to be tried here. */
  todo: number;
  /** Preemptions before this step. */
  readonly preemptions: number;
  /** The actor of the step before, if it could have gone on; else −1. */
  readonly could: number;
}

export interface Dfs extends Scheduler {
  /** Runs that the bound forbade were left out. */
  bounded(): boolean;
}

/** @param bound most preemptions in a run; null for all interleavings */
export function dfs(bound: number | null): Dfs {
  const stack: Frame[] = [];
  let runs = 0;
  let leftOut = false;

  function frameOf({ enabled, last }: View): Frame {
    const before = stack.at(-1);
    const preempted = before !== undefined && before.could >= 0 &&
      before.could !== before.chosen;
    const preemptions = (before?.preemptions ?? 0) + (preempted ? 1 : 0);
    const could = last >= 0 && (enabled & (1 << last)) !== 0 ? last : -1;
    let todo = enabled;
    if (could >= 0 && bound !== null && preemptions >= bound) {
      if (enabled !== 1 << could) leftOut = true;
      todo = 1 << could;
    }
    // Who ran goes on first: the first runs are those with few switches.
    const chosen = could >= 0 ? could : lowestActor(todo);
    return { chosen, todo: todo & ~(1 << chosen), preemptions, could };
  }

  return {
    begin() {
      if (runs++ === 0) return true;
      while (stack.length > 0 && stack.at(-1)!.todo === 0) stack.pop();
      const frame = stack.at(-1);
      if (frame === undefined) return false;
      frame.chosen = lowestActor(frame.todo);
      frame.todo &= ~(1 << frame.chosen);
      return true;
    },
    choose(view: View): number {
      if (view.depth === stack.length) stack.push(frameOf(view));
      return stack[view.depth]!.chosen;
    },
    end(run: Run) {
      stack.length = run.steps.length;
    },
    bounded: () => leftOut,
  };
}
