import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  closingLine,
  countsOf,
  runSideBySide,
  summaryOf,
  testArguments,
  totalOf,
} from "../../tools/test.ts";

Deno.test("summaryOf() reads deno's summary line", () => {
  deepStrictEqual(summaryOf("x ... ok\n\nok | 2 passed | 0 failed (9ms)\n"), {
    passed: 2,
    failed: 0,
    skipped: 0,
  });
  const long = "FAILED | 12 passed (3 steps) | 1 failed (1 step) | " +
    "4 ignored | 5 filtered out (1m2s)";
  deepStrictEqual(summaryOf(long), { passed: 12, failed: 1, skipped: 4 });
});

Deno.test("summaryOf() takes the last summary, not a test's own", () => {
  const output = "ok | 99 passed | 0 failed\nok | 1 passed | 0 failed (1ms)";
  strictEqual(summaryOf(output)?.passed, 1);
});

Deno.test("summaryOf() finds none in other output", () => {
  strictEqual(summaryOf("error: Type checking failed."), null);
});

Deno.test("countsOf() counts a run that ended badly as a failure", () => {
  const nothing = { passed: 0, failed: 1, skipped: 0 };
  deepStrictEqual(countsOf({ code: 1, output: "error: types" }), nothing);
  deepStrictEqual(countsOf({ code: 0, output: "gone" }), nothing);
  const none = "ok | 0 passed | 0 failed (0ms)";
  deepStrictEqual(countsOf({ code: 0, output: none }), nothing);
  const good = "ok | 3 passed | 0 failed (0ms)";
  strictEqual(countsOf({ code: 1, output: good }).failed, 1);
  strictEqual(countsOf({ code: 0, output: good }).failed, 0);
});

Deno.test("closingLine() names skipped tests only if there are any", () => {
  const counts = { passed: 3, failed: 0, skipped: 0 };
  strictEqual(closingLine(counts), "3 passed, 0 failed");
  strictEqual(
    closingLine({ ...counts, skipped: 2 }),
    "3 passed, 0 failed, 2 skipped",
  );
});

Deno.test("testArguments() shares everything between two runs", () => {
  const test = ["test", "-A", "--no-prompt"];
  const all = ["tests/", "lib/"];
  deepStrictEqual(testArguments([]), [
    [...test, "--ignore=tests/browser/,tests/jupyter/", ...all],
    [...test, "tests/browser/", "tests/jupyter/"],
  ]);
  deepStrictEqual(testArguments(["--filter", "lib"]), [
    [...test, ...all, "--filter", "lib"],
  ]);
  deepStrictEqual(testArguments(["tests/tidy_test.ts"]), [
    [...test, "tests/tidy_test.ts"],
  ]);
});

Deno.test("totalOf() adds the runs, and a run without a summary", () => {
  const good = { code: 0, output: "ok | 3 passed | 0 failed (0ms)" };
  const gone = { code: 1, output: "error: Type checking failed." };
  deepStrictEqual(totalOf([good, good]), { passed: 6, failed: 0, skipped: 0 });
  deepStrictEqual(totalOf([good, gone]), { passed: 3, failed: 1, skipped: 0 });
});

/** The closing line of a run over one test file with this text. */
async function closing(text: string, ...options: string[]): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "swaplab-test-"));
  try {
    const path = join(folder, "a_test.ts");
    writeFileSync(path, text);
    const runs = testArguments([path, ...options]);
    return closingLine(totalOf(await runSideBySide(runs, false)));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const pass = 'Deno.test("a", () => {});\n';

Deno.test("a run tells what passed, failed and was skipped", async () => {
  const text = pass + 'Deno.test("b", () => { throw new Error("no"); });\n' +
    'Deno.test.ignore("c", () => {});\n';
  strictEqual(await closing(text), "1 passed, 1 failed, 1 skipped");
});

Deno.test("a run passes options on", async () => {
  const text = pass + 'Deno.test("b", () => { throw new Error("no"); });\n';
  strictEqual(await closing(text, "--filter", "a"), "1 passed, 0 failed");
});

Deno.test("a run fails when a test ends the process", async () => {
  const text = 'Deno.test("a", () => Deno.exit(0));\n';
  strictEqual(await closing(text), "0 passed, 1 failed");
});

Deno.test("a run fails when there is no test", async () => {
  strictEqual(await closing("export {};\n"), "0 passed, 1 failed");
});

Deno.test("a run fails on a type error", async () => {
  const text = pass + 'export const n: number = "s";\n';
  strictEqual(await closing(text), "0 passed, 1 failed");
});
