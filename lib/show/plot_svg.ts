/**
 * What Observable Plot drew, as markup of ours: coordinates rounded, no style
 * sheet, no class, no inner ARIA (the root is one image), XML that parses.
 */
import { type Attributes, element, escapeText, roundNumbers } from "./svg.ts";

const ELEMENT = 1;
const TEXT = 3;

/** Attributes whose numbers are coordinates. */
const COORDINATES =
  /^(d|transform|points|[xyr]|[xy][12]|c[xy]|[rd][xy]|width|height)$/;

/** Attributes that mean nothing, or harm, outside of Plot's own page. */
const DROPPED = /^(class|style|aria-.*|xmlns.*)$/;

/**
 * serialize() - the drawing inside of a root `<svg>` that Plot returned.
 *
 * @param top how far down it moves, in pixels
 */
export function serialize(root: Element, top: number): string {
  if (root.localName !== "svg") {
    throw new TypeError(`serialize(): wanted <svg>, got <${root.localName}>`);
  }
  const drawing = [...root.childNodes].map(markupOf).join("");
  const transform = top === 0 ? null : `translate(0,${top})`;
  return element("g", { "text-anchor": "middle", transform }, drawing);
}

function markupOf(node: Node): string {
  if (node.nodeType === TEXT) return escapeText(node.textContent ?? "");
  if (node.nodeType !== ELEMENT) return "";
  const { localName, attributes, childNodes } = node as Element;
  if (localName === "style") return "";
  const kept: Attributes = {};
  for (const { name, value } of attributes) {
    if (DROPPED.test(name)) continue;
    kept[name] = COORDINATES.test(name) ? roundNumbers(value) : value;
  }
  return element(localName, kept, ...[...childNodes].map(markupOf));
}
