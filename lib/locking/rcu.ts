/**
 * Read-copy-update: readers do not wait, and what they may be looking at is
 * freed only when they have left.
 *
 * A grace period begins when somebody asks for it and ends when every reader
 * who was inside then has gone; readers who came later do not count.
 *
 * Kernel: kernel/rcu/tree.c, include/linux/rcupdate.h (v6.12). Differs: a
 * grace period ends at the very moment it may; rcu_read_lock() gives the
 * section, which rcu_read_unlock() takes back.
 */
import { BUG_ON } from "../base/bug.ts";
import { makeOp, type Op, type Task } from "../sim/task.ts";

/** One read-side section under way. */
export interface RcuReader {
  readonly rcu: Rcu;
}

interface RcuCallback {
  /** The readers it has to outlive. */
  readonly readers: RcuReader[];
  readonly func: () => void;
}

export interface Rcu {
  /** Few at any time: one for each task at most. */
  readonly readers: RcuReader[];
  readonly callbacks: RcuCallback[];
  /** The pauses before a section is entered, and before a grace period. */
  readonly enter: Op;
  readonly grace: Op;
}

export function rcu_init(): Rcu {
  const readers: RcuReader[] = [];
  return {
    readers,
    callbacks: [],
    enter: makeOp("read", "rcu_read_lock", readers),
    grace: makeOp("write", "synchronize_rcu", readers),
  };
}

/** Enter a read-side section: what it finds is not freed before it leaves. */
export function rcu_read_lock(rcu: Rcu): RcuReader {
  const reader = { rcu };
  rcu.readers.push(reader);
  return reader;
}

/** Take `item` out of `items`; false if it is not there. */
function remove<T>(items: T[], item: T): boolean {
  const index = items.indexOf(item);
  if (index >= 0) items.splice(index, 1);
  return index >= 0;
}

/** Leave it. What waited for this reader alone is done now. */
export function rcu_read_unlock(rcu: Rcu, reader: RcuReader): void {
  BUG_ON(!remove(rcu.readers, reader), "rcu_read_unlock: not in a section");
  if (rcu.callbacks.length === 0) return;
  for (const callback of [...rcu.callbacks]) {
    remove(callback.readers, reader);
    if (callback.readers.length > 0) continue;
    remove(rcu.callbacks, callback);
    callback.func();
  }
}

/** Call `func` when all who read now have left; at once if nobody reads. */
export function call_rcu(rcu: Rcu, func: () => void): void {
  if (rcu.readers.length === 0) return func();
  rcu.callbacks.push({ readers: [...rcu.readers], func });
}

/** Wait until all who read now have left. */
export function* synchronize_rcu(rcu: Rcu): Task {
  yield rcu.grace;
  let over = false;
  call_rcu(rcu, () => over = true);
  const op: Op = {
    ...makeOp("wait", "wait_for_completion(rcu)", rcu),
    ready: () => over,
  };
  yield op;
}
