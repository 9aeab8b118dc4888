/**
 * The server's end of ZeroMQ's wire protocol, ZMTP 3.0 (RFC 23) without
 * security: as much as the five sockets of a Jupyter kernel need. Ours.
 *
 * Why not the npm library, which the client of our tests uses: under Deno
 * 2.9.6 its bound sockets hear no more after a wake-up that brought no message
 * (a client that connects is enough), and its receive time-outs crash.
 *
 *     greeting   64 bytes each way: version 3.0, mechanism NULL
 *     READY      a command each way: which type of socket it is
 *     traffic    frames: flags, length (1 or 8 bytes), body
 */
import { Buffer } from "node:buffer";
import { createServer, type Server, type Socket } from "node:net";

/** The kind of socket that clients are told we are. */
export type SocketType = "ROUTER" | "XPUB" | "REP";

export type Frames = readonly (string | Uint8Array)[];

/** One client of an endpoint. */
export interface Peer {
  /**
   * Sends one message; what was sent before arrives before it. Resolves when
   * little enough waits; a peer that takes nothing for a minute is dropped.
   */
  send(frames: Frames): Promise<void>;
}

export interface Endpoint {
  readonly peers: ReadonlySet<Peer>;
  /** Resolves when all is sent, or a second later. */
  close(): Promise<void>;
}

/** Called with each message, in order. */
export type TakeMessage = (peer: Peer, frames: Uint8Array[]) => void;

const MORE = 1;
const LONG = 2;
const COMMAND = 4;

const GREETING_BYTES = 64;

/** A longer frame is refused: nobody writes such a cell. */
const MAX_FRAME_BYTES = 256 * 2 ** 20;

/** How much may wait for a peer before its sender waits, in bytes. */
const MAX_WAITING_BYTES = 64 * 2 ** 20;

const PATIENCE_MS = 60_000;
const LINGER_MS = 1_000;

/**
 * listenOn() - binds a `tcp://HOST:PORT` or `ipc://PATH` address.
 *
 * @throws Error if the address is taken or cannot be read
 */
export async function listenOn(
  address: string,
  type: SocketType,
  take: TakeMessage,
): Promise<Endpoint> {
  const peers = new Set<Peer>();
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    socket.setNoDelay(true);
    socket.on("error", () => {}); // Its "close" follows.
    sockets.add(socket);
    const peer = { send: (frames: Frames) => sendTo(socket, frames) };
    const begin = () => peers.add(peer);
    converse(socket, type, { begin, take: (frames) => take(peer, frames) })
      .catch(() => {}) // It is no ZeroMQ client, or gone.
      .finally(() => {
        peers.delete(peer);
        sockets.delete(socket);
        socket.destroy();
      });
  });
  await bind(server, address);
  return {
    peers,
    async close() {
      server.close();
      await Promise.all([...sockets].map(endOf));
    },
  };
}

function bind(server: Server, address: string): Promise<void> {
  const tcp = /^tcp:\/\/(.*):(\d+)$/.exec(address);
  const path = /^ipc:\/\/(.+)$/.exec(address)?.[1];
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.once("listening", resolve);
    if (tcp !== null) {
      const host = tcp[1] === "*" ? "0.0.0.0" : tcp[1];
      server.listen({ host, port: Number(tcp[2]) });
    } else if (path !== undefined) server.listen({ path });
    else reject(new Error(`wanted tcp://HOST:PORT or ipc://PATH: ${address}`));
  });
}

function endOf(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => socket.destroy(), LINGER_MS);
    socket.once("close", () => {
      clearTimeout(timer);
      resolve();
    });
    socket.end(() => socket.destroy());
  });
}

async function sendTo(socket: Socket, frames: Frames): Promise<void> {
  if (socket.destroyed) return;
  socket.write(encodeMessage(frames));
  if (socket.writableLength <= MAX_WAITING_BYTES) return;
  await new Promise<void>((resolve) => {
    const timer = setTimeout(() => socket.destroy(), PATIENCE_MS);
    const done = () => {
      clearTimeout(timer);
      resolve();
    };
    socket.once("drain", done);
    socket.once("close", done);
  });
}

