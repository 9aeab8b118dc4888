/**
 * Our kernel keeps a notebook's state when its process is killed, dies or is
 * out of date. 15 s in all.
 */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { type Execution, type Kernel, startKernel } from "./client.ts";
import { connect } from "./connection.ts";
import { swaplabKernel } from "./kernels.ts";
import { Dealer } from "./zeromq.ts";

/** All that a cell put out, as text. */
function textOf({ outputs }: Execution): string {
  return outputs.map((output) => {
    switch (output.output_type) {
      case "stream":
        return output.text;
      case "error":
        return `${output.ename}: ${output.evalue}\n`;
      default:
        return `${output.data["text/plain"]}\n`;
    }
  }).join("");
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 50));
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** Runs a cell that never ends, and interrupts it once it has printed. */
async function interrupted(kernel: Kernel, loop: string): Promise<string> {
  const isRunning = kernel.published(({ content }) =>
    content.text === "running\n"
  );
  const cell = kernel.execute(`console.log("running"); n = 9; ${loop}`);
  await isRunning;
  await kernel.tell("interrupt_request", {});
  return textOf(await cell);
}

const RESTORED = "is run again, silently, to bring the state back";

Deno.test("an interrupt stops any loop and keeps the state", async (t) => {
  await using kernel = await startKernel(swaplabKernel());
  await kernel.execute("let n = 1; console.log('once')");
  const told =
    `running\nswaplab: the cell was interrupted; 1 cell ${RESTORED}` +
    "\nInterrupted: the cell was interrupted\n";
  const loops = {
    "a loop without end": "for (;;);",
    "a thread that waits":
      "Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)",
    "a regex that backtracks": "/^(a+)+$/.test('a'.repeat(60) + 'b')",
    "a promise that nobody keeps": "await new Promise(() => {})",
    "a program that holds our streams":
      "await new Deno.Command('sleep', { args: ['20'] }).spawn().status",
  };
  for (const [name, loop] of Object.entries(loops)) {
    await t.step(name, async () => {
      assert.equal(await interrupted(kernel, loop), told);
    });
  }
  await t.step("afterwards the variable has its value", async () => {
    assert.equal(textOf(await kernel.execute("n")), "1\n");
  });
  await t.step("a signal interrupts, too", async () => {
    const isRunning = kernel.published(({ content }) => content.text === "r\n");
    const cell = kernel.execute("console.log('r'); for (;;);");
    await isRunning;
    process.kill(kernel.pid, "SIGINT");
    assert.match(textOf(await cell), /Interrupted/);
  });
});

Deno.test("while a cell is busy everything else is answered", async (t) => {
  await using kernel = await startKernel(swaplabKernel());
  await kernel.execute("1");
  const isRunning = kernel.published(({ content }) => content.text === "r\n");
  const cell = kernel.execute("console.log('r'); for (;;);");
  await isRunning;

  await t.step("the heartbeat", async () => {
    const info = JSON.parse(readFileSync(kernel.connectionFile, "utf8"));
    const socket = new Dealer({ linger: 0 });
    socket.connect(`tcp://127.0.0.1:${info.hb_port}`);
    // The empty frame is what a REQ socket puts before its message.
    socket.send(["", "ping"]);
    for await (const frames of socket) {
      const texts = frames.map((one) => new TextDecoder().decode(one));
      assert.deepEqual(texts, ["", "ping"]);
      break;
    }
    await socket.close();
  });

  await t.step("what the kernel is, and Tab", async () => {
    const { published } = await kernel.ask("kernel_info_request", {});
    assert.equal(published.at(-1)?.content.execution_state, "idle");
    const content = { code: "Math.sq", cursor_pos: 7 };
    const { reply } = await kernel.ask("complete_request", content);
    assert.deepEqual(reply.matches, ["sqrt"]);
  });

  await t.step("a message with a wrong signature is not", async () => {
    const info = JSON.parse(readFileSync(kernel.connectionFile, "utf8"));
    const address = (port: string) => `tcp://127.0.0.1:${info[port]}`;
    const stranger = connect({
      key: "guessed",
      shell: address("shell_port"),
      control: address("control_port"),
      iopub: address("iopub_port"),
    });
    await stranger.tell("interrupt_request", {});
    await stranger.tell("shutdown_request", { restart: false });
    while (!/refused: .*wrong signature.*\n.*refused/.test(kernel.log())) {
      await kernel.ask("kernel_info_request", {});
    }
    stranger.close();
    const state = await kernel.ask("kernel_info_request", {});
    assert.equal(state.reply.status, "ok");
  });

  await kernel.tell("interrupt_request", {});
  assert.match(textOf(await cell), /^r\nswaplab: the cell was interrupted; /);
});

