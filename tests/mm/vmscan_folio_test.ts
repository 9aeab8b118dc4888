// Each decision of shrink_folio_list(), and the order in which they are taken:
// a page to which two of them apply must show the earlier one.
import assert from "node:assert/strict";
import { pfn_folio } from "swaplab/mm/folio.ts";
import { list_add, makeFolioList } from "swaplab/mm/folio_list.ts";
import type { Task } from "swaplab/sim/task.ts";
import type { Folio, Kernel, MmStruct } from "swaplab/mm/mm_types.ts";
import { folio_mark_lazyfree, lruDelete } from "swaplab/mm/lru.ts";
import {
  clearFlag,
  folio_get,
  folio_mapped,
  folio_test_dirty,
  folio_test_reclaim,
  folio_test_swapbacked,
  folio_test_swapcache,
  PG_active,
  PG_dirty,
  PG_locked,
  PG_reclaim,
  PG_referenced,
  PG_writeback,
  setFlag,
} from "swaplab/mm/page_flags.ts";
import {
  __GFP_FS,
  __GFP_IO,
  PF_KSWAPD,
  PF_MEMALLOC,
} from "swaplab/mm/page_alloc.ts";
import { PGDAT_WRITEBACK } from "swaplab/mm/vmscan_control.ts";
import {
  _PAGE_ACCESSED,
  _PAGE_DIRTY,
  type Pte,
  pte_present,
  ptep_get,
  set_pte,
} from "swaplab/mm/pgtable.ts";
import { pteSlotOf } from "swaplab/mm/rmap.ts";
import { shrink_folio_list } from "swaplab/mm/vmscan_folio.ts";
import { get_shadow_from_swap_cache } from "swaplab/mm/swap_state.ts";
import { entryAt } from "swaplab/lab/entry.ts";
import { pageOf, scene, slotOf } from "./helpers.ts";
import {
  batchOf,
  isolate,
  type Isolated,
  isolatedPage,
  judge,
} from "./vmscan_helpers.ts";

function asKswapd(k: Kernel): void {
  const flags = PF_MEMALLOC | PF_KSWAPD;
  k.current = { comm: "kswapd0", mm: null, cpu: 0, flags };
}

Deno.test("a folio that somebody has locked is kept and not counted", () => {
  const page = isolatedPage();
  setFlag(page.folio, PG_locked | PG_writeback);
  const { fate, locked, sc, stat } = judge(page, batchOf(page.k));
  assert.deepEqual([fate, locked], ["kept", true]);
  assert.equal(sc.nr_scanned, 0);
  assert.equal(stat.nr_writeback, 0);
});

Deno.test("a mapped folio is kept if it must not be unmapped, before its writeback is seen", () => {
  const page = isolatedPage();
  setFlag(page.folio, PG_writeback);
  const { fate, stat } = judge(page, batchOf(page.k, { may_unmap: false }));
  assert.equal(fate, "kept");
  assert.equal(stat.nr_writeback, 0);
});

Deno.test("a folio under writeback is activated before its use is looked at", () => {
  const page = isolatedPage();
  setFlag(page.folio, PG_writeback | PG_referenced);
  const { fate, stat } = judge(page, batchOf(page.k, {}, false));
  assert.equal(fate, "activated");
  assert.equal(stat.nr_writeback, 1);
  assert.ok(folio_test_reclaim(page.folio));
  // Neither its accessed bit nor its mark was touched.
  assert.ok((page.folio.flags & PG_referenced) !== 0);
  clearFlag(page.folio, PG_writeback | PG_active);
  assert.equal(judge(page, batchOf(page.k, {}, false)).fate, "activated");
});

