import assert from "node:assert/strict";
import { EINVAL, ENOMEM, ENOSPC } from "swaplab/base/errno.ts";
import { makeZ3fold } from "swaplab/mm/z3fold.ts";
import { ZPOOL_MM_RO } from "swaplab/mm/zpool.ts";
import {
  bytesOf,
  fuzzPool,
  get,
  gfp,
  poisonedFrames,
  put,
} from "./zpool_helpers.ts";

function emptyPool(count?: number) {
  const frames = poisonedFrames(count);
  return { frames, pool: makeZ3fold(frames) };
}

/** Three objects of 10 chunks in one page: FIRST, LAST, MIDDLE. */
function fullPage() {
  const { frames, pool } = emptyPool();
  const bytes = [1, 2, 3].map((seed) => bytesOf(seed, 640));
  const [first, last, middle] = bytes.map((each) => put(pool, each));
  assert.equal(pool.total_pages(), 1);
  return { frames, pool, bytes, first, last, middle } as
    & {
      [Field in "first" | "last" | "middle"]: number;
    }
    & { frames: typeof frames; pool: typeof pool; bytes: Uint8Array[] };
}

/** Where an object lies in its page, in chunks. */
function chunkOf({ pool, frames }: ReturnType<typeof emptyPool>, at: number) {
  const bytes = pool.map(at, ZPOOL_MM_RO);
  pool.unmap(at);
  return (bytes.byteOffset - frames.memory.byteOffset) % 4096 / 64;
}

Deno.test("z3fold takes 0, 1 … 4096, 4097 bytes as v6.12 does", () => {
  const { pool } = emptyPool();
  assert.equal(pool.malloc(0, gfp), -EINVAL);
  assert.ok(pool.malloc(1, gfp) > 0);
  assert.ok(pool.malloc(4096, gfp) > 0);
  assert.equal(pool.malloc(4097, gfp), -ENOSPC);
});

Deno.test("z3fold gives 3904 bytes a page with others, 3905 one alone", () => {
  const shared = emptyPool();
  shared.pool.malloc(3904, gfp);
  // 62 chunks, 61 taken: one is left.
  shared.pool.malloc(64, gfp);
  assert.equal(shared.pool.total_pages(), 1);

  const alone = emptyPool();
  const headless = alone.pool.malloc(3905, gfp);
  assert.equal(headless % 2, 1);
  assert.equal(alone.pool.map(headless, ZPOOL_MM_RO).length, 4096);
  alone.pool.malloc(64, gfp);
  assert.equal(alone.pool.total_pages(), 2);
});

Deno.test("z3fold has 62 chunks for objects: 31 + 31 fill a page", () => {
  const { pool } = emptyPool();
  pool.malloc(31 * 64, gfp);
  pool.malloc(31 * 64, gfp);
  assert.equal(pool.total_pages(), 1);
  pool.malloc(1, gfp);
  assert.equal(pool.total_pages(), 2);
});

Deno.test("z3fold packs three objects to a page", () => {
  const { pool } = emptyPool();
  for (let i = 0; i < 30; i++) pool.malloc(1280, gfp);
  assert.equal(pool.total_pages(), 10);
});

Deno.test("z3fold places FIRST behind the header, LAST at the end", () => {
  const page = fullPage();
  assert.equal(chunkOf(page, page.first), 2);
  assert.equal(chunkOf(page, page.middle), 12);
  assert.equal(chunkOf(page, page.last), 54);
});

Deno.test("z3fold slides the middle to the end when FIRST goes", () => {
  const page = fullPage();
  page.pool.free(page.first);
  assert.equal(chunkOf(page, page.middle), 44);
  assert.deepEqual(get(page.pool, page.middle, 640), page.bytes[2]);
  // 42 chunks are free in one piece now.
  page.pool.malloc(42 * 64, gfp);
  assert.equal(page.pool.total_pages(), 1);
});

Deno.test("z3fold turns a lonely middle into FIRST, its handle stays", () => {
  const page = fullPage();
  page.pool.free(page.last);
  page.pool.free(page.first);
  assert.equal(chunkOf(page, page.middle), 2);
  assert.deepEqual(get(page.pool, page.middle, 640), page.bytes[2]);
  page.pool.malloc(52 * 64, gfp);
  assert.equal(page.pool.total_pages(), 1);
});

