import assert from "node:assert/strict";
import { ENOENT, ENOMEM } from "swaplab/base/errno.ts";
import { entriesOf } from "swaplab/base/list.ts";
import { swapper } from "swaplab/lab/machine.ts";
import { report } from "swaplab/lab/report.ts";
import { setZswap } from "swaplab/lab/zswap_knobs.ts";
import type { Kernel } from "swaplab/mm/mm_types.ts";
import { nr_free_pages } from "swaplab/mm/page_alloc.ts";
import { zswap_never_enabled } from "swaplab/mm/zswap.ts";
import {
  zswap_accept_thr_pages,
  zswap_max_pages,
  zswap_pool_current,
  zswap_total_pages,
} from "swaplab/mm/zswap_pool.ts";
import {
  zswap_compressor_param_set,
  zswap_enabled_param_set,
  zswap_zpool_param_set,
} from "swaplab/mm/zswap_param.ts";
import { pageOf, pushOut, type Scene, scene } from "./helpers.ts";

/** "lz4/zbud:3 null/z3fold:0": every pool and its entries, current first. */
function pools(k: Kernel): string {
  const current = zswap_pool_current(k);
  return [...entriesOf(k.zswap.pools)].map((pool) => {
    const entries = pool.ref.count - (pool === current ? 1 : 0);
    return `${pool.tfm_name}/${pool.zpool.type}:${entries}`;
  }).join(" ");
}

/** Page 0 is in zswap; some others went with it. */
function stored(options = {}): Scene {
  const set = scene({ frames: 64, ...options });
  set.program.write(0, pageOf("python"));
  pushOut(set, 0, "python");
  return set;
}

function setCompressor({ machine }: Scene, name: string): number {
  return machine.run(zswap_compressor_param_set(machine.k, name), swapper);
}

function setZpool({ machine }: Scene, name: string): number {
  return machine.run(zswap_zpool_param_set(machine.k, name), swapper);
}

Deno.test("a new compressor gets a pool of its own; old pages stay and load", () => {
  const set = stored();
  const { k } = set.machine;
  const before = k.zswap.stored_pages;
  assert.equal(setCompressor(set, "deflate"), 0);
  assert.equal(pools(k), `deflate/zbud:0 lz4/zbud:${before}`);
  assert.equal(k.zswap.compressor, "deflate");
  assert.deepEqual(set.program.read(0), pageOf("python"));
});

Deno.test("new pages go to the new pool only", () => {
  // Readahead would bring neighbours back and leave page 50 no time.
  const set = stored({ pageCluster: 0 });
  const { k } = set.machine;
  const before = k.zswap.stored_pages;
  setZpool(set, "zsmalloc");
  set.program.write(50, pageOf("node"));
  pushOut(set, 50, "python");
  const [current, former] = [...entriesOf(k.zswap.pools)];
  assert.equal(current!.zpool.type, "zsmalloc");
  assert.ok(current!.ref.count > 1);
  assert.ok((former?.ref.count ?? 0) <= before);
});

Deno.test("zswap_total_pages() counts the old pools, too", () => {
  const set = stored();
  const { k } = set.machine;
  const before = zswap_total_pages(k);
  assert.ok(before > 0);
  setCompressor(set, "deflate");
  assert.equal(zswap_total_pages(k), before);
  assert.equal(zswap_pool_current(k)!.zpool.total_pages(), 0);
  assert.equal(report(set.machine).zswap.pool_total_size, before * 4096);
});

Deno.test("an old pool vanishes with its last entry, frames and all", () => {
  const set = stored();
  const { k } = set.machine;
  setCompressor(set, "deflate");
  const free = nr_free_pages(k);
  const pages = zswap_total_pages(k);
  set.program.exit();
  assert.equal(pools(k), "deflate/zbud:0");
  assert.equal(zswap_total_pages(k), 0);
  assert.ok(nr_free_pages(k) >= free + pages);
});

Deno.test("an empty pool vanishes as soon as another is chosen", () => {
  const { machine } = scene();
  setZswap(machine, { compressor: "deflate" });
  assert.equal(pools(machine.k), "deflate/zbud:0");
});

Deno.test("a kind chosen again while it still has entries comes back", () => {
  const set = stored();
  const { k } = set.machine;
  const former = zswap_pool_current(k)!;
  const before = k.zswap.stored_pages;
  setCompressor(set, "deflate");
  assert.ok(former.ref.dead);
  setCompressor(set, "lz4");
  assert.equal(zswap_pool_current(k), former);
  assert.ok(!former.ref.dead);
  assert.equal(pools(k), `lz4/zbud:${before}`);
});

Deno.test("choosing what is current already does nothing", () => {
  const set = stored();
  const { k } = set.machine;
  const pool = zswap_pool_current(k)!;
  const count = pool.ref.count;
  assert.equal(setCompressor(set, "lz4"), 0);
  assert.equal(setZpool(set, "zbud"), 0);
  assert.equal(zswap_pool_current(k), pool);
  assert.equal(pool.ref.count, count);
});

