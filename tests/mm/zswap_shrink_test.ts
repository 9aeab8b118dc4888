import assert from "node:assert/strict";
import { EAGAIN, ENOENT } from "swaplab/base/errno.ts";
import { list_lru_count_one } from "swaplab/mm/list_lru.ts";
import { CSS_DYING } from "swaplab/mm/memcontrol.ts";
import { removeCgroup } from "swaplab/mm/memcontrol_css.ts";
import { zswap_writeback_write } from "swaplab/mm/memcontrol_files.ts";
import { memory_stat_show } from "swaplab/mm/memcontrol_stat.ts";
import type { MemCgroup } from "swaplab/mm/mm_types.ts";
import { page_to_nid } from "swaplab/mm/page_alloc.ts";
import { zswap_total_pages } from "swaplab/mm/zswap_pool.ts";
import { zswap_store } from "swaplab/mm/zswap.ts";
import { shrink_memcg, shrink_worker } from "swaplab/mm/zswap_shrink.ts";
import type { Op, Task } from "swaplab/sim/task.ts";
import {
  entryOf,
  group,
  leave,
  makeOld,
  type Stage,
  stage,
  storeMany,
  victim,
} from "./zswap_helpers.ts";

/** Let the worker run, and look at each pause. */
function watch({ k }: Stage, look: (op: Op) => void): void {
  const worker: Task = shrink_worker(k);
  for (let step = worker.next(); !step.done; step = worker.next()) {
    look(step.value);
  }
}

/** The worker's run and call of shrink_memcg() that evict first. */
function firstEviction(fresh: number): { run: number; call: number } {
  const set = stage();
  const { k } = set;
  storeMany(set, fresh);
  k.zswap.max_pool_percent = 0;
  let call = 0;
  for (let run = 1;; run++) {
    watch(set, ({ what }) => {
      if (k.vm_event.zswpwb > 0) return;
      if (what.includes("zswap_list_lru")) call++;
    });
    if (k.vm_event.zswpwb > 0) return { run, call };
  }
}

Deno.test("a cold start: with n fresh entries call n + 1 evicts first", () => {
  assert.deepEqual(firstEviction(3), { run: 1, call: 4 });
  assert.deepEqual(firstEviction(15), { run: 1, call: 16 });
  assert.deepEqual(firstEviction(16), { run: 2, call: 17 });
  assert.deepEqual(firstEviction(100), { run: 7, call: 101 });
});

Deno.test("second_chance = off: the first call evicts", () => {
  const set = stage({}, { second_chance: "off" });
  storeMany(set, 3);
  assert.equal(set.run(shrink_memcg(set.k, null)), 0);
  assert.equal(set.k.zswap.written_back_pages, 1);
});

Deno.test("the first run on 100 fresh entries frees nothing after 16 calls", () => {
  const set = stage();
  const { k } = set;
  storeMany(set, 100);
  k.zswap.max_pool_percent = 0;
  set.run(shrink_worker(k));
  assert.equal(k.zswap.written_back_pages, 0);
  // No writeback was tried, so none failed.
  assert.equal(k.zswap.reject_reclaim_fail, 0);
});

Deno.test("with nothing to try, 16 rounds are 16 failures", () => {
  const set = stage();
  // No entry, and a threshold that cannot be reached.
  set.k.zswap.max_pool_percent = -100;
  let pauses = 0;
  watch(set, ({ what }) => {
    if (what === "cond_resched") pauses++;
  });
  // Root and end of round, 16 times; the last end does not go on.
  assert.equal(pauses, 31);
});

Deno.test("a success does not take a failure back", () => {
  const set = stage();
  const { k } = set;
  // Fresh, old, fresh, old, …: sixteen failures come after fifteen successes.
  for (const [index, slot] of storeMany(set, 40).entries()) {
    if (index % 2 === 1) entryOf(set, slot)!.referenced = false;
  }
  k.zswap.max_pool_percent = 0;
  set.run(shrink_worker(k));
  assert.equal(k.zswap.written_back_pages, 15);
});

