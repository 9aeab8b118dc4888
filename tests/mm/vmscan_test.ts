import assert from "node:assert/strict";
import { run, type Task } from "swaplab/sim/task.ts";
import { historyOf, journeyOf } from "swaplab/lab/journey.ts";
import { INIT_LIST_HEAD, list_add } from "swaplab/base/list.ts";
import { lruDelete } from "swaplab/mm/lru.ts";
import type { Folio } from "swaplab/mm/mm_types.ts";
import {
  folio_get,
  folio_test_swapcache,
  PG_dirty,
  setFlag,
} from "swaplab/mm/page_flags.ts";
import {
  DEF_PRIORITY,
  inactive_is_low,
  shrink_folio_list,
} from "swaplab/mm/vmscan.ts";
import { __GFP_IO, nr_free_pages } from "swaplab/mm/page_alloc.ts";
import { entryAt } from "swaplab/lab/entry.ts";
import { pageOf, pushOut, scene } from "./helpers.ts";

/** Function names of a page's history, in order. */
function functionsOf(set: ReturnType<typeof scene>, page: number): string[] {
  return historyOf(set.machine, set.program, page).split("\n")
    .map((line) => /µs {2}(\w+):/.exec(line)![1]!);
}

Deno.test("shrink_folio_list() takes the kernel's steps in the kernel's order", () => {
  const set = scene();
  set.program.write(0, pageOf("python"));
  pushOut(set, 0);
  assert.deepEqual(functionsOf(set, 0), [
    "set_pte",
    "folio_check_references",
    "add_to_swap",
    "try_to_unmap",
    "zswap_store",
    "__remove_mapping",
  ]);
});

Deno.test("a page that zswap takes is freed in the same pass, a disk's later", () => {
  const set = scene({ zswap: { enabled: false } });
  set.program.write(0, pageOf("python"));
  pushOut(set, 0);
  const functions = functionsOf(set, 0);
  assert.equal(functions.at(-1), "__swap_writepage");
  for (let page = 1; page < 100; page++) {
    set.program.write(page, pageOf("text", page));
  }
  assert.equal(functionsOf(set, 0).at(-1), "__remove_mapping");
});

Deno.test("a page in constant use stays in memory", () => {
  const set = scene();
  set.program.write(0, pageOf("python"));
  let left = 0;
  for (let page = 1; page < 100; page++) {
    set.program.write(page, pageOf("text", page));
    if (set.program.whereabouts(0) !== "memory") left++;
    set.program.touch(0);
  }
  assert.ok(left <= 2, `it left ${left} times`);
  assert.ok(set.machine.k.vm_event.pgactivate > 0);
});

Deno.test("kswapd frees up to the high watermark", () => {
  const set = scene();
  const { zone, vm_event } = set.machine.k;
  for (let page = 0; page < 100; page++) {
    set.program.write(page, pageOf("text", page));
    assert.ok(nr_free_pages(set.machine.k) >= zone.watermark.min);
  }
  assert.ok(vm_event.pageoutrun > 0);
  assert.ok(vm_event.pgsteal_kswapd > 0);
});

Deno.test("without kswapd an allocation reclaims for itself", () => {
  const set = scene();
  const { k } = set.machine;
  // As if its thread never got the processor.
  k.kswapd.pending = true;
  for (let page = 0; page < 100; page++) {
    set.program.write(page, pageOf("text", page));
  }
  assert.equal(k.vm_event.pgsteal_kswapd, 0);
  assert.ok(k.vm_event.allocstall_normal > 0);
  assert.ok(k.vm_event.pgsteal_direct > 0);
});

Deno.test("inactive_is_low() compares by the square root of ten times the GiB", () => {
  const { k } = scene().machine;
  const lists = (inactive: number, active: number) =>
    inactive_is_low({
      ...k,
      lruvec: {
        ...k.lruvec,
        nr_inactive_anon: inactive,
        nr_active_anon: active,
      },
    });
  assert.equal(lists(10, 10), false);
  assert.equal(lists(10, 11), true);
  // 1 GiB: one inactive page is enough for three active ones.
  assert.equal(lists(70_000, 200_000), false);
  assert.equal(lists(60_000, 210_000), true);
});

Deno.test("journeyOf() shows the page in a frame, in zswap, in a frame", () => {
  const set = scene();
  set.program.write(0, pageOf("python"));
  pushOut(set, 0);
  set.program.read(0);
  const { events } = journeyOf(set.machine, set.program, 0);
  assert.deepEqual(events.map((event) => event.lane), [
    "frame",
    "frame",
    "zswap",
  ]);
  assert.ok(events.every((event) => event.from <= event.to));
  assert.equal(events[0]!.to, events[2]!.from);
});

// The race that __remove_mapping() looks for under the lock of the cache.
Deno.test("a page that is written again before it is removed stays", () => {
  const set = scene({ debug: false });
  const { k } = set.machine;
  set.program.write(0, pageOf("python"));
  const folio = k.mem_map[entryAt(set.program, 0).frame!]!;
  const folios = INIT_LIST_HEAD<Folio>();
  folio_get(folio);
  lruDelete(k, folio);
  list_add(folio.lru, folios);
  // Two looks: the first one only clears the accessed bit.
  const counters = { nr_scanned: 0, nr_reclaimed: 0, nr_writeback: 0 };
  const control = {
    nr_to_reclaim: 1,
    gfp_mask: __GFP_IO,
    priority: DEF_PRIORITY,
    ...counters,
  };
  run(shrink_folio_list(k, folios, control));

  const task: Task<number> = shrink_folio_list(k, folios, control);
  let step = task.next();
  for (; !step.done; step = task.next()) {
    const removing = step.value.what.startsWith("spin_lock(xa_lock(swap cache");
    if (removing && k.zswap.stored_pages > 0) setFlag(folio, PG_dirty);
  }
  assert.equal(step.value, 0);
  assert.ok(folio_test_swapcache(folio));
  assert.ok(folio._refcount > 0);
});
