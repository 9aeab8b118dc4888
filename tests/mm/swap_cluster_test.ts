import assert from "node:assert/strict";
import { entriesOf, type ListHead } from "swaplab/base/list.ts";
import { checkClusters } from "swaplab/lab/invariants_swap.ts";
import { makeMachine } from "swaplab/lab/machine.ts";
import type { MachineOptions } from "swaplab/lab/options.ts";
import { takeWork } from "swaplab/locking/workqueue.ts";
import type { Kernel, SwapInfoStruct } from "swaplab/mm/mm_types.ts";
import { folio_alloc, folio_put, GFP_KERNEL } from "swaplab/mm/page_alloc.ts";
import { folio_trylock, folio_unlock } from "swaplab/mm/page_flags.ts";
import {
  SWAP_FLAG_DISCARD,
  SWAP_FLAG_DISCARD_PAGES,
  SWAPFILE_CLUSTER,
} from "swaplab/mm/swap.ts";
import {
  get_swap_pages,
  swapcache_free_entries,
} from "swaplab/mm/swap_alloc.ts";
import type { SwapClusterInfo } from "swaplab/mm/swap_info.ts";
import { add_to_swap_cache } from "swaplab/mm/swap_state.ts";
import { sys_swapon } from "swaplab/mm/swapon.ts";
import { vm_swap_full } from "swaplab/mm/swapfile.ts";
import { swp_entry, swp_offset, type SwpEntry } from "swaplab/mm/swapops.ts";
import { run } from "swaplab/sim/task.ts";

interface World {
  readonly k: Kernel;
  readonly si: SwapInfoStruct;
}

function world(pages: number, options: MachineOptions = {}): World {
  const { k } = makeMachine({ frames: 64, swap: { pages }, ...options });
  return { k, si: k.swap_info[0]! };
}

/** The offsets of `n` slots, taken as one CPU does. */
function take({ k, si }: World, n: number): number[] {
  const taken: number[] = [];
  while (taken.length < n) {
    const batch: SwpEntry[] = [];
    const got = run(get_swap_pages(k, n - taken.length, batch));
    if (got === 0) break;
    taken.push(...batch.slice(0, got).map(swp_offset));
  }
  checkClusters(si);
  return taken;
}

function give({ k, si }: World, offsets: readonly number[]): void {
  const entries = offsets.map((offset) => swp_entry(si.type, offset));
  run(swapcache_free_entries(k, entries));
  checkClusters(si);
}

/** The slot's users are gone, its folio is in the swap cache. */
function makeCacheOnly({ k, si }: World, offset: number, locked = false) {
  const folio = run(folio_alloc(k, GFP_KERNEL))!;
  folio_trylock(folio);
  const entry = swp_entry(si.type, offset);
  run(add_to_swap_cache(k, folio, entry, GFP_KERNEL));
  if (!locked) folio_unlock(folio);
  folio_put(k, folio);
}

const indexes = (list: ListHead<SwapClusterInfo>) =>
  [...entriesOf(list)].map(({ index }) => index);

const onCpu = (k: Kernel, cpu: number) => {
  k.current = { ...k.current, cpu };
};

Deno.test("the first slot of a fresh device with clusters is 512", () => {
  const set = world(2048);
  assert.deepEqual(take(set, 3), [512, 513, 514]);
});

Deno.test("cluster 0 and a short last cluster start on nonfull, pre-counted", () => {
  const { si } = world(1024 + 100);
  assert.deepEqual(indexes(si.nonfull_clusters), [0, 2]);
  assert.deepEqual(indexes(si.free_clusters), [1]);
  assert.deepEqual(si.cluster_info!.map(({ count }) => count), [1, 0, 412]);
});

Deno.test("a device of 100 slots is one cluster; its first slot is 1", () => {
  const set = world(100);
  assert.equal(set.si.cluster_info![0]!.count, 1 + 412);
  const slots = take(set, 200);
  assert.deepEqual(slots, Array.from({ length: 99 }, (_, i) => i + 1));
  assert.deepEqual(indexes(set.si.full_clusters), [0]);
});

