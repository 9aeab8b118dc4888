import assert from "node:assert/strict";
import { BUG_ON, KernelBug } from "swaplab/base/bug.ts";
import { ENOMEM, errnoName } from "swaplab/base/errno.ts";
import {
  entriesOf,
  INIT_LIST_HEAD,
  lastEntryOrNull,
  list_add,
  list_add_tail,
  list_del,
  list_empty,
  list_first_entry_or_null,
  list_move,
  list_move_tail,
  listLength,
} from "swaplab/base/list.ts";
import {
  xa_cmpxchg,
  xa_empty,
  xa_erase,
  xa_init,
  xa_load,
  xa_store,
} from "swaplab/base/xarray.ts";

Deno.test("list_add() and list_add_tail() put at the front and at the back", () => {
  const head = INIT_LIST_HEAD<string>();
  const [a, b, c] = ["a", "b", "c"].map((name) => INIT_LIST_HEAD(name));
  list_add(a!, head);
  list_add(b!, head);
  list_add_tail(c!, head);
  assert.deepEqual([...entriesOf(head)], ["b", "a", "c"]);
  assert.equal(list_first_entry_or_null(head), "b");
  assert.equal(lastEntryOrNull(head), "c");
  list_move(c!, head);
  list_move_tail(b!, head);
  assert.deepEqual([...entriesOf(head)], ["c", "a", "b"]);
  list_del(a!);
  assert.ok(list_empty(a!));
  assert.equal(listLength(head), 2);
});

Deno.test("an empty list has neither first nor last", () => {
  const head = INIT_LIST_HEAD<string>();
  assert.equal(list_first_entry_or_null(head), null);
  assert.equal(lastEntryOrNull(head), null);
});

Deno.test("xa_store() gives what was there; xa_cmpxchg() only replaces that", () => {
  const xa = xa_init<string>("x");
  assert.equal(xa_store(xa, 5, "a"), null);
  assert.equal(xa_store(xa, 5, "b"), "a");
  assert.equal(xa_cmpxchg(xa, 5, "a", null), "b");
  assert.equal(xa_load(xa, 5), "b");
  assert.equal(xa_cmpxchg(xa, 5, "b", "c"), "b");
  assert.equal(xa_erase(xa, 5), "c");
  assert.equal(xa_erase(xa, 5), null);
  assert.ok(xa_empty(xa));
});

Deno.test("BUG_ON() throws a KernelBug that carries its message", () => {
  BUG_ON(false, "no");
  assert.throws(() => BUG_ON(true, "it broke"), KernelBug);
  assert.equal(new KernelBug("a", "b").message, "a\nb");
});

Deno.test("errnoName() names an error and leaves other numbers", () => {
  assert.equal(errnoName(-ENOMEM), "-ENOMEM");
  assert.equal(errnoName(0), "0");
});
