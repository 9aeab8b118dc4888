import assert from "node:assert/strict";
import type { Kernel, VmArea } from "swaplab/mm/mm_types.ts";
import { do_mmap, mm_alloc } from "swaplab/mm/mmap.ts";
import {
  folio_alloc,
  folio_put,
  GFP_HIGHUSER_MOVABLE,
} from "swaplab/mm/page_alloc.ts";
import { PG_readahead, PG_swapbacked, setFlag } from "swaplab/mm/page_flags.ts";
import { PAGE_SIZE } from "swaplab/mm/pgtable.ts";
import {
  __swapin_nr_pages,
  swap_cache_get_folio,
  swap_cluster_readahead,
  SWAP_RA_VAL,
  swap_use_vma_readahead,
  swap_vma_ra_win,
  swapin_nr_pages,
  unpackRaVal,
} from "swaplab/mm/swap_readahead.ts";
import { add_to_swap_cache } from "swaplab/mm/swap_state.ts";
import { swp_entry } from "swaplab/mm/swapops.ts";
import { run } from "swaplab/sim/task.ts";
import { idleUntilNextEvent } from "swaplab/sim/clock.ts";
import type { MachineOptions } from "swaplab/lab/options.ts";
import { pageOf, type Scene, scene } from "./helpers.ts";

/** An area of a process of its own, nothing touched. */
function area(k: Kernel, pages: number): VmArea {
  return do_mmap(mm_alloc(k), pages);
}

const noZswap = { zswap: { enabled: false } };

/** All pages written, in order, then gone to swap in order. */
function swappedOut(options: MachineOptions = {}): Scene {
  const set = scene({ ...noZswap, ...options });
  for (let page = 0; page < set.program.pages; page++) {
    set.program.write(page, pageOf("text", page));
  }
  set.machine.settle();
  return set;
}

Deno.test("__swapin_nr_pages() gives the windows of the fact sheet", () => {
  // previous, offset, hits, max, previous window: window
  const vectors: [number, number, number, number, number, number][] = [
    [0, 100, 4, 8, 0, 8],
    [99, 100, 0, 8, 8, 4],
    [101, 100, 0, 8, 8, 4],
    [7, 100, 0, 8, 8, 4],
    [7, 100, 0, 8, 4, 2],
    [7, 100, 0, 8, 2, 1],
    [7, 100, 0, 8, 1, 1],
    [7, 100, 0, 8, 0, 1],
    [99, 100, 0, 8, 1, 2],
    [7, 100, 1, 8, 0, 4],
    [7, 100, 2, 8, 0, 4],
    [7, 100, 3, 8, 0, 8],
    [7, 100, 6, 8, 0, 8],
    [7, 100, 63, 8, 0, 8],
    [7, 100, 7, 64, 0, 16],
  ];
  for (const [prev, offset, hits, max, prevWin, wanted] of vectors) {
    const got = __swapin_nr_pages(prev, offset, hits, max, prevWin);
    assert.equal(got, wanted, `${[prev, offset, hits, max, prevWin]}`);
  }
});

Deno.test("half the last window is the floor, even above a lowered maximum", () => {
  assert.equal(__swapin_nr_pages(7, 100, 0, 2, 16), 8);
  assert.equal(__swapin_nr_pages(7, 100, 6, 2, 16), 8);
  assert.equal(__swapin_nr_pages(7, 100, 6, 2, 2), 2);
});

Deno.test("swapin_nr_pages() starts at 8, then halves without hits", () => {
  const { k } = scene().machine;
  const far = [1000, 3000, 5000, 7000, 9000];
  assert.deepEqual(far.map((at) => swapin_nr_pages(k, at)), [8, 4, 2, 1, 1]);
});

Deno.test("page_cluster 0 gives one page and keeps the hits", () => {
  const { k } = scene({ pageCluster: 0 }).machine;
  assert.equal(swapin_nr_pages(k, 50), 1);
  assert.equal(k.readahead.swapin_readahead_hits, 4);
  assert.equal(k.readahead.last_readahead_pages, 0);
});

