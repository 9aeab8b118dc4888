/**
 * `deno task test [FILE...] [deno test options]`: runs every test and closes
 * with one line, `N passed, N failed`.
 *
 * Ours. The counts are those of the summary that `deno test` ends with. A run
 * without a summary (a type error, a test that ends the process) counts as one
 * failure, and so does a run that found no test.
 */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import process from "node:process";
import { engineHash } from "swaplab/engine_hash.ts";
import { projectRoot } from "./files.ts";

export interface Finished {
  readonly code: number;
  /** Both streams, as they came, without colours. */
  readonly output: string;
}

export interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

function withoutColours(text: string): string {
  // deno-lint-ignore no-control-regex
  return text.replace(/\x1b\[[\d;]*m/g, "");
}

/**
 * Run this same deno with `args` in the project's folder.
 *
 * @param echo whether its output is shown while it runs
 */
export function runDeno(
  args: readonly string[],
  echo: boolean,
): Promise<Finished> {
  const colour = process.stdout.isTTY && process.env.NO_COLOR === undefined;
  const child = spawn(process.execPath, args, {
    cwd: projectRoot,
    env: { ...process.env, [colour ? "FORCE_COLOR" : "NO_COLOR"]: "1" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const chunks: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8");
    stream.on("data", (chunk: string) => {
      chunks.push(chunk);
      if (echo) process.stdout.write(chunk);
    });
  }
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => {
      resolve({ code: code ?? 1, output: withoutColours(chunks.join("")) });
    });
  });
}

/** The counts in the last summary line, or null if there is none. */
export function summaryOf(output: string): Counts | null {
  const summary =
    /^(?:ok|FAILED) \| (\d+) passed[^|\n]*\| (\d+) failed([^\n]*)$/gm;
  const last = [...output.matchAll(summary)].at(-1);
  if (last === undefined) return null;
  const ignored = /\| (\d+) ignored/.exec(last[3]!);
  return {
    passed: Number(last[1]),
    failed: Number(last[2]),
    skipped: Number(ignored?.[1] ?? 0),
  };
}

/** What the closing line says: a run that ended badly has a failure. */
export function countsOf({ code, output }: Finished): Counts {
  const counts = summaryOf(output) ?? { passed: 0, failed: 0, skipped: 0 };
  const isGood = code === 0 && counts.passed > 0 && summaryOf(output) !== null;
  if (isGood || counts.failed > 0) return counts;
  return { ...counts, failed: 1 };
}

export function closingLine({ passed, failed, skipped }: Counts): string {
  const line = `${passed} passed, ${failed} failed`;
  return skipped === 0 ? line : `${line}, ${skipped} skipped`;
}

/** Folders whose tests mostly wait: for browsers, Jupyter kernels, pages. */
const waiting = ["tests/browser/", "tests/jupyter/"];

/**
 * Arguments for `deno`, a list for each run: one for what `args` names; two
 * that share all tests, so that one computes while the other waits.
 */
export function testArguments(args: readonly string[]): string[][] {
  const test = ["test", "-A", "--no-prompt"];
  const namesFiles = args.some((arg, index) =>
    !arg.startsWith("-") && args[index - 1] !== "--filter" &&
    existsSync(resolve(projectRoot, arg))
  );
  if (namesFiles) return [[...test, ...args]];
  const all = ["tests/", "lib/"];
  // Options may leave one share without a test.
  if (args.length > 0) return [[...test, ...all, ...args]];
  return [
    [...test, `--ignore=${waiting.join(",")}`, ...all],
    [...test, ...waiting],
  ];
}

/**
 * Run deno with each of the lists, side by side.
 *
 * @param echo whether output is shown: the first run's as it comes, then the
 *   others'
 */
export async function runSideBySide(
  runs: readonly (readonly string[])[],
  echo: boolean,
): Promise<Finished[]> {
  const started = runs.map((args, index) => runDeno(args, echo && index === 0));
  const all: Finished[] = [];
  for (const run of started) {
    const finished = await run;
    if (echo && all.length > 0) process.stdout.write(finished.output);
    all.push(finished);
  }
  return all;
}

/** What several runs come to. */
export function totalOf(all: readonly Finished[]): Counts {
  const counts = all.map(countsOf);
  const sum = (name: keyof Counts) =>
    counts.reduce((total, each) => total + each[name], 0);
  return {
    passed: sum("passed"),
    failed: sum("failed"),
    skipped: sum("skipped"),
  };
}

if (import.meta.main) {
  const runs = testArguments(process.argv.slice(2));
  const all = await runSideBySide(runs, true);
  const counts = totalOf(all);
  if (all.some(({ output }) => summaryOf(output) === null)) {
    console.log("The tests did not run to their end: see above.");
  } else if (counts.passed + counts.failed + counts.skipped === 0) {
    console.log("No test ran.");
  }
  console.log(`engine ${await engineHash()}`);
  console.log(closingLine(counts));
  process.exitCode = counts.failed === 0 ? 0 : 1;
}
