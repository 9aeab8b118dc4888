/**
 * Moving one page between memory and what stands behind its slot.
 *
 * On the way out the cheapest place wins: nothing at all for a page of zeros
 * (one bit), zswap for one that shrinks, else the device. On the way in the
 * same three are asked in the same order.
 *
 * Kernel: mm/page_io.c (v6.12). Differs: block devices only, no swap
 * files that go through a file system; writes do not wait for neighbours in a
 * plug (in Linux those of shrink_lruvec() and of do_madvise() merge them).
 */
import { VM_BUG_ON } from "../base/bug.ts";
import type { Errno } from "../base/errno.ts";
import {
  REQ_OP_READ,
  REQ_OP_WRITE,
  submit_bio,
  submit_bio_wait,
  type Transfer,
} from "../block/bio.ts";
import type { BlkPlug } from "../block/blk_plug.ts";
import { spend } from "../sim/clock.ts";
import type { Task } from "../sim/task.ts";
import { enter } from "../sim/trace.ts";
import { folio_rotate_reclaimable } from "./lru.ts";
import {
  count_objcg_events,
  get_obj_cgroup_from_folio,
  obj_cgroup_put,
  type ObjCgroup,
} from "./memcontrol_objcg.ts";
import { mem_cgroup_zswap_writeback_enabled } from "./memcontrol_zswap.ts";
import type { Folio, Kernel, SwapInfoStruct } from "./mm_types.ts";
import {
  beforeEndWriteback,
  beforeUnlock,
  clearFlag,
  folio_test_swapcache,
  folio_test_uptodate,
  folio_unlock,
  PG_dirty,
  PG_reclaim,
  PG_uptodate,
  PG_writeback,
  setFlag,
  testAndClearFlag,
} from "./page_flags.ts";
import { PAGE_SIZE } from "./pgtable.ts";
import { zeromapClear, zeromapSet, zeromapTest } from "./swap_alloc.ts";
import { SWP_SYNCHRONOUS_IO } from "./swap.ts";
import { folio_free_swap } from "./swapfile.ts";
import { swp_offset, swp_type } from "./swapops.ts";
import { tell } from "./tell.ts";
import { zswap_invalidate, zswap_load, zswap_store } from "./zswap.ts";
import { zswap_folio_swapin } from "./zswap_shrinker.ts";

/** ->writepage() cannot: keep the page active. No errno: those are < 0. */
export const AOP_WRITEPAGE_ACTIVATE = 0x80000;

/** The 4096 bytes of a folio, in place. (Ours; Linux: kmap_local_folio().) */
export function pageBytes(k: Kernel, folio: Folio): Uint8Array {
  const start = folio.pfn * PAGE_SIZE;
  return k.memory.subarray(start, start + PAGE_SIZE);
}

const wordsPerPage = PAGE_SIZE / 8;

/**
 * The same as 512 words. (Ours.) To scan a page through its own view takes
 * two thirds of the time that it takes through one of all memory.
 */
export function pageWords(k: Kernel, folio: Folio): BigUint64Array {
  const { buffer } = k.memory;
  return new BigUint64Array(buffer, folio.pfn * PAGE_SIZE, wordsPerPage);
}

function deviceOf(k: Kernel, folio: Folio): SwapInfoStruct {
  return k.swap_info[swp_type(folio.swap)]!;
}

/**
 * Every word is zero. Looks at the last one first: it is the best witness.
 *
 * Eight words a turn; asUintN() tells the compiler that 64 bits will do.
 */
export function is_folio_zero_filled(k: Kernel, folio: Folio): boolean {
  spend(k.clock, k.costs.scanPage);
  const words = pageWords(k, folio);
  if (words[wordsPerPage - 1] !== 0n) return false;
  for (let i = 0; i < wordsPerPage; i += 8) {
    const any = words[i]! | words[i + 1]! | words[i + 2]! | words[i + 3]! |
      words[i + 4]! | words[i + 5]! | words[i + 6]! | words[i + 7]!;
    if (BigInt.asUintN(64, any) !== 0n) return false;
  }
  return true;
}

/**
 * swap_writepage() - bring a folio's bytes to where its slot can find them.
 *
 * @returns 0 and the folio unlocked; or AOP_WRITEPAGE_ACTIVATE, the folio
 *   locked and dirty: it must stay in memory
 *
 * If the device has to write, the folio has
 * PG_writeback until that is done; in the other cases it is clean at once.
 *
 * Context: folio locked, in the swap cache, its dirty flag cleared.
 */
export function* swap_writepage(k: Kernel, folio: Folio): Task<Errno> {
  enter(k.trace, "swap_writepage");
  // The last user may have gone since the slot was given.
  if (yield* folio_free_swap(k, folio)) {
    folio_unlock(folio);
    return 0;
  }
  if (k.quirks.filledPages === "zeromap" && is_folio_zero_filled(k, folio)) {
    if (k.proposals.zeromap_invalidates_zswap === "on") {
      yield* zswap_invalidate(k, folio.swap);
    }
    yield* swap_zeromap_folio_set(k, folio);
    folio_unlock(folio);
    return 0;
  }
  // The slot's bit may be set from an earlier life of the page.
  zeromapClear(deviceOf(k, folio), swp_offset(folio.swap));

  if (yield* zswap_store(k, folio)) {
    folio_unlock(folio);
    return 0;
  }
  // memory.zswap.writeback = 0: what zswap refuses stays in memory.
  if (!mem_cgroup_zswap_writeback_enabled(k, folio.memcg)) {
    setFlag(folio, PG_dirty);
    return AOP_WRITEPAGE_ACTIVATE;
  }
  yield* __swap_writepage(k, folio);
  return 0;
}

