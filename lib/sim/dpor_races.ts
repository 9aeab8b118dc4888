/**
 * Which steps of a run are dependent, and could have come the other way round:
 * what dpor.ts asks further runs for. Ours.
 */
import type { Run, Step } from "./execute.ts";
import type { Op } from "./task.ts";

/** Touches nothing that others could see. */
export function touchesNothing(op: Op): boolean {
  return op.kind === "resched";
}

/** Touches what a lock guards, without the lock. */
export function isLoose(op: Op): boolean {
  return (op.kind === "read" || op.kind === "write") && op.free === undefined;
}

/** Looks whether somebody has the lock, and does not wait for it. */
export function isTry(op: Op): boolean {
  return op.free !== undefined;
}

export function onlyReads(op: Op): boolean {
  return op.kind === "read" || op.kind === "wait";
}

type Request = (at: number, initials: number, wanted: number) => void;

/** What is known of one object while the steps are gone through. */
interface Seen {
  /** The last step that wrote it, −1 for none; and its readers since. */
  write: number;
  readonly readers: number[];
  /** The step in which the lock was given back last, −1 for none. */
  release: number;
  /** The last step made by somebody who had it locked; −1 for none. */
  section: number;
  /** Those who touched it without the lock since it was taken. */
  readonly loose: number[];
  /** Those who have tried the lock since. */
  readonly tries: number[];
}

/**
 * Call `request` for each race whose second step is `fresh` or later.
 *
 * `clocks[step][actor]` is how many of the run's steps, up to that actor's last
 * one that must come before `step`, lie in front.
 */
export function findRaces(run: Run, fresh: number, request: Request): void {
  // What was about to happen when nobody could go on counts as well.
  const steps = [...run.steps, ...run.pending];
  const actors = run.names.length;
  const clocks: Int32Array[] = [];
  const lastOf = new Int32Array(actors).fill(-1);
  const seen: Seen[] = [];
  const held = run.names.map((): number[] => []);
  /** What time that has passed puts before everything that follows. */
  let barrier = new Int32Array(actors);
  for (const [at, step] of steps.entries()) {
    if (step.afterIdle) barrier = lastOf.map((last) => last + 1);
    const clock = barrier.slice();
    const mine = lastOf[step.actor]!;
    if (mine >= 0) join(clock, clocks[mine]!);
    const locks = held[step.actor]!;
    const before = conflictsAndLocks(seen, step, locks);
    if (at >= fresh) racesOf(before, at, clock);
    for (const earlier of before) join(clock, clocks[earlier]!);
    const { release = -1 } = seen[step.object] ?? {};
    if (release >= 0 && !touchesNothing(step.op)) join(clock, clocks[release]!);
    if (at < run.steps.length) remember(seen, step, locks, at);
    clock[step.actor] = at + 1;
    clocks.push(clock);
    lastOf[step.actor] = at;
    if (step.took) locks.push(step.object);
    for (const lock of step.released) {
      locks.splice(locks.indexOf(lock), 1);
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

/** Steps of one object, for pairs of dependent ones. */
interface Shared {
  /** Those whose operation is on it. */
  readonly own: number[];
  /** Those made by who had it locked; the ones that gave it back. */
  readonly inside: number[];
  readonly releases: number[];
}

/**
 * Call `request` for each pair of dependent steps, also those that others keep
 * in order: with a bound, the runs in between may be forbidden.
 */
export function findConflicts(
  run: Run,
  fresh: number,
  request: (at: number, until: number, actor: number) => void,
): void {
  const steps = [...run.steps, ...run.pending];
  const last = (at: number) => Math.min(at, run.steps.length - 1);
  const shared: Shared[] = [];
  const held = run.names.map((): number[] => []);
  const of = (object: number) =>
    shared[object] ??= { own: [], inside: [], releases: [] };
  for (const [at, { actor, op, object, took, released }] of steps.entries()) {
    const locks = held[actor]!;
    if (at >= fresh) {
      for (const earlier of dependent(steps, at, locks, of)) {
        if (steps[earlier]!.actor === actor) continue;
        request(earlier, op.ready === undefined ? earlier : last(at), actor);
      }
    }
    if (at >= run.steps.length) continue;
    for (const lock of locks) of(lock).inside.push(at);
    if (!touchesNothing(op)) of(object).own.push(at);
    if (took) locks.push(object);
    for (const lock of released) {
      locks.splice(locks.indexOf(lock), 1);
      of(lock).releases.push(at);
    }
  }
}

/** All earlier steps that step `at` is dependent on; also its own actor's. */
function dependent(
  steps: readonly Step[],
  at: number,
  locks: readonly number[],
  of: (object: number) => Shared,
): number[] {
  const { op, object, released } = steps[at]!;
  const such = (numbers: readonly number[], is: (op: Op) => boolean) =>
    numbers.filter((earlier) => is(steps[earlier]!.op));
  const found = locks.flatMap((lock) => such(of(lock).own, isLoose));
  for (const lock of released) found.push(...such(of(lock).own, isTry));
  if (touchesNothing(op)) return found;
  const { own, inside, releases } = of(object);
  found.push(...onlyReads(op) ? such(own, (other) => !onlyReads(other)) : own);
  if (isLoose(op)) found.push(...inside);
  if (isTry(op)) found.push(...releases);
  return found;
}

// #region conflicts
/** The earlier steps that a step with `op` is dependent on, the last ones. */
function conflicts(object: Seen, op: Op): readonly number[] {
  if (onlyReads(op) || object.readers.length === 0) {
    return object.write < 0 ? [] : [object.write];
  }
  return object.write < 0 ? object.readers : [object.write, ...object.readers];
}
// #endregion

/** The same, and what it is dependent on because somebody has a lock. */
function conflictsAndLocks(
  seen: readonly Seen[],
  { op, object: number, released }: Step,
  locks: readonly number[],
): readonly number[] {
  const before = locks.flatMap((lock) => seen[lock]!.loose);
  for (const lock of released) before.push(...seen[lock]?.tries ?? []);
  const object = seen[number];
  if (object === undefined || touchesNothing(op)) return before;
  if (isLoose(op) && object.section >= 0) before.push(object.section);
  if (isTry(op) && object.release >= 0) before.push(object.release);
  return [...conflicts(object, op), ...before];
}

function remember(
  seen: Seen[],
  { op, object: number, took }: Step,
  locks: readonly number[],
  at: number,
): void {
  for (const lock of locks) seen[lock]!.section = at;
  if (touchesNothing(op)) return;
  const object = seen[number] ??= {
    write: -1,
    readers: [],
    release: -1,
    section: -1,
    loose: [],
    tries: [],
  };
  if (took) {
    object.loose.length = 0;
    object.tries.length = 0;
    object.section = -1;
  } else if (isLoose(op)) object.loose.push(at);
  else if (isTry(op)) object.tries.push(at);
  if (onlyReads(op)) {
    object.readers.push(at);
    return;
  }
  object.write = at;
  object.readers.length = 0;
}

function join(clock: Int32Array, other: Int32Array): void {
  for (let actor = 0; actor < clock.length; actor++) {
    if (other[actor]! > clock[actor]!) clock[actor] = other[actor]!;
  }
}
