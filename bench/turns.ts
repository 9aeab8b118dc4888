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

/** Milliseconds of turns, for each candidate, that are judged together. */
const spell = 100;
/** Spells in a row without a gain after which the compiler has done its best. */
const patience = 10;
/** A gain is more than this share; at most so many spells are waited for. */
const gain = 0.02;
const mostSpells = 50;

/** Milliseconds of one turn. */
function turn({ work, tidy }: Candidate): number {
  const start = performance.now();
  work();
  const took = performance.now() - start;
  tidy?.();
  return took;
}

/**
 * The compiler's best takes it seconds where a turn is made of much code. The
 * fastest turn of a spell tells: what else runs here slows most of them.
 */
function warmUp(candidates: readonly Candidate[]): void {
  let best = Infinity;
  let idle = 0;
  for (let spells = 0; spells < mostSpells && idle < patience; spells++) {
    const start = performance.now();
    let now = Infinity;
    while (performance.now() - start < spell * candidates.length) {
      now = Math.min(now, candidates.reduce((sum, one) => sum + turn(one), 0));
    }
    idle = now < best * (1 - gain) ? 0 : idle + 1;
    best = Math.min(best, now);
  }
}

/**
 * takeTurns() - each candidate once a round, after rounds to warm up: as many
 * as make them faster.
 *
 * @returns the median milliseconds of each
 */
export function takeTurns(
  rounds: number,
  candidates: readonly Candidate[],
): number[] {
  warmUp(candidates);
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
