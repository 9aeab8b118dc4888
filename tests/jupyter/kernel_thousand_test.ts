/**
 * Nothing is lost: what other kernels get wrong (conventions.md) a thousand
 * times in a row, over real ZeroMQ. 15 s.
 */
import assert from "node:assert/strict";
import type { Output } from "../../lib/notebook/nbformat.ts";
import { startKernel } from "./client.ts";
import { swaplabKernel } from "./kernels.ts";

const RUNS = 1_000;

/** 200 lines, a display after each twentieth, another stream, a result. */
const CELL = `
import { show } from "swaplab";
for (let line = 1; line <= 200; line++) {
  console.log("line", line, "of run", run);
  if (line % 20 === 0) show("after " + line);
  if (line % 50 === 0) console.error("half", line);
}
run++`;

/** What a notebook must store for the run with that number. */
function wanted(run: number, executionCount: number): Output[] {
  const outputs: Output[] = [];
  for (let line = 1; line <= 200; line++) {
    const last = outputs.at(-1);
    const text = `line ${line} of run ${run}\n`;
    if (last?.output_type === "stream" && last.name === "stdout") {
      last.text += text;
    } else outputs.push({ output_type: "stream", name: "stdout", text });
    if (line % 20 === 0) {
      const data = { "text/plain": `after ${line}` };
      outputs.push({ output_type: "display_data", data, metadata: {} });
    }
    if (line % 50 === 0) {
      const text = `half ${line}\n`;
      outputs.push({ output_type: "stream", name: "stderr", text });
    }
  }
  outputs.push({
    output_type: "execute_result",
    data: { "text/plain": String(run) },
    metadata: {},
    execution_count: executionCount,
  });
  return outputs;
}

Deno.test(`${RUNS} runs of a cell that prints 200 lines are complete`, async () => {
  await using kernel = await startKernel(swaplabKernel());
  await kernel.execute("let run = 0");
  for (let run = 0; run < RUNS; run++) {
    const { status, outputs } = await kernel.execute(CELL);
    assert.equal(status, "ok");
    assert.deepEqual(outputs, wanted(run, run + 2));
  }
  assert.deepEqual(kernel.late, []);
});
