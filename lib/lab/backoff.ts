/**
 * The experiment of thread 003: what a fault does that finds the slot pinned.
 *
 * More threads than CPUs use a few pages of a RAM disk and have them swapped
 * out again, for some milliseconds of simulated time; minor and major faults
 * are counted. A thread that is preempted while it has the pin keeps it for as
 * long as others have the CPU; whoever wants the page meanwhile comes back at
 * once, after the others, after a tick, or when he is woken. Ours.
 *
 * Differs from the thread: its figures are of 30 s on a real machine with zram,
 * ours of milliseconds on a RAM disk, with costs that were chosen. Only their
 * order can be compared. No backoff ≫ schedule() > one tick comes out, and
 * unpatched between the last two, as there, but nearer to schedule(); and who
 * sleeps for a tick gets fewer major faults, since here no other program has
 * the CPU meanwhile. The wait queue costs as many minor faults as schedule().
 */
import type { Op, Task } from "../sim/task.ts";
import { makeRng, nextBelow, type Rng } from "../sim/rng.ts";
import type { Clock } from "../sim/clock.ts";
import type { TaskStruct } from "../mm/mm_types.ts";
import type { Proposals } from "../proposals.ts";
import { makeMachine } from "./machine.ts";
import type { Machine } from "./machine.ts";
import { access, makeExpected, pageOut, threadOf } from "./race.ts";
import type { Process } from "./process.ts";

export interface BackoffOptions {
  /** 6. */
  readonly threads?: number;
  /** 2. */
  readonly cpus?: number;
  /** Pages that they share; 128. */
  readonly pages?: number;
  /** Of simulated time; 10. */
  readonly milliseconds?: number;
  readonly seed?: number;
}

/** What came of one way to back off. */
export interface BackoffCount {
  readonly name: string;
  /** The figures of the thread (30 s), from … to. */
  readonly thread: {
    readonly minor: readonly [number, number];
    readonly major: readonly [number, number];
  } | null;
  readonly minor: number;
  readonly major: number;
}

interface Way {
  readonly name: string;
  readonly proposals: Partial<Proposals>;
  readonly thread: BackoffCount["thread"];
}

/** In the order of the thread's table; the wait queue came later. */
const ways: readonly Way[] = [
  {
    name: "unpatched",
    proposals: { sync_swapin_pin: "none" },
    thread: { minor: [22_000, 33_000], major: [960_000, 1_220_000] },
  },
  {
    name: "pin, no backoff",
    proposals: { sync_swapin_backoff: "none" },
    thread: { minor: [280_000, 437_000], major: [920_000, 1_200_000] },
  },
  {
    name: "pin, schedule()",
    proposals: { sync_swapin_backoff: "schedule" },
    thread: { minor: [33_000, 43_000], major: [840_000, 1_220_000] },
  },
  {
    name: "pin, one tick",
    proposals: { sync_swapin_backoff: "tick" },
    thread: { minor: [18_300, 26_700], major: [890_000, 1_210_000] },
  },
  {
    name: "pin, wait queue",
    proposals: { sync_swapin_backoff: "waitqueue" },
    thread: null,
  },
];

/** measureBackoff() - faults of each kind for each way, on equal machines. */
export function measureBackoff(options: BackoffOptions = {}): BackoffCount[] {
  return ways.map(({ name, proposals, thread }) => {
    const { minor, major } = measure(proposals, options);
    return { name, thread, minor, major };
  });
}

/** The same use of the same pages by all. */
function* useAndSwapOut(
  { k }: Machine,
  process: Process,
  rng: Rng,
): Task {
  const ignored = makeExpected();
  for (;;) {
    const page = nextBelow(rng, process.pages);
    const write = nextBelow(rng, 2) === 0;
    yield* access(k, process, page, write, ignored);
    if (nextBelow(rng, 2) === 0) yield* pageOut(k, process, page);
  }
}

