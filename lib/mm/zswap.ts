/**
 * zswap: keep pages that shrink in memory instead of writing them to swap.
 *
 * zswap stands between the swap cache and the device. A page has a slot
 * already; zswap keeps its bytes, compressed, under that slot, and the device
 * sees nothing until zswap writes the page back. A load takes the compressed
 * copy away if the folio is in the swap cache: the folio owns the data then,
 * and is dirty.
 *
 * Callers hold the folio lock. An entry is published in the tree first and on
 * the LRU list last; before that, writeback cannot see it.
 *
 * Kernel: mm/zswap.c (v6.12). Differs: an entry's own memory is not modelled;
 * that it is lacking is injected (`k.inject`).
 */
import { list_add } from "../base/list.ts";
import {
  xa_empty,
  xa_erase,
  xa_init,
  xa_load,
  xa_store,
} from "../base/xarray.ts";
import { queue_work } from "../locking/workqueue.ts";
import { makeOp, pause, type Task } from "../sim/task.ts";
import { enter } from "../sim/trace.ts";
import { memcg_list_lru_alloc } from "./list_lru_memcg.ts";
import { mem_cgroup_put } from "./memcontrol.ts";
import {
  count_objcg_events,
  get_mem_cgroup_from_objcg,
  get_obj_cgroup_from_folio,
  obj_cgroup_put,
  type ObjCgroup,
} from "./memcontrol_objcg.ts";
import {
  obj_cgroup_charge_zswap,
  obj_cgroup_may_zswap,
} from "./memcontrol_zswap.ts";
import { failsNow } from "./fault_inject.ts";
import type { Folio, Kernel, SwapInfoStruct } from "./mm_types.ts";
import {
  folio_test_dirty,
  folio_test_swapcache,
  PG_dirty,
  PG_uptodate,
  setFlag,
} from "./page_flags.ts";
import { shrinker_register } from "./shrinker.ts";
import { SWAP_ADDRESS_SPACE_PAGES } from "./swap.ts";
import { swp_offset, type SwpEntry } from "./swapops.ts";
import { tell } from "./tell.ts";
import {
  makeEntry,
  swap_zswap_tree,
  zswap_entry_free,
  zswap_lru_add,
  zswap_lru_del,
  type ZswapEntry,
  type ZswapTree,
} from "./zswap_entry.ts";
import {
  dropCompressed,
  zswap_check_limits,
  zswap_compress,
  zswap_decompress,
  zswap_pool_create,
  zswap_pool_current_get,
  zswap_pool_put,
} from "./zswap_pool.ts";
import { shrink_memcg } from "./zswap_shrink.ts";
import { zswap_alloc_shrinker } from "./zswap_shrinker.ts";

/** At boot: what is not enabled is set up when it is. */
export function zswap_init(k: Kernel): void {
  if (k.zswap.enabled) zswap_setup(k);
}

/** zswap_setup() - the dynamic shrinker and the first pool. */
export function zswap_setup(k: Kernel): void {
  const { zswap } = k;
  const shrinker = zswap_alloc_shrinker(k);
  zswap.list_lru.shrinker_id = shrinker.id;
  shrinker_register(k, shrinker);
  const pool = zswap_pool_create(k, zswap.zpool, zswap.compressor);
  list_add(pool.list, zswap.pools);
  zswap.initialized = true;
}

/** True until the first pool is made, and never again. */
export function zswap_never_enabled(k: Kernel): boolean {
  return !k.zswap.ever_enabled;
}

/** zswap_swapon() - the trees of a new device, one for each 64 MiB. */
export function zswap_swapon(k: Kernel, si: SwapInfoStruct): void {
  const count = Math.ceil(si.max / SWAP_ADDRESS_SPACE_PAGES);
  k.zswap.trees[si.type] = Array.from({ length: count }, (_, index) => {
    const name = `zswap tree ${si.type}:${index}`;
    const xa = xa_init<ZswapEntry>(name);
    return {
      xa,
      load: makeOp("read", `xa_load(${name})`, xa),
      change: makeOp("write", `xa_lock(${name})`, xa),
    };
  });
}