Deno.test("the free list of a new device goes by columns of 32 clusters", () => {
  const { si } = world(66 * SWAPFILE_CLUSTER);
  const expected = [32, 64, 1, 33, 65];
  for (let i = 2; i < 32; i++) expected.push(i, i + 32);
  assert.deepEqual(indexes(si.free_clusters), expected);
});

Deno.test("up to 64 MiB the free list is in natural order", () => {
  const { si } = world(32 * SWAPFILE_CLUSTER);
  const expected = Array.from({ length: 31 }, (_, i) => i + 1);
  assert.deepEqual(indexes(si.free_clusters), expected);
});

Deno.test("each CPU goes on in a cluster of its own", () => {
  const set = world(4096, { cpus: 2 });
  assert.deepEqual(take(set, 2), [512, 513]);
  onCpu(set.k, 1);
  assert.deepEqual(take(set, 2), [1024, 1025]);
  onCpu(set.k, 0);
  assert.deepEqual(take(set, 2), [514, 515]);
  assert.deepEqual(set.si.percpu_cluster, [516, 1026]);
});

Deno.test("a full cluster leaves no hint and goes to the full list", () => {
  const set = world(2048);
  const slots = take(set, 512);
  assert.equal(slots[511], 1023);
  assert.deepEqual(set.si.percpu_cluster, [0]);
  assert.deepEqual(indexes(set.si.full_clusters), [1]);
  assert.deepEqual(take(set, 1), [1024]);
});

Deno.test("the hint is 0 too when no room is left before the cluster's end", () => {
  const set = world(2048);
  take(set, 512);
  give(set, [600]);
  // Down to the last slot of cluster 2; 600 is in another one.
  take(set, 510);
  assert.deepEqual(set.si.percpu_cluster, [1534]);
  give(set, [1100]);
  assert.deepEqual(take(set, 2), [1534, 1535]);
  assert.deepEqual(set.si.percpu_cluster, [0]);
});

Deno.test("one freed slot makes a full cluster nonfull, the last one free", () => {
  const set = world(2048);
  const slots = take(set, 512);
  give(set, [slots[100]!]);
  assert.deepEqual(indexes(set.si.nonfull_clusters), [0, 1]);
  give(set, slots.filter((_, i) => i !== 100));
  assert.deepEqual(indexes(set.si.nonfull_clusters), [0]);
  assert.deepEqual(indexes(set.si.free_clusters), [2, 3, 1]);
});

Deno.test("free clusters are used up before a freed slot comes again", () => {
  const set = world(2048);
  const [first] = take(set, 1);
  give(set, [first!]);
  assert.ok(!take(set, 3 * 512).includes(0));
  assert.deepEqual(indexes(set.si.free_clusters), []);
});

Deno.test("without free clusters: nonfull ones in order, each moved to frag", () => {
  const set = world(1536);
  take(set, 1024);
  give(set, [700, 1200]);
  assert.deepEqual(indexes(set.si.nonfull_clusters), [0, 1, 2]);
  assert.deepEqual(take(set, 1), [1]);
  assert.deepEqual(indexes(set.si.frag_clusters), [0]);
  // Cluster 0 is this CPU's; full, it leaves frag and its counter.
  take(set, 510);
  assert.deepEqual(indexes(set.si.full_clusters), [0]);
  assert.equal(set.si.frag_cluster_nr, 0);
  assert.deepEqual(take(set, 3), [700, 1200]);
});

Deno.test("a slot freed in a frag cluster takes it back to nonfull", () => {
  const set = world(1024, { cpus: 2 });
  take(set, 512 + 3);
  assert.deepEqual(indexes(set.si.frag_clusters), [0]);
  assert.equal(set.si.frag_cluster_nr, 1);
  give(set, [2]);
  assert.deepEqual(indexes(set.si.nonfull_clusters), [0]);
  assert.equal(set.si.frag_cluster_nr, 0);
});

Deno.test("frag clusters are searched in turns when nothing else is left", () => {
  const set = world(1536, { cpus: 3 });
  take(set, 1024);
  give(set, [512, 513, 1024, 1025]);
  onCpu(set.k, 1);
  take(set, 1);
  onCpu(set.k, 2);
  take(set, 1);
  assert.equal(set.si.nonfull_clusters.next.owner?.index, 2);
  onCpu(set.k, 0);
  set.si.percpu_cluster.fill(0);
  take(set, 1);
  set.si.percpu_cluster.fill(0);
  const before = indexes(set.si.frag_clusters);
  assert.deepEqual(before, [0, 1, 2]);
  take(set, 1);
  assert.deepEqual(indexes(set.si.frag_clusters), [1, 2, 0]);
});

