import assert from "node:assert/strict";
import { EIO } from "swaplab/base/errno.ts";
import {
  type Disk,
  makeDisk,
  neverWritten,
  REQ_OP_READ,
  REQ_OP_WRITE,
  submit_bio,
} from "swaplab/block/disk.ts";
import { idleUntilNextEvent, makeClock } from "swaplab/sim/clock.ts";
import { makeRng } from "swaplab/sim/rng.ts";

function disk(changes = {}): Disk {
  const options = {
    pages: 100,
    readNanoseconds: 80,
    writeNanoseconds: 40,
    queueDepth: 2,
    readErrorRate: 0,
    writeErrorRate: 0,
    ...changes,
  };
  return makeDisk(options, makeClock(), makeRng(1));
}

/** Submit requests; when each ended, and how. */
function timesOf(target: Disk, ops: (0 | 1)[]): [number, number][] {
  const ends: [number, number][] = [];
  ops.forEach((op, sector) => {
    submit_bio(target, {
      op,
      sector,
      page: new Uint8Array(4096),
      bi_end_io: (status) => ends.push([target.clock.now, status]),
    });
  });
  while (idleUntilNextEvent(target.clock));
  return ends;
}

Deno.test("submit_bio() runs up to queueDepth requests at once", () => {
  const ends = timesOf(disk(), [REQ_OP_READ, REQ_OP_READ, REQ_OP_READ]);
  assert.deepEqual(ends, [[80, 0], [80, 0], [160, 0]]);
});

Deno.test("a request takes the time of its kind", () => {
  assert.deepEqual(timesOf(disk(), [REQ_OP_WRITE]), [[40, 0]]);
});

Deno.test("what was written is read; what was not is garbage", () => {
  const target = disk();
  const page = new Uint8Array(4096).fill(7);
  const end = () => {};
  submit_bio(target, { op: REQ_OP_WRITE, sector: 3, page, bi_end_io: end });
  while (idleUntilNextEvent(target.clock));
  page.fill(0);
  submit_bio(target, { op: REQ_OP_READ, sector: 3, page, bi_end_io: end });
  while (idleUntilNextEvent(target.clock));
  assert.ok(page.every((byte) => byte === 7));
  submit_bio(target, { op: REQ_OP_READ, sector: 4, page, bi_end_io: end });
  while (idleUntilNextEvent(target.clock));
  assert.ok(page.every((byte) => byte === neverWritten));
});

Deno.test("faults come from the seed: the same ones each time", () => {
  const ops = new Array<0>(50).fill(REQ_OP_READ);
  const run = () => timesOf(disk({ readErrorRate: 0.3 }), ops);
  const failed = run().filter(([, status]) => status === -EIO).length;
  assert.ok(failed > 5 && failed < 25, `${failed} of 50 failed`);
  assert.deepEqual(run(), run());
});

Deno.test("a failed write leaves the sector as it was", () => {
  const target = disk({ writeErrorRate: 1 });
  assert.deepEqual(timesOf(target, [REQ_OP_WRITE]), [[40, -EIO]]);
  assert.equal(target.sectors.size, 0);
  assert.equal(target.errors, 1);
});
