/**
 * `Deno.jupyter` for the cells of our kernel, so that a notebook written for
 * Deno's own kernel shows here what it shows there. Ours.
 *
 * What is there: display (with `display_id` and `update`), broadcast of
 * `clear_output`, md, html, svg, image, format, `$display`. Each template
 * escapes nothing, as in Deno.
 */
import { readFileSync } from "node:fs";
import { inspect } from "../show/inspect.ts";
import type { ChildEvent } from "./kernel_frames.ts";
import type { MimeBundle } from "./nbformat.ts";

const displayMethod = Symbol.for("Jupyter.display");

type Send = (event: ChildEvent) => void;

interface DisplayOptions {
  /** The object is a mime bundle already. */
  raw?: boolean;
  display_id?: string;
  update?: boolean;
}

/** installJupyter() - sets `Deno.jupyter`; without a Deno, does nothing. */
export function installJupyter(send: Send): void {
  const deno: unknown = Reflect.get(globalThis, "Deno");
  if (typeof deno !== "object" || deno === null) return;
  Reflect.set(deno, "jupyter", makeJupyter(send));
}

function makeJupyter(send: Send): Readonly<Record<string, unknown>> {
  return {
    $display: displayMethod,
    display: makeDisplay(send),
    broadcast: makeBroadcast(send),
    format: bundleOf,
    md: template("text/markdown"),
    html: template("text/html"),
    svg: template("image/svg+xml"),
    image,
  };
}

function makeDisplay(send: Send) {
  return async (object: unknown, options: DisplayOptions = {}) => {
    const { raw = false, display_id, update = false } = options;
    const data = raw ? { ...Object(object) } : await bundleOf(object);
    send({
      event: "display",
      data,
      metadata: {},
      ...(display_id === undefined ? {} : { display_id }),
      isUpdate: update,
    });
  };
}

function makeBroadcast(send: Send) {
  return (msg_type: string, content: Record<string, unknown>) => {
    if (msg_type !== "clear_output") {
      throw new TypeError(
        `Deno.jupyter.broadcast(): wanted "clear_output", got "${msg_type}"; ` +
          "use display() for outputs",
      );
    }
    send({ event: "clear", wait: content.wait === true });
    return Promise.resolve();
  };
}

async function bundleOf(value: unknown): Promise<MimeBundle> {
  const isObject = typeof value === "object" || typeof value === "function";
  const display: unknown = isObject && value !== null
    ? Reflect.get(value, displayMethod)
    : undefined;
  if (typeof display === "function") return { ...await display.call(value) };
  return drawn(value) ?? { "text/plain": inspect(value) };
}

/** A canvas, or an element, as Deno's kernel recognises them. */
function drawn(value: unknown): MimeBundle | null {
  const { toDataURL, outerHTML } = Object(value);
  if (typeof toDataURL === "function") {
    const [head, data] = String(toDataURL.call(value)).split(";base64,");
    return { [head?.replace("data:", "") ?? ""]: data };
  }
  if (typeof outerHTML !== "string") return null;
  const mime = outerHTML.startsWith("<svg") ? "image/svg+xml" : "text/html";
  return { [mime]: outerHTML };
}

/** Something that displays itself as this bundle. */
function displayable(bundle: MimeBundle) {
  return { [displayMethod]: () => bundle };
}

function template(mime: string) {
  return (texts: TemplateStringsArray, ...values: unknown[]) =>
    displayable({ [mime]: String.raw({ raw: texts }, ...values) });
}

/** Bytes of a PNG or a JPEG, or the path of such a file. */
function image(source: Uint8Array | string) {
  const bytes = typeof source === "string"
    ? new Uint8Array(readFileSync(source))
    : source;
  const isPng = bytes[0] === 0x89;
  return displayable({
    [isPng ? "image/png" : "image/jpeg"]: bytes.toBase64(),
  });
}