/**
 * __swap_writepage() - write to the device; unlocks the folio.
 *
 * A synchronous device has written when this returns; else the folio keeps
 * PG_writeback until the disk is done.
 *
 * Context: folio locked, in the swap cache.
 */
export function* __swap_writepage(k: Kernel, folio: Folio): Task {
  enter(k.trace, "__swap_writepage");
  VM_BUG_ON(!folio_test_swapcache(folio), "__swap_writepage: not cached");
  const si = deviceOf(k, folio);
  const { disk } = si;
  const sector = swp_offset(folio.swap);
  const page = pageBytes(k, folio);
  const transfer: Transfer = { op: REQ_OP_WRITE, sector, page };
  k.vm_event.pswpout++;
  tell(k, "__swap_writepage", "written to the device", {
    folio,
    entry: folio.swap,
  });
  setFlag(folio, PG_writeback);
  yield* beforeUnlock(folio);
  folio_unlock(folio);
  if ((si.flags & SWP_SYNCHRONOUS_IO) !== 0) {
    const status = yield* submit_bio_wait(disk, transfer);
    yield* beforeEndWriteback(folio);
    end_swap_bio_write(k, folio, status);
    return;
  }
  const bi_end_io = (status: Errno) => end_swap_bio_write(k, folio, status);
  yield* submit_bio(disk, { ...transfer, bi_end_io });
}

function end_swap_bio_write(k: Kernel, folio: Folio, status: Errno): void {
  if (status !== 0) {
    // The only copy is this one: keep it.
    setFlag(folio, PG_dirty);
    clearFlag(folio, PG_reclaim);
    tell(k, "end_swap_bio_write", "write error: the page stays", {
      folio,
      entry: folio.swap,
    });
  }
  if (testAndClearFlag(folio, PG_reclaim)) folio_rotate_reclaimable(k, folio);
  clearFlag(folio, PG_writeback);
}

/** Nobody has to keep the page: the machine and the group count it. */
function* swap_zeromap_folio_set(k: Kernel, folio: Folio): Task {
  enter(k.trace, "swap_zeromap_folio_set");
  const objcg = yield* get_obj_cgroup_from_folio(k, folio);
  zeromapSet(deviceOf(k, folio), swp_offset(folio.swap));
  countZero(k, objcg, "swpout_zero");
  tell(k, "swap_writepage", "all zero: one bit in the zero map", {
    folio,
    entry: folio.swap,
  });
}

/** @param objcg whose page it is, with a reference that goes */
function countZero(
  k: Kernel,
  objcg: ObjCgroup | null,
  event: "swpin_zero" | "swpout_zero",
): void {
  k.vm_event[event]++;
  if (objcg !== null) count_objcg_events(objcg, event, 1);
  obj_cgroup_put(k, objcg);
}

/** The zero map says what the page is. */
function* swap_read_folio_zeromap(k: Kernel, folio: Folio): Task<boolean> {
  if (!zeromapTest(deviceOf(k, folio), swp_offset(folio.swap))) return false;
  const objcg = yield* get_obj_cgroup_from_folio(k, folio);
  countZero(k, objcg, "swpin_zero");
  pageBytes(k, folio).fill(0);
  spend(k.clock, k.costs.copyPage);
  tell(k, "swap_read_folio", "filled with zeros", { folio, entry: folio.swap });
  setFlag(folio, PG_uptodate);
  return true;
}

/**
 * swap_read_folio() - fill a new folio from its slot.
 *
 * The folio is unlocked and up to date when the bytes are there: at once from
 * the zero map, zswap or a synchronous device, later from a disk. After a read
 * error it is unlocked and *not* up to date: the fault ends in SIGBUS.
 *
 * @param plug where the request may wait for its neighbours
 *
 * Context: folio locked, not up to date; in the swap cache, or the device is
 * synchronous and the slot is pinned.
 */
export function* swap_read_folio(
  k: Kernel,
  folio: Folio,
  plug: BlkPlug | null,
): Task {
  enter(k.trace, "swap_read_folio");
  const si = deviceOf(k, folio);
  const synchronous = (si.flags & SWP_SYNCHRONOUS_IO) !== 0;
  VM_BUG_ON(
    !folio_test_swapcache(folio) && !synchronous,
    () => `frame ${folio.pfn} is read past the swap cache`,
  );
  VM_BUG_ON(
    folio_test_uptodate(folio),
    () => `frame ${folio.pfn} is read twice`,
  );
  const isZero = yield* swap_read_folio_zeromap(k, folio);
  if (isZero || (yield* zswap_load(k, folio))) {
    folio_unlock(folio);
    return;
  }
  zswap_folio_swapin(k, folio);
  k.vm_event.pswpin++;
  tell(k, "swap_read_folio", "read from the device", {
    folio,
    entry: folio.swap,
  });
  const sector = swp_offset(folio.swap);
  const page = pageBytes(k, folio);
  const transfer: Transfer = { op: REQ_OP_READ, sector, page };
  if (synchronous) {
    end_swap_bio_read(k, folio, yield* submit_bio_wait(si.disk, transfer));
    return;
  }
  const bi_end_io = (status: Errno) => end_swap_bio_read(k, folio, status);
  yield* submit_bio(si.disk, { ...transfer, bi_end_io }, plug);
}

function end_swap_bio_read(k: Kernel, folio: Folio, status: Errno): void {
  if (status === 0) setFlag(folio, PG_uptodate);
  else tell(k, "end_swap_bio_read", "read error", { folio, entry: folio.swap });
  folio_unlock(folio);
}
