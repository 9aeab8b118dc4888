/** What all invariants are made of. Ours. */
import { KernelBug } from "../base/bug.ts";

/** One rule, in words or how to make them; a KernelBug if it does not hold. */
export function must(condition: boolean, rule: string | (() => string)): void {
  if (condition) return;
  const words = typeof rule === "string" ? rule : rule();
  throw new KernelBug(`Invariant broken: ${words}`);
}

/** One more, or `amount` more, of `key`. */
export function tally<Key>(
  counts: Map<Key, number>,
  key: Key,
  amount = 1,
): void {
  counts.set(key, (counts.get(key) ?? 0) + amount);
}