Deno.test("the worker stops at the accept threshold, not below", () => {
  const set = stage({ frames: 1000, zswap: { zpool: "zbud" } });
  const { k } = set;
  storeMany(set, 40);
  makeOld(set);
  assert.equal(zswap_total_pages(k), 20);
  k.zswap.max_pool_percent = 1;
  k.zswap.accept_threshold_percent = 70;
  set.run(shrink_worker(k));
  assert.equal(zswap_total_pages(k), 7);
});

Deno.test("the worker tries one group even if the pool is below already", () => {
  const set = stage();
  storeMany(set, 2);
  makeOld(set);
  set.run(shrink_worker(set.k));
  assert.equal(set.k.zswap.written_back_pages, 1);
});

/** The group whose entry goes at each eviction of one run. */
function evictions(set: Stage, groups: readonly MemCgroup[]): string {
  const { k } = set;
  const counts = () =>
    groups.map((memcg) => memory_stat_show(k, memcg).zswpwb!);
  let before = counts();
  let order = "";
  watch(set, () => {
    const now = counts();
    now.forEach((count, i) => {
      if (count > before[i]!) order += groups[i]!.name;
    });
    before = now;
  });
  return order;
}

Deno.test("two groups take turns", () => {
  const set = stage();
  const groups = [group(set, "a"), group(set, "b")];
  for (const memcg of groups) storeMany(set, 4, memcg);
  makeOld(set);
  set.k.zswap.max_pool_percent = 0;
  assert.equal(evictions(set, groups), "abababab");
});

Deno.test("a group that must not write back costs nothing and loses nothing", () => {
  const set = stage();
  const { k } = set;
  const groups = [group(set, "a"), group(set, "b")];
  for (const memcg of groups) storeMany(set, 20, memcg);
  makeOld(set);
  zswap_writeback_write(groups[0]!, "0");
  k.zswap.max_pool_percent = 0;
  // Twenty rounds with -ENOENT for a; only the empty rounds at the end fail.
  assert.equal(evictions(set, groups), "b".repeat(20));
  assert.equal(list_lru_count_one(k, k.zswap.list_lru, 0, groups[0]!), 20);
});

Deno.test("zswap_lru = pool: the oldest goes, whosever it is", () => {
  const set = stage({}, { zswap_lru: "pool" });
  const { k } = set;
  const groups = [group(set, "a"), group(set, "b")];
  for (const memcg of groups) storeMany(set, 3, memcg);
  makeOld(set);
  k.zswap.max_pool_percent = 0;
  assert.equal(evictions(set, groups), "aaabbb");
  // Nothing is left: the run ends without sixteen rounds.
  let pauses = 0;
  k.zswap.max_pool_percent = -100;
  watch(set, ({ what }) => {
    if (what === "cond_resched") pauses++;
  });
  assert.equal(pauses, 0);
});

Deno.test("shrink_memcg() says what it found", () => {
  const set = stage();
  const { k } = set;
  const memcg = group(set, "a");
  assert.equal(set.run(shrink_memcg(k, memcg)), -ENOENT, "nothing there");
  storeMany(set, 2, memcg);
  assert.equal(set.run(shrink_memcg(k, memcg)), -EAGAIN, "a fresh one");
  zswap_writeback_write(memcg, "0");
  assert.equal(set.run(shrink_memcg(k, memcg)), -ENOENT, "forbidden");
  zswap_writeback_write(memcg, "1");
  assert.equal(set.run(shrink_memcg(k, memcg)), -EAGAIN, "the other fresh");
  assert.equal(set.run(shrink_memcg(k, memcg)), 0, "an old one");
  assert.equal(k.zswap.written_back_pages, 1);
});

