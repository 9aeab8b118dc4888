/**
 * Every interleaving that can differ, each once: source sets and sleep sets.
 *
 * Two steps of different actors are dependent if they touch the same object
 * and not both only read it; and if one of them, whatever it does, is made
 * while its actor has a lock, and the other one touches what the lock guards
 * without taking it: the first may be about to change that. Runs that differ
 * only in the order of independent steps are the same; of each such class one
 * run is made. After a run, every pair of dependent steps that could have
 * come the other way round (a race) asks for a run in which it does.
 *
 * The algorithm is that of Abdulla, Aronis, Jonsson and Sagonas, "Optimal
 * dynamic partial order reduction", POPL 2014 (source-DPOR). With a bound on
 * preemptions sleep sets are off and each request is also made where the
 * actor's steps in a row begin (Coons, Musuvathi, McKinley, OOPSLA 2013).
 * Ours.
 */
import { SimError } from "../base/bug.ts";
import {
  findConflicts,
  findRaces,
  isLoose,
  isTry,
  onlyReads,
  touchesNothing,
} from "./dpor_races.ts";
import type { Run, Scheduler, View } from "./execute.ts";
import { lowestActor } from "./mask.ts";
import type { Op } from "./task.ts";

/** The state before one step. Masks have bit n for actor n. */
interface Frame {
  chosen: number;
  readonly enabled: number;
  /** Whose next step leads only to what has been seen already. */
  readonly sleep: number;
  /** Who has to be tried here, and who has been. */
  backtrack: number;
  done: number;
  /** By actor: the object of its pending operation, and whether it reads. */
  readonly objects: readonly number[];
  readonly reads: number;
  /** By actor: who is about to touch, without the lock, what it has locked. */
  readonly guarded: readonly number[];
  /** By actor: who is about to try a lock that it has. */
  readonly tried: readonly number[];
  /** By actor: the locks that it has. */
  readonly held: readonly (readonly Op[])[];
  /** Whose next step is a trylock. */
  readonly tries: number;
  /** By actor whose step has been made: the locks that it gave back in it. */
  readonly released: (readonly number[])[];
  /** Preemptions before this step, and who could have gone on; −1: nobody. */
  readonly preemptions: number;
  readonly could: number;
}

export interface Dpor extends Scheduler {
  /** Runs that the bound forbade were left out. */
  bounded(): boolean;
  /** Runs given up since all they lead to was seen. */
  blocked(): number;
}

/** The object that an actor's next step touches; −1 for none. */
function touched({ pending, objects }: View, actor: number): number {
  const op = pending[actor] ?? null;
  return op === null || touchesNothing(op) ? -1 : objects[actor]!;
}

/** For each actor, those about to do such an operation on what it has locked. */
function outside(
  { pending, held }: View,
  isSuch: (op: Op) => boolean,
): number[] {
  return held.map((locks, owner) => {
    let mask = 0;
    if (locks.length === 0) return mask;
    for (const [actor, op] of pending.entries()) {
      if (actor === owner || op === null || !isSuch(op)) continue;
      if (locks.some(({ object }) => object === op.object)) mask |= 1 << actor;
    }
    return mask;
  });
}

