/**
 * Diagrams run, and schedules told as diagrams. Ours.
 *
 * `runDiagram()` drives a program through exactly the order that a diagram
 * asks for; `printDiagram()` writes a run as a diagram, which gives that very
 * run when it is run. A column's lines in a row are a turn:
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
import { replay, scheduleOf } from "../sim/replay.ts";
import {
  type DiagramStep,
  makeStepParser,
  type StepParser,
} from "./diagram_step.ts";
import {
  type Cell,
  DiagramError,
  formatColumns,
  parseColumns,
  type Written,
} from "./diagram_text.ts";

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

/** Which functions were entered, by step. */
interface Entered {
  readonly step: number;
  readonly actor: number;
  readonly fn: string;
}

/** Listen to the calls of a program's runs. */
function listening(
  program: Program,
  told: (actor: number, fn: string) => void,
): Program {
  return {
    name: program.name,
    start() {
      const instance = program.start();
      let current = 0;
      instance.listen?.((fn) => told(current, fn));
      const switchTo = (actor: number) => {
        current = actor;
        instance.switchTo?.(actor);
      };
      return { ...instance, switchTo };
    },
  };
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
  };
  let misfit: DiagramRun["misfit"] = null;
  const scheduler: Scheduler = {
    begin: () => true,
    choose(view) {
      const turnOf = asked[progress.at]?.cell.column ?? -1;
      if (view.last === turnOf) {
        progress.turn.push(view.pending[turnOf]?.what ?? "");
      }
      const wanted = nextActor(asked, progress, view);
      if (wanted < 0) return lowestActor(view.enabled);
      if ((view.enabled & (1 << wanted)) !== 0) {
        progress.steps++;
        return wanted;
      }
      const { cell } = asked[progress.at]!;
      misfit = { line: cell.line, why: whyNot(names, view, wanted, cell.text) };
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
  actor: number,
  text: string,
): string {
  const op = view.pending[actor];
  const who = names[actor]!;
  if (!op) return `${text}: ${who} has ended without it`;
  const holder = view.held.findIndex((ops) =>
    ops.some(({ object }) => object === op.object)
  );
  return holder < 0
    ? `${text}: ${who} waits at ${op.what}`
    : `${text}: ${who} cannot go on at ${op.what}: ${names[holder]} holds it`;
}

/** Turns: the steps of one actor in a row, with what it entered meanwhile. */
interface Turn {
  readonly actor: number;
  readonly calls: readonly string[];
  /** How the turn ended, as a line; null where nothing needs to be said. */
  readonly stop: string;
}

function turnsOf(run: Run, entered: readonly Entered[]): Turn[] {
  const turns: Turn[] = [];
  const { steps } = run;
  for (let from = 0; from < steps.length;) {
    const { actor } = steps[from]!;
    let to = from;
    while (to < steps.length && steps[to]!.actor === actor) to++;
    const calls = entered.filter((call) =>
      call.actor === actor && call.step < to &&
      (call.step >= from || call.step < 0 && isFirstTurn(steps, from))
    );
    turns.push({
      actor,
      calls: calls.map(({ fn }) => fn),
      stop: stopOf(run, from, to),
    });
    from = to;
  }
  return turns;
}

/** The actor of step `at` has made none before. */
function isFirstTurn(steps: Run["steps"], at: number): boolean {
  return steps.findIndex(({ actor }) => actor === steps[at]!.actor) === at;
}

/** How the turn of steps `from` … `to`−1 ended. */
function stopOf(run: Run, from: number, to: number): string {
  const { actor } = run.steps[from]!;
  const { violation } = run;
  if (violation !== null && to === run.steps.length) {
    return `[breaks: ${violation.message.split("\n")[0]}]`;
  }
  const own = (at: number) =>
    [...run.steps.slice(at), ...run.pending].find((step) =>
      step.actor === actor
    );
  const next = own(to);
  if (next === undefined) return "[ends]";
  const mayGoOn = to < run.steps.length &&
    (run.steps[to]!.enabled & (1 << actor)) !== 0;
  if (!mayGoOn) return `[waits at ${next.op.what}]`;
  let nth = 0;
  for (let at = from + 1; at <= to; at++) {
    if (own(at)!.op.what === next.op.what) nth++;
  }
  const which = nth > 1 ? ` (${ordinal(nth)})` : "";
  return `[preempted before ${next.op.what}${which}]`;
}

function ordinal(n: number): string {
  const teen = n % 100 >= 11 && n % 100 <= 13;
  const ending = teen ? "th" : ["th", "st", "nd", "rd"][n % 10] ?? "th";
  return `${n}${ending}`;
}

/** A turn's calls, at most so many; the first and the last ones are kept. */
const callsShown = 16;
/** The same where there is one column, and the way down is the story. */
const callsShownAlone = 32;

function linesOf({ actor, calls, stop }: Turn, shown: number): Written[] {
  const names = calls.filter((fn, index) => fn !== calls[index - 1])
    .map((fn) => `${fn}()`);
  const left = names.length - shown;
  if (left > 1) names.splice(shown / 2, left, "...");
  return [...names, stop].map((text, index) => ({
    column: actor,
    indent: index === 0 ? 0 : 2,
    text,
  }));
}

/**
 * printDiagram() - the run of a schedule as a diagram for a commit message.
 *
 * Running the diagram gives the same run.
 */
export function printDiagram(program: Program, schedule: string): string {
  const entered: Entered[] = [];
  let step = -1;
  const scheduler = replay(schedule);
  const counted: Scheduler = {
    begin: scheduler.begin,
    choose(view) {
      step = view.depth;
      return scheduler.choose(view);
    },
    end: scheduler.end,
  };
  const watched = listening(program, (actor, fn) => {
    entered.push({ step, actor, fn });
  });
  const run = execute(watched, counted, makeLockOrder());
  const shown = run.names.length === 1 ? callsShownAlone : callsShown;
  const lines = turnsOf(run, entered).flatMap((turn) => linesOf(turn, shown));
  return formatColumns(run.names, lines);
}
