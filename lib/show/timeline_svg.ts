/**
 * The drawing of a timeline: lanes from the top, then the axis. Labels go
 * inside their span if they fit, else in rows above it, never over another.
 */
import { COLORS, element, FONT_SIZE, textElement, textWidth } from "./svg.ts";

const BAR_HEIGHT = 26;
const LABEL_HEIGHT = 19;
const DOT_RADIUS = 5;
const MARGIN = 16;
const LANE_GAP = 14;
const AXIS_HEIGHT = 48;

/** An event in one form: a moment is a span without length. */
export interface LaneEvent {
  /** Index of the lane, 0 is at the top. */
  lane: number;
  from: number;
  to: number;
  label: string;
}

/** Where things go, in pixels. */
interface Layout {
  left: number;
  right: number;
  first: number;
  /** Pixels per tick. */
  scale: number;
}

function layoutOf(events: LaneEvent[], lanes: string[], width: number): Layout {
  const left = Math.max(...lanes.map(textWidth)) + 20;
  const right = width - MARGIN - 4;
  const first = Math.min(...events.map((event) => event.from));
  const last = Math.max(...events.map((event) => event.to));
  return { left, right, first, scale: (right - left) / (last - first || 1) };
}

function xOf(layout: Layout, tick: number): number {
  return layout.left + (tick - layout.first) * layout.scale;
}

/** drawTimeline() - the markup of all lanes and the height they take. */
export function drawTimeline(
  events: LaneEvent[],
  lanes: string[],
  width: number,
  unit: string,
): { drawing: string; height: number } {
  const layout = layoutOf(events, lanes, width);
  let top = 8;
  const drawn: string[] = [];
  lanes.forEach((name, at) => {
    const own = events.filter((event) => event.lane === at);
    const lane = drawLane(own, name, COLORS[at % COLORS.length]!, layout, top);
    drawn.push(lane.svg);
    top = lane.bottom + LANE_GAP;
  });
  drawn.push(drawAxis(layout, top, unit));
  return { drawing: drawn.join(""), height: Math.ceil(top + AXIS_HEIGHT) };
}

/** A lane: its spans side by side, labels that do not fit in rows above. */
function drawLane(
  events: LaneEvent[],
  name: string,
  color: string,
  layout: Layout,
  top: number,
): { svg: string; bottom: number } {
  const outside = events.filter((event) => !fitsInside(event, layout));
  const labels = placeLabels(outside, layout);
  const rowCount = Math.max(0, ...labels.map((label) => label.row));
  const barTop = top + rowCount * LABEL_HEIGHT + DOT_RADIUS;
  const bottom = barTop + BAR_HEIGHT;
  const spans = events.filter((event) => !isMoment(event));
  const moments = events.filter(isMoment);
  const parts = [
    textElement(name, {
      x: layout.left - 12,
      y: barTop + BAR_HEIGHT / 2 + FONT_SIZE * 0.35,
      "text-anchor": "end",
    }),
    line(layout.left, bottom, layout.right, bottom),
    ...spans.map((span) => drawSpan(span, color, layout, barTop)),
    ...labels.map((label) => drawLabel(label, barTop)),
    ...moments.map((it) => drawMoment(it, spans, color, layout, barTop)),
  ];
  return { svg: element("g", {}, ...parts), bottom };
}

function line(x1: number, y1: number, x2: number, y2: number): string {
  const stroke = { stroke: "currentColor", "stroke-opacity": 0.6 };
  return element("line", { x1, y1, x2, y2, ...stroke });
}

/** isMoment() - true for an event without length. */
export function isMoment(event: LaneEvent): boolean {
  return event.from === event.to;
}

function fitsInside(event: LaneEvent, layout: Layout): boolean {
  const room = (event.to - event.from) * layout.scale;
  return textWidth(event.label) + 8 <= room;
}

/** A label above the bar and the line that leads down to its event. */
interface Label {
  words: string;
  /** Where the event is. */
  x: number;
  start: number;
  end: number;
  /** 1 is the lowest. */
  row: number;
}

