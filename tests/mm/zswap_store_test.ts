import assert from "node:assert/strict";
import { entriesOf } from "swaplab/base/list.ts";
import { report } from "swaplab/lab/report.ts";
import { list_lru_count_one } from "swaplab/mm/list_lru.ts";
import { removeCgroup } from "swaplab/mm/memcontrol_css.ts";
import {
  zswap_current_read,
  zswap_max_write,
  zswap_writeback_write,
} from "swaplab/mm/memcontrol_files.ts";
import { memory_stat_show } from "swaplab/mm/memcontrol_stat.ts";
import type { Kernel, MemCgroup } from "swaplab/mm/mm_types.ts";
import { nr_free_pages, page_to_nid } from "swaplab/mm/page_alloc.ts";
import {
  zswap_invalidate,
  zswap_store,
  zswap_swapoff,
} from "swaplab/mm/zswap.ts";
import {
  zswap_accept_thr_pages,
  zswap_max_pages,
  zswap_pool_current,
  zswap_total_pages,
} from "swaplab/mm/zswap_pool.ts";
import type { Task } from "swaplab/sim/task.ts";
import { pageOf } from "./helpers.ts";
import {
  entryOf,
  group,
  makeOld,
  stage,
  store,
  storeMany,
  victim,
} from "./zswap_helpers.ts";

/** The counters that a refused or failed store may raise. */
function rejects(k: Kernel): Record<string, number> {
  const all = { ...report({ k }).zswap } as Record<string, number>;
  for (const name of ["stored_pages", "pool_total_size"]) delete all[name];
  const raised = Object.entries(all).filter(([, value]) => value > 0);
  return Object.fromEntries(raised);
}

function listed(k: Kernel, memcg: MemCgroup | null, nid = 0): number {
  return list_lru_count_one(k, k.zswap.list_lru, nid, memcg);
}

Deno.test("debugfs of zswap has exactly the nine files of v6.12", () => {
  assert.deepEqual(Object.keys(report(stage().machine).zswap).sort(), [
    "pool_limit_hit",
    "pool_total_size",
    "reject_alloc_fail",
    "reject_compress_fail",
    "reject_compress_poor",
    "reject_kmemcache_fail",
    "reject_reclaim_fail",
    "stored_pages",
    "written_back_pages",
  ]);
});

Deno.test("zswap_store() charges the group bytes and a page; a free gives both back", () => {
  const set = stage();
  const { k } = set;
  const child = group(set, "child", group(set, "parent"));
  const slot = store(set, child)!;
  const { length } = entryOf(set, slot)!;
  for (const memcg of [child, child.parent!]) {
    const stat = memory_stat_show(k, memcg);
    // The file gives bytes for both: what it takes, and what it was.
    assert.deepEqual([stat.zswap, stat.zswapped], [length, 4096]);
    assert.equal(stat.zswpout, 1);
  }
  set.run(zswap_invalidate(k, slot));
  const stat = memory_stat_show(k, child);
  assert.deepEqual([stat.zswap, stat.zswapped], [0, 0]);
  assert.equal(zswap_total_pages(k), 0);
});

Deno.test("a page of the root group is charged to nobody", () => {
  const set = stage();
  const slot = store(set)!;
  assert.equal(entryOf(set, slot)!.objcg, null);
  assert.equal(memory_stat_show(set.k, set.k.root_mem_cgroup).zswapped, 0);
  assert.equal(listed(set.k, null), 1);
});

Deno.test("an entry is on the list of its group, and of the node of its page", () => {
  const set = stage({ frames: 256, nodes: 2 });
  const { k } = set;
  const memcg = group(set, "a");
  const folio = victim(set, memcg);
  const nid = page_to_nid(k, folio.pfn);
  set.run(zswap_store(k, folio));
  assert.equal(listed(k, memcg, nid), 1);
  assert.equal(listed(k, memcg, 1 - nid), 0);
  assert.equal(listed(k, null, nid), 0);
});

