/** The picture of a race: the run that broke, else the first outcome's. */
import { chosenProgram, type RaceReport } from "../lab/race_search.ts";
import type { Figure } from "./figure.ts";
import { swimlanes } from "./swimlanes.ts";

/** raceFigure() - of what searchRace() or replayRace() gave. */
export function raceFigure(report: RaceReport): Figure {
  const { litmus, variant, violations: [violation], outcomes } = report;
  const schedule = violation?.schedule ?? outcomes[0]!.schedule;
  const [what] = (violation?.invariant ?? outcomes[0]!.name).split("\n");
  return swimlanes(chosenProgram(report).program, {
    title: `${litmus}, ${variant}: ${schedule}`,
    finding: violation === undefined ? `It ends well: ${what}.` : `${what}.`,
    schedule,
  });
}
