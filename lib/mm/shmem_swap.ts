/**
 * Shared memory and swap: pages of an object go out, and come back.
 *
 * Order on the way out: slot, swap cache, byte 0xff, entry into the object's
 * array, write. On the way in: read, array, out of the swap cache (0xbf), slot
 * free. The fault reads by slot, never past the swap cache.
 *
 * Kernel: mm/shmem.c (v6.12). Differs: split off from shmem.c; shmem_unuse()
 * goes once over what an object has in swap at the start (Linux: until it finds
 * nothing more); try_to_unuse() calls it again.
 */
import { VM_BUG_ON } from "../base/bug.ts";
import { EEXIST, EINVAL, EIO, ENOMEM, type Errno } from "../base/errno.ts";
import { xa_load, xa_store } from "../base/xarray.ts";
import { spin_lock, spin_unlock } from "../locking/spinlock.ts";
import { type Task } from "../sim/task.ts";
import { enter } from "../sim/trace.ts";
import { sameFolio } from "./folio.ts";
import { count_memcg_event_mm } from "./memcontrol_stat.ts";
import { VM_FAULT_MAJOR } from "./memory.ts";
import type { AddressSpace, Folio, Kernel, MmStruct } from "./mm_types.ts";
import {
  __GFP_HIGH,
  __GFP_NOMEMALLOC,
  folio_put,
  GFP_HIGHUSER_MOVABLE,
} from "./page_alloc.ts";
import {
  folio_lock,
  folio_mapped,
  folio_test_uptodate,
  folio_unlock,
  folio_wait_writeback,
  PG_dirty,
  setFlag,
} from "./page_flags.ts";
import { AOP_WRITEPAGE_ACTIVATE, swap_writepage } from "./page_io.ts";
import { folio_alloc_swap } from "./swap_slots.ts";
import {
  swap_cache_get_folio,
  swap_cluster_readahead,
} from "./swap_readahead.ts";
import {
  add_to_swap_cache,
  delete_from_swap_cache,
  standsFor,
} from "./swap_state.ts";
import {
  get_swap_device,
  put_swap_device,
  put_swap_folio,
  swap_free,
  swap_shmem_alloc,
} from "./swapfile.ts";
import { swp_type, type SwpEntry } from "./swapops.ts";
import {
  shmem_add_to_page_cache,
  type ShmemFound,
  type ShmemInodeInfo,
  swapinError,
} from "./shmem.ts";
import { tell } from "./tell.ts";

/**
 * shmem_swapin_folio() - bring a page back, and free its slot.
 *
 * @param mm whose fault it is, to be counted there; null for swapoff
 * @returns as shmem_get_folio_gfp(); err -EEXIST if the array does not hold
 *   `swap` any more: look again; -EINVAL if it does, but the device is gone
 */
export function* shmem_swapin_folio(
  k: Kernel,
  mapping: AddressSpace,
  index: number,
  swap: SwpEntry,
  mm: MmStruct | null,
): Task<ShmemFound> {
  enter(k.trace, "shmem_swapin_folio");
  if (swap === swapinError) return failed(-EIO);
  const si = get_swap_device(k, swap);
  const stands = shmem_confirm_swap(mapping, index, swap);
  if (si === null) return failed(stands ? -EINVAL : -EEXIST);
  const found = stands
    ? yield* swapIn(k, mapping, index, swap, mm)
    : failed(-EEXIST);
  put_swap_device(si);
  return found;
}

function failed(err: Errno): ShmemFound {
  return { folio: null, err, fault_type: 0 };
}

/** Does the array still hold the entry? */
function shmem_confirm_swap(
  mapping: AddressSpace,
  index: number,
  swap: SwpEntry,
): boolean {
  return xa_load(mapping.i_pages, index) === swap;
}

/** Context: the device is held. */
function* swapIn(
  k: Kernel,
  mapping: AddressSpace,
  index: number,
  swap: SwpEntry,
  mm: MmStruct | null,
): Task<ShmemFound> {
  let fault_type = 0;
  let folio = yield* swap_cache_get_folio(k, swap, null, 0);
  if (folio === null) {
    fault_type = VM_FAULT_MAJOR;
    if (mm !== null) {
      k.vm_event.pgmajfault++;
      count_memcg_event_mm(mm, "pgmajfault");
    }
    // By slot, also where private memory is read ahead by address.
    folio = yield* swap_cluster_readahead(k, swap, GFP_HIGHUSER_MOVABLE);
    if (folio === null) {
      const stands = shmem_confirm_swap(mapping, index, swap);
      return failed(stands ? -ENOMEM : -EEXIST);
    }
  }
  yield* folio_lock(folio);
  const err = yield* takeFromSwapCache(k, mapping, index, swap, folio);
  if (err === 0) return { folio, err, fault_type };
  folio_unlock(folio);
  folio_put(k, folio);
  return failed(err);
}

