// Reclaim of groups and nodes: kswapd, limits, who is visited and who is not.
import assert from "node:assert/strict";
import { run } from "swaplab/sim/task.ts";
import { idleUntilNextEvent } from "swaplab/sim/clock.ts";
import { makeMachine } from "swaplab/lab/machine.ts";
import { GFP_KERNEL } from "swaplab/mm/page_alloc.ts";
import type { Kernel, MemCgroup, PgData } from "swaplab/mm/mm_types.ts";
import { MAX_RECLAIM_RETRIES } from "swaplab/mm/swap.ts";
import {
  MEMCG_RECLAIM_MAY_SWAP,
  try_to_free_mem_cgroup_pages,
  try_to_free_pages,
} from "swaplab/mm/vmscan.ts";
import {
  balance_pgdat,
  kswapd,
  wakeup_kswapd,
} from "swaplab/mm/vmscan_kswapd.ts";
import { DEF_PRIORITY } from "swaplab/mm/vmscan_control.ts";
import { shrinker_alloc, shrinker_register } from "swaplab/mm/shrinker.ts";
import { pageOf, scene } from "./helpers.ts";

/** Reclaim from `memcg`, as if it were 5 pages over its limit. */
function reclaimFrom(
  k: Kernel,
  memcg: MemCgroup,
  options = MEMCG_RECLAIM_MAY_SWAP,
  swappiness: number | null = null,
): number {
  return run(
    try_to_free_mem_cgroup_pages(k, memcg, 5, GFP_KERNEL, options, swappiness),
    () => idleUntilNextEvent(k.clock),
  );
}

/** Two groups with 40 pages each, on a machine with room for both. */
function twoGroups() {
  const machine = makeMachine({ frames: 256, debug: true });
  const groups = ["left", "right"].map((name) => {
    const cgroup = machine.cgroup(name);
    const program = machine.spawn({ pages: 40, cgroup });
    for (let page = 0; page < 40; page++) {
      program.write(page, pageOf("text", page));
    }
    return cgroup.memcg;
  });
  const { k } = machine;
  const idle = () => idleUntilNextEvent(k.clock);
  return { k, idle, left: groups[0]!, right: groups[1]! };
}

Deno.test("try_to_free_mem_cgroup_pages() takes from the group and nobody else", () => {
  const { k, left, right } = twoGroups();
  // Most of them are looked at for the first time and stay.
  const freed = reclaimFrom(k, left);
  assert.ok(freed > 0);
  assert.ok(left.memory.usage < 40);
  assert.equal(right.memory.usage, 40);
  assert.equal(k.vm_event.allocstall_normal, 0);
  assert.equal(left.vmstats.events.pgsteal_direct, freed);
});

Deno.test("try_to_free_mem_cgroup_pages() swaps only if it may", () => {
  const { k, left } = twoGroups();
  assert.equal(reclaimFrom(k, left, 0), 0);
  assert.equal(reclaimFrom(k, left, MEMCG_RECLAIM_MAY_SWAP, 0), 0);
});

Deno.test("a page's shadow names the group whose limit drove it out", () => {
  const { k, left, right } = twoGroups();
  const ageOf = (memcg: typeof left) =>
    memcg.nodeinfo[0]!.lruvec.nonresident_age;
  assert.equal(ageOf(left), 0);
  assert.equal(reclaimFrom(k, left), ageOf(left));
  assert.equal(ageOf(right), 0);
  // Every page that went through the group's lists went through the root's.
  assert.equal(ageOf(k.root_mem_cgroup), ageOf(left));
});

Deno.test("direct reclaim goes on with the group where the last one stopped", () => {
  const { k, idle, left, right } = twoGroups();
  run(try_to_free_pages(k, GFP_KERNEL), idle);
  const first = [left.memory.usage, right.memory.usage];
  run(try_to_free_pages(k, GFP_KERNEL), idle);
  assert.ok(first[0]! < 40 || first[1]! < 40);
  assert.ok(left.memory.usage < 40, `left has ${left.memory.usage}`);
  assert.ok(right.memory.usage < 40, `right has ${right.memory.usage}`);
});

/** Nothing can be freed, and the node is below its low watermark. */
function hopeless(): { k: Kernel; pgdat: PgData } {
  const { k } = scene({ swap: false, debug: false }).machine;
  const pgdat = k.nodes[0]!;
  pgdat.zone.free_list.length = pgdat.zone.watermark.min;
  return { k, pgdat };
}

Deno.test("kswapd gives up after 16 runs that freed nothing, and is not woken any more", () => {
  const { k, pgdat } = hopeless();
  run(kswapd(k, pgdat));
  assert.equal(pgdat.kswapd_failures, MAX_RECLAIM_RETRIES);
  assert.equal(k.vm_event.pageoutrun, 16);
  wakeup_kswapd(k, pgdat);
  assert.equal(k.workqueue.pending.length, 0);
  pgdat.kswapd_failures = 0;
  wakeup_kswapd(k, pgdat);
  assert.deepEqual(k.workqueue.pending, [pgdat.kswapd]);
});

