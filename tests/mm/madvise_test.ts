import assert from "node:assert/strict";
import { EINVAL, ENOMEM, type Errno } from "swaplab/base/errno.ts";
import { makeMachine } from "swaplab/lab/machine.ts";
import type { MachineOptions } from "swaplab/lab/options.ts";
import { entryAt } from "swaplab/lab/entry.ts";
import { pfn_folio } from "swaplab/mm/folio.ts";
import {
  folio_mark_accessed,
  LRU_INACTIVE_FILE,
  lruPages,
} from "swaplab/mm/lru.ts";
import { framePresentAt } from "swaplab/mm/memory.ts";
import { do_madvise, MADV_DONTNEED } from "swaplab/mm/madvise.ts";
import { GFP_KERNEL, nr_free_pages } from "swaplab/mm/page_alloc.ts";
import { folio_test_workingset } from "swaplab/mm/page_flags.ts";
import { try_to_free_pages } from "swaplab/mm/vmscan.ts";
import { run, type Task } from "swaplab/sim/task.ts";
import { byteOf, pageOf, type Scene, scene, slotOf } from "./helpers.ts";

/** Ten pages written, nothing else. */
function written(options: MachineOptions = {}): Scene {
  const set = scene({ pageCluster: 0, ...options });
  for (let page = 0; page < 10; page++) {
    set.program.write(page, pageOf("text", page));
  }
  return set;
}

/** Until reclaim has taken everything that it can take at once. */
function pressure({ machine }: Scene): void {
  const other = machine.spawn({ pages: 70 });
  for (let page = 0; page < 70; page++) other.write(page, pageOf("text", page));
  other.exit();
}

Deno.test("MADV_PAGEOUT sends pages in use to swap, and only those named", () => {
  const set = written();
  set.program.read(2);
  set.program.advise("pageout", 2, 5);
  const where = (page: number) => set.program.whereabouts(page);
  const pages = [1, 2, 3, 4, 5];
  assert.deepEqual(pages.map(where), [
    "memory",
    "swap",
    "swap",
    "swap",
    "memory",
  ]);
  assert.deepEqual(set.program.read(3), pageOf("text", 3));
});

Deno.test("MADV_PAGEOUT leaves alone what others map as well", () => {
  const set = written();
  const child = set.program.fork();
  set.program.write(4, pageOf("node"));
  set.program.advise("pageout", 3, 5);
  assert.equal(set.program.whereabouts(3), "memory");
  assert.equal(set.program.whereabouts(4), "swap");
  // The child's copy of page 4 has one mapping left.
  child.advise("pageout", 4, 5);
  assert.equal(child.whereabouts(4), "swap");
});

Deno.test("MADV_DONTNEED frees frame and slot, and reads as zeros", () => {
  const set = written();
  set.program.advise("pageout", 3, 4);
  const slot = slotOf(set.program, 3);
  const free = nr_free_pages(set.machine.k);
  set.program.advise("dontneed", 3, 5);
  assert.equal(byteOf(set, slot), 0);
  assert.equal(set.machine.k.zswap.stored_pages, 0);
  assert.ok(nr_free_pages(set.machine.k) > free);
  assert.equal(set.program.whereabouts(4), "nowhere");
  assert.ok(set.program.read(3).every((byte) => byte === 0));
});

Deno.test("MADV_FREE: under pressure the page goes without slot and I/O", () => {
  const set = written();
  const { vm_event } = set.machine.k;
  set.program.advise("free", 0, 10);
  assert.equal(lruPages(set.machine.k, LRU_INACTIVE_FILE), 10);
  pressure(set);
  assert.ok(vm_event.pglazyfreed > 0);
  assert.ok(set.program.read(0).every((byte) => byte === 0));
});

Deno.test("MADV_FREE: pages that were all freed at the first look have cost nothing", () => {
  const set = written();
  const { k } = set.machine;
  set.program.advise("free", 0, 10);
  k.vm_swappiness = 0;
  run(try_to_free_pages(k, GFP_KERNEL));
  assert.equal(k.vm_event.pgsteal_file, 10);
  assert.equal(k.root_mem_cgroup.nodeinfo[0]!.lruvec.file_cost, 0);
});

Deno.test("MADV_FREE: without pressure the page is as it was", () => {
  const set = written();
  set.program.advise("free", 0, 10);
  assert.deepEqual(set.program.read(4), pageOf("text", 4));
});

Deno.test("MADV_FREE: a write in time keeps the page", () => {
  const set = written();
  set.program.advise("free", 0, 10);
  set.program.write(4, new Uint8Array([7]), 9);
  pressure(set);
  const bytes = set.program.read(4);
  assert.equal(bytes[9], 7);
  assert.deepEqual(bytes.subarray(10), pageOf("text", 4).subarray(10));
});

Deno.test("MADV_FREE of a page in swap frees the slot at once", () => {
  const set = written();
  set.program.advise("pageout", 4, 5);
  const slot = slotOf(set.program, 4);
  set.program.advise("free", 4, 5);
  assert.equal(byteOf(set, slot), 0);
  assert.equal(set.program.whereabouts(4), "nowhere");
});