/** From the swap cache to the object's array. Context: folio locked. */
function* takeFromSwapCache(
  k: Kernel,
  mapping: AddressSpace,
  index: number,
  swap: SwpEntry,
  folio: Folio,
): Task<Errno> {
  const stands = standsFor(folio, swap) &&
    shmem_confirm_swap(mapping, index, swap);
  if (!stands) return -EEXIST;
  if (!folio_test_uptodate(folio)) {
    yield* shmem_set_folio_swapin_error(k, mapping, index, swap, folio);
    return -EIO;
  }
  yield* folio_wait_writeback(folio);
  const err = yield* shmem_add_to_page_cache(folio, mapping, index, swap);
  if (err !== 0) return err;
  yield* delete_from_swap_cache(k, folio);
  setFlag(folio, PG_dirty);
  yield* swap_free(k, swap);
  return 0;
}

/** The slot cannot be read: remember that, and free it. */
function* shmem_set_folio_swapin_error(
  k: Kernel,
  mapping: AddressSpace,
  index: number,
  swap: SwpEntry,
  folio: Folio,
): Task {
  yield* spin_lock(mapping.lock);
  const same = xa_load(mapping.i_pages, index) === swap;
  if (same) {
    xa_store(mapping.i_pages, index, swapinError);
    mapping.host.swapped--;
  }
  spin_unlock(mapping.lock);
  if (!same) return;
  yield* folio_wait_writeback(folio);
  yield* delete_from_swap_cache(k, folio);
  yield* swap_free(k, swap);
}

/**
 * shmem_writepage() - move a page from its object to the swap cache, and write
 * it to swap.
 *
 * @returns as swap_writepage(); AOP_WRITEPAGE_ACTIVATE, the folio locked and
 *   dirty, also if there is no slot
 *
 * Context: folio locked, not mapped, its dirty flag cleared.
 */
export function* shmem_writepage(k: Kernel, folio: Folio): Task<Errno> {
  enter(k.trace, "shmem_writepage");
  const mapping = folio.mapping as AddressSpace;
  const swap = k.total_swap_pages === 0
    ? null
    : yield* folio_alloc_swap(k, folio);
  if (swap !== null) {
    const gfp = __GFP_HIGH | __GFP_NOMEMALLOC;
    const { err } = yield* add_to_swap_cache(k, folio, swap, gfp);
    if (err === 0) {
      yield* swap_shmem_alloc(k, swap);
      yield* shmem_delete_from_page_cache(k, folio, mapping, swap);
      VM_BUG_ON(folio_mapped(folio), () => `frame ${folio.pfn} is mapped`);
      return yield* swap_writepage(k, folio);
    }
    yield* put_swap_folio(k, swap);
  }
  setFlag(folio, PG_dirty);
  return AOP_WRITEPAGE_ACTIVATE;
}

/** The array names the slot instead of the folio from now on. */
function* shmem_delete_from_page_cache(
  k: Kernel,
  folio: Folio,
  mapping: AddressSpace,
  swap: SwpEntry,
): Task {
  yield* spin_lock(mapping.lock);
  const old = xa_store(mapping.i_pages, folio.index, swap);
  VM_BUG_ON(
    !sameFolio(old, folio),
    () => `frame ${folio.pfn} is not in its object`,
  );
  folio.mapping = null;
  mapping.host.swapped++;
  if (!k.shmem_swaplist.includes(mapping.host)) {
    k.shmem_swaplist.unshift(mapping.host);
  }
  spin_unlock(mapping.lock);
  folio_put(k, folio);
  tell(k, "shmem_writepage", "from its object to the swap cache", {
    folio,
    entry: swap,
  });
}

/**
 * shmem_unuse() - swapoff: bring back every page that is on device `type`.
 *
 * @returns 0 or -ENOMEM
 */
export function* shmem_unuse(k: Kernel, type: number): Task<Errno> {
  for (const host of [...k.shmem_swaplist]) {
    host.stop_eviction++;
    const err = yield* shmem_unuse_inode(k, host, type);
    host.stop_eviction--;
    if (host.swapped === 0) {
      const at = k.shmem_swaplist.indexOf(host);
      if (at >= 0) k.shmem_swaplist.splice(at, 1);
    }
    if (err !== 0) return err;
  }
  return 0;
}

function* shmem_unuse_inode(
  k: Kernel,
  { mapping }: ShmemInodeInfo,
  type: number,
): Task<Errno> {
  const ofType = (found: Folio | SwpEntry): found is SwpEntry =>
    typeof found === "number" && found !== swapinError &&
    swp_type(found) === type;
  for (const [index, found] of [...mapping.i_pages.entries]) {
    if (!ofType(found)) continue;
    const got = yield* shmem_swapin_folio(k, mapping, index, found, null);
    if (got.err === -ENOMEM) return -ENOMEM;
    if (got.folio === null) continue;
    folio_unlock(got.folio);
    folio_put(k, got.folio);
  }
  return 0;
}