Deno.test("new entries go to the back: the oldest is the next victim", () => {
  const set = stage();
  const memcg = group(set, "a");
  const slots = storeMany(set, 3, memcg);
  const lists = set.k.zswap.list_lru.xa.entries.get(memcg.kmemcg_id)!;
  const order = [...entriesOf(lists.node[0]!.list)].map((e) => e.swpentry);
  assert.deepEqual(order, slots);
});

Deno.test("memory.zswap.max below a page means: never; no counter tells", () => {
  const set = stage();
  const memcg = group(set, "a");
  zswap_max_write(memcg, "4095");
  assert.equal(store(set, memcg), null);
  assert.deepEqual(rejects(set.k), {});
});

Deno.test("over memory.zswap.max a fresh entry costs the store its place", () => {
  const set = stage();
  const { k } = set;
  const memcg = group(set, "a");
  storeMany(set, 4, memcg);
  zswap_max_write(memcg, "4096");
  assert.ok(zswap_current_read(memcg) >= 4096);
  // 16.8: with four fresh entries four stores are refused, the fifth goes on.
  for (let attempt = 0; attempt < 4; attempt++) {
    assert.equal(store(set, memcg), null);
  }
  assert.equal(k.zswap.written_back_pages, 0);
  const before = zswap_current_read(memcg);
  assert.notEqual(store(set, memcg, 7), null);
  assert.equal(k.zswap.written_back_pages, 1);
  // One entry went; the limit was not asked again.
  assert.ok(zswap_current_read(memcg) >= 4096);
  assert.notEqual(zswap_current_read(memcg), before);
});

Deno.test("an ancestor's limit: only the storing group's own list is walked", () => {
  const set = stage();
  const { k } = set;
  const parent = group(set, "parent");
  const [one, other] = [group(set, "one", parent), group(set, "other", parent)];
  storeMany(set, 4, one);
  makeOld(set);
  zswap_max_write(parent, "4096");
  // The sibling has nothing to evict, so its store is refused.
  assert.equal(store(set, other), null);
  assert.equal(listed(k, one), 4);
  assert.notEqual(store(set, one), null);
  assert.equal(k.zswap.written_back_pages, 1);
});

Deno.test("over the limit without writeback: refused, no entry is touched", () => {
  const set = stage();
  const memcg = group(set, "a");
  storeMany(set, 4, memcg);
  makeOld(set);
  zswap_max_write(memcg, "4096");
  zswap_writeback_write(memcg, "0");
  assert.equal(store(set, memcg), null);
  assert.equal(listed(set.k, memcg), 4);
  assert.deepEqual(rejects(set.k), {});
});

Deno.test("T002-a: a group at its limit evicts its own pages, not another's", () => {
  const set = stage();
  const { k } = set;
  const [one, two] = [group(set, "one"), group(set, "two")];
  storeMany(set, 8, two);
  storeMany(set, 4, one);
  makeOld(set);
  zswap_max_write(one, "4096");
  for (let index = 0; index < 4; index++) store(set, one, index);
  assert.ok(k.zswap.written_back_pages > 0);
  assert.equal(memory_stat_show(k, two).zswpwb, 0);
  assert.equal(
    memory_stat_show(k, one).zswpwb,
    k.zswap.written_back_pages,
  );
});

Deno.test("zswap_lru = pool: at the limit the store is refused, nothing evicted", () => {
  const set = stage({}, { zswap_lru: "pool" });
  const { k } = set;
  const memcg = group(set, "one");
  storeMany(set, 4, memcg);
  makeOld(set);
  zswap_max_write(memcg, "4096");
  assert.equal(store(set, memcg), null);
  assert.equal(k.zswap.written_back_pages, 0);
  // One list for everybody.
  assert.equal(listed(k, null), 4);
  assert.equal(listed(k, memcg), 0);
});

Deno.test("a store that is refused for its group still drops the older copy", () => {
  const set = stage();
  const { k } = set;
  const memcg = group(set, "a");
  const folio = victim(set, memcg);
  assert.ok(set.run(zswap_store(k, folio)));
  zswap_max_write(memcg, "0");
  assert.ok(!set.run(zswap_store(k, folio)));
  assert.equal(entryOf(set, folio.swap), null);
  assert.equal(zswap_current_read(memcg), 0);
});

