/**
 * A figure: one thing to look at in every form that a notebook host can show,
 * from an image to a sentence. What makes one (plot, timeline, table) fills in
 * the forms; `show()` hands them to the host.
 */
import { escapeText } from "./svg.ts";

/** A mime type to its content: a string, or a JSON value for JSON types. */
export type MimeBundle = Record<string, unknown>;

/** Jupyter's own name for the method that gives an object's mime bundle. */
const DISPLAY: unique symbol = Symbol.for("Jupyter.display");

/** Immutable; the bundle holds at least text/plain. */
export interface Figure {
  readonly bundle: MimeBundle;
  [DISPLAY](): MimeBundle;
}

export interface FigureParts {
  title: string;
  /** One sentence: what is there to see. It is also the alternative text. */
  finding: string;
  /** A whole document: `<svg xmlns=…>…</svg>`. */
  svg?: string;
  /** Used as it is; without it, an `<img>` is made of the SVG. */
  html?: string;
  text: string;
  /** The data, JSON only. */
  json: unknown;
}

/**
 * makeFigure() - all the forms as one displayable object.
 *
 * The HTML form is an `<img>`, not inline SVG: JupyterLab refuses SVG in a
 * notebook that it does not trust and GitHub strips it; both show an image.
 */
export function makeFigure(parts: FigureParts): Figure {
  const html = parts.html ?? (parts.svg ? imageHtml(parts, parts.svg) : null);
  const bundle: MimeBundle = {
    ...(html === null ? {} : { "text/html": html }),
    ...(parts.svg === undefined ? {} : { "image/svg+xml": parts.svg }),
    "text/plain": parts.text,
    "application/json": parts.json,
  };
  return Object.freeze({ bundle, [DISPLAY]: () => bundle });
}

function imageHtml(parts: FigureParts, svg: string): string {
  const alt = escapeText(parts.finding);
  const source = `data:image/svg+xml;base64,${base64(svg)}`;
  const image = `<img alt="${alt}" style="max-width:100%" src="${source}">`;
  const title = `<strong>${escapeText(parts.title)}</strong>`;
  return `<figure>${image}<figcaption>${title}<br>${alt}</figcaption></figure>`;
}

function base64(text: string): string {
  let binary = "";
  for (const byte of new TextEncoder().encode(text)) {
    binary += String.fromCharCode(byte);
  }
  return btoa(binary);
}

/** wantText() - refuses a title, finding or label that says nothing. */
export function wantText(value: unknown, what: string): string {
  if (typeof value === "string" && value.trim() !== "") return value;
  throw new TypeError(`${what}: wanted a text, got ${describe(value)}`);
}

/** wantObject() - refuses to read fields of what has none. */
export function wantObject<T>(value: T, what: string): T {
  if (typeof value === "object" && value !== null) return value;
  throw new TypeError(`${what}: wanted an object, got ${describe(value)}`);
}

/** describe() - a wrong value in a few words, for error messages. */
export function describe(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (typeof value === "string") return JSON.stringify(value);
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (typeof value === "function") return `the function ${value.name}()`;
  return typeof value === "object" ? "an object" : String(value);
}
