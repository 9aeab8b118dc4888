/** Every exercise: skeleton, solution and wrong answers, really graded. */
import assert from "node:assert/strict";
import { loadEngine } from "swaplab/grade/engine_table.ts";
import {
  listExercises,
  loadExercise,
  maxPointsOf,
  projectRoot,
} from "swaplab/grade/exercise.ts";
import {
  type Grader,
  gradeSubmission,
  makeGrader,
  type Result,
} from "swaplab/grade/grade.ts";
import { probeLevel } from "swaplab/grade/level.ts";
import {
  fileNameOf,
  findDifferences,
  makeExercise,
} from "swaplab/grade/make.ts";
import { reportText } from "swaplab/grade/report_text.ts";
import { caughtBy, replaceRegion } from "swaplab/grade/skeleton.ts";

const engine = await loadEngine();
const level = await probeLevel();

function readProject(path: string): Promise<string> {
  return Deno.readTextFile(new URL(path, projectRoot));
}

async function grading(
  id: string,
  use: (grade: (source: string) => Promise<Result>, grader: Grader) => unknown,
): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "swaplab-test-" });
  try {
    const exercise = await loadExercise(id);
    const grader = await makeGrader(engine, level, exercise, folder);
    const grade = (source: string) =>
      gradeSubmission(grader, { name: "file.ts", source, fault: "" });
    await use(grade, grader);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function lostTests(result: Result): string[] {
  assert.equal(result.status, "graded", result.message);
  return result.tests.filter((test) => test.points < test.maxPoints)
    .map((test) => test.id);
}

Deno.test("exercises/ is what make.ts makes of solutions/", async () => {
  assert.deepEqual(await findDifferences(), []);
});

for (const id of await listExercises()) {
  Deno.test(`${id}: the skeleton gets 0 points and one sentence`, () =>
    grading(id, async (grade, { exercise }) => {
      const files = await makeExercise(id);
      const file = fileNameOf(exercise.manifest);
      const result = await grade(files.get(`exercises/${id}/${file}`)!);
      assert.equal(result.status, "graded", result.message);
      assert.equal(result.points, 0);
      assert.match(reportText(result, 1), /^Not implemented yet: write/m);
    }));

  Deno.test(`${id}: the engine's own module gets all points`, () =>
    grading(id, async (grade, { exercise }) => {
      const result = await grade(await readProject(exercise.manifest.module));
      assert.deepEqual(lostTests(result), []);
      assert.equal(result.points, maxPointsOf(exercise.manifest));
    }));

  Deno.test(`${id}: each wrong answer loses exactly its tests`, (t) =>
    grading(id, async (grade, { exercise }) => {
      const { manifest, directory } = exercise;
      const source = await readProject(manifest.module);
      const [region] = manifest.regions;
      const folder = new URL(`${directory}/wrong`, projectRoot);
      const names = [...Deno.readDirSync(folder)].map(({ name }) => name);
      assert.ok(names.length >= 3, "wanted three wrong answers or more");
      const catching = new Set<string>();
      for (const name of names.sort()) {
        const answer = await readProject(`${directory}/wrong/${name}`);
        const wanted = caughtBy(answer);
        for (const test of wanted) catching.add(test);
        await t.step(name, async () => {
          const result = await grade(replaceRegion(source, region!, answer));
          assert.deepEqual(lostTests(result), wanted);
        });
      }
      const tests = manifest.tests.map((test) => test.id);
      assert.deepEqual(tests.filter((test) => !catching.has(test)), []);
    }));

  Deno.test(`${id}: exiting and replacing Deno.test give nothing`, () =>
    grading(id, async (grade, { exercise }) => {
      const files = await makeExercise(id);
      const file = fileNameOf(exercise.manifest);
      const skeleton = files.get(`exercises/${id}/${file}`)!;
      const exiting = await grade(`${skeleton}\nDeno.exit(0);\n`);
      assert.equal(exiting.status, "graded");
      assert.ok(exiting.tests.every((test) => test.status === "crashed"));
      const quiet = await grade(`${skeleton}\n(Deno as any).test = () => 0;\n`);
      assert.equal(quiet.points, 0);
    }));

  Deno.test(`${id}: exercises/ holds nothing that is hidden`, async () => {
    const { manifest } = await loadExercise(id);
    const hidden = manifest.tests.filter((t) => t.visibility === "hidden");
    assert.ok(hidden.length > 0, "wanted a hidden test");
    const text = [...(await makeExercise(id)).values()].join("\n");
    for (const { id: test, name, hints } of hidden) {
      assert.ok(!text.includes(name), name);
      assert.ok(!text.includes(`"${test}":`), test);
      for (const hint of hints) assert.ok(!text.includes(hint), hint);
    }
  });
}
