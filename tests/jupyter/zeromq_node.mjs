/**
 * The npm library zeromq under Node, where it is at home, for zeromq.ts. Lines
 * of JSON: on stdin what to do, on stdout what came. Ends when stdin ends.
 */
import process from "node:process";
import { createInterface } from "node:readline";
import { Dealer, Subscriber } from "zeromq";

const [, , kind, options] = process.argv;
const socket = new (kind === "Dealer" ? Dealer : Subscriber)(
  JSON.parse(options),
);

const tell = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);

async function listen() {
  for await (const frames of socket) {
    tell({ frames: frames.map((frame) => frame.toString("base64")) });
  }
}

/** @type {Record<string, (argument: any) => unknown>} */
const commands = {
  connect: (address) => socket.connect(address),
  subscribe: (prefixes) => socket.subscribe(...prefixes),
  send: async (frames) => {
    await socket.send(frames.map((frame) => Buffer.from(frame, "base64")));
    tell({ sent: true });
  },
};

void listen();
for await (const line of createInterface({ input: process.stdin })) {
  const [command, argument] = JSON.parse(line);
  await commands[command](argument);
}
process.exit(0);
