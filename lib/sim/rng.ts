/**
 * Random numbers from a seed: the same in every host. Ours.
 *
 * The generator is xoshiro128** by Blackman and Vigna, seeded by splitmix32;
 * 32-bit arithmetic only.
 */
export interface Rng {
  readonly state: Uint32Array;
}

export function makeRng(seed: number): Rng {
  if (!Number.isInteger(seed) || seed < 0) {
    throw new RangeError(`seed: wanted a whole number ≥ 0, got ${seed}`);
  }
  const state = new Uint32Array(4);
  let mixed = seed >>> 0;
  for (let i = 0; i < 4; i++) {
    mixed = (mixed + 0x9e3779b9) >>> 0;
    let word = Math.imul(mixed ^ (mixed >>> 16), 0x21f0aaad);
    word = Math.imul(word ^ (word >>> 15), 0x735a2d97);
    state[i] = word ^ (word >>> 15);
  }
  // Seeds beyond 32 bits: the high part changes the word that is used first.
  state[1]! ^= Math.floor(seed / 0x1_0000_0000) >>> 0;
  if ((state[0]! | state[1]! | state[2]! | state[3]!) === 0) state[0] = 1;
  return { state };
}

/** 32 random bits, 0 … 2³²−1. */
export function nextUint32({ state: s }: Rng): number {
  const scrambled = Math.imul(s[1]!, 5);
  const result = Math.imul((scrambled << 7) | (scrambled >>> 25), 9) >>> 0;
  const shifted = s[1]! << 9;
  s[2]! ^= s[0]!;
  s[3]! ^= s[1]!;
  s[1]! ^= s[2]!;
  s[0]! ^= s[3]!;
  s[2]! ^= shifted;
  s[3] = (s[3]! << 11) | (s[3]! >>> 21);
  return result;
}

/** A whole number 0 … bound−1; `bound` from 1 to 2³². */
export function nextBelow(rng: Rng, bound: number): number {
  if (!Number.isInteger(bound) || bound < 1 || bound > 0x1_0000_0000) {
    throw new RangeError(`bound: wanted 1 … 2^32, got ${bound}`);
  }
  return Math.floor((nextUint32(rng) / 0x1_0000_0000) * bound);
}

/** A number 0 ≤ x < 1 with 32 random bits. */
export function nextFraction(rng: Rng): number {
  return nextUint32(rng) / 0x1_0000_0000;
}

/** Fisher–Yates, in place. */
export function shuffle<T>(rng: Rng, items: T[]): T[] {
  for (let i = items.length - 1; i > 0; i--) {
    const j = nextBelow(rng, i + 1);
    [items[i], items[j]] = [items[j]!, items[i]!];
  }
  return items;
}
