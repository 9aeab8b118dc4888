import { pfn_folio } from "swaplab/mm/folio.ts";
import assert from "node:assert/strict";
import { KernelBug } from "swaplab/base/bug.ts";
import { entryAt } from "swaplab/lab/entry.ts";
import type { MachineOptions } from "swaplab/lab/options.ts";
import {
  FAULT_FLAG_ALLOW_RETRY,
  FAULT_FLAG_TRIED,
  handle_mm_fault,
  VM_FAULT_MAJOR,
  VM_FAULT_RETRY,
  VM_FAULT_SIGBUS,
} from "swaplab/mm/memory.ts";
import { folio_trylock, folio_unlock } from "swaplab/mm/page_flags.ts";
import {
  PAGE_SIZE,
  type Pte,
  ptep_get,
  PTRS_PER_PTE,
  set_pte,
} from "swaplab/mm/pgtable.ts";
import type { Folio } from "swaplab/mm/mm_types.ts";
import { folio_put } from "swaplab/mm/page_alloc.ts";
import { try_to_unmap } from "swaplab/mm/rmap.ts";
import { SWP_STABLE_WRITES, SWP_SYNCHRONOUS_IO } from "swaplab/mm/swap.ts";
import {
  add_to_swap,
  filemap_get_folio,
  get_shadow_from_swap_cache,
  swapCachePages,
} from "swaplab/mm/swap_state.ts";
import type { SwpEntry } from "swaplab/mm/swapops.ts";
import type { Proposals } from "swaplab/proposals.ts";
import { idleUntilNextEvent, TICK_NSEC } from "swaplab/sim/clock.ts";
import { type Op, run, type Task } from "swaplab/sim/task.ts";
import {
  byteOf,
  pageOf,
  type Scene,
  scene,
  slotOf,
  stepUntil,
} from "./helpers.ts";

const noZswap = { enabled: false };

/** A page on a RAM disk: faults go past the swap cache. */
function onBrd(options: MachineOptions = {}): Scene {
  return swappedOut({ swap: { kind: "brd" }, zswap: noZswap, ...options });
}

/** Page 0 was written and is in swap; nothing else is. */
function swappedOut(options: MachineOptions): Scene {
  const set = scene({ pageCluster: 0, ...options });
  set.program.write(0, pageOf("node"));
  set.program.advise("pageout", 0, 1);
  set.machine.settle();
  return set;
}

/** One fault on page 0, not begun. */
function fault({ machine, program }: Scene, write = false): Task<number> {
  machine.k.current = program.task;
  const vpn = program.area.vm_start / PAGE_SIZE;
  return handle_mm_fault(machine.k, program.area, vpn, write ? 1 : 0);
}

/** Let it run to its end; what `look` says at every pause, without repeats. */
function watch<T>({ machine }: Scene, task: Task<number>, look: () => T): T[] {
  const seen = [look()];
  const note = () => {
    if (look() !== seen.at(-1)) seen.push(look());
  };
  for (;;) {
    const { done, value } = task.next();
    note();
    if (done) return seen;
    while (value.ready?.() === false) {
      assert.ok(idleUntilNextEvent(machine.k.clock), `${value.what} for ever`);
    }
  }
}

/** The entry of page 0, as it stands. */
function tableOf({ program }: Scene) {
  const vpn = program.area.vm_start / PAGE_SIZE;
  const table = program.mm.tables.get(Math.floor(vpn / PTRS_PER_PTE))!;
  return { table, index: vpn % PTRS_PER_PTE };
}

// The life of one byte: facts, 16.1.

