/**
 * Jupyter messages as ZeroMQ frames, protocol 5.3. Ours.
 *
 *     identity…  <IDS|MSG>  signature  header  parent  metadata  content  …
 *
 * The signature is HMAC-SHA256 over the four JSON frames, in hexadecimal. A
 * message whose signature is wrong is refused: that is what it is there for.
 */
import { Buffer } from "node:buffer";
import { createHmac, randomUUID } from "node:crypto";

const DELIMITER = "<IDS|MSG>";

export interface Header {
  msg_id: string;
  session: string;
  username: string;
  date: string;
  msg_type: string;
  version: string;
}

export interface Message {
  header: Header;
  /** The header of the request that it answers; empty if there is none. */
  parent: Partial<Header>;
  content: Record<string, unknown>;
}

/** A new request of type `msg_type` with an id of its own. */
export function makeRequest(
  session: string,
  msg_type: string,
  content: Record<string, unknown>,
): Message {
  const header: Header = {
    msg_id: randomUUID(),
    session,
    username: "swaplab",
    date: new Date().toISOString(),
    msg_type,
    version: "5.3",
  };
  return { header, parent: {}, content };
}

/** encode() - the frames to send on a DEALER socket. */
export function encode(message: Message, key: string): string[] {
  const { header, parent, content } = message;
  const parts = [header, parent, {}, content].map((one) => JSON.stringify(one));
  return [DELIMITER, sign(parts, key), ...parts];
}

/**
 * decode() - a message from its frames.
 *
 * @throws Error if there is no delimiter, a frame is missing, or the
 *   signature does not fit
 */
export function decode(frames: readonly Uint8Array[], key: string): Message {
  const texts = frames.map((frame) => Buffer.from(frame).toString());
  const at = texts.indexOf(DELIMITER);
  if (at < 0) throw new Error(`Jupyter message without ${DELIMITER}`);
  const [signature, header, parent, metadata, content] = texts.slice(at + 1);
  if (
    signature === undefined || header === undefined || parent === undefined ||
    metadata === undefined || content === undefined
  ) {
    throw new Error(
      `Jupyter message: wanted 5 frames, got ${texts.length - at - 1}`,
    );
  }
  if (sign([header, parent, metadata, content], key) !== signature) {
    throw new Error(`Jupyter message with a wrong signature: ${header}`);
  }
  return {
    header: JSON.parse(header),
    parent: JSON.parse(parent),
    content: JSON.parse(content),
  };
}

function sign(parts: readonly string[], key: string): string {
  const hmac = createHmac("sha256", key);
  for (const part of parts) hmac.update(part);
  return hmac.digest("hex");
}
