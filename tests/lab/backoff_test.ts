import assert from "node:assert/strict";
import { measureBackoff } from "swaplab/lab/backoff.ts";

for (const seed of [1, 2]) {
  Deno.test(`thread 003's table has its shape, seed ${seed}`, () => {
    const counts = measureBackoff({ seed, milliseconds: 8 });
    const [unpatched, none, schedule, tick, waitqueue] = counts.map(
      ({ minor }) => minor,
    ) as [number, number, number, number, number];
    assert.ok(none > 8 * schedule, `${none} ≫ ${schedule}`);
    assert.ok(schedule > tick, `${schedule} > ${tick}`);
    assert.ok(unpatched > tick, `${unpatched} > ${tick}`);
    assert.ok(unpatched < 1.5 * schedule, `${unpatched} ≈ ${schedule}`);
    assert.ok(waitqueue < 1.5 * schedule, `${waitqueue} ≈ ${schedule}`);
    for (const { name, major, minor } of counts) {
      assert.ok(major > counts[0]!.major / 2, `${name}: ${major} major faults`);
      assert.ok(major > minor, name);
    }
  });
}

Deno.test("the same table for the same seed", () => {
  const once = measureBackoff({ milliseconds: 1 });
  assert.deepEqual(measureBackoff({ milliseconds: 1 }), once);
  assert.notDeepEqual(measureBackoff({ milliseconds: 1, seed: 3 }), once);
});
