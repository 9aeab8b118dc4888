/** What all invariants are made of. Ours. */
import { KernelBug } from "../base/bug.ts";

/** One rule; a KernelBug if it does not hold. */
export function must(condition: boolean, rule: string): void {
  if (!condition) throw new KernelBug(`Invariant broken: ${rule}`);
}

/** One more, or `amount` more, of `key`. */
export function tally<Key>(
  counts: Map<Key, number>,
  key: Key,
  amount = 1,
): void {
  counts.set(key, (counts.get(key) ?? 0) + amount);
}
