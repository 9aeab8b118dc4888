import assert from "node:assert/strict";
import { EIO } from "swaplab/base/errno.ts";
import {
  bdev_nonrot,
  bdev_stable_writes,
  bdev_synchronous,
} from "swaplab/block/bio.ts";
import {
  compact_store,
  makeZram,
  mem_limit_store,
  mem_used_max_store,
  mmStat,
} from "swaplab/block/zram.ts";
import {
  page_same_filled,
  type Zram,
  ZRAM_HUGE,
  ZRAM_SAME,
  zram_test_flag,
} from "swaplab/block/zram_table.ts";
import { nr_free_pages } from "swaplab/mm/page_alloc.ts";
import { makeRng, nextBelow } from "swaplab/sim/rng.ts";
import {
  type KernelPageKind,
  kernelPageKinds,
} from "../../lib/lab/kernel_pages.ts";
import { type End, endsOf, pageOf, readBack, submit } from "./helpers.ts";
import { page, slot, zramOf } from "./zram_helpers.ts";

const put = (zram: Zram, sector: number, bytes: Uint8Array) => {
  const ends: End[] = [];
  submit(zram, 1, sector, { page: bytes, ends });
  return ends[0]![1];
};

Deno.test("zram is synchronous, stable, and has no head", () => {
  const { zram } = zramOf();
  assert.ok(bdev_synchronous(zram) && bdev_stable_writes(zram));
  assert.ok(bdev_nonrot(zram));
  assert.equal(put(zram, 3, page("text")), 0);
  assert.equal(zram.clock.events.length, 0);
});

Deno.test("zram reads zeros where nothing was written, or was freed", () => {
  const { zram } = zramOf();
  assert.deepEqual(readBack(zram, 5), pageOf(0));
  put(zram, 5, page("text"));
  assert.ok(zram.hasPage(5));
  zram.slotFreeNotify!(5);
  assert.ok(!zram.hasPage(5));
  assert.deepEqual(readBack(zram, 5), pageOf(0));
  assert.equal(mmStat(zram).orig_data_size, 0);
});

Deno.test("zram keeps one word of a page whose words are equal", () => {
  const { zram } = zramOf();
  const filled = new Uint8Array(
    new BigUint64Array(512).fill(0xfedc_ba98n).buffer,
  );
  put(zram, 1, filled);
  put(zram, 2, pageOf(0));
  assert.ok(zram_test_flag(slot(zram, 1), ZRAM_SAME));
  assert.equal(slot(zram, 1).element, 0xfedc_ba98n);
  assert.deepEqual(readBack(zram, 1), filled);
  assert.deepEqual(readBack(zram, 2), pageOf(0));
  assert.ok(zram.hasPage(2), "a page of zeros was written");
  const stat = mmStat(zram);
  assert.deepEqual([stat.same_pages, stat.orig_data_size], [2, 8192]);
  assert.deepEqual([stat.compr_data_size, stat.mem_used_total], [0, 0]);
});

Deno.test("page_same_filled() sees a difference in any byte", () => {
  const bytes = pageOf(0xab);
  assert.equal(page_same_filled(bytes), 0xabababababababn << 8n | 0xabn);
  for (let at = 0; at < 4096; at++) {
    bytes[at]! ^= 1;
    assert.equal(page_same_filled(bytes), null, `byte ${at}`);
    bytes[at]! ^= 1;
  }
});

Deno.test("zram stores a page that hardly shrinks raw, and says huge", () => {
  const { zram } = zramOf();
  put(zram, 0, page("rand"));
  assert.equal(slot(zram, 0).size, 4096);
  assert.ok(zram_test_flag(slot(zram, 0), ZRAM_HUGE));
  assert.deepEqual(readBack(zram, 0), page("rand"));
  // The limit is zsmalloc's: 3,625 bytes with chains of 8.
  assert.equal(zram.mem_pool.huge_class_size(), 3625);
  put(zram, 0, page("text"));
  assert.ok(slot(zram, 0).size < 3625 && slot(zram, 0).flags === 0);
  const { huge_pages, huge_pages_since } = mmStat(zram);
  assert.deepEqual([huge_pages, huge_pages_since], [0, 1]);
});

for (const [length, stored] of [[3624, 3624], [3625, 4096]] as const) {
  Deno.test(`zram stores ${length} compressed bytes as ${stored}`, () => {
    const { zram } = zramOf();
    const fixed = {
      name: "fixed",
      compressNanoseconds: 1,
      decompressNanoseconds: 1,
      compress: () => length,
      decompress: () => 4096,
    };
    const options = { pages: 4, pool: zram.mem_pool, comps: [fixed] };
    const other = makeZram(options, zram.clock);
    put(other, 0, page("text"));
    assert.equal(slot(other, 0).size, stored);
  });
}

Deno.test("zram keeps its copy when it is read", () => {
  const { zram } = zramOf();
  put(zram, 4, page("heap"));
  for (let i = 0; i < 2; i++) {
    assert.deepEqual(readBack(zram, 4), page("heap"));
    assert.ok(zram.hasPage(4));
  }
});

