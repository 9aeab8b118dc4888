/**
 * The drawing of swimlanes: heads, a row for each step, the ending below. Its
 * width follows from the words, so that a short run fits a phone.
 */
import { COLORS, element, FONT_SIZE, textElement, textWidth } from "./svg.ts";

const HEAD_HEIGHT = 32;
const ROW_HEIGHT = 28;
const BOX_HEIGHT = 23;
const LINE_HEIGHT = 21;
const MARGIN = 8;
const LANE_GAP = 14;
const LANE_MIN = 90;
const LANE_MAX = 230;
const STATE_MAX = 240;
const LEAST_WIDTH = 320;

/** One row: a step, or steps left out. Masks have bit n for actor n. */
export interface LaneRow {
  readonly actor: number;
  readonly text: string;
  /** Who could have gone on, and who had not ended. */
  readonly enabled: number;
  readonly alive: number;
  /** The shared state, if it was written; else "". */
  readonly state: string;
  /** The first of its turn. */
  readonly isFirst: boolean;
  /** It never happened: the actor waits for it. */
  readonly isStuck?: boolean;
}

/** Where things go, in pixels. */
interface Layout {
  readonly laneWidth: number;
  readonly lefts: readonly number[];
  readonly stateLeft: number;
  readonly width: number;
}

function layoutOf(
  heads: readonly string[],
  rows: readonly LaneRow[],
): Layout {
  const texts = [...heads, ...rows.map(({ text }) => text)];
  const widest = Math.max(...texts.map(textWidth)) + 18;
  const laneWidth = Math.min(LANE_MAX, Math.max(LANE_MIN, widest));
  const lefts = heads.map((_, at) => MARGIN + at * (laneWidth + LANE_GAP));
  const stateLeft = lefts.at(-1)! + laneWidth + LANE_GAP;
  const states = rows.map(({ state }) => textWidth(state));
  const stateWidth = Math.min(STATE_MAX, Math.max(...states));
  const width = Math.max(LEAST_WIDTH, Math.ceil(stateLeft + stateWidth));
  return { laneWidth, lefts, stateLeft, width };
}

/** drawLanes() - the markup, and the width and height it takes. */
export function drawLanes(
  heads: readonly string[],
  rows: readonly LaneRow[],
  ending: string,
): { drawing: string; width: number; height: number } {
  const layout = layoutOf(heads, rows);
  const bottom = HEAD_HEIGHT + rows.length * ROW_HEIGHT;
  const drawn = rows.map((row, at) =>
    drawRow(row, rows[at + 1], layout, HEAD_HEIGHT + at * ROW_HEIGHT)
  );
  const lines = fold(ending, layout.width - 2 * MARGIN);
  const told = lines.map((words, at) =>
    textElement(words, { x: MARGIN, y: bottom + 24 + at * LINE_HEIGHT })
  );
  const drawing = [
    ...heads.map((name, at) => drawHead(name, at, layout)),
    ...drawn,
    line(MARGIN, bottom + 4, layout.width - MARGIN, bottom + 4),
    ...told,
  ].join("");
  const height = bottom + 14 + lines.length * LINE_HEIGHT + MARGIN;
  return { drawing, width: layout.width, height };
}

function drawHead(name: string, lane: number, layout: Layout): string {
  const x = layout.lefts[lane]! + layout.laneWidth / 2;
  return textElement(name, {
    x,
    y: 20,
    "text-anchor": "middle",
    "font-weight": 600,
  });
}

function drawRow(
  row: LaneRow,
  next: LaneRow | undefined,
  layout: Layout,
  top: number,
): string {
  const parts = layout.lefts.map((left, lane) => {
    if (lane === row.actor) return drawStep(row, next, left, layout, top);
    if ((row.alive & (1 << lane)) === 0) return "";
    const x = left + layout.laneWidth / 2;
    const canGoOn = (row.enabled & (1 << lane)) !== 0;
    return line(x, top, x, top + ROW_HEIGHT, canGoOn ? null : "2 5");
  });
  const state = row.state === "" ? "" : textElement(
    cut(row.state, STATE_MAX),
    { x: layout.stateLeft, y: baseOf(top) },
  );
  return parts.join("") + state;
}

function drawStep(
  row: LaneRow,
  next: LaneRow | undefined,
  left: number,
  { laneWidth }: Layout,
  top: number,
): string {
  const color = COLORS[row.actor % COLORS.length]!;
  const joins = next !== undefined && !next.isFirst;
  const box = element("rect", {
    x: left,
    y: top,
    width: laneWidth,
    height: joins ? ROW_HEIGHT : BOX_HEIGHT,
    rx: row.isStuck || joins || !row.isFirst ? 0 : 3,
    fill: row.isStuck ? "none" : color,
    "fill-opacity": 0.15,
    stroke: color,
    "stroke-width": 1.5,
    "stroke-dasharray": row.isStuck ? "2 5" : null,
  });
  const x = left + 8;
  const fit = cut(row.text, laneWidth - 12);
  return box + textElement(fit, { x, y: baseOf(top) });
}

function baseOf(top: number): number {
  return top + BOX_HEIGHT / 2 + FONT_SIZE * 0.35;
}

function line(
  x1: number,
  y1: number,
  x2: number,
  y2: number,
  dashes: string | null = null,
): string {
  return element("line", {
    x1,
    y1,
    x2,
    y2,
    stroke: "currentColor",
    "stroke-opacity": 0.6,
    "stroke-width": 1.5,
    "stroke-dasharray": dashes,
  });
}

/** Words that fit a width, with "…" for what does not. */
function cut(words: string, width: number): string {
  if (textWidth(words) <= width) return words;
  const letters = Math.max(1, Math.floor(width / textWidth("m")) - 1);
  return `${words.slice(0, letters).trimEnd()}…`;
}

/** Lines no wider than that, broken at spaces. */
function fold(words: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of words.split(" ")) {
    const longer = `${lines.at(-1) ?? ""} ${word}`;
    if (lines.length > 0 && textWidth(longer) <= width) {
      lines[lines.length - 1] = longer;
    } else lines.push(word);
  }
  return lines;
}