Deno.test("an unknown name is -ENOENT, and the current pool stays", () => {
  const set = stored();
  const { k } = set.machine;
  const before = pools(k);
  assert.equal(setCompressor(set, "zip"), -ENOENT);
  assert.equal(setZpool(set, "slab"), -ENOENT);
  assert.equal(pools(k), before);
  assert.deepEqual([k.zswap.compressor, k.zswap.zpool], ["lz4", "zbud"]);
});

Deno.test("a name that cannot be kept: the new pool is given up again", () => {
  const set = stored();
  const { k } = set.machine;
  const before = pools(k);
  k.inject.zswapParameters = 1;
  assert.equal(setCompressor(set, "deflate"), -ENOMEM);
  assert.equal(pools(k), before);
  assert.equal(k.zswap.compressor, "lz4");
});

Deno.test("a name that cannot be kept: a reused pool goes back among the old", () => {
  const set = stored();
  const { k } = set.machine;
  const before = k.zswap.stored_pages;
  setCompressor(set, "deflate");
  k.inject.zswapParameters = 1;
  assert.equal(setCompressor(set, "lz4"), -ENOMEM);
  assert.equal(pools(k), `deflate/zbud:0 lz4/zbud:${before}`);
  set.program.exit();
  assert.equal(pools(k), "deflate/zbud:0");
});

Deno.test("three kinds at once: each page loads from the pool it went to", () => {
  const set = scene({ frames: 64, zswap: { maxPoolPercent: 60 } });
  const kinds = ["lz4", "deflate", "lz4js"] as const;
  kinds.forEach((compressor, page) => {
    setZswap(set.machine, { compressor });
    set.program.write(page, pageOf("python", page));
    pushOut(set, page, "text");
  });
  assert.equal(pools(set.machine.k).split(" ").length, 3);
  kinds.forEach((_, page) =>
    assert.deepEqual(set.program.read(page), pageOf("python", page))
  );
});

Deno.test("zswap_never_enabled() until it is enabled, then no more", () => {
  const { machine, program } = scene({ zswap: { enabled: false } });
  const { k } = machine;
  assert.ok(zswap_never_enabled(k));
  assert.equal(pools(k), "");
  assert.equal(zswap_enabled_param_set(k, true), 0);
  assert.equal(pools(k), "lz4/zbud:0");
  assert.ok(!zswap_never_enabled(k));
  program.write(0, pageOf("python"));
  pushOut({ machine, program }, 0);
  assert.ok(k.zswap.stored_pages > 0);
  zswap_enabled_param_set(k, false);
  assert.ok(!zswap_never_enabled(k));
});

Deno.test("before the first pool a new name is only remembered", () => {
  const { machine } = scene({ zswap: { enabled: false } });
  setZswap(machine, { compressor: "deflate", zpool: "z3fold" });
  assert.equal(pools(machine.k), "");
  setZswap(machine, { enabled: true });
  assert.equal(pools(machine.k), "deflate/z3fold:0");
});

// 8 GiB with the defaults: facts 16.4.
Deno.test("zswap_max_pages() and the accept threshold round down", () => {
  const { k } = scene().machine;
  const large = { ...k, totalram_pages: 2_097_152 };
  assert.equal(zswap_max_pages(large), 419_430);
  assert.equal(zswap_accept_thr_pages(large), 377_487);
});

Deno.test("setZswap() refuses what makes no sense and changes nothing", () => {
  const { machine } = scene();
  const wrong: [object, RegExp][] = [
    [{ compressor: "zip" }, /compressor: wanted one of .*lz4.*"zip"/],
    [{ zpool: "slab", maxPoolPercent: 7 }, /zpool: wanted one of zbud/],
    [{ maxPoolPercent: 0 }, /maxPoolPercent: .*1 to 100, got 0/],
    [{ shrinkerEnabled: 1 }, /shrinkerEnabled: wanted true or false, got 1/],
    [{ chainSize: 4 }, /chainSize: can be set only by makeMachine/],
    [{ speed: 4 }, /no option "speed"/],
  ];
  for (const [knobs, message] of wrong) {
    assert.throws(() => setZswap(machine, knobs), { message });
  }
  assert.equal(machine.k.zswap.max_pool_percent, 20);
  assert.equal(pools(machine.k), "lz4/zbud:0");
});

Deno.test("setZswap() turns every knob", () => {
  const { machine } = scene();
  setZswap(machine, {
    enabled: false,
    maxPoolPercent: 33,
    acceptThresholdPercent: 44,
    shrinkerEnabled: true,
  });
  const { zswap } = machine.k;
  assert.deepEqual(
    [zswap.enabled, zswap.max_pool_percent, zswap.accept_threshold_percent],
    [false, 33, 44],
  );
  assert.ok(zswap.shrinker_enabled);
});

Deno.test("the chain size of a machine is that of its zsmalloc", () => {
  const big = { frames: 256, debug: false };
  const used = [4, 8].map((chainSize) => {
    const { k } = scene({ ...big, zswap: { zpool: "zsmalloc", chainSize } })
      .machine;
    const { zpool } = zswap_pool_current(k)!;
    for (let i = 0; i < 9; i++) zpool.malloc(3624, 0);
    return zpool.total_pages();
  });
  // Nine objects of 3624 bytes: huge with chains of 4; 8 frames with 8.
  assert.deepEqual(used, [9, 8]);
});
