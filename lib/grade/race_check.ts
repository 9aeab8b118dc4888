/**
 * A test that searches a race: all interleavings of a litmus test, with the
 * student's module in the engine. What breaks is told as a diagram, with the
 * schedule, and where the same schedule can be seen on the book's engine.
 *
 * The stage has a function `race(litmus, variant)`: what searchRace() gives.
 */
import { SimError } from "../base/bug.ts";
import { raceCommand, racePage } from "../lab/race_address.ts";
import { type RaceChoice, replayRace, searchRace } from "../lab/race_search.ts";
import { Failure, preview, samePlain, type Subject } from "./judge.ts";

/**
 * expectRace() - the litmus test must hold, and end as it does in the engine.
 *
 * @throws Failure with the diagram of a run that breaks
 */
export async function expectRace(
  subject: Subject,
  litmus: string,
  variant = "v6.12",
): Promise<void> {
  const choice: RaceChoice = { litmus, variant, proposals: {} };
  const report = fieldsOf(await subject.call("race", litmus, variant));
  const [violation] = listOf(report["violations"]);
  if (violation !== undefined) throw new Failure(told(choice, violation));
  const wanted = searchRace(choice).outcomes.map(({ name }) => name);
  const got = listOf(report["outcomes"]).map((one) => one["name"]);
  if (report["complete"] === true && samePlain(got, wanted)) return;
  throw new Failure(
    `${litmus}: wanted the ends ${preview(wanted)}, got ${preview(got)}`,
  );
}

/** Untrusted: whatever it is, something to look into. */
function fieldsOf(value: unknown): Record<string, unknown> {
  const isObject = typeof value === "object" && value !== null;
  return isObject ? value as Record<string, unknown> : {};
}

function listOf(value: unknown): Record<string, unknown>[] {
  return Array.isArray(value) ? value.map(fieldsOf) : [];
}

function told(choice: RaceChoice, violation: Record<string, unknown>): string {
  const { kind, invariant, diagram, schedule } = violation;
  const what = `${choice.litmus} breaks with your code, ${kind}: ` +
    `${invariant}`.split("\n")[0];
  const drawn = `\n\n${`${diagram}`.trimEnd()}`;
  if (typeof schedule !== "string" || !/^[A-Z0-9]{1,200}$/.test(schedule)) {
    return what + drawn;
  }
  const address = { ...choice, schedule };
  return `${what}${drawn}

That is schedule ${schedule}. On the book's own engine: ${
    replayed(choice, schedule)
  }
  ${raceCommand(address)}
  book/dist/${racePage(address)}`;
}

/** What the engine as it is does in the same order, in a few words. */
function replayed(choice: RaceChoice, schedule: string): string {
  try {
    const { outcomes, violations } = replayRace(choice, schedule);
    return violations[0]?.invariant ?? outcomes[0]!.name;
  } catch (error) {
    if (error instanceof SimError) return error.message;
    throw error;
  }
}