Deno.test("zram takes its memory from the machine's frames", () => {
  const { k, zram } = zramOf();
  const before = nr_free_pages(k);
  for (let i = 0; i < 32; i++) put(zram, i, page("heap", i));
  const used = before - nr_free_pages(k);
  assert.equal(mmStat(zram).mem_used_total, used * 4096);
  assert.ok(used > 4 && used < 32, `${used} frames`);
  for (let i = 0; i < 32; i++) zram.slotFreeNotify!(i);
  assert.equal(nr_free_pages(k), before);
  assert.equal(mmStat(zram).mem_used_max, used * 4096);
  mem_used_max_store(zram);
  assert.equal(mmStat(zram).mem_used_max, 0);
});

Deno.test("a slot freed while it is locked is a missed free", () => {
  const { zram } = zramOf();
  put(zram, 7, page("text"));
  const back = new Uint8Array(4096);
  const bio = { op: 0, sector: 7, page: back, bi_end_io: () => {} } as const;
  const reader = zram.submit_bio(bio, null);
  // It decompresses now, with the slot locked.
  while (!slot(zram, 7).lock.locked) reader.next();
  zram.slotFreeNotify!(7);
  while (!reader.next().done);
  assert.deepEqual(back, page("text"));
  assert.ok(zram.hasPage(7), "the content stays");
  zram.slotFreeNotify!(7);
  assert.ok(!zram.hasPage(7));
  const { notify_free, miss_free } = zram.zstats;
  assert.deepEqual([notify_free, miss_free], [2, 1]);
});

Deno.test("over mem_limit a write fails and the old content stays", () => {
  const { zram } = zramOf();
  put(zram, 0, page("rand", 0));
  mem_limit_store(zram, 4096);
  assert.equal(put(zram, 0, page("rand", 1)), -EIO);
  assert.equal(put(zram, 1, page("rand", 2)), -EIO);
  assert.equal(put(zram, 2, pageOf(9)), 0, "one word needs no frame");
  assert.deepEqual(readBack(zram, 0), page("rand", 0));
  assert.ok(!zram.hasPage(1));
  assert.equal(zram.zstats.failed_writes, 2);
  assert.equal(zram.stats.errors, 2);
  assert.equal(mmStat(zram).mem_used_total, 4096);
  mem_limit_store(zram, 0);
  assert.equal(put(zram, 1, page("rand", 2)), 0);
});

Deno.test("without free frames a write stalls, then fails", () => {
  const { k, zram } = zramOf({ frames: 64 });
  const results = endsOf(zram, []);
  assert.deepEqual(results, []);
  let failed = 0;
  for (let i = 0; i < 64; i++) {
    if (put(zram, i, page("rand", i)) === -EIO) failed++;
  }
  assert.ok(failed > 0 && failed < 20, `${failed} failed`);
  assert.ok(zram.zstats.writestall >= failed);
  assert.equal(zram.zstats.failed_writes, failed);
  assert.ok(nr_free_pages(k) > 0);
  for (let i = 0; i < 64; i++) {
    if (zram.hasPage(i)) assert.deepEqual(readBack(zram, i), page("rand", i));
  }
});

Deno.test("compact_store() frees frames and counts them", () => {
  const { zram } = zramOf();
  for (let i = 0; i < 64; i++) put(zram, i, page("text", i));
  for (let i = 0; i < 64; i += 2) zram.slotFreeNotify!(i);
  const before = mmStat(zram).mem_used_total;
  const freed = compact_store(zram);
  const stat = mmStat(zram);
  assert.ok(freed > 0);
  assert.equal(stat.pages_compacted, freed);
  assert.equal(stat.mem_used_total, before - freed * 4096);
  for (let i = 1; i < 64; i += 2) {
    assert.deepEqual(readBack(zram, i), page("text", i));
  }
});

Deno.test("zram gives back what was written last: 3,000 random steps", () => {
  const { zram } = zramOf();
  const rng = makeRng(4);
  const model = new Map<number, Uint8Array>();
  for (let step = 0; step < 3000; step++) {
    const sector = nextBelow(rng, 64);
    const what = nextBelow(rng, 3);
    if (what === 0) {
      const kind = kernelPageKinds[nextBelow(rng, kernelPageKinds.length)]!;
      const bytes = page(kind as KernelPageKind, step);
      assert.equal(put(zram, sector, bytes), 0);
      model.set(sector, bytes);
    } else if (what === 1 && nextBelow(rng, 3) === 0) {
      zram.slotFreeNotify!(sector);
      model.delete(sector);
    } else {
      const wanted = model.get(sector) ?? pageOf(0);
      assert.deepEqual(readBack(zram, sector), wanted, `step ${step}`);
    }
    assert.equal(mmStat(zram).orig_data_size, model.size * 4096);
  }
  const sizes = zram.table.reduce((sum, { size }) => sum + size, 0);
  assert.equal(mmStat(zram).compr_data_size, sizes);
});
