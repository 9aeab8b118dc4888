/**
 * One run of a few tasks, somebody else choosing who goes on. Ours.
 *
 * A run starts from a fresh state, asks the scheduler at each step which actor
 * goes on, and ends when all have ended, when something broke, or when nobody
 * can go on. A run is a function of the choices alone: whoever makes the same
 * choices again sees the same run.
 */
import { KernelBug, SimError } from "../base/bug.ts";
import type { Op, Task } from "./task.ts";

/** Somebody who acts: a CPU, a thread, a worker. */
export interface Actor {
  readonly name: string;
  readonly task: Task<unknown>;
}

export function actor(name: string, task: Task<unknown>): Actor {
  return { name, task };
}

/** A fresh state and those who act on it. */
export interface Instance {
  readonly actors: readonly Actor[];
  /** Called before each step of an actor: makes it the current one. */
  readonly switchTo?: (actor: number) => void;
  /** Nobody can go on: let time pass. False if nothing more can happen. */
  readonly idle?: () => boolean;
  /** What must hold after each step; throws KernelBug. */
  readonly check?: () => void;
  /** Have `told` called with each function that a task enters. */
  readonly listen?: (told: (fn: string) => void) => void;
  /** The shared state in a few words, for pictures: "counter 1". */
  readonly watch?: () => string;
  /** All have ended: what came of it, in a word or two; may throw. */
  readonly finish: () => string;
}

export interface Program {
  readonly name: string;
  /** The same state and the same actors, each time anew. */
  readonly start: () => Instance;
}

/** What a scheduler sees before a step. Masks have bit n for actor n. */
export interface View {
  /** Steps made so far. */
  depth: number;
  /** Who can go on. */
  enabled: number;
  /** Who made the last step; −1 at the start. */
  last: number;
  /** By actor: the operation it is about to do; null if it has ended. */
  readonly pending: (Op | null)[];
  /** By actor: a number for the pending operation's object, from 0. */
  readonly objects: number[];
  /** By actor: the locks it holds. */
  readonly held: readonly (readonly Op[])[];
}

/** A policy: who goes on. */
export interface Scheduler {
  /** Another run? Called before each. */
  begin(): boolean;
  /** An actor of `view.enabled`; −1 to give this run up. */
  choose(view: View): number;
  /** The run is over. */
  end(run: Run): void;
}

/** How a run ended. "cut": the scheduler gave it up. */
export type End = "done" | "violation" | "cut";

export type ViolationKind =
  | "corruption"
  | "invariant"
  | "bug"
  | "deadlock"
  | "lost wakeup"
  | "endless"
  | "lock order";

export interface Violation {
  readonly kind: ViolationKind;
  readonly message: string;
}

/** One step, as remembered. */
export interface Step {
  readonly actor: number;
  readonly op: Op;
  /** It took a lock: always so, or a trylock that found it free. */
  readonly took: boolean;
  /** Who could have gone on. */
  readonly enabled: number;
  /** Number of the operation's object, in the order of first sight. */
  readonly object: number;
  /** Numbers of the locks that the actor gave back in this step. */
  readonly released: readonly number[];
  /** Nobody could go on before it, and time passed. */
  readonly afterIdle: boolean;
}

export interface Run {
  readonly end: End;
  /** What finish() said; "" if it was not reached. */
  readonly outcome: string;
  readonly violation: Violation | null;
  readonly steps: readonly Step[];
  /** What those who have not ended were about to do. */
  readonly pending: readonly Step[];
  readonly names: readonly string[];
}

/** Steps after which a run counts as endless. */
export const stepLimit = 20_000;

/** What a run needs while it goes. */
interface Going {
  readonly instance: Instance;
  readonly view: View;
  readonly numbers: Map<object, number>;
  readonly steps: Step[];
  /** By actor: the locks it holds. */
  readonly held: Op[][];
  readonly lockOrder: LockOrder | null;
  /** Time passed since the last step. */
  idled: boolean;
}

/** Which locks were taken while which were held; kept over many runs. */
export interface LockOrder {
  /** From class to class, by the number of the run that did it first. */
  readonly edges: Map<string, Map<string, number>>;
  /** The run under way, and the schedules of those that added an edge. */
  run: number;
  readonly schedules: Map<number, string>;
}

