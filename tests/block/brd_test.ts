import assert from "node:assert/strict";
import { bdev_stable_writes, bdev_synchronous } from "swaplab/block/bio.ts";
import { makeBrd } from "swaplab/block/brd.ts";
import { makeClock } from "swaplab/sim/clock.ts";
import { type End, pageOf, readBack, submit } from "./helpers.ts";

Deno.test("a RAM disk is done when submit_bio() returns", () => {
  const disk = makeBrd({ pages: 10, copyNanoseconds: 300 }, makeClock());
  assert.ok(bdev_synchronous(disk) && !bdev_stable_writes(disk));
  const ends: End[] = [];
  submit(disk, 1, 3, { page: pageOf(7), ends });
  assert.deepEqual(ends, [[300, 0]]);
  assert.equal(disk.clock.events.length, 0);
  assert.deepEqual(readBack(disk, 3), pageOf(7));
});

Deno.test("a RAM disk keeps a copy, and zeros where nothing was written", () => {
  const disk = makeBrd({ pages: 10 }, makeClock());
  const page = pageOf(7);
  submit(disk, 1, 3, { page });
  page.fill(8);
  assert.deepEqual(readBack(disk, 3), pageOf(7));
  assert.deepEqual(readBack(disk, 4), pageOf(0));
  assert.ok(disk.hasPage(3) && !disk.hasPage(4));
  assert.equal(disk.slotFreeNotify, null);
});