Deno.test("a node is balanced with more than high frames free, not with high", () => {
  const { k, pgdat } = hopeless();
  const { free_list, watermark } = pgdat.zone;
  free_list.length = watermark.high + 1;
  wakeup_kswapd(k, pgdat);
  assert.equal(k.workqueue.pending.length, 0);
  free_list.length = watermark.high;
  wakeup_kswapd(k, pgdat);
  assert.deepEqual(k.workqueue.pending, [pgdat.kswapd]);
});

Deno.test("a run in vain is a failure, even if its last pass made the node balanced", () => {
  const { k, pgdat } = hopeless();
  const { free_list, watermark } = pgdat.zone;
  let passes = 0;
  // Somebody else frees: that is not what kswapd reclaimed.
  const count_objects = () => {
    if (++passes === 12) free_list.length = watermark.high + 1;
    return 0;
  };
  const scan_objects = function* () {
    yield* [];
    return 0;
  };
  const options = { flags: 0, count_objects, scan_objects };
  shrinker_register(k, shrinker_alloc(k, "somebody", options));
  run(balance_pgdat(k, pgdat));
  assert.equal(passes, 12);
  assert.equal(pgdat.kswapd_failures, 1);
  // Balanced before the first pass: no run in vain.
  run(balance_pgdat(k, pgdat));
  assert.equal(pgdat.kswapd_failures, 1);
});

Deno.test("success of somebody who reclaims for himself wakes a dormant kswapd", () => {
  const { k, idle } = twoGroups();
  k.nodes[0]!.kswapd_failures = MAX_RECLAIM_RETRIES;
  run(try_to_free_pages(k, GFP_KERNEL), idle);
  assert.equal(k.nodes[0]!.kswapd_failures, 0);
});

Deno.test("it wakes the kswapd of the node where he had it, not of the next one", () => {
  const machine = makeMachine({ frames: 256, nodes: 2 });
  const { k } = machine;
  const program = machine.spawn({ pages: 40 });
  for (let page = 0; page < 40; page++) {
    program.write(page, pageOf("text", page));
  }
  for (const pgdat of k.nodes) pgdat.kswapd_failures = MAX_RECLAIM_RETRIES;
  run(try_to_free_pages(k, GFP_KERNEL), () => idleUntilNextEvent(k.clock));
  const failures = k.nodes.map(({ kswapd_failures }) => kswapd_failures);
  assert.deepEqual(failures, [0, MAX_RECLAIM_RETRIES]);
});

Deno.test("a round in vain is tried again from the first priority, past no group", () => {
  const { k } = hopeless();
  let passes = 0;
  const count_objects = () => ++passes * 0;
  const scan_objects = function* () {
    yield* [];
    return 0;
  };
  const options = { flags: 0, count_objects, scan_objects };
  shrinker_register(k, shrinker_alloc(k, "counter", options));
  assert.equal(run(try_to_free_pages(k, GFP_KERNEL)), 0);
  assert.equal(passes, 2 * (DEF_PRIORITY + 1));
  assert.equal(k.vm_event.allocstall_normal, 2);
});

Deno.test("a node's kswapd takes from its own node only", () => {
  const machine = makeMachine({ frames: 256, nodes: 2, debug: true });
  const { k } = machine;
  const program = machine.spawn({ pages: 200 });
  for (let page = 0; page < 200; page++) {
    program.write(page, pageOf("text", page));
  }
  machine.settle();
  const listed = (nid: number) =>
    k.root_mem_cgroup.nodeinfo[nid]!.lruvec.lru_size.reduce((a, b) => a + b);
  const before = [listed(0), listed(1)];
  const { zone } = k.nodes[1]!;
  const wanted = zone.free_list.length + 10;
  Object.assign(zone.watermark, { high: wanted });
  run(kswapd(k, k.nodes[1]!), () => idleUntilNextEvent(k.clock));
  assert.ok(zone.free_list.length > wanted);
  assert.equal(listed(0), before[0]);
  assert.ok(listed(1) < before[1]!);
});

Deno.test("programs on both nodes, above their memory, keep every byte", () => {
  const machine = makeMachine({ frames: 128, nodes: 2, cpus: 2, debug: true });
  const programs = [0, 1].map(() => machine.spawn({ pages: 90 }));
  for (let page = 0; page < 90; page++) {
    for (const program of programs) program.write(page, pageOf("text", page));
  }
  machine.settle();
  for (const program of programs) {
    for (let page = 0; page < 90; page += 7) {
      assert.deepEqual(program.read(page), pageOf("text", page));
    }
  }
  for (const { kswapd_failures, zone } of machine.k.nodes) {
    assert.equal(kswapd_failures, 0);
    assert.ok(zone.free_list.length >= zone.watermark.min);
  }
});
