import assert from "node:assert/strict";
import { measureBackoff } from "swaplab/lab/backoff.ts";

for (const seed of [1, 2, 3]) {
  Deno.test(`thread 003's table in its order, seed ${seed}`, () => {
    const counts = measureBackoff({ seed, milliseconds: 20 });
    const [unpatched, none, schedule, tick, waitqueue] = counts.map(
      ({ minor }) => minor,
    ) as [number, number, number, number, number];
    assert.ok(none > 1.2 * schedule, `${none} > ${schedule}`);
    assert.ok(schedule > 1.2 * unpatched, `${schedule} > ${unpatched}`);
    assert.ok(unpatched > 1.2 * tick, `${unpatched} > ${tick}`);
    assert.ok(waitqueue > unpatched, `${waitqueue} > ${unpatched}`);
    assert.ok(waitqueue < schedule, `${waitqueue} < ${schedule}`);
    for (const { name, major, minor } of counts) {
      assert.ok(major > 0.8 * counts[0]!.major, `${name}: ${major} major`);
      assert.ok(major > minor, name);
    }
  });
}

Deno.test("the thread's own figures have that order", () => {
  const middles = measureBackoff({ milliseconds: 0 }).flatMap(({ thread }) =>
    thread === null ? [] : [(thread.minor[0] + thread.minor[1]) / 2]
  );
  const [unpatched, none, schedule, tick] = middles;
  assert.deepEqual([...middles].sort((a, b) => a - b), [
    tick,
    unpatched,
    schedule,
    none,
  ]);
});

Deno.test("the same table for the same seed", () => {
  const once = measureBackoff({ milliseconds: 2 });
  assert.deepEqual(measureBackoff({ milliseconds: 2 }), once);
  assert.notDeepEqual(measureBackoff({ milliseconds: 2, seed: 3 }), once);
});
