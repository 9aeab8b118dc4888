import assert from "node:assert/strict";
import { EAGAIN, EINVAL, EIO, ENODEV, ENOSPC } from "swaplab/base/errno.ts";
import { REQ_OP_READ, submit_bio_wait } from "swaplab/block/bio.ts";
import {
  idle_store,
  recompress_store,
  writeback_store,
} from "swaplab/block/zram_pp.ts";
import { mmStat } from "swaplab/block/zram.ts";
import {
  type Zram,
  ZRAM_HUGE,
  ZRAM_IDLE,
  ZRAM_INCOMPRESSIBLE,
  zram_test_flag,
  ZRAM_WB,
} from "swaplab/block/zram_table.ts";
import { spend } from "swaplab/sim/clock.ts";
import type { Task } from "swaplab/sim/task.ts";
import { finish, pageOf, readBack, submit } from "./helpers.ts";
import { backingOf, page, run, slot, zramOf } from "./zram_helpers.ts";

/** Which slots have this flag. */
function slotsWith(zram: Zram, flag: number): number[] {
  return [...zram.table.keys()].filter((i) =>
    zram_test_flag(slot(zram, i), flag)
  );
}

/** Slots 0 … 2: text, noise, one word. */
function threeKinds(zram: Zram): void {
  submit(zram, 1, 0, { page: page("text") });
  submit(zram, 1, 1, { page: page("rand") });
  submit(zram, 1, 2, { page: pageOf(5) });
}

Deno.test("idle_store() marks what has an object; use clears the mark", () => {
  const { zram } = zramOf();
  threeKinds(zram);
  run(zram, idle_store(zram, "all"));
  assert.deepEqual(slotsWith(zram, ZRAM_IDLE), [0, 1]);
  readBack(zram, 0);
  assert.deepEqual(slotsWith(zram, ZRAM_IDLE), [1]);
  submit(zram, 1, 1, { page: page("rand", 1) });
  assert.deepEqual(slotsWith(zram, ZRAM_IDLE), []);
});

Deno.test("idle_store() with an age spares what was used since", () => {
  const { zram } = zramOf();
  threeKinds(zram);
  spend(zram.clock, 10e9);
  readBack(zram, 0);
  run(zram, idle_store(zram, 5));
  assert.deepEqual(slotsWith(zram, ZRAM_IDLE), [1]);
});

Deno.test("recompress_store() replaces objects by smaller ones", () => {
  const { zram } = zramOf({ compressors: ["lz4", "deflate"] });
  for (let i = 0; i < 32; i++) submit(zram, 1, i, { page: page("text", i) });
  const before = mmStat(zram);
  assert.equal(run(zram, recompress_store(zram)), 0);
  const after = mmStat(zram);
  assert.ok(after.compr_data_size < 0.9 * before.compr_data_size);
  assert.ok(after.mem_used_total < before.mem_used_total);
  assert.equal(after.orig_data_size, before.orig_data_size);
  assert.ok(slot(zram, 3).priority === 1);
  for (let i = 0; i < 32; i++) {
    assert.deepEqual(readBack(zram, i), page("text", i));
  }
});

Deno.test("recompress_store() marks what no compressor makes smaller", () => {
  const { zram } = zramOf({ compressors: ["lz4", "deflate"] });
  threeKinds(zram);
  run(zram, recompress_store(zram, { type: "huge" }));
  assert.deepEqual(slotsWith(zram, ZRAM_INCOMPRESSIBLE), [1]);
  assert.equal(slot(zram, 0).priority, 0, "not huge");
  // With a second one left to try, the page is not given up.
  const three = zramOf({ compressors: ["lz4", "deflate", "null"] }).zram;
  threeKinds(three);
  run(three, recompress_store(three, { algo: "deflate" }));
  assert.deepEqual(slotsWith(three, ZRAM_INCOMPRESSIBLE), []);
  run(three, recompress_store(three));
  assert.deepEqual(slotsWith(three, ZRAM_INCOMPRESSIBLE), [1]);
});

