/**
 * The drawing of a tree of runs: the root on the left, a column for each
 * step, the outcome behind each leaf. Ours.
 */
import {
  COLORS,
  element,
  FONT_SIZE,
  roundNumbers,
  textElement,
  textWidth,
} from "./svg.ts";

const ROW_HEIGHT = 34;
const BOX_HEIGHT = 24;
const MARGIN = 8;
const GAP = 18;

/** A step, and what can follow it. */
export interface TreeNode {
  /** "A read"; "" for the root. */
  readonly label: string;
  readonly actor: number;
  /** The reduction made a run that goes through here. */
  isMade: boolean;
  /** Of a leaf. */
  outcome: string;
  readonly children: TreeNode[];
}

/** Where a node is. */
interface Place {
  readonly node: TreeNode;
  readonly depth: number;
  /** The middle of its row. */
  readonly y: number;
  readonly children: readonly Place[];
}

/** Pixels from one step to the next, and of a box. */
interface Sizes {
  readonly step: number;
  readonly box: number;
}

/** drawTree() - the markup, and the width and height it takes. */
export function drawTree(
  root: TreeNode,
): { drawing: string; width: number; height: number } {
  let leaves = 0;
  const place = (node: TreeNode, depth: number): Place => {
    const children = node.children.map((child) => place(child, depth + 1));
    const y = children.length > 0
      ? (children[0]!.y + children.at(-1)!.y) / 2
      : MARGIN + (leaves++ + 0.5) * ROW_HEIGHT;
    return { node, depth, y, children };
  };
  const top = place(root, 0);
  const all = flat(top);
  const box = Math.max(...all.map(({ node }) => textWidth(node.label))) + 12;
  const sizes = { step: box + GAP, box };
  const deepest = Math.max(...all.map(({ depth }) => depth));
  const outcomes = all.map(({ node }) => textWidth(node.outcome));
  const right = leftOf(deepest, sizes) + box + 12;
  return {
    drawing: all.map((one) => drawNode(one, sizes)).join(""),
    width: Math.ceil(right + Math.max(...outcomes) + MARGIN),
    height: leaves * ROW_HEIGHT + 2 * MARGIN,
  };
}

function flat(place: Place): Place[] {
  return [place, ...place.children.flatMap(flat)];
}

/** The root is a point at the margin; the first step begins behind a gap. */
function leftOf(depth: number, { step }: Sizes): number {
  return depth === 0 ? MARGIN : MARGIN + GAP + (depth - 1) * step;
}

function drawNode({ node, depth, y, children }: Place, sizes: Sizes): string {
  const left = leftOf(depth, sizes);
  const right = depth === 0 ? left : left + sizes.box;
  const edges = children.map((child) =>
    drawEdge([right, y], [leftOf(depth + 1, sizes), child.y], child.node)
  );
  if (depth === 0) return edges.join("");
  const outcome = node.outcome === "" ? "" : textElement(node.outcome, {
    x: right + 12,
    y: y + FONT_SIZE * 0.35,
    ...(node.isMade ? {} : { "fill-opacity": 0.75 }),
  });
  return drawBox(node, left, y, sizes.box) + edges.join("") + outcome;
}

function drawBox(
  { label, actor, isMade }: TreeNode,
  left: number,
  y: number,
  width: number,
): string {
  const color = COLORS[actor % COLORS.length]!;
  const box = element("rect", {
    x: left,
    y: y - BOX_HEIGHT / 2,
    width,
    height: BOX_HEIGHT,
    rx: 3,
    fill: isMade ? color : "none",
    "fill-opacity": 0.15,
    stroke: color,
    "stroke-width": isMade ? 1.5 : 1,
    "stroke-dasharray": isMade ? null : "2 4",
  });
  const x = left + width / 2;
  const at = { x, y: y + FONT_SIZE * 0.35, "text-anchor": "middle" };
  return box + textElement(label, at);
}

type Point = readonly [x: number, y: number];

function drawEdge(from: Point, to: Point, { isMade }: TreeNode): string {
  const middle = (from[0] + to[0]) / 2;
  const curve = `M${from[0]},${from[1]}C${middle},${from[1]} ` +
    `${middle},${to[1]} ${to[0]},${to[1]}`;
  return element("path", {
    d: roundNumbers(curve),
    fill: "none",
    stroke: "currentColor",
    "stroke-width": isMade ? 1.5 : 1,
    "stroke-dasharray": isMade ? null : "2 4",
  });
}
