/**
 * `deno task ok`: everything that must hold before a commit, the quick checks
 * first. One line a step; the first that fails tells how to mend it. Ours.
 */
import process from "node:process";
import {
  closingLine,
  type Finished,
  runSideBySide,
  testArguments,
  totalOf,
} from "./test.ts";

interface Step {
  readonly name: string;
  /** Arguments for `deno`, a list for each run. */
  readonly runs: readonly (readonly string[])[];
  readonly remedy: string;
  /** What the step's line tells besides its time. */
  readonly detail?: (all: readonly Finished[]) => string;
}

const steps: readonly Step[] = [
  {
    name: "format",
    runs: [["fmt", "--check"]],
    remedy: "Run `deno task fmt`.",
  },
  {
    name: "lint",
    runs: [["lint"]],
    remedy: "Each problem above names its rule and what to write instead.",
  },
  {
    name: "types",
    runs: [["check", "lib", "tests", "tools", "book"]],
    remedy: "Mend the type errors above; casts to any are not accepted.",
  },
  {
    name: "tests",
    runs: testArguments([]),
    remedy: "Run one of them alone: `deno task test FILE --filter NAME`.",
    detail: (all) => closingLine(totalOf(all)),
  },
];

/** Run `step`; prints its line and, if it failed, its output and remedy. */
async function runStep(step: Step): Promise<boolean> {
  const start = performance.now();
  const all = await runSideBySide(step.runs, false);
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  const isTest = step.detail !== undefined;
  const failed = all.some(({ code }) => code !== 0) ||
    (isTest && totalOf(all).failed > 0);
  const verdict = failed ? "FAILED" : "ok";
  const detail = step.detail?.(all) ?? "";
  const line = [
    step.name.padEnd(8),
    verdict.padEnd(6),
    `${seconds} s`.padStart(8),
    detail,
  ].join("  ").trimEnd();
  if (failed) { for (const { output } of all) console.log(output); }
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
