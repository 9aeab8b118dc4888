/**
 * Sleeping until something is true or time is over.
 *
 * Kernel: kernel/sched/wait.c, kernel/time/timer.c (v6.12).
 * Differs: a sleeper is not on a queue; it is ready when its condition holds.
 */
import { at, type Clock } from "../sim/clock.ts";
import { makeOp, type Task } from "../sim/task.ts";

/** Sleep until `condition()` holds. `what` names the wait in diagrams. */
export function* wait_event(
  object: object,
  what: string,
  condition: () => boolean,
): Task {
  yield { ...makeOp("wait", what, object), ready: condition };
}

/** Sleep for `nanoseconds` of simulated time. */
export function* schedule_timeout(clock: Clock, nanoseconds: number): Task {
  const wakeAt = clock.now + nanoseconds;
  at(clock, wakeAt, () => {});
  yield {
    ...makeOp("wait", "schedule_timeout", clock),
    ready: () => clock.now >= wakeAt,
  };
}
