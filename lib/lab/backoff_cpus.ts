/**
 * Threads that share a few CPUs, in simulated time. Ours.
 *
 * As the fair scheduler of Linux 6.8 does it (kernel/sched/fair.c), in short:
 * each CPU has a queue; who has run least goes next. Who runs keeps the CPU,
 * also if it calls schedule(), up to what the others have run on average; then
 * whoever wakes and has run less takes it, and so does the end of its slice.
 * Who sleeps keeps its lead or arrears, one slice at most. An idle CPU takes
 * from the longest queue. Nobody is preempted who has a spinlock.
 *
 * The CPU that is farthest behind makes the next step, and the machine's clock
 * reads what that CPU's would.
 */
import type { TaskStruct } from "../mm/mm_types.ts";
import type { Clock } from "../sim/clock.ts";
import type { Op, Task } from "../sim/task.ts";
import type { Machine } from "./machine.ts";

/** One step without anything that costs time, in nanoseconds. */
const stepTime = 30;
/** From one thread to another. */
const switchTime = 1500;
/** base_slice_ns with eight CPUs or more: 0.75 ms × (1 + log2 8). */
const sliceTime = 3_000_000;
/** An idle CPU looks again. */
const idleTime = 1000;

export interface Thread {
  readonly who: TaskStruct;
  readonly task: Task<unknown>;
  /** What it is about to do; null before its first step. */
  op: Op | null;
  /** Spinlocks that it has. */
  held: Op[];
  /** Nanoseconds that it has run, or would have on the CPU where it is. */
  ran: number;
  /** What it was behind the others when it went to sleep. */
  lag: number;
  /** Where it ran last. */
  cpu: number;
}

export function makeThread(who: TaskStruct, task: Task<unknown>): Thread {
  return { who, task, op: null, held: [], ran: 0, lag: 0, cpu: who.cpu };
}

interface Cpu {
  readonly number: number;
  /** How far it has come. */
  now: number;
  thread: Thread | null;
  readonly queue: Thread[];
  sliceEnd: number;
  /** Somebody woke who has run less. */
  preempt: boolean;
}

function isReady({ op }: Thread): boolean {
  return op === null || op.ready === undefined || op.ready();
}

function isSpinlock({ kind, what }: Op): boolean {
  return kind === "lock" && what.startsWith("spin_lock");
}

/** Let the threads share `count` CPUs for `duration` nanoseconds. */
export function runOnCpus(
  { k }: Machine,
  threads: readonly Thread[],
  count: number,
  duration: number,
): void {
  const begin = k.clock.now;
  const cpus = Array.from({ length: count }, (_, number): Cpu => ({
    number,
    now: begin,
    thread: null,
    queue: [],
    sliceEnd: 0,
    preempt: false,
  }));
  const sleepers: Thread[] = [...threads];
  for (;;) {
    const cpu = cpus.reduce((a, b) => b.now < a.now ? b : a);
    if (cpu.now - begin >= duration) return;
    k.clock.now = cpu.now;
    forgetTimers(k.clock);
    wakeUp(cpus, sleepers);
    putAside(cpu, sleepers);
    if (cpu.thread === null) takeNext(cpu, cpus);
    const { thread } = cpu;
    if (thread === null) {
      cpu.now += idleTime;
      continue;
    }
    k.clock.now = cpu.now;
    k.current = thread.who;
    if (isReady(thread)) makeStep(thread);
    const now = k.clock.now + stepTime;
    thread.ran += now - cpu.now;
    cpu.now = now;
  }
}

/** They only say when to look again, and here somebody always looks. */
function forgetTimers({ events, now }: Clock): void {
  while (events.length > 0 && events[0]!.at <= now) events.shift()!.happen();
}

/** Whoever can go on goes to an idle CPU, or to where it ran last. */
function wakeUp(cpus: readonly Cpu[], sleepers: Thread[]): void {
  for (let i = sleepers.length - 1; i >= 0; i--) {
    const thread = sleepers[i]!;
    if (!isReady(thread)) continue;
    sleepers.splice(i, 1);
    const idle = cpus.find((cpu) =>
      cpu.thread === null && cpu.queue.length === 0
    );
    const cpu = idle ?? cpus[thread.cpu]!;
    thread.ran = averageOf(cpu) - thread.lag;
    cpu.queue.push(thread);
    cpu.preempt ||= hasHadMore(cpu) && thread.ran < cpu.thread!.ran;
  }
}

/** What those who want the CPU have run, on average. */
function averageOf({ thread, queue }: Cpu): number {
  const all = thread === null ? queue : [...queue, thread];
  if (all.length === 0) return 0;
  return all.reduce((sum, { ran }) => sum + ran, 0) / all.length;
}

/** The one that runs has had more than its part: it is not "eligible". */
function hasHadMore(cpu: Cpu): boolean {
  return cpu.thread !== null && cpu.thread.ran > averageOf(cpu);
}

/** Take the CPU from who sleeps, has yielded, or has had it long enough. */
function putAside(cpu: Cpu, sleepers: Thread[]): void {
  const { thread, queue } = cpu;
  if (thread === null) return;
  if (!isReady(thread) && !isSpinlock(thread.op!)) {
    const lag = averageOf(cpu) - thread.ran;
    thread.lag = Math.max(-sliceTime, Math.min(sliceTime, lag));
    sleepers.push(thread);
    cpu.thread = null;
    return;
  }
  const yields = thread.op?.what === "schedule" && hasHadMore(cpu);
  const late = cpu.preempt || cpu.now >= cpu.sliceEnd;
  const others = queue.length > 0;
  if (!others || !yields && (!late || thread.held.length > 0)) return;
  queue.push(thread);
  cpu.thread = null;
}

/** Who has run least, of this CPU's queue or of the longest one. */
function takeNext(cpu: Cpu, cpus: readonly Cpu[]): void {
  const longest = cpus.reduce((a, b) =>
    b.queue.length > a.queue.length ? b : a
  );
  const { queue } = cpu.queue.length > 0 ? cpu : longest;
  if (queue.length === 0) return;
  const next = queue.reduce((a, b) => b.ran < a.ran ? b : a);
  queue.splice(queue.indexOf(next), 1);
  next.cpu = cpu.number;
  cpu.thread = next;
  cpu.now += switchTime;
  cpu.sliceEnd = cpu.now + sliceTime;
  cpu.preempt = false;
}

/** Its operation happens, up to the next pause. */
function makeStep(thread: Thread): void {
  const { op, held, task } = thread;
  if (op !== null && isSpinlock(op)) held.push(op);
  thread.op = task.next().value as Op;
  thread.held = held.filter((lock) => !lock.ready!());
}
