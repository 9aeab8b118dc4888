/**
 * Measuring: candidates take turns, and each one's median counts. Ours.
 */

function median(values: number[]): number {
  values.sort((a, b) => a - b);
  return values[values.length >> 1]!;
}

/**
 * takeTurns() - each candidate once a round; two rounds more to warm up.
 *
 * @returns the median milliseconds of each
 */
export function takeTurns(
  rounds: number,
  candidates: readonly (() => void)[],
): number[] {
  const times: number[][] = candidates.map(() => []);
  for (let round = -2; round < rounds; round++) {
    candidates.forEach((candidate, i) => {
      const start = performance.now();
      candidate();
      const took = performance.now() - start;
      if (round >= 0) times[i]!.push(took);
    });
  }
  return times.map(median);
}

/** How much longer the first takes than the second, in one run. */
export function ratioOf(
  rounds: number,
  ours: () => void,
  peer: () => void,
): number {
  const [a, b] = takeTurns(rounds, [ours, peer]);
  return a! / b!;
}
