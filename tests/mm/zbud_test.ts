import assert from "node:assert/strict";
import { EINVAL, ENOMEM, ENOSPC } from "swaplab/base/errno.ts";
import { makeMachine } from "swaplab/lab/machine.ts";
import {
  zpool_create_pool,
  ZPOOL_MM_RO,
  ZPOOL_MM_WO,
} from "swaplab/mm/zpool.ts";
import { makeRng, nextBelow } from "swaplab/sim/rng.ts";

const gfp = 0;

function emptyPool(frames = 256) {
  const { k } = makeMachine({ frames });
  return { k, pool: zpool_create_pool(k, "zbud") };
}

// 1000 B = 16 chunks leave 47; 3000 B = 47 chunks fit exactly; 3100 B do not.
Deno.test("zbud puts a second object where it fits exactly", () => {
  const { pool } = emptyPool();
  pool.malloc(1000, gfp);
  pool.malloc(3000, gfp);
  assert.equal(pool.total_pages(), 1);
});

Deno.test("zbud takes a new page for an object of one chunk too many", () => {
  const { pool } = emptyPool();
  pool.malloc(1000, gfp);
  pool.malloc(3100, gfp);
  assert.equal(pool.total_pages(), 2);
});

Deno.test("zbud takes 3968 bytes and refuses 3969, and 0", () => {
  const { pool } = emptyPool();
  assert.ok(pool.malloc(3968, gfp) > 0);
  assert.equal(pool.malloc(3969, gfp), -ENOSPC);
  assert.equal(pool.malloc(0, gfp), -EINVAL);
});

Deno.test("zbud never puts three objects in a page", () => {
  const { pool } = emptyPool();
  for (let i = 0; i < 30; i++) pool.malloc(64, gfp);
  assert.equal(pool.total_pages(), 15);
});

Deno.test("zbud takes the page with the least room that is enough", () => {
  const { pool } = emptyPool();
  const roomy = pool.malloc(1000, gfp);
  // 49 chunks: not beside the first, so in a page of its own, 14 chunks free.
  const tight = pool.malloc(3100, gfp);
  const third = pool.malloc(800, gfp);
  assert.notEqual(Math.floor(third / 4096), Math.floor(roomy / 4096));
  assert.equal(Math.floor(third / 4096), Math.floor(tight / 4096));
});

Deno.test("zbud gives a page back when its second object goes", () => {
  const { k, pool } = emptyPool();
  const free = k.nodes[0]!.zone.free_list.length;
  const handles = [pool.malloc(500, gfp), pool.malloc(500, gfp)];
  assert.equal(k.nodes[0]!.zone.free_list.length, free - 1);
  pool.free(handles[0]!);
  assert.equal(pool.total_pages(), 1);
  pool.free(handles[1]!);
  assert.equal(k.nodes[0]!.zone.free_list.length, free);
});

Deno.test("zbud gives -ENOMEM when there are no frames", () => {
  const { k, pool } = emptyPool(16);
  k.nodes[0]!.zone.free_list.length = 0;
  assert.equal(pool.malloc(100, gfp), -ENOMEM);
});

Deno.test("zbud stops the machine when a handle is freed twice", () => {
  const { pool } = emptyPool();
  const handle = pool.malloc(100, gfp);
  pool.free(handle);
  assert.throws(() => pool.free(handle), /not in use/);
});

Deno.test("zbud keeps every object's bytes through 5000 random operations", () => {
  const { pool } = emptyPool(2048);
  const rng = makeRng(7);
  const objects = new Map<number, Uint8Array>();
  for (let i = 0; i < 5000; i++) {
    if (objects.size > 0 && nextBelow(rng, 3) === 0) {
      const at = nextBelow(rng, objects.size);
      const [handle, bytes] = [...objects][at]!;
      const stored = pool.map(handle, ZPOOL_MM_RO).subarray(0, bytes.length);
      assert.deepEqual(stored.slice(), bytes);
      pool.unmap(handle);
      pool.free(handle);
      objects.delete(handle);
      continue;
    }
    const bytes = new Uint8Array(1 + nextBelow(rng, 3968));
    bytes.fill(1 + nextBelow(rng, 255));
    const handle = pool.malloc(bytes.length, gfp);
    if (handle < 0) continue;
    assert.ok(!objects.has(handle));
    pool.map(handle, ZPOOL_MM_WO).set(bytes);
    pool.unmap(handle);
    objects.set(handle, bytes);
  }
  for (const handle of objects.keys()) pool.free(handle);
  assert.equal(pool.total_pages(), 0);
});
