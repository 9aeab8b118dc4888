import assert from "node:assert/strict";
import { inspect as nodeInspect } from "node:util";
import { xa_init } from "swaplab/base/xarray.ts";
import {
  foliosInUse,
  isStale,
  pfn_folio,
  sameFolio,
} from "swaplab/mm/folio.ts";
import type { AnonVma, Folio, Kernel } from "swaplab/mm/mm_types.ts";
import { folio_put, get_page_from_freelist } from "swaplab/mm/page_alloc.ts";
import {
  beforeTrylock,
  folio_get,
  folio_trylock,
  folio_unlock,
  PG_dirty,
  setFlag,
} from "swaplab/mm/page_flags.ts";
import { swp_entry } from "swaplab/mm/swapops.ts";
import { inspect } from "swaplab/show/inspect.ts";
import { scene } from "./helpers.ts";

function freshFolio(): { k: Kernel; folio: Folio } {
  const { k } = scene().machine;
  return { k, folio: get_page_from_freelist(k, 0)! };
}

/** A folio that was freed, and who got its frame after that. */
function reused(): { k: Kernel; stale: Folio; next: Folio } {
  const { k, folio: stale } = freshFolio();
  folio_put(k, stale);
  const next = get_page_from_freelist(k, 0)!;
  assert.equal(next.pfn, stale.pfn);
  return { k, stale, next };
}

Deno.test("two looks at one page see the same words", () => {
  const { k, folio } = freshFolio();
  const again = pfn_folio(k, folio.pfn)!;
  assert.notEqual(again, folio);
  assert.ok(sameFolio(again, folio));
  setFlag(again, PG_dirty);
  again._mapcount = 3;
  assert.equal(folio.flags, PG_dirty);
  assert.equal(folio._mapcount, 3);
  assert.equal(folio._refcount, 1);
});

Deno.test("a fresh folio has one reference and nothing else", () => {
  const { k, stale, next } = reused();
  const { pfn, generation, _refcount, ...rest } = {
    ...(next as unknown as Record<symbol, () => Folio>)[
      Symbol.for("nodejs.util.inspect.custom")
    ]!.call(next),
  };
  assert.deepEqual([pfn, generation, _refcount], [stale.pfn, undefined, 1]);
  assert.deepEqual(rest, {
    flags: 0,
    _mapcount: 0,
    mapping: null,
    index: 0,
    memcg: null,
    swap: 0,
  });
  assert.ok(k.mem_map.words.length > 0);
});

Deno.test("index and swap share a word and do not disturb each other", () => {
  const { folio } = freshFolio();
  const entries = [0, 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 40 - 1]
    .flatMap((offset) => [swp_entry(0, offset), swp_entry(31, offset)]);
  const indices = [0, 7, 2 ** 31, 2 ** 32 + 5, 2 ** 35 + 3, 2 ** 47 - 1];
  for (const index of indices) {
    folio.index = index;
    for (const entry of entries) {
      folio.swap = entry;
      assert.deepEqual([folio.index, folio.swap], [index, entry]);
    }
    folio.swap = entries.at(-1)!;
    folio.index = 0;
    assert.equal(folio.swap, entries.at(-1));
  }
});

Deno.test("a mapping has a number as long as a page names it", () => {
  const { k, folio } = freshFolio();
  const other = get_page_from_freelist(k, 0)!;
  const { mappings } = k.mem_map;
  const known = mappings.numbers.size;
  const family = (id: number): AnonVma => ({ id, vmas: [] });
  const [first, second] = [family(1), family(2)];
  folio.mapping = first;
  other.mapping = first;
  assert.equal(mappings.numbers.size, known + 1);
  folio.mapping = second;
  assert.equal(other.mapping, first);
  folio_put(k, other);
  assert.deepEqual([...mappings.numbers.keys()].slice(known), [second]);
  folio.mapping = second;
  assert.equal(folio.mapping, second);
  folio.mapping = null;
  assert.equal(mappings.numbers.size, known);
});

Deno.test("who still has a freed folio cannot use it, also when its frame has a new user", () => {
  const { k, stale, next } = reused();
  assert.ok(isStale(stale));
  assert.ok(!isStale(next));
  assert.ok(!sameFolio(stale, next));
  assert.throws(() => folio_get(stale), /is free/);
  assert.throws(() => folio_put(k, stale), /is free/);
  assert.throws(() => folio_trylock(stale), /use after free/);
  assert.throws(() => folio_unlock(stale), /is not locked/);
  assert.throws(() => setFlag(stale, PG_dirty), /use after free/);
  assert.throws(() => stale.index = 5, /use after free/);
  assert.equal(next.flags, 0);
  assert.equal(next._refcount, 1);
});

Deno.test("a freed folio has no flags, so nobody waits for its lock", () => {
  const { stale, next } = reused();
  assert.ok(folio_trylock(next));
  setFlag(next, PG_dirty);
  assert.equal(stale.flags, 0);
});

Deno.test("pfn_folio() of a free frame, and of none at all, is null", () => {
  const { k, folio } = freshFolio();
  folio_put(k, folio);
  assert.equal(pfn_folio(k, folio.pfn), null);
  assert.equal(pfn_folio(k, k.zero_pfn), null);
  assert.equal(pfn_folio(k, k.totalram_pages), null);
});

Deno.test("foliosInUse() has each frame that is not free", () => {
  const { k, folio } = freshFolio();
  const other = get_page_from_freelist(k, 0)!;
  const frames = () => foliosInUse(k).map(({ pfn }) => pfn).toArray();
  assert.deepEqual(frames(), [folio.pfn, other.pfn]);
  folio_put(k, folio);
  assert.deepEqual(frames(), [other.pfn]);
});

Deno.test("the explorer sees one object, whoever looks at the folio", () => {
  const { k, folio } = freshFolio();
  const looks = [folio, pfn_folio(k, folio.pfn)!];
  const [a, b] = looks.map((look) => beforeTrylock(look).next().value);
  assert.ok(typeof a === "object" && a.what === "folio_trylock");
  assert.equal(a, b);
  folio_put(k, folio);
  assert.equal(k.mem_map.ops.size, 0);
});

Deno.test("show() and console.log() print the words by their names", () => {
  const { folio } = freshFolio();
  folio.index = 7;
  assert.match(inspect(folio), /^\{\n {2}pfn: \d+,\n {2}flags: 0,\n/);
  assert.match(inspect(folio), / index: 7,/);
  assert.equal(inspect(folio), nodeInspect(folio));
});

Deno.test("sameFolio() is false for what is no folio", () => {
  const { folio } = freshFolio();
  assert.ok(!sameFolio(null, folio));
  assert.ok(!sameFolio(folio.generation, folio));
  assert.equal(xa_init<Folio>("empty").entries.size, 0);
});
