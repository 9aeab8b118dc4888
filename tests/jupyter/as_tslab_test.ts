import assert from "node:assert/strict";
import type { Output } from "../../lib/notebook/nbformat.ts";
import { asTslab, compare } from "./as_tslab.ts";

function value(text: string, more: Record<string, unknown> = {}): Output {
  const data = { "text/plain": text, ...more };
  return {
    output_type: "execute_result",
    data,
    metadata: {},
    execution_count: 1,
  };
}

function stream(name: "stdout" | "stderr", text: string): Output {
  return { output_type: "stream", name, text };
}

function comparisonOf(stored: Output[], came: Output[]) {
  const cell = { id: "cell", tags: [], source: "", outputs: stored };
  const execution = { status: "ok", executionCount: 1, outputs: came };
  return compare(cell, execution);
}

const failure: Output = {
  output_type: "error",
  ename: "RangeError",
  evalue: "wanted a page, got 7",
  traceback: [],
};

Deno.test("asTslab() prints a value as a line, a string bare, null not at all", () => {
  const line = (text: string) => [{ stream: "stdout", text }];
  assert.deepEqual(asTslab(value("{ a: 'b' }")), line("{ a: 'b' }\n"));
  assert.deepEqual(asTslab(value("'a\\n\\'b\\''")), line("a\n'b'\n"));
  assert.deepEqual(asTslab(value(`"it's"`)), line("it's\n"));
  assert.deepEqual(asTslab(value("'null'")), line("null\n"));
  assert.deepEqual(asTslab(value("null")), []);
});

Deno.test("asTslab() refuses a value with a picture", () => {
  const figure = value("a figure", { "image/svg+xml": "<svg/>" });
  assert.throws(() => asTslab(figure), /say show\(value\)/);
});

Deno.test("compare() merges what is printed with the value", () => {
  const { wanted, actual } = comparisonOf(
    [stream("stdout", "a\n"), value("1")],
    [stream("stdout", "a\n1\n")],
  );
  assert.deepEqual(actual, wanted);
});

Deno.test("compare() sees each byte, each mime type and the order", () => {
  const display = (svg: string): Output => ({
    output_type: "display_data",
    data: { "text/plain": "one", "image/svg+xml": svg },
    metadata: {},
  });
  const pairs: [Output[], Output[]][] = [
    [[stream("stdout", "a\n")], [stream("stdout", "a")]],
    [[stream("stdout", "a\n")], [stream("stderr", "a\n")]],
    [[display("<svg/>")], [display("<svg />")]],
    [[display("<svg/>"), stream("stdout", "a")], [
      stream("stdout", "a"),
      display("<svg/>"),
    ]],
    [[], [stream("stderr", "a warning")]],
    [[value("1")], []],
  ];
  for (const [stored, came] of pairs) {
    const { wanted, actual } = comparisonOf(stored, came);
    assert.notDeepEqual(actual, wanted);
  }
});

Deno.test("compare() finds the stored error in Node's report, not another", () => {
  const report = (message: string) =>
    stream("stderr", `before\nfile:2\n^\n\n${message}\n    at file:2:7\n`);
  const stored = [stream("stderr", "before\n"), failure];
  const right = comparisonOf(stored, [
    report("RangeError: wanted a page, got 7"),
  ]);
  assert.deepEqual(right.actual, right.wanted);
  const wrong = comparisonOf(stored, [report("RangeError: wanted 2")]);
  assert.notDeepEqual(wrong.actual, wrong.wanted);
});
