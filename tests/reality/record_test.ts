import assert from "node:assert/strict";
import { RecordFailure, toRecording } from "../../tools/reality_record.ts";

const about = {
  kernel: "6.12.117+deb12-amd64",
  zpool: "zbud",
  workload: "w",
  swap: "vda",
  mode: "icount",
  run: 1,
};

function snap(label: string, stored: number, sectors: number) {
  return {
    ev: "snap",
    label,
    zswap: { stored_pages: stored },
    vmstat: { pswpin: 3, pgfault: 99 },
    cg: {
      w: { name: "w", "memory.current": 7, "memory.stat": { anon: 4096 } },
    },
    swaps: [{ used_kb: 8 }],
    blk: { vda: { read_ios: 1, read_sectors: 16 + sectors } },
    proc: { A: { map: { R: { present: 2, slot_min: 1 } } } },
  };
}

function lines(...events: object[]): string {
  return events.map((event) => JSON.stringify(event)).join("\n") + "\n";
}

const start = { ev: "start", MemTotal_kb: 4096 };

Deno.test("the guest's lines become columns", () => {
  const op = { ev: "op", bad: 1 };
  const text = lines(start, op, snap("a", 0, 0), snap("b", 5, 8), {
    ev: "end",
  });
  const recording = toRecording(text, about);
  assert.deepEqual(recording.labels, ["a", "b"]);
  assert.equal(recording.bad, 1);
  assert.deepEqual(recording.counters, {
    "zswap.stored_pages": [0, 5],
    "stat.anon": [4096, 4096],
    "vm.pswpin": [3, 3],
    "memory.current": [7, 7],
    "blk.read_sectors": [0, 8],
    "swap.used_kb": [8, 8],
    "A.present": [2, 2],
  });
});

Deno.test("a guest that stopped on the way is no recording", () => {
  const error = { ev: "error", line: 7, msg: "range" };
  const stopped = lines(start, error, { ev: "end" });
  assert.throws(() => toRecording(stopped, about), RecordFailure);
  assert.throws(() => toRecording(stopped, about), /stopped at 7: range/);
  assert.throws(
    () => toRecording(lines(start), about),
    /did not come to its end/,
  );
});
