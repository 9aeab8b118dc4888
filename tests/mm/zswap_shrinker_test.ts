import assert from "node:assert/strict";
import { report } from "swaplab/lab/report.ts";
import { zswap_writeback_write } from "swaplab/mm/memcontrol_files.ts";
import { memcg_page_state } from "swaplab/mm/memcontrol_stat.ts";
import type { Kernel, MemCgroup } from "swaplab/mm/mm_types.ts";
import { __GFP_FS, __GFP_IO, GFP_KERNEL } from "swaplab/mm/page_alloc.ts";
import { shrink_slab, SHRINK_STOP } from "swaplab/mm/shrinker.ts";
import { zswap_store } from "swaplab/mm/zswap.ts";
import {
  offeredPages,
  zswap_shrinker_count,
  zswap_shrinker_scan,
} from "swaplab/mm/zswap_shrinker.ts";
import { pageOf, pushOut, scene } from "./helpers.ts";
import {
  group,
  makeOld,
  type Stage,
  stage,
  storeMany,
  victim,
} from "./zswap_helpers.ts";

// Facts 16.4.
Deno.test("1000 entries, 300 swap-ins, 400 of 1200 pages: 233 are offered", () => {
  assert.deepEqual(offeredPages(1000, 300, 400, 1200), {
    offered: 233,
    swapinsLeft: 0,
  });
});

Deno.test("300 entries, 1000 swap-ins: nothing, and 700 swap-ins are left", () => {
  assert.deepEqual(offeredPages(300, 1000, 400, 1200), {
    offered: 0,
    swapinsLeft: 700,
  });
});

Deno.test("as many swap-ins as entries: nothing, and none is left", () => {
  assert.deepEqual(offeredPages(300, 300, 400, 1200), {
    offered: 0,
    swapinsLeft: 0,
  });
});

const enabled = { zswap: { shrinkerEnabled: true } };

function request(memcg: MemCgroup | null, gfp_mask = GFP_KERNEL) {
  return { gfp_mask, nid: 0, memcg, nr_to_scan: 128, nr_scanned: 128 };
}

/** A group with 20 old entries. */
function filled(options = {}): Stage & { memcg: MemCgroup } {
  const set = stage({ ...enabled, ...options });
  const memcg = group(set, "a");
  storeMany(set, 20, memcg);
  makeOld(set);
  return { ...set, memcg };
}

function swapins(memcg: MemCgroup) {
  return memcg.nodeinfo[0]!.lruvec.zswap_lruvec_state;
}

Deno.test("zswap_shrinker_count() scales by what the group's pages take", () => {
  const { k, memcg } = filled();
  const backing = Math.floor(memcg_page_state(memcg, "MEMCG_ZSWAP_B") / 4096);
  const expected = Math.floor((20 * backing) / 20);
  assert.equal(zswap_shrinker_count(k, request(memcg)), expected);
  assert.ok(expected > 0 && expected < 20);
});

Deno.test("zswap_shrinker_count() uses the swap-ins up", () => {
  const { k, memcg } = filled();
  const all = zswap_shrinker_count(k, request(memcg));
  swapins(memcg).nr_disk_swapins = 10;
  const half = zswap_shrinker_count(k, request(memcg));
  assert.equal(half, Math.floor(all / 2));
  assert.equal(swapins(memcg).nr_disk_swapins, 0);
  swapins(memcg).nr_disk_swapins = 50;
  assert.equal(zswap_shrinker_count(k, request(memcg)), 0);
  assert.equal(swapins(memcg).nr_disk_swapins, 30);
});

Deno.test("zswap_shrinker_count() is 0, not empty, whenever it must not", () => {
  const { k, memcg } = filled();
  assert.equal(zswap_shrinker_count(k, request(memcg, __GFP_IO)), 0);
  assert.equal(zswap_shrinker_count(k, request(memcg, __GFP_FS)), 0);
  k.zswap.shrinker_enabled = false;
  assert.equal(zswap_shrinker_count(k, request(memcg)), 0);
  k.zswap.shrinker_enabled = true;
  zswap_writeback_write(memcg, "0");
  swapins(memcg).nr_disk_swapins = 5;
  assert.equal(zswap_shrinker_count(k, request(memcg)), 0);
  // It did not even look.
  assert.equal(swapins(memcg).nr_disk_swapins, 5);
});

