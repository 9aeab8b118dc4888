import assert from "node:assert/strict";
import { makeMachine } from "swaplab/lab/machine.ts";
import { report } from "swaplab/lab/report.ts";
import { type ReportFile, reportTable } from "swaplab/show/report.ts";

Deno.test("reportTable() shows every counter of a file by its kernel name", () => {
  const machine = makeMachine({ frames: 64 });
  machine.spawn({ pages: 100 }).touch(3, true);
  const now = report(machine);
  for (const file of ["vmstat", "meminfo", "zswap"] as const) {
    const text = String(reportTable(now, file).bundle["text/plain"]);
    for (const [name, value] of Object.entries(now[file])) {
      assert.match(
        text,
        new RegExp(`^\\s*${RegExp.escape(name)}\\s+${value}$`, "m"),
      );
    }
  }
  assert.match(String(reportTable(now, "swaps").bundle["text/plain"]), /1020/);
});

Deno.test("reportTable() refuses a file that is not there", () => {
  const now = report(makeMachine({ frames: 64 }));
  assert.throws(
    () => reportTable(now, "slabinfo" as ReportFile),
    /wanted one of vmstat, meminfo, zswap, swaps; got "slabinfo"/,
  );
});
