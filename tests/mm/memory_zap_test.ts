import assert from "node:assert/strict";
import { EINVAL } from "swaplab/base/errno.ts";
import type { MachineOptions } from "swaplab/lab/options.ts";
import { do_munmap } from "swaplab/mm/mmap.ts";
import type { Folio } from "swaplab/mm/mm_types.ts";
import {
  folio_mapped,
  folio_test_active,
  folio_test_referenced,
  folio_test_swapcache,
  folio_trylock,
  folio_unlock,
} from "swaplab/mm/page_flags.ts";
import { folio_put, nr_free_pages } from "swaplab/mm/page_alloc.ts";
import { filemap_get_folio, swapCachePages } from "swaplab/mm/swap_state.ts";
import {
  growPteStore,
  makePteStore,
  PAGE_SIZE,
  pte_alloc_one,
  pte_swp_mkexclusive,
  ptep_get,
  set_pte,
  swp_entry_to_pte,
  TASK_UNMAPPED_BASE,
} from "swaplab/mm/pgtable.ts";
import { swap_pte_batch } from "swaplab/mm/memory_zap.ts";
import { swap_cgroup_record } from "swaplab/mm/swap_cgroup.ts";
import { swp_entry, type SwpEntry } from "swaplab/mm/swapops.ts";
import { run } from "swaplab/sim/task.ts";
import { byteOf, pageOf, type Scene, scene, slotOf } from "./helpers.ts";

interface Orphan extends Scene {
  readonly slot: SwpEntry;
  readonly folio: Folio;
}

/**
 * Thread 004: page 0 is in swap and read ahead into the cache; its folio is
 * locked by somebody while the only user goes.
 */
function zappedWhileLocked(options: MachineOptions): Orphan {
  const set = scene({ pageCluster: 0, debug: false, ...options });
  set.program.write(0, pageOf("node"));
  set.program.advise("pageout", 0, 1);
  const slot = slotOf(set.program, 0);
  set.program.advise("willneed", 0, 1);
  const folio = run(filemap_get_folio(set.machine.k, slot))!;
  assert.ok(folio_trylock(folio));
  return { ...set, slot, folio };
}

/** Whoever had the lock lets go of it, and of the folio. */
function letGo({ machine, folio }: Orphan): void {
  folio_unlock(folio);
  folio_put(machine.k, folio);
}

Deno.test("zap_frees_swap trylock: a locked folio becomes an orphan", () => {
  const set = zappedWhileLocked({});
  set.program.advise("dontneed", 0, 1);
  letGo(set);
  assert.equal(byteOf(set, set.slot), 0x40);
  assert.equal(folio_test_swapcache(set.folio), true);
  assert.equal(folio_mapped(set.folio), false);
  assert.equal(set.machine.k.swap_info[0]!.inuse_pages, 1);
});

Deno.test("zap_frees_swap lock: zap waits for the lock, and frees the slot", () => {
  const set = zappedWhileLocked({ proposals: { zap_frees_swap: "lock" } });
  const { clock } = set.machine.k;
  // Let go while the zapping task sleeps.
  clock.events.push({ at: clock.now + 1e6, happen: () => letGo(set) });
  set.program.advise("dontneed", 0, 1);
  assert.equal(byteOf(set, set.slot), 0x00);
  assert.equal(set.machine.k.swap_info[0]!.inuse_pages, 0);
});

Deno.test("zap_frees_swap lock: more than 63 orphans at once", () => {
  const set = scene({
    frames: 256,
    pageCluster: 0,
    proposals: { zap_frees_swap: "lock" },
    zswap: { enabled: false },
  });
  const { k } = set.machine;
  for (let page = 0; page < 100; page++) {
    set.program.write(page, pageOf("text", page));
  }
  // Under write to the disk: a trylock gets them, but they cannot leave.
  set.program.advise("pageout");
  set.program.advise("dontneed");
  assert.equal(swapCachePages(k), 0);
});

Deno.test("zap_frees_swap trylock: pages under write become orphans", () => {
  const set = scene({ pageCluster: 0, zswap: { enabled: false } });
  set.program.write(0, pageOf("node"));
  set.program.advise("pageout", 0, 1);
  const slot = slotOf(set.program, 0);
  set.program.advise("dontneed", 0, 1);
  assert.equal(byteOf(set, slot), 0x40);
});

Deno.test("zap_frees_swap scan: orphans stay until swap is nearly full", () => {
  for (const pages of [200, 5]) {
    const set = zappedWhileLocked({
      proposals: { zap_frees_swap: "scan" },
      swap: { pages },
    });
    set.program.advise("dontneed", 0, 1);
    letGo(set);
    assert.equal(byteOf(set, set.slot), 0x40);
    // Three of four, or of 199, are in use beside the orphan.
    for (let page = 1; page < 4; page++) {
      set.program.write(page, pageOf("text", page));
    }
    set.program.advise("pageout", 1, 4);
    set.program.advise("dontneed", 50, 51);
    assert.equal(byteOf(set, set.slot), pages === 5 ? 0x00 : 0x40);
  }
});

