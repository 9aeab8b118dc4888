/** A grader for a toy exercise with two tests, and impatient limits. */
import { loadEngine } from "swaplab/grade/engine_table.ts";
import type { Exercise } from "swaplab/grade/exercise.ts";
import {
  type Grader,
  gradeSubmission,
  makeGrader,
  type Result,
} from "swaplab/grade/grade.ts";
import { type TestBody, wantEqual } from "swaplab/grade/judge.ts";
import { defaultLimits, probeLevel } from "swaplab/grade/level.ts";
import { makeRng, nextBelow } from "swaplab/sim/rng.ts";

const small: TestBody = async (subject) => {
  wantEqual("double(3)", await subject.call("double", 3), 6);
  wantEqual("double(4)", await subject.call("double", 4), 8);
};

const large: TestBody = async (subject, seed) => {
  const rng = makeRng(seed);
  for (let i = 0; i < 5; i++) {
    const x = 1000 + nextBelow(rng, 1_000_000);
    wantEqual(`double(${x})`, await subject.call("double", x), 2 * x);
  }
};

const hints = ["one", "two", "three"] as const;

export const toyExercise: Exercise = {
  manifest: {
    id: "00_toy",
    title: "Twice as much",
    module: "lib/toy.ts",
    regions: [],
    tests: [
      { id: "small", name: "Small", points: 1, visibility: "public", hints },
      { id: "large", name: "Large", points: 3, visibility: "hidden", hints },
    ],
  },
  directory: "tests/grade/toy",
  stagePath: "tests/grade/toy/stage.ts",
  bodies: new Map([["small", small], ["large", large]]),
  wantedExports: ["double"],
};

/** @param folder where sandboxes keep what they must write */
export async function makeToyGrader(folder: string): Promise<Grader> {
  const level = await probeLevel({
    ...defaultLimits,
    callMilliseconds: 2_000,
    cpuSeconds: 1,
  });
  return makeGrader(await loadEngine(), level, toyExercise, folder);
}

/** Grade `source` as it stands. */
export function gradeToy(grader: Grader, source: string): Promise<Result> {
  return gradeSubmission(grader, { name: "toy.ts", source, fault: "" });
}

/** "graded 1/4: passed failed", or "not gradable 0/4: why". */
export function outcome(result: Result): string {
  const what = result.status === "graded"
    ? result.tests.map((test) => test.status).join(" ")
    : result.message;
  return `${result.status} ${result.points}/${result.maxPoints}: ${what}`;
}
