/**
 * Schedules told as diagrams, for a commit message. Ours.
 *
 * printDiagram() writes a run as a diagram, which gives that very run when
 * runDiagram() of diagram.ts runs it.
 */
import {
  execute,
  makeLockOrder,
  type Program,
  type Run,
  type Scheduler,
} from "../sim/execute.ts";
import { replay } from "../sim/replay.ts";
import { formatColumns, type Written } from "./diagram_text.ts";

/** Which functions were entered, by step. */
interface Entered {
  readonly step: number;
  readonly actor: number;
  readonly fn: string;
}

/** listening() - hear the calls of a program's runs. */
export function listening(
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
