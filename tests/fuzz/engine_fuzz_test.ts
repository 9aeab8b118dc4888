/**
 * Random scripts on random machines, against an oracle that only remembers
 * what was written. A failure prints its seed, the script cut down to what is
 * needed, and what happened. Here a few short ones, and proof that errors are
 * found; 200 seeds are in tests/fuzz_long, more in `deno task fuzz`.
 */
import assert from "node:assert/strict";
import { operations } from "swaplab/lab/fuzz_operations.ts";
import { runScript } from "swaplab/lab/fuzz_run.ts";
import { makeScript } from "swaplab/lab/fuzz_script.ts";
import { shrinkScript, tellFailure } from "swaplab/lab/fuzz_shrink.ts";
import { runSeed } from "./seeds.ts";
import { zswap_pool_current } from "swaplab/mm/zswap_pool.ts";
import { makeContents, type World } from "swaplab/lab/fuzz_world.ts";

const linesPerScript = 200;
const contents = makeContents();

Deno.test("every invariant holds after each of 500 operations, on 8 seeds", () => {
  for (let seed = 1001; seed <= 1008; seed++) {
    runSeed(seed, 500, { contents, checkEvery: 1 });
  }
});

Deno.test("a script is plain data: read back from JSON it runs the same", () => {
  const script = makeScript(7, 400);
  const again = JSON.parse(JSON.stringify(script));
  const [one, two] = [script, again].map((each) =>
    runScript(each, { contents, checkEvery: 400 }).world.machine.k
  );
  assert.deepEqual(one!.vm_event, two!.vm_event);
  assert.equal(one!.clock.now, two!.clock.now);
});

Deno.test("scripts draw every operation", () => {
  const { lines } = makeScript(3, 3000);
  const drawn = new Set(lines.map(([name]) => name));
  assert.deepEqual([...drawn].sort(), [...operations.keys()].sort());
});

/** Each breaks the machine in a way that only contents or sums can show. */
const plants: [string, (world: World) => void, RegExp][] = [
  ["a compressor that forgets a byte", ({ machine }) => {
    const acomp = zswap_pool_current(machine.k)?.acomp;
    if (acomp === undefined) return;
    const { decompress } = acomp;
    acomp.decompress = (src, dst) => {
      const size = decompress(src, dst);
      if (src.length > 2000) dst[4001]! ^= 1;
      return size;
    };
  }, /reads wrong bytes/],
  ["a device that loses a write", ({ machine }) => {
    for (const { disk } of machine.k.swap_info) {
      const { submit_bio } = disk;
      let writes = 0;
      Object.assign(disk, {
        *submit_bio(...[bio, plug]: Parameters<typeof submit_bio>) {
          const lost = bio.op === 1 && ++writes % 16 === 0;
          const page = lost ? new Uint8Array(4096).fill(0xee) : bio.page;
          yield* submit_bio({ ...bio, page }, plug);
        },
      });
    }
  }, /reads wrong bytes/],
  ["a tree that forgets an entry", ({ machine }) => {
    for (const { xa } of machine.k.zswap.trees.flat()) {
      const set = xa.entries.set.bind(xa.entries);
      xa.entries.set = (offset, entry) =>
        offset % 4 === 3 ? xa.entries : set(offset, entry);
    }
  }, /Invariant broken|reads wrong bytes/],
];

for (const [what, plant, message] of plants) {
  Deno.test(`the fuzz finds ${what}, and cuts its script down`, () => {
    const options = { contents, checkEvery: 50, plant };
    let found = null;
    for (let seed = 1; found === null && seed <= 10; seed++) {
      found = shrinkScript(makeScript(seed, linesPerScript), options);
    }
    assert.ok(found !== null, "no seed found it");
    assert.match(found.failure.error.message, message);
    const { lines } = found.script;
    assert.ok(lines.length <= 60, `still ${lines.length} lines`);
    assert.match(tellFailure(found), /seed \d+, shrunk to \d+ lines/);
    // What is left fails by itself, and not without the plant.
    const run = { contents, checkEvery: 1 };
    assert.notEqual(runScript(found.script, { ...run, plant }).failure, null);
    assert.equal(runScript(found.script, run).failure, null);
  });
}
