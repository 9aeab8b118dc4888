/**
 * Diagrams run: a program driven through exactly the order that one asks for.
 * Ours. The way back is diagram_print.ts. A column's lines in a row are a turn:
 *
 * - a call is reached by letting the actor go on until it enters the function;
 *   the last one of a turn takes one step more, so that it is begun;
 * - an operation is reached when it comes next, and one step more;
 * - "[preempted before OP]" lets it go on until OP comes next, "[waits at OP]"
 *   until it cannot go on there, "[ends]" until it has ended.
 */
import {
  execute,
  makeLockOrder,
  type Program,
  type Run,
  type Scheduler,
  type View,
} from "../sim/execute.ts";
import { lowestActor } from "../sim/mask.ts";
import { scheduleOf } from "../sim/replay.ts";
import { listening } from "./diagram_print.ts";
import {
  type DiagramStep,
  makeStepParser,
  type StepParser,
} from "./diagram_step.ts";
import { type Cell, DiagramError, parseColumns } from "./diagram_text.ts";

/** A cell and what it asks for. */
interface Asked {
  readonly cell: Cell;
  readonly step: Exclude<DiagramStep, { does: "remark" }>;
}

/** What came of a diagram. */
export interface DiagramRun {
  readonly run: Run;
  /** The schedule that it was, for replay(). */
  readonly schedule: string;
  /** Null if every step could happen; else the first that could not, and why. */
  readonly misfit: { readonly line: number; readonly why: string } | null;
}

function askedOf(
  text: string,
  actors: readonly string[],
  stepOf: StepParser,
): Asked[] {
  const parsed = parseColumns(text);
  if (parsed.heads.length > actors.length) {
    throw new DiagramError(
      `${parsed.heads.length} columns, but those who act are ` +
        `${actors.join(", ")}`,
      1,
      1,
      text.split("\n")[0] ?? "",
    );
  }
  return parsed.cells.flatMap((cell) => {
    const step = stepOf(cell.text);
    return step.does === "remark" ? [] : [{ cell, step }];
  });
}

/** How far the diagram has been followed. */
interface Progress {
  at: number;
  /** By actor: the calls that no cell has asked for yet. */
  readonly calls: string[][];
  /** How the cell's function was met; null if it was not yet. */
  met: "call" | "operation" | null;
  /** Steps since then, or since the cell was begun. */
  steps: number;
  /** What came next after each step of this turn. */
  turn: string[];
  /** In which step each lock was taken last, from 1. */
  readonly taken: Map<object, number>;
}

/**
 * runDiagram() - let a program go through the order that a diagram asks for.
 *
 * @param stepOf of makeStepParser(); give it for many diagrams: it is slow to
 *   make
 * @throws DiagramError if the text is no diagram of this program
 */
export function runDiagram(
  program: Program,
  text: string,
  stepOf: StepParser = makeStepParser(),
): DiagramRun {
  const names = program.start().actors.map(({ name }) => name);
  const asked = askedOf(text, names, stepOf);
  const progress: Progress = {
    at: 0,
    calls: names.map(() => []),
    met: null,
    steps: 0,
    turn: [],
    taken: new Map(),
  };
  let misfit: DiagramRun["misfit"] = null;
  const scheduler: Scheduler = {
    begin: () => true,
    choose(view) {
      const turnOf = asked[progress.at]?.cell.column ?? -1;
      if (view.last === turnOf) {
        progress.turn.push(view.pending[turnOf]?.what ?? "");
      }
      const asks = nextActor(asked, progress, view);
      const wanted = asks < 0 ? lowestActor(view.enabled) : asks;
      const op = view.pending[wanted];
      if (isEnabled(view, wanted)) {
        if (asks >= 0) progress.steps++;
        if (op?.kind === "lock") progress.taken.set(op.object, view.depth + 1);
        return wanted;
      }
      const { cell } = asked[progress.at]!;
      const { taken } = progress;
      misfit = { line: cell.line, why: whyNot(names, view, cell, taken) };
      return -1;
    },
    end({ end, names }) {
      if (end === "done") nextActor(asked, progress, endOf(names.length));
    },
  };
  const watched = listening(program, (actor, fn) => {
    progress.calls[actor]!.push(fn);
  });
  const run = execute(watched, scheduler, makeLockOrder());
  if (misfit === null && run.violation === null && progress.at < asked.length) {
    const { cell } = asked[progress.at]!;
    misfit = {
      line: cell.line,
      why: `${cell.text}: ${names[cell.column]} has ended without it`,
    };
  }
  return { run, schedule: scheduleOf(run.steps), misfit };
}

