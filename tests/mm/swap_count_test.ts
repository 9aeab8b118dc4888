import assert from "node:assert/strict";
import { EEXIST, EINVAL, ENOENT, ENOMEM } from "swaplab/base/errno.ts";
import { makeMachine } from "swaplab/lab/machine.ts";
import type { Kernel, SwapInfoStruct } from "swaplab/mm/mm_types.ts";
import {
  COUNT_CONTINUED,
  SWAP_HAS_CACHE,
  SWAP_MAP_BAD,
  SWAP_MAP_MAX,
  SWAP_MAP_SHMEM,
} from "swaplab/mm/swap.ts";
import {
  __swap_duplicate,
  __swap_entry_free_locked,
  add_swap_count_continuation,
  swap_count,
  swp_swapcount,
} from "swaplab/mm/swap_count.ts";

const offset = 3;

/** A device whose slot 3 has the byte given, its lock held. */
function slotWith(byte: number): { k: Kernel; si: SwapInfoStruct } {
  const { k } = makeMachine({ frames: 64, swap: { kind: "hdd", pages: 64 } });
  const si = k.swap_info[0]!;
  si.lock.locked = true;
  si.swap_map[offset] = byte;
  return { k, si };
}

const duplicates: [number, number, number, number][] = [
  // byte before, usage, result, byte after
  [0x00, 1, -ENOENT, 0x00],
  [0x00, SWAP_HAS_CACHE, -ENOENT, 0x00],
  [0x01, 1, 0, 0x02],
  [0x40, 1, 0, 0x41],
  [0x40, SWAP_HAS_CACHE, -EEXIST, 0x40],
  [0x01, SWAP_HAS_CACHE, 0, 0x41],
  [0x41, SWAP_HAS_CACHE, -EEXIST, 0x41],
  [0x3d, 1, 0, 0x3e],
  [0x7d, 1, 0, 0x7e],
  [0x3e, 1, -ENOMEM, 0x3e],
  [0x7e, 1, -ENOMEM, 0x7e],
  [0x3e, SWAP_HAS_CACHE, 0, 0x7e],
  [SWAP_MAP_BAD, 1, -ENOENT, SWAP_MAP_BAD],
  [SWAP_MAP_BAD, SWAP_HAS_CACHE, -ENOENT, SWAP_MAP_BAD],
  [0x7f, 1, -ENOENT, 0x7f],
  [SWAP_MAP_SHMEM, 1, -EINVAL, SWAP_MAP_SHMEM],
  [SWAP_MAP_SHMEM, SWAP_HAS_CACHE, 0, 0xff],
  [0xff, SWAP_HAS_CACHE, -EEXIST, 0xff],
  [0x40, SWAP_MAP_SHMEM, 0, 0xff],
  [0x80, 1, 0, 0x81],
  [0xc0, 1, 0, 0xc1],
];

for (const [before, usage, result, after] of duplicates) {
  const hex = (n: number) => `0x${n.toString(16)}`;
  const name = `__swap_duplicate() of ${hex(before)} by ${hex(usage)}`;
  Deno.test(`${name} gives ${result}, ${hex(after)}`, () => {
    const { k, si } = slotWith(before);
    assert.equal(__swap_duplicate(k, si, offset, usage), result);
    assert.equal(si.swap_map[offset], after);
  });
}

const frees: [number, number, number, number][] = [
  // byte before, usage, result, byte after
  [0x01, 1, 0x00, 0x40],
  [0x02, 1, 0x01, 0x01],
  [0x41, 1, 0x40, 0x40],
  [0x41, SWAP_HAS_CACHE, 0x01, 0x01],
  [0x40, SWAP_HAS_CACHE, 0x00, 0x40],
  [0x7e, 1, 0x7d, 0x7d],
  [SWAP_MAP_SHMEM, 1, 0x00, 0x40],
  [0xff, 1, 0x40, 0x40],
];

