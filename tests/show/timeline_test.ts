import { deepEqual, equal, match, ok, throws } from "node:assert/strict";
import { timeline, type TimelineSpec } from "swaplab/show/timeline.ts";
import { checkMarkup, matchesGolden } from "./golden.ts";
import { TIMELINE_SPEC } from "./samples.ts";

function svgOf(spec: TimelineSpec): string {
  return String(timeline(spec).bundle["image/svg+xml"]);
}

Deno.test("timeline() draws its golden file", () => {
  matchesGolden("timeline.svg", svgOf(TIMELINE_SPEC));
});

Deno.test("timeline() gives the same bytes each time", () => {
  deepEqual(timeline(TIMELINE_SPEC).bundle, timeline(TIMELINE_SPEC).bundle);
});

Deno.test("timeline() writes every lane and every label", () => {
  const svg = svgOf(TIMELINE_SPEC);
  const labels = TIMELINE_SPEC.events.map((event) => event.label);
  for (const words of [...TIMELINE_SPEC.lanes, ...labels]) {
    ok(svg.includes(`>${words}</text>`), words);
  }
});

Deno.test("timeline() draws a box per span and a dot per moment", () => {
  const svg = svgOf(TIMELINE_SPEC);
  const moments = TIMELINE_SPEC.events.filter((event) => "at" in event);
  equal(svg.match(/<circle/g)?.length, moments.length);
  const spanCount = TIMELINE_SPEC.events.length - moments.length;
  equal(svg.match(/<rect/g)?.length, spanCount);
});

interface Box {
  left: number;
  right: number;
  y: number;
}

/** Where texts are, by the anchor and a width that no font of ours exceeds. */
function textBoxes(svg: string): Box[] {
  const found = svg.matchAll(/<text ([^>]*)>([^<]*)<\/text>/g);
  return [...found].map(([, attributes, words]) => {
    const at = (key: string) =>
      Number(new RegExp(`(?:^| )${key}="([^"]*)"`).exec(attributes!)?.[1]);
    const width = words!.length * 8.5;
    const x = at("x");
    if (attributes!.includes('"end"')) {
      return { left: x - width, right: x, y: at("y") };
    }
    const shift = attributes!.includes('"middle"') ? width / 2 : 0;
    return { left: x - shift, right: x - shift + width, y: at("y") };
  });
}

Deno.test("timeline() never prints a label over another", () => {
  const events = Array.from({ length: 30 }, (_, index) => ({
    lane: "page",
    at: (index * index * 7) % 113,
    label: `event number ${index}`,
  }));
  for (
    const spec of [TIMELINE_SPEC, { ...TIMELINE_SPEC, lanes: ["page"], events }]
  ) {
    const boxes = textBoxes(svgOf(spec));
    for (const one of boxes) {
      const over = boxes.filter((other) =>
        other !== one && Math.abs(other.y - one.y) < 12 &&
        other.left < one.right && one.left < other.right
      );
      deepEqual(over, []);
    }
  }
});

Deno.test("timeline() keeps all of a drawing inside its frame", () => {
  const boxes = textBoxes(svgOf(TIMELINE_SPEC));
  const width = Number(/width="(\d+)"/.exec(svgOf(TIMELINE_SPEC))?.[1]);
  for (const box of boxes) ok(box.left >= 0 && box.right <= width + 1);
});

Deno.test("timeline() escapes every text of the spec", () => {
  const evil = `</text><script>alert("1 & 2")</script>`;
  const events = [{ lane: evil, at: 1, label: evil }];
  const spec = {
    title: evil,
    finding: evil,
    lanes: [evil],
    events,
    unit: evil,
  };
  checkMarkup(svgOf(spec));
  ok(!svgOf(spec).includes("<script"));
  checkMarkup(svgOf(TIMELINE_SPEC));
});

Deno.test("timeline() lists events by time as text", () => {
  const text = String(timeline(TIMELINE_SPEC).bundle["text/plain"]);
  const lines = text.split("\n");
  equal(lines[0], TIMELINE_SPEC.finding);
  equal(lines.length, 2 + 2 + TIMELINE_SPEC.events.length);
  match(text, /\n 390 +425 +swap cache +add_to_swap\n/);
});

Deno.test("timeline() draws events that all happen at once", () => {
  const events = [{ lane: "frame", at: 5, label: "one" }];
  const svg = svgOf({ ...TIMELINE_SPEC, lanes: ["frame"], events });
  equal(/NaN|undefined|Infinity/.exec(svg), null);
});

const spec = TIMELINE_SPEC;
const NONSENSE: [unknown, RegExp][] = [
  [undefined, /spec: wanted an object, got undefined/],
  [{ ...spec, title: 5 }, /title: wanted a text, got 5/],
  [{ ...spec, lanes: [] }, /lanes: wanted names/],
  [{ ...spec, lanes: ["a", "a"] }, /wanted each once/],
  [{ ...spec, events: [] }, /events: wanted some/],
  [{ ...spec, events: [{ lane: "disk", at: 1, label: "x" }] }, /"disk"/],
  [
    { ...spec, events: [{ lane: "zswap", from: 2, to: 1, label: "x" }] },
    /event 0: wanted from <= to, got 2 to 1/,
  ],
  [{ ...spec, events: [{ lane: "zswap", at: NaN, label: "x" }] }, /NaN/],
  [{ ...spec, events: [{ lane: "zswap", at: 1 }] }, /event 0 label/],
  [{ ...spec, events: [null] }, /event 0: wanted an object, got null/],
  [{ ...spec, width: 3 }, /width: wanted 320 to 4000, got 3/],
];

Deno.test("timeline() refuses nonsense and says what came", () => {
  for (const [nonsense, message] of NONSENSE) {
    throws(() => timeline(nonsense as TimelineSpec), { message });
  }
});