Deno.test("on the way out the byte reads 0x40, 0x40, 0x41, 0x01", () => {
  const set = scene({ pageCluster: 0 });
  const { k } = set.machine;
  set.program.write(0, pageOf("node"));
  const folio = pfn_folio(k, entryAt(set.program, 0).frame!)!;
  folio_trylock(folio);
  assert.equal(run(add_to_swap(k, folio)), true);
  const slot = folio.swap;
  assert.equal(byteOf(set, slot), 0x40);
  run(try_to_unmap(k, folio));
  assert.equal(byteOf(set, slot), 0x41);
  folio_unlock(folio);
  const other = set.machine.spawn({ pages: 80 });
  for (let page = 0; byteOf(set, slot) === 0x41; page++) {
    other.write(page, pageOf("text", page));
  }
  assert.equal(byteOf(set, slot), 0x01);
  assert.notEqual(get_shadow_from_swap_cache(k, slot), null);
});

Deno.test("through the cache a read fault takes the byte to 0x41 and 0x40", () => {
  const set = swappedOut({});
  const slot = slotOf(set.program, 0);
  const bytes = watch(set, fault(set), () => byteOf(set, slot));
  assert.deepEqual(bytes, [0x01, 0x41, 0x40]);
  assert.equal(swapCachePages(set.machine.k), 1);
});

Deno.test("through the cache a write fault frees the slot as well", () => {
  const set = swappedOut({});
  const slot = slotOf(set.program, 0);
  const bytes = watch(set, fault(set, true), () => byteOf(set, slot));
  assert.deepEqual(bytes, [0x01, 0x41, 0x40, 0x00]);
  assert.equal(swapCachePages(set.machine.k), 0);
});

Deno.test("past the cache the slot is free when the page is mapped", () => {
  const set = onBrd();
  const slot = slotOf(set.program, 0);
  const where = () => set.program.whereabouts(0);
  const seen = watch(
    set,
    fault(set),
    () => `${byteOf(set, slot)} ${where()}`,
  );
  assert.deepEqual(seen, [
    "1 swap",
    "65 swap",
    "64 memory",
    "0 memory",
  ]);
  assert.equal(swapCachePages(set.machine.k), 0);
});

Deno.test("a slot with two users comes through the cache, also from a RAM disk", () => {
  const set = onBrd();
  const slot = slotOf(set.program, 0);
  const child = set.program.fork();
  assert.equal(byteOf(set, slot), 0x02);
  set.program.read(0);
  assert.equal(byteOf(set, slot), 0x41);
  assert.equal(swapCachePages(set.machine.k), 1);
  assert.deepEqual(child.read(0), pageOf("node"));
  child.exit();
});

Deno.test("a page that came past the cache is mapped writable, and is clean", () => {
  const set = onBrd();
  set.program.read(0);
  const entry = entryAt(set.program, 0);
  assert.equal(entry.writable, true);
  assert.equal(entry.dirty, false);
});

Deno.test("a failed read past the cache is SIGBUS, and the pin goes", () => {
  const swap = { readErrorRate: 1 };
  const set = scene({ zswap: noZswap, swap, pageCluster: 0 });
  // As if the disk were a synchronous one.
  set.machine.k.swap_info[0]!.flags |= SWP_SYNCHRONOUS_IO;
  set.program.write(0, pageOf("node"));
  set.program.advise("pageout", 0, 1);
  const slot = slotOf(set.program, 0);
  const bytes = watch(set, fault(set), () => byteOf(set, slot));
  assert.deepEqual(bytes, [0x01, 0x41, 0x01]);
  const task = fault(set);
  const idle = () => idleUntilNextEvent(set.machine.k.clock);
  assert.equal(run(task, idle), VM_FAULT_SIGBUS);
});

Deno.test("a device with stable writes: no writing to a page under write", () => {
  for (const stable of [false, true]) {
    const set = scene({ zswap: noZswap, pageCluster: 0 });
    const { k } = set.machine;
    if (stable) k.swap_info[0]!.flags |= SWP_STABLE_WRITES;
    set.program.write(0, pageOf("node"));
    set.program.advise("pageout", 0, 1);
    assert.equal(k.swap_info[0]!.disk.stats.writes, 0);
    set.program.read(0);
    assert.equal(entryAt(set.program, 0).writable, !stable);
    // The write that follows is sorted out by do_wp_page().
    set.program.write(0, new Uint8Array([1]));
    set.machine.settle();
    assert.equal(set.program.read(0)[0], 1);
  }
});

