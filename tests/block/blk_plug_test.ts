import assert from "node:assert/strict";
import {
  blk_finish_plug,
  BLK_MAX_REQUEST_COUNT,
  blk_start_plug,
  type BlkPlug,
} from "swaplab/block/blk_plug.ts";
import { makeSsd } from "swaplab/block/ssd.ts";
import { makeClock } from "swaplab/sim/clock.ts";
import { makeRng } from "swaplab/sim/rng.ts";
import { type End, finish, noFaults, pageOf, submit } from "./helpers.ts";

function ssd() {
  const options = {
    pages: 1000,
    readNanoseconds: 80_000,
    writeNanoseconds: 40_000,
    queueDepth: 1,
    ...noFaults,
  };
  return makeSsd(options, makeClock(), makeRng(1));
}

/** How many pages each request in the plug has. */
function sizes(plug: BlkPlug): number[] {
  return plug.mq_list.map(({ rq }) => rq.bios.length);
}

Deno.test("a plug makes neighbours one request, before and behind", () => {
  const disk = ssd();
  const plug = blk_start_plug();
  const ends: End[] = [];
  for (const sector of [8, 9, 10, 7]) submit(disk, 0, sector, { plug, ends });
  assert.deepEqual(sizes(plug), [4]);
  assert.deepEqual(plug.mq_list[0]!.rq.bios.map((bio) => bio.sector), [
    7,
    8,
    9,
    10,
  ]);
  assert.equal(disk.stats.merges, 3);
  finish(disk);
  assert.deepEqual(ends, [], "nothing starts before the plug is finished");
  blk_finish_plug(plug);
  finish(disk);
  // One access, three transfers more; all end together.
  assert.deepEqual(ends, Array(4).fill([86_000, 0]));
});

Deno.test("a plug merges no gap, no other direction, no older request", () => {
  const disk = ssd();
  const plug = blk_start_plug();
  submit(disk, 0, 20, { plug });
  submit(disk, 0, 22, { plug });
  submit(disk, 1, 23, { plug });
  submit(disk, 0, 21, { plug });
  assert.deepEqual(sizes(plug), [1, 1, 1, 1]);
  assert.equal(disk.stats.merges, 0);
});

Deno.test("a plug with 32 requests, or 128 KiB in one, empties itself", () => {
  const disk = ssd();
  const plug = blk_start_plug();
  for (let i = 0; i < BLK_MAX_REQUEST_COUNT; i++) {
    submit(disk, 0, 2 * i, { plug });
  }
  assert.equal(plug.mq_list.length, 32);
  submit(disk, 0, 500, { plug });
  assert.deepEqual(sizes(plug), [1]);
  for (let i = 1; i < 40; i++) submit(disk, 0, 500 + i, { plug });
  assert.deepEqual(sizes(plug), [40]);
  submit(disk, 0, 600, { plug });
  assert.deepEqual(sizes(plug), [1]);
});

Deno.test("two devices in one plug: each merges its own", () => {
  const [one, two] = [ssd(), ssd()];
  const plug = blk_start_plug();
  for (let i = 0; i < 4; i++) {
    submit(one, 1, i, { plug, page: pageOf(i) });
    submit(two, 1, i, { plug, page: pageOf(i) });
  }
  assert.deepEqual(sizes(plug), [4, 4]);
  blk_finish_plug(plug);
  finish(one);
  finish(two);
  for (let i = 0; i < 4; i++) assert.ok(one.hasPage(i) && two.hasPage(i));
});

Deno.test("a plug for two devices holds twice as many requests", () => {
  const [one, two] = [ssd(), ssd()];
  const plug = blk_start_plug();
  submit(two, 0, 0, { plug });
  for (let i = 1; i < 2 * BLK_MAX_REQUEST_COUNT; i++) {
    submit(one, 0, 2 * i, { plug });
  }
  assert.equal(plug.mq_list.length, 64);
  submit(one, 0, 500, { plug });
  assert.deepEqual(sizes(plug), [1]);
});
