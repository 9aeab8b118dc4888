import assert from "node:assert/strict";
import { entriesOf } from "swaplab/base/list.ts";
import { memory_stat_show } from "swaplab/mm/memcontrol_stat.ts";
import {
  clearFlag,
  folio_test_dirty,
  PG_dirty,
  PG_swapcache,
} from "swaplab/mm/page_flags.ts";
import { pageBytes } from "swaplab/mm/page_io.ts";
import { restoreToZswap, zswap_load, zswap_store } from "swaplab/mm/zswap.ts";
import { pageOf } from "./helpers.ts";
import { entryOf, group, leave, stage, victim } from "./zswap_helpers.ts";

/** Store, then load into a folio in or outside the swap cache. */
function loadInto(
  inCache: boolean,
  exclusive_loads: "off" | "on" | "swapcache",
) {
  const set = stage({}, { exclusive_loads });
  const { k } = set;
  const first = victim(set);
  assert.ok(set.run(zswap_store(k, first)));
  const later = victim(set, null, pageOf("text", 1));
  assert.ok(set.run(zswap_store(k, later)));
  clearFlag(first, PG_dirty);
  pageBytes(k, first).fill(0);
  if (!inCache) clearFlag(first, PG_swapcache);
  assert.ok(set.run(zswap_load(k, first)));
  assert.deepEqual(pageBytes(k, first).slice(), pageOf("text"));
  const order = [...entriesOf(k.zswap.list_lru.node[0]!.lru.list)];
  return {
    kept: entryOf(set, first.swap) !== null,
    dirty: folio_test_dirty(first),
    order: order.map((e) => e.swpentry === first.swap ? "loaded" : "later"),
  };
}

Deno.test("exclusive_loads = swapcache: the copy goes iff the folio is in the cache", () => {
  assert.deepEqual(loadInto(true, "swapcache"), {
    kept: false,
    dirty: true,
    order: ["later"],
  });
  assert.deepEqual(loadInto(false, "swapcache"), {
    kept: true,
    dirty: false,
    order: ["loaded", "later"],
  });
});

Deno.test("exclusive_loads = on: the copy goes in any case", () => {
  for (const inCache of [true, false]) {
    const { kept, dirty } = loadInto(inCache, "on");
    assert.deepEqual([kept, dirty], [false, true]);
  }
});

Deno.test("exclusive_loads = off: the copy stays, as the one used last", () => {
  for (const inCache of [true, false]) {
    assert.deepEqual(loadInto(inCache, "off"), {
      kept: true,
      dirty: false,
      order: ["later", "loaded"],
    });
  }
});

Deno.test("exclusive_loads = off: a second store replaces the kept copy", () => {
  const set = stage({}, { exclusive_loads: "off" });
  const { k } = set;
  const folio = victim(set);
  set.run(zswap_store(k, folio));
  set.run(zswap_load(k, folio));
  pageBytes(k, folio).set(pageOf("node"));
  assert.ok(set.run(zswap_store(k, folio)));
  assert.equal(k.zswap.stored_pages, 1);
  set.run(zswap_load(k, folio));
  assert.deepEqual(pageBytes(k, folio).slice(), pageOf("node"));
});

Deno.test("zswap_restore_on_abort: what an exclusive load took is given back", () => {
  for (const zswap_restore_on_abort of ["off", "on"] as const) {
    const set = stage({}, { exclusive_loads: "on", zswap_restore_on_abort });
    const { k } = set;
    const folio = victim(set);
    set.run(zswap_store(k, folio));
    clearFlag(folio, PG_dirty);
    clearFlag(folio, PG_swapcache);
    set.run(zswap_load(k, folio));
    assert.equal(entryOf(set, folio.swap), null);
    assert.ok(set.run(restoreToZswap(k, folio)));
    const restored = entryOf(set, folio.swap) !== null;
    assert.equal(restored, zswap_restore_on_abort === "on");
  }
});

Deno.test("zswap_restore_on_abort: a refused page is lost, and it says so", () => {
  const set = stage({}, {
    exclusive_loads: "on",
    zswap_restore_on_abort: "on",
  });
  const { k } = set;
  const folio = victim(set);
  set.run(zswap_store(k, folio));
  set.run(zswap_load(k, folio));
  k.zswap.enabled = false;
  assert.ok(!set.run(restoreToZswap(k, folio)));
});

Deno.test("a load raises zswpin of the machine and of the group", () => {
  const set = stage();
  const memcg = group(set, "a");
  const folio = victim(set, memcg);
  set.run(zswap_store(set.k, folio));
  set.run(zswap_load(set.k, folio));
  assert.equal(set.k.vm_event.zswpin, 1);
  assert.equal(memory_stat_show(set.k, memcg).zswpin, 1);
  leave(set, folio);
});
