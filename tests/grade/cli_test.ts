/** The command as a student or a teacher types it. */
import assert from "node:assert/strict";
import { parseOptions } from "swaplab/grade/cli.ts";
import { projectRoot } from "swaplab/grade/exercise.ts";

const exercise = "01_swap_duplicate";

interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

async function grade(...args: string[]): Promise<Outcome> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", "lib/grade/cli.ts", ...args],
    cwd: projectRoot,
    env: { NO_COLOR: "1" },
  }).output();
  const text = new TextDecoder();
  return { code, out: text.decode(stdout), err: text.decode(stderr) };
}

async function withFolder(use: (folder: string) => Promise<void>) {
  const folder = await Deno.makeTempDir({ prefix: "swaplab-test-" });
  try {
    await use(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("grade ends with 0 for the solution, 1 for the skeleton", async () => {
  const solution = await grade(exercise, "lib/mm/swap_count.ts");
  assert.equal(solution.code, 0, solution.err);
  assert.match(solution.out, /^Points: 22 of 22$/m);
  assert.match(solution.out, /own process: no permissions, wall clock/);
  const skeleton = await grade(exercise, `exercises/${exercise}`);
  assert.equal(skeleton.code, 1);
  assert.match(skeleton.out, /Not implemented yet/);
  assert.match(skeleton.out, /^Points: 0 of 22$/m);
});

Deno.test("grade ends with 2 for what cannot be graded, and says why", () =>
  withFolder(async (folder) => {
    const cases: [string, string | Uint8Array, RegExp][] = [
      ["syntax.ts", "int f(", /not valid TypeScript/],
      ["empty.ts", "", /does not export \w+\(\)/],
      ["binary.ts", new Uint8Array([1, 0, 2]), /got binary data/],
      ["latin1.ts", new Uint8Array([0xe9]), /UTF-8/],
      ["large.ts", "/".repeat(300_000), /at most 262144 bytes/],
    ];
    for (const [name, content, why] of cases) {
      const bytes = typeof content === "string"
        ? new TextEncoder().encode(content)
        : content;
      await Deno.writeFile(`${folder}/${name}`, bytes);
      const { code, out } = await grade(exercise, `${folder}/${name}`);
      assert.equal(code, 2, name);
      assert.match(out, why);
    }
  }));

Deno.test("grade draws a race that breaks, and names its run", async () => {
  const wrong = `solutions/${exercise}/wrong/pins_twice.ts`;
  const { code, out } = await grade(exercise, wrong);
  assert.equal(code, 1);
  assert.match(out, /sync-swapin-aba breaks with your code, bug: slot 1 loses/);
  assert.match(out, /^ {4}CPU0 +CPU1\n {4}load\(\)$/m);
  const [, schedule] = /deno task race sync-swapin-aba --replay (\w+)$/m.exec(
    out,
  )!;
  assert.match(
    out,
    new RegExp(`\\.html#race=sync-swapin-aba&.*schedule=${schedule}$`, "m"),
  );
  assert.match(out, /book's own engine: schedule "\w+" ceases to fit at step/);
});

Deno.test("grade takes no link for a file", () =>
  withFolder(async (folder) => {
    const target = new URL("lib/mm/swap_count.ts", projectRoot);
    await Deno.symlink(target, `${folder}/swap_count.ts`);
    const { code, out } = await grade(exercise, folder);
    assert.equal(code, 2);
    assert.match(out, /Wanted a plain file/);
  }));

Deno.test("grade prints a table for a folder of submissions", () =>
  withFolder(async (folder) => {
    const solution = new URL("lib/mm/swap_count.ts", projectRoot);
    await Deno.mkdir(`${folder}/ada`);
    await Deno.copyFile(solution, `${folder}/ada/swap_count.ts`);
    await Deno.writeTextFile(`${folder}/bob.ts`, "");
    await Deno.writeTextFile(`${folder}/notes.txt`, "");
    const { code, out, err } = await grade(exercise, folder);
    assert.equal(code, 2);
    assert.match(out, /ada\/swap_count\.ts +22\/22 +graded$/m);
    assert.match(out, /bob\.ts +0\/22 +not gradable$/m);
    assert.match(out, /^2 submissions, 1 with all points, 1 not graded$/m);
    assert.match(err, /2 of 2 graded/);
    assert.equal((await grade(exercise, folder, "--exit-zero")).code, 0);
  }));

Deno.test("grade takes a patch of the exercise's file", () =>
  withFolder(async (folder) => {
    const path = `exercises/${exercise}/swap_count.ts`;
    const before = await Deno.readTextFile(new URL(path, projectRoot));
    const after = await Deno.readTextFile(
      new URL("lib/mm/swap_count.ts", projectRoot),
    );
    const side = (mark: string, text: string) =>
      text.trimEnd().split("\n").map((line) => `${mark}${line}\n`);
    const [out, into] = [side("-", before), side("+", after)];
    const patch = `--- a/${path}\n+++ b/${path}\n` +
      `@@ -1,${out.length} +1,${into.length} @@\n` +
      [...out, ...into].join("");
    await Deno.writeTextFile(`${folder}/ada.patch`, patch);
    const ada = await grade(exercise, `${folder}/ada.patch`);
    assert.match(ada.out, /^Points: 22 of 22$/m);
    const other = patch.replaceAll("swap_count.ts", "checks.ts");
    await Deno.writeTextFile(`${folder}/bob.patch`, other);
    const bob = await grade(exercise, `${folder}/bob.patch`);
    assert.equal(bob.code, 2);
    assert.match(bob.out, /wanted "--- a\/exercises|There is no patch/);
  }));

Deno.test("grade writes JSON, JUnit and Gradescope", async () => {
  const file = `exercises/${exercise}/swap_count.ts`;
  const json = JSON.parse((await grade(exercise, file, "--format=json")).out);
  assert.equal(json.schema, "swaplab-grade/1");
  assert.deepEqual([json.status, json.points, json.maxPoints], [
    "graded",
    0,
    22,
  ]);
  const junit = (await grade(exercise, file, "--format", "junit")).out;
  assert.match(junit, /tests="10" failures="10" errors="0"/);
  assert.equal(junit.match(/<testcase /g)?.length, 10);
  assert.equal(junit.match(/<failure /g)?.length, 10);
  const scope = JSON.parse(
    (await grade(exercise, file, "--format=gradescope"))
      .out,
  );
  assert.equal(scope.score, 0);
  assert.equal(scope.tests[0].max_score, 2);
  assert.equal(scope.stdout_visibility, "hidden");
});

Deno.test("grade ends with 3 for wrong usage, in one sentence", async () => {
  const unknown = await grade("99_nothing", "x.ts");
  assert.equal(unknown.code, 3);
  assert.match(unknown.err, /No exercise 99_nothing: have 01_swap_duplicate/);
  const missing = await grade(exercise, "no/such/file.ts");
  assert.equal(missing.code, 3);
  assert.match(missing.err, /No such file/);
});

Deno.test("parseOptions() wants known options and sane values", () => {
  const options = parseOptions(["a", "b", "c", "--hints", "3", "--jobs=2"]);
  assert.deepEqual([options.paths, options.hints, options.jobs], [
    ["b", "c"],
    3,
    2,
  ]);
  assert.throws(() => parseOptions([]), /Wanted an exercise/);
  assert.throws(() => parseOptions(["a"]), /Wanted a file/);
  assert.throws(() => parseOptions(["a", "b", "--x"]), /Unknown option --x/);
  assert.throws(() => parseOptions(["a", "b", "--hints"]), /wanted a value/);
  assert.throws(() => parseOptions(["a", "b", "--hints=4"]), /0 … 3, got 4/);
  assert.throws(() => parseOptions(["a", "b", "--format=x"]), /got x/);
});
