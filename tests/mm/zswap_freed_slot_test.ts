/**
 * T000: the page of a slot that nobody uses, while the slot is parked in a
 * CPU's cache of freed slots. Before 6.9 zswap kept it until the cache was
 * drained, and could not write it back either.
 */
import assert from "node:assert/strict";
import { shrink_worker } from "swaplab/mm/zswap_shrink.ts";
import { zswap_total_pages } from "swaplab/mm/zswap_pool.ts";
import type { Proposals } from "swaplab/proposals.ts";
import { idleUntilNextEvent } from "swaplab/sim/clock.ts";
import { run } from "swaplab/sim/task.ts";
import { scene } from "./helpers.ts";

/** Some pages went to zswap, then the program ended. */
function afterExit(proposals: Partial<Proposals>) {
  const { machine, program } = scene({
    frames: 64,
    swap: { pages: 1024 },
    zswap: { maxPoolPercent: 100 },
    debug: false,
    proposals,
  });
  // Backwards: pages in a row would have slots in a row, and those go past the
  // cache of freed slots (free_swap_and_cache_nr()).
  for (let page = 69; page >= 0; page--) {
    program.write(page, new Uint8Array(4096).fill(page + 1));
  }
  const { k } = machine;
  const stored = k.zswap.stored_pages;
  assert.ok(stored > 0 && stored < 64, `${stored} stored`);
  program.exit();
  return { k, stored };
}

/** The full pool makes the worker run. */
function shrink({ k }: ReturnType<typeof afterExit>): void {
  k.zswap.max_pool_percent = 0;
  // Each entry has had its second chance after the first runs.
  for (let i = 0; i < 4; i++) {
    run(shrink_worker(k), () => idleUntilNextEvent(k.clock));
  }
}

Deno.test("T000: v6.12 drops the page when the slot is parked", () => {
  const end = afterExit({});
  assert.equal(end.k.zswap.stored_pages, 0);
  assert.equal(zswap_total_pages(end.k), 0);
});

Deno.test("T000: invalidated at swap_range_free, pages stay and cannot leave", () => {
  const end = afterExit({ zswap_invalidate_at: "swap_range_free" });
  const { k, stored } = end;
  assert.equal(k.zswap.stored_pages, stored);
  const total = zswap_total_pages(k);
  shrink(end);
  assert.ok(k.zswap.reject_reclaim_fail > 0);
  assert.equal(k.zswap.written_back_pages, 0);
  assert.equal(zswap_total_pages(k), total);
});

Deno.test("T000: without the slot cache there is nothing to wait for", () => {
  const end = afterExit({
    zswap_invalidate_at: "swap_range_free",
    swap_slot_cache: "off",
  });
  assert.equal(end.k.zswap.stored_pages, 0);
});

Deno.test("T000: the first patch lets the worker drop them", () => {
  const end = afterExit({
    zswap_invalidate_at: "swap_range_free",
    writeback_ignores_freed_slot: "on",
  });
  assert.ok(end.k.zswap.stored_pages > 0);
  shrink(end);
  assert.equal(end.k.zswap.stored_pages, 0);
  assert.equal(end.k.vm_event.pswpout, 0);
});