function measure(
  proposals: Partial<Proposals>,
  options: BackoffOptions,
): { minor: number; major: number } {
  const { threads = 6, cpus = 2, pages = 128, milliseconds = 10 } = options;
  const { seed = 1 } = options;
  const machine = makeMachine({
    frames: 4 * pages,
    cpus,
    pageCluster: 0,
    swap: { kind: "brd", pages: 4 * pages },
    zswap: { enabled: false },
    shadow: false,
    traceEvents: 0,
    proposals,
  });
  const { k } = machine;
  const process = machine.spawn({ pages });
  for (let page = 0; page < pages; page++) {
    process.touch(page, true);
    machine.run(pageOut(k, process, page), process.task);
  }
  const { pgfault, pgmajfault } = k.vm_event;
  const running = Array.from({ length: threads }, (_, i): Thread => {
    const rng = makeRng(seed * 1000 + i);
    const who = threadOf(process, `thread ${i}`, i % cpus);
    const task: Task = useAndSwapOut(machine, process, rng);
    return {
      who,
      task,
      op: null,
      held: [],
    };
  });
  runOnCpus(machine, running, cpus, milliseconds * 1_000_000);
  const major = k.vm_event.pgmajfault - pgmajfault;
  return { minor: k.vm_event.pgfault - pgfault - major, major };
}

/** What the model takes for granted, in nanoseconds. */
const lookTime = 30;
const switchTime = 1500;
const sliceTime = 250_000;
const idleTime = 1000;

interface Thread {
  readonly who: TaskStruct;
  readonly task: Task<unknown>;
  /** What it is about to do. */
  op: Op | null;
  /** Spinlocks that it has: it is not preempted while it has one. */
  held: Op[];
}

interface Cpu {
  /** How far it has come. */
  now: number;
  thread: Thread | null;
  /** When the thread has used up its slice. */
  sliceEnd: number;
}

function isReady({ op }: Thread): boolean {
  return op === null || op.ready === undefined || op.ready();
}

function isSpinlock({ kind, what }: Op): boolean {
  return kind === "lock" && what.startsWith("spin_lock");
}

/**
 * Let the threads share the CPUs: one queue, slices, no preemption of whoever
 * has a spinlock. The CPU that is farthest behind goes on; the machine's clock
 * reads what that CPU's would.
 */
function runOnCpus(
  { k }: Machine,
  threads: readonly Thread[],
  count: number,
  duration: number,
): void {
  const queue = [...threads];
  const begin = k.clock.now;
  const cpus = Array.from({ length: count }, (): Cpu => ({
    now: begin,
    thread: null,
    sliceEnd: 0,
  }));
  for (;;) {
    const cpu = cpus.reduce((a, b) => b.now < a.now ? b : a);
    if (cpu.now - begin >= duration) return;
    k.clock.now = cpu.now;
    forgetTimers(k.clock);
    dispatch(cpu, queue);
    const { thread } = cpu;
    if (thread === null) cpu.now += idleTime;
    else if (isReady(thread)) {
      k.current = thread.who;
      goOn(thread);
      cpu.now = k.clock.now + lookTime;
    } else cpu.now += lookTime;
  }
}

/** They only say when to look again, and here somebody always looks. */
function forgetTimers({ events, now }: Clock): void {
  while (events.length > 0 && events[0]!.at <= now) events.shift()!.happen();
}

/** Who goes on: the same, unless he sleeps, yields, or has used his slice. */
function dispatch(cpu: Cpu, queue: Thread[]): void {
  const { thread } = cpu;
  if (thread !== null) {
    const { op } = thread;
    const sleeps = !isReady(thread) && !isSpinlock(op!);
    const yields = op?.what === "schedule";
    const late = cpu.now >= cpu.sliceEnd && thread.held.length === 0;
    if (!sleeps && !yields && !late) return;
    queue.push(thread);
    cpu.thread = null;
  }
  const next = queue.findIndex(isReady);
  if (next < 0) return;
  cpu.thread = queue.splice(next, 1)[0]!;
  // Whoever yielded has done so.
  if (cpu.thread.op?.what === "schedule") goOn(cpu.thread);
  if (cpu.thread !== thread) cpu.now += switchTime;
  cpu.sliceEnd = cpu.now + sliceTime;
}

/** One step: its operation happens, up to the next pause. */
function goOn(thread: Thread): void {
  const { op, held, task } = thread;
  if (op !== null && isSpinlock(op)) held.push(op);
  thread.op = task.next().value as Op;
  thread.held = held.filter((lock) => !lock.ready!());
}
