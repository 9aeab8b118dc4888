/**
 * What a search or a replay came to, as text: the verdict, the outcomes, and
 * the shortest run that breaks, as a diagram. Ours.
 */
import { printDiagram } from "./diagram_print.ts";
import { chosenProgram, type RaceReport, type Told } from "./race_search.ts";

/** raceText() - for a terminal, a page, a mail. */
export function raceText(report: RaceReport): string {
  const switches = Object.entries(report.proposals)
    .map(([name, value]) => `  with ${name}=${value}`);
  const rest = report.reduction.search === "replay"
    ? replayLines(report)
    : searchLines(report);
  return [verdictOf(report), ...switches, ...rest].join("\n") + "\n";
}

function verdictOf(report: RaceReport): string {
  const { litmus, violations, complete, bound, runs, steps } = report;
  const verdict = violations.length === 0 ? "holds" : "BROKEN";
  if (report.reduction.search === "replay") {
    return `${litmus}: ${verdict} (one run, ${steps} steps)`;
  }
  const within = bound === null
    ? "all interleavings"
    : `up to ${bound} preemptions`;
  const searched = complete ? `searched ${within}` : "not searched to the end";
  return `${litmus}: ${verdict} (${searched}, ${runs} runs)`;
}

function searchLines({ outcomes, violations }: RaceReport): string[] {
  const ends = outcomes.map(({ name, count, schedule }) =>
    `  ${String(count).padStart(7)} × ${name}   e.g. ${schedule}`
  );
  const broken = violations.flatMap((violation) => [
    `  ${String(violation.count).padStart(7)} × ${kindOf(violation)}`,
    "",
    `The shortest such run, --replay ${violation.schedule}`,
    "",
    violation.diagram,
  ]);
  return [...ends, ...broken];
}

function replayLines(report: RaceReport): string[] {
  const [outcome] = report.outcomes;
  const [violation] = report.violations;
  if (violation !== undefined) {
    return [`  ${kindOf(violation)}`, "", violation.diagram];
  }
  const { program } = chosenProgram(report);
  const { name, schedule } = outcome!;
  return [`  ${name}`, "", printDiagram(program, schedule)];
}

function kindOf({ kind, invariant }: Told): string {
  return `${kind}: ${invariant.split("\n")[0]}`;
}
