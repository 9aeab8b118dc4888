/**
 * SVG as text: elements, escaping, and the frame that makes a drawing
 * readable by those who cannot see it. Same input, same bytes.
 */

/** Reads on white and on dark alike; a page's `color` overrides it inline. */
export const INK = "#767676";

/**
 * Series colours: at least 3:1 against white and against #121212, and apart
 * for the common colour blindnesses. Never the only sign of a series.
 */
export const COLORS: readonly string[] = [
  "#2f7fc4",
  "#c2680c",
  "#128a6e",
  "#a35bc0",
  "#cf4a68",
  "#7d7a1f",
];

/** The dash pattern that goes with each colour; "" is a whole line. */
export const DASHES: readonly string[] = [
  "",
  "7 4",
  "2 3",
  "10 3 2 3",
  "14 4",
  "5 2 1 2",
];

export const FONT_SIZE = 15;

const NAMED: Record<string, string> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
};

/** Control characters that XML 1.0 has no way at all to write. */
// deno-lint-ignore no-control-regex
const UNWRITABLE = /[\0-\x08\x0b\x0c\x0e-\x1f]/g;

/** escapeText() - safe in an HTML or XML text and in a quoted attribute. */
export function escapeText(text: string): string {
  const legal = text.toWellFormed().replace(UNWRITABLE, "�");
  return legal.replace(/[&<>"]/g, (character) => NAMED[character]!);
}

/** roundNumbers() - each number of a path or transform to two decimals. */
export function roundNumbers(text: string): string {
  return text.replace(/-?\d*\.\d+(e-?\d+)?/g, (number) => {
    const rounded = Math.round(Number(number) * 100) / 100;
    return String(rounded === 0 ? 0 : rounded);
  });
}

export type Attributes = Record<string, string | number | null>;

/**
 * element() - one tag; the children are markup already.
 *
 * @param attributes numbers are rounded to two decimals; null is left out
 */
export function element(
  name: string,
  attributes: Attributes,
  ...children: string[]
): string {
  let head = name;
  for (const [key, value] of Object.entries(attributes)) {
    if (value === null) continue;
    const text = typeof value === "number" ? roundNumbers(`${value}`) : value;
    head += ` ${key}="${escapeText(text)}"`;
  }
  const body = children.join("");
  return body === "" ? `<${head}/>` : `<${head}>${body}</${name}>`;
}

/** textElement() - a `<text>` at a point; the words are escaped here. */
export function textElement(words: string, attributes: Attributes): string {
  return element("text", attributes, escapeText(words));
}

/** textWidth() - about how many pixels words take at FONT_SIZE: no less. */
export function textWidth(words: string): number {
  return words.length * FONT_SIZE * 0.6;
}

/** stableHash() - eight hex digits of a text (FNV-1a): the same everywhere. */
export function stableHash(text: string): string {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193) >>> 0;
  }
  return hash.toString(16).padStart(8, "0");
}

export interface Frame {
  title: string;
  finding: string;
  width: number;
  height: number;
}

/**
 * frameSvg() - the root element around a drawing.
 *
 * Ids come from the content, not from a counter, so that a second run of the
 * same cell gives the same bytes.
 */
export function frameSvg(frame: Frame, drawing: string): string {
  const { title, finding, width, height } = frame;
  const id = `fig-${stableHash([title, finding, drawing].join("\n"))}`;
  const root = {
    xmlns: "http://www.w3.org/2000/svg",
    width,
    height,
    viewBox: `0 0 ${width} ${height}`,
    role: "img",
    "aria-labelledby": `${id}-title ${id}-desc`,
    color: INK,
    fill: "currentColor",
    "font-family": "system-ui, sans-serif",
    "font-size": FONT_SIZE,
  };
  const name = element("title", { id: `${id}-title` }, escapeText(title));
  const desc = element("desc", { id: `${id}-desc` }, escapeText(finding));
  return element("svg", root, name, desc, drawing);
}
