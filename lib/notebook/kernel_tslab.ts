/**
 * What `import * as tslab from "tslab"` gives to a cell of our kernel, so that
 * a notebook written for tslab shows here what it shows there. Ours.
 *
 * `display.html(…)` and its like, `display.raw(mime, data)`, and newDisplay(),
 * whose later calls change what its first call has shown.
 */
import { Buffer } from "node:buffer";
import type { ChildEvent } from "./kernel_frames.ts";

type Send = (event: ChildEvent) => void;

/** By the name of the method: mime type, and whether it takes bytes. */
const METHODS: Readonly<Record<string, { mime: string; isBytes: boolean }>> = {
  text: { mime: "text/plain", isBytes: false },
  html: { mime: "text/html", isBytes: false },
  markdown: { mime: "text/markdown", isBytes: false },
  latex: { mime: "text/latex", isBytes: false },
  javascript: { mime: "text/javascript", isBytes: false },
  svg: { mime: "image/svg+xml", isBytes: false },
  png: { mime: "image/png", isBytes: true },
  jpeg: { mime: "image/jpeg", isBytes: true },
  gif: { mime: "image/gif", isBytes: true },
  pdf: { mime: "application/pdf", isBytes: true },
};

type Raw = (mime: string, data: string | Uint8Array) => void;

/** makeTslab() - the module; its displays go to `send`. */
export function makeTslab(send: Send): object {
  let displays = 0;
  const once: Raw = (mime, data) => {
    const bundle = { [mime]: asText(data) };
    send({ event: "display", data: bundle, metadata: {}, isUpdate: false });
  };
  const newDisplay = () => {
    const display_id = `tslab-${++displays}`;
    let isUpdate = false;
    return makeDisplay((mime, data) => {
      const bundle = { [mime]: asText(data) };
      const event = { event: "display", data: bundle, metadata: {} } as const;
      send({ ...event, display_id, isUpdate });
      isUpdate = true;
    });
  };
  return {
    display: makeDisplay(once),
    newDisplay,
    versions: { tslab: "1.0.22" },
  };
}

function makeDisplay(raw: Raw): object {
  const methods = Object.entries(METHODS).map(([name, { mime, isBytes }]) => [
    name,
    (data: string | Uint8Array) => raw(mime, checked(name, data, isBytes)),
  ]);
  return { raw, ...Object.fromEntries(methods) };
}

function checked(name: string, data: string | Uint8Array, isBytes: boolean) {
  const isRight = isBytes ? data instanceof Uint8Array : true;
  if (isRight) return isBytes ? data : String(data);
  throw new TypeError(`tslab.display.${name}(): wanted bytes, got a text`);
}

function asText(data: string | Uint8Array): string {
  return typeof data === "string" ? data : Buffer.from(data).toString("base64");
}
