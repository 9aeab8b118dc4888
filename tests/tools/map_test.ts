/** The map of the engine names every file, its counterpart and its tests. */
import assert from "node:assert/strict";
import { projectFiles, projectRoot } from "../../tools/files.ts";
import { kernelFilesOf, mapFile, mapRows } from "../../tools/map.ts";

const rows = mapRows();

Deno.test("the map has every file of mm, base, locking, crypto and block", () => {
  const wanted = projectFiles(projectRoot).filter((file) =>
    /^lib\/(?:mm|base|locking|crypto|block)\/[^/]+\.ts$/.test(file)
  );
  const mapped = new Set(rows.map(({ file }) => file));
  assert.deepEqual(wanted.filter((file) => !mapped.has(file)), []);
  assert.ok(wanted.length > 60);
});

Deno.test("every file of the engine that runs is reached by a test", () => {
  const untested = rows.filter(({ direct, through, file }) =>
    direct.length + through.length === 0 && !file.endsWith(".d.ts")
  );
  // Types only: nothing of them runs.
  const typesOnly = ["lib/mm/mm_types.ts"];
  assert.deepEqual(
    untested.map(({ file }) => file).filter((f) => !typesOnly.includes(f)),
    [],
  );
});

Deno.test("the map knows counterparts and tests of zswap and of the list", () => {
  const row = (file: string) => rows.find((each) => each.file === file)!;
  const zswap = row("lib/mm/zswap.ts");
  assert.ok(zswap.kernel.includes("mm/zswap.c"));
  assert.ok(zswap.direct.includes("tests/mm/zswap_test.ts"));
  assert.deepEqual(row("lib/base/list.ts").kernel, ["include/linux/list.h"]);
  assert.deepEqual(row("lib/sim/task.ts").kernel, ["ours"]);
});

Deno.test("mapFile() leads from a file to its chapters, tests and back", () => {
  const telling = {
    chapter: "03_c",
    path: "lib/mm/zswap.ts",
    region: "r",
    lines: [{ line: 9, text: "export function zswap_load(" }],
    emphasized: new Set<number>(),
  };
  const text = mapFile(mapRows([telling]), [telling]);
  const told = text.split("\n").filter((line) => line.includes("03_c"));
  assert.deepEqual(told, [
    "| [mm/zswap.ts](lib/mm/zswap.ts) | mm/zswap.c | " +
    "[03_c](notebooks/03_c.md) | [mm/zswap_test.ts](tests/mm/zswap_test.ts) |",
    "- [03_c](notebooks/03_c.md): `zswap_load`",
  ]);
});

Deno.test("kernelFilesOf() reads lists, and folders that are said once", () => {
  const head = (text: string) =>
    kernelFilesOf(`/**\n * X.\n *\n * ${text}\n */`);
  assert.deepEqual(
    head("Kernel: include/linux/bio.h, blkdev.h (v6.12). Differs: mm/x.c."),
    ["include/linux/bio.h", "include/linux/blkdev.h"],
  );
  assert.deepEqual(head("Ours: mm/zswap.c is another."), ["ours"]);
});
