/**
 * Pressure: the rules that hold on both sides, and a counter's way through a
 * workload, the kernel's runs as a band and the engine as a line. Ours.
 */
import { bandOf, type PressureCheck } from "../lab/reality_pressure.ts";
import type { Figure } from "./figure.ts";
import { plot } from "./plot.ts";
import { type Row, table } from "./table.ts";

/** rulesTable() - each rule, how often it held in kernels and in the engine. */
export function rulesTable(checks: readonly PressureCheck[]): Figure {
  const rules = checks[0]?.engineRules.map(({ rule }) => rule) ?? [];
  const rows = rules.map((rule, i): Row => ({
    rule,
    ...counts("kernel", checks.map(({ kernelRules }) => kernelRules[i]!)),
    ...counts("engine", checks.map(({ engineRules }) => engineRules[i]!)),
  }));
  return table(rows, {
    caption: "Rules under memory pressure: snapshots in which they hold",
    columns: [
      "rule",
      { key: "kernelHeld", label: "kernels: held" },
      { key: "kernelBroken", label: "broken" },
      { key: "engineHeld", label: "engine: held" },
      { key: "engineBroken", label: "broken" },
    ],
  });
}

type Result = PressureCheck["engineRules"][number];

function counts(side: string, results: readonly Result[]): Row {
  return {
    [`${side}Held`]: results.reduce((so, { held }) => so + held, 0),
    [`${side}Broken`]: results.reduce((so, one) => so + one.broken.length, 0),
  };
}

/**
 * bandFigure() - one counter through one workload.
 *
 * @param counter as in the recordings, "zswap.stored_pages"
 */
export function bandFigure(check: PressureCheck, counter: string): Figure {
  const points = bandOf(check, counter);
  const runs = check.recordings.length;
  const data: Row[] = points.map((point, at) => ({ snapshot: at, ...point }));
  const last = points.at(-2) ?? points.at(-1);
  const finding = last === undefined
    ? `no snapshot has ${counter} on both sides`
    : `At "${last.label}": kernel ${last.least} to ${last.most} in ${runs} ` +
      `runs, engine ${last.engine}.`;
  return plot({
    title: `${counter}: ${check.name}`,
    finding,
    data,
    x: "snapshot",
    y: ["engine", "least", "most"],
    names: {
      engine: "engine",
      least: "kernel, least of its runs",
      most: "kernel, most of its runs",
    },
    xLabel: `snapshot (${points.map(({ label }) => label).join(", ")})`,
    yLabel: counter,
    marks: ({ areaY }) => [
      areaY(data, {
        x: "snapshot",
        y1: "least",
        y2: "most",
        fill: "currentColor",
        fillOpacity: 0.15,
      }),
    ],
  });
}

/** Counters that tell a workload's way. */
const shown: readonly string[] = [
  "zswap.stored_pages",
  "zswap.pool_total_size",
  "zswap.written_back_pages",
  "stat.zswpin",
  "stat.zswpout",
  "vm.pswpin",
  "vm.pswpout",
  "stat.pgmajfault",
  "A.present",
  "swap.used_kb",
];

/** Both sides at the last snapshot before the end, counter by counter. */
export function besideTable(check: PressureCheck): Figure {
  const rows = shown.flatMap((counter): Row[] => {
    const point = bandOf(check, counter).filter((p) => p.label !== "end").at(
      -1,
    );
    if (point === undefined) return [];
    const { label, least, most, engine } = point;
    return [{ counter, label, least, most, engine }];
  });
  return table(rows, {
    caption: `${check.name}: ${check.recordings.length} runs, and the engine`,
    columns: [
      "counter",
      { key: "label", label: "at" },
      { key: "least", label: "kernel: least" },
      { key: "most", label: "most" },
      "engine",
    ],
  });
}

/** pressureText() - the rules, then each workload beside its kernel. */
export function pressureText(checks: readonly PressureCheck[]): string {
  const figures = [rulesTable(checks), ...checks.map(besideTable)];
  return figures.map(({ bundle }) => bundle["text/plain"]).join("\n\n");
}
