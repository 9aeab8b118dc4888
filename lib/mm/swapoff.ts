/**
 * A device is taken away: every page that is on it has to come back first.
 *
 * No slot of it is given out any more; then all page tables are walked, each
 * entry that names one of its slots gets its page, and folios that are left in
 * the swap cache lose their slots. That is repeated until no slot is in use. If
 * memory does not suffice, or the task gets a signal, the device stays.
 *
 * Kernel: mm/swapfile.c (v6.12), sys_swapoff(), try_to_unuse(). Differs: split
 * off from swapfile.c; the device is named by its `SwapInfoStruct`; without
 * overcommit accounting there is no -ENOMEM before it begins (in Linux only
 * vm.overcommit_memory = 2 gives it); every address space is walked, not only
 * those that ever had pages in swap, and areas may go meanwhile; no grace
 * period, since nobody here reads a device under RCU alone.
 */
import { EINTR, EINVAL, ENOMEM, type Errno } from "../base/errno.ts";
import { percpu_ref_is_zero, percpu_ref_kill } from "../base/percpu_ref.ts";
import { plist_del, plistNext } from "../base/plist.ts";
import { bdev_nonrot } from "../block/bio.ts";
import { mutex_lock, mutex_unlock } from "../locking/mutex.ts";
import { spin_lock, spin_unlock } from "../locking/spinlock.ts";
import { schedule_timeout, wait_event } from "../locking/wait.ts";
import { flush_work } from "../locking/workqueue.ts";
import { TICK_NSEC } from "../sim/clock.ts";
import { makeOp, pause, type Task } from "../sim/task.ts";
import { enter } from "../sim/trace.ts";
import type { Folio, Kernel, SwapInfoStruct, VmArea } from "./mm_types.ts";
import {
  folio_get,
  folio_lock,
  folio_test_uptodate,
  folio_unlock,
  folio_wait_writeback,
} from "./page_flags.ts";
import { folio_put, GFP_HIGHUSER_MOVABLE } from "./page_alloc.ts";
import {
  is_swap_pte,
  mk_pte,
  PAGE_SIZE,
  type Pte,
  pte_mkold,
  pte_mksoft_dirty,
  pte_same,
  pte_swp_clear_flags,
  pte_swp_exclusive,
  pte_swp_soft_dirty,
  pte_to_swp_entry,
  ptep_get,
  set_pte,
  swp_entry_to_pte,
} from "./pgtable.ts";
import { folio_add_anon_rmap_pte, type PteSlot, pteSlotOf } from "./rmap.ts";
import { shmem_unuse } from "./shmem_swap.ts";
import {
  SWAP_MAP_BAD,
  SWP_CONTINUED,
  SWP_SCANNING,
  SWP_WRITEOK,
} from "./swap.ts";
import { del_from_avail_list } from "./swap_alloc.ts";
import { swap_cgroup_swapoff } from "./swap_cgroup.ts";
import { free_swap_count_continuations, swap_count } from "./swap_count.ts";
import { swap_cache_get_folio, swapin_readahead } from "./swap_readahead.ts";
import {
  disable_swap_slots_cache_lock,
  reenable_swap_slots_cache_unlock,
} from "./swap_slots.ts";
import { filemap_get_folio } from "./swap_state.ts";
import { folio_free_swap, swap_free } from "./swapfile.ts";
import { _enable_swap_info, setup_swap_info } from "./swapon.ts";
import {
  make_poisoned_swp_entry,
  swp_entry,
  swp_offset,
  swp_type,
  type SwpEntry,
} from "./swapops.ts";
import { zswap_swapoff } from "./zswap.ts";

/**
 * sys_swapoff() - stop to swap to a device.
 *
 * @returns 0, and the device's number is free for another one; or, with the
 *   device in use as before (but with a new lowest priority if it had none of
 *   its own): -EINVAL (it is no swap), -ENOMEM, -EINTR
 *
 * Context: sleeps, for long.
 */
