/**
 * The flags of a folio, and its locks and reference count.
 *
 * Kernel: include/linux/page-flags.h, page_ref.h, pagemap.h (v6.12).
 */
import { VM_BUG_ON } from "../base/bug.ts";
import {
  andThen,
  makeOp,
  type Op,
  passed,
  passes,
  pause,
  type Task,
} from "../sim/task.ts";
import type { FolioOps } from "./mem_map.ts";
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
/** It was active once: if it comes back soon, it was missed. */
export const PG_workingset = 1 << 11;
/**
 * Read ahead, and not asked for since. The same bit, as in Linux: so who finds
 * a folio in the swap cache while it is being written counts a hit, and its
 * end of the write does not rotate it.
 */
export const PG_readahead = PG_reclaim;

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

export function folio_test_referenced(folio: Folio): boolean {
  return has(folio, PG_referenced);
}

export function folio_test_active(folio: Folio): boolean {
  return has(folio, PG_active);
}

export function folio_test_swapcache(folio: Folio): boolean {
  return has(folio, PG_swapcache);
}

export function folio_test_workingset(folio: Folio): boolean {
  return has(folio, PG_workingset);
}

export function folio_test_reclaim(folio: Folio): boolean {
  return has(folio, PG_reclaim);
}

export function folio_test_swapbacked(folio: Folio): boolean {
  return has(folio, PG_swapbacked);
}

/** It is on a file list: here, an anonymous page after MADV_FREE. */
export function folio_is_file_lru(folio: Folio): boolean {
  return !has(folio, PG_swapbacked);
}

/** Its mappings are found through an AnonVma: private memory, once mapped. */
export function folio_test_anon(folio: Folio): boolean {
  return folio.mapping !== null && "vmas" in folio.mapping;
}

/** It belongs to a shared object, and is not on its way to swap. */
export function folioOfObject(folio: Folio): boolean {
  return folio.mapping !== null && !folio_test_anon(folio);
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
  VM_BUG_ON(
    folio._refcount <= 0,
    () => `folio_get: frame ${folio.pfn} is free`,
  );
  folio._refcount++;
}

/** Take the lock if nobody has it. */
export function folio_trylock(folio: Folio): boolean {
  VM_BUG_ON(
    folio._refcount <= 0,
    () => `use after free: lock of frame ${folio.pfn}`,
  );
  if (folio_test_locked(folio)) return false;
  setFlag(folio, PG_locked);
  return true;
}

/** What a task may be about to do with a folio. */
export type FolioPause =
  | "lock"
  | "trylock"
  | "unlock"
  | "unlocked"
  | "writeback"
  | "written";

/** One of the folio's pauses, made when it is first needed: few ever are. */
function opOf(folio: Folio, pause: FolioPause): Op {
  const { generation, mem_map } = folio;
  // One object stands for the folio, whoever looks at it.
  const ops: FolioOps = mem_map.ops.get(generation) ?? { folio };
  mem_map.ops.set(generation, ops);
  return ops[pause] ??= makeFolioOp(ops.folio, pause);
}

function makeFolioOp(folio: Folio, pause: FolioPause): Op {
  switch (pause) {
    case "lock":
      return {
        ...makeOp("lock", "folio_lock", folio),
        ready: () => !folio_test_locked(folio),
      };
    case "writeback":
      return {
        ...makeOp("wait", "folio_wait_writeback", folio),
        ready: () => !folio_test_writeback(folio),
      };
    case "unlocked":
      return {
        ...makeOp("wait", "folio_wait_locked", folio),
        ready: () => !folio_test_locked(folio),
      };
    case "trylock":
      return {
        ...makeOp("write", "folio_trylock", folio),
        free: () => !folio_test_locked(folio),
      };
    case "unlock":
      return makeOp("wake", "folio_unlock", folio);
    case "written":
      return makeOp("wake", "folio_end_writeback", folio);
  }
}

/** Who is alone needs no op. */
function pauseAt(folio: Folio, what: FolioPause, ready: boolean): Task {
  return passes(ready) ? passed : pause(opOf(folio, what));
}

/** The pause before folio_trylock(), where another task may have the lock. */
export function beforeTrylock(folio: Folio): Task {
  return pauseAt(folio, "trylock", true);
}

/** The pause before folio_unlock(), where another task may try the lock. */
export function beforeUnlock(folio: Folio): Task {
  return pauseAt(folio, "unlock", true);
}

/** The pause before the write of a synchronous device is over. */
export function beforeEndWriteback(folio: Folio): Task {
  return pauseAt(folio, "written", true);
}

/** Sleep until nobody has the lock; it may be taken again at once. */
export function folio_wait_locked(folio: Folio): Task {
  return pauseAt(folio, "unlocked", !folio_test_locked(folio));
}

/** Take the lock, sleeping while another task has it. */
export function folio_lock(folio: Folio): Task {
  return andThen(pauseAt(folio, "lock", !folio_test_locked(folio)), () => {
    VM_BUG_ON(!folio_trylock(folio), () => `folio_lock: frame ${folio.pfn}`);
  });
}

export function folio_unlock(folio: Folio): void {
  VM_BUG_ON(
    !folio_test_locked(folio),
    () => `folio_unlock: frame ${folio.pfn} is not locked`,
  );
  clearFlag(folio, PG_locked);
}

/** Sleep until its write to the device is over. */
export function folio_wait_writeback(folio: Folio): Task {
  return pauseAt(folio, "writeback", !folio_test_writeback(folio));
}
