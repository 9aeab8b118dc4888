/**
 * Points for one submission.
 *
 * Each test gets a fresh process, so that nothing is carried from one test to
 * the next and an endless loop costs one test. A test that does not say
 * "passed" in this process, after asking its subject at least once, gives no
 * points: silence, death and silence by accident are all the same.
 */
import { sha256 as hashOf } from "../engine_hash.ts";
import { compileModule, type Engine } from "./engine_table.ts";
import { type Exercise, maxPointsOf, type TestInfo } from "./exercise.ts";
import { Failure, SubjectError, type Trouble } from "./judge.ts";
import type { Level } from "./level.ts";
import { openSandbox, type Sandbox } from "./sandbox.ts";

export type Status = "passed" | "failed" | Trouble | "not run";

export interface TestResult {
  readonly id: string;
  readonly name: string;
  readonly visibility: TestInfo["visibility"];
  readonly status: Status;
  readonly points: number;
  readonly maxPoints: number;
  /** What was wanted and what came; for hidden tests only the kind. */
  readonly message: string;
  /** What the code printed; empty for hidden tests. */
  readonly printed: string;
  readonly hints: readonly string[];
}

export interface Result {
  readonly schema: "swaplab-grade/1";
  readonly exercise: string;
  readonly title: string;
  readonly submission: { readonly name: string; readonly sha256: string };
  /** Hash of the engine, limits in force, and seed of the random inputs. */
  readonly engine: string;
  readonly level: string;
  readonly seed: number;
  readonly status: "graded" | "not gradable" | "grader fault";
  /** Why it could not be graded. */
  readonly message: string;
  readonly points: number;
  readonly maxPoints: number;
  readonly tests: readonly TestResult[];
}

/** What stays the same for all submissions of one run. */
export interface Grader {
  readonly engine: Engine;
  readonly level: Level;
  /** A directory of the grader's own, with the bundled driver. */
  readonly folder: string;
  readonly exercise: Exercise;
  /** The exercise's stage as CommonJS. */
  readonly stage: string;
}

export interface Submission {
  readonly name: string;
  /** The file's text, or why there is none. */
  readonly source: string | null;
  readonly fault: string;
}

/** @param folder an empty directory, which the caller removes at the end */
export async function makeGrader(
  engine: Engine,
  level: Level,
  exercise: Exercise,
  folder: string,
): Promise<Grader> {
  await Deno.writeTextFile(`${folder}/driver.js`, engine.driver);
  const stage = await compileModule(exercise.stagePath);
  return { engine, level, folder, exercise, stage };
}

/** Grade one submission; never throws for what the submission does. */
export async function gradeSubmission(
  grader: Grader,
  submission: Submission,
): Promise<Result> {
  const { source } = submission;
  const { manifest } = grader.exercise;
  const sha256 = await hashOf(source ?? "");
  const seedText = await hashOf(`${manifest.id} ${sha256}`);
  const seed = Number.parseInt(seedText.slice(0, 8), 16);
  const base = {
    schema: "swaplab-grade/1" as const,
    exercise: manifest.id,
    title: manifest.title,
    submission: { name: submission.name, sha256 },
    engine: grader.engine.hash,
    level: grader.level.summary,
    seed,
    maxPoints: maxPointsOf(manifest),
  };
  const stop = (status: Result["status"], message: string): Result => ({
    ...base,
    status,
    message,
    points: 0,
    tests: [],
  });
  if (source === null) return stop("not gradable", submission.fault);
  try {
    const tests = await runTests(grader, source, seed);
    const points = tests.reduce((sum, test) => sum + test.points, 0);
    return { ...base, status: "graded", message: "", points, tests };
  } catch (thrown) {
    if (thrown instanceof SubjectError) {
      return stop("not gradable", thrown.message);
    }
    return stop("grader fault", `${(thrown as Error).stack ?? thrown}`);
  }
}

/** Throws a SubjectError "not gradable" if the file cannot be graded. */
async function runTests(
  grader: Grader,
  source: string,
  seed: number,
): Promise<TestResult[]> {
  const until = performance.now() + grader.level.limits.submissionMilliseconds;
  const results: TestResult[] = [];
  let unloadable: Outcome | null = null;
  for (const test of grader.exercise.manifest.tests) {
    const late = performance.now() > until;
    const outcome: Outcome = unloadable ??
      (late ? notRun : await runTest(grader, source, seed, test));
    // What does not load for the first test will not for the others.
    if (!outcome.loaded && results.length === 0) unloadable = outcome;
    results.push(resultOf(test, outcome));
  }
  return results;
}

interface Outcome {
  readonly status: Status;
  readonly message: string;
  readonly printed: string;
  readonly loaded: boolean;
}

const notRun: Outcome = {
  status: "not run",
  message: "The time for all tests together was over",
  printed: "",
  loaded: true,
};

async function runTest(
  grader: Grader,
  source: string,
  seed: number,
  test: TestInfo,
): Promise<Outcome> {
  const sandbox = await openSandbox(grader.level, grader.folder);
  try {
    const verdict = await judge(grader, sandbox, source, seed, test);
    return { ...verdict, printed: await sandbox.close() };
  } catch (thrown) {
    await sandbox.close();
    throw thrown;
  }
}

async function judge(
  { engine, exercise, stage }: Grader,
  sandbox: Sandbox,
  source: string,
  seed: number,
  test: TestInfo,
): Promise<Omit<Outcome, "printed">> {
  let loaded = false;
  let answers = 0;
  try {
    await sandbox.start({
      table: { ...engine.table, [exercise.stagePath]: stage },
      module: exercise.manifest.module,
      source,
      stage: exercise.stagePath,
      wantedExports: exercise.wantedExports,
    });
    loaded = true;
    const subject: Sandbox["call"] = async (name, ...args) => {
      const answer = await sandbox.call(name, ...args);
      answers++;
      return answer;
    };
    await exercise.bodies.get(test.id)!({ call: subject }, seed);
  } catch (thrown) {
    return { ...statusOf(thrown, loaded), loaded };
  }
  if (answers === 0) throw new Error(`Test ${test.id} asked nothing`);
  return { status: "passed", message: "", loaded };
}

/** Throws on what is neither a wrong answer nor a missing one: our fault. */
function statusOf(
  thrown: unknown,
  loaded: boolean,
): { status: Status; message: string } {
  if (thrown instanceof Failure) {
    return { status: "failed", message: thrown.message };
  }
  if (!(thrown instanceof SubjectError)) throw thrown;
  const { trouble, message } = thrown;
  if (trouble !== "not gradable") return { status: trouble, message };
  if (!loaded) throw thrown;
  // Only a forged reply says so after the file was loaded.
  return { status: "protocol", message: "It answered what was not asked" };
}

/** Hidden tests show no text that the student's code could choose. */
const kindOf: Readonly<Record<Status, string>> = {
  passed: "",
  failed: "A wrong answer",
  threw: "Your code threw an exception",
  timeout: "Your code used too much time",
  memory: "Your code used too much memory",
  crashed: "The process ended before it answered",
  protocol: "Your code wrote to standard output by itself",
  "not gradable": "",
  "not run": notRun.message,
};

function resultOf(test: TestInfo, outcome: Outcome): TestResult {
  const { id, name, visibility, points: maxPoints, hints } = test;
  const { status } = outcome;
  const shown = visibility === "public";
  return {
    id,
    name,
    visibility,
    status,
    points: status === "passed" ? maxPoints : 0,
    maxPoints,
    message: shown ? outcome.message : kindOf[status],
    printed: shown ? outcome.printed : "",
    hints: status === "passed" ? [] : hints,
  };
}
