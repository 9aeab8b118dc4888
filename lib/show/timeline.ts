/**
 * Timelines: horizontal lanes with spans ("in zswap from 10 to 40") and
 * moments ("zswap_store at 10"). A page's life, CPUs in a race.
 *
 * Every span and moment is named where it stands; colours only separate lanes.
 */
import {
  describe,
  type Figure,
  makeFigure,
  wantObject,
  wantText,
} from "./figure.ts";
import { frameSvg } from "./svg.ts";
import { type Grid, sampleText } from "./table.ts";
import { drawTimeline, isMoment, type LaneEvent } from "./timeline_svg.ts";

/** Something that lasts: a state, a critical section. */
export interface Span {
  lane: string;
  from: number;
  to: number;
  label: string;
}

/** Something that happens: a call, a fault. */
export interface Moment {
  lane: string;
  at: number;
  label: string;
}

export interface TimelineSpec {
  title: string;
  /** One sentence that says what is there to see. */
  finding: string;
  /** Names, from the top; each event is in one of them. */
  lanes: readonly string[];
  events: readonly (Span | Moment)[];
  /** What the numbers count; default "tick". */
  unit?: string;
  /** In pixels of the drawing; the height follows. Default 560. */
  width?: number;
}

const TEXT_ROWS = 40;

/** timeline() - what happened where and when, as lanes of spans and moments. */
export function timeline(spec: TimelineSpec): Figure {
  const title = wantText(
    wantObject(spec, "timeline() spec").title,
    "timeline() title",
  );
  const finding = wantText(spec.finding, "timeline() finding");
  const lanes = wantLanes(spec.lanes);
  const events = eventsOf(spec.events, lanes);
  const width = wantWidth(spec.width ?? 560);
  const unit = spec.unit ?? "tick";
  const { drawing, height } = drawTimeline(events, lanes, width, unit);
  const grid = gridOfEvents(events, lanes);
  return makeFigure({
    title,
    finding,
    svg: frameSvg({ title, finding, width, height }, drawing),
    text: `${finding}\n\n${sampleText(grid, TEXT_ROWS)}`,
    json: {
      title,
      finding,
      kind: "timeline",
      unit,
      lanes,
      events: spec.events,
    },
  });
}

function wantLanes(lanes: readonly string[]): string[] {
  if (!Array.isArray(lanes) || lanes.length === 0) {
    const came = describe(lanes);
    throw new TypeError(`timeline() lanes: wanted names, got ${came}`);
  }
  lanes.forEach((lane, at) => wantText(lane, `timeline() lane ${at}`));
  if (new Set(lanes).size === lanes.length) return [...lanes];
  throw new RangeError(`timeline() lanes: wanted each once, got ${lanes}`);
}

function wantWidth(width: number): number {
  if (Number.isInteger(width) && width >= 320 && width <= 4000) return width;
  const came = describe(width);
  throw new RangeError(`timeline() width: wanted 320 to 4000, got ${came}`);
}

function eventsOf(
  events: readonly (Span | Moment)[],
  lanes: string[],
): LaneEvent[] {
  if (!Array.isArray(events) || events.length === 0) {
    const came = describe(events);
    throw new TypeError(`timeline() events: wanted some, got ${came}`);
  }
  return events.map((event: Span | Moment, index) => {
    const where = `timeline() event ${index}`;
    const lane = lanes.indexOf(wantObject(event, where).lane);
    if (lane < 0) {
      const wanted = `wanted a lane of ${lanes.join(", ")}`;
      throw new RangeError(`${where}: ${wanted}, got ${describe(event.lane)}`);
    }
    const [from, to] = "at" in event
      ? [event.at, event.at]
      : [event.from, event.to];
    if (!Number.isFinite(from) || !Number.isFinite(to) || from > to) {
      const came = `${describe(from)} to ${describe(to)}`;
      throw new RangeError(`${where}: wanted from <= to, got ${came}`);
    }
    return { lane, from, to, label: wantText(event.label, `${where} label`) };
  });
}

function gridOfEvents(events: LaneEvent[], lanes: string[]): Grid {
  const columns = ["from", "to", "lane", "what"].map((key) => ({ key }));
  const inOrder = [...events].sort((a, b) => a.from - b.from || a.to - b.to);
  const rows = inOrder.map((event) => {
    const to = isMoment(event) ? null : event.to;
    return [event.from, to, lanes[event.lane]!, event.label];
  });
  return { columns, rows };
}
