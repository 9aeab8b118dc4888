/** The key to several series: the very line or symbol, then the name. */
import {
  COLORS,
  DASHES,
  element,
  FONT_SIZE,
  textElement,
  textWidth,
} from "./svg.ts";

/** Symbols of dots by series, and their outlines as Plot draws them. */
export const SYMBOLS = [
  { name: "circle", path: "M4,0A4,4,0,1,1,-4,0A4,4,0,1,1,4,0" },
  { name: "square", path: "M-3.54,-3.54h7.09v7.09h-7.09Z" },
  { name: "triangle", path: "M0,-6.22L5.39,3.11L-5.39,3.11Z" },
  { name: "diamond", path: "M0,-6.6L3.81,0L0,6.6L-3.81,0Z" },
] as const;

const ROW_HEIGHT = 22;
const SIGN_WIDTH = 30;
const LEFT = 8;

/**
 * drawLegend() - names in rows at the top of a drawing.
 *
 * @returns the markup and the height taken; nothing for a single series,
 * which the axis label names
 */
export function drawLegend(
  names: readonly string[],
  sign: "line" | "symbol",
  width: number,
): { svg: string; height: number } {
  if (names.length < 2) return { svg: "", height: 0 };
  let left = LEFT;
  let middle = 14;
  const items = names.map((name, at) => {
    const itemWidth = SIGN_WIDTH + 8 + textWidth(name) + 20;
    if (left > LEFT && left + itemWidth > width) {
      left = LEFT;
      middle += ROW_HEIGHT;
    }
    const mark = sign === "line"
      ? lineSign(at, left, middle)
      : symbolSign(at, left, middle);
    const x = left + SIGN_WIDTH + 8;
    left += itemWidth;
    return mark + textElement(name, { x, y: middle + FONT_SIZE * 0.35 });
  });
  return { svg: element("g", {}, ...items), height: middle + 14 };
}

function lineSign(at: number, left: number, middle: number): string {
  return element("line", {
    x1: left,
    y1: middle,
    x2: left + SIGN_WIDTH,
    y2: middle,
    stroke: COLORS[at]!,
    "stroke-width": 2,
    "stroke-dasharray": DASHES[at] || null,
  });
}

function symbolSign(at: number, left: number, middle: number): string {
  return element("path", {
    d: SYMBOLS[at]!.path,
    transform: `translate(${left + SIGN_WIDTH - 8},${middle})`,
    fill: "none",
    stroke: COLORS[at]!,
    "stroke-width": 1.5,
  });
}
