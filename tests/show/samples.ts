/** Specs that the tests draw: made up, but shaped like real ones. */
import type { PlotSpec } from "swaplab/show/plot.ts";
import type { TimelineSpec } from "swaplab/show/timeline.ts";

/** A pool that fills by a cubic and saturates: no randomness, no engine. */
export const POOL_ROWS = Array.from({ length: 60 }, (_, step) => ({
  tick: step * 250,
  stored_pages: Math.round(400 * (1 - ((59 - step) / 59) ** 3)),
  pool_pages: Math.round(150 * (1 - ((59 - step) / 59) ** 3)) + step / 3,
}));

export const LINE_SPEC: PlotSpec = {
  title: "The pool over the workload",
  finding: "400 stored pages end up in 170 pages of pool.",
  data: POOL_ROWS,
  x: "tick",
  y: ["stored_pages", "pool_pages"],
  xLabel: "simulated time (ticks)",
  yLabel: "pages",
};

export const BAR_SPEC: PlotSpec = {
  title: "Compressed size by sample",
  finding: "Pages of redis compress best, those of node worst.",
  data: [
    { sample: "node", bytes: 1873.25 },
    { sample: "python", bytes: 1288 },
    { sample: "redis", bytes: 611 },
    { sample: "sqlite & <friends>", bytes: 1012 },
  ],
  x: "sample",
  y: "bytes",
  kind: "bar",
  xLabel: "process",
  yLabel: "mean compressed size (bytes per page)",
};

export const TIMELINE_SPEC: TimelineSpec = {
  title: "One page's life",
  finding: "The page is in two places at once between store and free.",
  lanes: ["frame", "swap cache", "zswap"],
  events: [
    { lane: "frame", from: 0, to: 420, label: "present, pfn 7" },
    { lane: "frame", at: 0, label: "do_anonymous_page" },
    { lane: "frame", at: 12, label: "first write" },
    { lane: "frame", at: 400, label: "unmapped" },
    { lane: "frame", from: 900, to: 1000, label: "present, pfn 3" },
    { lane: "frame", at: 905, label: "do_swap_page" },
    { lane: "swap cache", from: 390, to: 425, label: "add_to_swap" },
    { lane: "swap cache", from: 890, to: 930, label: "read back" },
    { lane: "zswap", at: 410, label: "zswap_store" },
    { lane: "zswap", from: 410, to: 910, label: "1873 bytes in a zbud page" },
    { lane: "zswap", at: 910, label: "zswap_load" },
  ],
};
