/**
 * Work that is done later, by somebody else: each work item at most once until
 * it has started.
 *
 * Kernel: kernel/workqueue.c (v6.12). Differs: one queue for the machine, one
 * worker; the laboratory lets it run when the CPU that queued it is done.
 */
import type { Task } from "../sim/task.ts";

export interface Work {
  readonly name: string;
  readonly func: () => Task;
  pending: boolean;
}

export interface Workqueue {
  readonly pending: Work[];
}

export function alloc_workqueue(): Workqueue {
  return { pending: [] };
}

export function INIT_WORK(name: string, func: () => Task): Work {
  return { name, func, pending: false };
}

/** Queue `work`; false if it is queued already. */
export function queue_work(queue: Workqueue, work: Work): boolean {
  if (work.pending) return false;
  work.pending = true;
  queue.pending.push(work);
  return true;
}

/** The work that comes next, begun: it may be queued again. Null if none. */
export function takeWork(queue: Workqueue): Work | null {
  const work = queue.pending.shift() ?? null;
  if (work !== null) work.pending = false;
  return work;
}

/** Do everything that is queued, and what that queues. */
export function* flush_workqueue(queue: Workqueue): Task {
  let work = takeWork(queue);
  for (; work !== null; work = takeWork(queue)) yield* work.func();
}

/** If `work` is queued, do it now. */
export function* flush_work(queue: Workqueue, work: Work): Task {
  const index = queue.pending.indexOf(work);
  if (index < 0) return;
  queue.pending.splice(index, 1);
  work.pending = false;
  yield* work.func();
}
