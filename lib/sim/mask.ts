/** Sets of actors as masks: bit n is actor n. Ours. */

/** The first actor of a mask that is not 0. */
export function lowestActor(mask: number): number {
  return 31 - Math.clz32(mask & -mask);
}

/** The actor of the `index`-th set bit, from 0. */
export function nthActor(mask: number, index: number): number {
  let rest = mask;
  for (let i = 0; i < index; i++) rest &= rest - 1;
  return lowestActor(rest);
}

export function countActors(mask: number): number {
  let count = 0;
  for (let rest = mask; rest !== 0; rest &= rest - 1) count++;
  return count;
}