Deno.test("kswapd counts a folio that it meets a second time on a busy node", () => {
  const cases = [
    [PG_reclaim, PGDAT_WRITEBACK, true],
    [0, PGDAT_WRITEBACK, false],
    [PG_reclaim, 0, false],
  ] as const;
  for (const [flag, busy, isImmediate] of cases) {
    const page = isolatedPage();
    asKswapd(page.k);
    page.k.nodes[0]!.flags = busy;
    setFlag(page.folio, PG_writeback | flag);
    const { fate, stat } = judge(page, batchOf(page.k));
    assert.equal(fate, "activated");
    assert.equal(stat.nr_immediate, isImmediate ? 1 : 0);
    assert.equal(stat.nr_writeback, isImmediate ? 0 : 1);
  }
  // Whoever needs memory himself only asks for a quick end.
  const page = isolatedPage();
  page.k.nodes[0]!.flags = PGDAT_WRITEBACK;
  setFlag(page.folio, PG_writeback | PG_reclaim);
  assert.equal(judge(page, batchOf(page.k)).stat.nr_immediate, 0);
});

// facts 20.3 C18.
Deno.test("folio_check_references(): one use keeps, a second one activates, then it goes", () => {
  const page = isolatedPage();
  assert.equal(judge(page, batchOf(page.k, {}, false)).fate, "kept");
  assert.ok((page.folio.flags & PG_referenced) !== 0);
  // The question comes before the slot.
  assert.equal(folio_test_swapcache(page.folio), false);
  page.set.program.touch(0);
  assert.equal(judge(page, batchOf(page.k, {}, false)).fate, "activated");
  assert.equal(judge(page, batchOf(page.k, {}, false)).fate, "reclaimed");
});

Deno.test("folio_check_references(): two users at once activate", () => {
  const set = scene({ debug: false });
  set.program.write(0, pageOf("python"));
  const child = set.program.fork();
  child.touch(0);
  set.program.touch(0);
  const page = { set, k: set.machine.k, folio: isolate(set) };
  assert.equal(judge(page, batchOf(page.k, {}, false)).fate, "activated");
});

Deno.test("reclaim for a group ignores uses by processes outside of it", () => {
  const page = isolatedPage();
  const { root_mem_cgroup } = page.k;
  const other = { ...root_mem_cgroup, id: 7, parent: root_mem_cgroup };
  const batch = batchOf(page.k, { target_mem_cgroup: other }, false);
  assert.equal(judge(page, batch).fate, "reclaimed");
});

Deno.test("without __GFP_IO no slot is taken", () => {
  const page = isolatedPage();
  assert.equal(
    judge(page, batchOf(page.k, { gfp_mask: __GFP_FS })).fate,
    "kept",
  );
  assert.equal(folio_test_swapcache(page.folio), false);
  assert.ok(folio_mapped(page.folio));
});

Deno.test("without a free slot the folio is activated and stays mapped", () => {
  const page = isolatedPage({ swap: false });
  assert.equal(judge(page, batchOf(page.k)).fate, "activated");
  assert.ok(folio_mapped(page.folio));
  assert.equal(page.k.vm_event.pgactivate, 1);
});

Deno.test("the slot and the unmapping come before the question whether to write", () => {
  const page = isolatedPage();
  const { fate } = judge(page, batchOf(page.k, { may_writepage: false }));
  assert.equal(fate, "kept");
  assert.ok(folio_test_swapcache(page.folio));
  assert.equal(folio_mapped(page.folio), false);
  assert.ok(folio_test_dirty(page.folio));
  assert.equal(page.k.zswap.stored_pages, 0);
});

// facts 20.3 C17: swap needs __GFP_IO only.
Deno.test("__GFP_IO is enough to write to swap, and nothing is not", () => {
  const page = isolatedPage();
  judge(page, batchOf(page.k, { may_writepage: false }));
  assert.equal(judge(page, batchOf(page.k, { gfp_mask: 0 })).fate, "kept");
  const batch = batchOf(page.k, { gfp_mask: __GFP_IO });
  assert.equal(judge(page, batch).fate, "reclaimed");
});