export function* sys_swapoff(k: Kernel, si: SwapInfoStruct): Task<Errno> {
  enter(k.trace, "sys_swapoff");
  const { swap_lock } = k.swap;
  yield* spin_lock(swap_lock);
  if ((si.flags & SWP_WRITEOK) === 0) {
    spin_unlock(swap_lock);
    return -EINVAL;
  }
  yield* spin_lock(si.lock);
  yield* del_from_avail_list(k, si);
  closeGap(k, si);
  plist_del(si.list);
  // All its pages, used or not: may go below 0 until they have come back.
  k.nr_swap_pages -= si.pages;
  k.total_swap_pages -= si.pages;
  si.flags &= ~SWP_WRITEOK;
  spin_unlock(si.lock);
  spin_unlock(swap_lock);

  yield* disable_swap_slots_cache_lock(k);
  const { current } = k;
  // If memory runs out, it is because of us: the OOM killer shall begin here.
  current.oom_flag_origin = true;
  const err = yield* try_to_unuse(k, si);
  current.oom_flag_origin = false;
  if (err !== 0) yield* reinsert_swap_info(k, si);
  reenable_swap_slots_cache_unlock(k);
  if (err === 0) yield* dismantle(k, si);
  return err;
}

/** Devices behind it that have no priority of their own move up by one. */
function closeGap({ swap }: Kernel, si: SwapInfoStruct): void {
  if (si.prio >= 0) return;
  for (let link = plistNext(si.list); link !== null; link = plistNext(link)) {
    const behind = link.owner;
    behind.prio++;
    link.prio--;
    for (const avail of behind.avail_lists) {
      // 1 is that of the device's own node.
      if (avail.prio !== 1) avail.prio--;
    }
  }
  swap.least_priority++;
}

/** It goes on as before. */
function* reinsert_swap_info(k: Kernel, si: SwapInfoStruct): Task {
  yield* spin_lock(k.swap.swap_lock);
  yield* spin_lock(si.lock);
  setup_swap_info(k, si, si.prio);
  _enable_swap_info(k, si);
  spin_unlock(si.lock);
  spin_unlock(k.swap.swap_lock);
}

/** No slot is in use: take apart what was made by swapon. */
function* dismantle(k: Kernel, si: SwapInfoStruct): Task {
  percpu_ref_kill(si.users);
  yield* wait_event(
    si.users,
    "swapoff: wait_for_completion",
    () => percpu_ref_is_zero(si.users),
  );
  yield* flush_work(k.workqueue, si.discard_work);
  yield* flush_work(k.workqueue, si.reclaim_work);
  if ((si.flags & SWP_CONTINUED) !== 0) free_swap_count_continuations(k, si);
  if (!bdev_nonrot(si.disk)) k.nr_rotate_swap--;

  yield* mutex_lock(k.swap.swapon_mutex);
  // Who still searches it finds an end, and then goes.
  si.highest_bit = 0;
  while (si.flags >= SWP_SCANNING) yield* schedule_timeout(k.clock, TICK_NSEC);
  si.max = 0;
  si.swap_map = new Uint8Array(0);
  si.zeromap = new Uint8Array(0);
  si.cluster_info = null;
  zswap_swapoff(k, si.type);
  mutex_unlock(k.swap.swapon_mutex);
  swap_cgroup_swapoff(k, si.type);
  for (const { xa } of si.swapper_spaces) {
    if (xa.entries.size > 0) k.warnings.push(`swapoff: ${xa.name} not empty`);
  }
  si.swapper_spaces = [];
  // Last: from now on its number can be taken.
  si.flags = 0;
}

function signal_pending(k: Kernel): boolean {
  return k.current.signal_pending === true;
}

/**
 * Until no slot is in use. Retries without end: exits go at their own pace.
 *
 * As in Linux it may not end by itself. A page that several processes share
 * keeps its slot until all of them have it; if memory is too small, reclaim
 * puts the first one's entry back before the last one's turn comes. Only a
 * signal ends that.
 */
function* try_to_unuse(k: Kernel, si: SwapInfoStruct): Task<Errno> {
  enter(k.trace, "try_to_unuse");
  const resched = makeOp("resched", "try_to_unuse", si);
  while (si.inuse_pages > 0) {
    const err = yield* shmem_unuse(k, si.type);
    if (err !== 0) return err;
    for (const mm of k.mms) {
      if (si.inuse_pages === 0 || signal_pending(k)) break;
      for (const vma of [...mm.mmap]) {
        if (vma.anon_vma === null) continue;
        const err = yield* unuse_vma(k, vma, si);
        if (err !== 0) return err;
      }
      yield* pause(resched);
    }
    yield* dropLeftovers(k, si);
    if (si.inuse_pages > 0 && signal_pending(k)) return -EINTR;
  }
  return 0;
}

