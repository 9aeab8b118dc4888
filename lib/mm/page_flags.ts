/**
 * The flags of a folio, and its locks and reference count.
 *
 * Kernel: include/linux/page-flags.h, page_ref.h, pagemap.h (v6.12).
 */
import { VM_BUG_ON } from "../base/bug.ts";
import { pause, type Task } from "../sim/task.ts";
import type { Folio } from "./mm_types.ts";

export const PG_locked = 1 << 0;
export const PG_writeback = 1 << 1;
export const PG_referenced = 1 << 2;
export const PG_uptodate = 1 << 3;
export const PG_dirty = 1 << 4;
export const PG_lru = 1 << 5;
export const PG_active = 1 << 6;
export const PG_swapbacked = 1 << 7;
export const PG_swapcache = 1 << 8;
export const PG_reclaim = 1 << 9;
export const PG_anon_exclusive = 1 << 10;

function has(folio: Folio, flag: number): boolean {
  return (folio.flags & flag) !== 0;
}

export function folio_test_locked(folio: Folio): boolean {
  return has(folio, PG_locked);
}

export function folio_test_writeback(folio: Folio): boolean {
  return has(folio, PG_writeback);
}

export function folio_test_uptodate(folio: Folio): boolean {
  return has(folio, PG_uptodate);
}

export function folio_test_dirty(folio: Folio): boolean {
  return has(folio, PG_dirty);
}

export function folio_test_lru(folio: Folio): boolean {
  return has(folio, PG_lru);
}

export function folio_test_active(folio: Folio): boolean {
  return has(folio, PG_active);
}

export function folio_test_swapcache(folio: Folio): boolean {
  return has(folio, PG_swapcache);
}

/** Only one process can see the page: a write needs no copy. */
export function PageAnonExclusive(folio: Folio): boolean {
  return has(folio, PG_anon_exclusive);
}

/** Set one flag. (Ours: Linux has a function for each.) */
export function setFlag(folio: Folio, flag: number): void {
  folio.flags |= flag;
}

export function clearFlag(folio: Folio, flag: number): void {
  folio.flags &= ~flag;
}

/** Clear `flag`; tells whether it was set. */
export function testAndClearFlag(folio: Folio, flag: number): boolean {
  const was = has(folio, flag);
  folio.flags &= ~flag;
  return was;
}

/** A page table maps it. */
export function folio_mapped(folio: Folio): boolean {
  return folio._mapcount > 0;
}

export function folio_get(folio: Folio): void {
  VM_BUG_ON(folio._refcount <= 0, `folio_get: frame ${folio.pfn} is free`);
  folio._refcount++;
}

/** Take the lock if nobody has it. */
export function folio_trylock(folio: Folio): boolean {
  if (folio_test_locked(folio)) return false;
  setFlag(folio, PG_locked);
  return true;
}

/** Take the lock, sleeping while another task has it. */
export function* folio_lock(folio: Folio): Task {
  yield* pause(folio.ops.lock);
  VM_BUG_ON(!folio_trylock(folio), `folio_lock: frame ${folio.pfn}`);
}

export function folio_unlock(folio: Folio): void {
  VM_BUG_ON(
    !folio_test_locked(folio),
    `folio_unlock: frame ${folio.pfn} is not locked`,
  );
  clearFlag(folio, PG_locked);
}

/** Sleep until its write to the device is over. */
export function* folio_wait_writeback(folio: Folio): Task {
  yield* pause(folio.ops.writeback);
}