export function makeLockOrder(): LockOrder {
  return { edges: new Map(), run: 0, schedules: new Map() };
}

const nothingReleased: readonly number[] = [];

/** Make one run of `program` under `scheduler`. */
export function execute(
  program: Program,
  scheduler: Scheduler,
  lockOrder: LockOrder | null = null,
): Run {
  const instance = program.start();
  const count = instance.actors.length;
  if (count < 1 || count > 30) {
    throw new RangeError(`actors: wanted 1 … 30, got ${count}`);
  }
  const held = instance.actors.map((): Op[] => []);
  const going: Going = {
    instance,
    view: {
      depth: 0,
      enabled: 0,
      last: -1,
      pending: new Array(count).fill(null),
      objects: new Array(count).fill(-1),
      held,
    },
    numbers: new Map(),
    steps: [],
    held,
    lockOrder,
    idled: false,
  };
  const run = goOn(going, scheduler);
  scheduler.end(run);
  return run;
}

// #region go-on
function goOn(going: Going, scheduler: Scheduler): Run {
  const { instance, view } = going;
  try {
    for (let actor = 0; actor < instance.actors.length; actor++) {
      advance(going, actor);
    }
    for (;;) {
      const left = view.pending.some((op) => op !== null);
      if (!left) return ended(going, "done", instance.finish());
      view.enabled = enabledMask(view);
      if (view.enabled === 0) {
        going.idled = true;
        if (instance.idle?.()) continue;
        return broken(going, stuck(going));
      }
      if (view.depth >= stepLimit) return broken(going, endless(going));
      const actor = scheduler.choose(view);
      if (actor < 0) return ended(going, "cut", "");
      step(going, actor);
    }
  } catch (error) {
    if (!(error instanceof KernelBug)) throw error;
    return broken(going, violationOf(error));
  }
}
// #endregion

function enabledMask(view: View): number {
  let mask = 0;
  for (let actor = 0; actor < view.pending.length; actor++) {
    const op = view.pending[actor]!;
    if (op === null) continue;
    if (op.ready === undefined || op.ready()) mask |= 1 << actor;
  }
  return mask;
}

/** Let an actor run to its next pause; its pending operation happens first. */
function advance(going: Going, actor: number): void {
  const { instance, view, numbers } = going;
  instance.switchTo?.(actor);
  // Whoever stops the machine in this step is about to do nothing more.
  view.pending[actor] = null;
  view.objects[actor] = -1;
  const { done, value } = instance.actors[actor]!.task.next();
  if (done) return;
  const op = value as Op;
  let number = numbers.get(op.object);
  if (number === undefined) {
    number = numbers.size;
    numbers.set(op.object, number);
  }
  view.pending[actor] = op;
  view.objects[actor] = number;
}

function step(going: Going, actor: number): void {
  const { view, steps } = going;
  if ((view.enabled & (1 << actor)) === 0) {
    throw new SimError(`Actor ${actor} cannot go on at step ${view.depth}`);
  }
  const op = view.pending[actor]!;
  const object = view.objects[actor]!;
  const took = op.kind === "lock" || op.free?.() === true;
  if (took) takeLock(going, actor, op);
  const made = {
    actor,
    op,
    took,
    enabled: view.enabled,
    object,
    released: nothingReleased,
    afterIdle: going.idled,
  };
  going.idled = false;
  steps.push(made);
  view.last = actor;
  view.depth++;
  advance(going, actor);
  if (going.held[actor]!.length > 0) made.released = giveBack(going, actor);
  going.instance.check?.();
}

function takeLock(going: Going, actor: number, op: Op): void {
  const held = going.held[actor]!;
  // A trylock cannot wait, so its order is no danger.
  if (going.lockOrder !== null && op.kind === "lock") {
    for (const outer of held) noteOrder(going.lockOrder, outer.what, op.what);
  }
  held.push(op);
}

