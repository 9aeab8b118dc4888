import assert from "node:assert/strict";
import { EINVAL } from "swaplab/base/errno.ts";
import { makeLz4 } from "swaplab/crypto/lz4.ts";
import { brokenRules } from "./block_rules.ts";
import { fillKernelPage, kernelPageKind } from "../../lib/lab/kernel_pages.ts";
import { PAGE_SIZE, vectorPages } from "./pages.ts";
import vectors from "./vectors/liblz4.json" with { type: "json" };
import { blockHash } from "./vectors/make.ts";

const pages = vectorPages();

Deno.test("makeLz4() writes liblz4's blocks, byte for byte", () => {
  const alg = makeLz4({ kernelTail: false });
  const room = new Uint8Array(2 * PAGE_SIZE);
  assert.equal(vectors.sizes.length, pages.length);
  pages.forEach((page, i) => {
    const size = alg.compress(page.bytes, room);
    assert.equal(size, vectors.sizes[i], page.name);
    assert.equal(blockHash(room.subarray(0, size)), vectors.hashes[i]);
  });
});

Deno.test("makeLz4() decodes what lz4hc made", () => {
  const alg = makeLz4();
  const back = new Uint8Array(PAGE_SIZE);
  assert.ok(vectors.hard.length > 60);
  for (const { page, block } of vectors.hard) {
    back.fill(0xa5);
    const size = alg.decompress(Uint8Array.fromBase64(block), back);
    assert.equal(size, PAGE_SIZE, pages[page]!.name);
    assert.deepEqual(back, pages[page]!.bytes, pages[page]!.name);
  }
});

Deno.test("makeLz4() keeps the format's rules with either tail", () => {
  const room = new Uint8Array(2 * PAGE_SIZE);
  for (const kernelTail of [true, false]) {
    const alg = makeLz4({ kernelTail });
    for (const page of pages) {
      const size = alg.compress(page.bytes, room);
      const broken = brokenRules(room.subarray(0, size), PAGE_SIZE);
      assert.deepEqual(broken, [], page.name);
    }
  }
});

/**
 * Recorded from Debian's Linux 6.12.117 in a virtual machine: a program wrote
 * all its pages and asked for all to be swapped out. `bytes` is `zswap` in
 * memory.stat then; `rejected` is zswap's debugfs `reject_compress_fail`.
 */
const recordings = [
  {
    workload: "g-directed",
    pages: 1024,
    seed: 46,
    mix: "zero:10,same:10,text:40,heap:15,half:10,threeq:5,rand:10",
    kernel: { stored: 814, bytes: 1_290_534, rejected: 107, zero: 103 },
  },
  {
    workload: "z-fuzz1",
    pages: 512,
    seed: 101,
    mix: "zero:5,same:10,text:24,heap:14,half:6,threeq:0,sparse:1,rand:100",
    kernel: { stored: 302, bytes: 406_238, rejected: 180, zero: 30 },
  },
  {
    workload: "z-fuzz2",
    pages: 512,
    seed: 102,
    mix: "zero:7,same:7,text:34,heap:13,half:4,threeq:3,sparse:7,rand:100",
    kernel: { stored: 352, bytes: 490_933, rejected: 119, zero: 41 },
  },
  {
    workload: "z-fuzz3",
    pages: 512,
    seed: 103,
    mix: "zero:11,same:6,text:25,heap:6,half:5,threeq:4,sparse:8,rand:100",
    kernel: { stored: 270, bytes: 386_877, rejected: 176, zero: 66 },
  },
  {
    workload: "z-fuzz4",
    pages: 512,
    seed: 104,
    mix: "zero:7,same:8,text:32,heap:11,half:3,threeq:9,sparse:4,rand:100",
    kernel: { stored: 356, bytes: 554_129, rejected: 127, zero: 29 },
  },
];

type Recording = (typeof recordings)[number];

/** Store all pages of a recording as zswap does, without an allocator. */
function storeAll({ pages, seed, mix }: Recording, kernelTail: boolean) {
  const alg = makeLz4({ kernelTail });
  const page = new Uint8Array(PAGE_SIZE);
  const room = new Uint8Array(PAGE_SIZE);
  const sum = { stored: 0, bytes: 0, rejected: 0, zero: 0 };
  for (let i = 0; i < pages; i++) {
    const kind = kernelPageKind(seed, i, mix);
    fillKernelPage(page, kind, seed, i, 1);
    const size = alg.compress(page, room);
    if (kind === "zero") sum.zero++;
    else if (size === -EINVAL) sum.rejected++;
    else {
      sum.stored++;
      sum.bytes += size;
    }
  }
  return sum;
}

for (const recording of recordings) {
  Deno.test(`makeLz4() stores ${recording.workload} as Linux 6.12 did`, () => {
    assert.deepEqual(storeAll(recording, true), recording.kernel);
  });
}

Deno.test("kernelTail costs a few bytes on a few pages", () => {
  const difference = recordings.map((recording) =>
    recording.kernel.bytes - storeAll(recording, false).bytes
  );
  assert.deepEqual(difference, [42, 14, 43, 28, 0]);
});

Deno.test("makeLz4() stays within any room that is too small", () => {
  const alg = makeLz4();
  const wanted = ["text 1", "heap 1", "sparse 1", "zero 1", "half 1", "rand 1"];
  const memory = new Uint8Array(3 * PAGE_SIZE);
  for (const page of pages.filter(({ name }) => wanted.includes(name))) {
    const size = alg.compress(page.bytes, memory);
    for (let room = 0; room < size; room++) {
      memory.fill(0x5a);
      const dst = memory.subarray(64, 64 + room);
      assert.equal(alg.compress(page.bytes, dst), -EINVAL, page.name);
      const around = memory.subarray(64 + room, 64 + room + 64);
      assert.ok(around.every((byte) => byte === 0x5a), `${page.name} ${room}`);
    }
  }
});

Deno.test("makeLz4() takes inputs of any length up to its limit", () => {
  const alg = makeLz4();
  const text = pages.find(({ name }) => name === "text 0")!.bytes;
  const room = new Uint8Array(2 * PAGE_SIZE);
  for (let length = 0; length <= 80; length++) {
    const src = text.subarray(300, 300 + length);
    const size = alg.compress(src, room);
    const back = new Uint8Array(length);
    assert.equal(alg.decompress(room.subarray(0, size), back), length);
    assert.deepEqual(back, src.slice());
  }
  assert.throws(() => alg.compress(new Uint8Array(65_536), room), {
    name: "RangeError",
    message: "lz4: wanted at most 65535 bytes, got 65536",
  });
});
