import assert from "node:assert/strict";
import { makeOp, pause, run, type Task } from "swaplab/sim/task.ts";
import type { Kernel } from "swaplab/mm/mm_types.ts";
import { makeCgroup, removeCgroup } from "swaplab/mm/memcontrol_css.ts";
import {
  DEFAULT_SEEKS,
  reparent_shrinker_deferred,
  set_shrinker_bit,
  SHRINK_EMPTY,
  shrink_slab,
  SHRINK_STOP,
  type Shrinker,
  shrinker_alloc,
  SHRINKER_MEMCG_AWARE,
  SHRINKER_NUMA_AWARE,
  shrinker_register,
  shrinkTarget,
} from "swaplab/mm/shrinker.ts";
import { GFP_KERNEL } from "swaplab/mm/page_alloc.ts";
import { scene } from "./helpers.ts";

const seeks = DEFAULT_SEEKS;

// facts 20.6 item 12: delta = 2·(freeable >> priority) for seeks 2.
Deno.test("shrinkTarget() is twice the share, plus what was put off, at most twice all", () => {
  assert.deepEqual(shrinkTarget({ seeks }, 4096, 0, 12), {
    delta: 2,
    total_scan: 2,
  });
  assert.deepEqual(shrinkTarget({ seeks }, 4095, 0, 12).delta, 0);
  assert.deepEqual(shrinkTarget({ seeks }, 1000, 5000, 3), {
    delta: 250,
    total_scan: 875,
  });
  assert.equal(shrinkTarget({ seeks }, 100, 10_000, 0).total_scan, 200);
  assert.equal(shrinkTarget({ seeks: 3 }, 100, 0, 0).delta, 133);
  assert.equal(shrinkTarget({ seeks: 0 }, 101, 0, 12).delta, 50);
});

interface Cache {
  readonly k: Kernel;
  readonly shrinker: Shrinker;
  /** What scan_objects was asked for, call by call. */
  readonly asked: number[];
  objects: number;
  /** What scan_objects answers; by default all that it was asked for. */
  answer: number | null;
}

function cacheOf(objects: number, answer: number | null = null): Cache {
  const { k } = scene().machine;
  const asked: number[] = [];
  const shrinker = shrinker_alloc(k, "test", {
    flags: SHRINKER_NUMA_AWARE | SHRINKER_MEMCG_AWARE,
    count_objects: () => cache.objects,
    scan_objects: function* (_, sc): Task<number> {
      yield* pause(makeOp("lock", "the cache's lock", asked));
      asked.push(sc.nr_to_scan);
      if (cache.answer !== null) return cache.answer;
      const freed = Math.min(sc.nr_to_scan, cache.objects);
      cache.objects -= freed;
      return freed;
    },
  });
  const cache: Cache = { k, shrinker, asked, objects, answer };
  shrinker_register(k, shrinker);
  return cache;
}

function shrink({ k }: Cache, priority: number): number {
  return run(shrink_slab(k, GFP_KERNEL, 0, k.root_mem_cgroup, priority));
}

function putOff({ k, shrinker }: Cache): number {
  const { shrinker_info } = k.root_mem_cgroup.nodeinfo[0]!;
  return shrinker_info.nr_deferred.get(shrinker.id) ?? 0;
}

Deno.test("do_shrink_slab() scans in batches of 128 and puts the rest off", () => {
  const cache = cacheOf(600);
  assert.equal(shrink(cache, 2), 256);
  assert.deepEqual(cache.asked, [128, 128]);
  assert.equal(putOff(cache), 300 - 256);
  assert.equal(cache.k.vm_event.slabs_scanned, 256);
});

Deno.test("do_shrink_slab() does less than a batch only if all is wanted", () => {
  const cache = cacheOf(60);
  assert.equal(shrink(cache, 1), 60);
  assert.deepEqual(cache.asked, [60]);
  const calm = cacheOf(60);
  assert.equal(shrink(calm, 2), 0);
  assert.deepEqual(calm.asked, []);
  assert.equal(putOff(calm), 30);
});

