import { sameFolio } from "swaplab/mm/folio.ts";
import assert from "node:assert/strict";
import { ENOMEM } from "swaplab/base/errno.ts";
import { spin_lock, spin_unlock } from "swaplab/locking/spinlock.ts";
import type { Folio, Kernel } from "swaplab/mm/mm_types.ts";
import {
  folio_alloc,
  folio_put,
  GFP_KERNEL,
  nr_free_pages,
} from "swaplab/mm/page_alloc.ts";
import { folio_trylock, folio_unlock } from "swaplab/mm/page_flags.ts";
import { SWAP_HAS_CACHE } from "swaplab/mm/swap.ts";
import {
  __delete_from_swap_cache,
  __read_swap_cache_async,
  add_to_swap,
  add_to_swap_cache,
  clear_shadow_from_swap_cache,
  delete_from_swap_cache,
  filemap_get_folio,
  get_shadow_from_swap_cache,
  swapCachePages,
} from "swaplab/mm/swap_state.ts";
import { folio_alloc_swap } from "swaplab/mm/swap_slots.ts";
import { swapcache_prepare } from "swaplab/mm/swapfile.ts";
import { swp_offset, type SwpEntry } from "swaplab/mm/swapops.ts";
import { run, type Task } from "swaplab/sim/task.ts";
import { scene, slotOf, stepUntil } from "./helpers.ts";

/** A locked folio of nobody's. */
function lockedFolio(k: Kernel): Folio {
  const folio = run(folio_alloc(k, GFP_KERNEL))!;
  folio_trylock(folio);
  return folio;
}

/** Into the cache, and out again with `shadow` left behind. */
function leaveShadow(k: Kernel, folio: Folio, entry: SwpEntry, shadow: number) {
  run(add_to_swap_cache(k, folio, entry, GFP_KERNEL));
  const { lock } = k.swap_info[0]!.swapper_spaces[0]!;
  run(spin_lock(lock));
  __delete_from_swap_cache(k, folio, entry, shadow);
  spin_unlock(lock);
  folio_put(k, folio);
}

Deno.test("a shadow stays where the folio was, and is no folio to a lookup", () => {
  const { k } = scene().machine;
  const folio = lockedFolio(k);
  const entry = run(folio_alloc_swap(k, lockedFolio(k)))!;
  assert.equal(get_shadow_from_swap_cache(k, entry), null);
  leaveShadow(k, folio, entry, 77);
  assert.equal(get_shadow_from_swap_cache(k, entry), 77);
  assert.equal(run(filemap_get_folio(k, entry)), null);
  assert.equal(swapCachePages(k), 0);
});

Deno.test("add_to_swap_cache() gives the shadow that it replaces, once", () => {
  const { k } = scene().machine;
  const folio = lockedFolio(k);
  const entry = run(folio_alloc_swap(k, lockedFolio(k)))!;
  leaveShadow(k, folio, entry, 77);
  const again = run(add_to_swap_cache(k, folio, entry, GFP_KERNEL));
  assert.deepEqual(again, { err: 0, shadow: 77 });
  assert.equal(get_shadow_from_swap_cache(k, entry), null);
  assert.equal(swapCachePages(k), 1);
  run(delete_from_swap_cache(k, folio));
  assert.equal(get_shadow_from_swap_cache(k, entry), null);
});

Deno.test("clear_shadow_from_swap_cache() takes shadows and leaves folios", () => {
  const { k } = scene().machine;
  const [gone, stays] = [lockedFolio(k), lockedFolio(k)];
  const first = run(folio_alloc_swap(k, lockedFolio(k)))!;
  const second = run(folio_alloc_swap(k, lockedFolio(k)))!;
  leaveShadow(k, gone, first, 5);
  run(add_to_swap_cache(k, stays, second, GFP_KERNEL));
  const [a, b] = [swp_offset(first), swp_offset(second)];
  clear_shadow_from_swap_cache(k, 0, Math.min(a, b), Math.max(a, b));
  assert.equal(get_shadow_from_swap_cache(k, first), null);
  assert.ok(sameFolio(run(filemap_get_folio(k, second)), stays!));
});

Deno.test("without memory for a node the folio and its slot are as before", () => {
  const { k } = scene().machine;
  const folio = lockedFolio(k);
  const entry = run(folio_alloc_swap(k, lockedFolio(k)))!;
  const { flags } = folio;
  k.inject.swapCacheNodes = 1;
  const { err } = run(add_to_swap_cache(k, folio, entry, GFP_KERNEL));
  assert.equal(err, -ENOMEM);
  assert.deepEqual([folio.flags, folio._refcount], [flags, 1]);
  assert.equal(
    k.swap_info[0]!.swap_map[swp_offset(entry)],
    SWAP_HAS_CACHE,
  );
});

Deno.test("add_to_swap() without memory for a node takes no slot", () => {
  const { k } = scene().machine;
  const folio = lockedFolio(k);
  const free = k.nr_swap_pages;
  k.inject.swapCacheNodes = 1;
  assert.equal(run(add_to_swap(k, folio)), false);
  assert.equal(swapCachePages(k), 0);
  assert.equal(k.nr_swap_pages, free);
  assert.equal(run(add_to_swap(k, folio)), true);
  folio_unlock(folio);
});

Deno.test("skip_if_exists: whoever must not wait gives up on a pinned slot", () => {
  for (const skip_if_exists of ["on", "off"] as const) {
    const set = scene({ pageCluster: 0, proposals: { skip_if_exists } });
    const { k } = set.machine;
    set.program.write(0, new Uint8Array([1]));
    set.program.advise("pageout", 0, 1);
    const slot = slotOf(set.program, 0);
    assert.equal(run(swapcache_prepare(k, slot)), 0);
    const task: Task<unknown> = __read_swap_cache_async(
      k,
      slot,
      GFP_KERNEL,
      true,
    );
    const ended = stepUntil(task, "schedule_timeout");
    // Before thread 002 it slept, and tried again: here, for ever.
    assert.equal(ended, skip_if_exists === "on" ? null : undefined);
  }
});

Deno.test("a slot without users is not read, even if it is pinned", () => {
  const { k } = scene().machine;
  const folio = lockedFolio(k);
  const slot = run(folio_alloc_swap(k, folio))!;
  const free = nr_free_pages(k);
  const found = run(__read_swap_cache_async(k, slot, GFP_KERNEL, false));
  assert.equal(found, null);
  assert.equal(nr_free_pages(k), free);
});
