import { deepEqual, equal } from "node:assert/strict";
import { litmusProgram } from "swaplab/lab/litmus/mod.ts";
import { tellRun } from "swaplab/lab/run_story.ts";

Deno.test("tellRun() tells who else could have gone on", () => {
  const locked = litmusProgram("planted-lost-update");
  const { names, steps, begin } = tellRun(locked, "A1B");
  deepEqual(names, ["CPU0", "CPU1"]);
  equal(begin, "counter 0");
  // CPU1 spins while CPU0 holds the lock, and has not ended.
  deepEqual(steps.slice(0, 3).map(({ enabled }) => enabled), [
    0b11,
    0b01,
    0b01,
  ]);
  deepEqual(steps.slice(0, 3).map(({ alive }) => alive), [0b11, 0b11, 0b11]);
});

Deno.test("tellRun() has the state after each step, the last one as well", () => {
  const lost = litmusProgram("planted-lost-update", { variant: "no lock" });
  const { steps } = tellRun(lost, "A4B");
  deepEqual(
    steps.map(({ state }) => Number(state.slice("counter ".length))),
    [0, 1, 1, 2, 2, 3, 3, 4],
  );
});
