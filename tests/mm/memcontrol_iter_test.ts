import assert from "node:assert/strict";
import { makeMachine } from "swaplab/lab/machine.ts";
import { flush_workqueue } from "swaplab/locking/workqueue.ts";
import {
  css_put,
  mem_cgroup_is_descendant,
  mem_cgroup_online,
  mem_cgroup_tryget_online,
} from "swaplab/mm/memcontrol.ts";
import { makeCgroup, removeCgroup } from "swaplab/mm/memcontrol_css.ts";
import {
  mem_cgroup_iter,
  mem_cgroup_iter_break,
} from "swaplab/mm/memcontrol_iter.ts";
import type { Kernel, MemCgroup } from "swaplab/mm/mm_types.ts";
import { spin_unlock } from "swaplab/locking/spinlock.ts";
import { run, type Task } from "swaplab/sim/task.ts";

/** The root with a (with b and c in it) and d. */
function tree() {
  const { k } = makeMachine({ frames: 64 });
  const a = makeCgroup(k, k.root_mem_cgroup, "a");
  const b = makeCgroup(k, a, "b");
  const c = makeCgroup(k, a, "c");
  const d = makeCgroup(k, k.root_mem_cgroup, "d");
  return { k, a, b, c, d };
}

function names(k: Kernel, root: MemCgroup | null): string {
  let walked = "";
  let memcg = mem_cgroup_iter(k, root, null);
  for (; memcg !== null; memcg = mem_cgroup_iter(k, root, memcg)) {
    walked += memcg.name;
  }
  return walked;
}

Deno.test("the walk goes to a group, then below it, then on", () => {
  const { k, a, b } = tree();
  assert.equal(names(k, null), "/abcd");
  assert.equal(names(k, a), "abc");
  assert.equal(names(k, b), "b");
  assert.equal(mem_cgroup_is_descendant(b, a), true);
  assert.equal(mem_cgroup_is_descendant(a, b), false);
});

Deno.test("each group has a reference until the next call; the root has none", () => {
  const { k, a, b } = tree();
  const root = mem_cgroup_iter(k, null, null)!;
  const before = [a.css.refcnt, b.css.refcnt];
  assert.equal(root.css.refcnt, 1);
  const first = mem_cgroup_iter(k, null, root)!;
  assert.deepEqual([a.css.refcnt, b.css.refcnt], [before[0]! + 1, before[1]]);
  const second = mem_cgroup_iter(k, null, first)!;
  assert.deepEqual([a.css.refcnt, b.css.refcnt], [before[0], before[1]! + 1]);
  mem_cgroup_iter_break(k, null, second);
  assert.deepEqual([a.css.refcnt, b.css.refcnt], before);
  // The root of a walk is the caller's: not counted, not put.
  const top = mem_cgroup_iter(k, a, null)!;
  assert.equal(a.css.refcnt, before[0]);
  mem_cgroup_iter_break(k, a, top);
  assert.equal(a.css.refcnt, before[0]);
});

Deno.test("a zombie is walked over with a reference, though not online", () => {
  const { k, b } = tree();
  // Somebody still has it.
  b.css.refcnt++;
  run(removeCgroup(k, b));
  assert.equal(mem_cgroup_online(b), false);
  assert.equal(mem_cgroup_tryget_online(b), false);
  assert.equal(names(k, null), "/abcd");
  css_put(k, b);
  // Its last reference has gone, it is not released yet: passed over.
  assert.equal(names(k, null), "/acd");
  run(flush_workqueue(k.workqueue));
  assert.equal(names(k, null), "/acd");
  assert.equal(b.freed, true);
});

Deno.test("the walk goes on from a group that dies meanwhile", () => {
  const { k, a, b } = tree();
  let memcg = mem_cgroup_iter(k, a, null)!;
  memcg = mem_cgroup_iter(k, a, memcg)!;
  assert.equal(memcg, b);
  run(removeCgroup(k, b));
  run(flush_workqueue(k.workqueue));
  assert.equal(b.freed, false);
  assert.equal(mem_cgroup_iter(k, a, memcg)!.name, "c");
  run(flush_workqueue(k.workqueue));
  assert.equal(b.freed, true);
});

Deno.test("killed is not offline: tryget_online fails first", () => {
  const { k, d } = tree();
  const remove: Task<number> = removeCgroup(k, d);
  let step = remove.next();
  let between = 0;
  while (!step.done) {
    if (!mem_cgroup_tryget_online(d)) {
      between++;
      assert.equal(mem_cgroup_online(d), true);
    } else css_put(k, d);
    step = remove.next();
  }
  assert.ok(between > 0);
  assert.equal(mem_cgroup_online(d), false);
});

Deno.test("reclaimers of one node share a walk and its rounds", () => {
  const { k, a } = tree();
  const cookie = () => ({ pgdat: k.nodes[0]!, generation: 0 });
  const [one, two] = [cookie(), cookie()];
  const next = (c: typeof one, prev: MemCgroup | null) =>
    mem_cgroup_iter(k, a, prev, c);
  const first = next(one, null)!;
  const second = next(two, null)!;
  assert.equal(first.name + second.name, "ab");
  const third = next(one, first)!;
  assert.equal(third.name, "c");
  // The first one ends the round; the other sees that it is over.
  assert.equal(next(one, third), null);
  assert.equal(next(two, second), null);
  assert.equal(next(cookie(), null)!.name, "a");
});

Deno.test("who joins a shared walk after its last group begins the next round", () => {
  const { k } = tree();
  const pgdat = k.nodes[0]!;
  const first = { pgdat, generation: 0 };
  let memcg = mem_cgroup_iter(k, null, null, first);
  while (memcg!.name !== "d") memcg = mem_cgroup_iter(k, null, memcg, first);
  mem_cgroup_iter_break(k, null, memcg);
  const second = { pgdat, generation: 0 };
  assert.equal(mem_cgroup_iter(k, null, null, second), k.root_mem_cgroup);
  assert.equal(second.generation, 1);
});

Deno.test("a released group is no position of a shared walk", () => {
  const { k, a, b } = tree();
  const cookie = { pgdat: k.nodes[0]!, generation: 0 };
  mem_cgroup_iter(k, a, null, cookie);
  const second = mem_cgroup_iter(k, a, a, cookie)!;
  assert.equal(a.nodeinfo[0]!.iter.position, b);
  mem_cgroup_iter_break(k, a, second);
  run(removeCgroup(k, b));
  run(flush_workqueue(k.workqueue));
  assert.equal(a.nodeinfo[0]!.iter.position, null);
});

// T002-d: the cursor of zswap's writeback does not pin a group that goes.
Deno.test("zswap's cursor moves on from a group that goes offline", () => {
  const { k, a, b, c } = tree();
  let memcg = mem_cgroup_iter(k, null, null);
  while (memcg !== b) memcg = mem_cgroup_iter(k, null, memcg);
  k.zswap.next_shrink = b;
  const references = c.css.refcnt;
  run(removeCgroup(k, b));
  assert.equal(k.zswap.next_shrink, c);
  assert.equal(c.css.refcnt, references + 1);
  run(flush_workqueue(k.workqueue));
  assert.equal(b.freed, true);
  // While a slot is charged to it, its id keeps it; the cursor does not.
  c.idRefs++;
  run(removeCgroup(k, c));
  assert.equal(k.zswap.next_shrink!.name, "d");
  assert.equal(c.css.refcnt, 1);
  assert.equal(a.freed, false);
  assert.equal(k.zswap.shrink_lock.locked, false);
  assert.throws(() => spin_unlock(k.zswap.shrink_lock));
});