Deno.test("a cell that ends its process is an error", async (t) => {
  await using kernel = await startKernel(swaplabKernel("--memory=128"));
  await kernel.execute("let n = 1; const kept: unknown[] = []");

  await t.step("out of memory", async () => {
    const text = textOf(
      await kernel.execute("n = 2; for (;;) kept.push({ n, list: [n, n] })"),
    );
    assert.equal(
      text,
      `swaplab: the cell needed more than 128 MiB; 1 cell ${RESTORED}\n` +
        "OutOfMemory: the cell needed more than 128 MiB\n",
    );
  });

  await t.step("exit", async () => {
    const text = textOf(await kernel.execute("n = 3; Deno.exit(4)"));
    assert.match(text, /ProcessEnded: .* ended with code 4$/m);
  });

  await t.step("the state is what it was", async () => {
    assert.equal(
      textOf(await kernel.execute("[n, kept.length]")),
      "[ 1, 0 ]\n",
    );
  });

  await t.step("between two cells it is told by the next", async () => {
    const pid = Number(textOf(await kernel.execute("Deno.pid")));
    process.kill(pid, "SIGKILL");
    while (isAlive(pid)) await pause();
    const text = textOf(await kernel.execute("n"));
    assert.match(text, /^swaplab: .* ended.*; 3 cells are run again/);
  });
});

Deno.test("what comes out otherwise when it is run again is named", async () => {
  await using kernel = await startKernel(swaplabKernel());
  await kernel.execute("let n = 0; console.log(Math.random())", undefined, {
    cellId: "dice",
  });
  await interrupted(kernel, "for (;;);");
  const text = textOf(await kernel.execute("'on'"));
  assert.equal(text, "swaplab: dice now puts out something else\n'on'\n");
});

Deno.test("a module that was edited is there for the next cell", async () => {
  const folder = await Deno.makeTempDir();
  const write = (text: string) => writeFileSync(join(folder, "m.ts"), text);
  write("export const value = 1;");
  try {
    await using kernel = await startKernel({ ...swaplabKernel(), cwd: folder });
    const missing = textOf(await kernel.execute(`import "./later.ts";`));
    assert.match(missing, /TypeCheck: Cannot find module .*'.\/later.ts'/);
    writeFileSync(join(folder, "later.ts"), "export {};");
    assert.equal(textOf(await kernel.execute(`import "./later.ts";`)), "");
    await kernel.execute(`import { value } from "./m.ts"; let own = 5;`);
    assert.equal(textOf(await kernel.execute("value + own")), "6\n");
    write("export const value = 'two';");
    const text = textOf(await kernel.execute("value.length + own"));
    assert.match(text, /^swaplab: edited: .*m\.ts; 3 cells are run again/);
    assert.match(text, /cell-4 now puts out something else\n8\n$/);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("a kernel that is killed leaves no busy process behind", async () => {
  const kernel = await startKernel(swaplabKernel());
  const { outputs: [output] } = await kernel.execute("Deno.pid");
  assert.ok(output !== undefined && "data" in output);
  const pid = Number(output.data["text/plain"]);
  const isRunning = kernel.published(({ content }) => content.text === "r\n");
  kernel.execute("console.log('r'); for (;;);").catch(() => {});
  await isRunning;
  process.kill(kernel.pid, "SIGKILL");
  await kernel.shutdown();
  while (isAlive(pid)) await pause();
});
