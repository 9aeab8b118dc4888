/** The TypeScript in the project's Markdown runs, and its types are right. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { projectFiles, projectRoot } from "../tools/files.ts";
import { countsOf, runDeno } from "../tools/test.ts";

/** A block that is to run; one that shows a form only says `ignore`. */
const RUNS = /^```(?:ts|typescript)$/gm;

Deno.test("every block of TypeScript in README and the other pages runs", async () => {
  const blocks = projectFiles(projectRoot)
    // A chapter's cells have a test of their own.
    .filter((path) => path.endsWith(".md") && !path.startsWith("notebooks/"))
    .map((path) => {
      const text = readFileSync(join(projectRoot, path), "utf8");
      return { path, count: text.match(RUNS)?.length ?? 0 };
    })
    .filter(({ count }) => count > 0);
  assert.ok(blocks.some(({ path }) => path === "README.md"));
  const paths = blocks.map(({ path }) => path);
  const finished = await runDeno(["test", "-A", "--doc", ...paths], false);
  const { passed, failed } = countsOf(finished);
  assert.equal(failed, 0, finished.output);
  assert.equal(passed, blocks.reduce((sum, { count }) => sum + count, 0));
});
