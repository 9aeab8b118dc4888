import assert from "node:assert/strict";
import { report } from "swaplab/lab/report.ts";
import { xa_load } from "swaplab/base/xarray.ts";
import type { Folio } from "swaplab/mm/mm_types.ts";
import { folio_test_dirty, folio_trylock } from "swaplab/mm/page_flags.ts";
import { pageBytes } from "swaplab/mm/page_io.ts";
import { zswap_load, zswap_store } from "swaplab/mm/zswap.ts";
import { zswap_max_pages, zswap_total_pages } from "swaplab/mm/zswap_pool.ts";
import { shrink_memcg } from "swaplab/mm/zswap_shrink.ts";
import { add_to_swap, filemap_get_folio } from "swaplab/mm/swap_state.ts";
import { folio_put, get_page_from_freelist } from "swaplab/mm/page_alloc.ts";
import { swp_offset } from "swaplab/mm/swapops.ts";
import { idleUntilNextEvent } from "swaplab/sim/clock.ts";
import { run } from "swaplab/sim/task.ts";
import { pageOf, pushOut, type Scene, scene, slotOf } from "./helpers.ts";

/** Page 0 written with Python's bytes and stored in zswap. */
function stored(options = {}): Scene {
  const set = scene(options);
  set.program.write(0, pageOf("python"));
  pushOut(set, 0);
  return set;
}

function entryOf({ machine, program }: Scene, page: number) {
  const slot = slotOf(program, page);
  const tree = machine.k.zswap.trees[0]![0]!;
  return xa_load(tree.xa, swp_offset(slot));
}

Deno.test("zswap_store() keeps the compressed bytes, the device sees nothing", () => {
  const set = stored();
  assert.ok(entryOf(set, 0)!.length < 1000);
  assert.equal(set.machine.k.vm_event.pswpout, 0);
  assert.ok(set.machine.k.vm_event.zswpout > 0);
});

Deno.test("zswap_load() gives the bytes, frees the copy and leaves the folio dirty", () => {
  const set = stored();
  const { k } = set.machine;
  const slot = slotOf(set.program, 0);
  assert.deepEqual(set.program.read(0), pageOf("python"));
  const tree = k.zswap.trees[0]![0]!;
  assert.equal(xa_load(tree.xa, swp_offset(slot)), null);
  const folio = run(filemap_get_folio(k, slot))!;
  assert.ok(folio_test_dirty(folio));
  folio_put(k, folio);
});

Deno.test("a page that comes back unwritten and goes again is stored again", () => {
  const set = stored();
  const before = set.machine.k.vm_event.zswpout;
  set.program.read(0);
  pushOut(set, 0, "sqlite");
  assert.ok(set.machine.k.vm_event.zswpout > before);
  assert.deepEqual(set.program.read(0), pageOf("python"));
});

Deno.test("zswap off: stores go to the device, old entries still load", () => {
  const set = stored();
  set.machine.k.zswap.enabled = false;
  set.program.write(1, pageOf("node"));
  assert.deepEqual(set.program.read(0), pageOf("python"));
  const before = set.machine.k.vm_event.zswpout;
  pushOut(set, 1, "text");
  assert.equal(set.machine.k.vm_event.zswpout, before);
  assert.ok(set.machine.k.vm_event.pswpout > 0);
  assert.deepEqual(set.program.read(1), pageOf("node"));
});

Deno.test("zswap_store() refuses from the limit down to the accept threshold", () => {
  const { machine, program } = scene({ zswap: { maxPoolPercent: 10 } });
  const { k } = machine;
  for (let page = 0; page < 100; page++) {
    program.write(page, pageOf("text", page));
    assert.ok(zswap_total_pages(k) <= zswap_max_pages(k));
  }
  const { zswap } = report(machine);
  assert.ok(zswap.pool_limit_hit > 0);
  assert.ok(k.vm_event.pswpout > 0);
});

Deno.test("zswap_store() of an incompressible page counts and stores nothing", () => {
  const { machine, program } = scene();
  for (let page = 0; page < 60; page++) {
    program.write(page, pageOf("random", page));
  }
  const { zswap, vmstat } = report(machine);
  assert.ok(zswap.reject_compress_fail > 0);
  assert.equal(zswap.stored_pages, 0);
  assert.equal(vmstat.pswpout, zswap.reject_compress_fail);
});

// zbud takes up to 3968 bytes; the null compressor gives 4096.
Deno.test("zswap_store() counts what the allocator finds too big as poor", () => {
  const { machine, program } = scene({ zswap: { compressor: "null" } });
  for (let page = 0; page < 60; page++) {
    program.write(page, pageOf("text", page));
  }
  const { zswap } = report(machine);
  assert.ok(zswap.reject_compress_poor > 0);
  assert.equal(zswap.reject_compress_fail, 0);
});

// With n fresh entries the first n attempts only clear the referenced bit.
Deno.test("shrink_memcg() gives each entry a second chance", () => {
  const set = stored();
  const { k } = set.machine;
  const fresh = k.zswap.stored_pages;
  const idle = () => idleUntilNextEvent(k.clock);
  for (let i = 0; i < fresh; i++) {
    assert.notEqual(run(shrink_memcg(k, null), idle), 0);
  }
  assert.equal(k.zswap.written_back_pages, 0);
  assert.equal(run(shrink_memcg(k, null), idle), 0);
  assert.equal(k.zswap.written_back_pages, 1);
  set.machine.settle();
  assert.deepEqual(set.program.read(0), pageOf("python"));
});

Deno.test("a written-back page is on the device and reads back right", () => {
  const set = stored();
  const { k } = set.machine;
  const idle = () => idleUntilNextEvent(k.clock);
  while (k.zswap.stored_pages > 0) run(shrink_memcg(k, null), idle);
  set.machine.settle();
  assert.ok(k.vm_event.zswpwb > 0);
  assert.equal(k.vm_event.zswpwb, k.zswap.written_back_pages);
  const reads = k.vm_event.pswpin;
  assert.deepEqual(set.program.read(0), pageOf("python"));
  assert.equal(k.vm_event.pswpin, reads + 1);
});

/** A locked folio with these bytes and a slot, as reclaim holds it. */
function cachedFolio({ machine }: Scene, bytes: Uint8Array): Folio {
  const { k } = machine;
  const folio = get_page_from_freelist(k, 0)!;
  folio_trylock(folio);
  pageBytes(k, folio).set(bytes);
  assert.ok(run(add_to_swap(k, folio)));
  return folio;
}

Deno.test("zswap_store() that fails leaves no older copy of the slot", () => {
  const set = scene({ debug: false });
  const { k } = set.machine;
  const folio = cachedFolio(set, pageOf("python"));
  assert.equal(run(zswap_store(k, folio)), true);
  pageBytes(k, folio).set(pageOf("random"));
  assert.equal(run(zswap_store(k, folio)), false);
  assert.equal(k.zswap.stored_pages, 0);
});

Deno.test("zswap_store() again under the same slot replaces the copy", () => {
  const set = scene({ debug: false });
  const { k } = set.machine;
  const folio = cachedFolio(set, pageOf("python"));
  run(zswap_store(k, folio));
  pageBytes(k, folio).set(pageOf("node"));
  assert.equal(run(zswap_store(k, folio)), true);
  assert.equal(k.zswap.stored_pages, 1);
  assert.ok(run(zswap_load(k, folio)));
  assert.deepEqual(pageBytes(k, folio).slice(), pageOf("node"));
});
