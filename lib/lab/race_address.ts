/**
 * A race in an address: what stands behind the # of a page of the book, and
 * how the command line and the grader name the same run. Ours.
 *
 *     race=sync-swapin-aba&variant=no+pin&schedule=A9B5A
 *
 * `variant` is v6.12 if left out; `set=switch=value` may stand often; without
 * a schedule, the litmus test is searched.
 */
import { type Proposals, proposals } from "../proposals.ts";
import {
  type RaceChoice,
  type RaceReport,
  replayRace,
  searchRace,
} from "./race_search.ts";

/** The page that a link to a race opens; any other one would do as well. */
const page = "09_reading_a_race.html";

/** A race, and the run of it; null: all runs. */
export interface RaceAddress extends RaceChoice {
  readonly schedule: string | null;
}

/** raceHash() - what stands behind the #. */
export function raceHash(address: RaceAddress): string {
  const { litmus, variant, schedule } = address;
  const fields = new URLSearchParams({ race: litmus, variant });
  for (const set of Object.entries(address.proposals)) {
    fields.append("set", set.join("="));
  }
  if (schedule !== null) fields.set("schedule", schedule);
  return fields.toString();
}

/** racePage() - the page with that race opened, from the book's folder. */
export function racePage(address: RaceAddress): string {
  return `${page}#${raceHash(address)}`;
}

/** raceCommand() - the line that makes the same run in a terminal. */
export function raceCommand(address: RaceAddress): string {
  const { litmus, variant, schedule } = address;
  const sets = Object.entries(address.proposals)
    .map((set) => `--set ${set.join("=")}`);
  return [
    `deno task race ${litmus}`,
    ...(variant === "v6.12" ? [] : [`--variant "${variant}"`]),
    ...sets,
    ...(schedule === null ? [] : [`--replay ${schedule}`]),
  ].join(" ");
}

const known: readonly string[] = ["race", "variant", "set", "schedule"];

/**
 * parseRaceHash() - the way back.
 *
 * @param hash with or without the # in front
 * @throws TypeError for what is no race's address
 */
export function parseRaceHash(hash: string): RaceAddress {
  const fields = new URLSearchParams(hash.replace(/^#/, ""));
  const odd = [...fields.keys()].find((name) => !known.includes(name));
  if (odd !== undefined) {
    throw new TypeError(
      `race address: wanted ${known.join(", ")}; got "${odd}"`,
    );
  }
  const litmus = fields.get("race");
  if (litmus === null) throw new TypeError("race address: no race= in it");
  return {
    litmus,
    variant: fields.get("variant") ?? "v6.12",
    proposals: switchesOf(fields.getAll("set")),
    schedule: fields.get("schedule"),
  };
}

/** "skip_if_exists=off" … as switches of a machine. */
export function switchesOf(sets: readonly string[]): Partial<Proposals> {
  const all: Readonly<Record<string, { readonly values: object }>> = proposals;
  const chosen: Record<string, string> = {};
  for (const set of sets) {
    const [name = "", value = ""] = set.split(/=(.*)/s);
    const proposal = Object.hasOwn(all, name) ? all[name] : undefined;
    if (proposal === undefined) {
      throw new TypeError(
        `--set ${set}: no switch "${name}"; there are ` +
          Object.keys(all).join(", "),
      );
    }
    const values = Object.keys(proposal.values);
    if (!values.includes(value)) {
      throw new TypeError(
        `--set ${set}: ${name} is one of ${values.join(", ")}`,
      );
    }
    chosen[name] = value;
  }
  return chosen as Partial<Proposals>;
}

/**
 * raceAt() - what an address asks for: one run, or a search.
 *
 * @throws TypeError, RangeError or SimError, in one sentence for the reader
 */
export function raceAt(hash: string): RaceReport {
  const { schedule, ...choice } = parseRaceHash(hash);
  return schedule === null ? searchRace(choice) : replayRace(choice, schedule);
}
