/**
 * zswap gives pages back: the oldest entries are written to the device.
 *
 * When a store finds the pool full, it queues `shrink_worker()`, which evicts
 * one entry at a time until the pool is back at its accept threshold. An entry
 * is written back through the swap cache: whoever faults on it meanwhile finds
 * the folio there.
 *
 * Kernel: mm/zswap.c (v6.12). Differs: split off from zswap.c; without cgroups
 * the round robin is between the root group and the end of the round.
 */
import { EAGAIN, EEXIST, ENOENT, ENOMEM, type Errno } from "../base/errno.ts";
import { list_first_entry_or_null, list_move_tail } from "../base/list.ts";
import { spin_lock, spin_unlock } from "../locking/spinlock.ts";
import { makeOp, pause, type Task } from "../sim/task.ts";
import { emit } from "../sim/trace.ts";
import type { Kernel } from "./mm_types.ts";
import {
  folio_unlock,
  PG_reclaim,
  PG_uptodate,
  setFlag,
} from "./page_flags.ts";
import { folio_put } from "./page_alloc.ts";
import { __swap_writepage } from "./page_io.ts";
import { MAX_RECLAIM_RETRIES } from "./swap.ts";
import {
  __read_swap_cache_async,
  delete_from_swap_cache,
} from "./swap_state.ts";
import { entryName, type SwpEntry } from "./swapops.ts";
import { claimEntry, zswap_entry_free, type ZswapEntry } from "./zswap.ts";
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
function* zswap_writeback_entry(
  k: Kernel,
  entry: ZswapEntry,
  swpentry: SwpEntry,
): Task<Errno> {
  const found = yield* __read_swap_cache_async(k, swpentry, true);
  if (found === null) return -ENOMEM;
  const { folio, isNew } = found;
  if (!isNew) {
    folio_put(k, folio);
    return -EEXIST;
  }
  // The slot is pinned by our folio now; was the entry replaced before that?
  if (!(yield* claimEntry(k, entry))) {
    yield* delete_from_swap_cache(k, folio);
    folio_unlock(folio);
    folio_put(k, folio);
    return -ENOMEM;
  }
  zswap_decompress(k, entry, folio);
  k.vm_event.zswpwb++;
  emit(k.trace, {
    time: k.clock.now,
    fn: "zswap_writeback_entry",
    what: `${entry.length} bytes leave the pool`,
    slot: entryName(swpentry),
  });
  zswap_entry_free(k, entry);
  setFlag(folio, PG_uptodate);
  // Free the folio as soon as the device has it.
  setFlag(folio, PG_reclaim);
  __swap_writepage(k, folio);
  folio_put(k, folio);
  return 0;
}

/**
 * Look at the entry at the front of the list: the shrinker's one step.
 * (Linux: shrink_memcg_cb(), called by list_lru_walk_one().)
 *
 * @returns true if the entry was written back
 */
function* shrink_memcg_cb(k: Kernel, entry: ZswapEntry): Task<boolean> {
  const { zswap } = k;
  // To the tail in any case: nobody may meet it again in this round.
  list_move_tail(entry.lru, zswap.list_lru);
  if (entry.referenced) {
    entry.referenced = false;
    spin_unlock(zswap.lru_lock);
    return false;
  }
  const swpentry = entry.swpentry;
  spin_unlock(zswap.lru_lock);
  if ((yield* zswap_writeback_entry(k, entry, swpentry)) !== 0) {
    zswap.reject_reclaim_fail++;
    return false;
  }
  zswap.written_back_pages++;
  return true;
}

/**
 * shrink_memcg() - try to evict one entry.
 *
 * @returns 0; -ENOENT if there is none; -EAGAIN if the one was kept
 */
export function* shrink_memcg(k: Kernel): Task<Errno> {
  yield* spin_lock(k.zswap.lru_lock);
  const entry = list_first_entry_or_null(k.zswap.list_lru);
  if (entry === null) {
    spin_unlock(k.zswap.lru_lock);
    return -ENOENT;
  }
  return (yield* shrink_memcg_cb(k, entry)) ? 0 : -EAGAIN;
}

/**
 * shrink_worker() - evict until the pool is at its accept threshold.
 *
 * Gives up after 16 failures. A kept entry is one failure; so is a whole round
 * in which no group had anything to try. Successes do not reset the count.
 */
export function* shrink_worker(k: Kernel): Task {
  const threshold = zswap_accept_thr_pages(k);
  const resched = makeOp("resched", "cond_resched", k.zswap);
  let failures = 0;
  let attempts = 0;
  let endOfRound = false;
  do {
    if (endOfRound) {
      if (attempts === 0 && ++failures === MAX_RECLAIM_RETRIES) return;
      attempts = 0;
    } else {
      const result = yield* shrink_memcg(k);
      if (result !== -ENOENT) {
        attempts++;
        if (result !== 0 && ++failures === MAX_RECLAIM_RETRIES) return;
      }
    }
    endOfRound = !endOfRound;
    yield* pause(resched);
  } while (zswap_total_pages(k) > threshold);
}
