/**
 * Locks that a task spins on. A task pauses before it takes one and is resumed
 * only when nobody holds it.
 *
 * Kernel: kernel/locking/spinlock.c, include/linux/spinlock.h (v6.12).
 * Differs: no interrupts inside a lock, no fairness: the scheduler chooses.
 */
import { BUG_ON } from "../base/bug.ts";
import { makeOp, type Op, passed, passes, type Task } from "../sim/task.ts";

// #region spinlock
export interface Spinlock {
  readonly name: string;
  locked: boolean;
  /** The pause before taking it. */
  readonly acquire: Op;
  /** The pause before looking, without the lock, at what it guards. */
  readonly peek: Op;
}

/**
 * @param guards what the lock guards, if others look at that without the lock:
 *   their operations and the lock's concern the same object
 */
export function spin_lock_init(name: string, guards?: object): Spinlock {
  const lock = { name, locked: false } as {
    -readonly [K in keyof Spinlock]: Spinlock[K];
  };
  lock.acquire = {
    ...makeOp("lock", `spin_lock(${name})`, guards ?? lock),
    ready: () => !lock.locked,
  };
  lock.peek = makeOp("read", `READ_ONCE(${name})`, guards ?? lock);
  return lock;
}
// #endregion

// #region spin-lock
/** Take `lock`, waiting for its holder. */
export function spin_lock(lock: Spinlock): Task {
  // Under run(), where nobody else acts, a free lock needs no pause.
  if (!passes(!lock.locked)) return spinFor(lock);
  lock.locked = true;
  return passed;
}

function* spinFor(lock: Spinlock): Task {
  yield lock.acquire;
  lock.locked = true;
}

/** Take `lock` if nobody holds it. @returns whether it was taken */
export function spin_trylock(lock: Spinlock): boolean {
  if (lock.locked) return false;
  lock.locked = true;
  return true;
}

export function spin_unlock(lock: Spinlock): void {
  BUG_ON(!lock.locked, () => `spin_unlock(${lock.name}): nobody holds it`);
  lock.locked = false;
}
// #endregion

// #region lockdep-assert-held
/** Stop the machine unless `lock` is held: for functions named `__x`. */
export function lockdep_assert_held(lock: Spinlock): void {
  BUG_ON(!lock.locked, () => `lockdep: ${lock.name} must be held here`);
}
// #endregion