Deno.test("a folio with another user is not written", () => {
  const page = isolatedPage();
  folio_get(page.folio);
  const { fate, stat } = judge(page, batchOf(page.k));
  assert.equal(fate, "kept");
  assert.equal(stat.nr_pageout, 0);
  assert.ok(folio_test_dirty(page.folio));
});

Deno.test("a page for a disk is kept unlocked while it is written", () => {
  const page = isolatedPage({ zswap: { enabled: false } });
  const { fate, locked, stat } = judge(page, batchOf(page.k));
  assert.deepEqual([fate, locked], ["kept", false]);
  assert.equal(stat.nr_pageout, 1);
  assert.ok(folio_test_reclaim(page.folio));
});

// facts 20.2 B20.
// PG_readahead is the same bit as PG_reclaim.
Deno.test("a fault on a page that reclaim writes counts as a hit of the readahead", () => {
  const page = isolatedPage({ zswap: { enabled: false } });
  judge(page, batchOf(page.k));
  assert.ok(folio_test_reclaim(page.folio));
  assert.deepEqual(page.set.program.read(0), pageOf("python"));
  assert.equal(page.k.vm_event.swap_ra_hit, 1);
});

Deno.test("a folio whose users vanished is kept, dirty, without its slot", () => {
  const page = isolatedPage();
  judge(page, batchOf(page.k, { may_writepage: false }));
  page.set.program.exit();
  const { fate } = judge(page, batchOf(page.k));
  assert.equal(fate, "kept");
  assert.equal(folio_test_swapcache(page.folio), false);
  assert.ok(folio_test_dirty(page.folio));
  assert.equal(folio_test_reclaim(page.folio), false);
});

Deno.test("a reclaimed page leaves a shadow in the swap cache", () => {
  const page = isolatedPage();
  assert.equal(judge(page, batchOf(page.k)).fate, "reclaimed");
  const slot = slotOf(page.set.program, 0);
  assert.notEqual(get_shadow_from_swap_cache(page.k, slot), null);
});

/** A page that MADV_FREE gave up, off its list. */
function givenUp(): Isolated {
  const set = scene({ debug: false });
  set.program.write(0, pageOf("python"));
  const { k } = set.machine;
  const folio = pfn_folio(k, entryAt(set.program, 0).frame!)!;
  folio_mark_lazyfree(k, folio);
  // madvise_free_pte_range() makes folio and entry clean and old.
  clearFlag(folio, PG_dirty);
  const { area } = set.program;
  const { table, index } = pteSlotOf(area, folio.index)!;
  const used = _PAGE_DIRTY | _PAGE_ACCESSED;
  set_pte(table, index, (ptep_get(table, index) & ~used) as Pte);
  folio_get(folio);
  lruDelete(k, folio);
  return { set, k, folio };
}

Deno.test("a given-up page that is clean goes without a slot", () => {
  const page = givenUp();
  assert.equal(judge(page, batchOf(page.k)).fate, "reclaimed");
  assert.equal(page.k.vm_event.pglazyfreed, 1);
  const { events } = page.k.root_mem_cgroup.vmstats;
  assert.equal(events.pglazyfreed, 1);
  assert.equal(page.set.program.whereabouts(0), "nowhere");
  assert.equal(page.k.zswap.stored_pages, 0);
});

Deno.test("a given-up page that was written again is an ordinary page again", () => {
  const page = givenUp();
  page.set.program.write(0, pageOf("text"));
  assert.equal(judge(page, batchOf(page.k)).fate, "activated");
  assert.ok(folio_test_swapbacked(page.folio));
  assert.ok(folio_mapped(page.folio));
  assert.equal(judge(page, batchOf(page.k)).fate, "reclaimed");
  assert.equal(page.k.zswap.stored_pages, 1);
});

Deno.test("a given-up page that somebody else holds stays", () => {
  const page = givenUp();
  folio_get(page.folio);
  assert.equal(judge(page, batchOf(page.k)).fate, "activated");
  assert.ok(folio_mapped(page.folio));
});

