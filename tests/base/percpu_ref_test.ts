import assert from "node:assert/strict";
import {
  percpu_ref_get,
  percpu_ref_init,
  percpu_ref_is_zero,
  percpu_ref_kill,
  percpu_ref_put,
  percpu_ref_resurrect,
  percpu_ref_tryget,
  percpu_ref_tryget_live,
} from "swaplab/base/percpu_ref.ts";

function counted() {
  const released: string[] = [];
  const ref = percpu_ref_init("thing", () => void released.push("released"));
  return { ref, released };
}

Deno.test("a killed count is released by its last user", () => {
  const { ref, released } = counted();
  percpu_ref_get(ref);
  percpu_ref_kill(ref);
  assert.deepEqual(released, []);
  percpu_ref_put(ref);
  assert.deepEqual(released, ["released"]);
  assert.ok(percpu_ref_is_zero(ref));
});

Deno.test("a killed count gives references, but no live ones", () => {
  const { ref } = counted();
  percpu_ref_get(ref);
  assert.ok(percpu_ref_tryget_live(ref));
  percpu_ref_kill(ref);
  assert.ok(!percpu_ref_tryget_live(ref));
  assert.ok(percpu_ref_tryget(ref));
});

Deno.test("a count at zero gives nothing", () => {
  const { ref } = counted();
  percpu_ref_kill(ref);
  assert.ok(!percpu_ref_tryget(ref));
  assert.throws(() => percpu_ref_get(ref), /nobody holds it/);
  assert.throws(() => percpu_ref_put(ref), /nobody holds it/);
});

Deno.test("a kill can be undone while somebody holds the object", () => {
  const { ref, released } = counted();
  percpu_ref_get(ref);
  percpu_ref_kill(ref);
  percpu_ref_resurrect(ref);
  percpu_ref_put(ref);
  assert.equal(ref.count, 1);
  percpu_ref_kill(ref);
  assert.deepEqual(released, ["released"]);
  assert.throws(() => percpu_ref_kill(ref), /killed twice/);
});
