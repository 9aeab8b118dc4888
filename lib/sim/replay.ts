/**
 * A schedule as a short string, and the scheduler that follows one. Ours.
 *
 * "A3B12A" reads: actor A three steps, B twelve, A to its end. Actors are
 * letters from A; a number is how many steps; the last one may be left out.
 * Steps behind the string's end go to whoever can, lowest letter first.
 */
import { SimError } from "../base/bug.ts";
import type { Run, Scheduler, Step, View } from "./execute.ts";
import { lowestActor } from "./mask.ts";

/** Steps of one actor in a row. */
export interface Block {
  readonly actor: number;
  /** Infinity: as many as it can. */
  readonly steps: number;
}

const firstLetter = "A".charCodeAt(0);

export function actorLetter(actor: number): string {
  return String.fromCharCode(firstLetter + actor);
}

/** The string of a run's choices. */
export function scheduleOf(steps: readonly Step[]): string {
  let text = "";
  for (let i = 0; i < steps.length;) {
    const { actor } = steps[i]!;
    let end = i;
    while (end < steps.length && steps[end]!.actor === actor) end++;
    text += actorLetter(actor);
    if (end < steps.length) text += end - i;
    i = end;
  }
  return text;
}

/** @throws RangeError for what is not a schedule */
export function parseSchedule(text: string): Block[] {
  const blocks: Block[] = [];
  let at = 0;
  for (const match of text.matchAll(/([A-Z])(\d*)/g)) {
    if (match.index !== at) break;
    at += match[0].length;
    const steps = match[2] === "" ? Infinity : Number(match[2]);
    const isLast = at === text.length;
    if (steps === 0 || (steps === Infinity && !isLast)) {
      throw new RangeError(
        `schedule "${text}": how many steps of ${match[1]}, at ${match.index}?`,
      );
    }
    blocks.push({ actor: match[1]!.charCodeAt(0) - firstLetter, steps });
  }
  if (at !== text.length) {
    throw new RangeError(
      `schedule "${text}": wanted a letter and a number, got ` +
        `"${text.slice(at, at + 8)}" at ${at}`,
    );
  }
  return blocks;
}

/**
 * replay() - a scheduler that makes one run, the one that `text` names.
 *
 * @throws SimError at the step at which the schedule ceases to fit
 */
export function replay(text: string): Scheduler {
  const blocks = parseSchedule(text);
  let block = 0;
  let made = 0;
  let begun = false;
  return {
    begin() {
      const first = !begun;
      begun = true;
      return first;
    },
    choose(view: View): number {
      while (block < blocks.length && made >= blocks[block]!.steps) {
        block++;
        made = 0;
      }
      const wanted = blocks[block];
      if (wanted === undefined) return lowestActor(view.enabled);
      made++;
      if ((view.enabled & (1 << wanted.actor)) !== 0) return wanted.actor;
      if (wanted.steps === Infinity) return lowestActor(view.enabled);
      throw new SimError(misfit(text, view, wanted.actor));
    },
    end(run: Run): void {
      const unused = block < blocks.length - 1 ||
        (block < blocks.length && blocks[block]!.steps !== Infinity &&
          made < blocks[block]!.steps);
      if (!unused) return;
      const { violation, steps } = run;
      const why = violation === null
        ? `all have ended after ${steps.length} steps`
        : `after ${steps.length} steps it is over: ${violation.message}`;
      throw new SimError(`schedule "${text}" ceases to fit: ${why}`);
    },
  };
}

function misfit(text: string, view: View, actor: number): string {
  const op = view.pending[actor];
  const why = op === undefined
    ? "there is no such actor"
    : op === null
    ? "it has ended"
    : `it waits at ${op.what}`;
  return `schedule "${text}" ceases to fit at step ${view.depth + 1}: ` +
    `${actorLetter(actor)} cannot go on, ${why}`;
}