Deno.test("a given-up page that nobody maps and somebody holds is kept", () => {
  const page = givenUp();
  page.set.program.exit();
  folio_get(page.folio);
  assert.equal(judge(page, batchOf(page.k)).fate, "kept");
  page.folio._refcount--;
  assert.equal(judge(page, batchOf(page.k)).fate, "reclaimed");
});

Deno.test("a given-up page that is dirty and not mapped is activated, not written", () => {
  const page = givenUp();
  page.set.program.exit();
  setFlag(page.folio, PG_dirty);
  const nothing = { may_writepage: false };
  assert.equal(judge(page, batchOf(page.k, nothing)).fate, "activated");
  assert.ok(folio_test_reclaim(page.folio));
});

Deno.test("a page that must not go to the device is activated, dirty and locked no more", () => {
  const page = isolatedPage();
  page.k.zswap.max_pool_percent = 0;
  page.k.root_mem_cgroup.zswap_writeback = false;
  const { fate, locked, stat } = judge(page, batchOf(page.k));
  assert.deepEqual([fate, locked], ["activated", false]);
  assert.equal(stat.nr_pageout, 0);
  assert.ok(folio_test_dirty(page.folio));
  assert.equal(folio_test_reclaim(page.folio), false);
  assert.equal(page.k.vm_event.pswpout, 0);
});

Deno.test("an activated page gives its slot back when swap is half full", () => {
  for (const isFull of [false, true]) {
    const page = isolatedPage();
    judge(page, batchOf(page.k, { may_writepage: false }));
    // A read maps it again: both slot and frame are its own.
    page.set.program.read(0);
    if (isFull) page.k.nr_swap_pages = page.k.total_swap_pages / 2 - 1;
    setFlag(page.folio, PG_referenced);
    assert.equal(judge(page, batchOf(page.k, {}, false)).fate, "activated");
    assert.equal(folio_test_swapcache(page.folio), !isFull);
  }
});

// The race that __remove_mapping() looks for under the lock of the cache.
Deno.test("a page that is written again before it is removed stays", () => {
  const { k, folio } = isolatedPage();
  const folios = makeFolioList();
  list_add(folio, folios);
  const task: Task<number> = shrink_folio_list(k, folios, batchOf(k));
  let step = task.next();
  for (; !step.done; step = task.next()) {
    const removing = step.value.what.startsWith("spin_lock(xa_lock(swap cache");
    if (removing && k.zswap.stored_pages > 0) setFlag(folio, PG_dirty);
  }
  assert.equal(step.value, 0);
  assert.ok(folio_test_swapcache(folio));
  assert.ok(folio._refcount > 0);
});

// facts 20.2 B19: the entry was cleared already, its dirty bit moved.
Deno.test("a mapping whose slot cannot be counted is put back as it was", () => {
  const set = scene({ frames: 256, debug: false });
  set.program.write(0, pageOf("python"));
  // 62 users fit in the slot's byte; the 63rd needs a page of counts.
  for (let user = 2; user <= 63; user++) set.program.fork();
  const page = { set, k: set.machine.k, folio: isolate(set) };
  page.k.nodes[0]!.zone.free_list.length = 0;
  assert.equal(judge(page, batchOf(page.k)).fate, "activated");
  assert.equal(page.folio._mapcount, 1);
  const where = [...page.k.mms].map((mm) => entryOf(mm, page.folio));
  assert.equal(where.filter((place) => place === "slot").length, 62);
  assert.equal(where.filter((place) => place === "frame").length, 1);
  assert.ok(folio_test_dirty(page.folio));
});

/** What a process's entry for the folio's address names. */
function entryOf(mm: MmStruct, folio: Folio): "slot" | "frame" {
  const { table, index } = pteSlotOf(mm.mmap[0]!, folio.index)!;
  return pte_present(ptep_get(table, index)) ? "frame" : "slot";
}