Deno.test("adjacency is measured against the last window without hits", () => {
  const { k } = scene().machine;
  swapin_nr_pages(k, 100); // 4 hits: prev_offset stays 0
  assert.equal(k.readahead.prev_offset, 0);
  swapin_nr_pages(k, 200); // no hits
  assert.equal(k.readahead.prev_offset, 200);
  k.readahead.swapin_readahead_hits = 3;
  swapin_nr_pages(k, 300);
  assert.equal(k.readahead.prev_offset, 200);
  k.readahead.last_readahead_pages = 0;
  assert.equal(swapin_nr_pages(k, 201), 2);
});

Deno.test("an area's word holds address, window and hits; 0 reads as 4 hits", () => {
  const vma = area(scene().machine.k, 1);
  assert.deepEqual(unpackRaVal(vma), { address: 0, win: 0, hits: 4 });
  vma.swap_readahead_info = SWAP_RA_VAL(0x4000_3000, 8, 5);
  assert.equal(vma.swap_readahead_info, 0x4000_3205);
  const said = unpackRaVal(vma);
  assert.deepEqual(said, { address: 0x4000_3000, win: 8, hits: 5 });
});

Deno.test("swap_vma_ra_win() looks ahead, behind or around", () => {
  const { k } = scene().machine;
  const vma = area(k, 100);
  const first = vma.vm_start / PAGE_SIZE;
  const windowAt = (page: number, lastPage: number) => {
    const last = (first + lastPage) * PAGE_SIZE;
    vma.swap_readahead_info = SWAP_RA_VAL(last, 8, 6);
    const { win, start, end } = swap_vma_ra_win(k, vma, first + page);
    return [win, start - first, end - first];
  };
  assert.deepEqual(windowAt(50, 49), [8, 50, 58]);
  assert.deepEqual(windowAt(50, 51), [8, 43, 51]);
  assert.deepEqual(windowAt(50, 20), [8, 47, 55]);
  // Within the area.
  assert.deepEqual(windowAt(1, 60), [8, 0, 6]);
  assert.deepEqual(windowAt(98, 97), [8, 98, 100]);
  assert.equal(unpackRaVal(vma).hits, 0);
});

Deno.test("a window ends with its page table", () => {
  const { k } = scene().machine;
  const vma = area(k, 1200);
  const edge = Math.ceil(vma.vm_start / PAGE_SIZE / 512) * 512 + 512;
  vma.swap_readahead_info = SWAP_RA_VAL((edge - 2) * PAGE_SIZE, 8, 6);
  assert.equal(swap_vma_ra_win(k, vma, edge - 1).end, edge);
  vma.swap_readahead_info = SWAP_RA_VAL(0, 8, 6);
  assert.equal(swap_vma_ra_win(k, vma, edge).start, edge);
});

Deno.test("VMA readahead takes at most 32 pages, and stores nothing for 1", () => {
  const wide = scene({ pageCluster: 10 }).machine.k;
  const vma = area(wide, 400);
  const vpn = vma.vm_start / PAGE_SIZE + 100;
  vma.swap_readahead_info = SWAP_RA_VAL(0, 0, 63);
  assert.equal(swap_vma_ra_win(wide, vma, vpn).win, 32);
  const narrow = scene({ pageCluster: 0 }).machine.k;
  const other = area(narrow, 4);
  assert.equal(swap_vma_ra_win(narrow, other, other.vm_start / 4096).win, 1);
  assert.equal(other.swap_readahead_info, 0);
});

Deno.test("every hit in the cache moves the last address; only PG_readahead counts", () => {
  const { k } = scene().machine;
  const vma = area(k, 10);
  const folio = run(folio_alloc(k, GFP_HIGHUSER_MOVABLE))!;
  setFlag(folio, 1 | PG_swapbacked);
  run(add_to_swap_cache(k, folio, swp_entry(0, 9), 0));
  vma.swap_readahead_info = SWAP_RA_VAL(0x1000, 8, 2);
  const look = (address: number) => {
    run(swap_cache_get_folio(k, swp_entry(0, 9), vma, address));
    folio_put(k, folio);
    return unpackRaVal(vma);
  };
  assert.deepEqual(look(0x5000), { address: 0x5000, win: 8, hits: 2 });
  setFlag(folio, PG_readahead);
  assert.deepEqual(look(0x6000), { address: 0x6000, win: 8, hits: 3 });
  // The flag is gone: counted once.
  assert.deepEqual(look(0x7000), { address: 0x7000, win: 8, hits: 3 });
  assert.equal(k.vm_event.swap_ra_hit, 1);
  assert.equal(k.readahead.swapin_readahead_hits, 4);
  vma.swap_readahead_info = SWAP_RA_VAL(0, 8, 63);
  setFlag(folio, PG_readahead);
  assert.equal(look(0x8000).hits, 63);
});

