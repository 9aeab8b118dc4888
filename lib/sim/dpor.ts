/**
 * Every interleaving that can differ, each once: source sets and sleep sets.
 *
 * Two steps of different actors are dependent if they touch the same object
 * and not both only read it. Runs that differ only in the order of independent
 * steps are the same; of each such class one run is made. After a run, every
 * pair of dependent steps that could have come the other way round (a race)
 * asks for a run in which it does.
 *
 * The algorithm is that of Abdulla, Aronis, Jonsson and Sagonas, "Optimal
 * dynamic partial order reduction", POPL 2014 (source-DPOR). With a bound on
 * preemptions sleep sets are off and each request is also made where the
 * actor's steps in a row begin (Coons, Musuvathi, McKinley, OOPSLA 2013).
 * Ours.
 */
import { SimError } from "../base/bug.ts";
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

/** Touches nothing that others could see. */
function touchesNothing(op: Op): boolean {
  return op.kind === "resched";
}

/** The object that an actor's next step touches; −1 for none. */
function touched({ pending, objects }: View, actor: number): number {
  const op = pending[actor] ?? null;
  return op === null || touchesNothing(op) ? -1 : objects[actor]!;
}

function onlyReads(op: Op): boolean {
  return op.kind === "read" || op.kind === "wait";
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
    const sleep = bound === null ? sleepOf() : 0;
    const awake = enabled & ~sleep;
    if (awake === 0) return null;
    const could = last >= 0 && (enabled & (1 << last)) !== 0 ? last : -1;
    const goesOn = could >= 0 && (awake & (1 << could)) !== 0;
    const chosen = goesOn ? could : lowestActor(awake);
    let reads = 0;
    for (const [actor, op] of view.pending.entries()) {
      if (op === null) continue;
      if (onlyReads(op)) reads |= 1 << actor;
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
  function sleepOf(): number {
    const parent = stack.at(-1);
    if (parent === undefined) return 0;
    const { chosen, objects, reads } = parent;
    const object = objects[chosen]!;
    const read = (reads & (1 << chosen)) !== 0;
    let sleep = 0;
    let candidates = (parent.sleep | parent.done) & ~(1 << chosen);
    for (; candidates !== 0; candidates &= candidates - 1) {
      const actor = lowestActor(candidates);
      const bothRead = read && (reads & (1 << actor)) !== 0;
      if (object < 0 || objects[actor] !== object || bothRead) {
        sleep |= 1 << actor;
      }
    }
    return sleep;
  }

  function end(run: Run): void {
    stack.length = Math.min(stack.length, run.steps.length);
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

type Request = (at: number, initials: number, wanted: number) => void;

/** What is known of one object while the steps are gone through. */
interface Seen {
  /** The last step that wrote it, −1 for none; and its readers since. */
  write: number;
  readonly readers: number[];
  /** The step in which the lock was given back last, −1 for none. */
  release: number;
}

/**
 * Call `request` for each race whose second step is `fresh` or later.
 *
 * `clocks[step][actor]` is how many of the run's steps, up to that actor's last
 * one that must come before `step`, lie in front.
 */
function findRaces(run: Run, fresh: number, request: Request): void {
  // What was about to happen when nobody could go on counts as well.
  const steps = [...run.steps, ...run.pending];
  const actors = run.names.length;
  const clocks: Int32Array[] = [];
  const lastOf = new Int32Array(actors).fill(-1);
  const seen: Seen[] = [];
  /** What time that has passed puts before everything that follows. */
  let barrier = new Int32Array(actors);
  for (const [at, step] of steps.entries()) {
    if (step.afterIdle) barrier = lastOf.map((last) => last + 1);
    const clock = barrier.slice();
    const mine = lastOf[step.actor]!;
    if (mine >= 0) join(clock, clocks[mine]!);
    if (!touchesNothing(step.op)) {
      const object = seen[step.object] ??= {
        write: -1,
        readers: [],
        release: -1,
      };
      const before = conflicts(object, step.op);
      if (at >= fresh) racesOf(before, at, clock);
      for (const earlier of before) join(clock, clocks[earlier]!);
      if (object.release >= 0) join(clock, clocks[object.release]!);
      if (at < run.steps.length) remember(object, step.op, at);
    }
    clock[step.actor] = at + 1;
    clocks.push(clock);
    lastOf[step.actor] = at;
    for (const lock of step.released) {
      const object = seen[lock];
      if (object !== undefined) object.release = at;
    }
  }

  function racesOf(before: readonly number[], at: number, base: Int32Array) {
    for (const earlier of before) {
      const { actor } = steps[earlier]!;
      if (actor === steps[at]!.actor || base[actor]! > earlier) continue;
      const indirect = before.some((other) =>
        other !== earlier && clocks[other]![actor]! > earlier
      );
      if (!indirect) reverse(earlier, at, base, before);
    }
  }

  /** Ask for a run in which step `at` comes before step `earlier`. */
  function reverse(
    earlier: number,
    at: number,
    base: Int32Array,
    before: readonly number[],
  ): void {
    const first = steps[earlier]!.actor;
    const wanted = steps[at]!.actor;
    const own = base.slice();
    for (const other of before) {
      if (other !== earlier) join(own, clocks[other]!);
    }
    // Steps between the two that do not need the earlier one.
    let met = 0;
    let initials = 0;
    const between: number[] = [];
    const consider = (index: number, actor: number, clock: Int32Array) => {
      if ((met & (1 << actor)) !== 0) return;
      met |= 1 << actor;
      const free = between.every((x) => clock[steps[x]!.actor]! <= x);
      if (free) initials |= 1 << actor;
      between.push(index);
    };
    for (let x = earlier + 1; x < at; x++) {
      if (clocks[x]![first]! > earlier) continue;
      const { actor } = steps[x]!;
      if ((met & (1 << actor)) !== 0) between.push(x);
      else consider(x, actor, clocks[x]!);
    }
    consider(at, wanted, own);
    request(earlier, initials, wanted);
  }
}

/**
 * Call `request` for each pair of dependent steps, also those that others keep
 * in order: with a bound, the runs in between may be forbidden.
 */
function findConflicts(
  run: Run,
  fresh: number,
  request: (at: number, until: number, actor: number) => void,
): void {
  const steps = [...run.steps, ...run.pending];
  const last = (at: number) => Math.min(at, run.steps.length - 1);
  const sharing = new Map<number, number[]>();
  for (const [at, { actor, op, object }] of steps.entries()) {
    if (touchesNothing(op)) continue;
    const before = sharing.get(object) ?? [];
    if (at >= fresh) {
      for (const earlier of before) {
        const other = steps[earlier]!;
        if (other.actor === actor || (onlyReads(op) && onlyReads(other.op))) {
          continue;
        }
        request(earlier, op.ready === undefined ? earlier : last(at), actor);
      }
    }
    if (at < run.steps.length) before.push(at);
    sharing.set(object, before);
  }
}

// #region conflicts
/** The earlier steps that a step with `op` is dependent on, the last ones. */
function conflicts(object: Seen, op: Op): readonly number[] {
  if (onlyReads(op) || object.readers.length === 0) {
    return object.write < 0 ? [] : [object.write];
  }
  return object.write < 0 ? object.readers : [object.write, ...object.readers];
}

function remember(object: Seen, op: Op, at: number): void {
  if (onlyReads(op)) {
    object.readers.push(at);
    return;
  }
  object.write = at;
  object.readers.length = 0;
}
// #endregion

function join(clock: Int32Array, other: Int32Array): void {
  for (let actor = 0; actor < clock.length; actor++) {
    if (other[actor]! > clock[actor]!) clock[actor] = other[actor]!;
  }
}
