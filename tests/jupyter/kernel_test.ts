/** Our kernel, as a real ZeroMQ client sees it. */
import assert from "node:assert/strict";
import type { Message } from "../../lib/notebook/kernel_wire.ts";
import { startKernel } from "./client.ts";
import { swaplabKernel } from "./kernels.ts";

const start = () => startKernel(swaplabKernel());

function cell(code: string, more: Message["content"] = {}) {
  return { code, stop_on_error: true, ...more };
}

/** What a kernel published, one word a message. */
function order(published: readonly Message[]): string[] {
  return published.map(({ header, content }) =>
    header.msg_type === "status"
      ? String(content.execution_state)
      : header.msg_type
  );
}

Deno.test("the kernel says what it is", async () => {
  await using kernel = await start();
  assert.equal(kernel.info.protocol_version, "5.4");
  assert.equal(kernel.info.implementation, "swaplab");
});

Deno.test("a cell's outputs come in order, between busy and idle", async () => {
  await using kernel = await start();
  const { reply, published } = await kernel.ask(
    "execute_request",
    cell(`
      import { show } from "swaplab";
      console.log("a");
      show("b");
      console.error("c");
      6 * 7`),
  );
  assert.equal(reply.status, "ok");
  assert.equal(reply.execution_count, 1);
  assert.deepEqual(order(published), [
    "busy",
    "execute_input",
    "stream",
    "display_data",
    "stream",
    "execute_result",
    "idle",
  ]);
  const result = published.at(-2)?.content;
  assert.deepEqual(result?.data, { "text/plain": "42" });
});
