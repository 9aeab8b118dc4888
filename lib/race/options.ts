/**
 * What stands on the command line of `deno task race`. Ours.
 */
import { switchesOf } from "../lab/race_address.ts";
import {
  type RaceChoice,
  type RaceSearch,
  schedulers,
} from "../lab/race_search.ts";

export const usage = `Usage: deno task race [NAME|FILE.txt|-] [options]

NAME        a litmus test; without one, the list of them
FILE.txt    a diagram to run; "-" reads it from standard input. Which litmus
            test it is for: --litmus NAME

  --set SWITCH=VALUE            a proposal of the threads; may stand often
  --variant NAME                one of the litmus test's own (v6.12)
  --bound N|none                most preemptions in a run
  --scheduler dpor|dfs|random|pct   how runs are chosen (dpor)
  --seed N                      for random and pct (1)
  --runs N                      runs of random and pct (1000)
  --replay STRING               the one run that a schedule names
  --litmus NAME                 the litmus test that a diagram is for
  --json                        one JSON object
  --help                        this text

Exit code: 0 all invariants hold, 1 violation found, 2 bad input, 3 bound
reached before the search was complete.
`;

export interface RaceOptions {
  /** A name, a file, "-", or null: the list. */
  readonly subject: string | null;
  /** The litmus test that a diagram is for. */
  readonly litmus: string | null;
  readonly variant: string;
  readonly proposals: RaceChoice["proposals"];
  readonly search: RaceSearch;
  readonly replay: string | null;
  readonly json: boolean;
  readonly help: boolean;
}

const withValue = [
  "--set",
  "--bound",
  "--scheduler",
  "--seed",
  "--runs",
  "--replay",
  "--litmus",
  "--variant",
];
const withoutValue = ["--json", "--help"];

/** @throws TypeError with one sentence for the user */
export function parseRaceOptions(args: readonly string[]): RaceOptions {
  const words: string[] = [];
  const sets: string[] = [];
  const values = new Map<string, string>();
  const rest = [...args];
  for (let arg = rest.shift(); arg !== undefined; arg = rest.shift()) {
    if (arg === "-" || !arg.startsWith("--")) {
      words.push(arg);
      continue;
    }
    const [name, joined] = splitOnce(arg);
    if (withoutValue.includes(name)) values.set(name, "");
    else if (withValue.includes(name)) {
      const value = joined ?? rest.shift();
      if (value === undefined) throw new TypeError(`${name}: wanted a value`);
      if (name === "--set") sets.push(value);
      else values.set(name, value);
    } else throw new TypeError(`Unknown option ${name}`);
  }
  if (words.length > 1) {
    throw new TypeError(`Wanted one name or file, got ${words.join(", ")}`);
  }
  return {
    subject: words[0] ?? null,
    litmus: values.get("--litmus") ?? null,
    proposals: switchesOf(sets),
    variant: values.get("--variant") ?? "v6.12",
    search: {
      bound: boundOf(values.get("--bound")),
      scheduler: schedulerOf(values.get("--scheduler") ?? "dpor"),
      seed: wholeNumber("--seed", values.get("--seed") ?? "1"),
      runs: wholeNumber("--runs", values.get("--runs") ?? "1000"),
    },
    replay: values.get("--replay") ?? null,
    json: values.has("--json"),
    help: values.has("--help"),
  };
}

function splitOnce(arg: string): [string, string | undefined] {
  const at = arg.indexOf("=");
  return at < 0 ? [arg, undefined] : [arg.slice(0, at), arg.slice(at + 1)];
}

function wholeNumber(name: string, text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new TypeError(`${name}: wanted a whole number, got "${text}"`);
}

function boundOf(text: string | undefined): number | null | undefined {
  if (text === undefined) return undefined;
  return text === "none" ? null : wholeNumber("--bound", text);
}

function schedulerOf(text: string): NonNullable<RaceSearch["scheduler"]> {
  const found = schedulers.find((name) => name === text);
  if (found !== undefined) return found;
  throw new TypeError(
    `--scheduler: wanted one of ${schedulers.join(", ")}; got "${text}"`,
  );
}