/** Folios that are in the swap cache although nobody maps their slots. */
function* dropLeftovers(k: Kernel, si: SwapInfoStruct): Task {
  let offset = find_next_to_unuse(si, 0);
  while (offset !== 0 && si.inuse_pages > 0 && !signal_pending(k)) {
    const folio = yield* filemap_get_folio(k, swp_entry(si.type, offset));
    if (folio !== null) {
      yield* folio_lock(folio);
      yield* folio_wait_writeback(folio);
      yield* folio_free_swap(k, folio);
      folio_unlock(folio);
      folio_put(k, folio);
    }
    offset = find_next_to_unuse(si, offset);
  }
}

/** The next slot behind `prev` that is in use, or 0. */
function find_next_to_unuse(si: SwapInfoStruct, prev: number): number {
  const next = si.swap_map.findIndex((byte, offset) =>
    offset > prev && byte !== 0 && swap_count(byte) !== SWAP_MAP_BAD
  );
  return Math.max(next, 0);
}

function* unuse_vma(
  k: Kernel,
  vma: VmArea,
  si: SwapInfoStruct,
): Task<Errno> {
  for (
    let vpn = vma.vm_start / PAGE_SIZE;
    vpn < vma.vm_end / PAGE_SIZE;
    vpn++
  ) {
    const slot = pteSlotOf(vma, vpn);
    if (slot === null) continue;
    const err = yield* unusePage(k, slot, si);
    if (err !== 0) return err;
  }
  return 0;
}

/** One entry: if it names a slot of the device, its page. (unuse_pte_range) */
function* unusePage(
  k: Kernel,
  slot: PteSlot,
  si: SwapInfoStruct,
): Task<Errno> {
  const { vma, vpn, table, index } = slot;
  const orig_pte = ptep_get(table, index);
  if (!is_swap_pte(orig_pte)) return 0;
  const entry = pte_to_swp_entry(orig_pte);
  if (swp_type(entry) !== si.type) return 0;
  const address = vpn * PAGE_SIZE;
  const folio = (yield* swap_cache_get_folio(k, entry, vma, address)) ??
    (yield* swapin_readahead(k, entry, GFP_HIGHUSER_MOVABLE, {
      ...slot,
      orig_pte,
      flags: 0,
    }));
  if (folio === null) {
    const byte = si.swap_map[swp_offset(entry)];
    return byte === 0 || byte === SWAP_MAP_BAD ? 0 : -ENOMEM;
  }
  yield* folio_lock(folio);
  yield* folio_wait_writeback(folio);
  yield* unuse_pte(k, slot, entry, folio);
  yield* folio_free_swap(k, folio);
  folio_unlock(folio);
  folio_put(k, folio);
  return 0;
}

/**
 * unuse_pte() - map the folio where its slot's entry stands, if it still does.
 *
 * Read-only: a later write finds out whether the page is shared. If the folio
 * could not be read, a marker takes the place of the entry: who uses the page
 * gets SIGBUS, never wrong bytes.
 *
 * Context: folio locked, not under writeback.
 */
function* unuse_pte(
  k: Kernel,
  slot: PteSlot,
  entry: SwpEntry,
  folio: Folio,
): Task {
  const { table, index, vma } = slot;
  yield* spin_lock(table.ptl);
  const old_pte = ptep_get(table, index);
  if (pte_same(pte_swp_clear_flags(old_pte), swp_entry_to_pte(entry))) {
    vma.vm_mm.swap_ents--;
    set_pte(
      table,
      index,
      folio_test_uptodate(folio)
        ? mapInstead(k, slot, folio, old_pte)
        : swp_entry_to_pte(make_poisoned_swp_entry()),
    );
    yield* swap_free(k, entry);
  }
  spin_unlock(table.ptl);
}

/** One more mapping of the folio; returns its entry. */
function mapInstead(
  k: Kernel,
  slot: PteSlot,
  folio: Folio,
  old_pte: Pte,
): Pte {
  slot.vma.vm_mm.anon_pages++;
  folio_get(folio);
  folio_add_anon_rmap_pte(k, folio, slot, pte_swp_exclusive(old_pte));
  const pte = pte_mkold(mk_pte(folio.pfn, 0n));
  return pte_swp_soft_dirty(old_pte) ? pte_mksoft_dirty(pte) : pte;
}
