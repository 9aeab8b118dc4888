/**
 * Plots: rows to a figure, with Observable Plot drawing and linkedom standing
 * in for a browser's DOM. Runs alike in Deno, in Node and in a page's worker,
 * at once (no promise), and gives the same bytes each time.
 *
 * A series is told by colour *and* by dash (lines), symbol (dots) or place
 * (bars), and named in a legend that shows both signs.
 */
import {
  describe,
  type Figure,
  makeFigure,
  wantObject,
  wantText,
} from "./figure.ts";
import { drawLegend, SYMBOLS } from "./plot_legend.ts";
import {
  areaY,
  barY,
  dot,
  drawPlot,
  lineY,
  type Markish,
  parseHTML,
  type PlotOptions,
  ruleX,
  ruleY,
  text,
} from "./plot_library.ts";
import { serialize } from "./plot_svg.ts";
import { cellText, gridOf, jsonRow, type Row, sampleText } from "./table.ts";
import { COLORS, DASHES, FONT_SIZE, frameSvg, textWidth } from "./svg.ts";

export type PlotKind = "line" | "step" | "area" | "bar" | "dot";

/** The marks that a chapter may add; a fixed few, to keep the page small. */
export interface PlotParts {
  areaY: typeof areaY;
  barY: typeof barY;
  dot: typeof dot;
  lineY: typeof lineY;
  ruleX: typeof ruleX;
  ruleY: typeof ruleY;
  text: typeof text;
}

export interface PlotSpec {
  title: string;
  /** One sentence that says what is there to see. */
  finding: string;
  data: readonly Row[];
  /** The field along the x axis: numbers, or names (bars: always names). */
  x: string;
  /** The fields drawn, one series each; a bar plot takes one. */
  y: string | readonly string[];
  /** Default "line". A "step" holds its value until the next row. */
  kind?: PlotKind;
  /** Axis labels with their unit, "pool (bytes)"; default: the field. */
  xLabel?: string;
  yLabel?: string;
  /** Names of series for the legend; default: the field. */
  names?: Readonly<Record<string, string>>;
  /** Marks to draw on top. Draw in `currentColor`, do not clip. */
  marks?: (parts: PlotParts) => Markish[];
  /** In pixels of the drawing; it shrinks to fit. Default 560 by 340. */
  width?: number;
  height?: number;
}

const KINDS: readonly string[] = ["line", "step", "area", "bar", "dot"];
const SERIES_LIMITS: Partial<Record<PlotKind, number>> = {
  bar: 1,
  dot: SYMBOLS.length,
};
const PARTS: PlotParts = { areaY, barY, dot, lineY, ruleX, ruleY, text };
const TEXT_ROWS = 12;

/** A spec with every default filled in and every field checked. */
type Plan = Required<Omit<PlotSpec, "y" | "marks">> & {
  series: readonly string[];
  marks: (parts: PlotParts) => Markish[];
};

/** plot() - rows as lines, steps, areas, bars or dots. */
export function plot(spec: PlotSpec): Figure {
  const plan = planOf(spec);
  const { title, finding, data, x, series, kind } = plan;
  const svg = frameSvg(plan, draw(plan));
  const grid = gridOf(data, [x, ...series]);
  const rows = grid.rows.map(jsonRow);
  return makeFigure({
    title,
    finding,
    svg,
    text: `${finding}\n\n${sampleText(grid, TEXT_ROWS)}`,
    json: { title, finding, kind, columns: [x, ...series], rows },
  });
}

function planOf(spec: PlotSpec): Plan {
  const kind = wantObject(spec, "plot() spec").kind ?? "line";
  if (!KINDS.includes(kind)) {
    const wanted = KINDS.join(", ");
    throw new RangeError(
      `plot() kind: wanted ${wanted}, got ${describe(kind)}`,
    );
  }
  const series = typeof spec.y === "string" ? [spec.y] : spec.y;
  const limit = SERIES_LIMITS[kind] ?? COLORS.length;
  if (!Array.isArray(series) || series.length < 1 || series.length > limit) {
    const wanted = `wanted 1 to ${limit} fields for kind "${kind}"`;
    throw new RangeError(`plot() y: ${wanted}, got ${describe(spec.y)}`);
  }
  const plan = {
    title: wantText(spec.title, "plot() title"),
    finding: wantText(spec.finding, "plot() finding"),
    data: spec.data,
    x: wantText(spec.x, "plot() x"),
    series,
    kind,
    xLabel: spec.xLabel ?? spec.x,
    yLabel: spec.yLabel ?? (series.length === 1 ? series[0]! : ""),
    names: spec.names ?? {},
    marks: spec.marks ?? (() => []),
    width: wantSize(spec.width ?? 560, "width"),
    height: wantSize(spec.height ?? 340, "height"),
  };
  wantData(plan);
  return plan;
}

