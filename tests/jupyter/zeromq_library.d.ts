/**
 * The sockets of the npm library zeromq 6.8.0 that connection.ts uses.
 *
 * Its own declarations ask for those of Node 18, which would then take the
 * place of Deno's in the check of the whole project.
 */

interface SocketOptions {
  /** How long close() waits for unsent messages, in milliseconds. */
  linger?: number;
  /** Pause before the next try to connect, in milliseconds. */
  reconnectInterval?: number;
}

interface Socket extends AsyncIterable<Uint8Array[]> {
  connect(address: string): void;
  /** The loops over the messages of a closed socket end. */
  close(): void;
}

export class Dealer implements Socket {
  constructor(options: SocketOptions & { routingId?: string });
  connect(address: string): void;
  close(): void;
  /** One at a time: rejects while the last has not resolved. */
  send(frames: readonly (string | Uint8Array)[]): Promise<void>;
  [Symbol.asyncIterator](): AsyncIterator<Uint8Array[]>;
}

export class Subscriber implements Socket {
  constructor(options: SocketOptions);
  connect(address: string): void;
  close(): void;
  /** Without a prefix: to everything. */
  subscribe(...prefixes: string[]): void;
  [Symbol.asyncIterator](): AsyncIterator<Uint8Array[]>;
}