/** zswap_swapoff() - the device's trees; its pages have all left by now. */
export function zswap_swapoff(k: Kernel, type: number): void {
  for (const { xa } of k.zswap.trees[type] ?? []) {
    if (!xa_empty(xa)) {
      k.warnings.push(`zswap_swapoff: ${xa.name} is not empty`);
    }
  }
  k.zswap.trees[type] = [];
}

/**
 * zswap_store() - take a folio's bytes, compressed.
 *
 * @returns false if the device has to take them: zswap is off or full, the
 *   group is over its limit, or the page does not shrink. Then zswap holds no
 *   older copy of the slot either.
 *
 * Context: folio locked, in the swap cache.
 */
export function* zswap_store(k: Kernel, folio: Folio): Task<boolean> {
  enter(k.trace, "zswap_store");
  const { zswap } = k;
  if (k.quirks.olderCopyGoes === "before") {
    yield* zswap_invalidate(k, folio.swap);
  }
  if (zswap.enabled) {
    const objcg = yield* get_obj_cgroup_from_folio(k, folio);
    const may = objcg === null || (yield* groupMayStore(k, objcg));
    const entry = may ? compressFolio(k, folio, objcg) : null;
    if (entry !== null && (yield* publish(k, entry))) {
      tellLength(k, "zswap_store", "compressed to", folio, entry.length);
      return true;
    }
    obj_cgroup_put(k, objcg);
    if (zswap.pool_reached_full) queue_work(k.workqueue, zswap.shrink_work);
  }
  // An older copy under this slot would be read instead of the device's, or
  // written over it.
  yield* zswap_invalidate(k, folio.swap);
  return false;
}

/**
 * Whether the group is under memory.zswap.max, or can evict one of its pages:
 * that is enough, the limit is not asked again.
 */
function* groupMayStore(k: Kernel, objcg: ObjCgroup): Task<boolean> {
  if (yield* obj_cgroup_may_zswap(k, objcg)) return true;
  // Before groups had lists of their own there was nothing to shrink.
  if (k.proposals.zswap_lru === "pool") return false;
  const memcg = get_mem_cgroup_from_objcg(k, objcg);
  const result = yield* shrink_memcg(k, memcg);
  mem_cgroup_put(k, memcg);
  return result === 0;
}

/**
 * @param objcg who pays; the entry takes its reference over once published
 * @returns an entry that nobody can find yet; null if there is no room, or the
 *   page does not shrink
 */
function compressFolio(
  k: Kernel,
  folio: Folio,
  objcg: ObjCgroup | null,
): ZswapEntry | null {
  if (zswap_check_limits(k)) return null;
  if (failsNow(k, "zswapEntries")) {
    k.zswap.reject_kmemcache_fail++;
    return null;
  }
  const pool = zswap_pool_current_get(k);
  if (pool === null) return null;
  const object = hasLists(k, objcg) ? zswap_compress(k, pool, folio) : null;
  if (object !== null) return makeEntry(k, folio, pool, objcg, object);
  zswap_pool_put(pool);
  return null;
}

/** Make the group's lists, and those of the groups above it. */
function hasLists(k: Kernel, objcg: ObjCgroup | null): boolean {
  if (objcg === null) return true;
  const memcg = get_mem_cgroup_from_objcg(k, objcg);
  const result = memcg_list_lru_alloc(k, memcg, k.zswap.list_lru);
  mem_cgroup_put(k, memcg);
  return result === 0;
}

/** Tree first, LRU list last: until then the shrinker cannot see the entry. */
function* publish(k: Kernel, entry: ZswapEntry): Task<boolean> {
  const { zswap } = k;
  const { objcg, length, swpentry } = entry;
  const tree = swap_zswap_tree(k, swpentry);
  yield* pause(tree.change);
  if (failsNow(k, "zswapTreeNodes")) {
    zswap.reject_alloc_fail++;
    dropCompressed(k, entry);
    zswap_pool_put(entry.pool);
    return false;
  }
  const old = xa_store(tree.xa, swp_offset(swpentry), entry);
  // The page was written to since it was stored under this slot.
  if (old !== null) yield* zswap_entry_free(k, old);
  if (objcg !== null) {
    yield* obj_cgroup_charge_zswap(k, objcg, length);
    count_objcg_events(objcg, "zswpout", 1);
  }
  if (entry.value === null) yield* zswap_lru_add(k, entry);
  zswap.stored_pages++;
  k.vm_event.zswpout++;
  return true;
}

