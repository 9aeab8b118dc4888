/**
 * What the machine knows of each frame, in one array: eleven words a frame.
 *
 * Everything else in mm/ is objects. These are words, since there is one for
 * each page: 44 bytes beside its 4096 (Linux: struct page, 64 bytes), where
 * an object with its links took four times as many. Who wants to look at a
 * page gets a `Folio` (folio.ts), which reads and writes the words.
 *
 * A word cannot name an object: the groups and mappings that pages name have
 * numbers, each as long as a page names it.
 *
 * Kernel: include/linux/mm_types.h (v6.12), struct page; mm/mm_init.c.
 * Differs: only what our folios need. The words of a page are valid for one
 * *generation*, from the time its frame is given out until it comes back.
 */
import type { Op } from "../sim/task.ts";
import type { FolioList } from "./folio_list.ts";
import type {
  AddressSpace,
  AnonVma,
  Folio,
  MemCgroup,
  Pfn,
} from "./mm_types.ts";
import type { FolioPause } from "./page_flags.ts";

/** Words of a frame, and which is which. */
export const pageWords = 11;
export const flagsWord = 0;
export const refcountWord = 1;
export const mapcountWord = 2;
/** The number of an AnonVma or AddressSpace; 0 for none. */
export const mappingWord = 3;
/** The number of a group; 0 for none. */
export const memcgWord = 4;
/** The low 32 bits of the index, and of the swap entry. */
export const indexWord = 5;
export const swapWord = 6;
/** Bits 32 … 47 of both: the index's below, the entry's above. */
export const highWord = 7;
/** Neighbours on a list (folio_list.ts); of a free frame: the next one. */
export const nextWord = 8;
export const prevWord = 9;
/** Who uses the frame: counted over the machine's life; 0: nobody. */
export const generationWord = 10;

/** What words name by number, as long as any does. */
interface Numbered<T> {
  readonly objects: (T | null)[];
  readonly users: number[];
  readonly numbers: Map<T, number>;
  readonly unused: number[];
}

/** The pauses of one folio, about one object. */
export type FolioOps =
  & { readonly folio: Folio }
  & Partial<
    Record<FolioPause, Op>
  >;

export interface MemMap {
  readonly words: Int32Array;
  readonly mappings: Numbered<AnonVma | AddressSpace>;
  readonly memcgs: Numbered<MemCgroup>;
  /** The lists that have folios, by number. */
  readonly lists: (FolioList | null)[];
  /** Generations begun. */
  generation: number;
  /** By generation; made when one is needed, gone when the frame is free. */
  readonly ops: Map<number, FolioOps>;
}

/** All words zero: `frames` frames that nobody uses. */
export function makeMemMap(frames: number): MemMap {
  return {
    words: new Int32Array(frames * pageWords),
    mappings: makeNumbered(),
    memcgs: makeNumbered(),
    lists: [],
    generation: 0,
    ops: new Map(),
  };
}

/** Number 0 is null. */
function makeNumbered<T>(): Numbered<T> {
  return { objects: [null], users: [0], numbers: new Map(), unused: [] };
}

/** One more word names the object; returns its number. */
export function nameObject<T>(table: Numbered<T>, object: T | null): number {
  if (object === null) return 0;
  let number = table.numbers.get(object);
  if (number === undefined) {
    number = table.unused.pop() ?? table.objects.length;
    table.numbers.set(object, number);
    table.objects[number] = object;
    table.users[number] = 0;
  }
  table.users[number]!++;
  return number;
}

/** One word less names the object; the last one frees the number. */
export function forgetObject<T>(table: Numbered<T>, number: number): void {
  if (number === 0 || --table.users[number]! > 0) return;
  table.numbers.delete(table.objects[number]!);
  table.objects[number] = null;
  table.unused.push(number);
}

/** A stack of free frames, linked through their `nextWord`s. */
export interface FreeList {
  /** The frame that is given out next; valid while there are any. */
  first: Pfn;
  /** Frames on it. (Linux: free_area.nr_free.) */
  length: number;
}

/** A frame comes back: it is the next one to go. */
export function pushFree({ words }: MemMap, list: FreeList, pfn: Pfn): void {
  words[pfn * pageWords + nextWord] = list.first;
  list.first = pfn;
  list.length++;
}

/** The frame that came back last; the list is not empty. */
export function popFree({ words }: MemMap, list: FreeList): Pfn {
  const pfn = list.first;
  list.first = words[pfn * pageWords + nextWord] as Pfn;
  list.length--;
  return pfn;
}

/** The free frames `from` … `to` − 1; the lowest goes first. */
export function memmap_init(map: MemMap, from: number, to: number): FreeList {
  const list: FreeList = { first: from as Pfn, length: 0 };
  for (let pfn = to - 1; pfn >= from; pfn--) pushFree(map, list, pfn as Pfn);
  return list;
}

/** The frame has a user: one reference, on no list, all else zero. */
export function beginGeneration(map: MemMap, pfn: Pfn): number {
  const { words } = map;
  const at = pfn * pageWords;
  const generation = ++map.generation;
  words[at + refcountWord] = 1;
  words[at + nextWord] = pfn;
  words[at + prevWord] = pfn;
  words[at + generationWord] = generation;
  return generation;
}

/** The frame has no user any more: every word but the links is zero. */
export function endGeneration(map: MemMap, pfn: Pfn): void {
  const { words, ops } = map;
  const at = pfn * pageWords;
  forgetObject(map.mappings, words[at + mappingWord]!);
  forgetObject(map.memcgs, words[at + memcgWord]!);
  if (ops.size > 0) ops.delete(words[at + generationWord]!);
  for (let word = 0; word < pageWords; word++) words[at + word] = 0;
}
