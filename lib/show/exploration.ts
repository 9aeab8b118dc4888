/**
 * What a search found, as a table: outcomes first, then failures, each with
 * how many runs ended so and one schedule that does.
 */
import type { Violation } from "../sim/execute.ts";
import type { Example, Exploration } from "../sim/explore.ts";
import type { Figure } from "./figure.ts";
import { type Column, type Row, table } from "./table.ts";

const columns: readonly Column[] = [
  { key: "result" },
  { key: "runs" },
  { key: "preemptions" },
  { key: "steps" },
  { key: "schedule", label: "for example" },
];

/** explorationTable() - what explore() returned. */
export function explorationTable(found: Exploration): Figure {
  const { outcomes, failures } = found;
  const rows = [
    ...outcomes.map((outcome) => rowOf(outcome.name, outcome)),
    ...failures.map((failure) => rowOf(violationText(failure), failure)),
  ];
  return table(rows, { caption: captionOf(found), columns });
}

/** The kind of a violation and its message, nothing twice. */
export function violationText({ kind, message }: Violation): string {
  const [first = ""] = message.split("\n");
  return first.toLowerCase().startsWith(kind) ? first : `${kind}: ${first}`;
}

function rowOf(result: string, example: Example & { count: number }): Row {
  const { count, preemptions, steps, schedule } = example;
  return { result, runs: count, preemptions, steps, schedule };
}

function captionOf(found: Exploration): string {
  const { program, bound, complete, runs, failures } = found;
  const verdict = failures.length > 0 ? "broken" : "holds";
  const within = bound === null
    ? "all interleavings"
    : `up to ${bound} preemptions`;
  const searched = complete ? `${within} searched` : "not searched to the end";
  const made = runs === 1 ? "1 run" : `${runs} runs`;
  return `${program}: ${verdict} (${searched}, ${made})`;
}
