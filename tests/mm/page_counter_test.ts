import assert from "node:assert/strict";
import { EINVAL } from "swaplab/base/errno.ts";
import {
  page_counter_charge,
  page_counter_init,
  PAGE_COUNTER_MAX,
  page_counter_memparse,
  page_counter_try_charge,
  page_counter_uncharge,
} from "swaplab/mm/page_counter.ts";
import { scene } from "./helpers.ts";

const { k } = scene({ debug: false }).machine;

/** Root, a group of at most 10 pages, and one below it of at most 4. */
function family() {
  const root = page_counter_init(null);
  const parent = page_counter_init(root);
  const child = page_counter_init(parent);
  parent.max = 10;
  child.max = 4;
  return { root, parent, child };
}

Deno.test("a charge counts at every level", () => {
  const { root, parent, child } = family();
  assert.equal(page_counter_try_charge(child, 3), null);
  assert.deepEqual([child, parent, root].map(({ usage }) => usage), [3, 3, 3]);
  page_counter_uncharge(k, child, 2);
  assert.deepEqual([child, parent, root].map(({ usage }) => usage), [1, 1, 1]);
  assert.equal(parent.watermark, 3);
});

Deno.test("the level that is full is told, and nothing is charged", () => {
  const { root, parent, child } = family();
  page_counter_charge(parent, 9);
  assert.equal(page_counter_try_charge(child, 5), child);
  assert.equal(page_counter_try_charge(child, 2), parent);
  assert.deepEqual([child, parent, root].map(({ usage }) => usage), [0, 9, 9]);
  assert.deepEqual([child.failcnt, parent.failcnt, root.failcnt], [1, 1, 0]);
  assert.equal(page_counter_try_charge(child, 1), null);
});

Deno.test("a level's highest usage counts charges that an ancestor refused", () => {
  const { root, parent, child } = family();
  page_counter_charge(parent, 9);
  assert.equal(page_counter_try_charge(child, 2), parent);
  const highest = [child, parent, root].map(({ watermark }) => watermark);
  assert.deepEqual(highest, [2, 9, 9]);
});

Deno.test("page_counter_charge() goes over every limit", () => {
  const { parent, child } = family();
  page_counter_charge(child, 20);
  assert.deepEqual([child.usage, parent.usage], [20, 20]);
});

Deno.test("more uncharged than charged is told and mended", () => {
  const counter = page_counter_init(null);
  page_counter_uncharge(k, counter, 1);
  assert.equal(counter.usage, 0);
  assert.equal(k.warnings.length, 1);
});

Deno.test("page_counter_memparse() rounds bytes down to pages", () => {
  const pages = ["0", "1", "4095", "4096", " 12288\n", "16K", "1m", "2G", "1P"]
    .map(page_counter_memparse);
  assert.deepEqual(pages, [0, 0, 0, 1, 3, 4, 256, 524288, 2 ** 38]);
  assert.equal(page_counter_memparse("max"), PAGE_COUNTER_MAX);
  for (const bad of ["", "-1", "4.5", "1MB", "lots"]) {
    assert.equal(page_counter_memparse(bad), -EINVAL, bad);
  }
});
