/**
 * zswap gives pages back: the oldest entries are written to the device.
 *
 * Three come for that, and all do the same to an entry: a store whose group is
 * over memory.zswap.max (one entry of that group), a store that finds the pool
 * full (it queues `shrink_worker()`, which goes from group to group until the
 * pool is back at its accept threshold), and the dynamic shrinker of
 * zswap_shrinker.ts. An entry is written back through the swap cache: whoever
 * faults on it meanwhile finds the folio there.
 *
 * Kernel: mm/zswap.c (v6.12). Differs: split off from zswap.c.
 */
import { EAGAIN, EEXIST, ENOENT, ENOMEM, type Errno } from "../base/errno.ts";
import { list_move_tail, type ListHead } from "../base/list.ts";
import { spin_lock, spin_unlock, type Spinlock } from "../locking/spinlock.ts";
import { makeOp, pause, type Task } from "../sim/task.ts";
import { enter } from "../sim/trace.ts";
import {
  list_lru_walk_one,
  type ListLruOne,
  LRU_REMOVED_RETRY,
  LRU_RETRY,
  LRU_ROTATE,
  LRU_STOP,
  type LruStatus,
} from "./list_lru.ts";
import {
  mem_cgroup_online,
  mem_cgroup_put,
  mem_cgroup_tryget_online,
} from "./memcontrol.ts";
import { mem_cgroup_iter } from "./memcontrol_iter.ts";
import {
  count_objcg_events,
  get_mem_cgroup_from_objcg,
  obj_cgroup_get,
  obj_cgroup_put,
} from "./memcontrol_objcg.ts";
import { mem_cgroup_zswap_writeback_enabled } from "./memcontrol_zswap.ts";
import type { Folio, Kernel, MemCgroup } from "./mm_types.ts";
import {
  folio_unlock,
  PG_reclaim,
  PG_uptodate,
  setFlag,
} from "./page_flags.ts";
import { folio_put, GFP_KERNEL } from "./page_alloc.ts";
import { __swap_writepage } from "./page_io.ts";
import { MAX_RECLAIM_RETRIES } from "./swap.ts";
import {
  __read_swap_cache_async,
  delete_from_swap_cache,
} from "./swap_state.ts";
import { __swap_count } from "./swapfile.ts";
import { type SwpEntry } from "./swapops.ts";
import { tell } from "./tell.ts";
import {
  claimEntry,
  zswap_entry_free,
  type ZswapEntry,
} from "./zswap_entry.ts";
import {
  zswap_accept_thr_pages,
  zswap_decompress,
  zswap_total_pages,
} from "./zswap_pool.ts";

/**
 * zswap_writeback_entry() - move one page from the pool to the device.
 *
 * @param entry may be freed by somebody else at any pause: it is only compared
 *   until claimEntry() has succeeded
 * @returns 0; -EEXIST if a folio is in the swap cache (the page is in use
 *   again); -ENOMEM if the slot is pinned or freed, the entry is gone, or no
 *   folio could be had
 */
export function* zswap_writeback_entry(
  k: Kernel,
  entry: ZswapEntry,
  swpentry: SwpEntry,
): Task<Errno> {
  enter(k.trace, "zswap_writeback_entry");
  const found = yield* __read_swap_cache_async(k, swpentry, GFP_KERNEL, true);
  if (found === null || !found.isNew) {
    if (found !== null) folio_put(k, found.folio);
    const result = found === null ? -ENOMEM : -EEXIST;
    const drops = k.proposals.writeback_ignores_freed_slot === "on";
    return drops ? yield* dropIfUnused(k, entry, swpentry, result) : result;
  }
  const { folio } = found;
  // The slot is pinned by our folio now; was the entry replaced before that?
  if (!(yield* claimEntry(k, entry, swpentry))) {
    yield* delete_from_swap_cache(k, folio);
    folio_unlock(folio);
    folio_put(k, folio);
    return -ENOMEM;
  }
  yield* resumeWriteback(k, entry, folio);
  return 0;
}

