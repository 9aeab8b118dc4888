import assert from "node:assert/strict";
import { entryAt } from "swaplab/lab/entry.ts";
import { ProcessKilled } from "swaplab/lab/process.ts";
import { folio_put } from "swaplab/mm/page_alloc.ts";
import { folio_test_swapcache } from "swaplab/mm/page_flags.ts";
import { filemap_get_folio } from "swaplab/mm/swap_state.ts";
import { run } from "swaplab/sim/task.ts";
import { byteOf, pageOf, pushOut, scene, slotOf } from "./helpers.ts";

Deno.test("a read of an untouched page maps the page of zeros, read-only", () => {
  const { machine, program } = scene();
  const free = machine.k.nodes[0]!.zone.free_list.length;
  assert.ok(program.read(4).every((byte) => byte === 0));
  assert.equal(program.whereabouts(4), "zero page");
  assert.equal(entryAt(program, 4).writable, false);
  assert.equal(machine.k.nodes[0]!.zone.free_list.length, free);
});

Deno.test("a write to the page of zeros gives a frame of one's own", () => {
  const { machine, program } = scene();
  program.read(4);
  program.write(4, new Uint8Array([1, 2, 3]));
  assert.equal(program.whereabouts(4), "memory");
  assert.deepEqual([...program.read(4).subarray(0, 4)], [1, 2, 3, 0]);
  assert.ok(machine.k.memory.subarray(0, 4096).every((byte) => byte === 0));
});

Deno.test("a page written first faults once and costs one frame", () => {
  const { machine, program } = scene();
  const { vm_event } = machine.k;
  program.write(0, pageOf("text"));
  program.touch(0, true);
  program.read(0);
  assert.equal(vm_event.pgfault, 1);
  assert.equal(program.mm.anon_pages, 1);
});

Deno.test("do_swap_page() counts a major fault; the second toucher finds it", () => {
  const set = scene();
  set.program.write(0, pageOf("node"));
  pushOut(set, 0);
  const { vm_event } = set.machine.k;
  const major = vm_event.pgmajfault;
  set.program.read(0);
  set.program.read(0);
  assert.equal(vm_event.pgmajfault, major + 1);
});

Deno.test("a write fault on a swapped page maps it writable, a read one too", () => {
  for (const write of [true, false]) {
    const set = scene();
    set.program.write(0, pageOf("node"));
    pushOut(set, 0);
    set.program.touch(0, write);
    const entry = entryAt(set.program, 0);
    assert.equal(entry.writable, true);
    assert.equal(entry.dirty, write);
  }
});

Deno.test("a write fault gives up the slot, a read fault keeps it", () => {
  for (const write of [true, false]) {
    // A page of zeros: nothing is stored, but it has a slot all the same.
    const set = scene({ swap: { pages: 300 } });
    set.program.write(0, new Uint8Array(4096));
    pushOut(set, 0);
    const { k } = set.machine;
    const used = k.swap_info[0]!.inuse_pages;
    set.program.touch(0, write);
    assert.equal(k.swap_info[0]!.inuse_pages, used - (write ? 1 : 0));
  }
});

Deno.test("after fork both see the same bytes until one writes", () => {
  const { machine, program } = scene();
  program.write(0, pageOf("node"));
  const frames = machine.k.nodes[0]!.zone.free_list.length;
  const child = program.fork();
  assert.equal(machine.k.nodes[0]!.zone.free_list.length, frames);
  assert.deepEqual(child.read(0), pageOf("node"));
  assert.equal(entryAt(program, 0).writable, false);
  child.write(0, new Uint8Array([9]));
  assert.equal(machine.k.nodes[0]!.zone.free_list.length, frames - 1);
  assert.deepEqual(program.read(0), pageOf("node"));
  assert.equal(child.read(0)[0], 9);
});

Deno.test("the last one to write after fork needs no copy", () => {
  const { machine, program } = scene();
  program.write(0, pageOf("node"));
  const child = program.fork();
  child.exit();
  const frames = machine.k.nodes[0]!.zone.free_list.length;
  program.touch(0, true);
  assert.equal(machine.k.nodes[0]!.zone.free_list.length, frames);
  assert.equal(entryAt(program, 0).writable, true);
});

