/**
 * Simulated CPUs are generators. Ours.
 *
 * `function*` can be interrupted, `function` is atomic in this model. A task
 * pauses *before* an operation that others can see: taking a lock, a lockless
 * read or write of a shared word, a sleep, I/O. What it yields is an `Op`: the
 * operation that it is about to do. An explorer chooses who goes on; `run()`
 * lets one task go on until it ends, without a stop where it can do without.
 *
 * Only lib/sim and lib/locking contain a bare `yield`; the rest says `yield*`.
 * A call of a task without `yield*` or `run()` does nothing: lint catches it.
 */
import { SimError } from "../base/bug.ts";

// "wake" is a write that ends a wait, and of nothing that a lock guards.
// #region op
export type OpKind = "read" | "write" | "lock" | "wait" | "wake" | "resched";

/**
 * One visible operation. Made once per object, not once per pause.
 * Two operations can conflict only if their `object` is the same and not both
 * are reads.
 */
export interface Op {
  readonly kind: OpKind;
  /** In kernel spelling, for diagrams: "spin_lock(ptl)", "xa_load". */
  readonly what: string;
  readonly object: object;
  /** False while the task cannot go on; absent means always ready. */
  readonly ready?: () => boolean;
  /** Of a trylock: nobody has the lock, so that it will be taken. */
  readonly free?: () => boolean;
}
// #endregion

/** A generator; or, where it need not pause, what is over at once. */
export interface Task<T = void> {
  next(): IteratorResult<Op, T>;
  [Symbol.iterator](): Task<T>;
}

/** A task that is over, and its own result: no generator has to be made. */
class Over<T> implements Task<T>, IteratorReturnResult<T> {
  readonly done = true;
  readonly value: T;

  constructor(value: T) {
    this.value = value;
  }

  next(): this {
    return this;
  }

  [Symbol.iterator](): this {
    return this;
  }
}

/** What a plain function returns that had no need to pause. */
export function over<T>(value: T): Task<T> {
  return new Over(value);
}

/** The same without a value. */
export const passed: Task = over(undefined);

/** `task`, and then `work` on its value: at once if the task is over. */
export function andThen<A, B>(
  task: Task<A>,
  work: (value: A) => B,
): Task<B> {
  return task instanceof Over ? over(work(task.value)) : later(task, work);
}

/** The same where `work` may have to pause, too. */
export function chain<A, B>(
  task: Task<A>,
  work: (value: A) => Task<B>,
): Task<B> {
  return task instanceof Over ? work(task.value) : chainLater(task, work);
}

function* chainLater<A, B>(
  task: Task<A>,
  work: (value: A) => Task<B>,
): Task<B> {
  return yield* work(yield* task);
}

function* later<A, B>(task: Task<A>, work: (value: A) => B): Task<B> {
  return work(yield* task);
}

/** A task that run() drives: nobody else acts until it ends. */
interface Lone {
  /** Pauses after which it is taken for a livelock. */
  left: number;
}

/**
 * The innermost task under run(); null while somebody chooses who goes on.
 * Not state of a machine: run() puts it back before it returns.
 */
let lone: Lone | null = null;

/**
 * May the running task go on without a pause? It may if it is alone: nobody
 * could be chosen instead. To stop and to go on through all its callers costs
 * more than most of what lies in between.
 *
 * @param ready whether what it is about to do can be done now
 */
export function passes(ready: boolean): boolean {
  if (!ready || lone === null || lone.left === 0) return false;
  lone.left--;
  return true;
}

function isReady({ ready }: Op): boolean {
  return ready === undefined || ready();
}

// #region pause
/** Pause before `op`. */
export function pause(op: Op): Task {
  return passes(isReady(op)) ? passed : stop(op);
}

function* stop(op: Op): Task {
  yield op;
}
// #endregion

/** An operation on `object` that never has to wait. */
export function makeOp(kind: OpKind, what: string, object: object): Op {
  return { kind, what, object };
}

/**
 * Let `task` go on until it ends; returns its value.
 *
 * @param idle called when the task waits and nobody else runs: it lets
 *   simulated time pass and returns false if nothing more can happen
 * @param stepLimit pauses after which it is taken for a livelock
 * @throws SimError if the task waits for something that cannot come, or does
 *   not end
 */
export function run<T>(
  task: Task<T>,
  idle?: () => boolean,
  stepLimit: number = Infinity,
): T {
  const outer = lone;
  lone = { left: stepLimit };
  try {
    for (;;) {
      const { done, value } = task.next();
      if (done) return value;
      if (lone.left === 0) throw livelock(stepLimit, value);
      lone.left--;
      waitUntilReady(value, idle);
    }
  } finally {
    lone = outer;
  }
}

function livelock(stepLimit: number, { what }: Op): SimError {
  return new SimError(
    `Livelock: a task has paused ${stepLimit} times, last at ${what}`,
  );
}

function waitUntilReady(op: Op, idle?: () => boolean): void {
  while (!isReady(op)) {
    if (idle === undefined || !idle()) {
      throw new SimError(
        `Deadlock: the only task waits at ${op.what} and nothing can wake it`,
      );
    }
  }
}
