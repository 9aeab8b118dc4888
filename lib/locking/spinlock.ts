/**
 * Locks that a task spins on. A task pauses before it takes one and is resumed
 * only when nobody holds it.
 *
 * Kernel: kernel/locking/spinlock.c, include/linux/spinlock.h (v6.12).
 * Differs: no interrupts inside a lock, no fairness: the scheduler chooses.
 */
import { BUG_ON } from "../base/bug.ts";
import { makeOp, type Op, type Task } from "../sim/task.ts";

export interface Spinlock {
  readonly name: string;
  locked: boolean;
  /** The pause before taking it. */
  readonly acquire: Op;
}

export function spin_lock_init(name: string): Spinlock {
  const lock = { name, locked: false } as {
    -readonly [K in keyof Spinlock]: Spinlock[K];
  };
  lock.acquire = {
    ...makeOp("lock", `spin_lock(${name})`, lock),
    ready: () => !lock.locked,
  };
  return lock;
}

/** Take `lock`, waiting for its holder. */
export function* spin_lock(lock: Spinlock): Task {
  yield lock.acquire;
  lock.locked = true;
}

export function spin_unlock(lock: Spinlock): void {
  BUG_ON(!lock.locked, `spin_unlock(${lock.name}): nobody holds it`);
  lock.locked = false;
}

/** Stop the machine unless `lock` is held: for functions named `__x`. */
export function lockdep_assert_held(lock: Spinlock): void {
  BUG_ON(!lock.locked, `lockdep: ${lock.name} must be held here`);
}
