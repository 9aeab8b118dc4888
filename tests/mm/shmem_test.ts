import assert from "node:assert/strict";
import { EEXIST, EINVAL } from "swaplab/base/errno.ts";
import { percpu_ref_kill } from "swaplab/base/percpu_ref.ts";
import { swapper } from "swaplab/lab/machine.ts";
import type { MachineOptions } from "swaplab/lab/options.ts";
import { makePageSource } from "swaplab/lab/pages.ts";
import type { Process } from "swaplab/lab/process.ts";
import { ProcessKilled } from "swaplab/lab/process.ts";
import type { AddressSpace } from "swaplab/mm/mm_types.ts";
import { memory_stat_show } from "swaplab/mm/memcontrol_stat.ts";
import { nr_free_pages } from "swaplab/mm/page_alloc.ts";
import { shmem_swapin_folio, shmem_unuse } from "swaplab/mm/shmem_swap.ts";
import { SWAP_HAS_CACHE, SWAP_MAP_SHMEM } from "swaplab/mm/swap.ts";
import type { SwpEntry } from "swaplab/mm/swapops.ts";
import { byteOf, pageOf, type Scene, scene } from "./helpers.ts";

interface Shared extends Scene {
  readonly object: AddressSpace;
  readonly filler: Process;
}

/** A process of 20 shared pages, and one that can push them out. */
function shared(options: MachineOptions = {}): Shared {
  const { machine, program: filler } = scene({ pageCluster: 0, ...options });
  const program = machine.spawn({ pages: 20, shared: true });
  return { machine, program, filler, object: program.area.vm_mapping! };
}

/** The slot of a page of the object; fills memory until it has one. */
function pushed({ object, filler }: Shared, page: number): SwpEntry {
  for (let other = 0; other < filler.pages; other++) {
    const found = object.i_pages.entries.get(page);
    if (typeof found === "number") return found;
    filler.write(other, pageOf("text", other));
  }
  throw new Error(`page ${page} is still in memory`);
}

Deno.test("parent and child see each other's writes to shared memory", () => {
  const { program } = shared();
  program.write(3, pageOf("node"));
  const child = program.fork();
  assert.deepEqual(child.read(3), pageOf("node"));
  child.write(3, new Uint8Array([9]), 7);
  assert.equal(program.read(3)[7], 9);
  program.write(4, new Uint8Array([5]));
  assert.equal(child.read(4)[0], 5);
});

Deno.test("fork copies no entry of shared memory: a fault finds the page", () => {
  const { program } = shared();
  program.write(3, pageOf("node"));
  const child = program.fork();
  assert.equal(child.whereabouts(3), "nowhere");
  assert.equal(child.mm.shmem_pages, 0);
  child.read(3);
  assert.equal(child.whereabouts(3), "memory");
});

Deno.test("memory.stat counts shared pages as shmem, mapped or not, never as anon", () => {
  const { machine, program } = shared();
  const { k } = machine;
  const before = memory_stat_show(k, k.root_mem_cgroup);
  program.write(3, pageOf("node"));
  program.write(4, pageOf("node"));
  const stat = memory_stat_show(k, k.root_mem_cgroup);
  assert.equal(stat.shmem! - before.shmem!, 2 * 4096);
  assert.equal(stat.anon, before.anon);
});

Deno.test("an untouched shared page reads as zeros, in a frame of its own", () => {
  const { program } = shared();
  assert.ok(program.read(3).every((byte) => byte === 0));
  assert.equal(program.whereabouts(3), "memory");
});

Deno.test("shmem_writepage() leaves an empty entry and the byte 0xbf", () => {
  const set = shared();
  set.program.write(3, pageOf("node"));
  const slot = pushed(set, 3);
  assert.equal(set.program.whereabouts(3), "nowhere");
  assert.equal(set.program.mm.swap_ents, 0);
  // On its way the byte was 0xff: SHMEM and cache. Zswap took it at once.
  assert.equal(byteOf(set, slot), SWAP_MAP_SHMEM);
  assert.equal(byteOf(set, slot) | SWAP_HAS_CACHE, 0xff);
  assert.equal(set.object.host.swapped > 0, true);
  assert.ok(set.machine.k.shmem_swaplist.includes(set.object.host));
});

Deno.test("a page under write to a disk has the byte 0xff", () => {
  const set = shared({ zswap: { enabled: false } });
  set.program.write(3, pageOf("node"));
  const slot = pushed(set, 3);
  assert.equal(byteOf(set, slot), SWAP_MAP_SHMEM | SWAP_HAS_CACHE);
});

