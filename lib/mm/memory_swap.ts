/**
 * The fault on a swapped page: bring it back from its slot.
 *
 * Two ways. Through the swap cache: whoever comes first puts a folio there,
 * others find it and wait for its lock. Or past it (*bypass*), if the device
 * answers at once and only this one entry names the slot: the folio is private,
 * nobody else can find it, so nothing but a pin on the slot keeps the slot from
 * being freed and given out again while the read is under way. Without the pin
 * the entry may read as before although the page is another: an ABA that
 * pte_same() cannot see.
 *
 * Kernel: mm/memory.c (v6.12), do_swap_page(). Differs: split off from
 * memory.c; folios of one page; no migration, poison or KSM entries. There is
 * no mmap lock to drop before the wait that ends in VM_FAULT_RETRY.
 */
import { VM_BUG_ON } from "../base/bug.ts";
import { spin_lock, spin_unlock } from "../locking/spinlock.ts";
import { andThen, type Task } from "../sim/task.ts";
import { enter } from "../sim/trace.ts";
import { count_memcg_event_mm } from "./memcontrol_stat.ts";
import { mem_cgroup_swap_full } from "./memcontrol_swap.ts";
import {
  do_wp_page,
  FAULT_FLAG_ALLOW_RETRY,
  FAULT_FLAG_TRIED,
  FAULT_FLAG_WRITE,
  VM_FAULT_ERROR,
  VM_FAULT_HWPOISON,
  VM_FAULT_MAJOR,
  VM_FAULT_OOM,
  VM_FAULT_RETRY,
  VM_FAULT_SIGBUS,
  VM_WRITE,
  type VmFault,
} from "./memory.ts";
import { swapInDirectly, unpinSlot } from "./memory_swap_direct.ts";
import type { Folio, Kernel, SwapInfoStruct } from "./mm_types.ts";
import { folio_put, GFP_HIGHUSER_MOVABLE } from "./page_alloc.ts";
import {
  beforeTrylock,
  folio_lock,
  folio_test_anon,
  folio_test_swapcache,
  folio_test_uptodate,
  folio_test_writeback,
  folio_trylock,
  folio_unlock,
  folio_wait_locked,
  PageAnonExclusive,
} from "./page_flags.ts";
import {
  mk_pte,
  PAGE_SIZE,
  type Pte,
  pte_mksoft_dirty,
  pte_mkwrite,
  pte_same,
  pte_swp_exclusive,
  pte_swp_soft_dirty,
  pte_to_swp_entry,
  pteMkwriteDirty,
  ptep_get,
  set_pte,
} from "./pgtable.ts";
import { folio_add_anon_rmap_pte } from "./rmap.ts";
import { __swap_duplicate } from "./swap_count.ts";
import { swap_cache_get_folio, swapin_readahead } from "./swap_readahead.ts";
import { standsFor } from "./swap_state.ts";
import { SWP_STABLE_WRITES, SWP_SYNCHRONOUS_IO } from "./swap.ts";
import {
  __swap_count,
  folio_free_swap,
  get_swap_device,
  put_swap_device,
  swap_free,
} from "./swapfile.ts";
import { is_poisoned_swp_entry, type SwpEntry } from "./swapops.ts";
import { tell } from "./tell.ts";
import { restoreToZswap } from "./zswap.ts";

/** One fault on a swap entry, under way. */
export interface SwapIn {
  readonly vmf: VmFault;
  readonly si: SwapInfoStruct;
  readonly entry: SwpEntry;
  readonly folio: Folio;
  /** The folio came through the swap cache. */
  readonly swapcache: boolean;
  /** The slot is pinned by this fault: drop that on every way out. */
  readonly pinned: boolean;
}

/**
 * do_swap_page() - bring a page back from its slot.
 *
 * @returns VM_FAULT_MAJOR if it was not in the swap cache; VM_FAULT_SIGBUS if
 *   it could not be read; VM_FAULT_OOM; VM_FAULT_RETRY. 0 without a mapping if
 *   somebody else was faster: the processor tries again.
 */
export function* do_swap_page(k: Kernel, vmf: VmFault): Task<number> {
  enter(k.trace, "do_swap_page");
  const entry = pte_to_swp_entry(vmf.orig_pte);
  if (is_poisoned_swp_entry(entry)) return VM_FAULT_HWPOISON;
  const si = get_swap_device(k, entry);
  if (si === null) return 0;
  const result = yield* swapPageIn(k, vmf, si, entry);
  put_swap_device(si);
  return result;
}

