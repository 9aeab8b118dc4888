import assert from "node:assert/strict";
import { deflateRawSync, inflateRawSync } from "node:zlib";
import { EINVAL } from "swaplab/base/errno.ts";
import { makeDeflate } from "swaplab/crypto/deflate.ts";
import { makeRng, nextBelow } from "swaplab/sim/rng.ts";
import { PAGE_SIZE, vectorPages } from "./pages.ts";

const pages = vectorPages().filter((_, i) => i % 11 === 0);

Deno.test("makeDeflate() agrees with zlib in both directions", () => {
  const alg = makeDeflate();
  const room = new Uint8Array(2 * PAGE_SIZE);
  for (const page of pages) {
    const size = alg.compress(page.bytes, room);
    const byZlib = inflateRawSync(room.subarray(0, size));
    assert.deepEqual(new Uint8Array(byZlib), page.bytes, page.name);
    const back = new Uint8Array(PAGE_SIZE);
    assert.equal(alg.decompress(deflateRawSync(page.bytes), back), PAGE_SIZE);
    assert.deepEqual(back, page.bytes, page.name);
  }
});

Deno.test("makeDeflate() never throws on a damaged block", () => {
  const rng = makeRng(3);
  const alg = makeDeflate();
  const room = new Uint8Array(2 * PAGE_SIZE);
  const memory = new Uint8Array(PAGE_SIZE + 16);
  const page = memory.subarray(8, 8 + PAGE_SIZE);
  let refused = 0;
  for (let i = 0; i < 4_000; i++) {
    const size = alg.compress(pages[i % pages.length]!.bytes, room);
    const block = room.slice(0, size - nextBelow(rng, 2));
    block[nextBelow(rng, block.length)]! ^= 1 << nextBelow(rng, 8);
    const got = alg.decompress(block, page);
    if (got === -EINVAL) refused++;
    else assert.ok(got >= 0 && got <= PAGE_SIZE, `block ${i}: ${got}`);
    assert.ok(memory.subarray(0, 8).every((byte) => byte === 0));
    assert.ok(memory.subarray(-8).every((byte) => byte === 0));
  }
  assert.ok(refused > 500, `${refused} refused`);
});
