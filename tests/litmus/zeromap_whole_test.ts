/**
 * zeromap-over-zswap without its bound: every interleaving of the three actors
 * on the repaired engine. 20 s on a quiet machine; the bounded searches of both
 * engines are in litmus_test.ts.
 */
import { deepEqual, equal } from "node:assert/strict";
import { litmusProgram } from "swaplab/lab/litmus/mod.ts";
import { explore } from "swaplab/sim/explore.ts";

Deno.test("zeromap-over-zswap: with the repair no interleaving breaks", () => {
  const program = litmusProgram("zeromap-over-zswap", {
    proposals: { zeromap_invalidates_zswap: "on" },
  });
  const found = explore(program);
  deepEqual(found.failures, []);
  equal(found.complete, true);
  equal(found.bound, null);
});