/** From the cache, or from where the slot's page is. */
function* swapPageIn(
  k: Kernel,
  vmf: VmFault,
  si: SwapInfoStruct,
  entry: SwpEntry,
): Task<number> {
  const address = vmf.vpn * PAGE_SIZE;
  const cached = yield* swap_cache_get_folio(k, entry, vmf.vma, address);
  if (cached !== null) {
    const found = { vmf, si, entry, folio: cached };
    return yield* finishSwapIn(k, 0, {
      ...found,
      swapcache: true,
      pinned: false,
    });
  }
  const got = yield* bringIn(k, vmf, si, entry);
  if (got === "lost the race") return 0;
  if (got === null) return yield* noFolio(vmf);
  k.vm_event.pgmajfault++;
  count_memcg_event_mm(vmf.vma.vm_mm, "pgmajfault");
  return yield* finishSwapIn(k, VM_FAULT_MAJOR, got);
}

// #region bring-in
/** Read the page: past the cache if that is allowed, else through it. */
function* bringIn(
  k: Kernel,
  vmf: VmFault,
  si: SwapInfoStruct,
  entry: SwpEntry,
): Task<SwapIn | "lost the race" | null> {
  // A count that is continued reads as ≥ 0x80: never 1.
  const alone = (si.flags & SWP_SYNCHRONOUS_IO) !== 0 &&
    (yield* __swap_count(k, entry)) === 1;
  if (alone) return yield* swapInDirectly(k, vmf, si, entry);
  const gfp = GFP_HIGHUSER_MOVABLE;
  const folio = yield* swapin_readahead(k, entry, gfp, vmf);
  if (folio === null) return null;
  return { vmf, si, entry, folio, swapcache: true, pinned: false };
}
// #endregion

/** No frame, or the slot is gone: out of memory only if the entry stands. */
function* noFolio({ table, index, orig_pte }: VmFault): Task<number> {
  yield* spin_lock(table.ptl);
  const same = pte_same(ptep_get(table, index), orig_pte);
  spin_unlock(table.ptl);
  return same ? VM_FAULT_OOM : 0;
}

/** Lock, look again, map. Drops the folio if it is not wanted any more. */
function* finishSwapIn(
  k: Kernel,
  result: number,
  swapIn: SwapIn,
): Task<number> {
  const { vmf, entry, folio, swapcache } = swapIn;
  const { table, index } = vmf;
  // Whoever reads it has the lock until the bytes are there.
  result |= yield* folio_lock_or_retry(folio, vmf.flags);
  if ((result & VM_FAULT_RETRY) !== 0) return yield* giveUp(k, result, swapIn);
  // Freed or given to another slot meanwhile?
  if (swapcache && !standsFor(folio, entry)) {
    return yield* abandon(k, result, swapIn);
  }
  // #region look-again
  yield* spin_lock(table.ptl);
  if (!pte_same(ptep_get(table, index), vmf.orig_pte)) {
    spin_unlock(table.ptl);
    return yield* abandon(k, result, swapIn);
  }
  if (!folio_test_uptodate(folio)) {
    spin_unlock(table.ptl);
    return yield* abandon(k, VM_FAULT_SIGBUS, swapIn);
  }
  const pte = yield* mapSwappedIn(k, swapIn);
  folio_unlock(folio);
  // The reference of the lookup is the mapping's now.
  if (pte === null) spin_unlock(table.ptl);
  else {
    result |= yield* do_wp_page(k, { ...vmf, orig_pte: pte });
    if ((result & VM_FAULT_ERROR) !== 0) result &= VM_FAULT_ERROR;
  }
  yield* unpinSlot(k, swapIn);
  return result;
  // #endregion
}

/** A first try that may give up. (Linux: include/linux/mm_types.h.) */
function fault_flag_allow_retry_first(flags: number): boolean {
  const first = flags & (FAULT_FLAG_ALLOW_RETRY | FAULT_FLAG_TRIED);
  return first === FAULT_FLAG_ALLOW_RETRY;
}

