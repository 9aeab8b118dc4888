/** MAP.md is what `deno task map --write` makes now. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { projectRoot } from "../../tools/files.ts";
import { mapFile, mapRows, tellingsOf } from "../../tools/map.ts";

Deno.test("MAP.md is up to date (deno task map --write)", () => {
  const there = readFileSync(join(projectRoot, "MAP.md"), "utf8").split("\n");
  const tellings = tellingsOf();
  const made = mapFile(mapRows(tellings), tellings).split("\n");
  const stale = made.filter((line) => !there.includes(line));
  assert.deepEqual(stale, [], "run: deno task map --write");
  assert.deepEqual(there, made, "run: deno task map --write");
});
