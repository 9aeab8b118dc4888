/**
 * A litmus test: a machine, a few who act on it, one question. Ours.
 *
 * Each is one story of a thread, told in variants: some that break, some that
 * hold. The engine's own code runs in all interleavings; whether a race is
 * possible is never prose.
 */
import { idleUntilNextEvent } from "../../sim/clock.ts";
import type { Actor, Program, ViolationKind } from "../../sim/execute.ts";
import type { Task } from "../../sim/task.ts";
import type { TaskStruct } from "../../mm/mm_types.ts";
import type { Proposals } from "../../proposals.ts";
import type { Machine } from "../machine.ts";

/** Somebody who acts, and in whose name. */
export interface StageActor {
  readonly name: string;
  readonly who: TaskStruct;
  readonly task: Task<unknown>;
}

/** The machine at the moment at which the race begins. */
export interface Stage {
  readonly machine: Machine;
  readonly actors: readonly StageActor[];
  /** What must hold after each step; throws KernelBug. */
  readonly check?: () => void;
  /** The shared state in a few words, for pictures: "counter 1". */
  readonly watch?: () => string;
  /** All have ended: the outcome, in a word or two; throws KernelBug. */
  readonly finish: () => string;
}

/** One way to run a litmus test, and what has to come of it. */
export interface Variant {
  /** What differs from v6.12. */
  readonly proposals: Partial<Proposals>;
  /** "holds", or how it breaks; all the ways, in alphabetical order. */
  readonly expect: "holds" | ViolationKind | readonly ViolationKind[];
}

export interface Litmus {
  readonly name: string;
  /** "003"; null for what no thread is about. */
  readonly thread: string | null;
  /** The question, in one line. */
  readonly about: string;
  /** Most preemptions in a run; null for all interleavings. */
  readonly bound: number | null;
  /** By name; "v6.12" first, and one at least that breaks. */
  readonly variants: { readonly "v6.12": Variant } & {
    readonly [name: string]: Variant;
  };
  /**
   * @param variant its name, for those that differ by more than a switch
   */
  readonly stage: (proposals: Partial<Proposals>, variant: string) => Stage;
}

/** The program to explore: a variant, on a machine with these switches. */
export function programOf(
  litmus: Litmus,
  proposals: Partial<Proposals>,
  variant: string = "v6.12",
): Program {
  return {
    name: litmus.name,
    start() {
      const stage = litmus.stage(proposals, variant);
      const { machine, actors, check, watch, finish } = stage;
      const { k } = machine;
      return {
        actors: actors as readonly Actor[],
        switchTo: (actor) => void (k.current = actors[actor]!.who),
        idle: () => idleUntilNextEvent(k.clock),
        listen: (told) => void (k.trace.calls = told),
        finish,
        ...(check === undefined ? {} : { check }),
        ...(watch === undefined ? {} : { watch }),
      };
    },
  };
}
