import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import {
  encodeMessage,
  type Endpoint,
  listenOn,
} from "../../lib/notebook/kernel_zmtp.ts";

const GREETING = Buffer.concat([
  Buffer.from([0xff, 0, 0, 0, 0, 0, 0, 0, 1, 0x7f, 3, 1]),
  Buffer.from("NULL".padEnd(20, "\0")),
  Buffer.alloc(32),
]);

const READY = Buffer.from("\x04\x1c\x05READY\x0bSocket-Type\0\0\0\x06DEALER");

/** Runs with an endpoint that sends every message back. */
async function withEcho(
  work: (address: string, endpoint: Endpoint) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  const path = join(folder, "echo");
  const endpoint = await listenOn(`ipc://${path}`, "ROUTER", (peer, frames) => {
    peer.send(frames);
  });
  try {
    await work(path, endpoint);
  } finally {
    await endpoint.close();
    await Deno.remove(folder, { recursive: true });
  }
}

function open(path: string): Promise<Socket> {
  const socket = connect({ path });
  socket.on("error", () => {});
  return new Promise((resolve) => {
    socket.once("connect", () => resolve(socket));
  });
}

/** Reads until `count` bytes are there, or the peer has gone. */
async function read(socket: Socket, count: number): Promise<Buffer> {
  let bytes = Buffer.alloc(0);
  for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
    bytes = Buffer.concat([bytes, chunk]);
    if (bytes.length >= count) break;
  }
  return bytes;
}

Deno.test("encodeMessage() flags all frames but the last, and long ones", () => {
  assert.deepEqual(
    Buffer.from(encodeMessage(["a", ""])),
    Buffer.from([1, 1, 97, 0, 0]),
  );
  const long = Buffer.from(encodeMessage(["é".repeat(200)]));
  assert.deepEqual(
    long.subarray(0, 9),
    Buffer.from([2, 0, 0, 0, 0, 0, 0, 1, 144]),
  );
});

Deno.test("a client greets, says READY, and is answered", () =>
  withEcho(async (path, endpoint) => {
    const socket = await open(path);
    // In pieces, as a network may bring it.
    const message = encodeMessage(["", "x".repeat(300)]);
    const said = Buffer.concat([GREETING, READY, message]);
    for (let at = 0; at < said.length; at += 50) {
      socket.write(said.subarray(at, at + 50));
    }
    const ready = 2 + 28; // Two bytes before a command of 28.
    const bytes = await read(socket, 64 + ready + message.length);
    assert.deepEqual([...bytes.subarray(10, 12)], [3, 0]);
    assert.ok(bytes.includes("READY\x0bSocket-Type\0\0\0\x06ROUTER"));
    assert.deepEqual(bytes.subarray(-message.length), Buffer.from(message));
    assert.equal(endpoint.peers.size, 1);
    socket.destroy();
  }));

Deno.test("who does not speak ZMTP 3 is disconnected", () =>
  withEcho(async (path, endpoint) => {
    for (const said of ["GET / HTTP/1.1\r\n".repeat(9), "\xff".repeat(64)]) {
      const socket = await open(path);
      socket.write(Buffer.from(said, "latin1"));
      await read(socket, Infinity);
      assert.equal(endpoint.peers.size, 0);
      socket.destroy();
    }
  }));

Deno.test("listenOn() refuses an address that it cannot read", async () => {
  const listening = listenOn("udp://127.0.0.1:1", "REP", () => {});
  await assert.rejects(listening, /wanted tcp:\/\/HOST:PORT or ipc:\/\/PATH/);
});