Deno.test("a cache-only slot is not taken while swap is not full", () => {
  const set = world(100);
  const [first] = take(set, 1);
  makeCacheOnly(set, first!);
  set.si.percpu_cluster[0] = first!;
  assert.ok(!vm_swap_full(set.k));
  assert.deepEqual(take(set, 1), [2]);
});

Deno.test("when swap is full a search takes a cache-only slot back", () => {
  const set = world(100);
  take(set, 60);
  makeCacheOnly(set, 7);
  assert.ok(vm_swap_full(set.k));
  set.si.percpu_cluster[0] = 0;
  assert.deepEqual(take(set, 1), [7]);
});

Deno.test("a cache-only slot whose folio is locked is passed over", () => {
  const set = world(100);
  take(set, 60);
  makeCacheOnly(set, 7, true);
  set.si.percpu_cluster[0] = 0;
  assert.deepEqual(take(set, 1), [61]);
});

Deno.test("without free clusters the cache-only slots of one full cluster come back", () => {
  const set = world(2048);
  take(set, 1536);
  for (const offset of [520, 521, 1100]) makeCacheOnly(set, offset);
  assert.deepEqual(indexes(set.si.full_clusters), [1, 2, 3]);
  // Taken from nonfull cluster 0; cluster 1 only gave its two slots back.
  assert.deepEqual(take(set, 1), [1]);
  assert.equal(set.si.inuse_pages, 1536 - 2 + 1);
  assert.deepEqual(indexes(set.si.full_clusters), [2, 3]);
});

Deno.test("a device that becomes full queues the work that takes slots back", () => {
  const set = world(2048);
  take(set, 2046);
  for (const offset of [520, 1100, 1700]) makeCacheOnly(set, offset);
  assert.equal(takeWork(set.k.workqueue), null);
  take(set, 1);
  assert.equal(set.si.highest_bit, 0);
  const work = takeWork(set.k.workqueue)!;
  assert.equal(work.name, "swap_reclaim_work");
  // 2047 slots in use: three clusters, and all three are looked at.
  run(work.func());
  assert.equal(set.si.inuse_pages, 2047 - 3);
});

function discarding(): World {
  const { k } = makeMachine({ frames: 64, swap: [{ pages: 1536 }] });
  const disk = k.swap_info[0]!.disk;
  const fresh = makeMachine({ frames: 64, swap: false }).k;
  const swap_flags = SWAP_FLAG_DISCARD | SWAP_FLAG_DISCARD_PAGES;
  const si = sys_swapon(fresh, disk, { swap_flags });
  assert.ok(typeof si !== "number");
  return { k: fresh, si };
}

Deno.test("an empty cluster reads as bad until the device was told", () => {
  const set = discarding();
  const slots = take(set, 512);
  give(set, slots);
  assert.deepEqual(indexes(set.si.discard_clusters), [1]);
  assert.ok(set.si.swap_map.subarray(512, 1024).every((b) => b === 0x3f));
  run(takeWork(set.k.workqueue)!.func());
  assert.deepEqual(indexes(set.si.free_clusters), [2, 1]);
  assert.ok(set.si.swap_map.subarray(512, 1024).every((b) => b === 0));
});

Deno.test("an allocation that finds nothing else does the discards itself", () => {
  const set = discarding();
  const first = take(set, 512);
  take(set, 512 + 511);
  assert.equal(set.si.highest_bit, 0);
  give(set, first);
  assert.deepEqual(take(set, 1), [512]);
});

Deno.test("the two kinds: a hard disk has no clusters and begins at slot 1", () => {
  const { k } = makeMachine({ frames: 64, swap: { kind: "hdd", pages: 2048 } });
  const si = k.swap_info[0]!;
  assert.equal(si.cluster_info, null);
  assert.equal(k.nr_rotate_swap, 1);
  assert.deepEqual(take({ k, si }, 2), [1, 2]);
});
