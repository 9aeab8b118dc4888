/**
 * One line of the benchmark: how we compare with a peer. Ours.
 *
 * Every ratio comes from one run in which both take turns; it is our time, or
 * our size, divided by the peer's.
 */
export interface Row {
  readonly name: string;
  /** Ours divided by the peer's; for a count, the count itself. */
  readonly ratio: number;
  /** What we compare with, or why there is nothing to compare with. */
  readonly peer: string;
  /** The ratio that we want to reach. */
  readonly goal: number;
  readonly better: "less" | "more";
}