for (const [before, usage, result, after] of frees) {
  const hex = (n: number) => `0x${n.toString(16)}`;
  const name = `__swap_entry_free_locked() of ${hex(before)} by ${hex(usage)}`;
  Deno.test(`${name} gives ${hex(result)}, ${hex(after)}`, () => {
    const { k, si } = slotWith(before);
    assert.equal(__swap_entry_free_locked(k, si, offset, usage), result);
    assert.equal(si.swap_map[offset], after);
  });
}

Deno.test("__swap_entry_free_locked() stops the machine on a pin that is not there", () => {
  const { k, si } = slotWith(0x01);
  assert.throws(
    () => __swap_entry_free_locked(k, si, offset, SWAP_HAS_CACHE),
    /KernelBug|pin/,
  );
});

Deno.test("__swap_duplicate() asserts that the caller holds the lock", () => {
  const { k, si } = slotWith(0x01);
  si.lock.locked = false;
  assert.throws(() => __swap_duplicate(k, si, offset, 1), /must be held/);
});

Deno.test("swap_count() strips the pin and keeps COUNT_CONTINUED", () => {
  assert.equal(swap_count(0x41), 1);
  assert.equal(swap_count(0x81), 0x81);
  assert.equal(swap_count(0xc1), 0x81);
});

/** Count up once, adding a page of digits when it is asked for. */
function addUser(k: Kernel, si: SwapInfoStruct, at: number): number {
  let pages = 0;
  while (__swap_duplicate(k, si, at, 1) === -ENOMEM) {
    assert.equal(add_swap_count_continuation(k, si, at), 0);
    pages++;
  }
  return pages;
}

// The worked numbers of counts beyond 62.
Deno.test("__swap_duplicate() carries into a digit worth 63", () => {
  const { k, si } = slotWith(SWAP_MAP_MAX);
  const expected: [number, number][] = [[63, 0x80], [64, 0x81]];
  for (const [users, byte] of expected) {
    addUser(k, si, offset);
    assert.equal(si.swap_map[offset], byte);
    assert.equal(swp_swapcount(k, si, offset), users);
  }
  for (let users = 65; users <= 125; users++) addUser(k, si, offset);
  assert.equal(si.swap_map[offset], 0xbe);
  addUser(k, si, offset);
  assert.equal(si.swap_map[offset], COUNT_CONTINUED);
  assert.equal(swp_swapcount(k, si, offset), 126);
});

Deno.test("__swap_entry_free_locked() borrows: 63 users become 0x3e again", () => {
  const { k, si } = slotWith(SWAP_MAP_MAX);
  addUser(k, si, offset);
  assert.equal(__swap_entry_free_locked(k, si, offset, 1), SWAP_MAP_MAX);
  assert.equal(si.swap_map[offset], SWAP_MAP_MAX);
});

Deno.test("a digit page counts to 8063, the next user needs a second one", () => {
  const { k, si } = slotWith(1);
  let pages = 0;
  for (let users = 2; users <= 8063; users++) pages += addUser(k, si, offset);
  assert.equal(pages, 1);
  assert.equal(swp_swapcount(k, si, offset), 8063);
  assert.equal(addUser(k, si, offset), 1);
  for (let users = 8065; users <= 8200; users++) addUser(k, si, offset);
  for (let users = 8200; users >= 1; users--) {
    assert.equal(swp_swapcount(k, si, offset), users);
    __swap_entry_free_locked(k, si, offset, 1);
  }
  assert.equal(si.swap_map[offset], SWAP_HAS_CACHE);
});

Deno.test("neighbours on the same page of the map share the page of digits", () => {
  const { k, si } = slotWith(SWAP_MAP_MAX);
  si.swap_map[offset + 1] = SWAP_MAP_MAX;
  assert.equal(addUser(k, si, offset), 1);
  assert.equal(addUser(k, si, offset + 1), 0);
  assert.equal(swp_swapcount(k, si, offset), 63);
  assert.equal(swp_swapcount(k, si, offset + 1), 63);
});