function wantSize(size: number, what: string): number {
  if (Number.isInteger(size) && size >= 160 && size <= 4000) return size;
  const wanted = "wanted 160 to 4000 whole pixels";
  throw new RangeError(`plot() ${what}: ${wanted}, got ${describe(size)}`);
}

/** Every x is a number or every x a name; every y a number, or null: a gap. */
function wantData({ data, x, series }: Plan): void {
  const grid = gridOf(data, [x, ...series]);
  const isNumberAxis = typeof grid.rows[0]?.[0] === "number";
  const refuse = (row: number, key: string, wanted: string, value: unknown) => {
    const came = describe(value);
    throw new TypeError(`plot() row ${row}, ${key}: ${wanted}, got ${came}`);
  };
  grid.rows.forEach(([at, ...values], index) => {
    const isX = isNumberAxis ? Number.isFinite(at) : typeof at === "string";
    const wanted = isNumberAxis ? "wanted a number" : "wanted a name";
    if (!isX) refuse(index, x, wanted, at);
    values.forEach((value, column) => {
      if (value === null || Number.isFinite(value)) return;
      refuse(index, series[column]!, "wanted a number or null", value);
    });
  });
}

function draw(plan: Plan): string {
  const names = plan.series.map((key) => plan.names[key] ?? key);
  const sign = plan.kind === "dot" ? "symbol" : "line";
  const legend = drawLegend(names, sign, plan.width);
  const { document } = parseHTML("<!doctype html><html><body></body></html>");
  const drawn = drawPlot({
    ...optionsOf(plan, plan.height - legend.height),
    document: document as unknown as Document,
  });
  return legend.svg + serialize(drawn, legend.height);
}

function optionsOf(plan: Plan, height: number): PlotOptions {
  const { kind, width, data, x } = plan;
  const labels = [...new Set(data.map((row) => cellText(row[x])))];
  const isNamed = typeof data[0]?.[x] === "string";
  const room = (width - 80) / labels.length;
  const widest = Math.max(...labels.map(textWidth));
  const isTight = isNamed && widest + 8 > room;
  const overhang = isTight ? widest * 0.82 - room / 2 + 8 : 0;
  const largest = Math.max(
    ...plan.series.flatMap((key) =>
      data.map((row) => cellText(row[key]).length)
    ),
  );
  return {
    width,
    height,
    marginLeft: Math.max(48, largest * 9 + 24, overhang),
    marginRight: 36,
    marginTop: 34,
    marginBottom: isTight ? Math.min(widest * 0.6, height / 3) + 44 : 48,
    style: { fontSize: `${FONT_SIZE}px` },
    x: {
      label: plan.xLabel,
      labelArrow: isNamed ? "none" : "right",
      ...(isNamed ? { domain: labels } : {}),
      ...(isTight ? { tickRotate: -35 } : {}),
      ...(isNamed ? {} : { ticks: Math.floor(width / 100), tickFormat }),
    },
    y: {
      label: plan.yLabel === "" ? null : plan.yLabel,
      grid: true,
      zero: kind !== "dot",
      nice: true,
      ticks: Math.floor(height / 60),
      tickFormat,
    },
    marks: [
      ...plan.series.flatMap((_, at) => seriesMarks(plan, at)),
      ...plan.marks(PARTS),
    ],
  };
}

/** Like the numbers in tables: no separators; no 0.30000000000000004. */
function tickFormat(tick: number): string {
  return String(Number(tick.toPrecision(12)));
}

function seriesMarks(plan: Plan, at: number): Markish[] {
  const { data, x, kind } = plan;
  const y = plan.series[at]!;
  const color = COLORS[at]!;
  if (kind === "bar") return barMarks(data, x, y);
  if (kind === "dot") {
    return [
      dot(data, { x, y, symbol: SYMBOLS[at]!.name, stroke: color, r: 4 }),
    ];
  }
  const curve = kind === "step" ? "step-after" : "linear";
  const strokeDasharray = DASHES[at] || null;
  const line = lineY(data, {
    x,
    y,
    curve,
    stroke: color,
    strokeWidth: 2,
    ...(strokeDasharray === null ? {} : { strokeDasharray }),
  });
  if (kind !== "area") return [line];
  return [areaY(data, { x, y, fill: color, fillOpacity: 0.2 }), line];
}

/** Bars with their value on top, so that nobody has to measure. */
function barMarks(data: readonly Row[], x: string, y: string): Markish[] {
  const options = { x, y, fill: COLORS[0]! };
  const label = (row: Row) => cellText(row[y]);
  return [
    barY(data, options),
    text(data, { x, y, text: label, dy: -9, fill: "currentColor" }),
    ruleY([0], { stroke: "currentColor" }),
  ];
}
