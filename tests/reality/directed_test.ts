import assert from "node:assert/strict";
import { checkLine, checkRecording } from "swaplab/lab/reality_check.ts";
import { seriesNames } from "swaplab/lab/reality_era.ts";
import { fuzzWorkload } from "swaplab/lab/reality_fuzz.ts";
import {
  parseRecordings,
  recordedSeries,
  type Recording,
} from "swaplab/lab/reality_recording.ts";
import { parseWorkload } from "swaplab/lab/reality_workload.ts";
import { realityText } from "swaplab/show/reality.ts";

const data = new URL("data/", import.meta.url);
const recordings = parseRecordings(
  Deno.readTextFileSync(new URL("directed.json", data)),
  "directed.json",
);

function workloadOf({ workload }: Recording): string {
  return Deno.readTextFileSync(new URL(`workloads/${workload}.wl`, data));
}

for (const series of seriesNames) {
  Deno.test(`directed, ${series}: every counter of every recording is equal`, () => {
    const chosen = recordings.filter((one) => recordedSeries(one) === series);
    assert.ok(chosen.length >= 5);
    for (const recording of chosen) {
      const check = checkRecording(recording, workloadOf(recording));
      const { equal, different, notModelled } = checkLine(check);
      assert.equal(different, 0, realityText([check]));
      assert.ok(notModelled <= (equal + notModelled) / 10);
    }
  });
}

/** A recording of this list with one value changed. */
function altered(counter: string, index: number, by: number): Recording {
  const found = recordings.find((one) =>
    recordedSeries(one) === "6.12" && one.workload === "z-fuzz1"
  )!;
  const values = [...found.counters[counter]!];
  values[index] = values[index]! + by;
  return { ...found, counters: { ...found.counters, [counter]: values } };
}

Deno.test("the first difference is told with line, values, pages and slots", () => {
  const recording = altered("stat.zswpin", 2, 1);
  const { first } = checkRecording(recording, workloadOf(recording));
  assert.equal(first?.line, 14);
  assert.equal(first.text, "write A R 107 18");
  assert.equal(first.counter, "stat.zswpin");
  assert.equal(first.kernel, first.ours! + 1);
  assert.match(
    first.behind,
    /A 10\d \((text|same|heap|half|sparse), in memory/,
  );
});

Deno.test("a difference where nothing happened is told as such", () => {
  const recording = altered("stat.zswpout", 32, 5);
  const { first } = checkRecording(recording, workloadOf(recording));
  assert.equal(first?.text, "exit A");
  assert.equal(first.behind, "nothing moved it in the engine");
});

Deno.test("an engine that cannot go on is told, and nothing is equal", () => {
  const recording = altered("stat.zswpin", 0, 0);
  const small = { ...recording, memTotalKb: 64 };
  const noSwap = workloadOf(recording).replace("swapon @dev@\n", "");
  const check = checkRecording(small, noSwap);
  assert.match(check.stopped ?? "", /Out of memory/);
  const { equal, different } = checkLine(check);
  assert.ok(different > 500 && equal < 40);
});

Deno.test("a fuzzed workload follows from its seed and can be run", () => {
  assert.equal(fuzzWorkload(5), fuzzWorkload(5));
  assert.notEqual(fuzzWorkload(5), fuzzWorkload(6));
  const values = { comp: "lz4", zpool: "zbud", dev: "/dev/vda" };
  for (let seed = 1; seed <= 50; seed++) {
    const commands = parseWorkload(fuzzWorkload(seed), "fuzz", values);
    const labels = commands.flatMap((one) =>
      one.op === "snap" ? [one.label] : []
    );
    assert.equal(new Set(labels).size, 34);
  }
});