/**
 * folio_lock_or_retry() - lock the folio, or wait until it is free and give up.
 *
 * Whoever has the lock may be slow, and who waits for it should not hold up
 * others who want the process' memory map. (Linux: mm/filemap.c.)
 *
 * @returns 0, the folio locked; or VM_FAULT_RETRY, on a first try only
 */
function folio_lock_or_retry(folio: Folio, flags: number): Task<number> {
  return fault_flag_allow_retry_first(flags)
    ? lockOrWait(folio)
    : andThen(folio_lock(folio), () => 0);
}

function* lockOrWait(folio: Folio): Task<number> {
  yield* beforeTrylock(folio);
  if (folio_trylock(folio)) return 0;
  yield* folio_wait_locked(folio);
  return VM_FAULT_RETRY;
}

/** The lock was taken: back to the processor, which faults again. */
function* giveUp(k: Kernel, result: number, swapIn: SwapIn): Task<number> {
  const { folio } = swapIn;
  if (k.proposals.zswap_restore_on_abort === "on") {
    yield* folio_lock(folio);
    return yield* abandon(k, result, swapIn);
  }
  folio_put(k, folio);
  yield* unpinSlot(k, swapIn);
  return result;
}

/** Not mapped: folio and pin are given back. Context: folio locked. */
function* abandon(k: Kernel, result: number, swapIn: SwapIn): Task<number> {
  const { folio, entry, swapcache } = swapIn;
  // The proposal of thread 001: an exclusive load left no other copy.
  if (!swapcache && folio_test_uptodate(folio)) {
    folio.swap = entry;
    yield* restoreToZswap(k, folio);
    folio.swap = 0 as SwpEntry;
  }
  folio_unlock(folio);
  folio_put(k, folio);
  yield* unpinSlot(k, swapIn);
  return result;
}

/**
 * Put the folio's frame where the entry was.
 *
 * @returns null; or the new entry if a write has to be sorted out first
 *
 * Context: folio locked, page-table lock held.
 */
function* mapSwappedIn(k: Kernel, swapIn: SwapIn): Task<Pte | null> {
  const { vmf, entry, folio } = swapIn;
  const { table, index, vma, vpn, orig_pte } = vmf;
  const certain = isExclusive(swapIn);
  // The entry is replaced below, under the same lock.
  yield* swap_free(k, entry);
  if (should_try_to_free_swap(k, folio, vmf)) yield* folio_free_swap(k, folio);
  vma.vm_mm.anon_pages++;
  vma.vm_mm.swap_ents--;

  const write = (vmf.flags & FAULT_FLAG_WRITE) !== 0;
  let pte = mk_pte(folio.pfn, 0n);
  if (pte_swp_soft_dirty(orig_pte)) pte = pte_mksoft_dirty(pte);
  const exclusive = certain || folio._refcount === 1;
  const writable = exclusive && (vma.vm_flags & VM_WRITE) !== 0;
  // Read: writable but clean; the first write then needs no fault.
  if (writable) pte = write ? pteMkwriteDirty(pte) : pte_mkwrite(pte);
  folio_add_anon_rmap_pte(k, folio, vmf, exclusive);
  set_pte(table, index, pte);
  tell(k, "do_swap_page", "the page is mapped again", {
    at: { vma, vpn },
    folio,
    entry,
  });
  return write && !writable ? pte : null;
}

/** Can nobody else see the page, for certain? */
function isExclusive({ vmf, si, folio, swapcache }: SwapIn): boolean {
  VM_BUG_ON(
    folio_test_anon(folio) && PageAnonExclusive(folio),
    () => `frame ${folio.pfn} is exclusive and in the swap cache`,
  );
  // Never shown to anybody.
  if (!swapcache) return true;
  if (!pte_swp_exclusive(vmf.orig_pte)) return false;
  // The device reads it more than once: no write may come in between.
  return !folio_test_writeback(folio) ||
    (si.flags & SWP_STABLE_WRITES) === 0;
}

/** Is it better to give the slot up than to keep page and slot together? */
function should_try_to_free_swap(
  k: Kernel,
  folio: Folio,
  { flags }: VmFault,
): boolean {
  if (!folio_test_swapcache(folio)) return false;
  if (mem_cgroup_swap_full(k, folio)) return true;
  // A write makes the slot's copy worthless, if only the cache shares it.
  const write = (flags & FAULT_FLAG_WRITE) !== 0;
  return write && k.quirks.writeFaultFreesSlot && folio._refcount === 2;
}
