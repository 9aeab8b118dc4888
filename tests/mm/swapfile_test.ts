import assert from "node:assert/strict";
import { EEXIST, EINVAL, ENOENT } from "swaplab/base/errno.ts";
import { makeMachine } from "swaplab/lab/machine.ts";
import type { Kernel } from "swaplab/mm/mm_types.ts";
import { zeromapSet } from "swaplab/mm/swap_alloc.ts";
import {
  put_swap_folio,
  swap_duplicate,
  swap_free,
  swapcache_prepare,
  vm_swap_full,
} from "swaplab/mm/swapfile.ts";
import { swp_entry, swp_offset } from "swaplab/mm/swapops.ts";
import { run, type Task } from "swaplab/sim/task.ts";
import { allocSlot, pageOf, pushOut, scene, slotOf } from "./helpers.ts";

function device(pages = 64): Kernel {
  return makeMachine({ frames: 64, swap: { pages } }).k;
}

const byteOf = (k: Kernel, offset: number) => k.swap_info[0]!.swap_map[offset];

Deno.test("swapon marks the header as bad and counts the rest", () => {
  const k = device(64);
  assert.equal(byteOf(k, 0), 0x3f);
  assert.equal(k.total_swap_pages, 63);
  assert.equal(k.nr_swap_pages, 63);
});

Deno.test("folio_alloc_swap() gives slots in order, pinned and without users", () => {
  const k = device();
  const offsets = [1, 2, 3].map(() => swp_offset(run(allocSlot(k))!));
  assert.deepEqual(offsets, [1, 2, 3]);
  assert.equal(byteOf(k, 2), 0x40);
  assert.equal(k.nr_swap_pages, 60);
});

Deno.test("folio_alloc_swap() gives null when the device is full, and goes on later", () => {
  const k = device(4);
  const entries = [1, 2, 3].map(() => run(allocSlot(k))!);
  assert.equal(run(allocSlot(k)), null);
  run(put_swap_folio(k, entries[1]!));
  assert.equal(byteOf(k, 2), 0);
  assert.equal(run(allocSlot(k)), entries[1]);
});

Deno.test("folio_alloc_swap() goes on behind the last slot before it wraps", () => {
  const k = device(8);
  const entries = [1, 2, 3].map(() => run(allocSlot(k))!);
  run(put_swap_folio(k, entries[0]!));
  assert.equal(swp_offset(run(allocSlot(k))!), 4);
});

// The life of one map byte, in the order of a swap-out and a swap-in.
Deno.test("a byte goes 0x40, 0x41, 0x01, 0x41, 0x40, 0x00", () => {
  const k = device();
  const entry = run(allocSlot(k))!;
  const bytes = [byteOf(k, 1)];
  const steps: Task<unknown>[] = [
    swap_duplicate(k, entry),
    put_swap_folio(k, entry),
    swapcache_prepare(k, entry),
    swap_free(k, entry),
    put_swap_folio(k, entry),
  ];
  for (const step of steps) {
    run(step);
    bytes.push(byteOf(k, 1));
  }
  assert.deepEqual(bytes, [0x40, 0x41, 0x01, 0x41, 0x40, 0x00]);
});

Deno.test("swapcache_prepare() refuses a pinned and a free slot", () => {
  const k = device();
  const entry = run(allocSlot(k))!;
  assert.equal(run(swapcache_prepare(k, entry)), -EEXIST);
  assert.equal(run(swapcache_prepare(k, swp_entry(0, 9))), -ENOENT);
  assert.equal(run(swapcache_prepare(k, swp_entry(5, 9))), -EINVAL);
});

Deno.test("swap_duplicate() swallows all errors but -ENOMEM", () => {
  const k = device();
  assert.equal(run(swap_duplicate(k, swp_entry(0, 9))), 0);
  assert.equal(byteOf(k, 9), 0);
  assert.equal(run(swap_duplicate(k, swp_entry(7, 9))), 0);
});

Deno.test("swap_duplicate() adds a page of digits at the 63rd user", () => {
  const k = device();
  const entry = run(allocSlot(k))!;
  const free = k.nodes[0]!.zone.free_list.length;
  for (let user = 1; user <= 63; user++) {
    assert.equal(run(swap_duplicate(k, entry)), 0);
  }
  assert.equal(byteOf(k, 1), 0xc0);
  assert.equal(k.nodes[0]!.zone.free_list.length, free - 1);
});

Deno.test("swap_free() of a free slot changes nothing and leaves a warning", () => {
  const k = device();
  run(swap_free(k, swp_entry(0, 9)));
  assert.equal(byteOf(k, 9), 0);
  assert.equal(k.warnings.length, 1);
});

Deno.test("a freed slot is clean: no zero bit, no compressed copy", () => {
  const set = scene();
  set.program.write(0, pageOf("python"));
  pushOut(set, 0);
  const { k } = set.machine;
  const offset = swp_offset(slotOf(set.program, 0));
  zeromapSet(k.swap_info[0]!, offset);
  const stored = k.zswap.stored_pages;
  set.program.exit();
  assert.ok(stored > 0);
  assert.equal(k.zswap.stored_pages, 0);
  assert.ok(k.swap_info[0]!.zeromap.every((byte) => byte === 0));
  assert.equal(k.nr_swap_pages, k.total_swap_pages);
});

Deno.test("vm_swap_full() is true when more than half of swap is in use", () => {
  const k = device(9);
  for (let i = 0; i < 4; i++) run(allocSlot(k));
  assert.equal(vm_swap_full(k), false);
  run(allocSlot(k));
  assert.equal(vm_swap_full(k), true);
});