Deno.test("MADV_FREE leaves a page in the swap cache that a child maps, too", () => {
  const set = written();
  set.program.advise("pageout", 4, 5);
  set.program.fork();
  set.program.read(4);
  set.program.advise("free", 4, 5);
  assert.equal(lruPages(set.machine.k, LRU_INACTIVE_FILE), 0);
});

Deno.test("MADV_FREE of pages read past the cache takes them from a child, too", () => {
  const set = written({ swap: { kind: "brd" }, zswap: { enabled: false } });
  set.program.advise("pageout", 0, 10);
  for (let page = 0; page < 10; page++) set.program.read(page);
  const child = set.program.fork();
  // Clean, and not in the swap cache: v6.12 does not ask who else maps them.
  set.program.advise("free", 0, 10);
  assert.equal(lruPages(set.machine.k, LRU_INACTIVE_FILE), 10);
  pressure(set);
  assert.equal(child.whereabouts(0), "nowhere");
});

Deno.test("MADV_COLD makes pages look unused", () => {
  const set = written();
  assert.equal(entryAt(set.program, 3).accessed, true);
  set.program.advise("cold", 3, 4);
  assert.equal(entryAt(set.program, 3).accessed, false);
  assert.equal(entryAt(set.program, 4).accessed, true);
});

Deno.test("MADV_WILLNEED reads pages into the swap cache, nothing is mapped", () => {
  const set = written({ zswap: { enabled: false } });
  set.program.advise("pageout");
  set.machine.settle();
  const { vm_event } = set.machine.k;
  set.program.advise("willneed", 0, 4);
  set.machine.settle();
  assert.equal(set.program.whereabouts(0), "swap");
  const major = vm_event.pgmajfault;
  for (let page = 0; page < 4; page++) set.program.read(page);
  assert.equal(vm_event.pgmajfault, major);
});

Deno.test("MADV_WILLNEED finds the slots of shared memory in its object", () => {
  const { machine } = scene({ pageCluster: 0 });
  const program = machine.spawn({ pages: 10, shared: true });
  for (let page = 0; page < 10; page++) {
    program.write(page, pageOf("text", page));
  }
  program.advise("pageout");
  const swapped = program.area.vm_mapping!.host.swapped;
  assert.equal(swapped, 10);
  const { vm_event } = machine.k;
  program.advise("willneed");
  machine.settle();
  const major = vm_event.pgmajfault;
  for (let page = 0; page < 10; page++) {
    assert.deepEqual(program.read(page), pageOf("text", page));
  }
  assert.equal(vm_event.pgmajfault, major);
});

Deno.test("do_madvise() refuses what does not fit", () => {
  const { machine, program } = written();
  const { k } = machine;
  const { mm, area, task } = program;
  const ask = (start: number, len: number, behavior: number) =>
    machine.run(do_madvise(k, mm, start, len, behavior), task);
  assert.equal(ask(area.vm_start + 1, 4096, MADV_DONTNEED), -EINVAL);
  assert.equal(ask(area.vm_start, 4096, 99), -EINVAL);
  assert.equal(ask(area.vm_end, 4096, 99), -EINVAL);
  assert.equal(ask(area.vm_end - 4096, 8192, MADV_DONTNEED), -ENOMEM);
  const shared = machine.spawn({ pages: 4, shared: true });
  assert.throws(() => shared.advise("free"), /-EINVAL/);
});

Deno.test("do_madvise() rounds a length up to whole pages", () => {
  const { machine, program } = written();
  const { mm, area, task } = program;
  const { vm_start } = area;
  const advice: Task<Errno> = do_madvise(
    machine.k,
    mm,
    vm_start,
    4097,
    MADV_DONTNEED,
  );
  assert.equal(machine.run(advice, task), 0);
  const where = [0, 1, 2].map((page) => program.whereabouts(page));
  assert.deepEqual(where, ["nowhere", "nowhere", "memory"]);
});

Deno.test("MADV_COLD counts what it makes inactive, for the group as well", () => {
  const machine = makeMachine({ frames: 64, debug: true });
  const group = machine.cgroup("job");
  const program = machine.spawn({ pages: 4, cgroup: group });
  program.write(0, pageOf("node"));
  const { k } = machine;
  const frame = framePresentAt(program.area, program.area.vm_start / 4096)!;
  // Used twice, as folio_mark_accessed() sees it.
  const folio = pfn_folio(k, frame)!;
  folio_mark_accessed(k, folio);
  folio_mark_accessed(k, folio);
  assert.equal(group.table("memory.stat").pgactivate, 1);
  program.advise("cold", 0, 4);
  assert.ok(folio_test_workingset(folio));
  assert.equal(k.vm_event.pgdeactivate, 1);
  assert.equal(group.table("memory.stat").pgdeactivate, 1);
});
