/** Our kernel, as a real ZeroMQ client sees it. 20 s in all. */
import assert from "node:assert/strict";
import type { Content, Message } from "../../lib/notebook/kernel_wire.ts";
import { type Kernel, startKernel } from "./client.ts";
import { swaplabKernel } from "./kernels.ts";

/** Ask for a cell; what the request says besides, and about the cell. */
function run(
  kernel: Kernel,
  code: string,
  more: Content = {},
  metadata: Content = {},
) {
  const content = { code, stop_on_error: true, ...more };
  return kernel.ask("execute_request", content, metadata);
}

/** What a kernel published, one word a message. */
function order(published: readonly Message[]): string[] {
  return published.map(({ header, content }) =>
    header.msg_type === "status"
      ? String(content.execution_state)
      : header.msg_type
  );
}

/** The stream texts and results of a cell that is to end well. */
async function textOf(kernel: Kernel, code: string): Promise<string> {
  const { outputs } = await run(kernel, code);
  return outputs.map((output) => {
    switch (output.output_type) {
      case "stream":
        return output.text;
      case "error":
        return output.traceback.join("\n");
      default:
        return String(output.data["text/plain"]);
    }
  }).join("");
}

Deno.test("a cell's outputs come in order, between busy and idle", async () => {
  await using kernel = await startKernel(swaplabKernel());
  assert.equal(kernel.info.protocol_version, "5.4");
  const { reply, published } = await run(
    kernel,
    `import { show } from "swaplab";
    console.log("a");
    show("b");
    console.error("c");
    6 * 7`,
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

Deno.test("an error has the place in the cell, by the name of the cell", async () => {
  await using kernel = await startKernel(swaplabKernel());
  const code = "\nfunction f() {\n  throw new RangeError('no');\n}\nf()";
  const { reply } = await run(kernel, code, {}, { cellId: "falls" });
  assert.equal(reply.status, "error");
  assert.equal(reply.ename, "RangeError");
  assert.deepEqual(reply.traceback, [
    "RangeError: no",
    "    at f (cell falls, line 3:9)",
    "    at cell falls, line 5:2",
  ]);
  const deep = await run(
    kernel,
    "function g(): number { return 1 + g(); } g()",
  );
  assert.equal(deep.reply.ename, "RangeError");
  assert.equal(await textOf(kernel, "typeof g"), "'function'");
});

Deno.test("a request says what is run, counted and evaluated", async (t) => {
  await using kernel = await startKernel(swaplabKernel());

  await t.step("silent: nothing is published, nothing is counted", async () => {
    const { reply, published } = await run(kernel, "let n = 1; n", {
      silent: true,
    });
    assert.deepEqual(order(published), ["busy", "idle"]);
    assert.equal(reply.execution_count, 0);
  });

  await t.step("store_history: false counts nothing", async () => {
    const { reply } = await run(kernel, "n++", { store_history: false });
    assert.equal(reply.execution_count, 0);
  });

  await t.step("user_expressions are evaluated after the cell", async () => {
    const { reply } = await run(kernel, "n *= 10", {
      user_expressions: { value: "n + 1", wrong: "missing" },
    });
    const results = reply.user_expressions as Record<string, Content>;
    assert.deepEqual(results.value?.data, { "text/plain": "21" });
    assert.equal(results.wrong?.ename, "ReferenceError");
    assert.equal(reply.execution_count, 1);
  });

  await t.step("stop_on_error stops what waits behind the cell", async () => {
    const all = await Promise.all([
      run(kernel, "throw new Error('a')"),
      run(kernel, "n = 77"),
    ]);
    assert.deepEqual(all.map(({ reply }) => reply.status), [
      "error",
      "aborted",
    ]);
    const others = await Promise.all([
      run(kernel, "throw new Error('a')", { stop_on_error: false }),
      run(kernel, "n"),
    ]);
    assert.deepEqual(others.map(({ reply }) => reply.status), ["error", "ok"]);
  });

  await t.step("cells that wait are busy when their turn comes", async () => {
    const states: string[] = [];
    kernel.published(({ header, content, parent }) => {
      const isState = header.msg_type === "status";
      if (isState) states.push(`${content.execution_state} ${parent.msg_id}`);
      return false;
    });
    const ids = (await Promise.all([run(kernel, "n"), run(kernel, "n")]))
      .map(({ published }) => published[0]?.parent.msg_id);
    const wanted = ids.flatMap((id) => [`busy ${id}`, `idle ${id}`]);
    assert.deepEqual(states, wanted);
  });

  await t.step("history has what was counted", async () => {
    const { reply } = await kernel.ask("history_request", {
      hist_access_type: "search",
      pattern: "n*",
      output: false,
    });
    assert.deepEqual(
      reply.history,
      [1, 4, 5, 6].map((count) => [
        1,
        count,
        count === 1 ? "n *= 10" : "n",
      ]),
    );
  });

  await t.step("a comm is closed, none is listed", async () => {
    const closed = kernel.published(({ header }) =>
      header.msg_type === "comm_close"
    );
    kernel.ask("comm_open", { comm_id: "c", target_name: "w" }).catch(() => {});
    assert.equal((await closed).content.comm_id, "c");
    const { reply } = await kernel.ask("comm_info_request", {});
    assert.deepEqual(reply.comms, {});
  });

  await t.step("is_complete tells complete, incomplete, invalid", async () => {
    const ask = async (code: string) =>
      (await kernel.ask("is_complete_request", { code })).reply;
    assert.deepEqual(await ask("1 + 1"), { status: "complete" });
    assert.deepEqual(await ask("if (n) {"), {
      status: "incomplete",
      indent: "  ",
    });
    assert.equal((await ask("`a")).status, "incomplete");
    assert.equal((await ask("let let")).status, "invalid");
  });
});

Deno.test("a cell can change its displays, print past us, not ask", async (t) => {
  await using kernel = await startKernel(swaplabKernel());

  await t.step("a display is updated in its place", async () => {
    const { outputs } = await run(
      kernel,
      `const show = (text: string, update: boolean) =>
        Deno.jupyter.display({ "text/plain": text },
          { raw: true, display_id: "bar", update });
      await show("10 %", false);
      console.log("between");
      await show("100 %", true);`,
    );
    assert.deepEqual(outputs.map((one) => one.output_type), [
      "display_data",
      "stream",
    ]);
    const [first] = outputs;
    assert.ok(first !== undefined && "data" in first);
    assert.deepEqual(first.data, { "text/plain": "100 %" });
  });

  await t.step("clear_output clears", async () => {
    const code = `console.log("gone");
      await Deno.jupyter.broadcast("clear_output", { wait: true });
      console.log("stays");`;
    assert.equal(await textOf(kernel, code), "stays\n");
  });

  await t.step("bytes written to stdout are shown in their place", async () => {
    const code = `console.log("a");
      Deno.stdout.writeSync(new TextEncoder().encode("b\\x1ec\\n"));
      console.log("d");`;
    assert.equal(await textOf(kernel, code), "a\nb\x1ec\nd\n");
  });

  await t.step("prompt() is refused in words", async () => {
    const text = await textOf(kernel, `prompt("name?")`);
    assert.match(text, /prompt\(\) is not there: .* write the value into/);
  });

  await t.step("a bundle that is no JSON is an error", async () => {
    const code = `const loop: Record<string, unknown> = {};
      loop.loop = loop;
      ({ [Symbol.for("Jupyter.display")]: () => ({ "text/plain": loop }) })`;
    assert.match(await textOf(kernel, code), /cannot be sent as JSON/);
  });

  await t.step("what comes late is told by the next cell", async () => {
    const code = `let resolve = () => {};
      const later = new Promise<void>((done) => { resolve = done; });
      void setTimeout(() => { console.log("late"); resolve(); }, 20);`;
    assert.equal(await textOf(kernel, code), "");
    const next = await textOf(kernel, "await later");
    assert.match(next, /late/);
  });
});
