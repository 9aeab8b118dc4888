import assert from "node:assert/strict";
import { SHRINK_STOP } from "swaplab/mm/shrinker.ts";
import {
  makeZsmalloc,
  zs_create_pool,
  zs_shrinker_count,
} from "swaplab/mm/zsmalloc.ts";
import { zswap_zpool_param_set } from "swaplab/mm/zswap_param.ts";
import { zswap_pool_current } from "swaplab/mm/zswap_pool.ts";
import { bytesOf, gfp, poisonedFrames, put } from "./zpool_helpers.ts";
import { stage } from "./zswap_helpers.ts";

Deno.test("zs_shrinker_count() divides before it multiplies", () => {
  const zs = zs_create_pool(poisonedFrames());
  const pool = makeZsmalloc(zs);
  // Class 3632: nine objects in eight frames. 27 objects are three zspages.
  const handles = Array.from(
    { length: 27 },
    (_, i) => put(pool, bytesOf(i, 3624)),
  );
  // 17 objects free: 17 / 9 is one zspage, so 8 frames and not 15.
  for (const handle of handles.slice(0, 17)) {
    // The first nine would free their zspage at once: keep one of each.
    pool.free(handle);
  }
  assert.equal(pool.total_pages(), 16);
  // The first zspage went with its last object: 8 of the 18 left are free.
  assert.equal(zs_shrinker_count(zs), 0);
  pool.free(handles[18]!);
  assert.equal(zs_shrinker_count(zs), 8);
});

Deno.test("a machine's reclaim asks zsmalloc to compact, while it has a pool", () => {
  const set = stage({ zswap: { zpool: "zsmalloc" } });
  const { k } = set;
  const names = () => k.shrinker_list.map(({ name }) => name).sort();
  assert.deepEqual(names(), ["mm-zspool", "mm-zswap"]);
  const { zpool } = zswap_pool_current(k)!;
  const handles = Array.from({ length: 18 }, () => zpool.malloc(3624, gfp));
  for (const i of [0, 1, 2, 3, 9, 10, 11, 12, 13]) zpool.free(handles[i]!);
  const sc = { gfp_mask: 0, nid: 0, memcg: null, nr_to_scan: 9, nr_scanned: 9 };
  const shrinker = k.shrinker_list.find(({ name }) => name === "mm-zspool")!;
  assert.equal(shrinker.count_objects(k, sc), 8);
  assert.equal(zpool.total_pages(), 16);
  assert.equal(set.run(shrinker.scan_objects(k, sc)), 8);
  assert.equal(zpool.total_pages(), 8);
  assert.equal(set.run(shrinker.scan_objects(k, sc)), SHRINK_STOP);

  for (const handle of handles) {
    if (![0, 1, 2, 3, 9, 10, 11, 12, 13].includes(handles.indexOf(handle))) {
      zpool.free(handle);
    }
  }
  set.run(zswap_zpool_param_set(k, "zbud"));
  assert.deepEqual(names(), ["mm-zswap"]);
});
