import assert from "node:assert/strict";
import { entryAt } from "swaplab/lab/entry.ts";
import type { Process } from "swaplab/lab/process.ts";
import {
  folio_put,
  get_page_from_freelist,
  GFP_ATOMIC,
} from "swaplab/mm/page_alloc.ts";
import type { Folio } from "swaplab/mm/mm_types.ts";
import { swapCachePages } from "swaplab/mm/swap_state.ts";
import { byteOf, pageOf, type Scene, scene, slotOf } from "./helpers.ts";

/** Page 0 is in swap; `users` processes have it there. */
function sharedSlot(users: number): { set: Scene; family: Process[] } {
  const set = scene({ frames: 256, pageCluster: 0, debug: false });
  set.program.write(0, pageOf("node"));
  set.program.advise("pageout", 0, 1);
  const family = [set.program];
  while (family.length < users) family.push(set.program.fork());
  return { set, family };
}

Deno.test("each fork is one more user of a slot, each exit one less", () => {
  const { set, family } = sharedSlot(3);
  const slot = slotOf(set.program, 0);
  assert.equal(byteOf(set, slot), 3);
  family[1]!.read(0);
  // Two entries and the cache.
  assert.equal(byteOf(set, slot), 0x42);
  const child = family[1]!.fork();
  assert.equal(byteOf(set, slot), 0x42);
  child.exit();
  family[2]!.exit();
  assert.equal(byteOf(set, slot), 0x41);
});

Deno.test("fork takes the exclusive mark off both entries", () => {
  const { set, family } = sharedSlot(1);
  const exclusive = (process: Process) =>
    (BigInt(`0x${entryAt(process, 0).raw}`) >> 3n) & 1n;
  assert.equal(exclusive(set.program), 1n);
  const child = family[0]!.fork();
  assert.equal(exclusive(set.program), 0n);
  assert.equal(exclusive(child), 0n);
});

Deno.test("the 63rd user needs a page of digits", () => {
  const { set } = sharedSlot(62);
  const slot = slotOf(set.program, 0);
  assert.equal(byteOf(set, slot), 0x3e);
  set.program.fork();
  assert.equal(byteOf(set, slot), 0x80);
});

Deno.test("fork without a free frame drops its locks and reclaims one", () => {
  const { set } = sharedSlot(62);
  const { k } = set.machine;
  const slot = slotOf(set.program, 0);
  const other = set.machine.spawn({ pages: 60 });
  for (let page = 0; page < 60; page++) other.write(page, pageOf("text", page));
  // Nothing is left for an allocation that may not sleep.
  const held: Folio[] = [];
  for (;;) {
    const folio = get_page_from_freelist(k, GFP_ATOMIC);
    if (folio === null) break;
    held.push(folio);
  }
  const stalls = k.vm_event.allocstall_normal;
  const child = set.program.fork();
  assert.equal(byteOf(set, slot), 0x80);
  assert.ok(k.vm_event.allocstall_normal > stalls);
  for (const folio of held) folio_put(k, folio);
  assert.deepEqual(child.read(0), pageOf("node"));
});

Deno.test("fork that finds no frame at all fails, and leaves nothing behind", () => {
  const { set } = sharedSlot(62);
  const { k } = set.machine;
  const slot = slotOf(set.program, 0);
  const mms = k.mms.size;
  const held: Folio[] = [];
  for (;;) {
    const folio = get_page_from_freelist(k, GFP_ATOMIC);
    if (folio === null) break;
    held.push(folio);
  }
  assert.throws(() => set.program.fork(), /-ENOMEM/);
  assert.equal(k.mms.size, mms);
  assert.equal(byteOf(set, slot), 0x3e);
  for (const folio of held) folio_put(k, folio);
});

Deno.test("a child's exit leaves the slot of a page that the parent maps", () => {
  const { set, family } = sharedSlot(2);
  const slot = slotOf(set.program, 0);
  set.program.read(0);
  assert.equal(byteOf(set, slot), 0x41);
  // Only the cache is left, but there is swap enough.
  family[1]!.exit();
  assert.equal(byteOf(set, slot), 0x40);
  assert.equal(swapCachePages(set.machine.k), 1);
});

Deno.test("what fork copies looks unused to the child, and used to the parent", () => {
  const set = scene();
  set.program.write(0, pageOf("node"));
  const child = set.program.fork();
  assert.equal(entryAt(set.program, 0).accessed, true);
  assert.equal(entryAt(child, 0).accessed, false);
});