Deno.test("a hit counts for the machine without an area, or in cluster mode", () => {
  const { k } = scene().machine;
  const vma = area(k, 10);
  const folio = run(folio_alloc(k, GFP_HIGHUSER_MOVABLE))!;
  setFlag(folio, 1 | PG_swapbacked);
  run(add_to_swap_cache(k, folio, swp_entry(0, 9), 0));
  setFlag(folio, PG_readahead);
  run(swap_cache_get_folio(k, swp_entry(0, 9), null, 0));
  assert.equal(k.readahead.swapin_readahead_hits, 5);
  k.nr_rotate_swap = 1;
  assert.equal(swap_use_vma_readahead(k), false);
  setFlag(folio, PG_readahead);
  run(swap_cache_get_folio(k, swp_entry(0, 9), vma, 0x3000));
  assert.equal(k.readahead.swapin_readahead_hits, 6);
  assert.equal(vma.swap_readahead_info, 0);
});

Deno.test("a sequential reader finds seven of eight pages in the cache", () => {
  const set = swappedOut();
  const { vm_event } = set.machine.k;
  const start = { ...vm_event };
  for (let page = 0; page < 16; page++) {
    assert.deepEqual(set.program.read(page), pageOf("text", page));
  }
  assert.ok(vm_event.swap_ra - start.swap_ra >= 7);
  assert.ok(vm_event.swap_ra_hit - start.swap_ra_hit >= 7);
  assert.ok(vm_event.pgmajfault - start.pgmajfault <= 6);
});

Deno.test("with page_cluster 0 every page is a major fault of its own", () => {
  const set = swappedOut({ pageCluster: 0 });
  const { vm_event } = set.machine.k;
  const start = { ...vm_event };
  for (let page = 0; page < 16; page++) set.program.read(page);
  assert.equal(vm_event.swap_ra - start.swap_ra, 0);
  assert.equal(vm_event.pgmajfault - start.pgmajfault, 16);
});

Deno.test("cluster readahead takes the aligned block, without the header", () => {
  const set = swappedOut({ frames: 256, swap: { pages: 700 } });
  const { k } = set.machine;
  const si = k.swap_info[0]!;
  const { xa } = si.swapper_spaces[0]!;
  const readAt = (offset: number) => {
    // Every slot of the device looks used, by nobody in particular.
    si.swap_map.fill(1, 1);
    xa.entries.clear();
    k.readahead.swapin_readahead_hits = 6;
    const entry = swp_entry(0, offset);
    run(
      swap_cluster_readahead(k, entry, GFP_HIGHUSER_MOVABLE),
      () => idleUntilNextEvent(k.clock),
    );
    return [...xa.entries.keys()].sort((a, b) => a - b);
  };
  assert.deepEqual(readAt(13), [8, 9, 10, 11, 12, 13, 14, 15]);
  assert.deepEqual(readAt(5), [1, 2, 3, 4, 5, 6, 7]);
  assert.deepEqual(readAt(698), [696, 697, 698, 699]);
});

Deno.test("a hard disk turns readahead to slots, and merges the requests", () => {
  const set = swappedOut({ swap: { kind: "hdd" } });
  const { k } = set.machine;
  assert.equal(swap_use_vma_readahead(k), false);
  for (let page = 0; page < 16; page++) set.program.read(page);
  assert.ok(k.vm_event.swap_ra > 0);
  assert.ok(k.swap_info[0]!.disk.stats.merges > 0);
});

Deno.test("a page found while it is being written counts as a hit: one flag", () => {
  const set = scene({ ...noZswap, pageCluster: 0 });
  const { program, machine } = set;
  program.write(0, pageOf("node"));
  program.advise("pageout", 0, 1);
  const { vm_event } = machine.k;
  assert.equal(vm_event.pswpout, 1);
  program.touch(0, false);
  assert.equal(vm_event.swap_ra, 0);
  assert.equal(vm_event.swap_ra_hit, 1);
  // Nothing is left to tell that its frame is to be had next.
  const rotated = vm_event.pgrotated;
  machine.settle();
  assert.equal(vm_event.pgrotated, rotated);
});