Deno.test("recompress_store() obeys type, max_pages, threshold, algo", () => {
  const four = ["lz4", "null", "lz4js", "deflate"];
  const { zram } = zramOf({ compressors: four });
  for (let i = 0; i < 8; i++) submit(zram, 1, i, { page: page("text", i) });
  const made = () => zram.table.slice(0, 8).map(({ priority }) => priority);
  assert.equal(run(zram, recompress_store(zram, { threshold: 4000 })), -EINVAL);
  assert.equal(run(zram, recompress_store(zram, { algo: "lz4" })), -EINVAL);
  run(zram, recompress_store(zram, { type: "idle" }));
  run(zram, recompress_store(zram, { threshold: 3600 }));
  run(zram, recompress_store(zram, { priority: 1 }));
  assert.deepEqual(made(), Array(8).fill(0));
  run(zram, recompress_store(zram, { max_pages: 3, algo: "deflate" }));
  assert.deepEqual(made(), [3, 3, 3, 0, 0, 0, 0, 0]);
  // What has the best already is not tried again, and does not count.
  run(zram, recompress_store(zram, { max_pages: 1, priority: 3 }));
  assert.deepEqual(made(), [3, 3, 3, 3, 0, 0, 0, 0]);
});

Deno.test("writeback_store() moves pages to the backing device", () => {
  const { zram } = zramOf({ backing: backingOf(10) });
  threeKinds(zram);
  const used = mmStat(zram).mem_used_total;
  assert.equal(run(zram, writeback_store(zram, "huge")), 0);
  assert.deepEqual(slotsWith(zram, ZRAM_WB), [1]);
  assert.deepEqual(slotsWith(zram, ZRAM_HUGE), []);
  assert.equal(mmStat(zram).mem_used_total, used - 4096);
  assert.equal(mmStat(zram).orig_data_size, 3 * 4096);
  assert.ok(zram.hasPage(1));
  const back = new Uint8Array(4096);
  const bio = { op: REQ_OP_READ, sector: 1, page: back } as const;
  const start = zram.clock.now;
  assert.equal(run(zram, submit_bio_wait(zram, bio)), 0);
  assert.equal(zram.clock.now - start, 80_000);
  assert.deepEqual(back, page("rand"));
  const { bd_count, bd_reads, bd_writes } = zram.zstats;
  assert.deepEqual([bd_count, bd_reads, bd_writes], [1, 1, 1]);
  zram.slotFreeNotify!(1);
  assert.equal(zram.zstats.bd_count, 0);
});

Deno.test("writeback_store() knows six ways to choose", () => {
  const choose = (mode: Parameters<typeof writeback_store>[1]) => {
    const compressors = ["lz4", "deflate"];
    const { zram } = zramOf({ compressors, backing: backingOf(10) });
    threeKinds(zram);
    submit(zram, 1, 3, { page: page("rand", 3) });
    run(zram, recompress_store(zram, { type: "huge", max_pages: 1 }));
    run(zram, idle_store(zram, "all"));
    readBack(zram, 3);
    assert.equal(run(zram, writeback_store(zram, mode)), 0);
    return slotsWith(zram, ZRAM_WB);
  };
  assert.deepEqual(choose("idle"), [0, 1]);
  assert.deepEqual(choose("huge"), [1, 3]);
  assert.deepEqual(choose("huge_idle"), [1]);
  assert.deepEqual(choose("incompressible"), [1]);
  assert.deepEqual(choose(0), [0]);
  assert.deepEqual(choose(2), [], "one word needs no device");
});

