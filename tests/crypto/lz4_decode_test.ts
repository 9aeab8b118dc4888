import assert from "node:assert/strict";
import { EINVAL } from "swaplab/base/errno.ts";
import { makeLz4 } from "swaplab/crypto/lz4.ts";
import { makeRng } from "swaplab/sim/rng.ts";
import { mutate } from "./mutate.ts";
import { PAGE_SIZE, vectorPages } from "./pages.ts";

const malformed: [string, number[]][] = [
  ["nothing at all", []],
  ["literals cut off", [0x40, 1, 2, 3]],
  ["a length cut off", [0xf0]],
  ["a length without its end", [0xf0, 255, 255]],
  ["half an offset", [0x10, 7, 1]],
  ["offset 0", [0x10, 7, 0, 0, 0x50, 1, 2, 3, 4, 5]],
  ["an offset before the page", [0x10, 7, 2, 0, 0x50, 1, 2, 3, 4, 5]],
  ["no last literals", [0x10, 7, 1, 0]],
  ["a match length cut off", [0x1f, 7, 1, 0]],
  ["a match beyond the page", [0x1f, 7, 1, 0, ...Array(17).fill(255), 0, 0]],
];

for (const [what, block] of malformed) {
  Deno.test(`lz4Decompress() refuses ${what}`, () => {
    const room = new Uint8Array(PAGE_SIZE);
    assert.equal(makeLz4().decompress(new Uint8Array(block), room), -EINVAL);
  });
}

Deno.test("lz4Decompress() copies overlapping matches byte by byte", () => {
  for (let offset = 1; offset <= 20; offset++) {
    const seed = Array.from({ length: offset }, (_, i) => i + 1);
    const head = offset < 15 ? [offset << 4 | 15] : [0xff, offset - 15];
    const block = [...head, ...seed, offset, 0, 100, 0x50, 9, 9, 9, 9, 9];
    const length = offset + 119 + 5;
    const room = new Uint8Array(length);
    const size = makeLz4().decompress(new Uint8Array(block), room);
    assert.equal(size, length);
    for (let i = 0; i < offset + 119; i++) {
      assert.equal(room[i], i % offset + 1, `offset ${offset}, byte ${i}`);
    }
  }
});

Deno.test("lz4Decompress() survives 120,000 damaged blocks", () => {
  const rng = makeRng(12);
  const alg = makeLz4();
  const room = new Uint8Array(2 * PAGE_SIZE);
  const blocks = vectorPages().filter((_, i) => i % 7 === 0).map((page) =>
    room.slice(0, alg.compress(page.bytes, room))
  );
  // The block lies at the very end of its memory, the page in the middle.
  const memory = new Uint8Array(PAGE_SIZE + 128);
  const page = memory.subarray(64, 64 + PAGE_SIZE);
  let refused = 0;
  for (let i = 0; i < 120_000; i++) {
    const block = mutate(rng, blocks[i % blocks.length]!);
    memory.fill(0x5a, 0, 64).fill(0x5a, 64 + PAGE_SIZE);
    const size = alg.decompress(block, page);
    if (size === -EINVAL) refused++;
    else assert.ok(size >= 0 && size <= PAGE_SIZE, `block ${i}: ${size}`);
    for (let at = 0; at < 64; at++) {
      if (memory[at] === 0x5a && memory[64 + PAGE_SIZE + at] === 0x5a) continue;
      assert.fail(`block ${i} wrote outside the page`);
    }
  }
  assert.ok(refused > 30_000 && refused < 115_000, `${refused} refused`);
});