// Thread 003: two faults on one entry, on a device with one slot.

/** The first fault has read its page, and is about to look again. */
function firstFaultPaused(set: Scene): Task<number> {
  const first = fault(set);
  stepUntil(first, "spin_lock(ptl");
  return first;
}

function oneSlot(proposals: Partial<Proposals>): Scene {
  return onBrd({
    swap: { kind: "brd", pages: 2 },
    proposals,
    debug: false,
  });
}

/** Steps 3 to 6 of the table: the other thread goes on, then the first. */
function secondThread(set: Scene, first: Task<number>): void {
  const slot = entryAt(set.program, 0).slot;
  set.program.read(0);
  set.program.write(0, pageOf("redis"));
  set.program.advise("pageout", 0, 1);
  assert.equal(entryAt(set.program, 0).slot, slot, "the slot came back");
  run(first);
}

Deno.test("sync_swapin_pin none: the slot is used again and the write is lost", () => {
  const set = oneSlot({ sync_swapin_pin: "none" });
  secondThread(set, firstFaultPaused(set));
  assert.throws(() => set.program.read(0), /Data corruption/);
});

Deno.test("sync_swapin_pin count: the cache takes the slot again, as bad", () => {
  const set = oneSlot({ sync_swapin_pin: "count" });
  const slot = slotOf(set.program, 0);
  const first = firstFaultPaused(set);
  assert.equal(byteOf(set, slot), 0x02);
  secondThread(set, first);
  assert.throws(() => set.program.read(0), KernelBug);
});

Deno.test("sync_swapin_pin has_cache: the second fault waits, nothing is lost", () => {
  const set = oneSlot({});
  const { k } = set.machine;
  const slot = slotOf(set.program, 0);
  const first = firstFaultPaused(set);
  assert.equal(byteOf(set, slot), 0x41);
  // Nobody comes in between.
  assert.equal(set.machine.run(fault(set), set.program.task), 0);
  assert.equal(set.program.whereabouts(0), "swap");
  assert.equal(k.vm_event.pgmajfault, 1);
  assert.equal(run(first), VM_FAULT_MAJOR);
  set.program.write(0, pageOf("redis"));
  set.program.advise("pageout", 0, 1);
  assert.deepEqual(set.program.read(0), pageOf("redis"));
});

Deno.test("sync_swapin_backoff says how long the loser waits", () => {
  const waits = { none: 0, schedule: 0, tick: TICK_NSEC, waitqueue: TICK_NSEC };
  for (const [backoff, wanted] of Object.entries(waits)) {
    const set = oneSlot({
      sync_swapin_backoff: backoff as Proposals["sync_swapin_backoff"],
    });
    const { clock } = set.machine.k;
    void firstFaultPaused(set);
    const before = clock.now;
    watch(set, fault(set), () => backoff);
    const waited = clock.now - before;
    assert.ok(waited >= wanted && waited < wanted + TICK_NSEC, backoff);
  }
});

Deno.test("swapcache_wq: the loser goes on when the pin goes, not a tick later", () => {
  const set = oneSlot({});
  const { k } = set.machine;
  const first = firstFaultPaused(set);
  const second = fault(set);
  stepUntil2(second, "schedule_timeout(swapcache_wq");
  const before = k.clock.now;
  run(first);
  run(second);
  assert.ok(k.clock.now - before < TICK_NSEC);
  assert.equal(k.swapcache_wq.sleepers, 0);
});

Deno.test("sync_swapin_backoff schedule lets others run, none does not even that", () => {
  for (const backoff of ["none", "schedule"] as const) {
    const set = oneSlot({ sync_swapin_backoff: backoff });
    void firstFaultPaused(set);
    const second = fault(set);
    const ended = stepUntil(second, "schedule");
    assert.equal(ended, backoff === "none" ? 0 : undefined);
  }
});

