import assert from "node:assert/strict";
import { abaProgram } from "swaplab/lab/litmus/sync_swapin_aba.ts";
import { litmusProgram } from "swaplab/lab/litmus/mod.ts";
import { tellRun } from "swaplab/lab/run_story.ts";
import { explore } from "swaplab/sim/explore.ts";

/** Can the write be lost, with one preemption at most? */
function loses(slots: number, rounds: number, writerCpu: 0 | 1): boolean {
  const program = abaProgram(
    { sync_swapin_pin: "none" },
    { slots, rounds, writerCpu },
  );
  return explore(program, { bound: 1, stopAtFailure: true })
    .failures.length > 0;
}

Deno.test("abaProgram() on one CPU: the slot is back after all others", () => {
  const roundsOf = [1, 2, 3].map((slots) =>
    [1, 2, 3].filter((rounds) => loses(slots, rounds, 0))
  );
  assert.deepEqual(roundsOf, [[1, 2, 3], [2], [3]]);
});

Deno.test("abaProgram() on another CPU: the slot is back at once", () => {
  assert.ok(loses(3, 1, 1));
});

Deno.test("abaProgram() on zram: the pin keeps the slot's bytes, too", () => {
  const found = (pin: "none" | "has_cache") =>
    explore(abaProgram({ sync_swapin_pin: pin }, { device: "zram" })).failures
      .map(({ kind }) => kind);
  assert.deepEqual(found("none"), ["corruption"]);
  assert.deepEqual(found("has_cache"), []);
});

Deno.test("sync-swapin-aba tells the entry, the byte and the cache", () => {
  const { begin, steps } = tellRun(litmusProgram("sync-swapin-aba"), "A7B5A7B");
  assert.equal(begin, "PTE: slot 1, map: 0x01, cache: empty");
  assert.equal(steps[6]!.state, "PTE: slot 1, map: 0x41, cache: empty");
  const states = steps.map(({ state }) => state);
  assert.ok(states.includes("PTE: empty, map: 0x40, cache: frame 1"));
  assert.equal(steps.at(-1)!.state, "PTE: frame 1, map: 0x00, cache: empty");
});
