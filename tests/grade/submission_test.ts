import assert from "node:assert/strict";
import { type Handout, readSubmission } from "swaplab/grade/submission.ts";

const handout: Handout = {
  path: "exercises/00_toy/toy.ts",
  text: "const a = 1;\n// #region answer\nthrow a;\n// #endregion\n",
  regions: ["answer"],
};

/** The source that a file with this text stands for. */
async function sourceFrom(text: string): Promise<string | null> {
  const path = await Deno.makeTempFile({ suffix: ".ts" });
  try {
    await Deno.writeTextFile(path, text);
    return (await readSubmission(path, handout)).source;
  } finally {
    await Deno.remove(path);
  }
}

Deno.test("readSubmission() puts a wrong answer's region in its place", async () => {
  const wrong = "// caught-by: first\nconst b = a;\n";
  assert.equal(
    await sourceFrom(wrong),
    `const a = 1;\n// #region answer\n${wrong}// #endregion\n`,
  );
});

Deno.test("readSubmission() leaves a whole file as it is", async () => {
  const whole = "// An answer.\nconst b = 2;\n";
  assert.equal(await sourceFrom(whole), whole);
});
