/** A result for people: what was lost, why, and a hint. */
import { cleanLine, cleanLines } from "./clean_text.ts";
import type { Result, TestResult } from "./grade.ts";

const indent = " ".repeat(15);
const mostDiagramLines = 80;

/** @param hintCount how many of the three hints to show */
export function reportText(result: Result, hintCount: number): string {
  const lines = [
    `${result.exercise}: ${result.title}`,
    `File: ${cleanLine(result.submission.name)}`,
    "",
  ];
  const untouched = skeletonMessage(result);
  if (untouched !== null) {
    lines.push(cleanLine(untouched));
  } else if (result.status === "graded") {
    for (const test of result.tests) lines.push(...testLines(test, hintCount));
  } else {
    lines.push(`${headlines[result.status]}`);
    lines.push(...cleanLines(result.message, "  ", 30));
  }
  lines.push("", `Points: ${result.points} of ${result.maxPoints}`);
  lines.push(`Seed ${result.seed}, engine ${result.engine}, ${result.level}`);
  return `${lines.join("\n")}\n`;
}

/** What the skeleton throws, if that is all that ever happened. */
function skeletonMessage({ tests }: Result): string | null {
  const shown = tests.filter((test) => test.visibility === "public");
  const message = shown[0]?.message ?? "";
  const same = tests.every((test) => test.status === "threw") &&
    shown.every((test) => test.message === message);
  return same && message.startsWith("Not implemented yet:") ? message : null;
}

const headlines = {
  "not gradable": "This file cannot be graded:",
  "grader fault": "The grader failed. This is not the student's fault:",
} as const;

function testLines(test: TestResult, hintCount: number): string[] {
  const points = `${test.points}/${test.maxPoints}`.padStart(5);
  const hidden = test.visibility === "hidden" ? " (hidden)" : "";
  const lines = [`${test.status.padEnd(8)} ${points} ${test.name}${hidden}`];
  lines.push(...messageLines(test.message));
  if (test.printed !== "") {
    lines.push(`${indent}It printed:`);
    lines.push(...cleanLines(test.printed, `${indent}| `));
  }
  test.hints.slice(0, hintCount).forEach((hint, index) => {
    lines.push(`${indent}Hint ${index + 1}: ${hint}`);
  });
  return lines;
}

/** The first line in full; a diagram under it as wide as it is, to be copied. */
function messageLines(message: string): string[] {
  const [first = "", ...rest] = message.split("\n");
  if (first === "") return [];
  const diagram = cleanLines(rest.join("\n"), "    ", mostDiagramLines);
  return [
    indent + cleanLine(first),
    ...(rest.length === 0 ? [] : diagram.map(behindBar)),
  ];
}

/** A line that begins with "::" would be an order to GitHub's runner. */
function behindBar(line: string): string {
  return line.replace(/^ {4}(?=\s*::)/, "  | ");
}

/** One row a submission, aligned; for a whole course. */
export function reportTable(results: readonly Result[]): string {
  const rows = results.map((result) => [
    cleanLine(result.submission.name, 60),
    `${result.points}/${result.maxPoints}`,
    result.status,
    result.tests.filter((t) => t.points < t.maxPoints).map((t) => t.id)
      .join(" "),
  ]);
  const all = [["file", "points", "status", "lost"], ...rows];
  const widths = [0, 1, 2].map((column) =>
    Math.max(...all.map((row) => row[column]!.length))
  );
  const lines = all.map((row) =>
    row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  ")
      .trimEnd()
  );
  return `${lines.join("\n")}\n\n${summaryOf(results)}\n`;
}

function summaryOf(results: readonly Result[]): string {
  const full = results.filter((r) => r.points === r.maxPoints).length;
  const odd = results.filter((r) => r.status !== "graded").length;
  return `${results.length} submissions, ${full} with all points, ` +
    `${odd} not graded`;
}
