/**
 * Jupyter messages as ZeroMQ frames, protocol 5.4. Ours. Used by our kernel,
 * and by the client of its tests.
 *
 *     route…  <IDS|MSG>  signature  header  parent  metadata  content  …
 *
 * The signature is HMAC-SHA256 over the four JSON frames, in hexadecimal, or
 * nothing if the key is empty. A message whose signature is wrong is refused:
 * that is what it is there for.
 */
import { Buffer } from "node:buffer";
import { createHmac, randomUUID, timingSafeEqual } from "node:crypto";

const DELIMITER = "<IDS|MSG>";

/** The version of Jupyter's protocol that we speak. */
export const PROTOCOL_VERSION = "5.4";

export interface Header {
  msg_id: string;
  session: string;
  username: string;
  date: string;
  msg_type: string;
  version: string;
}

export type Content = Record<string, unknown>;

export interface Message {
  header: Header;
  /** The header of the request that it answers; empty if there is none. */
  parent: Partial<Header>;
  metadata: Content;
  content: Content;
}

/** A message, and the frames before it, which an answer begins with. */
export interface Received extends Message {
  route: Uint8Array[];
}

/** A new message of type `msg_type` with an id of its own. */
export function makeMessage(
  session: string,
  msg_type: string,
  content: Content,
  parent: Partial<Header> = {},
): Message {
  const header: Header = {
    msg_id: randomUUID(),
    session,
    username: "swaplab",
    date: new Date().toISOString(),
    msg_type,
    version: PROTOCOL_VERSION,
  };
  return { header, parent, metadata: {}, content };
}

/** encode() - the frames of a message, without a route. */
export function encode(message: Message, key: string): string[] {
  const { header, parent, metadata, content } = message;
  const parts = [header, parent, metadata, content]
    .map((one) => JSON.stringify(one));
  return [DELIMITER, sign(parts, key), ...parts];
}

/**
 * decode() - a message from its frames.
 *
 * @throws Error if there is no delimiter, a frame is missing, or the
 *   signature does not fit
 */
export function decode(frames: readonly Uint8Array[], key: string): Received {
  const at = frames.findIndex((frame) =>
    Buffer.from(frame).toString() === DELIMITER
  );
  if (at < 0) throw new Error(`Jupyter message without ${DELIMITER}`);
  const [signature, header, parent, metadata, content] = frames.slice(at + 1)
    .map((frame) => Buffer.from(frame).toString());
  if (
    signature === undefined || header === undefined || parent === undefined ||
    metadata === undefined || content === undefined
  ) {
    throw new Error(
      `Jupyter message: wanted 5 frames, got ${frames.length - at - 1}`,
    );
  }
  if (!isEqual(sign([header, parent, metadata, content], key), signature)) {
    throw new Error(`Jupyter message with a wrong signature: ${header}`);
  }
  return {
    route: frames.slice(0, at),
    header: JSON.parse(header),
    parent: JSON.parse(parent),
    metadata: JSON.parse(metadata),
    content: JSON.parse(content),
  };
}

function sign(parts: readonly string[], key: string): string {
  if (key === "") return "";
  const hmac = createHmac("sha256", key);
  for (const part of parts) hmac.update(part);
  return hmac.digest("hex");
}

/** In a time that does not tell how much of it was right. */
function isEqual(wanted: string, came: string): boolean {
  const [one, other] = [Buffer.from(wanted), Buffer.from(came)];
  return one.length === other.length && timingSafeEqual(one, other);
}
