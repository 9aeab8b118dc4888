/**
 * 200 seeds of 2,000 operations each against the oracle; a failure prints its
 * seed, the script cut down to what is needed, and what happened.
 */
import assert from "node:assert/strict";
import { makeContents } from "swaplab/lab/fuzz_world.ts";
import { runSeed } from "../fuzz/seeds.ts";

const seeds = 200;
const seedsPerTest = 50;
const linesPerScript = 2000;
/** Of 50 seeds: SIGBUS for a page that cannot be read, and so on. */
const leastEnds: readonly (readonly [string, number])[] = [
  ["SIGBUS", 50],
  ["out of memory", 50],
  ["swapoff 0", 100],
  ["swapoff -ENOMEM", 30],
  ["swapoff -EINTR", 5],
];
const contents = makeContents();

for (let first = 1; first <= seeds; first += seedsPerTest) {
  const last = first + seedsPerTest - 1;
  Deno.test(`the engine agrees with the oracle on seeds ${first} to ${last}`, () => {
    const seen = { zswpin: 0, pswpin: 0, zswpwb: 0 };
    const ends = new Map<string, number>();
    for (let seed = first; seed <= last; seed++) {
      const options = { contents, checkEvery: 50 };
      const world = runSeed(seed, linesPerScript, options);
      const { zswpin, pswpin, zswpwb } = world.machine.k.vm_event;
      seen.zswpin += zswpin;
      seen.pswpin += pswpin;
      seen.zswpwb += zswpwb;
      for (const [what, times] of world.seen) {
        ends.set(what, (ends.get(what) ?? 0) + times);
      }
    }
    // The scripts reach what they are for.
    assert.ok(seen.zswpin > 2000, `${seen.zswpin} loads from zswap`);
    assert.ok(seen.pswpin > 10_000, `${seen.pswpin} reads of a device`);
    assert.ok(seen.zswpwb > 1000, `${seen.zswpwb} writebacks`);
    for (const [what, least] of leastEnds) {
      const times = ends.get(what) ?? 0;
      assert.ok(times > least, `${what}: ${times} times`);
    }
  });
}
