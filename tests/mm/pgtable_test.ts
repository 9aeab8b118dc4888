import assert from "node:assert/strict";
import type { Pfn } from "swaplab/mm/mm_types.ts";
import {
  _PAGE_RW,
  growPteStore,
  is_swap_pte,
  makePteStore,
  mk_pte,
  PAGE_SIZE,
  type PageTable,
  pte_alloc_one,
  pte_dirty,
  pte_mkold,
  pte_none,
  pte_pfn,
  pte_present,
  pte_same,
  pte_swp_clear_exclusive,
  pte_swp_exclusive,
  pte_swp_mkexclusive,
  pte_swp_mksoft_dirty,
  pte_swp_soft_dirty,
  pte_to_swp_entry,
  pte_write,
  pte_wrprotect,
  pte_young,
  pteAt,
  pteMkwriteDirty,
  ptep_get,
  ptep_get_and_clear,
  set_pte,
  swp_entry_to_pte,
  TASK_UNMAPPED_BASE,
  touchPte,
} from "swaplab/mm/pgtable.ts";
import {
  rawEntry,
  swp_entry,
  swp_offset,
  swp_type,
} from "swaplab/mm/swapops.ts";

const firstVpn = TASK_UNMAPPED_BASE / PAGE_SIZE;

function newTable(): PageTable {
  const store = makePteStore();
  growPteStore(store, firstVpn + 1);
  return pte_alloc_one(store, "ptl", firstVpn);
}

// Worked out by hand from arch/x86/include/asm/pgtable_64.h.
Deno.test("swp_entry_to_pte() packs type and inverted offset as x86-64 does", () => {
  assert.equal(swp_entry_to_pte(swp_entry(0, 1)), 0x07fffffffffffc00n);
  assert.equal(swp_entry_to_pte(swp_entry(1, 0x1234)), 0x0fffffffffdb9600n);
});

Deno.test("pte_swp_mkexclusive() sets bit 3 and nothing else", () => {
  const pte = swp_entry_to_pte(swp_entry(0, 1));
  assert.equal(pte_swp_mkexclusive(pte), 0x07fffffffffffc08n);
  assert.equal(pte_swp_clear_exclusive(pte_swp_mkexclusive(pte)), pte);
  assert.equal(pte_swp_exclusive(pte), false);
  assert.equal(pte_swp_exclusive(pte_swp_mkexclusive(pte)), true);
});

Deno.test("pte_swp_mksoft_dirty() sets bit 1", () => {
  const pte = swp_entry_to_pte(swp_entry(0, 1));
  assert.equal(pte_swp_mksoft_dirty(pte), 0x07fffffffffffc02n);
  assert.equal(pte_swp_soft_dirty(pte_swp_mksoft_dirty(pte)), true);
});

Deno.test("rawEntry() is the kernel's word", () => {
  assert.equal(rawEntry(swp_entry(1, 0x1234)), 0x0400000000001234n);
});

Deno.test("pte_to_swp_entry() undoes swp_entry_to_pte() for every type", () => {
  for (let type = 0; type < 23; type++) {
    for (const offset of [1, 2, 0x3fff, 0x4000, 2 ** 31, 2 ** 39]) {
      const entry = swp_entry(type, offset);
      const pte = pte_swp_mkexclusive(swp_entry_to_pte(entry));
      assert.equal(pte_to_swp_entry(pte), entry);
      assert.equal(swp_type(entry), type);
      assert.equal(swp_offset(entry), offset);
      assert.ok(is_swap_pte(pte) && !pte_present(pte));
    }
  }
});

Deno.test("mk_pte() holds frame and bits", () => {
  const pte = mk_pte(0x12345 as Pfn, 0n);
  assert.equal(pte_pfn(pte), 0x12345);
  assert.ok(pte_present(pte) && pte_young(pte));
  assert.ok(!pte_write(pte) && !pte_dirty(pte));
  const written = pteMkwriteDirty(pte);
  assert.ok(pte_write(written) && pte_dirty(written));
  assert.ok(!pte_write(pte_wrprotect(written)));
  assert.ok(!pte_young(pte_mkold(pte)));
  assert.equal(pte_pfn(pte_mkold(pte_wrprotect(written))), 0x12345);
});

Deno.test("touchPte() faults on an empty, a swapped and a read-only entry", () => {
  const table = newTable();
  assert.equal(touchPte(table.store, 5, false), -1);
  set_pte(table, 5, swp_entry_to_pte(swp_entry(0, 7)));
  assert.equal(touchPte(table.store, 5, false), -1);
  set_pte(table, 5, mk_pte(9 as Pfn, 0n));
  assert.equal(touchPte(table.store, 5, true), -1);
  assert.ok(!pte_dirty(ptep_get(table, 5)));
});

Deno.test("touchPte() sets the bits that the processor sets", () => {
  const table = newTable();
  const old = pte_mkold(mk_pte(9 as Pfn, 2n));
  set_pte(table, 511, old);
  assert.equal(touchPte(table.store, 511, false), 9);
  assert.ok(pte_young(ptep_get(table, 511)));
  assert.ok(!pte_dirty(ptep_get(table, 511)));
  assert.equal(touchPte(table.store, 511, true), 9);
  assert.ok(pte_dirty(ptep_get(table, 511)));
  assert.ok(!pte_same(old, ptep_get(table, 511)));
});

Deno.test("ptep_get_and_clear() empties the entry", () => {
  const table = newTable();
  const pte = mk_pte(3 as Pfn, 0n);
  set_pte(table, 0, pte);
  assert.equal(ptep_get_and_clear(table, 0), pte);
  assert.ok(pte_none(ptep_get(table, 0)));
});

Deno.test("growPteStore() makes room, and what was there stays", () => {
  const store = makePteStore();
  growPteStore(store, firstVpn + 1);
  assert.equal(store.words.length, 512);
  const first = pte_alloc_one(store, "first", firstVpn);
  set_pte(first, 511, mk_pte(3 as Pfn, 0n));
  growPteStore(store, firstVpn + 1600);
  assert.equal(store.words.length, 4 * 512);

  const third = pte_alloc_one(store, "third", firstVpn + 1030);
  set_pte(third, 1030 % 512, mk_pte(0x2_5678 as Pfn, 0n));
  assert.equal(touchPte(store, pteAt(firstVpn + 511), false), 3);
  assert.equal(touchPte(store, pteAt(firstVpn + 1030), false), 0x2_5678);
  assert.equal(touchPte(store, pteAt(firstVpn + 1029), false), -1);
  assert.equal(pte_pfn(ptep_get(first, 511)), 3);
});

Deno.test("touchPte() knows frames beyond the low half of an entry", () => {
  const table = newTable();
  set_pte(table, 0, mk_pte(0x3f_ffff as Pfn, _PAGE_RW));
  assert.equal(touchPte(table.store, 0, true), 0x3f_ffff);
});
