/**
 * Pages of one word again and again, as zswap kept them until 6.11: an entry
 * with the word and without an object. (Quirk filledPages.)
 *
 * Kernel: mm/zswap.c (v6.1): zswap_is_page_same_filled(), zswap_fill_page().
 * Differs: v6.12 has neither; there zero pages are a bit in si->zeromap.
 */
import type { Folio, Kernel } from "./mm_types.ts";
import { pageWords } from "./page_io.ts";

/** What the page is full of; null if its words differ. */
export function filledWith(k: Kernel, folio: Folio): bigint | null {
  const words = pageWords(k, folio);
  const first = words[0]!;
  // Most pages that differ, differ at the end.
  if (words[words.length - 1] !== first) return null;
  return words.every((word) => word === first) ? first : null;
}

/** The way back. */
export function fillWith(k: Kernel, folio: Folio, word: bigint): void {
  pageWords(k, folio).fill(word);
}
