import assert from "node:assert/strict";
import {
  __GFP_NOMEMALLOC,
  folio_put,
  get_page_from_freelist,
  GFP_ATOMIC,
  PF_MEMALLOC,
  setup_per_zone_wmarks,
} from "swaplab/mm/page_alloc.ts";
import { PG_locked, setFlag } from "swaplab/mm/page_flags.ts";
import { scene } from "./helpers.ts";

// min_free_kbytes = √(16 × KiB); 256 MiB: 2048 KiB = 512 pages.
Deno.test("setup_per_zone_wmarks() follows the kernel's formula", () => {
  assert.deepEqual(setup_per_zone_wmarks(65_536), {
    min: 512,
    low: 640,
    high: 768,
  });
});

/** Take frames until `gfp` is refused; how many are left. */
function leftAfter(gfp: number, flags = 0): number {
  const { k } = scene().machine;
  k.current = { comm: "test", mm: null, flags };
  while (get_page_from_freelist(k, gfp) !== null);
  return k.zone.free_list.length;
}

Deno.test("get_page_from_freelist() leaves min, half of it, or nothing", () => {
  const { min } = scene().machine.k.zone.watermark;
  assert.equal(leftAfter(0), min);
  assert.equal(leftAfter(GFP_ATOMIC), min >> 1);
  assert.equal(leftAfter(0, PF_MEMALLOC), 0);
  assert.equal(leftAfter(__GFP_NOMEMALLOC, PF_MEMALLOC), min);
});

Deno.test("a frame is handed out once, and comes back", () => {
  const { k } = scene().machine;
  const a = get_page_from_freelist(k, 0)!;
  const b = get_page_from_freelist(k, 0)!;
  assert.notEqual(a.pfn, b.pfn);
  folio_put(k, a);
  assert.equal(k.mem_map[a.pfn], null);
  assert.throws(() => folio_put(k, a), /is free/);
  folio_put(k, b);
});

Deno.test("freeing a mapped or locked frame stops the machine", () => {
  const { k } = scene().machine;
  const locked = get_page_from_freelist(k, 0)!;
  setFlag(locked, PG_locked);
  assert.throws(() => folio_put(k, locked), /Bad page/);
  const mapped = get_page_from_freelist(k, 0)!;
  mapped._mapcount = 1;
  assert.throws(() => folio_put(k, mapped), /Bad page/);
});