Deno.test("shrink_memcg() of an offline group leaves its parent's lists alone", () => {
  const set = stage();
  const { k } = set;
  const memcg = group(set, "a");
  const slots = storeMany(set, 2, memcg);
  makeOld(set);
  set.run(removeCgroup(k, memcg));
  // Its slots keep it: it can still be asked.
  assert.ok(!memcg.freed);
  assert.equal(set.run(shrink_memcg(k, memcg)), -ENOENT);
  for (const slot of slots) assert.notEqual(entryOf(set, slot), null);
});

Deno.test("shrink_memcg() tries one entry of every node; one success is enough", () => {
  const set = stage({ frames: 512, nodes: 2 });
  const { k } = set;
  const perNode = [0, 0];
  // Take frames of one node, then of the other.
  for (const nid of [0, 1]) {
    const { free_list } = k.nodes[1 - nid]!.zone;
    const spare = free_list.length;
    free_list.length = 0;
    const folio = victim(set);
    assert.equal(page_to_nid(k, folio.pfn), nid);
    free_list.length += spare;
    assert.ok(set.run(zswap_store(k, folio)));
    const slot = leave(set, folio);
    if (nid === 1) entryOf(set, slot)!.referenced = false;
    perNode[nid]!++;
  }
  assert.deepEqual(perNode, [1, 1]);
  assert.equal(set.run(shrink_memcg(k, null)), 0);
  assert.equal(k.zswap.written_back_pages, 1);
  // The other node's was asked, too: its second chance is over.
  assert.equal(set.run(shrink_memcg(k, null)), 0);
  assert.equal(k.zswap.written_back_pages, 2);
});

/** One group is tried: the pool is far below the threshold. */
function oneStep(set: Stage): string {
  set.run(shrink_worker(set.k));
  const { next_shrink, next_shrink_objcg } = set.k.zswap;
  return (next_shrink ?? next_shrink_objcg)?.name ?? "end";
}

Deno.test("the cursor goes on where the last run stopped", () => {
  for (const next_shrink of ["held", "cleaned", "objcg"] as const) {
    const set = stage({}, { next_shrink });
    group(set, "a1", group(set, "a"));
    group(set, "b");
    const steps = Array.from({ length: 7 }, () => oneStep(set));
    assert.equal(steps.join(" "), "/ a a1 b end / a", next_shrink);
  }
});

/** The cursor is at a group that is removed. */
function removeUnderCursor(next_shrink: "held" | "cleaned" | "objcg") {
  const set = stage({}, { next_shrink });
  const [a] = [group(set, "a"), group(set, "b")];
  while (oneStep(set) !== "a");
  assert.equal(set.run(removeCgroup(set.k, a)), 0);
  set.machine.settle();
  return { set, a };
}

Deno.test("next_shrink = cleaned: the cursor moves on, the group is freed", () => {
  const { set, a } = removeUnderCursor("cleaned");
  assert.equal(set.k.zswap.next_shrink?.name, "b");
  assert.ok(a.freed);
});

Deno.test("next_shrink = held: the cursor keeps the dead group until it moves", () => {
  const { set, a } = removeUnderCursor("held");
  assert.equal(set.k.zswap.next_shrink, a);
  assert.ok(!a.freed);
  oneStep(set);
  set.machine.settle();
  assert.ok(a.freed);
});

Deno.test("next_shrink = objcg: the cursor holds no group, and starts at the parent", () => {
  const { set, a } = removeUnderCursor("objcg");
  assert.ok(a.freed);
  assert.equal(set.k.zswap.next_shrink, null);
  // Its objcg is the root's now: the round goes on behind the root.
  assert.equal(oneStep(set), "b");
});

Deno.test("a group that is being removed is passed over", () => {
  const set = stage();
  const { k } = set;
  const [a] = [group(set, "a"), group(set, "b")];
  assert.equal(oneStep(set), "/");
  // It is marked as dying, its offlining has not begun.
  const removal: Task<number> = removeCgroup(k, a);
  while ((a!.css.flags & CSS_DYING) === 0) removal.next();
  assert.equal(oneStep(set), "b");
});
