/** Thread 004: the swap cache as one more user, as it was up to 2.6.30. */
import { sameFolio } from "swaplab/mm/folio.ts";
import assert from "node:assert/strict";
import { EEXIST, ENOENT } from "swaplab/base/errno.ts";
import { checkMachine } from "swaplab/lab/invariants.ts";
import { type Machine, makeMachine, swapper } from "swaplab/lab/machine.ts";
import type { MachineOptions } from "swaplab/lab/options.ts";
import {
  makePageSource,
  pageKinds,
  type PageSource,
} from "swaplab/lab/pages.ts";
import { type Process, ProcessKilled } from "swaplab/lab/process.ts";
import { idleUntilNextEvent } from "swaplab/sim/clock.ts";
import { handle_mm_fault } from "swaplab/mm/memory.ts";
import { folio_alloc, folio_put, GFP_KERNEL } from "swaplab/mm/page_alloc.ts";
import { folio_trylock, folio_unlock } from "swaplab/mm/page_flags.ts";
import { PAGE_SIZE } from "swaplab/mm/pgtable.ts";
import type { Folio } from "swaplab/mm/mm_types.ts";
import { onlyCacheLeft, pinUsage } from "swaplab/mm/swap_count.ts";
import {
  __read_swap_cache_async,
  add_to_swap,
  add_to_swap_cache,
  filemap_get_folio,
  swapCachePages,
} from "swaplab/mm/swap_state.ts";
import {
  disable_swap_slots_cache_lock,
  folio_alloc_swap,
  reenable_swap_slots_cache_unlock,
} from "swaplab/mm/swap_slots.ts";
import { sys_swapoff } from "swaplab/mm/swapoff.ts";
import { swap_free, swapcache_prepare } from "swaplab/mm/swapfile.ts";
import { swp_entry, swp_offset, type SwpEntry } from "swaplab/mm/swapops.ts";
import { makeRng, nextBelow, type Rng } from "swaplab/sim/rng.ts";
import { run, type Task } from "swaplab/sim/task.ts";
import { byteOf, pageOf, type Scene, scene, slotOf } from "./helpers.ts";

type Found = { folio: Folio; isNew: boolean } | null;

const off = { swap_map_cache_flag: "off" } as const;

/** Page 0 is in swap, on a machine without the flag. */
function swappedOut(options: MachineOptions = {}): Scene & { slot: SwpEntry } {
  const set = scene({ pageCluster: 0, proposals: off, ...options });
  set.program.write(0, pageOf("node"));
  set.program.advise("pageout", 0, 1);
  return { ...set, slot: slotOf(set.program, 0) };
}

/** A read fault on page 0 of a process. */
function fault({ machine }: Scene, { area }: Process): Task<number> {
  return handle_mm_fault(machine.k, area, area.vm_start / PAGE_SIZE, 0);
}

/** Every value that the byte has while a task runs. */
function bytesDuring(set: Scene, slot: SwpEntry, task: Task<unknown>) {
  const seen = [byteOf(set, slot)];
  for (;;) {
    const { done, value } = task.next();
    const byte = byteOf(set, slot);
    if (byte !== seen.at(-1)) seen.push(byte);
    if (done) return seen;
    while (value.ready?.() === false) {
      assert.ok(idleUntilNextEvent(set.machine.k.clock), value.what);
    }
  }
}

Deno.test("the pin is a flag, or one more user", () => {
  assert.equal(pinUsage(scene().machine.k), 0x40);
  assert.equal(pinUsage(scene({ proposals: off }).machine.k), 1);
});

Deno.test("off: the life of a byte counts users and the cache together", () => {
  const set = swappedOut();
  const { machine, program, slot } = set;
  assert.equal(byteOf(set, slot), 1, "one entry names it");
  const child = program.fork();
  assert.equal(byteOf(set, slot), 2, "two entries");
  // The cache comes, the entry goes.
  assert.deepEqual(bytesDuring(set, slot, fault(set, child)), [2, 3, 2]);
  assert.equal(swapCachePages(machine.k), 1);
  assert.deepEqual(bytesDuring(set, slot, fault(set, program)), [2, 1]);
  assert.equal(byteOf(set, slot), 1, "the cache alone");
  program.exit();
  child.exit();
  // On its way to the device: nobody can take it.
  assert.equal(byteOf(set, slot), machine.k.swap.swp_slots[0]!.n_ret && 0x40);
  checkMachine(machine);
});

