/**
 * `deno task ok`: everything that must hold before a commit, the quick checks
 * first. One line a step; the first that fails tells how to mend it. Ours.
 */
import process from "node:process";
import {
  closingLine,
  countsOf,
  type Finished,
  runDeno,
  testArguments,
} from "./test.ts";

interface Step {
  readonly name: string;
  readonly args: readonly string[];
  readonly remedy: string;
  /** What the step's line tells besides its time. */
  readonly detail?: (finished: Finished) => string;
}

const steps: readonly Step[] = [
  {
    name: "format",
    args: ["fmt", "--check"],
    remedy: "Run `deno task fmt`.",
  },
  {
    name: "lint",
    args: ["lint"],
    remedy: "Each problem above names its rule and what to write instead.",
  },
  {
    name: "types",
    args: ["check", "lib", "tests", "tools", "book"],
    remedy: "Mend the type errors above; casts to any are not accepted.",
  },
  {
    name: "tests",
    args: testArguments([]),
    remedy: "Run one of them alone: `deno task test FILE --filter NAME`.",
    detail: (finished) => closingLine(countsOf(finished)),
  },
];

/** Run `step`; prints its line and, if it failed, its output and remedy. */
async function runStep(step: Step): Promise<boolean> {
  const start = performance.now();
  const finished = await runDeno(step.args, false);
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  const isTest = step.detail !== undefined;
  const failed = finished.code !== 0 ||
    (isTest && countsOf(finished).failed > 0);
  const verdict = failed ? "FAILED" : "ok";
  const detail = step.detail?.(finished) ?? "";
  const line = [
    step.name.padEnd(8),
    verdict.padEnd(6),
    `${seconds} s`.padStart(8),
    detail,
  ].join("  ").trimEnd();
  if (failed) console.log(finished.output);
  console.log(line);
  if (failed) console.log(`=> ${step.remedy}`);
  return !failed;
}

if (import.meta.main) {
  for (const step of steps) {
    if (await runStep(step)) continue;
    process.exitCode = 1;
    break;
  }
}
