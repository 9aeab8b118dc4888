/**
 * Simulated CPUs are generators. Ours.
 *
 * `function*` can be interrupted, `function` is atomic in this model. A task
 * pauses *before* an operation that others can see: taking a lock, a lockless
 * read or write of a shared word, a sleep, I/O. What it yields is an `Op`: the
 * operation that it is about to do. An explorer chooses who goes on; `run()`
 * lets one task go on until it ends.
 *
 * Only lib/sim and lib/locking contain a bare `yield`; the rest says `yield*`.
 * A call of a task without `yield*` or `run()` does nothing: lint catches it.
 */
import { SimError } from "../base/bug.ts";

// #region op
export type OpKind = "read" | "write" | "lock" | "wait" | "resched";

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
}
// #endregion

export type Task<T = void> = Generator<Op, T, void>;

// #region pause
/** Pause before `op`. */
export function* pause(op: Op): Task {
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
  for (let steps = 0;; steps++) {
    const { done, value } = task.next();
    if (done) return value;
    if (value.ready !== undefined) waitUntilReady(value, idle);
    if (steps < stepLimit) continue;
    throw new SimError(
      `Livelock: a task has paused ${stepLimit} times, last at ${value.what}`,
    );
  }
}

function waitUntilReady(op: Op, idle?: () => boolean): void {
  while (!op.ready!()) {
    if (idle === undefined || !idle()) {
      throw new SimError(
        `Deadlock: the only task waits at ${op.what} and nothing can wake it`,
      );
    }
  }
}
