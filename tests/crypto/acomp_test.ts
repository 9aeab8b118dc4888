import assert from "node:assert/strict";
import { EINVAL } from "swaplab/base/errno.ts";
import {
  compressorNames,
  crypto_alloc_acomp,
  crypto_has_acomp,
} from "swaplab/crypto/acomp.ts";
import { generatedPages, PAGE_SIZE, realPages } from "./pages.ts";

const pages = [...realPages(), ...generatedPages(8)];

Deno.test("crypto_alloc_acomp() names what exists when asked for more", () => {
  assert.deepEqual(compressorNames, ["lz4", "lz4js", "deflate", "null"]);
  assert.throws(() => crypto_alloc_acomp("zstd"), {
    name: "RangeError",
    message: "compressor: wanted one of lz4, lz4js, deflate, null, got zstd",
  });
  assert.equal(crypto_has_acomp("zstd"), false);
  assert.equal(crypto_has_acomp("toString"), false);
});

for (const name of compressorNames) {
  Deno.test(`${name}: the instance has the name it was asked for`, () => {
    assert.ok(crypto_has_acomp(name));
    assert.equal(crypto_alloc_acomp(name).name, name);
  });

  Deno.test(`${name}: every page comes back`, () => {
    const alg = crypto_alloc_acomp(name);
    const room = new Uint8Array(2 * PAGE_SIZE);
    const back = new Uint8Array(PAGE_SIZE);
    let done = 0;
    for (const page of pages) {
      const size = alg.compress(page.bytes, room);
      if (size === -EINVAL) continue;
      back.fill(0xa5);
      assert.equal(alg.decompress(room.subarray(0, size), back), PAGE_SIZE);
      assert.deepEqual(back, page.bytes, page.name);
      done++;
    }
    // Only lz4js gives up, on pages without a match.
    assert.ok(done >= pages.length - (name === "lz4js" ? 20 : 0), `${done}`);
  });

  Deno.test(`${name}: the block follows from the page alone`, () => {
    const used = crypto_alloc_acomp(name);
    const room = new Uint8Array(2 * PAGE_SIZE);
    const other = new Uint8Array(2 * PAGE_SIZE);
    for (let i = pages.length - 1; i >= 0; i -= 9) {
      const page = pages[i]!;
      const fresh = crypto_alloc_acomp(name);
      const size = used.compress(page.bytes, room);
      assert.equal(fresh.compress(page.bytes, other), size, page.name);
      if (size < 0) continue;
      assert.deepEqual(room.subarray(0, size), other.subarray(0, size));
    }
  });

  Deno.test(`${name}: -EINVAL one byte short of the room it needs`, () => {
    const alg = crypto_alloc_acomp(name);
    const room = new Uint8Array(2 * PAGE_SIZE);
    for (const page of pages.filter((_, i) => i % 5 === 0)) {
      const size = alg.compress(page.bytes, room);
      if (size < 0) continue;
      const block = room.slice(0, size);
      assert.equal(alg.compress(page.bytes, new Uint8Array(size)), size);
      assert.equal(
        alg.compress(page.bytes, new Uint8Array(size - 1)),
        -EINVAL,
        page.name,
      );
      const short = new Uint8Array(PAGE_SIZE - 1);
      assert.equal(alg.decompress(block, short), -EINVAL, page.name);
    }
  });

  Deno.test(`${name}: writes nothing around the room, wherever it lies`, () => {
    const alg = crypto_alloc_acomp(name);
    const memory = new Uint8Array(4 * PAGE_SIZE);
    const src = memory.subarray(61, 61 + PAGE_SIZE);
    for (const page of pages.filter((_, i) => i % 7 === 0)) {
      memory.fill(0x5a);
      src.set(page.bytes);
      const room = memory.subarray(4200, 4200 + PAGE_SIZE);
      const size = alg.compress(src, room);
      if (size < 0) continue;
      const back = memory.subarray(8333, 8333 + PAGE_SIZE);
      assert.equal(alg.decompress(room.subarray(0, size), back), PAGE_SIZE);
      assert.deepEqual(back, page.bytes, page.name);
      assert.deepEqual(src, page.bytes, page.name);
      for (const [from, to] of [[0, 61], [4157, 4200], [8296, 8333]]) {
        assert.ok(memory.subarray(from, to).every((byte) => byte === 0x5a));
      }
      assert.ok(memory.subarray(12_429).every((byte) => byte === 0x5a));
    }
  });
}
