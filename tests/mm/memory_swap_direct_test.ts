/** Faults past the swap cache, and what fork makes of a slot: facts, 16.1. */
import assert from "node:assert/strict";
import type { MachineOptions } from "swaplab/lab/options.ts";
import { handle_mm_fault, VM_FAULT_OOM } from "swaplab/mm/memory.ts";
import {
  folio_put,
  get_page_from_freelist,
  GFP_ATOMIC,
} from "swaplab/mm/page_alloc.ts";
import { folio_trylock, folio_unlock } from "swaplab/mm/page_flags.ts";
import {
  PAGE_SIZE,
  type Pte,
  PTRS_PER_PTE,
  set_pte,
} from "swaplab/mm/pgtable.ts";
import {
  disable_swap_slots_cache_lock,
  reenable_swap_slots_cache_unlock,
} from "swaplab/mm/swap_slots.ts";
import { filemap_get_folio } from "swaplab/mm/swap_state.ts";
import { idleUntilNextEvent } from "swaplab/sim/clock.ts";
import { run, type Task } from "swaplab/sim/task.ts";
import { byteOf, pageOf, type Scene, scene, slotOf } from "./helpers.ts";

/** Page 0 was written and is in swap; nothing else is. */
function swappedOut(options: MachineOptions = {}): Scene {
  const set = scene({ pageCluster: 0, debug: false, ...options });
  set.program.write(0, pageOf("node"));
  set.program.advise("pageout", 0, 1);
  set.machine.settle();
  return set;
}

/** The same on a RAM disk: faults go past the swap cache. */
function onBrd(options: MachineOptions = {}): Scene {
  const zswap = { enabled: false };
  return swappedOut({ swap: { kind: "brd" }, zswap, ...options });
}

/** A read fault on page 0, not begun. */
function fault({ machine, program }: Scene): Task<number> {
  machine.k.current = program.task;
  const vpn = program.area.vm_start / PAGE_SIZE;
  return handle_mm_fault(machine.k, program.area, vpn, 0);
}

/** What `look` sees while a task runs, each change once. */
function watch({ machine }: Scene, task: Task<number>, look: () => string) {
  const seen = [look()];
  for (;;) {
    const { done, value } = task.next();
    if (look() !== seen.at(-1)) seen.push(look());
    if (done) return seen;
    while (value.ready?.() === false) {
      assert.ok(idleUntilNextEvent(machine.k.clock), value.what);
    }
  }
}

Deno.test("past the cache with many slots: parked at 0x40, then flushed", () => {
  const set = onBrd({ swap: { kind: "brd", pages: 1000 } });
  const { k } = set.machine;
  const slot = slotOf(set.program, 0);
  const seen = watch(
    set,
    fault(set),
    () => `${byteOf(set, slot)} parked ${k.swap.swp_slots[0]!.n_ret}`,
  );
  assert.deepEqual(seen, [
    "1 parked 0",
    "65 parked 0",
    "64 parked 0",
    "64 parked 1",
  ]);
  run(disable_swap_slots_cache_lock(k));
  assert.equal(byteOf(set, slot), 0);
  reenable_swap_slots_cache_unlock(k);
});

Deno.test("fork counts one more, in the cache 0x42; each zap takes one", () => {
  const set = swappedOut();
  const { program, machine: { k } } = set;
  const slot = slotOf(program, 0);
  const child = program.fork();
  assert.equal(byteOf(set, slot), 0x02);
  child.advise("willneed", 0, 1);
  assert.equal(byteOf(set, slot), 0x42);
  const folio = run(filemap_get_folio(k, slot))!;
  folio_trylock(folio);
  program.advise("dontneed", 0, 1);
  assert.equal(byteOf(set, slot), 0x41);
  child.advise("dontneed", 0, 1);
  assert.equal(byteOf(set, slot), 0x40);
  folio_unlock(folio);
  folio_put(k, folio);
});

Deno.test("past the cache without a frame: OOM if the entry stands, no pin", () => {
  for (const stands of [true, false]) {
    const set = onBrd({ debug: false });
    const { k } = set.machine;
    const slot = slotOf(set.program, 0);
    const vpn = set.program.area.vm_start / PAGE_SIZE;
    const table = set.program.mm.tables.get(Math.floor(vpn / PTRS_PER_PTE))!;
    const task = fault(set);
    while (get_page_from_freelist(k, GFP_ATOMIC) !== null);
    let most = 0;
    let step = task.next();
    for (; !step.done; step = task.next()) {
      most = Math.max(most, byteOf(set, slot));
      const last = step.value.what.startsWith("spin_lock(ptl");
      if (last && !stands) set_pte(table, vpn % PTRS_PER_PTE, 0n as Pte);
    }
    assert.equal(step.value, stands ? VM_FAULT_OOM : 0);
    assert.equal(most, 1, "never pinned");
    assert.equal(k.vm_event.pgmajfault, 0);
  }
});
