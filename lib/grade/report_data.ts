/** Results for other programs: our JSON, JUnit XML, Gradescope. */
import { cleanLine, cleanLines } from "./clean_text.ts";
import type { Result, TestResult } from "./grade.ts";

/** One result as an object, several as `{ results }`. */
export function reportJson(results: readonly Result[]): string {
  const [first] = results;
  const data = results.length === 1 ? first : { results };
  return `${JSON.stringify(data, null, 2)}\n`;
}

/** The subset of JUnit that Jenkins, GitLab and GitHub read. */
export function reportJunit(results: readonly Result[]): string {
  const suites = results.flatMap(suiteLines);
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    '<testsuites name="swaplab">',
    ...suites,
    "</testsuites>",
    "",
  ].join("\n");
}

function suiteLines(result: Result): string[] {
  const cases = result.status === "graded"
    ? result.tests.flatMap((test) => caseLines(result, test))
    : [
      `<testcase name="grading" classname="${result.exercise}">`,
      `<error message="${escapeXml(result.message)}"/></testcase>`,
    ];
  const failed = result.tests.filter((t) => t.status !== "passed").length;
  const errors = result.status === "graded" ? 0 : 1;
  const count = result.tests.length + errors;
  const name = escapeXml(result.submission.name);
  return [
    `<testsuite name="${name}" tests="${count}" failures="${failed}" ` +
    `errors="${errors}">`,
    `<properties><property name="points" value="${result.points}"/>` +
    `<property name="maxPoints" value="${result.maxPoints}"/></properties>`,
    ...cases,
    "</testsuite>",
  ];
}

function caseLines(result: Result, test: TestResult): string[] {
  const head = `<testcase name="${escapeXml(test.name)}" ` +
    `classname="${result.exercise}"`;
  if (test.status === "passed") return [`${head}/>`];
  const message = escapeXml(test.message);
  return [
    `${head}>`,
    `<failure type="${test.status}" message="${message}"/></testcase>`,
  ];
}

const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&apos;",
};

function escapeXml(text: string): string {
  return cleanLine(text).replaceAll(/[&<>"']/g, (char) => entities[char]!);
}

/** Gradescope's results.json; hidden tests stay hidden until the due date. */
export function reportGradescope(result: Result): string {
  const tests = result.tests.map((test, index) => ({
    number: String(index + 1),
    name: test.name,
    name_format: "text",
    score: test.points,
    max_score: test.maxPoints,
    status: test.status === "passed" ? "passed" : "failed",
    output: cleanLines(
      [test.message, ...test.hints.slice(0, 1)].join("\n"),
      "",
      80,
    )
      .join("\n"),
    output_format: "text",
    visibility: "visible",
  }));
  const data = {
    score: result.points,
    output: cleanLine(result.message),
    output_format: "text",
    test_output_format: "text",
    visibility: "visible",
    stdout_visibility: "hidden",
    extra_data: { seed: result.seed, engine: result.engine },
    tests,
  };
  return `${JSON.stringify(data, null, 2)}\n`;
}