/** As stepUntil(), for an operation that has to wait. */
function stepUntil2(task: Task<number>, what: string): void {
  for (;;) {
    const { done, value } = task.next();
    if (done) throw new Error(`it ended before ${what}`);
    if (value.what.includes(what)) return;
  }
}

// Thread 001: the fault is given up after the page was read from zswap.

/** Abandon one fault on a page that zswap has; then read it. */
function abandonOnce(proposals: Partial<Proposals>): Scene {
  const set = onBrd({ zswap: { enabled: true }, proposals, debug: false });
  assert.equal(set.machine.k.zswap.stored_pages, 1);
  const { table, index } = tableOf(set);
  const first = fault(set);
  stepUntil(first, "spin_lock(ptl");
  const entry = ptep_get(table, index);
  // Somebody else is just at work there.
  set_pte(table, index, 0n as Pte);
  run(first);
  set_pte(table, index, entry);
  return set;
}

Deno.test("an abandoned fault leaves the compressed copy where it is", () => {
  const set = abandonOnce({});
  assert.equal(set.machine.k.zswap.stored_pages, 1);
  assert.deepEqual(set.program.read(0), pageOf("node"));
  assert.equal(set.machine.k.zswap.stored_pages, 0);
});
Deno.test("exclusive_loads on: an abandoned fault loses the page", () => {
  const set = abandonOnce({ exclusive_loads: "on" });
  assert.equal(set.machine.k.zswap.stored_pages, 0);
  assert.throws(() => set.program.read(0), /Data corruption/);
});

Deno.test("zswap_restore_on_abort: the page is stored again", () => {
  const set = abandonOnce({
    exclusive_loads: "on",
    zswap_restore_on_abort: "on",
  });
  assert.equal(set.machine.k.zswap.stored_pages, 1);
  assert.deepEqual(set.program.read(0), pageOf("node"));
});

Deno.test("zswapin_adds_to_swapcache: the cache owns the page, and keeps it", () => {
  const set = abandonOnce({
    exclusive_loads: "on",
    zswapin_adds_to_swapcache: "on",
  });
  const { k } = set.machine;
  assert.equal(k.zswap.stored_pages, 0);
  const slot: SwpEntry = slotOf(set.program, 0);
  const folio = run(filemap_get_folio(k, slot))!;
  folio_put(k, folio);
  assert.deepEqual(set.program.read(0), pageOf("node"));
  assert.equal(swapCachePages(k), 1);
});

Deno.test("a first try waits for a locked folio and gives up, a second locks", () => {
  const set = onBrd();
  const { k } = set.machine;
  const vpn = set.program.area.vm_start / PAGE_SIZE;
  const slot = slotOf(set.program, 0);
  const tryWith = (flags: number) => {
    k.current = set.program.task;
    const area = set.program.area;
    const task: Task<number> = handle_mm_fault(k, area, vpn, flags);
    for (;;) {
      const { done, value } = task.next();
      if (done) return value;
      if (value.what !== "folio_trylock" && value.what !== "folio_lock") {
        continue;
      }
      // Reclaim has found it on its list, and is about to give it back.
      const folio = value.object as Folio;
      assert.ok(folio_trylock(folio));
      const waits = value.what === "folio_lock" ? value : task.next().value;
      assert.equal((waits as Op).ready!(), false);
      folio_unlock(folio);
    }
  };
  const faults = k.vm_event.pgfault;
  const first = tryWith(FAULT_FLAG_ALLOW_RETRY);
  // Not over yet, so not counted.
  assert.equal(k.vm_event.pgfault, faults);
  assert.equal(first, VM_FAULT_MAJOR | VM_FAULT_RETRY);
  assert.equal(byteOf(set, slot), 0x01);
  assert.equal(set.program.whereabouts(0), "swap");
  const second = tryWith(FAULT_FLAG_ALLOW_RETRY | FAULT_FLAG_TRIED);
  assert.equal(second, VM_FAULT_MAJOR);
  assert.equal(set.program.whereabouts(0), "memory");
});
