/**
 * The deliberate errors: one piece of text each. Ours.
 */

/** One error. */
export interface Mutant {
  /** What the engine does wrong with it. */
  readonly name: string;
  readonly file: string;
  /** Stands in the file exactly once. */
  readonly find: string;
  readonly put: string;
}

export const mutants: readonly Mutant[] = [
  {
    name: "a load leaves the compressed copy where it is",
    file: "lib/mm/zswap.ts",
    find: "  return folio_test_swapcache(folio);\n",
    put: "  return !folio_test_swapcache(folio);\n",
  },
  {
    name: "a load that takes the copy leaves the folio clean",
    file: "lib/mm/zswap.ts",
    find: "    setFlag(folio, PG_dirty);\n",
    put: "",
  },
  {
    name: "pages of zeros are not seen",
    file: "lib/mm/page_io.ts",
    find: 'if (k.quirks.filledPages === "zeromap" && ',
    put: "if (k.clock.now < 0 && ",
  },
  {
    name: "zsmalloc forgets the 8 bytes of the handle",
    file: "lib/mm/zsmalloc.ts",
    find: "get_size_class_index(size + ZS_HANDLE_SIZE)",
    put: "get_size_class_index(size)",
  },
  {
    name: "zsmalloc takes the emptiest zspage first",
    file: "lib/mm/zsmalloc_class.ts",
    find:
      "  for (let group = ZS_INUSE_RATIO_99; group >= ZS_INUSE_RATIO_0; group--) {",
    put:
      "  for (let group = ZS_INUSE_RATIO_0; group <= ZS_INUSE_RATIO_99; group++) {",
  },
  {
    name: "v6.1's zsmalloc: almost empty up to a half, not three quarters",
    file: "lib/mm/zsmalloc_class.ts",
    find: "Math.floor((3 * objs_per_zspage) / 4)",
    put: "Math.floor((2 * objs_per_zspage) / 4)",
  },
  {
    name: "zbud takes the page with the most room",
    file: "lib/mm/zbud.ts",
    find: "  for (let free = chunks; free < NCHUNKS; free++) {",
    put: "  for (let free = NCHUNKS - 1; free >= chunks; free--) {",
  },
  {
    name: "LZ4 ends its search where liblz4 does",
    file: "lib/crypto/lz4.ts",
    find: "{ kernelTail }: Lz4Options = { kernelTail: true }",
    put: "{ kernelTail }: Lz4Options = { kernelTail: false }",
  },
  {
    name: "an incompressible page is refused and not counted",
    file: "lib/mm/zswap_pool.ts",
    find: "zswap.reject_compress_fail++;",
    put: "zswap.reject_compress_fail += 0;",
  },
  {
    name: "6.18: an incompressible page is not kept as it is",
    file: "lib/eras.ts",
    find: '  "6.18": { incompressible: "store" },',
    put: '  "6.18": {},',
  },
  {
    name: "7.2: a write fault gives the slot back",
    file: "lib/eras.ts",
    find: '"store", writeFaultFreesSlot: false }',
    put: '"store", writeFaultFreesSlot: true }',
  },
  {
    name: "6.1: no 8 bytes in front of an object",
    file: "lib/eras.ts",
    find: " zswapHeader: 8,",
    put: "",
  },
  {
    name: "until 6.8: the older copy goes after the new one",
    file: "lib/eras.ts",
    find: '  olderCopyGoes: "before",\n',
    put: "",
  },
  {
    name: "a write fault keeps the slot",
    file: "lib/mm/memory_swap.ts",
    find: "  return write && k.quirks.writeFaultFreesSlot",
    put: "  return !write && k.quirks.writeFaultFreesSlot",
  },
  {
    name: "madvise takes pages that others map as well",
    file: "lib/mm/madvise.ts",
    find: "!folio_test_lru(folio) || folio._mapcount !== 1",
    put: "!folio_test_lru(folio)",
  },
  {
    name: "no slot cache: a slot is free at once",
    file: "lib/eras.ts",
    find: '  "6.12": {},\n  //',
    put: '  "6.12": { swap_slot_cache: "off" },\n  //',
  },
  {
    name: "a page found in the swap cache counts as a major fault",
    file: "lib/mm/memory_swap.ts",
    find: "  if (cached !== null) {\n",
    put: "  if (cached !== null) {\n" +
      '    count_memcg_event_mm(vmf.vma.vm_mm, "pgmajfault");\n',
  },
];