/** The folio takes the entry's page, the pool is free of it, the disk works. */
function* resumeWriteback(k: Kernel, entry: ZswapEntry, folio: Folio): Task {
  zswap_decompress(k, entry, folio);
  k.vm_event.zswpwb++;
  if (entry.objcg !== null) count_objcg_events(entry.objcg, "zswpwb", 1);
  tell(k, "zswap_writeback_entry", `${entry.length} bytes leave the pool`, {
    entry: entry.swpentry,
  });
  yield* zswap_entry_free(k, entry);
  setFlag(folio, PG_uptodate);
  // Free the folio as soon as the device has it.
  setFlag(folio, PG_reclaim);
  yield* __swap_writepage(k, folio);
  folio_put(k, folio);
}

/** The first patch of thread 000: nobody needs the slot, so drop the entry. */
function* dropIfUnused(
  k: Kernel,
  entry: ZswapEntry,
  swpentry: SwpEntry,
  result: Errno,
): Task<Errno> {
  if ((yield* __swap_count(k, swpentry)) > 0) return result;
  if (!(yield* claimEntry(k, entry, swpentry))) return result;
  yield* zswap_entry_free(k, entry);
  return 0;
}

/** What the dynamic shrinker learns from its walk. */
export interface WalkFinding {
  /** A page that is in the swap cache: the list is warm from here on. */
  encounteredPageInSwapcache: boolean;
}

/**
 * shrink_memcg_cb() - what a walk does with one entry.
 *
 * Before the list's lock is dropped the entry goes to the back: if writeback
 * fails, nobody knows whether it still exists.
 *
 * Context: `lock` is held when it is called and when it returns.
 */
export function* shrink_memcg_cb(
  k: Kernel,
  item: ListHead<ZswapEntry>,
  one: ListLruOne<ZswapEntry>,
  lock: Spinlock,
  finding: WalkFinding | null,
): Task<LruStatus> {
  enter(k.trace, "shrink_memcg_cb");
  const entry = item.owner!;
  if (entry.referenced && k.proposals.second_chance === "on") {
    entry.referenced = false;
    return LRU_ROTATE;
  }
  list_move_tail(item, one.list);
  const { swpentry } = entry;
  spin_unlock(lock);

  let status: LruStatus = LRU_REMOVED_RETRY;
  const result = yield* zswap_writeback_entry(k, entry, swpentry);
  if (result === 0) k.zswap.written_back_pages++;
  else {
    k.zswap.reject_reclaim_fail++;
    status = LRU_RETRY;
    if (result === -EEXIST && finding !== null) {
      finding.encounteredPageInSwapcache = true;
      status = LRU_STOP;
    }
  }
  yield* spin_lock(lock);
  return status;
}

/**
 * shrink_memcg() - try to evict one entry of the group on each node.
 *
 * @param memcg null for the lists of entries without a group
 * @returns 0 if at least one was evicted; -ENOENT if there was none to try, or
 *   the group must not write back, or is offline (its lists are its parent's
 *   now); -EAGAIN if those tried were kept
 */
export function* shrink_memcg(
  k: Kernel,
  memcg: MemCgroup | null,
): Task<Errno> {
  enter(k.trace, "shrink_memcg");
  if (!mem_cgroup_zswap_writeback_enabled(k, memcg)) return -ENOENT;
  if (memcg !== null) {
    yield* pause(memcg.ops.online);
    if (!mem_cgroup_online(memcg)) return -ENOENT;
  }
  const { list_lru } = k.zswap;
  let scanned = 0;
  let shrunk = 0;
  for (const { node_id } of k.nodes) {
    const budget = { nr_to_walk: 1 };
    shrunk += yield* list_lru_walk_one(
      k,
      list_lru,
      node_id,
      memcg,
      (item, one, lock): Task<LruStatus> =>
        shrink_memcg_cb(k, item, one, lock, null),
      budget,
    );
    scanned += 1 - budget.nr_to_walk;
  }
  if (scanned === 0) return -ENOENT;
  return shrunk > 0 ? 0 : -EAGAIN;
}

/**
 * Take the round's cursor: the group tried last, with a reference. Kept as its
 * objcg, it is who pays for that group now.
 */
