import { foliosInUse } from "swaplab/mm/folio.ts";
import assert from "node:assert/strict";
import { EEXIST, ENOMEM } from "swaplab/base/errno.ts";
import { spin_lock, spin_unlock } from "swaplab/locking/spinlock.ts";
import { memory_stat_show } from "swaplab/mm/memcontrol_stat.ts";
import type { Folio } from "swaplab/mm/mm_types.ts";
import { folio_put } from "swaplab/mm/page_alloc.ts";
import {
  folio_test_swapcache,
  folio_test_writeback,
  folio_unlock,
} from "swaplab/mm/page_flags.ts";
import {
  __delete_from_swap_cache,
  swapCacheLockOf,
} from "swaplab/mm/swap_state.ts";
import { swap_duplicate, swapcache_prepare } from "swaplab/mm/swapfile.ts";
import { entryName, type SwpEntry } from "swaplab/mm/swapops.ts";
import { zswap_load, zswap_store } from "swaplab/mm/zswap.ts";
import { zswap_total_pages } from "swaplab/mm/zswap_pool.ts";
import {
  shrink_memcg,
  zswap_writeback_entry,
} from "swaplab/mm/zswap_shrink.ts";
import {
  entryOf,
  group,
  leave,
  makeOld,
  type Stage,
  stage,
  store,
  victim,
} from "./zswap_helpers.ts";

/** The folio leaves, and nobody uses the slot: as in the slot cache, 0x40. */
function park(set: Stage, folio: Folio): SwpEntry {
  const { k } = set;
  const entry = folio.swap;
  const lock = swapCacheLockOf(k, folio);
  set.run(spin_lock(lock));
  __delete_from_swap_cache(k, folio, entry, null);
  spin_unlock(lock);
  folio_put(k, folio);
  folio_unlock(folio);
  folio_put(k, folio);
  return entry;
}

function writeBack(set: Stage, slot: SwpEntry): number {
  return set.run(zswap_writeback_entry(set.k, entryOf(set, slot)!, slot));
}

function cachedFolios({ k }: Stage): Folio[] {
  return [...foliosInUse(k)].filter(folio_test_swapcache);
}

Deno.test("writeback frees the pool before the device has written", () => {
  const set = stage({ swap: { writeMicroseconds: 5000 } });
  const { k } = set;
  const memcg = group(set, "a");
  const slot = store(set, memcg)!;
  assert.ok(zswap_total_pages(k) > 0);
  assert.equal(writeBack(set, slot), 0);
  assert.equal(zswap_total_pages(k), 0);
  const [folio] = cachedFolios(set);
  assert.ok(folio_test_writeback(folio!));
  assert.deepEqual([k.vm_event.zswpwb, k.vm_event.pswpout], [1, 1]);
  assert.equal(memory_stat_show(k, memcg).zswpwb, 1);
  assert.equal(memory_stat_show(k, memcg).zswapped, 0);
});

Deno.test("writeback of a page that is in the swap cache is -EEXIST", () => {
  const set = stage();
  const folio = victim(set);
  set.run(zswap_store(set.k, folio));
  assert.equal(writeBack(set, folio.swap), -EEXIST);
  assert.notEqual(entryOf(set, folio.swap), null);
});

Deno.test("writeback of a pinned slot without a folio is -ENOMEM", () => {
  const set = stage();
  const slot = store(set)!;
  assert.equal(set.run(swapcache_prepare(set.k, slot)), 0);
  assert.equal(writeBack(set, slot), -ENOMEM);
  assert.notEqual(entryOf(set, slot), null);
});

Deno.test("writeback of an entry that was replaced is -ENOMEM, the folio goes", () => {
  const set = stage();
  const { k } = set;
  const folio = victim(set);
  set.run(zswap_store(k, folio));
  const stale = entryOf(set, folio.swap)!;
  set.run(zswap_store(k, folio));
  const slot = leave(set, folio);
  assert.equal(set.run(zswap_writeback_entry(k, stale, slot)), -ENOMEM);
  assert.deepEqual(cachedFolios(set), []);
  assert.notEqual(entryOf(set, slot), null);
  assert.equal(k.vm_event.zswpwb, 0);
});

Deno.test("no frame for writeback is -ENOMEM as well", () => {
  const set = stage();
  const { k } = set;
  const slot = store(set)!;
  const { free_list } = k.nodes[0]!.zone;
  const frames = free_list.length;
  free_list.length = 0;
  assert.equal(writeBack(set, slot), -ENOMEM);
  free_list.length += frames;
  assert.equal(writeBack(set, slot), 0);
});

Deno.test("a failed entry goes to the back and raises reject_reclaim_fail", () => {
  const set = stage();
  const { k } = set;
  const folio = victim(set);
  set.run(zswap_store(k, folio));
  const other = store(set)!;
  makeOld(set);
  // The first is in use again; the second is not.
  set.run(shrink_memcg(k, null));
  assert.equal(k.zswap.reject_reclaim_fail, 1);
  assert.equal(k.zswap.written_back_pages, 0);
  set.run(shrink_memcg(k, null));
  assert.equal(k.zswap.written_back_pages, 1);
  assert.equal(entryOf(set, other), null, entryName(other));
  assert.notEqual(entryOf(set, folio.swap), null);
});

Deno.test("S1 of thread 000: a slot without users cannot be written back", () => {
  const set = stage();
  const folio = victim(set);
  set.run(zswap_store(set.k, folio));
  const slot = park(set, folio);
  assert.equal(writeBack(set, slot), -ENOMEM);
  assert.notEqual(entryOf(set, slot), null);
});

Deno.test("writeback_ignores_freed_slot: S1 and S2 are dropped, others stay", () => {
  const set = stage({}, {
    writeback_ignores_freed_slot: "on",
    exclusive_loads: "off",
  });
  const { k } = set;
  // S1: no folio, no user.
  const first = victim(set);
  set.run(zswap_store(k, first));
  const parked = park(set, first);
  assert.equal(writeBack(set, parked), 0);
  assert.equal(entryOf(set, parked), null);
  assert.equal(k.vm_event.zswpwb, 0);
  // S2: loaded into the cache, the copy kept, no user.
  const second = victim(set);
  set.run(zswap_store(k, second));
  set.run(zswap_load(k, second));
  assert.equal(writeBack(set, second.swap), 0);
  assert.equal(entryOf(set, second.swap), null);
  // In the cache, with a user.
  const third = victim(set);
  set.run(zswap_store(k, third));
  const slot = third.swap;
  set.run(swap_duplicate(k, slot));
  assert.equal(writeBack(set, slot), -EEXIST);
  assert.notEqual(entryOf(set, slot), null);
});
