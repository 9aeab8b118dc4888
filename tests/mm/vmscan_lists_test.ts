import assert from "node:assert/strict";
import {
  entriesOf,
  lastEntryOrNull,
  list_add,
  list_empty,
  makeFolioList,
} from "swaplab/mm/folio_list.ts";
import { run } from "swaplab/sim/task.ts";
import { idleUntilNextEvent } from "swaplab/sim/clock.ts";
import { lruPages } from "swaplab/mm/lru.ts";

import {
  folio_test_active,
  folio_test_workingset,
} from "swaplab/mm/page_flags.ts";
import { DEACTIVATE_ANON, makeScanControl } from "swaplab/mm/vmscan_control.ts";
import { folio_isolate_lru, reclaim_pages } from "swaplab/mm/vmscan.ts";
import { shrink_list } from "swaplab/mm/vmscan_lists.ts";
import { GFP_KERNEL } from "swaplab/mm/page_alloc.ts";
import { pageOf, scene } from "./helpers.ts";
import { isolate } from "./vmscan_helpers.ts";

/** A machine whose program has written `pages` pages. */
function written(pages: number, options: Parameters<typeof scene>[0] = {}) {
  const set = scene(options);
  for (let page = 0; page < pages; page++) {
    set.program.write(page, pageOf("text", page));
  }
  const { k } = set.machine;
  const { lruvec } = k.root_mem_cgroup.nodeinfo[0]!;
  const idle = () => idleUntilNextEvent(k.clock);
  return { set, k, lruvec, idle };
}

Deno.test("shrink_list() looks at 32 folios from the tail and counts them", () => {
  const zswap = { maxPoolPercent: 100 };
  const { k, lruvec, idle } = written(40, { zswap });
  const sc = makeScanControl({ gfp_mask: GFP_KERNEL });
  const scan = { lru: 0, nr_to_scan: 32 };
  // All have been used by the write: kept, then, at the second look, freed.
  assert.equal(run(shrink_list(k, lruvec, sc, scan), idle), 0);
  assert.equal(run(shrink_list(k, lruvec, sc, scan), idle), 24);
  assert.equal(sc.nr_scanned, 64);
  assert.equal(k.vm_event.pgscan_direct, 64);
  assert.equal(k.vm_event.pgscan_anon, 64);
  assert.equal(k.vm_event.pgsteal_direct, 24);
  assert.equal(sc.nr.taken, 64);
});

Deno.test("shrink_list() for a group's limit counts for the group only", () => {
  const { k, lruvec, idle } = written(4);
  const sc = makeScanControl({ target_mem_cgroup: k.root_mem_cgroup });
  run(shrink_list(k, lruvec, sc, { lru: 0, nr_to_scan: 4 }), idle);
  assert.equal(k.vm_event.pgscan_direct, 0);
  assert.equal(k.root_mem_cgroup.vmstats.events.pgscan_direct, 4);
});

Deno.test("shrink_list() puts mapped folios to the head if they must not be unmapped", () => {
  const { k, lruvec, idle } = written(3);
  const oldest = lastEntryOrNull(k, lruvec.lists[0]!)!.pfn;
  const sc = makeScanControl({ may_unmap: false });
  run(shrink_list(k, lruvec, sc, { lru: 0, nr_to_scan: 1 }), idle);
  assert.equal(lruvec.lists[0]!.next, oldest);
  assert.equal(k.vm_event.pgscan_direct, 1);
  assert.equal(sc.nr_scanned, 0);
});

Deno.test("shrink_list() ages active folios only when that is allowed", () => {
  const { set, k, lruvec, idle } = written(4);
  const inactive = { lru: 0, nr_to_scan: 4 };
  const sc = makeScanControl({ gfp_mask: GFP_KERNEL });
  run(shrink_list(k, lruvec, sc, inactive), idle);
  for (let page = 0; page < 4; page++) set.program.touch(page);
  run(shrink_list(k, lruvec, sc, inactive), idle);
  assert.equal(lruvec.lru_size[1], 4);

  const active = { lru: 1, nr_to_scan: 4 };
  run(shrink_list(k, lruvec, sc, active), idle);
  assert.equal(lruvec.lru_size[1], 4);
  assert.ok(sc.skipped_deactivate);
  sc.may_deactivate = DEACTIVATE_ANON;
  run(shrink_list(k, lruvec, sc, active), idle);
  assert.deepEqual(lruvec.lru_size, [4, 0, 0, 0]);
  const [folio] = entriesOf(k, lruvec.lists[0]!);
  assert.equal(folio_test_active(folio!), false);
  assert.ok(folio_test_workingset(folio!));
  assert.equal(k.vm_event.pgdeactivate, 4);
  assert.equal(k.vm_event.pgrefill, 4);
});

Deno.test("activations make the clock of the shadows go on", () => {
  const { set, k, lruvec, idle } = written(4);
  const sc = makeScanControl({ gfp_mask: GFP_KERNEL });
  const inactive = { lru: 0, nr_to_scan: 4 };
  run(shrink_list(k, lruvec, sc, inactive), idle);
  assert.equal(lruvec.nonresident_age, 0);
  set.program.touch(0);
  run(shrink_list(k, lruvec, sc, inactive), idle);
  // One became active, three left memory.
  assert.equal(lruvec.nonresident_age, 4);
});

Deno.test("reclaim_pages() frees pages that are in use, of all nodes", () => {
  const { set, k, idle } = written(20, { frames: 64, nodes: 2 });
  const list = makeFolioList();
  const before = lruPages(k, 0);
  for (let page = 0; page < 20; page++) {
    list_add(isolate(set, page), list);
  }
  assert.equal(run(reclaim_pages(k, list), idle), 20);
  assert.ok(list_empty(list));
  assert.equal(lruPages(k, 0), before - 20);
  assert.equal(set.program.whereabouts(7), "swap");
});

Deno.test("reclaim_pages() puts back what it could not free", () => {
  const { set, k, idle } = written(2, { swap: false });
  const list = makeFolioList();
  list_add(isolate(set, 0), list);
  assert.equal(run(reclaim_pages(k, list), idle), 0);
  assert.ok(list_empty(list));
  assert.equal(lruPages(k, 0) + lruPages(k, 1), 2);
});

Deno.test("folio_isolate_lru() takes a folio once", () => {
  const { k, lruvec } = written(1);
  const folio = lastEntryOrNull(k, lruvec.lists[0]!)!;
  assert.equal(run(folio_isolate_lru(k, folio)), true);
  assert.equal(folio._refcount, 2);
  assert.equal(lruvec.lru_size[0], 0);
  assert.equal(run(folio_isolate_lru(k, folio)), false);
  assert.equal(folio._refcount, 2);
});