Deno.test("zap frees a cached folio that nobody has locked, and its slot", () => {
  const set = scene({ pageCluster: 0 });
  set.program.write(0, pageOf("node"));
  set.program.advise("pageout", 0, 1);
  set.program.read(0);
  const { k } = set.machine;
  assert.equal(k.swap_info[0]!.inuse_pages, 1);
  const free = nr_free_pages(k);
  set.program.advise("dontneed", 0, 1);
  assert.equal(k.swap_info[0]!.inuse_pages, 0);
  assert.equal(nr_free_pages(k), free + 1);
});

Deno.test("do_munmap() of the middle leaves two areas with what they had", () => {
  const { machine, program } = scene({ pageCluster: 0 });
  const { k } = machine;
  const { mm, area, task } = program;
  for (let page = 0; page < 30; page++) {
    program.write(page, pageOf("text", page));
  }
  program.advise("pageout", 5, 25);
  const [start, end] = [area.vm_start, area.vm_end];
  const unmap = (from: number, pages: number) =>
    machine.run(do_munmap(k, mm, start + from * 4096, pages * 4096), task);
  assert.equal(unmap(10, 10), 0);
  assert.deepEqual(
    mm.mmap.map(({ vm_start, vm_end }) => [vm_start, vm_end]),
    [[start, start + 10 * 4096], [start + 20 * 4096, end]],
  );
  assert.equal(mm.swap_ents, 10);
  assert.equal(mm.anon_pages, 10);
  assert.deepEqual(program.read(7), pageOf("text", 7));
  // Both parts can still be swapped out: they are in the page's family.
  program.advise("pageout", 0, 10);
  assert.deepEqual(program.read(7), pageOf("text", 7));
  assert.equal(unmap(0, 100), 0);
  assert.equal(mm.mmap.length, 0);
  assert.equal(k.swap_info[0]!.inuse_pages, 0);
  assert.equal(nr_free_pages(k), k.totalram_pages - 1);
});

Deno.test("do_munmap() of part of shared memory keeps the object's pages", () => {
  const { machine } = scene({ pageCluster: 0 });
  const program = machine.spawn({ pages: 10, shared: true });
  const { k } = machine;
  const object = program.area.vm_mapping!;
  for (let page = 0; page < 10; page++) {
    program.write(page, pageOf("text", page));
  }
  const { mm, area, task } = program;
  machine.run(do_munmap(k, mm, area.vm_start, 4 * 4096), task);
  assert.equal(object.i_pages.entries.size, 10);
  const [rest] = mm.mmap;
  assert.equal(rest!.vm_pgoff, 4);
  assert.equal(object.i_mmap.length, 1);
  // The reverse mapping finds page 5 in the part that is left.
  program.advise("pageout", 5, 6);
  assert.equal(object.host.swapped, 1);
  machine.run(do_munmap(k, mm, rest!.vm_start, 6 * 4096), task);
  assert.equal(object.i_pages.entries.size, 0);
});

Deno.test("do_munmap() wants a whole page to begin at, and rounds a length up", () => {
  const { machine, program } = scene();
  const { mm, area, task } = program;
  const ask = (start: number, len: number) =>
    machine.run(do_munmap(machine.k, mm, start, len), task);
  assert.equal(ask(area.vm_start + 1, 4096), -EINVAL);
  assert.equal(ask(area.vm_start, 0), -EINVAL);
  assert.equal(ask(0, 4096), 0);
  const start = area.vm_start;
  assert.equal(ask(start, 4097), 0);
  assert.equal(mm.mmap[0]!.vm_start, start + 2 * 4096);
});

Deno.test("swap_pte_batch() ends where slots, bits or groups differ", () => {
  const { machine } = scene();
  const { k } = machine;
  const store = makePteStore();
  const vpn = TASK_UNMAPPED_BASE / PAGE_SIZE;
  growPteStore(store, vpn + 1);
  const table = pte_alloc_one(store, "a table", vpn);
  const names = (offsets: number[]) =>
    offsets.forEach((offset, index) =>
      set_pte(table, index, swp_entry_to_pte(swp_entry(0, offset)))
    );
  names([5, 6, 7, 9]);
  assert.equal(swap_pte_batch(k, table, 0, 4), 3);
  assert.equal(swap_pte_batch(k, table, 0, 2), 2);
  assert.equal(swap_pte_batch(k, table, 3, 1), 1);
  set_pte(table, 1, pte_swp_mkexclusive(ptep_get(table, 1)));
  assert.equal(swap_pte_batch(k, table, 0, 4), 1);
  names([5, 6, 7, 8]);
  swap_cgroup_record(k, swp_entry(0, 7), 9, 1);
  assert.equal(swap_pte_batch(k, table, 0, 4), 2);
});

Deno.test("a zapped shared page that was used is marked, twice: active", () => {
  const { machine } = scene({ pageCluster: 0 });
  const program = machine.spawn({ pages: 10, shared: true });
  const { k } = machine;
  const object = program.area.vm_mapping!;
  const use = () => {
    program.write(0, pageOf("text"));
    program.advise("dontneed", 0, 1);
  };
  use();
  const folio = object.i_pages.entries.get(0) as Folio;
  assert.ok(folio_test_referenced(folio));
  assert.equal(folio_test_active(folio), false);
  use();
  assert.ok(folio_test_active(folio));
  assert.equal(folio_test_referenced(folio), false);
  assert.equal(k.vm_event.pgactivate, 1);
  const { lruvec } = k.root_mem_cgroup.nodeinfo[0]!;
  assert.equal(lruvec.nonresident_age, 1);
});
