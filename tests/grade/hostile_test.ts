import assert from "node:assert/strict";
import type { Grader } from "swaplab/grade/grade.ts";
import { reportText } from "swaplab/grade/report_text.ts";
import { hostile } from "./hostile.ts";
import { gradeToy, makeToyGrader, outcome } from "./toy/toy.ts";

/** Sandboxes clean up behind themselves, whatever ran in them. */
async function withGrader(test: (grader: Grader) => Promise<void>) {
  const folder = await Deno.makeTempDir({ prefix: "swaplab-test-" });
  try {
    await test(await makeToyGrader(folder));
    const left = [...Deno.readDirSync(folder)].map((entry) => entry.name);
    assert.deepEqual(left, ["driver.js"], "a sandbox left something behind");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Two at a time: many of them do nothing but wait for their end. */
async function gradeHostile(grader: Grader): Promise<Map<string, string>> {
  const outcomes = new Map<string, string>();
  const rest = [...hostile];
  const worker = async () => {
    for (let it = rest.shift(); it !== undefined; it = rest.shift()) {
      outcomes.set(it.name, outcome(await gradeToy(grader, it.source)));
    }
  };
  await Promise.all([worker(), worker()]);
  return outcomes;
}

Deno.test("gradeSubmission() gives hostile modules what they deserve", (t) =>
  withGrader(async (grader) => {
    const outcomes = await gradeHostile(grader);
    assert.equal(outcomes.size, hostile.length, "two have the same name");
    for (const { name, verdict } of hostile) {
      await t.step(name, () => assert.match(outcomes.get(name)!, verdict));
    }
  }));

Deno.test("gradeSubmission() tells nothing about a hidden test", () =>
  withGrader(async (grader) => {
    const source = `export function double(x: number) {
      console.log("seen", x);
      if (x > 999) throw new Error("the input is " + x);
      return 2 * x;
    }`;
    const result = await gradeToy(grader, source);
    const [small, large] = result.tests;
    assert.equal(small!.printed, "seen 3\nseen 4\n");
    assert.equal(large!.status, "threw");
    assert.equal(large!.printed, "");
    assert.equal(large!.message, "Your code threw an exception");
    assert.doesNotMatch(JSON.stringify(result), /the input is/);
  }));

Deno.test("gradeSubmission() gives the same result twice", () =>
  withGrader(async (grader) => {
    const source = "export function double(x: number) { return x + 3; }";
    const first = await gradeToy(grader, source);
    assert.equal(outcome(first), "graded 0/4: failed failed");
    assert.deepEqual(await gradeToy(grader, source), first);
  }));

Deno.test("reportText() passes on no control characters", () =>
  withGrader(async (grader) => {
    const source = `export function double(): number {
      console.log("\\x1b]52;c;AAAA\\x07::notice::Points 4/4");
      throw new Error("\\x1b[2J\\u202Egnorw\\n::error::x");
    }`;
    const text = reportText(await gradeToy(grader, source), 1);
    // deno-lint-ignore no-control-regex
    assert.doesNotMatch(text, /[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]/);
    assert.doesNotMatch(text, /^\s*::/m);
    assert.match(text, /Points: 0 of 4/);
  }));
