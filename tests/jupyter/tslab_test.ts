/** Every notebook gives its stored outputs in the real tslab. */
import assert from "node:assert/strict";
import { basename } from "node:path";
import { buildPackage } from "../../tools/package.ts";
import { compare } from "./as_tslab.ts";
import { notebookPaths, runNotebook, tslabKernel } from "./kernels.ts";

for (const path of notebookPaths()) {
  Deno.test(`tslab gives the outputs stored in ${basename(path)}`, async () => {
    await buildPackage();
    const { cells, lateCount } = await runNotebook(path, tslabKernel());
    assert.notEqual(cells.length, 0);
    for (const { cell, execution } of cells) {
      const { wanted, actual } = compare(cell, execution);
      const fails = cell.outputs.some((one) => one.output_type === "error");
      assert.deepEqual(
        { cell: cell.id, status: execution.status, outputs: actual },
        { cell: cell.id, status: fails ? "error" : "ok", outputs: wanted },
      );
    }
    assert.equal(lateCount, 0);
  });
}
