import assert from "node:assert/strict";
import { KernelBug } from "swaplab/base/bug.ts";
import {
  call_rcu,
  rcu_init,
  rcu_read_lock,
  rcu_read_unlock,
  synchronize_rcu,
} from "swaplab/locking/rcu.ts";
import type { Task } from "swaplab/sim/task.ts";

Deno.test("call_rcu() waits for those who read now, not for later ones", () => {
  const rcu = rcu_init();
  const told: string[] = [];
  const [a, b] = [rcu_read_lock(rcu), rcu_read_lock(rcu)];
  call_rcu(rcu, () => told.push("free"));
  const later = rcu_read_lock(rcu);
  rcu_read_unlock(rcu, a);
  assert.deepEqual(told, []);
  rcu_read_unlock(rcu, b);
  assert.deepEqual(told, ["free"]);
  assert.equal(rcu.readers.length, 1);
  rcu_read_unlock(rcu, later);
  assert.equal(rcu.readers.length, 0);
});

Deno.test("call_rcu() without readers calls at once", () => {
  const rcu = rcu_init();
  let called = false;
  call_rcu(rcu, () => called = true);
  assert.equal(called, true);
});

Deno.test("synchronize_rcu() can go on when the readers have left", () => {
  const rcu = rcu_init();
  const reader = rcu_read_lock(rcu);
  const task: Task = synchronize_rcu(rcu);
  assert.equal(task.next().value, rcu.grace);
  const { value } = task.next();
  assert.equal(value!.ready!(), false);
  rcu_read_unlock(rcu, reader);
  assert.equal(value!.ready!(), true);
  assert.equal(task.next().done, true);
});

Deno.test("a section is left once", () => {
  const rcu = rcu_init();
  const reader = rcu_read_lock(rcu);
  rcu_read_unlock(rcu, reader);
  assert.throws(() => rcu_read_unlock(rcu, reader), KernelBug);
});
