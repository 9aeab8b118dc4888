import { deepEqual, equal, match, ok, throws } from "node:assert/strict";
import { plot, type PlotSpec } from "swaplab/show/plot.ts";
import { COLORS, DASHES, INK } from "swaplab/show/svg.ts";
import { checkMarkup, matchesGolden } from "./golden.ts";
import { BAR_SPEC, LINE_SPEC, POOL_ROWS } from "./samples.ts";

function svgOf(spec: PlotSpec): string {
  return String(plot(spec).bundle["image/svg+xml"]);
}

const SPECS: Record<string, PlotSpec> = {
  plot_line: LINE_SPEC,
  plot_step: { ...LINE_SPEC, kind: "step", data: POOL_ROWS.slice(0, 12) },
  plot_area: { ...LINE_SPEC, kind: "area", y: "stored_pages" },
  plot_dot: { ...LINE_SPEC, kind: "dot", data: POOL_ROWS.slice(0, 9) },
  plot_bar: BAR_SPEC,
};

for (const [name, spec] of Object.entries(SPECS)) {
  Deno.test(`plot() draws ${name} as its golden file`, () => {
    matchesGolden(`${name}.svg`, svgOf(spec));
  });
}

Deno.test("plot() gives the same bytes each time", () => {
  for (const spec of Object.values(SPECS)) {
    deepEqual(plot(spec).bundle, plot(spec).bundle);
  }
});

Deno.test("plot() names its image for those who do not see it", () => {
  const svg = svgOf(LINE_SPEC);
  const [, title, desc] = /aria-labelledby="(\S+) (\S+)"/.exec(svg) ?? [];
  ok(svg.includes(`<title id="${title}">${LINE_SPEC.title}</title>`));
  ok(svg.includes(`<desc id="${desc}">${LINE_SPEC.finding}</desc>`));
  match(svg, /^<svg [^>]*role="img"[^>]*color="#767676"/);
});

Deno.test("plot() gives different images different ids", () => {
  const idOf = (svg: string) => /title id="([^"]+)"/.exec(svg)?.[1];
  const other = { ...LINE_SPEC, data: POOL_ROWS.slice(1) };
  ok(idOf(svgOf(LINE_SPEC)) !== idOf(svgOf(other)));
});

Deno.test("plot() embeds the very SVG in its HTML form", () => {
  const { bundle } = plot(BAR_SPEC);
  const html = String(bundle["text/html"]);
  const [, code] = /src="data:image\/svg\+xml;base64,([^"]+)"/.exec(html) ?? [];
  const bytes = Uint8Array.from(atob(code!), (it) => it.charCodeAt(0));
  equal(new TextDecoder().decode(bytes), bundle["image/svg+xml"]);
  ok(html.includes(`<img alt="${BAR_SPEC.finding}"`));
});

Deno.test("plot() keeps at most two decimals of a coordinate", () => {
  for (const spec of Object.values(SPECS)) {
    const tags = svgOf(spec).match(/ (d|transform|[xy][12]?)="[^"]*"/g) ?? [];
    ok(tags.length > 10);
    for (const tag of tags) equal(/\.\d{3}/.exec(tag), null, tag);
  }
});

Deno.test("plot() escapes every text of the spec", () => {
  const evil = `</title><script>alert("1 & 2")</script>\x01`;
  const spec: PlotSpec = {
    title: evil,
    finding: evil,
    data: [{ [evil]: evil, y: 1 }, { [evil]: "b", y: 2 }],
    x: evil,
    y: "y",
    kind: "bar",
    yLabel: evil,
  };
  for (const each of [spec, { ...LINE_SPEC, names: { pool_pages: evil } }]) {
    const { bundle } = plot(each);
    checkMarkup(String(bundle["image/svg+xml"]));
    ok(!String(bundle["text/html"]).includes("<script"));
    ok(!String(bundle["image/svg+xml"]).includes("<script"));
  }
});

Deno.test("plot() makes markup that parses", () => {
  for (const spec of Object.values(SPECS)) checkMarkup(svgOf(spec));
});

Deno.test("plot() tells series apart without colour", () => {
  const lines = svgOf({ ...LINE_SPEC, names: { pool_pages: "the pool" } });
  // Once in the drawing, once in the legend.
  equal(lines.split(`stroke-dasharray="${DASHES[1]}"`).length - 1, 2);
  ok(lines.includes(">the pool</text>"));
  ok(lines.includes(">stored_pages</text>"));
  equal(new Set(DASHES).size, COLORS.length);
});

