import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { existsSync } from "node:fs";
import process from "node:process";
import { type Kernel, type KernelSpec, startKernel } from "./client.ts";
import { tslabKernel } from "./kernels.ts";
import { makeCollector } from "./outputs.ts";
import {
  decode,
  encode,
  makeMessage,
  type Message,
} from "../../lib/notebook/kernel_wire.ts";

/** A program that is no kernel. */
function fake(script: string): KernelSpec {
  return { name: "fake", argv: [Deno.execPath(), "eval", script], cwd: "." };
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

function assertNothingLeft({ pid, connectionFile }: Kernel): void {
  assert.equal(isAlive(pid), false);
  assert.equal(existsSync(connectionFile), false);
}

function published(msg_type: string, content: Message["content"]): Message {
  return makeMessage("session", msg_type, content);
}

Deno.test("startKernel() tells what a kernel wrote that ends at once", async () => {
  const spec = fake(`console.error("no such library"); Deno.exit(3)`);
  await assert.rejects(
    startKernel(spec),
    /fake ended with code 3. It wrote:\nno such library/,
  );
});

Deno.test("startKernel() tells what a kernel wrote that never answers", async () => {
  const spec = fake(`console.log("still loading"); setInterval(() => {}, 1e6)`);
  await assert.rejects(
    startKernel(spec, 1_000),
    /the kernel's start took longer than 1000 ms. It wrote:\nstill loading/,
  );
});

Deno.test("startKernel() names a program that is not there", async () => {
  const spec = { name: "ghost", argv: ["/no/such/program"], cwd: "." };
  await assert.rejects(startKernel(spec), /^Error: Cannot start ghost: /);
});

Deno.test("execute() kills a kernel whose cell does not end", async () => {
  await using kernel = await startKernel(tslabKernel());
  await assert.rejects(
    kernel.execute("for (;;) {}", 200),
    /tslab: a cell took longer than 200 ms/,
  );
  assertNothingLeft(kernel);
  await assert.rejects(kernel.execute("1"));
});

Deno.test("shutdown() leaves no process and no connection file", async () => {
  const kernel = await startKernel(tslabKernel());
  assert.equal(isAlive(kernel.pid), true);
  assert.equal(existsSync(kernel.connectionFile), true);
  await kernel.shutdown();
  assertNothingLeft(kernel);
});

Deno.test("decode() gives back what encode() made, whoever routed it", () => {
  const sent = makeMessage("session", "execute_request", { code: "é" });
  const frames = encode(sent, "key").map((part) => Buffer.from(part));
  const route = [Buffer.from("route")];
  const received = decode([...route, ...frames], "key");
  assert.deepEqual(received, { ...sent, route });
});

Deno.test("decode() refuses another key, changed content, missing frames", () => {
  const sent = makeMessage("session", "execute_request", { code: "1" });
  const frames = encode(sent, "key").map((part) => Buffer.from(part));
  const changed = frames.with(-1, Buffer.from(`{"code":"2"}`));
  assert.throws(() => decode(frames, "other key"), /wrong signature/);
  assert.throws(() => decode(changed, "key"), /wrong signature/);
  assert.throws(() => decode(frames.slice(0, 4), "key"), /got 3/);
  assert.throws(() => decode(frames.slice(1), "key"), /without <IDS\|MSG>/);
});

Deno.test("makeCollector() joins streams of one name that follow each other", () => {
  const { outputs, take } = makeCollector();
  for (const name of ["stdout", "stdout", "stderr", "stdout"]) {
    take(published("stream", { name, text: "a" }));
  }
  take(published("status", { execution_state: "idle" }));
  assert.deepEqual(outputs, [
    { output_type: "stream", name: "stdout", text: "aa" },
    { output_type: "stream", name: "stderr", text: "a" },
    { output_type: "stream", name: "stdout", text: "a" },
  ]);
});

Deno.test("makeCollector() updates a display by its id", () => {
  const { outputs, take } = makeCollector();
  const transient = { display_id: "bar" };
  const show = (type: string, text: string) =>
    take(published(type, { data: { "text/plain": text }, transient }));
  show("display_data", "10 %");
  take(published("stream", { name: "stdout", text: "busy\n" }));
  show("update_display_data", "100 %");
  assert.deepEqual(outputs, [
    {
      output_type: "display_data",
      data: { "text/plain": "100 %" },
      metadata: {},
    },
    { output_type: "stream", name: "stdout", text: "busy\n" },
  ]);
});

Deno.test("makeCollector() clears at once, or with the next output", () => {
  const { outputs, take } = makeCollector();
  const print = (text: string) =>
    take(published("stream", { name: "stdout", text }));
  print("1");
  take(published("clear_output", { wait: true }));
  assert.equal(outputs.length, 1);
  print("2");
  assert.deepEqual(outputs, [
    { output_type: "stream", name: "stdout", text: "2" },
  ]);
  take(published("clear_output", { wait: false }));
  assert.deepEqual(outputs, []);
});
