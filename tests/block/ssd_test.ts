import assert from "node:assert/strict";
import { EIO } from "swaplab/base/errno.ts";
import {
  bdev_nonrot,
  bdev_stable_writes,
  bdev_synchronous,
  REQ_OP_READ,
  REQ_OP_WRITE,
  submit_bio,
  submit_bio_wait,
} from "swaplab/block/bio.ts";
import { neverWritten } from "swaplab/block/disk.ts";
import { makeSsd, type Ssd } from "swaplab/block/ssd.ts";
import { idleUntilNextEvent, makeClock } from "swaplab/sim/clock.ts";
import { makeRng } from "swaplab/sim/rng.ts";
import { run } from "swaplab/sim/task.ts";
import {
  endsOf,
  finish,
  noFaults,
  pageOf,
  readBack,
  submit,
} from "./helpers.ts";

function ssd(changes = {}): Ssd {
  const options = {
    pages: 100,
    readNanoseconds: 80,
    writeNanoseconds: 40,
    queueDepth: 2,
    ...noFaults,
    ...changes,
  };
  return makeSsd(options, makeClock(), makeRng(1));
}

Deno.test("submit_bio() runs up to queueDepth requests at once", () => {
  const ends = endsOf(ssd(), [[REQ_OP_READ, 0], [REQ_OP_READ, 1], [0, 2]]);
  assert.deepEqual(ends, [[80, 0], [80, 0], [160, 0]]);
});

Deno.test("a request takes the time of its kind", () => {
  assert.deepEqual(endsOf(ssd(), [[REQ_OP_WRITE, 0]]), [[40, 0]]);
});

Deno.test("what was written is read; what was not is garbage", () => {
  const target = ssd();
  submit(target, REQ_OP_WRITE, 3, { page: pageOf(7) });
  finish(target);
  assert.deepEqual(readBack(target, 3), pageOf(7));
  assert.deepEqual(readBack(target, 4), pageOf(neverWritten));
  assert.ok(target.hasPage(3) && !target.hasPage(4));
});

Deno.test("an SSD is asynchronous, not rotational, and copies at the end", () => {
  const target = ssd();
  assert.equal(bdev_synchronous(target), false);
  assert.equal(bdev_stable_writes(target), false);
  assert.equal(bdev_nonrot(target), true);
  const page = pageOf(1);
  submit(target, REQ_OP_WRITE, 3, { page });
  page.fill(2);
  finish(target);
  assert.deepEqual(readBack(target, 3), pageOf(2));
});

Deno.test("faults come from the seed: the same ones each time", () => {
  const bios = Array.from({ length: 50 }, (_, i): [0, number] => [0, i]);
  const ends = () => endsOf(ssd({ readErrorRate: 0.3 }), bios);
  const failed = ends().filter(([, status]) => status === -EIO).length;
  assert.ok(failed > 5 && failed < 25, `${failed} of 50 failed`);
  assert.deepEqual(ends(), ends());
});

Deno.test("slow requests are late by slowNanoseconds, some of them", () => {
  const slow = { queueDepth: 1, slowRate: 0.25, slowNanoseconds: 10_000 };
  const bios = Array.from({ length: 100 }, (_, i): [0, number] => [0, i]);
  const [last] = endsOf(ssd(slow), bios).at(-1)!;
  const late = (last - 100 * 80) / 10_000;
  assert.ok(Number.isInteger(late) && late > 12 && late < 38, `${late} slow`);
});

Deno.test("a failed write leaves the sector as it was", () => {
  const target = ssd({ writeErrorRate: 1 });
  assert.deepEqual(endsOf(target, [[REQ_OP_WRITE, 0]]), [[40, -EIO]]);
  assert.equal(target.hasPage(0), false);
  assert.equal(target.stats.errors, 1);
});

Deno.test("submit_bio_wait() sleeps until the request is over", () => {
  const target = ssd({ readErrorRate: 1 });
  const idle = () => idleUntilNextEvent(target.clock);
  const bio = { sector: 5, page: pageOf(9) };
  const write = { op: REQ_OP_WRITE, ...bio } as const;
  assert.equal(run(submit_bio_wait(target, write), idle), 0);
  assert.equal(target.clock.now, 40);
  const read = { op: REQ_OP_READ, ...bio } as const;
  assert.equal(run(submit_bio_wait(target, read), idle), -EIO);
  assert.equal(target.clock.now, 120);
});

Deno.test("submit_bio() says which pages there are", () => {
  const bio = {
    op: REQ_OP_READ,
    page: pageOf(0),
    bi_end_io: () => {},
  } as const;
  for (const sector of [-1, 100]) {
    assert.throws(() => run(submit_bio(ssd(), { ...bio, sector })), {
      name: "RangeError",
      message: `ssd: wanted a page below 100, got ${sector}`,
    });
  }
});