/** Forget the locks that the actor no longer holds; returns their numbers. */
function giveBack({ held, numbers }: Going, actor: number): readonly number[] {
  const mine = held[actor]!;
  let released: number[] | null = null;
  for (let i = mine.length - 1; i >= 0; i--) {
    const op = mine[i]!;
    const isFree = op.ready ?? op.free;
    if (isFree !== undefined && !isFree()) continue;
    mine.splice(i, 1);
    (released ??= []).push(numbers.get(op.object)!);
  }
  return released ?? nothingReleased;
}

function ended(going: Going, end: End, outcome: string): Run {
  return { ...about(going), end, outcome, violation: null };
}

function broken(going: Going, violation: Violation): Run {
  return { ...about(going), end: "violation", outcome: "", violation };
}

function about({ instance, steps, view }: Going) {
  const pending: Step[] = [];
  for (const [actor, op] of view.pending.entries()) {
    if (op === null) continue;
    pending.push({
      actor,
      op,
      took: false,
      object: view.objects[actor]!,
      enabled: view.enabled,
      released: nothingReleased,
      afterIdle: false,
    });
  }
  return { steps, pending, names: instance.actors.map(({ name }) => name) };
}

function violationOf(error: KernelBug): Violation {
  const { message } = error;
  const kind = /^Data corruption/.test(message)
    ? "corruption"
    : /^Invariant/.test(message)
    ? "invariant"
    : /^Lock order/.test(message)
    ? "lock order"
    : "bug";
  return { kind, message };
}

/** Nobody can go on: say who waits for what, and who holds it. */
function stuck(going: Going): Violation {
  const { instance, view, held } = going;
  const lines: string[] = [];
  let waitsForLock = false;
  for (const [actor, op] of view.pending.entries()) {
    if (op === null) continue;
    const owner = held.findIndex((ops) =>
      ops.some(({ object }) => object === op.object)
    );
    if (owner >= 0) waitsForLock = true;
    const holder = owner < 0 ? "" : `, held by ${instance.actors[owner]!.name}`;
    lines.push(`${instance.actors[actor]!.name} waits at ${op.what}${holder}`);
  }
  return waitsForLock
    ? { kind: "deadlock", message: `Deadlock: ${lines.join("; ")}` }
    : { kind: "lost wakeup", message: `Nobody wakes: ${lines.join("; ")}` };
}

function endless({ steps }: Going): Violation {
  const last = steps.at(-1)!.op.what;
  return {
    kind: "endless",
    message: `No end after ${stepLimit} steps, the last one ${last}`,
  };
}

// #region lockdep
/** A lock's class: its name without the numbers in it. */
function classOf(what: string): string {
  return what.replace(/\d+/g, "#");
}

/** Lockdep: remember `outer → inner`; a way back is an inversion. */
function noteOrder(order: LockOrder, outer: string, inner: string): void {
  const from = classOf(outer);
  const to = classOf(inner);
  if (from === to || order.edges.get(from)?.has(to)) return;
  const way = wayBack(order, to, from);
  if (way !== null) {
    throw new KernelBug(
      `Lock order: ${inner} is taken while ${outer} is held, but elsewhere ` +
        way.join(" is held for ") + otherRun(order, way),
    );
  }
  const known = order.edges.get(from) ?? new Map<string, number>();
  order.edges.set(from, known.set(to, order.run));
  order.schedules.set(order.run, "");
}

/** Names the run in which the way was gone, if it was another one. */
function otherRun({ edges, run, schedules }: LockOrder, way: string[]): string {
  const runs = way.slice(1).map((to, i) => edges.get(way[i]!)!.get(to)!);
  const other = runs.find((number) => number !== run);
  return other === undefined ? "" : `, in the run ${schedules.get(other)}`;
}
// #endregion

/** A chain of "held while taking" from `from` to `to`, or null. */
function wayBack(order: LockOrder, from: string, to: string): string[] | null {
  const todo: string[][] = [[from]];
  const seen = new Set([from]);
  for (const way of todo) {
    const end = way.at(-1)!;
    if (end === to) return way;
    for (const next of order.edges.get(end)?.keys() ?? []) {
      if (seen.has(next)) continue;
      seen.add(next);
      todo.push([...way, next]);
    }
  }
  return null;
}
