/**
 * A folio to look at: a frame's words (mem_map.ts) under their names.
 *
 * Made each time that somebody comes from a frame number to its folio, and
 * kept by nobody but those who use it. So two of one page are two objects:
 * `sameFolio()` compares, `===` does not. Each belongs to a generation of its
 * frame: when that has ended, it reads as zeros, and a write stops the machine.
 *
 * Kernel: include/linux/mm.h, page_ref.h (v6.12): there a folio is a pointer
 * into the array.
 */
import { KernelBug } from "../base/bug.ts";
import {
  beginGeneration,
  endGeneration,
  flagsWord,
  forgetObject,
  generationWord,
  highWord,
  indexWord,
  mapcountWord,
  mappingWord,
  memcgWord,
  type MemMap,
  nameObject,
  pageWords,
  refcountWord,
  swapWord,
} from "./mem_map.ts";
import type {
  AddressSpace,
  AnonVma,
  Folio,
  Kernel,
  MemCgroup,
  Pfn,
} from "./mm_types.ts";
import type { SwpEntry } from "./swapops.ts";

/** What the high words count. */
const wordRange = 2 ** 32;

class PageFolio implements Folio {
  readonly mem_map: MemMap;
  readonly pfn: Pfn;
  readonly generation: number;
  readonly #words: Int32Array;
  /** Where the frame's words begin. */
  readonly #at: number;

  constructor(mem_map: MemMap, pfn: Pfn, generation: number) {
    this.mem_map = mem_map;
    this.pfn = pfn;
    this.generation = generation;
    this.#words = mem_map.words;
    this.#at = pfn * pageWords;
  }

  /** One word; 0 if the frame belongs to somebody else. */
  #get(word: number): number {
    const words = this.#words;
    const at = this.#at;
    return words[at + generationWord] === this.generation
      ? words[at + word]!
      : 0;
  }

  #set(word: number, value: number): void {
    const words = this.#words;
    const at = this.#at;
    if (words[at + generationWord] !== this.generation) {
      throw staleWrite(this.pfn);
    }
    words[at + word] = value;
  }

  get flags(): number {
    return this.#get(flagsWord);
  }
  set flags(flags: number) {
    this.#set(flagsWord, flags);
  }

  get _refcount(): number {
    return this.#get(refcountWord);
  }
  set _refcount(count: number) {
    this.#set(refcountWord, count);
  }

  get _mapcount(): number {
    return this.#get(mapcountWord);
  }
  set _mapcount(count: number) {
    this.#set(mapcountWord, count);
  }

  get mapping(): AnonVma | AddressSpace | null {
    return this.mem_map.mappings.objects[this.#get(mappingWord)]!;
  }
  set mapping(mapping: AnonVma | AddressSpace | null) {
    const { mappings } = this.mem_map;
    const before = this.#get(mappingWord);
    this.#set(mappingWord, nameObject(mappings, mapping));
    forgetObject(mappings, before);
  }

  get memcg(): MemCgroup | null {
    return this.mem_map.memcgs.objects[this.#get(memcgWord)]!;
  }
  set memcg(memcg: MemCgroup | null) {
    const { memcgs } = this.mem_map;
    const before = this.#get(memcgWord);
    this.#set(memcgWord, nameObject(memcgs, memcg));
    forgetObject(memcgs, before);
  }

  get index(): number {
    return (this.#get(indexWord) >>> 0) +
      (this.#get(highWord) & 0xffff) * wordRange;
  }
  set index(index: number) {
    this.#set(indexWord, index);
    const high = Math.floor(index / wordRange);
    this.#set(highWord, this.#get(highWord) & ~0xffff | high);
  }

  get swap(): SwpEntry {
    const low = this.#get(swapWord) >>> 0;
    return low + (this.#get(highWord) >>> 16) * wordRange as SwpEntry;
  }
  set swap(entry: SwpEntry) {
    this.#set(swapWord, entry);
    const high = Math.floor(entry / wordRange);
    this.#set(highWord, high << 16 | this.#get(highWord) & 0xffff);
  }

  /** What show() and console.log() print. */
  [Symbol.for("nodejs.util.inspect.custom")](): object {
    const { pfn, flags, _refcount, _mapcount, mapping, index } = this;
    const { memcg, swap } = this;
    const counts = { flags, _refcount, _mapcount };
    return { pfn, ...counts, mapping, index, memcg, swap };
  }
}

function staleWrite(pfn: Pfn): KernelBug {
  return new KernelBug(`use after free: write to the page of frame ${pfn}`);
}

/** The folio in a frame; null for a free or reserved one. */
export function pfn_folio({ mem_map }: Kernel, pfn: number): Folio | null {
  const generation = mem_map.words[pfn * pageWords + generationWord];
  if (!generation) return null;
  return new PageFolio(mem_map, pfn as Pfn, generation);
}

/** The folios of all frames in use, by frame. */
export function* foliosInUse(k: Kernel): Generator<Folio, void, void> {
  for (let pfn = 0; pfn < k.totalram_pages; pfn++) {
    const folio = pfn_folio(k, pfn);
    if (folio !== null) yield folio;
  }
}

/** `found`, from an array that has other things as well, is that folio. */
export function sameFolio(found: Folio | number | null, it: Folio): boolean {
  return typeof found === "object" && found?.generation === it.generation;
}

/** The frame was freed since, and perhaps given out again. */
export function isStale({ mem_map, pfn, generation }: Folio): boolean {
  return mem_map.words[pfn * pageWords + generationWord] !== generation;
}

/** The folio of a frame that has just been given out: one reference. */
export function makeFolio(mem_map: MemMap, pfn: Pfn): Folio {
  return new PageFolio(mem_map, pfn, beginGeneration(mem_map, pfn));
}

/** Its frame has no user any more. */
export function endFolio({ mem_map, pfn }: Folio): void {
  endGeneration(mem_map, pfn);
}
