/**
 * A schedule as a picture: time runs down, each actor has a lane, each step a
 * box in it. A whole line in a lane: could go on, and was not chosen; a dashed
 * one: had to wait. Beside the lanes: the shared state, where it was written.
 */
import { type RunStory, tellRun } from "../lab/run_story.ts";
import type { Program } from "../sim/execute.ts";
import { actorLetter } from "../sim/replay.ts";
import { violationText } from "./exploration.ts";
import { describe, type Figure, makeFigure, wantText } from "./figure.ts";
import { frameSvg } from "./svg.ts";
import { drawLanes, type LaneRow } from "./swimlanes_svg.ts";
import { gridOf, gridText } from "./table.ts";

export interface SwimlanesSpec {
  title: string;
  /** One sentence that says what is there to see. */
  finding: string;
  /** Which run of the program: "A1B4A". */
  schedule: string;
  /** Steps shown of those that one actor makes in a row. Default 8. */
  stepsShown?: number;
}

/**
 * swimlanes() - one run of a program, step by step.
 *
 * @throws SimError if the schedule does not fit the program
 */
export function swimlanes(program: Program, spec: SwimlanesSpec): Figure {
  const title = wantText(spec.title, "swimlanes() title");
  const finding = wantText(spec.finding, "swimlanes() finding");
  const schedule = wantText(spec.schedule, "swimlanes() schedule");
  const shown = wantShown(spec.stepsShown ?? 8);
  const story = tellRun(program, schedule);
  const heads = story.names.map((name, at) => `${name} (${actorLetter(at)})`);
  const rows = [...rowsOf(story, shown), ...stuckRows(story)];
  const ending = endingOf(story);
  const { drawing, width, height } = drawLanes(heads, rows, ending);
  return makeFigure({
    title,
    finding,
    svg: frameSvg({ title, finding, width, height }, drawing),
    text: [finding, "", textOf(heads, rows), "", ending].join("\n"),
    json: {
      title,
      finding,
      kind: "swimlanes",
      schedule,
      actors: story.names,
      steps: story.steps.map(({ actor, what, state }) => ({
        actor,
        what,
        state,
      })),
      ending,
    },
  });
}

function wantShown(shown: number): number {
  if (Number.isInteger(shown) && shown >= 2) return shown;
  const came = describe(shown);
  throw new RangeError(`swimlanes() stepsShown: wanted 2 or more, got ${came}`);
}

/** Turns, each with at most `shown` steps; the first and the last are kept. */
function rowsOf({ steps, begin }: RunStory, shown: number): LaneRow[] {
  const rows: LaneRow[] = [];
  let before = begin;
  for (let from = 0; from < steps.length;) {
    const { actor } = steps[from]!;
    let to = from;
    while (to < steps.length && steps[to]!.actor === actor) to++;
    const left = to - from - shown;
    const keptFirst = Math.ceil(shown / 2);
    for (let at = from; at < to; at++) {
      const { what, kind, enabled, alive, state } = steps[at]!;
      const isFirst = at === from;
      if (left > 1 && at === from + keptFirst) {
        at += left - 1;
        const text = `… ${left} more`;
        rows.push({ actor, text, enabled, alive, state: "", isFirst: false });
        continue;
      }
      const told = state === before && kind !== "write" ? "" : state;
      before = state;
      rows.push({ actor, text: what, enabled, alive, state: told, isFirst });
    }
    from = to;
  }
  return rows;
}

/** What those who cannot go on wait for. */
function stuckRows({ run }: RunStory): LaneRow[] {
  const { violation, pending } = run;
  const isStuck = violation?.kind === "deadlock" ||
    violation?.kind === "lost wakeup";
  if (!isStuck) return [];
  const alive = pending.reduce((mask, { actor }) => mask | 1 << actor, 0);
  return pending.map(({ actor, op }) => ({
    actor,
    text: `waits: ${op.what}`,
    enabled: 0,
    alive,
    state: "",
    isFirst: true,
    isStuck,
  }));
}

function endingOf({ run: { violation, outcome } }: RunStory): string {
  return violation === null ? `outcome: ${outcome}` : violationText(violation);
}

function textOf(heads: readonly string[], rows: readonly LaneRow[]): string {
  const hasState = rows.some(({ state }) => state !== "");
  const lines = rows.map(({ actor, text, state }) => {
    const cells = heads.map((_, at) => at === actor ? text : "");
    return hasState ? [...cells, state] : cells;
  });
  const columns = [...heads, ...(hasState ? ["shared state"] : [])];
  return gridText(gridOf(lines, columns.map((key) => ({ key }))));
}
