import assert from "node:assert/strict";
import { compressBlock } from "lz4js";
import { EINVAL } from "swaplab/base/errno.ts";
import { makeLz4 } from "swaplab/crypto/lz4.ts";
import { makeLz4js } from "swaplab/crypto/lz4js.ts";
import { brokenRules, sequencesOf } from "./block_rules.ts";
import { generatedPages, PAGE_SIZE, realPages } from "./pages.ts";

const pages = [...realPages(), ...generatedPages(10)];

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.every((byte, i) => byte === b[i]);
}

/** Pages that do not come back, by the library with one table for all. */
function damagedPages(clear: boolean): number {
  const table = new Uint32Array(1 << 16);
  const alg = makeLz4js();
  const room = new Uint8Array(2 * PAGE_SIZE);
  const back = new Uint8Array(PAGE_SIZE);
  return [...pages, ...pages].filter(({ bytes }) => {
    if (clear) table.fill(0);
    const size = compressBlock(bytes, room, 0, PAGE_SIZE, table);
    if (size === 0) return false;
    const got = alg.decompress(room.subarray(0, size), back.fill(0));
    return got !== PAGE_SIZE || !sameBytes(back, bytes);
  }).length;
}

Deno.test("lz4js loses pages unless its table is cleared for each", () => {
  assert.equal(damagedPages(true), 0);
  const damaged = damagedPages(false);
  assert.ok(damaged > 100, `${damaged} pages of ${2 * pages.length}`);
});

Deno.test("lz4js writes offset 0 if the table is stale", () => {
  const table = new Uint32Array(1 << 16);
  const page = pages.find(({ name }) => name === "text 0")!.bytes;
  const room = new Uint8Array(2 * PAGE_SIZE);
  const offsetsZero = () => {
    const size = compressBlock(page, room, 0, PAGE_SIZE, table);
    const all = sequencesOf(room.subarray(0, size));
    return all.slice(0, -1).filter(({ offset }) => offset === 0).length;
  };
  assert.equal(offsetsZero(), 0);
  assert.ok(offsetsZero() > 0);
});

Deno.test("makeLz4js() is -EINVAL where the library says 0", () => {
  const noMatch = Uint8Array.from({ length: PAGE_SIZE }, (_, i) => i & 255);
  const room = new Uint8Array(2 * PAGE_SIZE);
  assert.ok(makeLz4js().compress(noMatch, room) > 0);
  const short = noMatch.subarray(0, 200);
  assert.equal(makeLz4js().compress(short, room), -EINVAL);
});

Deno.test("lz4js breaks the end rules; makeLz4() decodes its blocks", () => {
  const js = makeLz4js();
  const own = makeLz4();
  const room = new Uint8Array(2 * PAGE_SIZE);
  const back = new Uint8Array(PAGE_SIZE);
  let broken = 0;
  for (const page of pages) {
    const size = js.compress(page.bytes, room);
    if (size < 0) continue;
    const block = room.subarray(0, size);
    if (brokenRules(block, PAGE_SIZE).length > 0) broken++;
    assert.equal(own.decompress(block, back), PAGE_SIZE, page.name);
    assert.deepEqual(back, page.bytes, page.name);
  }
  assert.ok(broken > 10, `${broken} of ${pages.length}`);
});

Deno.test("makeLz4js() decodes the blocks of makeLz4()", () => {
  const js = makeLz4js();
  const own = makeLz4();
  const room = new Uint8Array(2 * PAGE_SIZE);
  const back = new Uint8Array(PAGE_SIZE);
  for (const page of pages) {
    const size = own.compress(page.bytes, room);
    assert.equal(js.decompress(room.subarray(0, size), back), PAGE_SIZE);
    assert.deepEqual(back, page.bytes, page.name);
  }
});