Deno.test("writeback_store() says why it stops", () => {
  const none = zramOf().zram;
  assert.equal(run(none, writeback_store(none, "huge")), -ENODEV);
  assert.equal(run(none, writeback_store(none, 64)), -EINVAL);
  // Page 0 of the device is never used.
  const { zram } = zramOf({ backing: backingOf(3) });
  for (let i = 0; i < 4; i++) submit(zram, 1, i, { page: page("rand", i) });
  zram.wb_limit_enable = true;
  zram.bd_wb_limit = 1;
  assert.equal(run(zram, writeback_store(zram, "huge")), -EIO);
  assert.deepEqual(slotsWith(zram, ZRAM_WB), [0]);
  zram.wb_limit_enable = false;
  assert.equal(run(zram, writeback_store(zram, "huge")), -ENOSPC);
  assert.deepEqual(slotsWith(zram, ZRAM_WB), [0, 1]);
  for (let i = 0; i < 4; i++) {
    const back = new Uint8Array(4096);
    const bio = { op: REQ_OP_READ, sector: i, page: back } as const;
    assert.equal(run(zram, submit_bio_wait(zram, bio)), 0);
    assert.deepEqual(back, page("rand", i));
  }
});

Deno.test("a failed write to the backing device loses nothing", () => {
  const backing = backingOf(9, { writeErrorRate: 1 });
  const { zram } = zramOf({ backing });
  threeKinds(zram);
  assert.equal(run(zram, writeback_store(zram, "huge")), -EIO);
  assert.deepEqual(readBack(zram, 1), page("rand"));
  assert.equal(slot(zram, 1).flags, ZRAM_HUGE);
  const { bd_count, bd_writes } = zram.zstats;
  assert.deepEqual([bd_count, bd_writes], [0, 0]);
});

/** Let a writeback of slot 1 go until its page is on the way. */
function untilUnderWriteback(zram: Zram): Task<number> {
  const task: Task<number> = writeback_store(zram, 1);
  while (zram.bdev!.clock.events.length === 0) task.next();
  return task;
}

Deno.test("a page freed or written while under writeback stays here", () => {
  for (const change of ["free", "write", "read"]) {
    const { zram } = zramOf({ backing: backingOf(9) });
    threeKinds(zram);
    const task = untilUnderWriteback(zram);
    if (change === "free") zram.slotFreeNotify!(1);
    if (change === "write") submit(zram, 1, 1, { page: page("heap") });
    const read = new Uint8Array(4096);
    if (change === "read") submit(zram, 0, 1, { page: read });
    assert.equal(run(zram, writeback_store(zram, 0)), -EAGAIN);
    assert.equal(run(zram, recompress_store(zram)), -EAGAIN);
    finish(zram);
    assert.equal(run(zram, task), 0);
    assert.deepEqual(slotsWith(zram, ZRAM_WB), [], change);
    assert.equal(zram.zstats.bd_count, 0);
    if (change === "free") assert.ok(!zram.hasPage(1));
    if (change === "write") {
      assert.deepEqual(readBack(zram, 1), page("heap"));
    }
    if (change === "read") assert.deepEqual(read, page("rand"));
  }
});

Deno.test("recompress_store() tries an object of just the threshold", () => {
  const { zram } = zramOf({ compressors: ["lz4", "deflate"] });
  submit(zram, 1, 0, { page: page("text") });
  const { size } = slot(zram, 0);
  run(zram, recompress_store(zram, { threshold: size + 1 }));
  assert.equal(slot(zram, 0).priority, 0);
  run(zram, recompress_store(zram, { threshold: size }));
  assert.equal(slot(zram, 0).priority, 1);
});

Deno.test("a limit of writeback that is not in force is not used up", () => {
  const { zram } = zramOf({ backing: backingOf(10) });
  threeKinds(zram);
  zram.bd_wb_limit = 5;
  assert.equal(run(zram, writeback_store(zram, "huge")), 0);
  assert.equal(zram.bd_wb_limit, 5);
  zram.wb_limit_enable = true;
  assert.equal(run(zram, writeback_store(zram, 0)), 0);
  assert.equal(zram.bd_wb_limit, 4);
});