/**
 * zswap_load() - bring one page back from the compressed pool.
 *
 * If the folio is in the swap cache it takes the data over: the compressed
 * copy is freed, and the folio is dirty, since it is the only copy now.
 *
 * @param folio locked, not up to date; its `swap` names the slot
 * @returns true if zswap had the page; false leaves the folio untouched
 *
 * Context: may pause (the tree). Caller holds the folio lock.
 */
export function* zswap_load(k: Kernel, folio: Folio): Task<boolean> {
  enter(k.trace, "zswap_load");
  if (zswap_never_enabled(k)) return false;
  const tree = swap_zswap_tree(k, folio.swap);
  const offset = swp_offset(folio.swap);
  const isExclusive = takesOwnership(k, folio);
  yield* pause(isExclusive ? tree.change : tree.load);
  const entry = isExclusive
    ? xa_erase(tree.xa, offset)
    : xa_load(tree.xa, offset);
  if (entry === null) return false;

  const { length, objcg } = entry;
  zswap_decompress(k, entry, folio);
  k.vm_event.zswpin++;
  if (objcg !== null) count_objcg_events(objcg, "zswpin", 1);
  tellLength(k, "zswap_load", "decompressed from", folio, length);
  if (isExclusive) {
    yield* zswap_entry_free(k, entry);
    setFlag(folio, PG_dirty);
  } else if (k.proposals.exclusive_loads === "off" && entry.value === null) {
    yield* makeYoungest(k, tree, entry);
  }
  setFlag(folio, PG_uptodate);
  return true;
}

/** Here, so that no words are put together while nobody listens. */
function tellLength(
  k: Kernel,
  fn: string,
  verb: string,
  folio: Folio,
  length: number,
): void {
  if (!k.trace.enabled) return;
  tell(k, fn, `${verb} ${length} bytes`, { folio, entry: folio.swap });
}

/** Whether a load frees the compressed copy: thread 001 is about this line. */
function takesOwnership(k: Kernel, folio: Folio): boolean {
  const { exclusive_loads } = k.proposals;
  if (exclusive_loads !== "swapcache") return exclusive_loads === "on";
  // A folio outside the swap cache may be dropped with the fault.
  return folio_test_swapcache(folio);
}

/**
 * Before exclusive loads: the copy stays, as the one used last.
 *
 * Linux held a reference to the entry meanwhile. We look whether it is still
 * in its tree when it is back on its list.
 */
function* makeYoungest(k: Kernel, tree: ZswapTree, entry: ZswapEntry): Task {
  const offset = swp_offset(entry.swpentry);
  yield* zswap_lru_del(k, entry);
  if (xa_load(tree.xa, offset) !== entry) return;
  yield* zswap_lru_add(k, entry);
  if (xa_load(tree.xa, offset) !== entry) yield* zswap_lru_del(k, entry);
}

/**
 * The fault that had loaded this folio is abandoned: give the page back.
 * (Proposal zswap_restore_on_abort of thread 001, never merged.)
 *
 * @param folio locked, not in the swap cache, its `swap` still the slot's
 * @returns false if the page is lost: zswap refused it
 */
export function* restoreToZswap(k: Kernel, folio: Folio): Task<boolean> {
  if (k.proposals.zswap_restore_on_abort === "off") return true;
  // Not dirty: the load took nothing away.
  if (!folio_test_dirty(folio)) return true;
  return yield* zswap_store(k, folio);
}

/**
 * zswap_invalidate() - the slot's page is not needed any more.
 *
 * Context: may pause (the tree) but does not sleep.
 */
export function* zswap_invalidate(k: Kernel, swp: SwpEntry): Task {
  enter(k.trace, "zswap_invalidate");
  const tree = swap_zswap_tree(k, swp);
  yield* pause(tree.change);
  const entry = xa_erase(tree.xa, swp_offset(swp));
  if (entry !== null) yield* zswap_entry_free(k, entry);
}

/** Sum of the compressed sizes, in bytes. (Linux: MEMCG_ZSWAP_B.) */
export function zswapCompressedBytes(k: Kernel): number {
  let bytes = 0;
  for (const trees of k.zswap.trees) {
    for (const tree of trees) {
      for (const entry of tree.xa.entries.values()) bytes += entry.length;
    }
  }
  return bytes;
}
