/**
 * A sparse array of objects by index.
 *
 * Kernel: lib/xarray.c, include/linux/xarray.h (v6.12). Differs: one hash map
 * instead of a radix tree, so a store cannot fail for want of memory unless
 * the machine injects it; marks and multi-index entries are left out.
 */
export interface XArray<T> {
  /** What the array is called in traces: "swap cache 0", "zswap tree 0:0". */
  readonly name: string;
  readonly entries: Map<number, T>;
}

export function xa_init<T>(name: string): XArray<T> {
  return { name, entries: new Map() };
}

/** The object at `index`, or null. */
export function xa_load<T>(xa: XArray<T>, index: number): T | null {
  return xa.entries.get(index) ?? null;
}

/** Put `entry` at `index`; returns what was there before, or null. */
export function xa_store<T>(xa: XArray<T>, index: number, entry: T): T | null {
  const old = xa_load(xa, index);
  xa.entries.set(index, entry);
  return old;
}

/** Empty `index`; returns what was there, or null. */
export function xa_erase<T>(xa: XArray<T>, index: number): T | null {
  const old = xa_load(xa, index);
  if (old !== null) xa.entries.delete(index);
  return old;
}

/** Replace `old` by `entry` (null erases); returns what was found there. */
export function xa_cmpxchg<T>(
  xa: XArray<T>,
  index: number,
  old: T | null,
  entry: T | null,
): T | null {
  const found = xa_load(xa, index);
  if (found !== old) return found;
  if (entry === null) xa.entries.delete(index);
  else xa.entries.set(index, entry);
  return found;
}

export function xa_empty<T>(xa: XArray<T>): boolean {
  return xa.entries.size === 0;
}
