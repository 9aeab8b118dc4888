/** The fuzz' oracle: what may be read after which operation. */
import assert from "node:assert/strict";
import {
  compare,
  expectChange,
  expectMaybeZeros,
  expectZeros,
  type Oracle,
  sameWrite,
} from "swaplab/lab/fuzz_oracle.ts";

const zeros = new Uint8Array(4096);
const sevens = new Uint8Array(4096).fill(7);

/** Page 0 was filled by write number 1. */
function written(): Oracle {
  const oracle: Oracle = new Map();
  expectChange(oracle, 0, 1, (known) => known.fill(7));
  return oracle;
}

Deno.test("a page must read as it was written, any other as zeros", () => {
  const oracle = written();
  assert.equal(compare(oracle, 0, sevens), null);
  assert.equal(compare(oracle, 1, zeros), null);
  assert.equal(compare(oracle, 0, zeros), "byte 0 is 0, was written 7");
  expectZeros(oracle, 0);
  assert.equal(compare(oracle, 0, zeros), null);
});

Deno.test("after MADV_FREE a page may read as before, until it reads as zeros", () => {
  const oracle = written();
  expectMaybeZeros(oracle, 0);
  assert.equal(compare(oracle, 0, sevens), null);
  assert.equal(compare(oracle, 0, zeros), null);
  assert.notEqual(compare(oracle, 0, sevens), null);
});

Deno.test("a write to part of a freed page: either content around it", () => {
  const oracle = written();
  expectMaybeZeros(oracle, 0);
  expectChange(oracle, 0, 2, (known) => known[5] = 1);
  const kept = sevens.with(5, 1);
  assert.equal(compare(oracle, 0, kept), null);
  assert.notEqual(compare(oracle, 0, zeros.with(5, 1)), null);
});

Deno.test("a copy shares a page until one of them writes it", () => {
  const parent = written();
  const child: Oracle = new Map(parent);
  expectMaybeZeros(parent, 0);
  assert.ok(sameWrite(parent, child, 0));
  assert.ok(!sameWrite(parent, child, 1), "of zeros nobody cares");
  expectChange(child, 0, 3, (known) => known[0] = 1);
  assert.ok(!sameWrite(parent, child, 0));
});
