/**
 * Measuring: candidates take turns, and each one's median counts. Ours.
 *
 * A turn should take well under a millisecond: what else runs on the machine
 * then spoils few of them, and the median is none of those.
 */

function median(values: number[]): number {
  values.sort((a, b) => a - b);
  return values[values.length >> 1]!;
}

/** One who takes turns. */
export interface Candidate {
  /** A turn's work; the next turn goes on where this one stopped. */
  readonly work: () => void;
  /** Called after each turn; its time does not count. */
  readonly tidy?: () => void;
}

/** Milliseconds until the compiler has done its best, for each candidate. */
const warmUp = 400;

/**
 * takeTurns() - each candidate once a round, after some rounds to warm up.
 *
 * @returns the median milliseconds of each
 */
export function takeTurns(
  rounds: number,
  candidates: readonly Candidate[],
): number[] {
  const turn = ({ work, tidy }: Candidate): number => {
    const start = performance.now();
    work();
    const took = performance.now() - start;
    tidy?.();
    return took;
  };
  const start = performance.now();
  while (performance.now() - start < warmUp * candidates.length) {
    candidates.forEach(turn);
  }
  const times: number[][] = candidates.map(() => []);
  for (let round = 0; round < rounds; round++) {
    candidates.forEach((candidate, i) => times[i]!.push(turn(candidate)));
  }
  return times.map(median);
}

/** How much longer the first takes than the second, in one run. */
export function ratioOf(
  rounds: number,
  ours: Candidate,
  peer: Candidate,
): number {
  const [a, b] = takeTurns(rounds, [ours, peer]);
  return a! / b!;
}

/** Work on the next `length` of `items` each time; begins again at the end. */
export function bySlices<Item>(
  items: readonly Item[],
  length: number,
  work: (slice: readonly Item[]) => void,
): () => void {
  let at = 0;
  return () => {
    work(items.slice(at, at + length));
    at = (at + length) % items.length;
  };
}
