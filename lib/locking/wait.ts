/**
 * Sleeping until something is true or time is over.
 *
 * Kernel: kernel/sched/wait.c, kernel/time/timer.c (v6.12).
 * Differs: a sleeper is ready when its condition holds; a queue only counts.
 */
import { at, type Clock } from "../sim/clock.ts";
import { makeOp, type Op, type Task } from "../sim/task.ts";

// #region wait-event
/** Sleep until `condition()` holds. `what` names the wait in diagrams. */
export function* wait_event(
  object: object,
  what: string,
  condition: () => boolean,
): Task {
  yield { ...makeOp("wait", what, object), ready: condition };
}
// #endregion

/** Sleep for `nanoseconds` of simulated time. */
export function* schedule_timeout(clock: Clock, nanoseconds: number): Task {
  const wakeAt = clock.now + nanoseconds;
  at(clock, wakeAt, () => {});
  yield {
    ...makeOp("wait", "schedule_timeout", clock),
    ready: () => clock.now >= wakeAt,
  };
}

/** Tasks that wait for a call of wake_up(). */
export interface WaitQueueHead {
  readonly name: string;
  sleepers: number;
  /** Calls of wake_up() so far. */
  wakeups: number;
  /** The pauses before a task is on it, before it sleeps, before a wakeup. */
  readonly add: Op;
  readonly sleep: Op;
  readonly wake: Op;
}

export function init_waitqueue_head(name: string): WaitQueueHead {
  const tasks = {};
  return {
    name,
    sleepers: 0,
    wakeups: 0,
    add: makeOp("write", `add_wait_queue(${name})`, tasks),
    sleep: makeOp("read", `set_current_state(${name})`, tasks),
    wake: makeOp("write", `waitqueue_active(${name})`, tasks),
  };
}

/** Somebody sleeps there. Pause before: `queue.wake`. */
export function waitqueue_active({ sleepers }: WaitQueueHead): boolean {
  return sleepers > 0;
}

/** Wake all who sleep there now. */
export function wake_up(queue: WaitQueueHead): void {
  queue.wakeups++;
}

/**
 * Sleep until the next wake_up(), at most `nanoseconds`. A wakeup that comes
 * before it sleeps is lost. (Linux: add_wait_queue,
 * schedule_timeout_uninterruptible, remove_wait_queue.)
 */
export function* sleepOn(
  queue: WaitQueueHead,
  clock: Clock,
  nanoseconds: number,
): Task {
  yield queue.add;
  queue.sleepers++;
  yield queue.sleep;
  const { wakeups } = queue;
  const wakeAt = clock.now + nanoseconds;
  at(clock, wakeAt, () => {});
  yield {
    ...makeOp("wait", `schedule_timeout(${queue.name})`, queue.add.object),
    ready: () => queue.wakeups !== wakeups || clock.now >= wakeAt,
  };
  queue.sleepers--;
}
