/**
 * Deno's own kernel runs the same notebooks. It loses outputs: it may report
 * a cell as done before its outputs are sent, and it prints values in its own
 * way. What it lost this time is printed; that it runs each cell is tested.
 */
import assert from "node:assert/strict";
import { basename } from "node:path";
import { isDeepStrictEqual } from "node:util";
import type { Output } from "../../lib/notebook/nbformat.ts";
import {
  denoKernel,
  notebookPaths,
  type NotebookRun,
  runNotebook,
} from "./kernels.ts";

for (const path of notebookPaths()) {
  Deno.test(`deno jupyter runs each cell of ${basename(path)}`, async () => {
    const run = await runNotebook(path, denoKernel());
    for (const { cell, execution } of run.cells) {
      const fails = cell.outputs.some((one) => one.output_type === "error");
      assert.deepEqual(
        { cell: cell.id, status: execution.status },
        { cell: cell.id, status: fails ? "error" : "ok" },
        JSON.stringify(execution.outputs),
      );
    }
    console.log(`${basename(path)} in deno jupyter: ${losses(run)}`);
  });
}

/** What came otherwise than stored, in words. */
function losses({ cells, lateCount }: NotebookRun): string {
  const found = cells.flatMap(({ cell, execution }) =>
    lossesOf(cell.outputs, execution.outputs).map((loss) =>
      `${loss} (${cell.id})`
    )
  );
  if (lateCount > 0) found.push(`${lateCount} outputs came too late`);
  return found.length === 0 ? "nothing lost." : `${found.join("; ")}.`;
}

function lossesOf(
  stored: readonly Output[],
  came: readonly Output[],
): string[] {
  if (came.length < stored.length) {
    return [`${stored.length - came.length} of ${stored.length} outputs lost`];
  }
  return stored.flatMap((wanted, at) => {
    const actual = came[at];
    if (actual?.output_type !== wanted.output_type) return ["another order"];
    return isSame(wanted, actual)
      ? []
      : [`${WORDS[wanted.output_type]} differs`];
  });
}

const WORDS: Record<Output["output_type"], string> = {
  stream: "printed text",
  display_data: "a figure",
  execute_result: "the print of a value",
  error: "the error's text",
};

function isSame(wanted: Output, actual: Output): boolean {
  if ("data" in wanted && "data" in actual) {
    const mimes = Object.entries(wanted.data);
    return mimes.every(([mime, content]) =>
      isDeepStrictEqual(actual.data[mime], content)
    );
  }
  if (wanted.output_type === "error" && actual.output_type === "error") {
    return wanted.ename === actual.ename && wanted.evalue === actual.evalue;
  }
  return isDeepStrictEqual(wanted, actual);
}
