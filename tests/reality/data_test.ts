import assert from "node:assert/strict";
import { directedRecordings } from "swaplab/lab/data/reality.ts";
import { parseRecordings } from "swaplab/lab/reality_recording.ts";

Deno.test("tools/reality_data.ts --check finds data/reality.ts up to date", () => {
  const tool = new URL("../../tools/reality_data.ts", import.meta.url);
  const { success } = new Deno.Command(Deno.execPath(), {
    args: ["run", "--allow-read", tool.pathname, "--check"],
  }).outputSync();
  assert.ok(success);
});

Deno.test("the notebook's recordings are whole", () => {
  assert.equal(parseRecordings(directedRecordings, "notebook").length, 6);
});
