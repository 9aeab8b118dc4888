/**
 * What pages contain: samples of real processes, and generated ones.
 *
 * A source answers for every page index, and page `index` of a source made
 * from the same kinds and seed has the same bytes in every host, whatever was
 * asked before. Real kinds deal out their 128 sampled pages in an order
 * shuffled by the seed and start over after the last. Ours.
 */
import { inflateSync } from "fflate";
import {
  makeRng,
  nextFraction,
  nextUint32,
  type Rng,
  shuffle,
} from "../sim/rng.ts";
import { node, python, redis, sqlite } from "./data/pages.ts";
import {
  loadSamples,
  type PageSamples,
  type RealKind,
  realKinds,
} from "./samples.ts";
import { writeText } from "./text.ts";

const pageSize = 4096;

const generatedKinds = ["zero", "same", "text", "random"] as const;

export type PageKind = RealKind | (typeof generatedKinds)[number];

/** Every kind by name, real ones first. */
export const pageKinds: readonly PageKind[] = [...realKinds, ...generatedKinds];

/** One kind of a mix; `weight` against the sum of all weights is its share. */
export interface WeightedKind {
  readonly kind: PageKind;
  readonly weight: number;
}

export interface PageSource {
  /** Write all 4096 bytes of page `index`. */
  fill(index: number, into: Uint8Array): void;
  kindOf(index: number): PageKind;
}

const packed: Readonly<Record<RealKind, string>> = {
  python,
  node,
  sqlite,
  redis,
};

/** All pages of one process, end to end; read only. */
export function samplesOf(samples: PageSamples, kind: RealKind): Uint8Array {
  const known = samples.unpacked.get(kind);
  if (known !== undefined) return known;
  const text = atob(packed[kind]);
  const stream = Uint8Array.from(text, (letter) => letter.charCodeAt(0));
  const pages = inflateSync(stream);
  samples.unpacked.set(kind, pages);
  return pages;
}

/**
 * makePageSource() - contents for the pages of a workload.
 *
 * @param kinds one kind, several in equal shares, or several with weights
 * @param seed a whole number ≥ 0
 * @param samples the cache to share; a new one if left out
 *
 * Throws RangeError for an unknown kind, no kind, a weight that is not a
 * finite number ≥ 0, or weights that are all 0.
 */
export function makePageSource(
  kinds: PageKind | readonly (PageKind | WeightedKind)[],
  seed: number,
  samples: PageSamples = loadSamples(),
): PageSource {
  const mix = checkedMix(typeof kinds === "string" ? [kinds] : kinds);
  const orders = dealOrders(mix, seed, samples);
  const rngOf = makePageRng(seed);

  function kindOf(index: number): PageKind {
    checkIndex(index);
    return pickKind(mix, rngOf(index, "kind"));
  }

  function fill(index: number, into: Uint8Array): void {
    if (into.length !== pageSize) {
      throw new RangeError(
        `into: wanted ${pageSize} bytes, got ${into.length}`,
      );
    }
    const kind = kindOf(index);
    if (isReal(kind)) {
      const order = orders.get(kind)!;
      const start = order[index % order.length]! * pageSize;
      const pages = samplesOf(samples, kind);
      into.set(pages.subarray(start, start + pageSize));
      return;
    }
    fillGenerated[kind](rngOf(index, "bytes"), into);
  }
  return { fill, kindOf };
}

type Filler = (rng: Rng, into: Uint8Array) => void;

const fillGenerated: Readonly<
  Record<Exclude<PageKind, RealKind>, Filler>
> = {
  zero: (_rng, into) => into.fill(0),
  same: fillSame,
  text: writeText,
  random: fillRandom,
};

/** One 64-bit word, never 0, over the whole page. */
function fillSame(rng: Rng, into: Uint8Array): void {
  putWord(into, 0, nextUint32(rng) | 1);
  putWord(into, 4, nextUint32(rng));
  for (let size = 8; size < into.length; size *= 2) {
    into.copyWithin(size, 0, size);
  }
}

function fillRandom(rng: Rng, into: Uint8Array): void {
  for (let at = 0; at < into.length; at += 4) {
    putWord(into, at, nextUint32(rng));
  }
}

/** Byte by byte: little-endian in every host, at any alignment. */
function putWord(into: Uint8Array, at: number, word: number): void {
  into[at] = word;
  into[at + 1] = word >>> 8;
  into[at + 2] = word >>> 16;
  into[at + 3] = word >>> 24;
}

function isReal(kind: PageKind): kind is RealKind {
  return (realKinds as readonly PageKind[]).includes(kind);
}

function checkedMix(
  kinds: readonly (PageKind | WeightedKind)[],
): readonly WeightedKind[] {
  const mix = kinds.map((each) =>
    typeof each === "string" ? { kind: each, weight: 1 } : each
  );
  for (const { kind, weight } of mix) {
    if (!pageKinds.includes(kind)) {
      const known = pageKinds.join(", ");
      throw new RangeError(`kind: wanted one of ${known}; got ${kind}`);
    }
    if (!Number.isFinite(weight) || weight < 0) {
      throw new RangeError(
        `weight of ${kind}: wanted a finite number >= 0, got ${weight}`,
      );
    }
  }
  if (!mix.some(({ weight }) => weight > 0)) {
    throw new RangeError("kinds: wanted a kind with a weight > 0, got none");
  }
  return mix;
}

/** For each real kind of the mix, its page numbers shuffled by the seed. */
function dealOrders(
  mix: readonly WeightedKind[],
  seed: number,
  samples: PageSamples,
): ReadonlyMap<RealKind, number[]> {
  const orders = new Map<RealKind, number[]>();
  const rng = makeRng(seed);
  for (const kind of realKinds) {
    if (!mix.some((each) => each.kind === kind)) continue;
    const length = samplesOf(samples, kind).length / pageSize;
    orders.set(kind, shuffle(rng, Array.from({ length }, (_, i) => i)));
  }
  return orders;
}

function pickKind(mix: readonly WeightedKind[], rng: Rng): PageKind {
  const total = mix.reduce((sum, { weight }) => sum + weight, 0);
  let left = nextFraction(rng) * total;
  for (const { kind, weight } of mix) {
    if (left < weight) return kind;
    left -= weight;
  }
  // Rounding may leave a crumb behind the last weight.
  return mix.findLast(({ weight }) => weight > 0)!.kind;
}

type PageRng = (index: number, purpose: "kind" | "bytes") => Rng;

/** A generator of its own for each page and purpose, whatever came before. */
function makePageRng(seed: number): PageRng {
  const rng = makeRng(seed);
  const low = nextUint32(rng);
  const high = (nextUint32(rng) & 0x1f_ffff) * 0x1_0000_0000;
  return (index, purpose) => {
    const page = index * 2 + (purpose === "kind" ? 0 : 1);
    return makeRng(high + ((low ^ Math.imul(page, 0x9e3779b1)) >>> 0));
  };
}

function checkIndex(index: number): void {
  if (Number.isInteger(index) && index >= 0) return;
  throw new RangeError(`index: wanted a whole number >= 0, got ${index}`);
}
