/** The wait queue of thread 003 wakes; the tick is only its net. */
import assert from "node:assert/strict";
import { litmusProgram } from "swaplab/lab/litmus/mod.ts";
import { explore } from "swaplab/sim/explore.ts";

Deno.test("wakeup-lost-in-swapcache-wq: the loser is woken, or sleeps a tick", () => {
  const { outcomes } = explore(litmusProgram("wakeup-lost-in-swapcache-wq"));
  assert.deepEqual(outcomes.map(({ name }) => name), [
    "none slept",
    "the loser slept a tick",
    "the loser was woken",
  ]);
});
