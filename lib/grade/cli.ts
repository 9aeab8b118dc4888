/**
 * deno task grade EXERCISE FILE…
 *
 * Exit code: 0 all points, 1 points missing, 2 not gradable, 3 wrong usage or
 * a fault of the grader; of several submissions the highest.
 */
import { loadEngine } from "./engine_table.ts";
import { listExercises, loadExercise } from "./exercise.ts";
import {
  type Grader,
  gradeSubmission,
  makeGrader,
  type Result,
  type Submission,
} from "./grade.ts";
import { probeLevel } from "./level.ts";
import { handoutOf } from "./make.ts";
import { reportGradescope, reportJson, reportJunit } from "./report_data.ts";
import { reportTable, reportText } from "./report_text.ts";
import { findSubmissions } from "./submission.ts";

const usage = `Usage: deno task grade EXERCISE FILE... [options]

EXERCISE    a name from solutions/, such as 01_swap_duplicate
FILE        the student's file, a .patch or .diff of it, a directory that
            holds it, or a directory of all these: each is one submission

  --format text|json|junit|gradescope   what to print (text)
  --hints 0|1|2|3                       hints to show for a lost test (1)
  --jobs N                              submissions at a time (processors)
  --exit-zero                           exit code 0 whatever the points are
  --help                                this text

Exit code: 0 all points, 1 points missing, 2 a file cannot be graded,
3 wrong usage or a fault of the grader.
`;

const formats = ["text", "json", "junit", "gradescope"] as const;

interface Options {
  readonly exercise: string;
  readonly paths: readonly string[];
  readonly format: (typeof formats)[number];
  readonly hints: number;
  readonly jobs: number;
  readonly exitZero: boolean;
}

/** Throws TypeError with one sentence for the user. */
export function parseOptions(args: readonly string[]): Options {
  const words: string[] = [];
  const values = new Map<string, string>();
  const rest = [...args];
  for (let arg = rest.shift(); arg !== undefined; arg = rest.shift()) {
    if (!arg.startsWith("--")) {
      words.push(arg);
      continue;
    }
    const [name, joined] = arg.split("=", 2) as [string, string?];
    if (name === "--exit-zero") values.set(name, "");
    else if (["--format", "--hints", "--jobs"].includes(name)) {
      const value = joined ?? rest.shift();
      if (value === undefined) throw new TypeError(`${name}: wanted a value`);
      values.set(name, value);
    } else throw new TypeError(`Unknown option ${name}`);
  }
  const [exercise, ...paths] = words;
  if (exercise === undefined) throw new TypeError("Wanted an exercise");
  if (paths.length === 0) throw new TypeError("Wanted a file to grade");
  return {
    exercise,
    paths,
    format: chooseFormat(values.get("--format") ?? "text"),
    hints: wholeNumber("--hints", values.get("--hints") ?? "1", 0, 3),
    jobs: wholeNumber("--jobs", values.get("--jobs") ?? defaultJobs(), 1, 64),
    exitZero: values.has("--exit-zero"),
  };
}

function defaultJobs(): string {
  return String(Math.min(8, navigator.hardwareConcurrency));
}

function chooseFormat(text: string): Options["format"] {
  const format = formats.find((known) => known === text);
  if (format !== undefined) return format;
  throw new TypeError(`--format: wanted ${formats.join(", ")}, got ${text}`);
}

function wholeNumber(name: string, text: string, low: number, high: number) {
  const value = Number(text);
  if (Number.isInteger(value) && value >= low && value <= high) return value;
  throw new TypeError(`${name}: wanted ${low} … ${high}, got ${text}`);
}

async function gradeAll(
  grader: Grader,
  submissions: readonly Submission[],
  jobs: number,
): Promise<Result[]> {
  const results: Result[] = [];
  let next = 0;
  let done = 0;
  const worker = async () => {
    while (next < submissions.length) {
      const index = next++;
      results[index] = await gradeSubmission(grader, submissions[index]!);
      done++;
      if (submissions.length > 1) showProgress(done, submissions.length);
    }
  };
  await Promise.all(Array.from({ length: jobs }, worker));
  return results;
}

/** On stderr, so that reports can be sent to a file. */
function showProgress(done: number, total: number): void {
  const end = Deno.stderr.isTerminal() && done < total ? "\r" : "\n";
  if (end === "\n" && done < total && done % 25 !== 0) return;
  const text = `${done} of ${total} graded${end}`;
  Deno.stderr.writeSync(new TextEncoder().encode(text));
}

function report(results: readonly Result[], options: Options): string {
  if (options.format === "json") return reportJson(results);
  if (options.format === "junit") return reportJunit(results);
  if (options.format === "gradescope") return reportGradescope(results[0]!);
  if (results.length > 1) return reportTable(results);
  return reportText(results[0]!, options.hints);
}

function exitCodeOf(result: Result): number {
  if (result.status === "grader fault") return 3;
  if (result.status === "not gradable") return 2;
  return result.points === result.maxPoints ? 0 : 1;
}

async function gradePaths(options: Options): Promise<number> {
  const exercise = await loadExercise(options.exercise);
  const handout = await handoutOf(exercise.manifest);
  const submissions: Submission[] = [];
  for (const path of options.paths) {
    submissions.push(...await findSubmissions(path, handout));
  }
  if (options.format === "gradescope" && submissions.length > 1) {
    throw new TypeError("--format gradescope: wanted one submission");
  }
  const folder = await Deno.makeTempDir({ prefix: "swaplab-grade-" });
  try {
    const [engine, level] = await Promise.all([loadEngine(), probeLevel()]);
    const grader = await makeGrader(engine, level, exercise, folder);
    const results = await gradeAll(grader, submissions, options.jobs);
    await write(report(results, options));
    const fault = results.find((result) => result.status === "grader fault");
    if (fault !== undefined) console.error(`Grader fault: ${fault.message}`);
    const code = Math.max(...results.map(exitCodeOf));
    return options.exitZero && code < 3 ? 0 : code;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function write(text: string): Promise<void> {
  const bytes = new TextEncoder().encode(text);
  const writer = Deno.stdout.writable.getWriter();
  await writer.write(bytes);
  writer.releaseLock();
}

async function main(args: readonly string[]): Promise<number> {
  if (args.includes("--help")) {
    console.log(usage);
    return 0;
  }
  try {
    const options = parseOptions(args);
    const known = await listExercises();
    if (!known.includes(options.exercise)) {
      const names = known.join(", ");
      throw new TypeError(`No exercise ${options.exercise}: have ${names}`);
    }
    return await gradePaths(options);
  } catch (thrown) {
    const wrongUse = thrown instanceof TypeError;
    console.error(wrongUse ? thrown.message : thrown);
    if (wrongUse) console.error("Try: deno task grade --help");
    return 3;
  }
}

if (import.meta.main) Deno.exit(await main(Deno.args));
