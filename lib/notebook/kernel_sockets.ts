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
import { type Frames, listenOn, type Peer } from "./kernel_zmtp.ts";

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
  checkScheme(info);
  const session = randomUUID();
  const audience = makeAudience();

  function frames(topic: string, ...message: MessageParts): Frames {
    return [topic, ...encode(makeMessage(session, ...message), info.key)];
  }

  const publish: Publish = async (msg_type, ...parts) => {
    const message = frames(msg_type, msg_type, ...parts);
    const peers = [...iopub.peers].filter((one) =>
      audience.wants(one, msg_type)
    );
    await Promise.all(peers.map((peer) => peer.send(message)));
  };

  function hear(peer: Peer, came: Uint8Array[]): void {
    const request = accepted(came, info.key, tell);
    if (request === null) return;
    const { route, header } = request;
    take(request, (msg_type, content) => {
      const message = makeMessage(session, msg_type, content, header);
      return peer.send([...route, ...encode(message, info.key)]);
    });
  }

  /** A new subscriber is told that from now on it misses nothing. */
  function subscribe(peer: Peer, [frame]: Uint8Array[]): void {
    const subscription = audience.hear(peer, frame ?? new Uint8Array());
    if (subscription === null) return;
    peer.send(frames("iopub_welcome", "iopub_welcome", { subscription }));
  }

  const echo = (peer: Peer, came: Uint8Array[]) => void peer.send(came);
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

function checkScheme({ key, signature_scheme }: ConnectionInfo): void {
  if (key === "" || signature_scheme === "hmac-sha256") return;
  throw new Error(
    `Cannot check signatures: wanted hmac-sha256, got ${signature_scheme}; ` +
      "set Session.signature_scheme in Jupyter",
  );
}

/** What makeMessage() takes after the session. */
type MessageParts = [string, Content, Partial<Header>?];

/** Who wants which topics. */
function makeAudience() {
  /** By client, the beginnings of the topics that it wants. */
  const topics = new WeakMap<Peer, string[]>();
  return {
    wants: (peer: Peer, topic: string) =>
      topics.get(peer)?.some((one) => topic.startsWith(one)) ?? false,
    /** Takes a subscriber's message; returns what it newly wants, or null. */
    hear(peer: Peer, frame: Uint8Array): string | null {
      const topic = Buffer.from(frame.subarray(1)).toString();
      const isWanted = frame[0] === SUBSCRIBE;
      const others = (topics.get(peer) ?? []).filter((one) => one !== topic);
      topics.set(peer, isWanted ? [...others, topic] : others);
      return isWanted ? topic : null;
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
