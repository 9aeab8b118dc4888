/**
 * Locks that a task sleeps for: whoever holds one may sleep too.
 *
 * Kernel: kernel/locking/mutex.c, include/linux/mutex.h (v6.12).
 * Differs: no owner, no queue: the scheduler chooses who is next.
 */
import { BUG_ON } from "../base/bug.ts";
import { makeOp, type Op, passed, passes, type Task } from "../sim/task.ts";

export interface Mutex {
  readonly name: string;
  locked: boolean;
  /** The pause before taking it. */
  readonly acquire: Op;
}

export function mutex_init(name: string): Mutex {
  const lock = { name, locked: false } as {
    -readonly [K in keyof Mutex]: Mutex[K];
  };
  lock.acquire = {
    ...makeOp("lock", `mutex_lock(${name})`, lock),
    ready: () => !lock.locked,
  };
  return lock;
}

/** Take `lock`, sleeping while another task has it. */
export function mutex_lock(lock: Mutex): Task {
  if (!passes(!lock.locked)) return sleepFor(lock);
  lock.locked = true;
  return passed;
}

function* sleepFor(lock: Mutex): Task {
  yield lock.acquire;
  lock.locked = true;
}

export function mutex_unlock(lock: Mutex): void {
  BUG_ON(!lock.locked, () => `mutex_unlock(${lock.name}): nobody holds it`);
  lock.locked = false;
}