Deno.test("the root group's own pages are not counted as stored: 0", () => {
  const set = stage(enabled);
  storeMany(set, 20);
  makeOld(set);
  const { k } = set;
  assert.equal(zswap_shrinker_count(k, request(k.root_mem_cgroup)), 0);
});

Deno.test("zswap_shrinker_scan() evicts, and gives fresh entries a chance", () => {
  const { k, memcg, run } = filled();
  assert.equal(run(zswap_shrinker_scan(k, request(memcg))), 20);
  assert.equal(k.zswap.written_back_pages, 20);
  assert.equal(k.zswap.stored_pages, 0);

  const fresh = stage(enabled);
  const other = group(fresh, "b");
  storeMany(fresh, 5, other);
  const sc = { ...request(other), nr_to_scan: 5 };
  assert.equal(fresh.run(zswap_shrinker_scan(fresh.k, sc)), SHRINK_STOP);
  assert.equal(fresh.run(zswap_shrinker_scan(fresh.k, { ...sc })), SHRINK_STOP);
});

Deno.test("zswap_shrinker_scan() that is off scans nothing and says stop", () => {
  const { k, memcg, run } = filled();
  k.zswap.shrinker_enabled = false;
  const sc = request(memcg);
  assert.equal(run(zswap_shrinker_scan(k, sc)), SHRINK_STOP);
  assert.equal(sc.nr_scanned, 0);
});

Deno.test("a page in the swap cache ends the walk of the dynamic shrinker", () => {
  const set = stage(enabled);
  const { k } = set;
  const memcg = group(set, "a");
  storeMany(set, 3, memcg);
  const folio = victim(set, memcg);
  set.run(zswap_store(k, folio));
  storeMany(set, 3, memcg);
  makeOld(set);
  assert.equal(set.run(zswap_shrinker_scan(k, request(memcg))), SHRINK_STOP);
  // The three before it are gone, the three behind it were not reached.
  assert.equal(k.zswap.written_back_pages, 3);
  assert.equal(k.zswap.reject_reclaim_fail, 1);
  assert.equal(k.zswap.stored_pages, 4);
});

Deno.test("zswap_lru = pool: there is no dynamic shrinker yet", () => {
  const set = stage(enabled, { zswap_lru: "pool" });
  const memcg = group(set, "a");
  storeMany(set, 20, memcg);
  makeOld(set);
  assert.equal(zswap_shrinker_count(set.k, request(memcg)), 0);
});

Deno.test("reclaim of a group asks zswap for that group's entries only", () => {
  const { k, memcg, run } = filled();
  const set = { k, run } as Stage;
  const other = group(set, "b");
  storeMany(set, 20, other);
  makeOld(set);
  run(shrink_slab(k, GFP_KERNEL, 0, memcg, 0));
  assert.ok(k.zswap.written_back_pages > 0);
  assert.equal(memcg_page_state(other, "MEMCG_ZSWAPPED"), 20);
});

/** Reads from the device that zswap was told of. */
function toldOf(k: Kernel): number {
  return swapins(k.root_mem_cgroup).nr_disk_swapins;
}

Deno.test("nr_disk_swapins counts device reads, zswap on or off; no zswap loads", () => {
  for (const isOn of [true, false]) {
    const set = scene({ zswap: { enabled: isOn } });
    for (let page = 0; page < 100; page++) {
      set.program.write(page, pageOf(isOn ? "python" : "text", page));
    }
    pushOut(set, 0);
    for (let page = 0; page < 100; page++) set.program.read(page);
    const { pswpin } = report(set.machine).vmstat;
    assert.equal(toldOf(set.machine.k), pswpin);
    assert.equal(pswpin > 0, !isOn || pswpin > 0);
  }
});
