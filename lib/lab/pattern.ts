/**
 * Access patterns: which page a program touches next, and whether it writes.
 *
 * Each function checks its options at once and returns an `Iterable`; every
 * loop over it starts afresh and sees the same accesses, for all comes from
 * the seed. Ours.
 */
import {
  makeRng,
  nextBelow,
  nextFraction,
  type Rng,
  shuffle,
} from "../sim/rng.ts";

export interface Access {
  /** 0 … pages−1. */
  readonly page: number;
  readonly write: boolean;
}

/** What every pattern needs to know. */
export interface PatternOptions {
  /** How many pages the program has. */
  readonly pages: number;
  /** How many accesses it makes. */
  readonly count: number;
  /** A whole number; 1 if left out. No effect on pure reads in sequence. */
  readonly seed?: number;
  /** Share of accesses that write, 0 … 1; 0.5 if left out. */
  readonly writeFraction?: number;
}

export interface ZipfOptions extends PatternOptions {
  /** Popularity of rank r is r^−exponent; 0 is uniform, 1 the classic law. */
  readonly exponent?: number;
}

export interface WorkingSetShiftOptions extends PatternOptions {
  /** Pages in the hot window. */
  readonly workingSet: number;
  /** The window moves after so many accesses. */
  readonly shiftEvery: number;
  /** It moves by so many pages; `workingSet` (an all new set) if left out. */
  readonly shiftBy?: number;
  /** Share of accesses that stay in the window; 0.95 if left out. */
  readonly hotFraction?: number;
}

/** Page 0, 1, 2 … and from the last one back to 0. */
export function sequential(options: PatternOptions): Iterable<Access> {
  return pattern(options, (_rng, step) => step % options.pages);
}

/** Each page as likely as the next. */
export function random(options: PatternOptions): Iterable<Access> {
  return pattern(options, (rng) => nextBelow(rng, options.pages));
}

/**
 * zipf() - few pages get most of the accesses.
 *
 * The draw is exact: a table of cumulative weights and a binary search. Which
 * page has which rank is shuffled by the seed. `exponent` is 1 if left out.
 */
export function zipf(options: ZipfOptions): Iterable<Access> {
  const { pages, seed = 1, exponent = 1 } = options;
  checkCommon(options);
  wantNumber("exponent", exponent, 0, Infinity);
  const upTo = cumulativeWeights(pages, exponent);
  const total = upTo[pages - 1]!;
  const numbers = Array.from({ length: pages }, (_, page) => page);
  const byRank = shuffle(makeRng(seed), numbers);
  return pattern(options, (rng) => {
    return byRank[firstAbove(upTo, nextFraction(rng) * total)]!;
  });
}

/**
 * workingSetShift() - a hot window of pages that moves on.
 *
 * Inside it every page is equally likely; the rest of the accesses go
 * anywhere. The window starts at page 0 and wraps round at the end.
 */
export function workingSetShift(
  options: WorkingSetShiftOptions,
): Iterable<Access> {
  checkCommon(options);
  const { pages, workingSet, shiftEvery } = options;
  const { shiftBy = workingSet, hotFraction = 0.95 } = options;
  wantWhole("workingSet", workingSet, 1);
  if (workingSet > pages) {
    throw new RangeError(
      `workingSet: wanted at most ${pages} (pages), got ${workingSet}`,
    );
  }
  wantWhole("shiftEvery", shiftEvery, 1);
  wantWhole("shiftBy", shiftBy, 0);
  wantNumber("hotFraction", hotFraction, 0, 1);
  return pattern(options, (rng, step) => {
    if (nextFraction(rng) >= hotFraction) return nextBelow(rng, pages);
    const start = Math.floor(step / shiftEvery) * shiftBy;
    return (start + nextBelow(rng, workingSet)) % pages;
  });
}

type ChoosePage = (rng: Rng, step: number) => number;

function pattern(
  options: PatternOptions,
  choosePage: ChoosePage,
): Iterable<Access> {
  checkCommon(options);
  return { [Symbol.iterator]: () => accesses(options, choosePage) };
}

function* accesses(
  { count, seed = 1, writeFraction = 0.5 }: PatternOptions,
  choosePage: ChoosePage,
): Generator<Access, void, void> {
  const rng = makeRng(seed);
  for (let step = 0; step < count; step++) {
    const page = choosePage(rng, step);
    yield { page, write: nextFraction(rng) < writeFraction };
  }
}

function cumulativeWeights(pages: number, exponent: number): Float64Array {
  const upTo = new Float64Array(pages);
  let total = 0;
  for (let rank = 0; rank < pages; rank++) {
    total += (rank + 1) ** -exponent;
    upTo[rank] = total;
  }
  return upTo;
}

/** Index of the first value above `sought`; the last one if none is. */
function firstAbove(sorted: Float64Array, sought: number): number {
  let low = 0;
  let high = sorted.length - 1;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sorted[middle]! > sought) high = middle;
    else low = middle + 1;
  }
  return low;
}

function checkCommon(options: PatternOptions): void {
  wantWhole("pages", options.pages, 1);
  wantWhole("count", options.count, 0);
  wantWhole("seed", options.seed ?? 1, 0);
  wantNumber("writeFraction", options.writeFraction ?? 0.5, 0, 1);
}

function wantWhole(name: string, value: number, least: number): void {
  if (Number.isSafeInteger(value) && value >= least) return;
  throw new RangeError(
    `${name}: wanted a whole number >= ${least}, got ${value}`,
  );
}

function wantNumber(
  name: string,
  value: number,
  least: number,
  most: number,
): void {
  if (Number.isFinite(value) && value >= least && value <= most) return;
  const range = most === Infinity ? `>= ${least}` : `${least} to ${most}`;
  throw new RangeError(`${name}: wanted a number ${range}, got ${value}`);
}