function takeCursor(k: Kernel): MemCgroup | null {
  const { zswap } = k;
  const objcg = zswap.next_shrink_objcg;
  if (objcg === null) return zswap.next_shrink;
  const memcg = get_mem_cgroup_from_objcg(k, objcg);
  obj_cgroup_put(k, objcg);
  zswap.next_shrink_objcg = null;
  return memcg;
}

/** Keep `memcg` as the cursor; it takes the reference over. */
function setCursor(k: Kernel, memcg: MemCgroup | null): void {
  const { zswap } = k;
  const objcg = memcg === null ? null : memcg.objcg;
  if (k.proposals.next_shrink !== "objcg" || objcg === null) {
    zswap.next_shrink = memcg;
    return;
  }
  obj_cgroup_get(objcg);
  zswap.next_shrink_objcg = objcg;
  zswap.next_shrink = null;
  mem_cgroup_put(k, memcg);
}

/**
 * The next online group of the round, with a reference of its own.
 *
 * The cursor's reference may be dropped by zswap_memcg_offline_cleanup() as
 * soon as the lock is free. An offline group must not stay in the cursor: its
 * cleanup may be over.
 *
 * @returns null at the end of the round
 */
function* nextToShrink(k: Kernel): Task<MemCgroup | null> {
  const { shrink_lock } = k.zswap;
  let memcg: MemCgroup | null;
  yield* spin_lock(shrink_lock);
  do {
    memcg = mem_cgroup_iter(k, null, takeCursor(k));
    setCursor(k, memcg);
    if (memcg !== null) yield* pause(memcg.ops.online);
  } while (memcg !== null && !mem_cgroup_tryget_online(memcg));
  spin_unlock(shrink_lock);
  return memcg;
}

/**
 * shrink_worker() - evict until the pool is at its accept threshold.
 *
 * Gives up after 16 failures. A group all of whose tried entries were kept is
 * one failure; so is a whole round in which no group had anything to try.
 * Successes do not reset the count.
 */
export function* shrink_worker(k: Kernel): Task {
  enter(k.trace, "shrink_worker");
  if (k.proposals.zswap_lru === "pool") return yield* shrinkOneList(k);
  const threshold = zswap_accept_thr_pages(k);
  const resched = makeOp("resched", "cond_resched", k.zswap);
  let failures = 0;
  let attempts = 0;
  do {
    const memcg = yield* nextToShrink(k);
    if (memcg === null) {
      if (attempts === 0 && ++failures === MAX_RECLAIM_RETRIES) return;
      attempts = 0;
    } else {
      const result = yield* shrink_memcg(k, memcg);
      mem_cgroup_put(k, memcg);
      if (result !== -ENOENT) attempts++;
      const failed = result !== 0 && result !== -ENOENT;
      if (failed && ++failures === MAX_RECLAIM_RETRIES) return;
    }
    yield* pause(resched);
  } while (zswap_total_pages(k) > threshold);
}

/** Before groups had lists of their own: the oldest entry, whosever it is. */
function* shrinkOneList(k: Kernel): Task {
  const threshold = zswap_accept_thr_pages(k);
  const resched = makeOp("resched", "cond_resched", k.zswap);
  let failures = 0;
  do {
    const result = yield* shrink_memcg(k, null);
    if (result === -ENOENT) return;
    if (result !== 0 && ++failures === MAX_RECLAIM_RETRIES) return;
    yield* pause(resched);
  } while (zswap_total_pages(k) > threshold);
}

/**
 * zswap_memcg_offline_cleanup() - the group goes offline: let go of it.
 *
 * Called before its lists are handed to its parent.
 */
export function* zswap_memcg_offline_cleanup(
  k: Kernel,
  memcg: MemCgroup,
): Task {
  enter(k.trace, "zswap_memcg_offline_cleanup");
  const { zswap } = k;
  if (k.proposals.next_shrink !== "cleaned") return;
  yield* spin_lock(zswap.shrink_lock);
  let next = zswap.next_shrink;
  if (next === memcg) {
    do next = mem_cgroup_iter(k, null, next); while (
      next !== null && !mem_cgroup_online(next)
    );
    zswap.next_shrink = next;
  }
  spin_unlock(zswap.shrink_lock);
}
