import assert from "node:assert/strict";
import { bdev_nonrot, REQ_OP_READ } from "swaplab/block/bio.ts";
import { blk_finish_plug, blk_start_plug } from "swaplab/block/blk_plug.ts";
import { type Hdd, makeHdd } from "swaplab/block/hdd.ts";
import { makeClock, spend } from "swaplab/sim/clock.ts";
import { makeRng, nextBelow } from "swaplab/sim/rng.ts";
import { type End, endsOf, finish, noFaults, submit } from "./helpers.ts";

const turn = 8_333_333;
const page = turn / 256;

function hdd(changes = {}): Hdd {
  const options = { pages: 256 * 100, ...noFaults, ...changes };
  return makeHdd(options, makeClock(), makeRng(1));
}

Deno.test("a hard disk reads what follows at the speed of its platter", () => {
  const disk = hdd();
  assert.equal(bdev_nonrot(disk), false);
  const bios = Array.from({ length: 512 }, (_, i): [0, number] => [0, i]);
  const ends = endsOf(disk, bios);
  assert.equal(ends[0]![0], Math.round(page));
  assert.ok(Math.abs(ends[255]![0] - turn) < 256);
  // A stream crosses to the next track without a loss.
  assert.ok(Math.abs(ends[511]![0] - 2 * turn) < 512);
});

Deno.test("the way to another track costs more the longer it is", () => {
  const disk = hdd();
  const cost = (sector: number) => {
    disk.head = 0;
    const start = disk.clock.now;
    endsOf(disk, [[0, sector]]);
    return disk.clock.now - start;
  };
  const share = Math.sqrt(1 / 99);
  const near = 1_000_000 + 15_000_000 * share;
  assert.ok(cost(256) >= near && cost(256) <= near + turn + page);
  assert.ok(cost(25_344) >= 16e6 && cost(25_344) <= 16e6 + turn + page);
});

Deno.test("a page that has just gone by costs a whole turn", () => {
  const disk = hdd();
  const ends: End[] = [];
  submit(disk, REQ_OP_READ, 0, { ends });
  finish(disk);
  spend(disk.clock, 100_000);
  submit(disk, REQ_OP_READ, 1, { ends });
  finish(disk);
  assert.ok(Math.abs(ends[1]![0] - (turn + 2 * page)) < 2);
});

Deno.test("random reads cost 13 ms each, one after the other", () => {
  const disk = hdd();
  const rng = makeRng(5);
  for (let i = 0; i < 500; i++) {
    submit(disk, REQ_OP_READ, nextBelow(rng, disk.pages));
    finish(disk);
  }
  // 9 ms of seek, half a turn, one page.
  const each = disk.clock.now / 500;
  assert.ok(each > 12.6e6 && each < 13.8e6, `${each} ns`);
});

Deno.test("the head sweeps upwards, then begins at the bottom again", () => {
  const disk = hdd();
  const order: number[] = [];
  const bios = [5000, 20_000, 300, 9000, 300, 100];
  disk.head = 4000;
  // The first one starts at once; the others wait and are sorted.
  for (const sector of bios) {
    const bi_end_io = () => order.push(sector);
    const task = disk.submit_bio(
      { op: 0, sector, page: new Uint8Array(4096), bi_end_io },
      null,
    );
    task.next();
  }
  finish(disk);
  assert.deepEqual(order, [5000, 9000, 20_000, 100, 300, 300]);
});

Deno.test("sorting makes a burst of random reads cheaper", () => {
  const rng = makeRng(9);
  const sectors = Array.from({ length: 64 }, () => nextBelow(rng, 25_600));
  const burst = hdd();
  endsOf(burst, sectors.map((sector) => [0, sector]));
  const single = hdd();
  for (const sector of sectors) endsOf(single, [[0, sector]]);
  assert.ok(burst.clock.now < 0.75 * single.clock.now);
});

Deno.test("a plug saves the turns between neighbours", () => {
  const disk = hdd();
  const plug = blk_start_plug();
  const ends: End[] = [];
  for (let i = 0; i < 8; i++) submit(disk, 1, 1000 + i, { plug, ends });
  blk_finish_plug(plug);
  finish(disk);
  assert.equal(new Set(ends.map(([time]) => time)).size, 1);
  assert.equal(disk.head, 1008);
});
