import assert from "node:assert/strict";
import {
  entriesOf,
  lastEntryOrNull,
  list_add,
  list_add_tail,
  list_del,
  list_empty,
  list_move,
  listLength,
  makeFolioList,
} from "swaplab/mm/folio_list.ts";
import type { Folio } from "swaplab/mm/mm_types.ts";
import { folio_put, get_page_from_freelist } from "swaplab/mm/page_alloc.ts";
import { makeRng, nextBelow } from "swaplab/sim/rng.ts";
import { scene } from "./helpers.ts";

function folios(count: number) {
  const { k } = scene().machine;
  const all = Array.from(
    { length: count },
    () => get_page_from_freelist(k, 0)!,
  );
  const names = (list: ReturnType<typeof makeFolioList>) =>
    entriesOf(k, list).map(({ pfn }) => all.findIndex((it) => it.pfn === pfn))
      .toArray();
  return { k, all, names };
}

Deno.test("list_add() and list_add_tail() put at the front and at the back", () => {
  const { k, all: [a, b, c], names } = folios(3);
  const list = makeFolioList();
  assert.ok(list_empty(list));
  assert.equal(lastEntryOrNull(k, list), null);
  assert.deepEqual(names(list), []);
  list_add(a!, list);
  list_add(b!, list);
  list_add_tail(c!, list);
  assert.deepEqual(names(list), [1, 0, 2]);
  assert.equal(lastEntryOrNull(k, list)?.pfn, c!.pfn);
  list_del(a!);
  assert.deepEqual(names(list), [1, 2]);
  assert.equal(listLength(k, list), 2);
});

Deno.test("list_del() of a folio that is on no list does nothing", () => {
  const { k, all: [a, b], names } = folios(2);
  const list = makeFolioList();
  list_add(b!, list);
  list_del(a!);
  list_del(a!);
  assert.deepEqual(names(list), [1]);
  assert.equal(listLength(k, list), 1);
});

Deno.test("a list has a number only while there are folios on it", () => {
  const { k, all: [a, b] } = folios(2);
  const [first, second] = [makeFolioList(), makeFolioList()];
  const numbers = () => k.mem_map.lists.filter((each) => each !== null).length;
  const before = numbers();
  list_add(a!, first);
  list_add(b!, second);
  assert.equal(numbers(), before + 2);
  list_move(b!, first);
  assert.ok(list_empty(second));
  list_del(a!);
  list_del(b!);
  assert.ok(list_empty(first));
  assert.equal(numbers(), before);
});

Deno.test("a folio that is freed on a list stops the machine", () => {
  const { k, all: [a] } = folios(1);
  list_add(a!, makeFolioList());
  assert.throws(() => folio_put(k, a!), /Bad page.*on a list/);
});

Deno.test("three lists do what three arrays do, through 5000 random moves", () => {
  const { k, all, names } = folios(12);
  const rng = makeRng(11);
  const lists = [0, 1, 2].map(makeFolioList);
  const models: number[][] = [[], [], []];
  const moves: ((folio: Folio, at: number, name: number) => void)[] = [
    (
      folio,
      at,
      name,
    ) => (list_move(folio, lists[at]!), models[at]!.unshift(name)),
    (folio, at, name) => {
      list_del(folio);
      list_add_tail(folio, lists[at]!);
      models[at]!.push(name);
    },
    (folio) => list_del(folio),
  ];
  for (let i = 0; i < 5000; i++) {
    const name = nextBelow(rng, all.length);
    for (const [at, model] of models.entries()) {
      models[at] = model.filter((each) => each !== name);
    }
    moves[nextBelow(rng, 3)]!(all[name]!, nextBelow(rng, 3), name);
    assert.deepEqual(lists.map(names), models);
    assert.deepEqual(
      lists.map((list) => listLength(k, list)),
      models.map((model) => model.length),
    );
  }
});
