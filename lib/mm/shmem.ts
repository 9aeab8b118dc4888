/**
 * Shared anonymous memory: pages that belong to an object, not to a process.
 *
 * The object's array holds for each page its folio, or the swap entry where it
 * is. So page tables never hold an entry for it, a fork copies nothing, and the
 * slot needs no count: its byte says SWAP_MAP_SHMEM. On the way out reclaim
 * clears the mappings first, then moves the folio from the array to the swap
 * cache (shmem_swap.ts).
 *
 * Kernel: mm/shmem.c (v6.12). Differs: only what MAP_SHARED | MAP_ANONYMOUS
 * needs: no files, no huge pages, no limits; no fault-around; an entry stands
 * in the array as the number it is. shmem_swaplist needs no mutex, since an
 * object joins it in one step with the count of its swapped pages.
 */
import { VM_BUG_ON } from "../base/bug.ts";
import { EEXIST, EINVAL, ENOMEM, type Errno } from "../base/errno.ts";
import { xa_erase, xa_init, xa_load, xa_store } from "../base/xarray.ts";
import { spin_lock, spin_lock_init, spin_unlock } from "../locking/spinlock.ts";
import { wait_event } from "../locking/wait.ts";
import { spend } from "../sim/clock.ts";
import { makeOp, pause, type Task } from "../sim/task.ts";
import { folio_add_lru } from "./lru.ts";
import { mem_cgroup_charge } from "./memcontrol_charge.ts";
import type {
  AddressSpace,
  Folio,
  Kernel,
  MmStruct,
  VmArea,
} from "./mm_types.ts";
import {
  __GFP_HIGH,
  __GFP_NOMEMALLOC,
  folio_alloc,
  folio_put,
  GFP_HIGHUSER_MOVABLE,
} from "./page_alloc.ts";
import {
  folio_get,
  folio_lock,
  folio_test_locked,
  folio_trylock,
  folio_unlock,
  PG_swapbacked,
  PG_uptodate,
  setFlag,
} from "./page_flags.ts";
import { pageBytes } from "./page_io.ts";
import { free_swap_and_cache } from "./swapfile.ts";
import { shmem_swapin_folio } from "./shmem_swap.ts";
import { type SwpEntry } from "./swapops.ts";

/** In the array: the page could not be read back. No entry: slot 0. */
export const swapinError = 0 as SwpEntry;

/** What an object is beside its array. (Linux: with a struct inode in it.) */
export interface ShmemInodeInfo {
  readonly mapping: AddressSpace;
  /** Size, in pages. */
  readonly pages: number;
  /** Pages that have an entry in the array instead of a folio. */
  swapped: number;
  /** swapoff works on it: it must not go. */
  stop_eviction: number;
}

/** A new object of `pages` pages, all zero. (Linux: shmem_zero_setup().) */
export function shmemCreate(k: Kernel, pages: number): AddressSpace {
  const name = `shmem ${k.next_shmem++}`;
  const i_pages = xa_init<Folio | SwpEntry>(name);
  const mapping = {
    i_pages,
    i_mmap: [],
    lock: spin_lock_init(`xa_lock(${name})`, i_pages),
    load: makeOp("read", `filemap_get_entry(${name})`, i_pages),
  } as Omit<AddressSpace, "host"> as AddressSpace;
  const host = { mapping, pages, swapped: 0, stop_eviction: 0 };
  return Object.assign(mapping, { host });
}

/** The folio of a page, locked; or what stands in the way. */
export interface ShmemFound {
  readonly folio: Folio | null;
  readonly err: Errno;
  /** VM_FAULT_MAJOR if the page had to be read. */
  readonly fault_type: number;
}

/**
 * shmem_get_folio_gfp() - the folio of a page: from the array, from swap, or
 * new and zero. (SGP_CACHE.)
 *
 * @returns the folio locked, with a reference; or err -ENOMEM, -EIO (its slot
 *   could not be read, now or earlier), -EINVAL (beyond the end)
 */
export function* shmem_get_folio_gfp(
  k: Kernel,
  mapping: AddressSpace,
  index: number,
  mm: MmStruct | null,
): Task<ShmemFound> {
  const fail = (err: Errno) => ({ folio: null, err, fault_type: 0 });
  if (index >= mapping.host.pages) return fail(-EINVAL);
  for (;;) {
    yield* pause(mapping.load);
    const found = xa_load(mapping.i_pages, index);
    if (typeof found === "number") {
      const got = yield* shmem_swapin_folio(k, mapping, index, found, mm);
      if (got.err !== -EEXIST) return got;
      continue;
    }
    if (found !== null) {
      folio_get(found);
      yield* folio_lock(found);
      // Truncated or swapped out meanwhile?
      if (found.mapping === mapping) {
        return { folio: found, err: 0, fault_type: 0 };
      }
      folio_unlock(found);
      folio_put(k, found);
      continue;
    }
    const { folio, err } = yield* allocAndAdd(k, mapping, index, mm);
    if (err !== -EEXIST) return { folio, err, fault_type: 0 };
  }
}