Deno.test("z3fold slides over a gap of three chunks, not of two", () => {
  for (const [gap, wanted] of [[2, 3], [3, 6]] as const) {
    const { frames, pool } = emptyPool();
    const first = put(pool, bytesOf(1, 64));
    put(pool, bytesOf(2, 40 * 64));
    const middle = put(pool, bytesOf(3, (21 - gap) * 64));
    assert.equal(pool.total_pages(), 1);
    pool.free(first);
    assert.equal(chunkOf({ frames, pool }, middle), wanted, `gap ${gap}`);
  }
});

Deno.test("z3fold slides down to FIRST, too, over three chunks and not over two", () => {
  for (const [gap, wanted] of [[2, 44], [3, 41]] as const) {
    const page = fullPage();
    // The middle goes up to LAST, a new FIRST leaves a gap below it.
    page.pool.free(page.first);
    put(page.pool, bytesOf(4, (42 - gap) * 64));
    page.pool.free(page.last);
    assert.equal(page.pool.total_pages(), 1);
    assert.equal(chunkOf(page, page.middle), wanted, `gap ${gap}`);
    assert.deepEqual(get(page.pool, page.middle, 640), page.bytes[2]);
  }
});

Deno.test("z3fold moves nothing while the middle is mapped", () => {
  const page = fullPage();
  const mapped = page.pool.map(page.middle, ZPOOL_MM_RO);
  page.pool.free(page.first);
  page.pool.free(page.last);
  assert.deepEqual(mapped.slice(0, 640), page.bytes[2]);
  page.pool.unmap(page.middle);
  assert.equal(chunkOf(page, page.middle), 12);
});

Deno.test("z3fold leaves a last object in its page while it is mapped", () => {
  const { frames, pool } = emptyPool();
  const big = put(pool, bytesOf(1, 3000));
  const small = put(pool, bytesOf(2, 800));
  const elsewhere = put(pool, bytesOf(3, 3000));
  const mapped = pool.map(small, ZPOOL_MM_RO);
  pool.free(big);
  assert.equal(pool.total_pages(), 2);
  assert.deepEqual(mapped.slice(0, 800), bytesOf(2, 800));
  pool.unmap(small);
  assert.equal(chunkOf({ frames, pool }, elsewhere), 2);
});

Deno.test("z3fold moves a last object to another page and frees its own", () => {
  const { frames, pool } = emptyPool();
  const before = frames.freeFrames();
  const big = put(pool, bytesOf(1, 3000));
  const other = put(pool, bytesOf(2, 3000));
  const small = put(pool, bytesOf(3, 300));
  assert.equal(pool.total_pages(), 2);
  // It is LAST beside one of them; free that one.
  assert.equal(chunkOf({ frames, pool }, small), 59);
  const alone = pageOf(pool, small) === pageOf(pool, big) ? big : other;
  pool.free(alone);
  assert.equal(pool.total_pages(), 1);
  assert.deepEqual(get(pool, small, 300), bytesOf(3, 300));
  const left = alone === big ? other : big;
  assert.equal(pageOf(pool, small), pageOf(pool, left));
  pool.free(small);
  pool.free(left);
  assert.equal(frames.freeFrames(), before);
});

function pageOf(pool: ReturnType<typeof makeZ3fold>, handle: number): number {
  const bytes = pool.map(handle, ZPOOL_MM_RO);
  pool.unmap(handle);
  return Math.floor(bytes.byteOffset / 4096);
}

Deno.test("z3fold gives -ENOMEM when there are no frames", () => {
  const { frames, pool } = emptyPool();
  frames.allowAllocations(0);
  assert.equal(pool.malloc(100, gfp), -ENOMEM);
  assert.equal(pool.malloc(4000, gfp), -ENOMEM);
  assert.equal(pool.total_pages(), 0);
});

Deno.test("z3fold stops the machine at a handle that is not in use", () => {
  const { pool } = emptyPool();
  for (const size of [100, 4000]) {
    const handle = pool.malloc(size, gfp);
    pool.free(handle);
    assert.throws(() => pool.free(handle), /not in use/);
    assert.throws(() => pool.map(handle, ZPOOL_MM_RO), /not in use/);
  }
  const handle = pool.malloc(100, gfp);
  assert.throws(() => pool.unmap(handle), /not mapped/);
});

for (const largest of [700, 2000, 4096]) {
  Deno.test(`z3fold agrees with a Map, objects up to ${largest} bytes`, () => {
    for (let seed = 1; seed <= 5; seed++) {
      const { frames, pool } = emptyPool();
      const before = frames.freeFrames();
      fuzzPool(pool, { seed, operations: 2000, largest });
      frames.checkPoison();
      assert.equal(frames.freeFrames(), before);
    }
  });
}
