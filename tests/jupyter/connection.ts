/**
 * The client's end of a kernel's sockets: requests out, answers in. Ours.
 *
 * A request is answered when both are there: its reply (shell) and its "idle"
 * status (iopub). They come on two sockets, in any order.
 */
import { randomUUID } from "node:crypto";
import type { Output } from "../../lib/notebook/nbformat.ts";
import { type Collector, makeCollector, outputOf } from "./outputs.ts";
import { Dealer, Subscriber } from "./zeromq.ts";
import {
  type Content,
  decode,
  encode,
  makeMessage,
  type Message,
} from "../../lib/notebook/kernel_wire.ts";

export interface Answer {
  /** The content of the reply. */
  reply: Record<string, unknown>;
  outputs: Output[];
  /** All that was published for it, in order, "idle" last. */
  published: Message[];
}

export interface Connection {
  /** Outputs that came when their request was already answered. */
  readonly late: readonly Output[];
  /** Sends a request on the shell channel; rejects if we are closed first. */
  ask(
    msg_type: string,
    content: Content,
    metadata?: Content,
  ): Promise<Answer>;
  /** Sends a request on the control channel; its answer is not awaited. */
  tell(msg_type: string, content: Content): Promise<void>;
  /** Resolves with the next published message that `wanted` accepts. */
  published(wanted: (message: Message) => boolean): Promise<Message>;
  close(): Promise<void>;
}

/** Somebody who waits for a published message. */
interface Watcher {
  wanted: (message: Message) => boolean;
  resolve: (message: Message) => void;
}

/** What is kept of a request until it is answered. */
interface Pending {
  collector: Collector;
  published: Message[];
  reply: Record<string, unknown> | null;
  isIdle: boolean;
  resolve: (answer: Answer) => void;
  reject: (reason: unknown) => void;
}

/** Where the kernel listens, and the key that signs each message. */
export interface Addresses {
  key: string;
  shell: string;
  control: string;
  iopub: string;
}

/** connect() - opens the sockets; the kernel need not be there yet. */
export function connect({ key, ...at }: Addresses): Connection {
  const session = randomUUID();
  const options = { linger: 0, reconnectInterval: 20 };
  const shell = new Dealer({ ...options, routingId: session });
  const control = new Dealer({ ...options, routingId: session });
  const iopub = new Subscriber(options);
  const pending = new Map<string, Pending>();
  const answered = new Set<string>();
  const late: Output[] = [];
  let watchers: Watcher[] = [];
  let sending = Promise.resolve();

  shell.connect(at.shell);
  control.connect(at.control);
  iopub.connect(at.iopub);
  iopub.subscribe();
  listen(shell, takeReply);
  listen(control, () => {});
  listen(iopub, takePublished);

  /** A socket takes one message at a time. */
  function send(socket: Dealer, message: Message): Promise<void> {
    sending = sending.then(() => socket.send(encode(message, key)));
    return sending;
  }

  function ask(msg_type: string, content: Content, metadata: Content = {}) {
    const request = { ...makeMessage(session, msg_type, content), metadata };
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    const collector = makeCollector();
    pending.set(request.header.msg_id, {
      collector,
      published: [],
      reply: null,
      isIdle: false,
      resolve,
      reject,
    });
    send(shell, request).catch(reject);
    return promise;
  }

  function tell(msg_type: string, content: Content) {
    return send(control, makeMessage(session, msg_type, content));
  }

  async function listen(
    socket: Dealer | Subscriber,
    take: (message: Message, id: string) => void,
  ): Promise<void> {
    try {
      for await (const frames of socket) {
        const message = decode(frames, key);
        take(message, message.parent.msg_id ?? "");
      }
    } catch (error) {
      refuseAll(error);
    }
  }

  function takeReply(message: Message, id: string): void {
    const request = pending.get(id);
    if (request === undefined) return;
    request.reply = message.content;
    settle(id, request);
  }

  function published(wanted: Watcher["wanted"]): Promise<Message> {
    const { promise, resolve } = Promise.withResolvers<Message>();
    watchers.push({ wanted, resolve });
    return promise;
  }

  function takePublished(message: Message, id: string): void {
    watchers = watchers.filter(({ wanted, resolve }) => {
      const isIt = wanted(message);
      if (isIt) resolve(message);
      return !isIt;
    });
    const request = pending.get(id);
    if (request === undefined) {
      const output = outputOf(message);
      if (output !== null && answered.has(id)) late.push(output);
      return;
    }
    request.collector.take(message);
    request.published.push(message);
    const isStatus = message.header.msg_type === "status";
    if (!isStatus || message.content.execution_state !== "idle") return;
    request.isIdle = true;
    settle(id, request);
  }

  function settle(id: string, request: Pending): void {
    const { reply, isIdle, collector, published } = request;
    if (reply === null || !isIdle) return;
    pending.delete(id);
    answered.add(id);
    request.resolve({ reply, outputs: collector.outputs, published });
  }

  function refuseAll(reason: unknown): void {
    for (const request of pending.values()) request.reject(reason);
    pending.clear();
  }

  async function close(): Promise<void> {
    refuseAll(new Error("The connection to the kernel is closed"));
    await Promise.all([shell, control, iopub].map((socket) => socket.close()));
  }

  return { late, ask, tell, published, close };
}