/** encodeMessage() - a message as the bytes on the wire. */
export function encodeMessage(frames: Frames): Uint8Array {
  const parts = frames.flatMap((frame, at) => {
    const body = Buffer.from(frame as Uint8Array);
    const more = at < frames.length - 1 ? MORE : 0;
    return [frameHead(more, body.length), body];
  });
  return Buffer.concat(parts);
}

function frameHead(flags: number, length: number): Buffer {
  if (length < 256) return Buffer.from([flags, length]);
  const head = Buffer.alloc(9);
  head[0] = flags | LONG;
  head.writeBigUInt64BE(BigInt(length), 1);
  return head;
}

interface Talk {
  /** The peer has said what it is. */
  begin: () => void;
  take: (frames: Uint8Array[]) => void;
}

/** All that a client says, from its greeting to its end. */
async function converse(
  socket: Socket,
  type: SocketType,
  talk: Talk,
): Promise<void> {
  const read = makeByteReader(socket);
  socket.write(greeting());
  checkGreeting(await read(GREETING_BYTES));
  socket.write(readyCommand(type));
  let message: Uint8Array[] = [];
  for (;;) {
    const { flags, body } = await readFrame(read);
    if ((flags & COMMAND) !== 0) {
      if (commandName(body) === "READY") talk.begin();
      continue;
    }
    message.push(body);
    if ((flags & MORE) !== 0) continue;
    talk.take(message);
    message = [];
  }
}

function greeting(): Buffer {
  const bytes = Buffer.alloc(GREETING_BYTES);
  bytes[0] = 0xff;
  bytes[8] = 1;
  bytes[9] = 0x7f;
  bytes[10] = 3;
  bytes.write("NULL", 12);
  return bytes;
}

function checkGreeting(bytes: Uint8Array): void {
  const mechanism = Buffer.from(bytes.subarray(12, 32)).toString();
  const isZmtp = bytes[0] === 0xff && bytes[9] === 0x7f;
  const isOurs = (bytes[10] ?? 0) >= 3 && /^NULL\0*$/.test(mechanism);
  if (!isZmtp || !isOurs) throw new Error("not ZMTP 3 without security");
}

function readyCommand(type: SocketType): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(type.length);
  const body = Buffer.concat([
    Buffer.from("\x05READY\x0bSocket-Type"),
    length,
    Buffer.from(type),
  ]);
  return Buffer.concat([frameHead(COMMAND, body.length), body]);
}

function commandName(body: Uint8Array): string {
  return Buffer.from(body.subarray(1, 1 + (body[0] ?? 0))).toString();
}

type ReadBytes = (count: number) => Promise<Uint8Array>;

/** Reads exact numbers of bytes; rejects when the peer has gone. */
function makeByteReader(socket: Socket): ReadBytes {
  const chunks = socket[Symbol.asyncIterator]();
  let kept: Buffer[] = [];
  let length = 0;
  return async (count) => {
    while (length < count) {
      const { value, done } = await chunks.next();
      if (done) throw new Error("the peer has gone");
      kept.push(value);
      length += value.length;
    }
    const all = kept.length === 1 ? kept[0]! : Buffer.concat(kept);
    kept = [all.subarray(count)];
    length -= count;
    return all.subarray(0, count);
  };
}

async function readFrame(
  read: ReadBytes,
): Promise<{ flags: number; body: Uint8Array }> {
  const [flags = 0] = await read(1);
  const head = await read((flags & LONG) === 0 ? 1 : 8);
  const view = new DataView(head.buffer, head.byteOffset, head.length);
  const length = head.length === 1
    ? view.getUint8(0)
    : Number(view.getBigUint64(0));
  if (length > MAX_FRAME_BYTES) throw new Error(`a frame of ${length} bytes`);
  return { flags, body: await read(length) };
}
