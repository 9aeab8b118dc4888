/**
 * The parts of the runtime that the worker has and gets: see book/parts.ts.
 * The page loads a part's script; its source is evaluated here, and puts the
 * module in `globalThis.swaplabParts`.
 */

import type { PartReply } from "./protocol.ts";

/** For a specifier or a name of "swaplab", the parts; bundled in front of us. */
declare const swaplabNeeds: Readonly<Record<string, readonly string[]>>;

interface Waiting {
  readonly come: Promise<void>;
  readonly settle: (reply: PartReply) => void;
}

const asked = new Map<string, Waiting>();

/** loadParts() - all that `name` needs; `ask` sends for one that is missing. */
export async function loadParts(
  name: string,
  ask: (part: string) => void,
): Promise<void> {
  const needed = Object.hasOwn(swaplabNeeds, name) ? swaplabNeeds[name]! : [];
  await Promise.all(needed.map((part) => {
    const known = asked.get(part);
    if (known !== undefined) return known.come;
    const waiting = waitFor(part);
    asked.set(part, waiting);
    ask(part);
    return waiting.come;
  }));
}

/** A part that did not come may be asked for again. */
function waitFor(part: string): Waiting {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  return {
    come: promise,
    settle: (reply) => {
      if (reply.type === "no-part") {
        asked.delete(part);
        return reject(new Error(reply.reason));
      }
      // An indirect eval: the part's script is a global one.
      const indirect = globalThis.eval;
      indirect(reply.source);
      resolve();
    },
  };
}

/** takePart() - the page's answer. */
export function takePart(reply: PartReply): void {
  asked.get(reply.part)?.settle(reply);
}