/** @param bound most preemptions in a run; null for all interleavings */
export function dpor(bound: number | null = null): Dpor {
  const stack: Frame[] = [];
  /** The first step that this run does not share with the one before. */
  let fresh = 0;
  let runs = 0;
  let blockedRuns = 0;
  let leftOut = false;

  function begin(): boolean {
    if (runs++ === 0) return true;
    for (;;) {
      const frame = stack.at(-1);
      if (frame === undefined) return false;
      frame.done |= 1 << frame.chosen;
      const todo = allowed(
        frame,
        frame.backtrack & frame.enabled & ~frame.done & ~frame.sleep,
      );
      if (todo !== 0) {
        frame.chosen = lowestActor(todo);
        fresh = stack.length - 1;
        return true;
      }
      stack.pop();
    }
  }

  /** Those of `mask` who may go on within the bound. */
  function allowed(frame: Frame, mask: number): number {
    if (bound === null || frame.could < 0) return mask;
    if (frame.preemptions < bound) return mask;
    const within = mask & (1 << frame.could);
    if (within !== mask) leftOut = true;
    return within;
  }

  function choose(view: View): number {
    if (view.depth < stack.length) return again(view);
    const frame = frameOf(view);
    if (frame === null) {
      blockedRuns++;
      return -1;
    }
    stack.push(frame);
    return frame.chosen;
  }

  function again(view: View): number {
    const frame = stack[view.depth]!;
    const { chosen } = frame;
    const same = frame.enabled === view.enabled &&
      frame.objects[chosen] === touched(view, chosen);
    if (!same) {
      throw new SimError(
        `Nondeterminism: step ${view.depth + 1} is not what it was before`,
      );
    }
    return chosen;
  }

  function frameOf(view: View): Frame | null {
    const { enabled, last } = view;
    const sleep = bound === null ? sleepOf(view) : 0;
    const awake = enabled & ~sleep;
    if (awake === 0) return null;
    const could = last >= 0 && (enabled & (1 << last)) !== 0 ? last : -1;
    const goesOn = could >= 0 && (awake & (1 << could)) !== 0;
    const chosen = goesOn ? could : lowestActor(awake);
    let reads = 0;
    let tries = 0;
    for (const [actor, op] of view.pending.entries()) {
      if (op === null) continue;
      if (onlyReads(op)) reads |= 1 << actor;
      if (isTry(op)) tries |= 1 << actor;
    }
    return {
      chosen,
      enabled,
      sleep,
      // With a bound, whoever may begin where it costs nothing has to.
      backtrack: bound !== null && could < 0 ? enabled : 1 << chosen,
      done: 0,
      objects: view.pending.map((_, actor) => touched(view, actor)),
      reads,
      guarded: outside(view, isLoose),
      tried: outside(view, isTry),
      held: view.held.map((locks) => locks.slice()),
      tries,
      released: stack.at(-1)?.released.slice() ?? [],
      preemptions: preemptionsBefore(),
      could,
    };
  }

  function preemptionsBefore(): number {
    const before = stack.at(-1);
    if (before === undefined) return 0;
    const preempted = before.could >= 0 && before.could !== before.chosen;
    return before.preemptions + (preempted ? 1 : 0);
  }

  /** Who sleeps behind the top of the stack. */
  function sleepOf({ held }: View): number {
    const parent = stack.at(-1);
    if (parent === undefined) return 0;
    const { chosen, objects, reads, guarded, tried } = parent;
    const gaveBack = parent.held[chosen]!.some((lock) =>
      !held[chosen]!.includes(lock)
    );
    const inside = guarded[chosen]! | (gaveBack ? tried[chosen]! : 0);
    const object = objects[chosen]!;
    const read = (reads & (1 << chosen)) !== 0;
    const isTrying = (parent.tries & (1 << chosen)) !== 0;
    let sleep = 0;
    let candidates = (parent.sleep | parent.done) & ~(1 << chosen);
    for (; candidates !== 0; candidates &= candidates - 1) {
      const actor = lowestActor(candidates);
      const bothRead = read && (reads & (1 << actor)) !== 0;
      const same = object >= 0 && objects[actor] === object && !bothRead;
      const inSection = (inside & (1 << actor)) !== 0 ||
        (guarded[actor]! & (1 << chosen)) !== 0 ||
        (isTrying && parent.released[actor]!.includes(object));
      if (!same && !inSection) sleep |= 1 << actor;
    }
    return sleep;
  }

  function end(run: Run): void {
    stack.length = Math.min(stack.length, run.steps.length);
    for (let at = fresh; at < stack.length; at++) {
      const { actor, released } = run.steps[at]!;
      stack[at]!.released[actor] = released;
    }
    if (run.end === "violation") stoppedAt(run.steps.length - 1);
    if (bound === null) findRaces(run, fresh, request);
    else findConflicts(run, fresh, requestBounded);
  }

  /** The machine stopped: whoever else could have gone on may, before. */
  function stoppedAt(step: number): void {
    const frame = stack[step];
    if (frame !== undefined) frame.backtrack |= frame.enabled;
  }

  /** One of `initials` has to be tried before step `at`. */
  function request(at: number, initials: number, wanted: number): void {
    const frame = stack[at]!;
    if ((initials & frame.backtrack) !== 0) return;
    const possible = initials & frame.enabled;
    if (possible === 0) frame.backtrack |= frame.enabled;
    else if ((possible & (1 << wanted)) !== 0) frame.backtrack |= 1 << wanted;
    else frame.backtrack |= 1 << lowestActor(possible);
  }

  /**
   * Before step `at`, wherever before it somebody else's turn begins, and up
   * to `until`, where the actor would wait for a lock: a turn that ends so
   * costs nothing.
   */
  function requestBounded(at: number, until: number, actor: number): void {
    for (let start = until; start >= 0; start--) {
      const begins = start === 0 ||
        stack[start - 1]!.chosen !== stack[start]!.chosen;
      if (start < at && !begins) continue;
      const frame = stack[start]!;
      const possible = frame.enabled & (1 << actor);
      frame.backtrack |= possible === 0 ? frame.enabled : possible;
    }
  }

  return {
    begin,
    choose,
    end,
    bounded: () => leftOut,
    blocked: () => blockedRuns,
  };
}