Deno.test("plot() prints the finding and at most twelve rows as text", () => {
  const text = String(plot(LINE_SPEC).bundle["text/plain"]);
  const lines = text.split("\n");
  equal(lines[0], LINE_SPEC.finding);
  equal(lines.length, 2 + 2 + 12 + 1);
  equal(lines.at(-1), "(12 of 60 rows, evenly sampled)");
  match(lines[4]!, /^ *0 +0 +0\.0$/);
  match(lines.at(-2)!, /^14750 +400 +169\.7$/);
});

Deno.test("plot() carries all data as JSON", () => {
  const json = plot(LINE_SPEC).bundle["application/json"];
  const { columns, rows } = JSON.parse(JSON.stringify(json));
  deepEqual(columns, ["tick", "stored_pages", "pool_pages"]);
  equal(rows.length, POOL_ROWS.length);
  deepEqual(rows[1], Object.values(POOL_ROWS[1]!));
});

Deno.test("plot() leaves a gap where a value is null", () => {
  const data = [1, 2, null, 4, 5].map((y, x) => ({ x, y }));
  const svg = svgOf({ ...LINE_SPEC, data, x: "x", y: "y" });
  const [, path] = /<path d="([^"]+)"\/><\/g><\/g><\/svg>$/.exec(svg) ?? [];
  equal(path?.match(/M/g)?.length, 2);
});

Deno.test("plot() draws the marks that a chapter adds", () => {
  const svg = svgOf({
    ...LINE_SPEC,
    marks: ({ text, ruleY }) => [
      ruleY([200], { stroke: "currentColor" }),
      text(["the limit"], { frameAnchor: "top", fill: "currentColor" }),
    ],
  });
  ok(svg.includes(">the limit</text>"));
});

Deno.test("plot() draws a single row and equal values", () => {
  const data = [{ x: 1, y: 0 }];
  for (const kind of ["line", "step", "area", "dot", "bar"] as const) {
    const svg = svgOf({ ...LINE_SPEC, kind, data, x: "x", y: "y" });
    equal(/NaN|undefined|Infinity/.exec(svg), null, kind);
  }
});

const line = LINE_SPEC;
const NONSENSE: [string, unknown, RegExp][] = [
  ["no title", { ...line, title: "" }, /title: wanted a text, got ""/],
  ["no finding", { ...line, finding: undefined }, /finding: wanted a text/],
  ["no data", { ...line, data: [] }, /wanted at least one row/],
  ["data no array", { ...line, data: 5 }, /wanted at least one row, got 5/],
  ["no such x", { ...line, x: "time" }, /wanted "time", got tick, stored/],
  ["no such y", { ...line, y: ["a"] }, /row 0: wanted "a", got tick/],
  ["no y", { ...line, y: [] }, /y: wanted 1 to 6 fields/],
  ["many bars", { ...BAR_SPEC, y: ["bytes", "sample"] }, /wanted 1 to 1/],
  ["kind", { ...line, kind: "pie" }, /kind: wanted line, .*, got "pie"/],
  ["text as y", { ...BAR_SPEC, y: "sample" }, /row 0, sample: wanted a number/],
  ["NaN", { ...line, data: [{ ...POOL_ROWS[0], tick: NaN }] }, /got NaN/],
  ["mixed x", {
    ...line,
    data: [POOL_ROWS[0], { ...POOL_ROWS[1], tick: "late" }],
  }, /row 1, tick: wanted a number, got "late"/],
  ["width", { ...line, width: 5 }, /width: wanted 160 to 4000 .* got 5/],
  ["nothing", undefined, /plot\(\) spec: wanted an object, got undefined/],
];

Deno.test("plot() refuses nonsense and says what came", () => {
  for (const [name, spec, message] of NONSENSE) {
    throws(() => plot(spec as PlotSpec), { message }, name);
  }
});

/** WCAG relative luminance of #rrggbb. */
function luminance(color: string): number {
  const [red, green, blue] = [1, 3, 5].map((at) => {
    const part = parseInt(color.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red! + 0.7152 * green! + 0.0722 * blue!;
}

function contrast(one: string, other: string): number {
  const [low, high] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (high! + 0.05) / (low! + 0.05);
}

Deno.test("COLORS stand out on white and on dark, INK reads on both", () => {
  for (const color of COLORS) {
    ok(contrast(color, "#ffffff") >= 3, color);
    ok(contrast(color, "#121212") >= 3, color);
  }
  ok(contrast(INK, "#ffffff") >= 4.5);
  ok(contrast(INK, "#121212") >= 4);
});