/** What is to be seen when all have ended. */
function endOf(actors: number): View {
  const none = new Array(actors).fill(null);
  const held = none.map(() => []);
  return { depth: 0, enabled: 0, last: -1, pending: none, objects: [], held };
}

/** Who has to go on for the diagram; −1 if it has been followed to its end. */
function nextActor(
  asked: readonly Asked[],
  progress: Progress,
  view: View,
): number {
  for (; progress.at < asked.length; begin(asked, progress)) {
    const { cell, step } = asked[progress.at]!;
    const isLast = asked[progress.at + 1]?.cell.column !== cell.column;
    const done = step.does === "stop"
      ? hasStopped(step, progress, view, cell.column)
      : hasCalled(step.name, progress, view, cell.column, isLast);
    if (!done) return cell.column;
  }
  return -1;
}

function begin(asked: readonly Asked[], progress: Progress): void {
  const before = asked[progress.at]!.cell.column;
  progress.at++;
  progress.met = null;
  progress.steps = 0;
  if (asked[progress.at]?.cell.column !== before) progress.turn = [];
}

function hasStopped(
  step: Extract<DiagramStep, { does: "stop" }>,
  progress: Progress,
  view: View,
  actor: number,
): boolean {
  const op = view.pending[actor] ?? null;
  if (step.at === "end") return op === null;
  if (step.at === "wait") return op !== null && !isEnabled(view, actor);
  if (step.before === "") return progress.turn.length > 0;
  const wanted = unspaced(step.before);
  const times = progress.turn.filter((what) => unspaced(what) === wanted);
  return times.length >= step.nth;
}

/** A long name may be broken anywhere when it is printed. */
function unspaced(text: string): string {
  return text.replaceAll(/\s/g, "");
}

function hasCalled(
  name: string,
  progress: Progress,
  view: View,
  actor: number,
  isLast: boolean,
): boolean {
  const op = view.pending[actor] ?? null;
  if (progress.met === null) {
    const calls = progress.calls[actor]!;
    const found = calls.indexOf(name);
    if (found >= 0) {
      calls.splice(0, found + 1);
      progress.met = "call";
    } else if (op !== null && nameOf(op.what) === name) {
      progress.met = "operation";
    }
    progress.steps = 0;
  }
  if (progress.met === null) return false;
  if (progress.met === "call" && !isLast) return true;
  return progress.steps > 0 || op === null;
}

function isEnabled(view: View, actor: number): boolean {
  return (view.enabled & (1 << actor)) !== 0;
}

/** "spin_lock" of "spin_lock(ptl)". */
function nameOf(what: string): string {
  return /^\w+/.exec(what)?.[0] ?? what;
}

function whyNot(
  names: readonly string[],
  view: View,
  { column, text }: Cell,
  taken: ReadonlyMap<object, number>,
): string {
  const op = view.pending[column];
  const who = names[column]!;
  if (!op) return `${text}: ${who} has ended without it`;
  const holder = view.held.findIndex((ops) =>
    ops.some(({ object }) => object === op.object)
  );
  if (holder < 0) return `${text}: ${who} waits at ${op.what}`;
  const since = taken.get(op.object);
  return `${text}: ${who} cannot go on at ${op.what}: ${names[holder]} holds ` +
    `it since step ${since}`;
}
