/**
 * `deno task bench [NAME…] [--json]`: how fast the engine is, beside peers.
 *
 * Ours. NAME is a suite: lz4, zswap, access, explore, safety.
 * Every ratio comes from one run, candidates taking turns, medians.
 */
import { accessRowsAll } from "./access_bench.ts";
import { exploreRows } from "./explore_bench.ts";
import { lz4Rows } from "./lz4_bench.ts";
import { safetyRows } from "./lz4_safety.ts";
import type { Row } from "./row.ts";
import { zswapRows } from "./zswap_bench.ts";

/** Suites by name; `safety` only when it is asked for: it takes minutes. */
const suites: ReadonlyMap<string, () => Row[]> = new Map([
  ["lz4", lz4Rows],
  ["zswap", zswapRows],
  ["access", accessRowsAll],
  ["explore", exploreRows],
  ["safety", safetyRows],
]);

function line({ name, ratio, goal, better, peer }: Row): string {
  const sign = better === "less" ? "≤" : "≥";
  const wanted = Number.isFinite(goal) && goal > 0 ? `${sign} ${goal}` : "";
  const met = better === "less" ? ratio <= goal : ratio >= goal;
  const mark = wanted === "" ? "" : met ? "met" : "missed";
  const figure = (Number.isNaN(ratio) ? "–" : String(+ratio.toFixed(3)))
    .padStart(9);
  return `${name.padEnd(40)}${figure}  ${wanted.padEnd(8)}${
    mark.padEnd(7)
  } ${peer}`;
}

function main(args: readonly string[]): void {
  const json = args.includes("--json");
  const names = args.filter((arg) => !arg.startsWith("--"));
  const unknown = names.filter((name) => !suites.has(name));
  if (unknown.length > 0) {
    throw new RangeError(
      `bench: wanted some of ${[...suites.keys()].join(", ")}; got ${unknown}`,
    );
  }
  const wanted = names.length > 0
    ? names
    : [...suites.keys()].filter((name) => name !== "safety");
  for (const name of wanted) {
    for (const row of suites.get(name)!()) {
      console.log(json ? JSON.stringify(row) : line(row));
    }
  }
}

if (import.meta.main) main(Deno.args);