Deno.test("work that is put off adds up to at most twice the objects", () => {
  const cache = cacheOf(100, SHRINK_STOP);
  for (let round = 0; round < 3; round++) assert.equal(shrink(cache, 0), 0);
  assert.equal(putOff(cache), 200);
  assert.deepEqual(cache.asked, [128, 128, 128]);
});

Deno.test("an empty or busy cache is not scanned and keeps what was put off", () => {
  const cache = cacheOf(100);
  shrink(cache, 3);
  assert.equal(putOff(cache), 24);
  for (const nothing of [0, SHRINK_EMPTY]) {
    cache.objects = nothing;
    assert.equal(shrink(cache, 0), 0);
  }
  assert.deepEqual(cache.asked, []);
  assert.equal(putOff(cache), 24);
});

Deno.test("shrinker_register() refuses the same shrinker twice", () => {
  const { k, shrinker } = cacheOf(1);
  assert.throws(() => shrinker_register(k, shrinker), /registered already/);
});

/** A group in the cache's machine, and what shrink_slab() frees of it. */
function groupOf({ k }: Cache) {
  const memcg = makeCgroup(k, k.root_mem_cgroup, "group");
  const { shrinker_info } = memcg.nodeinfo[0]!;
  const free = () => run(shrink_slab(k, GFP_KERNEL, 0, memcg, 0));
  return { memcg, shrinker_info, free };
}

Deno.test("a group is asked only for the caches whose bit it has", () => {
  const cache = cacheOf(100);
  const { k, shrinker } = cache;
  const { memcg, free } = groupOf(cache);
  assert.equal(free(), 0);
  set_shrinker_bit(k, memcg, 0, shrinker.id);
  assert.equal(free(), 100);
});

Deno.test("the bit goes when the cache is empty, unless something came meanwhile", () => {
  const cache = cacheOf(SHRINK_EMPTY);
  const { k, shrinker } = cache;
  const { memcg, shrinker_info, free } = groupOf(cache);
  set_shrinker_bit(k, memcg, 0, shrinker.id);
  assert.equal(free(), 0);
  assert.equal(shrinker_info.map.size, 0);

  // The first look finds nothing, the second one finds what was just added.
  set_shrinker_bit(k, memcg, 0, shrinker.id);
  const counts = [SHRINK_EMPTY, 50];
  Object.defineProperty(cache, "objects", {
    get: () => counts.length > 1 ? counts.shift() : counts[0],
    set: () => {},
  });
  assert.equal(free(), 50);
  assert.ok(shrinker_info.map.has(shrinker.id));
});

Deno.test("the bit stays when the cache only says 'not now'", () => {
  const cache = cacheOf(0);
  const { memcg, shrinker_info, free } = groupOf(cache);
  set_shrinker_bit(cache.k, memcg, 0, cache.shrinker.id);
  free();
  assert.equal(shrinker_info.map.size, 1);
});

Deno.test("the root group has no bits, and an unknown bit goes", () => {
  const cache = cacheOf(10);
  const { k } = cache;
  set_shrinker_bit(k, k.root_mem_cgroup, 0, cache.shrinker.id);
  assert.equal(k.root_mem_cgroup.nodeinfo[0]!.shrinker_info.map.size, 0);
  const { memcg, shrinker_info, free } = groupOf(cache);
  set_shrinker_bit(k, memcg, 0, 77);
  free();
  assert.equal(shrinker_info.map.size, 0);
});

Deno.test("reparent_shrinker_deferred() leaves the work to the parent", () => {
  const cache = cacheOf(100, SHRINK_STOP);
  const { k, shrinker } = cache;
  const { memcg, shrinker_info, free } = groupOf(cache);
  set_shrinker_bit(k, memcg, 0, shrinker.id);
  free();
  assert.equal(shrinker_info.nr_deferred.get(shrinker.id), 200);
  reparent_shrinker_deferred(k, memcg);
  assert.equal(putOff(cache), 200);
});

Deno.test("a group that is removed leaves the work that was put off to its parent", () => {
  const cache = cacheOf(100, SHRINK_STOP);
  const { k, shrinker } = cache;
  const { memcg, free } = groupOf(cache);
  set_shrinker_bit(k, memcg, 0, shrinker.id);
  free();
  assert.equal(run(removeCgroup(k, memcg)), 0);
  assert.equal(putOff(cache), 200);
});