Deno.test("off: a page under write to a disk counts its user and the cache", () => {
  const set = swappedOut({ zswap: { enabled: false } });
  assert.equal(byteOf(set, set.slot), 2);
  const on = scene({ pageCluster: 0, zswap: { enabled: false } });
  on.program.write(0, pageOf("node"));
  on.program.advise("pageout", 0, 1);
  assert.equal(byteOf(on, slotOf(on.program, 0)), 0x41);
});

Deno.test("off: a slot from the allocator has the cache's count of 1", () => {
  const set = scene({ proposals: off, debug: false });
  const { k } = set.machine;
  const folio = run(folio_alloc(k, GFP_KERNEL))!;
  const slot = run(folio_alloc_swap(k, folio))!;
  assert.equal(byteOf(set, slot), 1);
  assert.equal(onlyCacheLeft(k, k.swap_info[0]!, swp_offset(slot)), false);
  folio_trylock(folio);
  run(add_to_swap_cache(k, folio, slot, GFP_KERNEL));
  assert.equal(byteOf(set, slot), 1);
  assert.equal(onlyCacheLeft(k, k.swap_info[0]!, swp_offset(slot)), true);
});

Deno.test("off: nobody can pin a slot that is free, or waits to be", () => {
  for (const pages of [64, 1000]) {
    const set = swappedOut({ swap: { pages } });
    const { k } = set.machine;
    run(swap_free(k, set.slot));
    // With many slots it waits in the cache of slots.
    assert.equal(byteOf(set, set.slot), pages === 64 ? 0 : 0x40);
    assert.equal(run(swapcache_prepare(k, set.slot)), -ENOENT);
    assert.equal(byteOf(set, set.slot), pages === 64 ? 0 : 0x40);
  }
});

Deno.test("off: pins are not exclusive, the swap cache itself is", () => {
  const { machine: { k }, slot } = swappedOut();
  assert.equal(run(swapcache_prepare(k, slot)), 0);
  assert.equal(run(swapcache_prepare(k, slot)), 0);
  const [first, second] = [1, 2].map(() => run(folio_alloc(k, GFP_KERNEL))!);
  folio_trylock(first!);
  folio_trylock(second!);
  const add = (folio: typeof first) =>
    run(add_to_swap_cache(k, folio!, slot, GFP_KERNEL)).err;
  assert.equal(add(first), 0);
  const { flags, _refcount } = second!;
  assert.equal(add(second), -EEXIST);
  assert.deepEqual([second!.flags, second!._refcount], [flags, _refcount]);
  assert.ok(sameFolio(run(filemap_get_folio(k, slot)), first!));
});

Deno.test("off: who comes second into the cache gives its count back", () => {
  const set = swappedOut();
  const { machine: { k }, slot } = set;
  const late: Task<Found> = __read_swap_cache_async(k, slot, GFP_KERNEL, false);
  // It has counted, and is about to put its folio there.
  while (byteOf(set, slot) !== 2) assert.ok(!late.next().done);
  const early = run(__read_swap_cache_async(k, slot, GFP_KERNEL, false))!;
  assert.equal(early.isNew, true);
  const found = run(late)!;
  assert.deepEqual([found.isNew, found.folio], [false, early.folio]);
  assert.equal(byteOf(set, slot), 2, "the entry and the cache");
});

Deno.test("off: a slot that a reader took for a used one is passed over", () => {
  const set = scene({ proposals: off, debug: false, swap: { pages: 1000 } });
  const { k } = set.machine;
  const [first, folio] = [1, 2].map(() => run(folio_alloc(k, GFP_KERNEL))!);
  const used = run(folio_alloc_swap(k, first!))!;
  const next = swp_entry(0, swp_offset(used) + 1);
  assert.equal(byteOf(set, next), 1, "it waits to be given out");
  const read = run(__read_swap_cache_async(k, next, GFP_KERNEL, false))!;
  assert.equal(byteOf(set, next), 2);
  folio_trylock(folio!);
  assert.equal(run(add_to_swap(k, folio!)), true);
  assert.equal(folio!.swap, swp_entry(0, swp_offset(used) + 2));
  assert.equal(byteOf(set, next), 1, "the reader's folio alone");
  assert.equal(onlyCacheLeft(k, k.swap_info[0]!, swp_offset(next)), true);
  folio_put(k, read.folio);
});