Deno.test("a shared page comes back once for all, and gives its slot up", () => {
  const set = shared();
  set.program.write(3, pageOf("node"));
  const child = set.program.fork();
  const slot = pushed(set, 3);
  const { vm_event } = set.machine.k;
  const major = vm_event.pgmajfault;
  assert.deepEqual(child.read(3), pageOf("node"));
  assert.equal(vm_event.pgmajfault, major + 1);
  assert.notEqual(byteOf(set, slot), SWAP_MAP_SHMEM);
  assert.deepEqual(set.program.read(3), pageOf("node"));
  assert.equal(vm_event.pgmajfault, major + 1);
});

Deno.test("a page that was only read goes without a slot and reads zero again", () => {
  const set = shared();
  set.program.read(3);
  const before = set.object.i_pages.entries.get(3);
  assert.equal(typeof before, "object");
  for (let other = 0; other < 100; other++) {
    set.filler.write(other, pageOf("text", other));
  }
  assert.equal(set.object.i_pages.entries.has(3), false);
  assert.ok(set.program.read(3).every((byte) => byte === 0));
});

Deno.test("the last one to go frees pages and slots of the object", () => {
  const set = shared();
  const { k } = set.machine;
  set.program.fill(makePageSource("text", 1));
  const child = set.program.fork();
  pushed(set, 3);
  set.program.exit();
  assert.ok(set.object.i_pages.entries.size === 20);
  assert.deepEqual(child.read(3), pageOf("text", 3));
  child.exit();
  assert.equal(set.object.i_pages.entries.size, 0);
  assert.equal(set.object.host.swapped, 0);
  assert.ok(!k.shmem_swaplist.includes(set.object.host));
  set.filler.exit();
  set.machine.settle();
  assert.equal(k.swap_info[0]!.inuse_pages, 0);
  assert.equal(nr_free_pages(k), k.totalram_pages - 1);
});

Deno.test("shmem_unuse() brings every page of the device back", () => {
  const set = shared();
  set.program.fill(makePageSource("text", 1));
  pushed(set, 3);
  set.filler.exit();
  const { k } = set.machine;
  const major = k.vm_event.pgmajfault;
  assert.equal(set.machine.run(shmem_unuse(k, 0), swapper), 0);
  // Nobody faulted.
  assert.equal(k.vm_event.pgmajfault, major);
  assert.equal(set.object.host.swapped, 0);
  assert.equal(k.shmem_swaplist.length, 0);
  for (let page = 0; page < 20; page++) {
    assert.deepEqual(set.program.read(page), pageOf("text", page));
  }
});

Deno.test("a slot that cannot be read is SIGBUS for all, and is freed", () => {
  const set = shared({ zswap: { enabled: false }, swap: { readErrorRate: 1 } });
  set.program.write(3, pageOf("node"));
  const child = set.program.fork();
  const slot = pushed(set, 3);
  for (let other = 99; byteOf(set, slot) !== SWAP_MAP_SHMEM; other--) {
    set.filler.write(other, pageOf("random", other));
  }
  assert.throws(() => set.program.read(3), ProcessKilled);
  assert.equal(byteOf(set, slot), 0);
  assert.throws(() => child.read(3), /SIGBUS/);
});

Deno.test("without swap a dirty shared page stays in memory", () => {
  const set = shared({ swap: false });
  set.program.write(3, pageOf("node"));
  assert.throws(() => pushed(set, 3), ProcessKilled);
  assert.deepEqual(set.program.read(3), pageOf("node"));
});

Deno.test("shared memory reads ahead by slot, also on an SSD", () => {
  const set = shared({ pageCluster: 3 });
  set.program.fill(makePageSource("text", 1));
  for (let other = 0; other < 100; other++) {
    set.filler.write(other, pageOf("text", other));
  }
  const { vm_event, readahead } = set.machine.k;
  const ahead = vm_event.swap_ra;
  readahead.swapin_readahead_hits = 4;
  set.program.read(3);
  assert.ok(vm_event.swap_ra > ahead);
  assert.equal(readahead.swapin_readahead_hits, 0);
});

Deno.test("a page whose device has gone is refused, not looked for in vain", () => {
  const set = shared();
  set.program.write(3, pageOf("node"));
  const slot = pushed(set, 3);
  const { k } = set.machine;
  const got = (page: number) =>
    set.machine.run(
      shmem_swapin_folio(k, set.object, page, slot, set.program.mm),
      swapper,
    );
  // The array holds another entry there: look again.
  assert.equal(got(4).err, -EEXIST);
  percpu_ref_kill(k.swap_info[0]!.users);
  assert.equal(got(4).err, -EEXIST);
  assert.equal(got(3).err, -EINVAL);
});

Deno.test("swapoff begins with the object that went to swap last", () => {
  const set = shared();
  set.program.write(3, pageOf("node"));
  pushed(set, 3);
  const other = set.machine.spawn({ pages: 4, shared: true });
  other.write(0, pageOf("node"));
  other.advise("pageout", 0, 1);
  const { host } = other.area.vm_mapping!;
  assert.deepEqual(set.machine.k.shmem_swaplist, [host, set.object.host]);
});
