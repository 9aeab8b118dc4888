import assert from "node:assert/strict";
import { commandsOf, hardwareOf } from "swaplab/lab/reality_check.ts";
import {
  parseRecordings,
  recordedSeries,
} from "swaplab/lab/reality_recording.ts";
import { runReality } from "swaplab/lab/reality_run.ts";
import { zswap_total_pages } from "swaplab/mm/zswap_pool.ts";

const data = new URL("data/", import.meta.url);
const recordings = parseRecordings(
  Deno.readTextFileSync(new URL("pressure.json", data)),
  "pressure.json",
);
const workload = Deno.readTextFileSync(
  new URL("workloads/d-hysteresis.wl", data),
);

/** Frames when full and when the worker stops; pages that it wrote back. */
const ends = {
  zbud: { full: 1088, stopped: 544, writtenBack: 544 },
  zsmalloc: { full: 1088, stopped: 544, writtenBack: 1020 },
} as const;

for (const zpool of ["zbud", "zsmalloc"] as const) {
  Deno.test(`hysteresis, 6.12, ${zpool}: the end points are the kernel's`, () => {
    const recording = recordings.find((one) =>
      recordedSeries(one) === "6.12" && one.zpool === zpool &&
      one.workload === "d-hysteresis" && one.swap === "vda"
    )!;
    const { full, stopped, writtenBack } = ends[zpool];
    const kernel = recording.counters["zswap.written_back_pages"]!;
    assert.ok(kernel.every((pages) => pages! % writtenBack === 0));

    let most = 0;
    let before = 0;
    const steps: number[] = [];
    const commands = commandsOf(recording, workload);
    runReality(commands, hardwareOf(recording), ({ machine: { k } }) => {
      most = Math.max(most, zswap_total_pages(k));
      const now = k.zswap.written_back_pages;
      if (now > before) {
        steps.push(now - before);
        assert.equal(zswap_total_pages(k), stopped);
      }
      before = now;
    });
    assert.equal(most, full);
    assert.ok(steps.length >= 2);
    assert.ok(steps.every((pages) => pages === writtenBack), `${steps}`);
  });
}