Deno.test("off: slots that wait to be given out go back, those in the cache stay", () => {
  const set = scene({ proposals: off, debug: false, swap: { pages: 1000 } });
  const { k } = set.machine;
  const used = run(folio_alloc_swap(k, run(folio_alloc(k, GFP_KERNEL))!))!;
  const next = swp_entry(0, swp_offset(used) + 1);
  run(__read_swap_cache_async(k, next, GFP_KERNEL, false));
  assert.equal(k.swap_info[0]!.inuse_pages, 64);
  run(disable_swap_slots_cache_lock(k));
  reenable_swap_slots_cache_unlock(k);
  assert.equal(k.swap_info[0]!.inuse_pages, 2);
  assert.deepEqual([byteOf(set, used), byteOf(set, next)], [1, 1]);
});

/** Thread 004's race: the only user goes while somebody has the folio. */
function orphaned(options: MachineOptions = {}) {
  const set = swappedOut({ debug: false, ...options });
  set.program.advise("willneed", 0, 1);
  const folio = run(filemap_get_folio(set.machine.k, set.slot))!;
  assert.ok(folio_trylock(folio));
  set.program.advise("dontneed", 0, 1);
  folio_unlock(folio);
  folio_put(set.machine.k, folio);
  return set;
}

Deno.test("an orphan and a slot with one user: only the flag tells them apart", () => {
  for (const flag of ["off", "on"] as const) {
    const proposals = { swap_map_cache_flag: flag };
    const orphan = orphaned({ proposals });
    const user = swappedOut({ proposals });
    const bytes = [byteOf(orphan, orphan.slot), byteOf(user, user.slot)];
    assert.deepEqual(bytes, flag === "on" ? [0x40, 1] : [1, 1]);
    // With a look into the cache both are known for what they are.
    const alone = ({ machine: { k }, slot }: typeof user) =>
      onlyCacheLeft(k, k.swap_info[0]!, swp_offset(slot));
    assert.deepEqual([alone(orphan), alone(user)], [true, false]);
    assert.equal(orphan.machine.k.swap_info[0]!.inuse_pages, 1);
  }
});

Deno.test("off: zap_frees_swap scan finds the orphan as well", () => {
  const set = orphaned({
    proposals: { ...off, zap_frees_swap: "scan" },
    swap: { pages: 20 },
  });
  // One of 19 slots is left.
  for (let page = 1; page <= 17; page++) {
    set.program.write(page, pageOf("text", page));
  }
  set.program.advise("pageout", 1, 18);
  assert.equal(byteOf(set, set.slot), 1);
  set.program.advise("dontneed", 50, 51);
  assert.equal(byteOf(set, set.slot), 0);
  assert.deepEqual(set.program.read(2), pageOf("text", 2));
});

Deno.test("off: an orphan's slot is taken back when swap is full", () => {
  const set = orphaned({ swap: { pages: 3 } });
  const [first, second] = [1, 2];
  set.program.write(first, pageOf("text", 1));
  set.program.write(second, pageOf("text", 2));
  set.program.advise("pageout", first, 3);
  // The worker looks for what only the cache holds.
  set.machine.settle();
  set.program.advise("pageout", second, 3);
  assert.equal(slotOf(set.program, second), set.slot);
  assert.deepEqual(set.program.read(first), pageOf("text", 1));
  assert.deepEqual(set.program.read(second), pageOf("text", 2));
});

Deno.test("off: past the cache the pin is one more user", () => {
  const set = swappedOut({ swap: { kind: "brd" }, zswap: { enabled: false } });
  set.machine.settle();
  const bytes = bytesDuring(set, set.slot, fault(set, set.program));
  assert.deepEqual(bytes.slice(0, 3), [1, 2, 1]);
  assert.equal(swapCachePages(set.machine.k), 0);
  assert.deepEqual(set.program.read(0), pageOf("node"));
  checkMachine(set.machine);
});

