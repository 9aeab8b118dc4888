/**
 * Lists of folios, linked through the frames' words: as list.h, for folios.
 *
 * A link is a frame's number, or for the list itself, which stands at both
 * ends, the complement of the list's number. A list has a number while there
 * are folios on it, so one that was emptied can be dropped.
 *
 * Kernel: include/linux/list.h (v6.12), on folio->lru. Differs: list_del() is
 * the kernel's list_del_init().
 */
import { pfn_folio } from "./folio.ts";
import { type MemMap, nextWord, pageWords, prevWord } from "./mem_map.ts";
import type { Folio, Kernel } from "./mm_types.ts";

/** The head of a list. A folio is on at most one. */
export interface FolioList {
  /** First and last; valid while it has a number. */
  next: number;
  prev: number;
  /** Where it is among `mem_map.lists`; −1 while it is empty. */
  number: number;
}

/** An empty list. (Linux: LIST_HEAD().) */
export function makeFolioList(): FolioList {
  return { next: 0, prev: 0, number: -1 };
}

export function list_empty(list: FolioList): boolean {
  return list.number < 0;
}

/** `prev` and `next` become neighbours. (Linux: __list_del().) */
function join({ words, lists }: MemMap, prev: number, next: number): void {
  if (prev < 0) lists[~prev]!.next = next;
  else words[prev * pageWords + nextWord] = next;
  if (next < 0) lists[~next]!.prev = prev;
  else words[next * pageWords + prevWord] = prev;
}

/** How links name the list, which begins to have folios if it has none. */
function linkOf({ lists }: MemMap, list: FolioList): number {
  if (list.number >= 0) return ~list.number;
  const unused = lists.indexOf(null);
  list.number = unused < 0 ? lists.length : unused;
  lists[list.number] = list;
  list.next = list.prev = ~list.number;
  return ~list.number;
}

/** Put the folio at the front. */
export function list_add({ mem_map, pfn }: Folio, list: FolioList): void {
  const head = linkOf(mem_map, list);
  join(mem_map, pfn, list.next);
  join(mem_map, head, pfn);
}

/** Put the folio at the back. */
export function list_add_tail({ mem_map, pfn }: Folio, list: FolioList): void {
  const head = linkOf(mem_map, list);
  join(mem_map, list.prev, pfn);
  join(mem_map, pfn, head);
}

/** Take the folio off its list, if it is on one. */
export function list_del({ mem_map, pfn }: Folio): void {
  const { words, lists } = mem_map;
  const at = pfn * pageWords;
  const prev = words[at + prevWord]!;
  const next = words[at + nextWord]!;
  join(mem_map, prev, next);
  join(mem_map, pfn, pfn);
  if (next >= 0 || next !== prev) return;
  lists[~next]!.number = -1;
  lists[~next] = null;
}

/** It is on a list. (Linux: !list_empty(&folio->lru).) */
export function isListed({ mem_map, pfn }: Folio): boolean {
  return mem_map.words[pfn * pageWords + nextWord] !== pfn;
}

export function list_move(folio: Folio, list: FolioList): void {
  list_del(folio);
  list_add(folio, list);
}

/** The folio at the back, or null. */
export function lastEntryOrNull(k: Kernel, list: FolioList): Folio | null {
  return list.number < 0 ? null : pfn_folio(k, list.prev);
}

/** Every folio from front to back; the list must not change meanwhile. */
export function* entriesOf(
  k: Kernel,
  list: FolioList,
): Generator<Folio, void, void> {
  if (list_empty(list)) return;
  for (let pfn = list.next; pfn >= 0; pfn = nextOf(k, pfn)) {
    const folio = pfn_folio(k, pfn);
    if (folio !== null) yield folio;
  }
}

function nextOf({ mem_map }: Kernel, pfn: number): number {
  return mem_map.words[pfn * pageWords + nextWord]!;
}

/** How many folios are on the list, counted one by one. */
export function listLength(k: Kernel, list: FolioList): number {
  let length = 0;
  if (list_empty(list)) return length;
  for (let pfn = list.next; pfn >= 0; pfn = nextOf(k, pfn)) length++;
  return length;
}
