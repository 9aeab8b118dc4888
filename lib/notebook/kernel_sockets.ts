/**
 * The five sockets of a Jupyter kernel. Ours.
 *
 * Requests come on shell and control; everybody who has subscribed hears what
 * is published; the heartbeat is sent back as it came; nothing is ever asked
 * on stdin. Messages arrive in the order in which they were handed over.
 */
import { Buffer } from "node:buffer";
import { randomUUID } from "node:crypto";
import {
  type Content,
  decode,
  encode,
  type Header,
  makeMessage,
  type Received,
} from "./kernel_wire.ts";
import { listenOn, type Peer } from "./kernel_zmtp.ts";

/** A connection file, as Jupyter writes it. */
export interface ConnectionInfo {
  transport: string;
  ip: string;
  key: string;
  signature_scheme: string;
  shell_port: number;
  iopub_port: number;
  control_port: number;
  stdin_port: number;
  hb_port: number;
}

/** Tells all clients; `parent` is the header of the request it belongs to. */
export type Publish = (
  msg_type: string,
  content: Content,
  parent: Partial<Header>,
) => Promise<void>;

/** Answers the request that it came with. */
export type Answer = (msg_type: string, content: Content) => Promise<void>;

export interface Sockets {
  publish: Publish;
  /** Resolves when all is sent, or a second later. */
  close(): Promise<void>;
}

/** The first byte of what a subscriber sends; 0 ends a subscription. */
const SUBSCRIBE = 1;

/**
 * openSockets() - binds all five and begins to listen.
 *
 * @param take called with each well-signed request
 * @param tell hears of messages that were refused, one line each
 * @throws Error for a signature scheme other than hmac-sha256, or if a port
 *   is taken
 */
export async function openSockets(
  info: ConnectionInfo,
  take: (request: Received, answer: Answer) => void,
  tell: (line: string) => void,
): Promise<Sockets> {
  if (info.key !== "" && info.signature_scheme !== "hmac-sha256") {
    throw new Error(
      `Cannot check signatures: wanted hmac-sha256, got ` +
        `${info.signature_scheme}; set Session.signature_scheme in Jupyter`,
    );
  }
  const session = randomUUID();
  /** By client, the beginnings of the topics that it wants. */
  const topics = new Map<Peer, string[]>();

  const publish: Publish = async (msg_type, content, parent) => {
    const message = makeMessage(session, msg_type, content, parent);
    const frames = [msg_type, ...encode(message, info.key)];
    const wanting = [...iopub.peers].filter((peer) =>
      topics.get(peer)?.some((topic) => msg_type.startsWith(topic))
    );
    await Promise.all(wanting.map((peer) => peer.send(frames)));
  };

  function hear(peer: Peer, frames: Uint8Array[]): void {
    const request = accepted(frames, info.key, tell);
    if (request === null) return;
    take(request, (msg_type, content) => {
      const { route, header } = request;
      const message = makeMessage(session, msg_type, content, header);
      return peer.send([...route, ...encode(message, info.key)]);
    });
  }

  /** A new subscriber is told that from now on it misses nothing. */
  function subscribe(peer: Peer, [frame]: Uint8Array[]): void {
    if (frame === undefined) return;
    const topic = Buffer.from(frame.subarray(1)).toString();
    const others = (topics.get(peer) ?? []).filter((one) => one !== topic);
    const isNew = frame[0] === SUBSCRIBE;
    topics.set(peer, isNew ? [...others, topic] : others);
    if (!isNew) return;
    const content = { subscription: topic };
    const welcome = makeMessage(session, "iopub_welcome", content);
    peer.send(["iopub_welcome", ...encode(welcome, info.key)]);
  }

  const echo = (peer: Peer, frames: Uint8Array[]) => void peer.send(frames);
  const at = (port: Port) => addressOf(info, port);
  const iopub = await listenOn(at("iopub_port"), "XPUB", subscribe);
  const endpoints = [
    iopub,
    await listenOn(at("shell_port"), "ROUTER", hear),
    await listenOn(at("control_port"), "ROUTER", hear),
    await listenOn(at("stdin_port"), "ROUTER", () => {}),
    await listenOn(at("hb_port"), "REP", echo),
  ];
  return {
    publish,
    close: async () => {
      await Promise.all(endpoints.map((one) => one.close()));
    },
  };
}

type Port = Extract<keyof ConnectionInfo, `${string}_port`>;

function addressOf(info: ConnectionInfo, port: Port): string {
  const separator = info.transport === "ipc" ? "-" : ":";
  return `${info.transport}://${info.ip}${separator}${info[port]}`;
}

/** A message that is not signed by our key is not answered, only told of. */
function accepted(
  frames: readonly Uint8Array[],
  key: string,
  tell: (line: string) => void,
): Received | null {
  try {
    return decode(frames, key);
  } catch (error) {
    tell(`refused: ${error instanceof Error ? error.message : error}`);
    return null;
  }
}
