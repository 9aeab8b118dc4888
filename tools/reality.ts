/**
 * `deno task reality`: the engine against recordings of real kernels. Ours.
 *
 *   deno task reality                       all recordings, a table
 *   deno task reality --only 6.12           those with that in their name
 *   deno task reality --data DIR            DIR/directed.json, DIR/workloads/
 *   deno task reality --json                one line a recording
 *   deno task reality --pressure            rules, and both sides beside
 *   deno task reality --mutants             errors that must be noticed
 *   deno task reality --fuzz SEED           print a workload, made by seed
 *   deno task reality --record 6.12 NAME    record a workload on a real kernel
 *
 * A recording (--zpool zbud, --swap brd, --folder DIR) is made of a shipped
 * workload, of a .wl file or of fuzz:SEED, compared with the shipped one if
 * there is one, and checked. Its folder can be given to --data.
 *
 * Exit status: 0; 1 if a value differs without a listed cause; 2 for a wrong
 * call, data that cannot be read or a recording that cannot be made.
 */
import { basename, join } from "node:path";
import { fuzzWorkload } from "../lib/lab/reality_fuzz.ts";
import { record, RecordFailure } from "./reality_record.ts";
import {
  type Check,
  checkLine,
  checkRecording,
} from "../lib/lab/reality_check.ts";
import {
  parseRecordings,
  type Recording,
  RecordingError,
  recordingName,
} from "../lib/lab/reality_recording.ts";
import { WorkloadError } from "../lib/lab/reality_workload.ts";
import { NotSupported } from "../lib/lab/reality_world.ts";
import { checkPressure, groupRuns } from "../lib/lab/reality_pressure.ts";
import { realityText } from "../lib/show/reality.ts";
import { pressureText } from "../lib/show/reality_pressure.ts";
import {
  directory,
  type Options,
  parseArguments,
  seedOf,
  shipped,
  Usage,
} from "./reality_options.ts";
import { mutantsText, runMutants } from "./reality_mutants.ts";

function readText(url: URL): string {
  try {
    return Deno.readTextFileSync(url);
  } catch (error) {
    throw new Usage(`${url.pathname}: ${(error as Error).message}`);
  }
}

/** The workload files, each read once. */
function workloadsIn(data: URL): (name: string) => string {
  const read = new Map<string, string>();
  return (name) => {
    const text = read.get(name) ??
      readText(new URL(`workloads/${name}.wl`, data));
    read.set(name, text);
    return text;
  };
}

function recordingsOf({ data, only }: Options, file: string): Recording[] {
  const url = new URL(file, data);
  const all = parseRecordings(readText(url), url.pathname);
  const chosen = all.filter((one) => recordingName(one).includes(only));
  if (chosen.length > 0) return chosen;
  throw new Usage(`--only ${only}: no recording of ${all.length} has that`);
}

/** Check recordings and print; the exit status. */
function check(recordings: readonly Recording[], options: Options): number {
  const workload = workloadsIn(options.data);
  const checks: Check[] = [];
  for (const recording of recordings) {
    const one = checkRecording(recording, workload(recording.workload));
    checks.push(one);
    if (options.json) console.log(JSON.stringify(checkLine(one)));
  }
  if (!options.json) console.log(realityText(checks));
  const unexplained = checks.some(({ differences }) =>
    differences.some(({ cause }) => cause === null)
  );
  return unexplained ? 1 : 0;
}

/** Rules and bands of the pressure recordings. 1 if the engine breaks one. */
function underPressure(options: Options): number {
  const workload = workloadsIn(options.data);
  const groups = groupRuns(recordingsOf(options, "pressure.json"));
  const checks = groups.map((runs) =>
    checkPressure(runs, workload(runs[0]!.workload))
  );
  console.log(pressureText(checks));
  const broken = checks.some(({ engineRules, run }) =>
    run.bad > 0 || engineRules.some((one) => one.broken.length > 0)
  );
  return broken ? 1 : 0;
}

/** 1 if an error of the list is noticed by no recording. */
function allMutants(options: Options): number {
  const results = runMutants(options.only, ({ name }) => console.error(name));
  console.log(mutantsText(results));
  return results.every(({ recordings }) => recordings > 0) ? 0 : 1;
}

/** The name and the text of a shipped workload, a file or fuzz:SEED. */
function workloadOf(given: string): [string, string] {
  if (given.startsWith("fuzz:")) {
    const seed = seedOf(given.slice(5));
    return [`fuzz-${seed}`, fuzzWorkload(seed)];
  }
  if (!given.endsWith(".wl")) return [given, workloadsIn(shipped)(given)];
  return [basename(given, ".wl"), readText(new URL(given, directory(".")))];
}

function recordAndCheck(
  [series, given]: readonly [string, string],
  options: Options,
): number {
  const [workload, template] = workloadOf(given);
  const { zpool, swap, folder } = options;
  const request = { series, workload, text: template, zpool, swap, folder };
  const recording = record(request, (line) => console.error(line));
  const data = directory(join(folder, "recordings", recordingName(recording)));
  Deno.mkdirSync(new URL("workloads/", data), { recursive: true });
  Deno.writeTextFileSync(new URL(`workloads/${workload}.wl`, data), template);
  const text = JSON.stringify({ recordings: [recording] });
  Deno.writeTextFileSync(new URL("directed.json", data), text);
  console.log(`Recorded in ${data.pathname}`);
  console.log(besideShipped(recording));
  return check([recording], { ...options, data });
}

/** How a new recording and the shipped one agree. */
function besideShipped(recording: Recording): string {
  const url = new URL("directed.json", shipped);
  const old = parseRecordings(readText(url), url.pathname).find((one) =>
    one.kernel === recording.kernel &&
    recordingName(one) === recordingName(recording)
  );
  if (old === undefined) return "There is no shipped recording of the kind.";
  let equal = 0;
  const other: string[] = [];
  for (const [name, values] of Object.entries(old.counters)) {
    const now = recording.counters[name];
    const same = values.filter((value, i) => value === now?.[i]).length;
    equal += same;
    if (same < values.length) other.push(name);
  }
  const differ = other.length === 0 ? "none" : other.join(", ");
  return `Beside the shipped one: ${equal} values equal; others: ${differ}`;
}

function main(args: readonly string[]): number {
  const options = parseArguments(args);
  if (options.record !== null) return recordAndCheck(options.record, options);
  if (options.pressure) return underPressure(options);
  if (options.mutants) return allMutants(options);
  if (options.fuzz === null) {
    return check(recordingsOf(options, "directed.json"), options);
  }
  console.log(fuzzWorkload(options.fuzz).trimEnd());
  return 0;
}

if (import.meta.main) {
  try {
    Deno.exitCode = main(Deno.args);
  } catch (error) {
    const known = [
      Usage,
      RecordFailure,
      RecordingError,
      WorkloadError,
      NotSupported,
    ];
    if (!known.some((kind) => error instanceof kind)) throw error;
    console.error((error as Error).message);
    Deno.exitCode = 2;
  }
}