/** A zero page for a hole. (Linux: shmem_alloc_and_add_folio().) */
function* allocAndAdd(
  k: Kernel,
  mapping: AddressSpace,
  index: number,
  mm: MmStruct | null,
): Task<{ folio: Folio | null; err: Errno }> {
  const gfp = GFP_HIGHUSER_MOVABLE;
  const folio = yield* folio_alloc(k, gfp);
  if (folio === null) return { folio: null, err: -ENOMEM };
  folio_trylock(folio);
  setFlag(folio, PG_swapbacked);
  const charged = yield* mem_cgroup_charge(k, folio, mm, gfp);
  const err = charged === 0
    ? yield* shmem_add_to_page_cache(folio, mapping, index, null)
    // Somebody else put one there, maybe with the last of the memory.
    : xa_load(mapping.i_pages, index) === null
    ? charged
    : -EEXIST;
  if (err !== 0) {
    folio_unlock(folio);
    folio_put(k, folio);
    return { folio: null, err };
  }
  pageBytes(k, folio).fill(0);
  spend(k.clock, k.costs.copyPage);
  setFlag(folio, PG_uptodate);
  folio_add_lru(k, folio);
  return { folio, err: 0 };
}

/** Into the array, if it holds what is expected there; else -EEXIST. */
export function* shmem_add_to_page_cache(
  folio: Folio,
  mapping: AddressSpace,
  index: number,
  expected: SwpEntry | null,
): Task<Errno> {
  VM_BUG_ON(!folio_test_locked(folio), "shmem_add_to_page_cache: not locked");
  yield* spin_lock(mapping.lock);
  const same = xa_load(mapping.i_pages, index) === expected;
  if (same) {
    folio_get(folio);
    folio.mapping = mapping;
    folio.index = index;
    xa_store(mapping.i_pages, index, folio);
    if (expected !== null) mapping.host.swapped--;
  }
  spin_unlock(mapping.lock);
  return same ? 0 : -EEXIST;
}

/**
 * A page leaves its object; it reads as zeros from now on.
 *
 * @param may asked under the lock: false leaves all as it is. (Linux: the
 *   check and __filemap_remove_folio() are both in __remove_mapping().)
 *
 * Context: folio locked, not mapped; the caller has a reference.
 */
export function* filemap_remove_folio(
  k: Kernel,
  folio: Folio,
  may: () => boolean = () => true,
): Task<boolean> {
  const mapping = folio.mapping as AddressSpace;
  yield* spin_lock(mapping.lock);
  const leaves = may();
  if (leaves) {
    xa_erase(mapping.i_pages, folio.index);
    folio.mapping = null;
  }
  spin_unlock(mapping.lock);
  if (leaves) folio_put(k, folio);
  return leaves;
}

/** The last area that maps the object is gone. (Linux: shmem_evict_inode().) */
export function* shmemPutMapping(k: Kernel, mapping: AddressSpace): Task {
  yield* shmem_undo_range(k, mapping);
  const { host } = mapping;
  const idle = () => host.stop_eviction === 0;
  if (!idle()) yield* wait_event(host, "stop_eviction", idle);
  const at = k.shmem_swaplist.indexOf(host);
  if (at >= 0) k.shmem_swaplist.splice(at, 1);
}

/** Free every page and every slot of the object. */
export function* shmem_undo_range(k: Kernel, mapping: AddressSpace): Task {
  const { i_pages, host } = mapping;
  while (i_pages.entries.size > 0) {
    for (const [index, found] of [...i_pages.entries]) {
      if (typeof found !== "number") {
        yield* truncateFolio(k, mapping, found);
        continue;
      }
      yield* spin_lock(mapping.lock);
      const same = xa_load(i_pages, index) === found;
      if (same) xa_erase(i_pages, index);
      if (same && found !== swapinError) host.swapped--;
      spin_unlock(mapping.lock);
      if (same && found !== swapinError) yield* free_swap_and_cache(k, found);
    }
  }
}

function* truncateFolio(k: Kernel, mapping: AddressSpace, folio: Folio): Task {
  folio_get(folio);
  yield* folio_lock(folio);
  if (folio.mapping === mapping) yield* filemap_remove_folio(k, folio);
  folio_unlock(folio);
  folio_put(k, folio);
}

/** The page of an object that an area shows at a virtual page number. */
export function linear_page_index(vma: VmArea, vpn: number): number {
  return vpn - vma.vm_start / 4096 + vma.vm_pgoff;
}
