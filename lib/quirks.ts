/**
 * What other releases of Linux did otherwise and no thread argues about: small
 * seams, each one line in the engine, so that a machine can count what those
 * kernels count. The switches of the threads are in proposals.ts. Ours.
 */

/** The ways of one machine that are not v6.12's. */
export interface Quirks {
  /**
   * Where a page of equal words goes: zero pages to a bit of the slot's device
   * and others to the compressor; or all of them to zswap, as a word (≤ 6.11).
   * Seam: mm/page_io.ts, mm/zswap.ts.
   */
  readonly filledPages: "zeromap" | "zswap";
  /**
   * A page that does not shrink: refused, or kept as it is, 4096 bytes (6.18).
   * Seam: mm/zswap_pool.ts.
   */
  readonly incompressible: "reject" | "store";
  /**
   * Bytes in front of an object that name its slot, where the allocator evicts
   * by itself: zbud and z3fold, until 6.4. Seam: mm/zswap_pool.ts.
   */
  readonly zswapHeader: 0 | 8;
  /**
   * When the older copy of a slot goes: when the new one is stored, or before
   * it is tried, as frontswap and its heirs did (≤ 6.8). Seam: mm/zswap.ts.
   */
  readonly olderCopyGoes: "after" | "before";
  /**
   * Groups of zspages by use: twelve, or four of which each is sorted; chains
   * of up to 8 or 4 frames (≤ 6.2). Seam: mm/zsmalloc_class.ts.
   */
  readonly zspageGroups: "tenths" | "quarters";
  /**
   * Slots in a row of addresses in a row go together, past the slot cache, or
   * one by one (≤ 6.9). Seam: mm/memory_zap.ts.
   */
  readonly slotsFreedBy: "run" | "one";
  /**
   * A write fault on a page in the swap cache gives its slot back, if nobody
   * else uses the page; or keeps it (7.x). Seam: mm/memory_swap.ts.
   */
  readonly writeFaultFreesSlot: boolean;
}

/** What v6.12 does. */
export const v6_12Quirks: Quirks = {
  filledPages: "zeromap",
  incompressible: "reject",
  zswapHeader: 0,
  olderCopyGoes: "after",
  zspageGroups: "tenths",
  slotsFreedBy: "run",
  writeFaultFreesSlot: true,
};

/** All values of each quirk, v6.12's first. */
export const quirkValues: {
  readonly [Name in keyof Quirks]: readonly Quirks[Name][];
} = {
  filledPages: ["zeromap", "zswap"],
  incompressible: ["reject", "store"],
  zswapHeader: [0, 8],
  olderCopyGoes: ["after", "before"],
  zspageGroups: ["tenths", "quarters"],
  slotsFreedBy: ["run", "one"],
  writeFaultFreesSlot: [true, false],
};
