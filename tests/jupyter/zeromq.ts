/**
 * The sockets of the npm library zeromq that our client uses, each in a process
 * of Node. Ours.
 *
 * In Deno 2.9.6 the library's addon now and then ends the whole process with a
 * segmentation fault in one of Deno's threads, and with it every test that was
 * still to come. The wire is libzmq's all the same.
 */
import { Buffer } from "node:buffer";
import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { projectRoot } from "../../tools/files.ts";

interface SocketOptions {
  /** How long a close waits for unsent messages, in milliseconds. */
  linger?: number;
  /** Pause before the next try to connect, in milliseconds. */
  reconnectInterval?: number;
  /** Dealers only: the name by which the other side knows us. */
  routingId?: string;
}

type Frames = readonly (string | Uint8Array)[];

class Socket implements AsyncIterable<Uint8Array[]> {
  readonly #node: ChildProcess;
  /** Who waits for a send to be done. */
  #sent: (() => void)[] = [];

  constructor(kind: "Dealer" | "Subscriber", options: SocketOptions) {
    const program = join(projectRoot, "tests", "jupyter", "zeromq_node.mjs");
    this.#node = spawn("node", [program, kind, JSON.stringify(options)], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    // A command that comes when it has ended is lost, like the socket.
    this.#node.stdin!.on("error", () => {});
  }

  #do(command: string, argument: unknown): void {
    this.#node.stdin!.write(`${JSON.stringify([command, argument])}\n`);
  }

  connect(address: string): void {
    this.#do("connect", address);
  }

  /** Without a prefix: to everything. */
  subscribe(...prefixes: string[]): void {
    this.#do("subscribe", prefixes);
  }

  /** Resolves when the library has taken the message. */
  send(frames: Frames): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#sent.push(resolve);
    const encoded = frames.map((frame) => Buffer.from(frame as Uint8Array));
    this.#do("send", encoded.map((frame) => frame.toString("base64")));
    return promise;
  }

  /** Resolves when the process is gone; loops over its messages end. */
  close(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    if (this.#node.exitCode !== null) resolve();
    this.#node.once("close", () => resolve());
    this.#node.stdin!.end();
    return promise;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array[]> {
    for await (const line of createInterface({ input: this.#node.stdout! })) {
      const { frames } = JSON.parse(line) as { frames?: string[] };
      if (frames === undefined) this.#sent.shift()?.();
      else yield frames.map((frame) => Buffer.from(frame, "base64"));
    }
  }
}

export class Dealer extends Socket {
  constructor(options: SocketOptions) {
    super("Dealer", options);
  }
}

export class Subscriber extends Socket {
  constructor(options: SocketOptions) {
    super("Subscriber", options);
  }
}