Deno.test("zswap off: the older copy is dropped, and the worker is not queued", () => {
  const set = stage();
  const { k } = set;
  const folio = victim(set);
  assert.ok(set.run(zswap_store(k, folio)));
  k.zswap.pool_reached_full = true;
  k.zswap.enabled = false;
  assert.ok(!set.run(zswap_store(k, folio)));
  assert.equal(entryOf(set, folio.swap), null);
  assert.ok(!k.zswap.shrink_work.pending);
});

Deno.test("any refusal queues the worker while the pool was full once", () => {
  const set = stage();
  const { k } = set;
  const memcg = group(set, "a");
  zswap_max_write(memcg, "0");
  store(set, memcg);
  assert.ok(!k.zswap.shrink_work.pending);
  k.zswap.pool_reached_full = true;
  store(set, memcg);
  assert.ok(k.zswap.shrink_work.pending);
});

Deno.test("hysteresis: refused at the limit, taken at the threshold, not above", () => {
  const set = stage({ frames: 1000, zswap: { zpool: "zbud" } });
  const { k } = set;
  const { zswap } = k;
  storeMany(set, 12);
  const total = zswap_total_pages(k);
  assert.equal(total, 6);
  const limits = (max: number, percent: number) => {
    // 1000 frames: one percent is ten pages; count in tenths of a percent.
    zswap.max_pool_percent = max / 10;
    zswap.accept_threshold_percent = percent;
    return [zswap_max_pages(k), zswap_accept_thr_pages(k)];
  };
  // One below the limit: taken.
  assert.deepEqual(limits(total + 1, 100), [7, 7]);
  assert.ok(set.run(zswap_store(k, victim(set))));
  assert.equal(zswap_total_pages(k), 7);
  // At the limit: refused and counted.
  assert.ok(!set.run(zswap_store(k, victim(set))));
  assert.equal(zswap.pool_limit_hit, 1);
  // Below the limit, one above the threshold: refused, not counted.
  assert.deepEqual(limits(12, 50), [12, 6]);
  assert.ok(!set.run(zswap_store(k, victim(set))));
  assert.equal(zswap.pool_limit_hit, 1);
  // At the threshold: taken.
  assert.deepEqual(limits(14, 50), [14, 7]);
  assert.ok(set.run(zswap_store(k, victim(set))));
  assert.ok(!zswap.pool_reached_full);
});

Deno.test("no memory for an entry raises reject_kmemcache_fail", () => {
  const set = stage();
  set.k.inject.zswapEntries = 1;
  assert.equal(store(set), null);
  assert.deepEqual(rejects(set.k), { reject_kmemcache_fail: 1 });
  assert.notEqual(store(set), null);
});

Deno.test("no memory for the tree raises reject_alloc_fail and undoes all", () => {
  const set = stage();
  const { k } = set;
  const memcg = group(set, "a");
  const free = nr_free_pages(k);
  k.inject.zswapTreeNodes = 1;
  assert.equal(store(set, memcg), null);
  assert.deepEqual(rejects(k), { reject_alloc_fail: 1 });
  assert.equal(nr_free_pages(k), free);
  assert.equal(zswap_pool_current(k)!.ref.count, 1);
  assert.equal(memory_stat_show(k, memcg).zswapped, 0);
});

Deno.test("no memory for a group's lists: refused without any counter", () => {
  const set = stage();
  const { k } = set;
  const memcg = group(set, "a");
  k.inject.listLruArrays = 1;
  assert.equal(store(set, memcg), null);
  assert.deepEqual(rejects(k), {});
  assert.equal(zswap_pool_current(k)!.ref.count, 1);
  assert.notEqual(store(set, memcg), null);
});

