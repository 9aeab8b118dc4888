import assert from "node:assert/strict";
import { compareRun } from "swaplab/lab/reality_compare.ts";
import {
  parseRecordings,
  type Recording,
  RecordingError,
} from "swaplab/lab/reality_recording.ts";
import type { EngineRun } from "swaplab/lab/reality_run.ts";

const data = new URL("data/", import.meta.url);

/** Two snapshots of a recording with these columns. */
function recording(counters: Recording["counters"]): Recording {
  return {
    kernel: "6.12.117+deb12-amd64",
    zpool: "zbud",
    workload: "w",
    swap: "vda",
    mode: "icount",
    run: 1,
    memTotalKb: 4096,
    bad: 0,
    labels: ["a", "b"],
    counters,
  };
}

/** What an engine would say that has these columns. */
function engine(
  columns: Record<string, number[]>,
  generations: readonly number[] = [1, 1],
): EngineRun {
  const snapshots = ["a", "b"].map((label, i) => ({
    label,
    line: i + 1,
    processes: 1,
    generation: generations[i]!,
    counters: Object.fromEntries(
      Object.entries(columns).map(([name, values]) => [name, values[i]!]),
    ),
  }));
  return { snapshots, bad: 0, warnings: [] };
}

Deno.test("the shipped recordings are whole", () => {
  for (const [file, count] of [["directed", 34], ["pressure", 91]] as const) {
    const text = Deno.readTextFileSync(new URL(`${file}.json`, data));
    assert.equal(parseRecordings(text, file).length, count);
  }
});

Deno.test("equal values are counted, others told in the order of time", () => {
  const kernel = recording({ "vm.x": [1, 2], "vm.y": [5, 5] });
  const { name, equal, differences } = compareRun(
    kernel,
    engine({ "vm.x": [1, 3], "vm.y": [4, 5] }),
  );
  assert.equal(name, "6.12.zbud.w");
  // Two values, no wrong page and no WARN_ON.
  assert.equal(equal, 4);
  assert.deepEqual(differences, [
    { index: 0, label: "a", counter: "vm.y", kernel: 5, ours: 4, cause: null },
    { index: 1, label: "b", counter: "vm.x", kernel: 2, ours: 3, cause: null },
  ]);
});

Deno.test("a counter that only one side has is a difference", () => {
  const kernel = recording({ "vm.x": [1, null] });
  const { differences } = compareRun(kernel, engine({ "vm.x": [1, 0] }));
  assert.deepEqual(differences.map(({ kernel, ours }) => [kernel, ours]), [
    [null, 0],
  ]);
  const other = compareRun(recording({ "vm.x": [1, 2] }), engine({}));
  assert.equal(other.differences.length, 2);
});

Deno.test("the worker's own pages are read off once, and have to stay", () => {
  const kernel = recording({ "stat.anon": [500_000, 508_192] });
  const same = compareRun(kernel, engine({ "stat.anon": [0, 8192] }));
  assert.equal(same.equal, 3);
  assert.deepEqual([...same.notModelled.values()], [1]);

  const moved = compareRun(kernel, engine({ "stat.anon": [0, 4096] }));
  assert.equal(moved.differences[0]?.ours, 504_096);

  const forked = engine({ "stat.anon": [0, 4096] }, [1, 2]);
  assert.deepEqual([...compareRun(kernel, forked).notModelled.values()], [2]);
});

Deno.test("no worker has thousands of pages of its own", () => {
  const kernel = recording({ "stat.anon": [9_000_000, 0] });
  const { differences } = compareRun(kernel, engine({ "stat.anon": [0, 0] }));
  assert.equal(differences.length, 1);
});

Deno.test("a page read wrong or a WARN_ON is a difference", () => {
  const ours = { ...engine({}), bad: 2, warnings: ["zswap: odd"] };
  const { differences } = compareRun(recording({}), ours);
  const told = differences.map(({ counter, ours }) => [counter, ours]);
  assert.deepEqual(told, [["pages read wrong", 2], ["WARN_ON", 1]]);
});

Deno.test("what is not modelled is counted under its reason", () => {
  const kernel = recording({ "memory.current": [1, 2] });
  const { equal, differences, notModelled } = compareRun(kernel, engine({}));
  assert.deepEqual([equal, differences.length], [2, 0]);
  const [[reason, count]] = [...notModelled] as [[string, number]];
  assert.match(reason, /page tables and slabs/);
  assert.equal(count, 2);
});

Deno.test("other snapshots than the recording's are refused", () => {
  const kernel = { ...recording({}), labels: ["a", "c"] };
  assert.throws(() => compareRun(kernel, engine({})), RecordingError);
});

Deno.test("a broken file of recordings says what is missing", () => {
  const text = JSON.stringify({ recordings: [{ kernel: "6.12.1" }] });
  const parse = () => parseRecordings(text, "d.json");
  assert.throws(parse, { message: "d.json: recording 0: no zpool" });
  const short = { ...recording({ x: [1] }) };
  const other = JSON.stringify({ recordings: [short] });
  assert.throws(() => parseRecordings(other, "d.json"), /no x: 2 values/);
});