for (const swap_map_cache_flag of ["off", "on"] as const) {
  const proposals = { swap_map_cache_flag };

  Deno.test(`${swap_map_cache_flag}: fork, zap and exit leave no slot`, () => {
    const set = scene({ pageCluster: 0, proposals });
    const { machine, program } = set;
    for (let page = 0; page < 20; page++) {
      program.write(page, pageOf("text", page));
    }
    program.advise("pageout", 0, 20);
    const child = program.fork();
    child.read(3);
    child.write(4, pageOf("node"));
    program.advise("dontneed", 0, 10);
    assert.deepEqual(child.read(5), pageOf("text", 5));
    child.exit();
    program.exit();
    run(disable_swap_slots_cache_lock(machine.k));
    reenable_swap_slots_cache_unlock(machine.k);
    checkMachine(machine);
    assert.equal(machine.k.swap_info[0]!.inuse_pages, 0);
    assert.ok(machine.k.swap_info[0]!.swap_map.slice(1).every((b) => b === 0));
  });

  Deno.test(`${swap_map_cache_flag}: 62 users, and the cache`, () => {
    const set = swappedOut({ frames: 1024, proposals, debug: false });
    const { machine, program, slot } = set;
    const children = Array.from({ length: 61 }, () => program.fork());
    const bytes = bytesDuring(set, slot, fault(set, children[0]!));
    // As one more user, the cache needs a page of digits.
    const expected = swap_map_cache_flag === "on"
      ? [0x3e, 0x7e, 0x7d]
      : [0x3e, 0x80, 0x3e];
    assert.deepEqual(bytes, expected);
    checkMachine(machine);
    for (const child of children) {
      assert.deepEqual(child.read(0), pageOf("node"));
      child.exit();
    }
    checkMachine(machine);
    assert.equal(byteOf(set, slot), swap_map_cache_flag === "on" ? 0x41 : 2);
  });

  Deno.test(`${swap_map_cache_flag}: a shared page goes and comes back`, () => {
    const set = scene({ pageCluster: 0, proposals });
    const shared = set.machine.spawn({ pages: 20, shared: true });
    shared.write(3, pageOf("node"));
    const object = shared.area.vm_mapping!;
    for (let other = 0; typeof object.i_pages.entries.get(3) !== "number";) {
      set.program.write(other++, pageOf("text", other));
    }
    const slot = object.i_pages.entries.get(3) as SwpEntry;
    assert.equal(byteOf(set, slot), swap_map_cache_flag === "on" ? 0xbf : 1);
    assert.deepEqual(shared.read(3), pageOf("node"));
    checkMachine(set.machine);
  });

  Deno.test(`${swap_map_cache_flag}: swapoff brings every page back`, () => {
    const set = scene({ frames: 256, pageCluster: 0, proposals });
    const { machine, program } = set;
    program.fill(makePageSource("text", 1));
    program.advise("pageout", 0, 60);
    const child = program.fork();
    child.read(7);
    assert.equal(
      machine.run(sys_swapoff(machine.k, machine.k.swap_info[0]!), swapper),
      0,
    );
    assert.deepEqual(child.read(7), program.read(7));
    checkMachine(machine);
  });

  for (const kind of ["ssd", "hdd", "brd"] as const) {
    Deno.test(`${swap_map_cache_flag}, ${kind}: 1500 operations agree`, () => {
      for (let seed = 1; seed <= 3; seed++) {
        const machine = makeMachine({
          frames: 24 * seed,
          swap: { kind, pages: [60, 300, 1000][seed - 1]! },
          zswap: { enabled: seed !== 2, maxPoolPercent: 15 },
          proposals,
          debug: true,
          seed,
        });
        operate(machine, makeRng(seed), 500);
        const { pswpin, zswpin } = machine.k.vm_event;
        assert.ok(pswpin + zswpin > 20, `${pswpin} + ${zswpin} pages read`);
      }
    });
  }
}

/** Random operations; the machine compares what is read with what was written. */
function operate(machine: Machine, rng: Rng, operations: number): void {
  const source = makePageSource(pageKinds, 9);
  const live = [
    machine.spawn({ pages: 40 }),
    machine.spawn({ pages: 20, shared: true }),
  ];
  for (let i = 0; i < operations; i++) {
    const process = live[nextBelow(rng, live.length)]!;
    try {
      const child = act(rng, process, source, live.length < 6);
      if (child !== null) live.push(child);
      else if (nextBelow(rng, 40) === 0 && live.length > 2) end(live, process);
    } catch (error) {
      if (!(error instanceof ProcessKilled)) throw error;
      end(live, process);
    }
    if (live.length === 0) live.push(machine.spawn({ pages: 40 }));
    if (i % 50 === 0) machine.settle();
  }
}

function end(live: Process[], process: Process): void {
  process.exit();
  live.splice(live.indexOf(process), 1);
}

/** One operation; a child if it was a fork. */
function act(
  rng: Rng,
  process: Process,
  source: PageSource,
  mayFork: boolean,
): Process | null {
  const page = nextBelow(rng, process.pages);
  const last = Math.min(process.pages, page + 10);
  const choice = nextBelow(rng, 100);
  if (choice < 45) {
    const bytes = new Uint8Array(PAGE_SIZE);
    source.fill(nextBelow(rng, 500), bytes);
    process.write(page, bytes);
  } else if (choice < 86) process.read(page);
  else if (choice < 90) process.advise("pageout", page, last);
  else if (choice < 93) process.advise("dontneed", page, last);
  else if (choice < 95) process.advise("willneed", page, last);
  else if (mayFork) return process.fork();
  return null;
}