Deno.test("no frame for the allocator raises reject_alloc_fail", () => {
  const set = stage();
  const { k } = set;
  const folio = victim(set);
  const { free_list } = k.nodes[0]!.zone;
  const frames = free_list.length;
  free_list.length = 0;
  assert.ok(!set.run(zswap_store(k, folio)));
  assert.deepEqual(rejects(k), { reject_alloc_fail: 1 });
  free_list.length += frames;
});

Deno.test("an incompressible page: poor with zbud's limit, fail with the compressor's", () => {
  const cases = [
    ["null", "zbud", "reject_compress_poor"],
    ["lz4", "zsmalloc", "reject_compress_fail"],
    ["lz4", "zbud", "reject_compress_fail"],
  ] as const;
  for (const [compressor, zpool, counter] of cases) {
    const set = stage({ zswap: { compressor, zpool } });
    const folio = victim(set, null, pageOf("random"));
    assert.ok(!set.run(zswap_store(set.k, folio)));
    assert.deepEqual(
      rejects(set.k),
      { [counter]: 1 },
      `${compressor} ${zpool}`,
    );
  }
});

Deno.test("zsmalloc takes a page that does not shrink at all", () => {
  const set = stage({ zswap: { compressor: "null", zpool: "zsmalloc" } });
  const folio = victim(set, null, pageOf("random"));
  assert.ok(set.run(zswap_store(set.k, folio)));
  assert.equal(entryOf(set, folio.swap)!.length, 4096);
});

Deno.test("a removed group's entries are its parent's next victims, in order", () => {
  for (const memcg_lookup of ["unprotected", "css_get", "rcu"] as const) {
    const set = stage({}, { memcg_lookup });
    const { k } = set;
    const parent = group(set, "parent");
    const child = group(set, "child", parent);
    const older = storeMany(set, 2, parent);
    const orphans = storeMany(set, 2, child);
    const bytes = zswap_current_read(parent);
    assert.equal(set.run(removeCgroup(k, child)), 0);
    assert.equal(listed(k, parent), 4);
    assert.equal(zswap_current_read(parent), bytes);
    const lists = k.zswap.list_lru.xa.entries.get(parent.kmemcg_id)!;
    const order = [...entriesOf(lists.node[0]!.list)].map((e) => e.swpentry);
    assert.deepEqual(order, [...orphans, ...older]);
    // They are still found for deletion.
    for (const slot of orphans) set.run(zswap_invalidate(k, slot));
    assert.equal(listed(k, parent), 2);
  }
});

/** References to the group, and readers, while a store waits for the list. */
function duringLruAdd(memcg_lookup: "unprotected" | "css_get" | "rcu") {
  const set = stage({}, { memcg_lookup });
  const { k } = set;
  const memcg = group(set, "a");
  const task: Task<boolean> = zswap_store(k, victim(set, memcg));
  const before = memcg.css.refcnt;
  let found = "";
  for (let step = task.next(); !step.done; step = task.next()) {
    if (!step.value.what.includes("zswap_list_lru")) continue;
    found = `${memcg.css.refcnt - before} ${k.rcu.readers.length}`;
  }
  assert.equal(memcg.css.refcnt, before);
  assert.equal(k.rcu.readers.length, 0);
  return found;
}

Deno.test("memcg_lookup: what keeps the group while its list is changed", () => {
  assert.equal(duringLruAdd("rcu"), "0 1");
  assert.equal(duringLruAdd("css_get"), "1 0");
  assert.equal(duringLruAdd("unprotected"), "0 0");
});

Deno.test("zswap_swapoff() warns of a page that was left behind", () => {
  const set = stage();
  const { k } = set;
  const folio = victim(set);
  set.run(zswap_store(k, folio));
  zswap_swapoff(k, 0);
  assert.equal(k.warnings.length, 1);
  assert.match(k.warnings[0]!, /zswap tree 0:0 is not empty/);

  const clean = stage();
  clean.run(zswap_invalidate(clean.k, store(clean)!));
  zswap_swapoff(clean.k, 0);
  assert.deepEqual(clean.k.warnings, []);
});