Deno.test("a page that two processes have in swap comes back for each", () => {
  const set = scene();
  set.program.write(0, pageOf("redis"));
  pushOut(set, 0);
  const child = set.program.fork();
  assert.equal(child.whereabouts(0), "swap");
  child.write(0, new Uint8Array([7]), 100);
  assert.deepEqual(set.program.read(0), pageOf("redis"));
  assert.equal(child.read(0)[100], 7);
});

Deno.test("a full machine without swap ends in 'Out of memory'", () => {
  const { machine, program } = scene({ swap: false });
  assert.throws(() => {
    for (let page = 0; page < 100; page++) program.touch(page, true);
  }, ProcessKilled);
  assert.equal(machine.k.vm_event.oom_kill, 1);
  program.exit();
  assert.equal(machine.k.nodes[0]!.zone.free_list.length, 63);
});

Deno.test("a read error ends in SIGBUS, never in wrong bytes", () => {
  const set = scene({
    zswap: { enabled: false },
    swap: { readErrorRate: 1 },
  });
  set.program.write(0, pageOf("node"));
  // Unmapped is not enough: its frame has to be gone from the swap cache.
  for (let page = 1; page < 100; page++) {
    set.program.write(page, pageOf("random", page));
  }
  assert.throws(() => set.program.read(0), /SIGBUS/);
});

Deno.test("a write error keeps the page in memory", () => {
  const set = scene({
    zswap: { enabled: false },
    swap: { writeErrorRate: 0.5 },
  });
  for (let page = 0; page < 70; page++) {
    try {
      set.program.write(page, pageOf("random", page));
    } catch (error) {
      assert.ok(error instanceof ProcessKilled);
      break;
    }
  }
  const written = Math.min(40, set.program.mm.anon_pages);
  for (let page = 0; page < written; page++) {
    assert.deepEqual(set.program.read(page), pageOf("random", page));
  }
});

Deno.test("the soft-dirty bit survives the way out and back", () => {
  const set = scene();
  set.program.write(0, pageOf("node"));
  pushOut(set, 0);
  const softDirty = () => BigInt(`0x${entryAt(set.program, 0).raw}`);
  assert.equal((softDirty() >> 1n) & 1n, 1n);
  set.program.read(0);
  assert.equal((softDirty() >> 11n) & 1n, 1n);
});

Deno.test("a copy gives the old page's slot up if nobody maps it any more", () => {
  const zswap = { enabled: false };
  const set = scene({ pageCluster: 0, zswap, debug: false });
  set.program.write(0, pageOf("node"));
  set.program.advise("pageout", 0, 1);
  set.machine.settle();
  const slot = slotOf(set.program, 0);
  const child = set.program.fork();
  set.program.read(0);
  child.read(0);
  const { k } = set.machine;
  const folio = run(filemap_get_folio(k, slot))!;
  child.exit();
  // Somebody looks at the page: it cannot be reused, but nobody needs it.
  set.program.write(0, pageOf("sqlite"));
  assert.equal(folio_test_swapcache(folio), false);
  assert.equal(byteOf(set, slot), 0);
  folio_put(k, folio);
});

Deno.test("fork copies no entries of an area where nothing was written", () => {
  const { program } = scene();
  program.read(4);
  const child = program.fork();
  assert.equal(child.whereabouts(4), "nowhere");
  program.write(5, pageOf("node"));
  assert.equal(program.fork().whereabouts(4), "zero page");
});

Deno.test("a write fault keeps the slot while somebody else has the folio", () => {
  for (const held of [false, true]) {
    const zswap = { enabled: false };
    const set = scene({ pageCluster: 0, zswap, debug: false });
    const { machine: { k }, program } = set;
    program.write(0, pageOf("node"));
    program.advise("pageout", 0, 1);
    set.machine.settle();
    const slot = slotOf(program, 0);
    program.advise("willneed", 0, 1);
    set.machine.settle();
    const folio = run(filemap_get_folio(k, slot))!;
    if (!held) folio_put(k, folio);
    program.touch(0, true);
    assert.equal(byteOf(set, slot), held ? 0x40 : 0);
    // Exclusive all the same: no copy.
    assert.equal(entryAt(program, 0).frame, folio.pfn);
    if (held) folio_put(k, folio);
  }
});