/** From the right, so that the lines of earlier events pass on the left. */
function placeLabels(events: LaneEvent[], layout: Layout): Label[] {
  const placed: Label[] = [];
  const inOrder = [...events].sort((a, b) => b.from - a.from);
  for (const event of inOrder) {
    const x = xOf(layout, event.from);
    const width = textWidth(event.label);
    const isLate = x + 4 + width > layout.right + MARGIN;
    const start = isLate ? Math.max(0, x - 4 - width) : x + 4;
    const label = { words: event.label, x, start, end: start + width, row: 1 };
    placed.push({ ...label, row: rowFor(label, placed) });
  }
  return placed;
}

/** The lowest row without a collision; in a crowd, lines may cross words. */
function rowFor(label: Label, placed: Label[]): number {
  const isFree = (row: number, isStrict: boolean) =>
    !placed.some((other) =>
      (other.row === row && overlaps(label, other)) ||
      (isStrict && isCrossed({ ...label, row }, other))
    );
  const rows = Array.from({ length: placed.length + 1 }, (_, at) => at + 1);
  return rows.find((row) => isFree(row, true)) ??
    rows.find((row) => isFree(row, false)) ?? rows.length;
}

function overlaps(label: Label, other: Label): boolean {
  return label.start < other.end + 8 && other.start < label.end + 8;
}

/** True if the line of the upper label runs through the words of the lower. */
function isCrossed(label: Label, other: Label): boolean {
  if (label.row === other.row) return false;
  const isUpper = label.row > other.row;
  const [upper, lower] = isUpper ? [label, other] : [other, label];
  return lower.start < upper.x && upper.x < lower.end;
}

function drawLabel(label: Label, barTop: number): string {
  const { words, x, start, end } = label;
  const base = barTop - DOT_RADIUS - (label.row - 1) * LABEL_HEIGHT - 3;
  const text = start < x
    ? textElement(words, { x: end, y: base, "text-anchor": "end" })
    : textElement(words, { x: start, y: base });
  return line(x, base - FONT_SIZE * 0.7, x, barTop) + text;
}

function drawSpan(
  span: LaneEvent,
  color: string,
  layout: Layout,
  barTop: number,
): string {
  const x = xOf(layout, span.from);
  const box = element("rect", {
    x,
    y: barTop,
    width: Math.max(1, (span.to - span.from) * layout.scale),
    height: BAR_HEIGHT,
    rx: 3,
    fill: color,
    "fill-opacity": 0.15,
    stroke: color,
    "stroke-width": 1.5,
  });
  if (!fitsInside(span, layout)) return box;
  const y = barTop + BAR_HEIGHT / 2 + FONT_SIZE * 0.35;
  return box + textElement(span.label, { x: x + 6, y });
}

/** A dot on the upper edge; outside of all spans, with a stem to the ground. */
function drawMoment(
  moment: LaneEvent,
  spans: LaneEvent[],
  color: string,
  layout: Layout,
  barTop: number,
): string {
  const x = xOf(layout, moment.from);
  const isCovered = spans.some(({ from, to }) =>
    from <= moment.from && moment.from <= to
  );
  const stem = isCovered ? "" : line(x, barTop, x, barTop + BAR_HEIGHT);
  const r = DOT_RADIUS;
  return stem + element("circle", { cx: x, cy: barTop, r, fill: color });
}

function drawAxis(layout: Layout, top: number, unit: string): string {
  const { left, right, first, scale } = layout;
  const last = first + (right - left) / scale;
  const line = { stroke: "currentColor", y1: top };
  const parts = [
    element("line", { ...line, x1: left, x2: right, y2: top }),
    textElement(unit, { x: right, y: top + 38, "text-anchor": "end" }),
  ];
  const step = stepOf((last - first) / Math.max(2, (right - left) / 80));
  for (let n = Math.ceil(first / step); n * step <= last + step * 1e-9; n++) {
    const tick = Number((n * step).toPrecision(12));
    const x = xOf(layout, tick);
    parts.push(
      element("line", { ...line, x1: x, x2: x, y2: top + 5 }),
      textElement(String(tick), { x, y: top + 20, "text-anchor": "middle" }),
    );
  }
  return element("g", {}, ...parts);
}

/** The next of 1, 2, 5, 10, 20 … that is not below the wish. */
function stepOf(wish: number): number {
  if (wish <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(wish));
  const factor = [1, 2, 5, 10].find((it) => it * power >= wish) ?? 10;
  return factor * power;
}
