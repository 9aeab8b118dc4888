/**
 * Moving one page between memory and what stands behind its slot.
 *
 * On the way out the cheapest place wins: nothing at all for a page of zeros
 * (one bit), zswap for one that shrinks, else the device. On the way in the
 * same three are asked in the same order.
 *
 * Kernel: mm/page_io.c (v6.12). Differs: block devices only, no plugging;
 * memory.zswap.writeback is not modelled (no cgroups).
 */
import type { Errno } from "../base/errno.ts";
import { REQ_OP_READ, REQ_OP_WRITE, submit_bio } from "../block/disk.ts";
import { spend } from "../sim/clock.ts";
import type { Task } from "../sim/task.ts";
import { emit } from "../sim/trace.ts";
import { folio_rotate_reclaimable } from "./lru.ts";
import type { Folio, Kernel, SwapInfoStruct } from "./mm_types.ts";
import {
  clearFlag,
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
import { folio_free_swap } from "./swapfile.ts";
import { entryName, swp_offset, swp_type } from "./swapops.ts";
import { zswap_load, zswap_store } from "./zswap.ts";

/** The 4096 bytes of a folio, in place. (Ours; Linux: kmap_local_folio().) */
export function pageBytes(k: Kernel, folio: Folio): Uint8Array {
  const start = folio.pfn * PAGE_SIZE;
  return k.memory.subarray(start, start + PAGE_SIZE);
}

function deviceOf(k: Kernel, folio: Folio): SwapInfoStruct {
  return k.swap_info[swp_type(folio.swap)]!;
}

function tell(k: Kernel, folio: Folio, fn: string, what: string): void {
  emit(k.trace, {
    time: k.clock.now,
    fn,
    what,
    pfn: folio.pfn,
    slot: entryName(folio.swap),
  });
}

/** Every word is zero. Looks at the last one first: it is the best witness. */
export function is_folio_zero_filled(k: Kernel, folio: Folio): boolean {
  spend(k.clock, k.costs.scanPage);
  const words = new Uint32Array(
    k.memory.buffer,
    k.memory.byteOffset + folio.pfn * PAGE_SIZE,
    PAGE_SIZE / 4,
  );
  if (words[words.length - 1] !== 0) return false;
  for (let i = 0; i < words.length - 1; i++) {
    if (words[i] !== 0) return false;
  }
  return true;
}

/**
 * swap_writepage() - bring a folio's bytes to where its slot can find them.
 *
 * Returns with the folio unlocked. If the device has to write, the folio has
 * PG_writeback until that is done; in the other cases it is clean at once.
 *
 * Context: folio locked, in the swap cache, its dirty flag cleared.
 */
export function* swap_writepage(k: Kernel, folio: Folio): Task<Errno> {
  // The last user may have gone since the slot was given.
  if (yield* folio_free_swap(k, folio)) {
    folio_unlock(folio);
    return 0;
  }
  const si = deviceOf(k, folio);
  const offset = swp_offset(folio.swap);
  if (is_folio_zero_filled(k, folio)) {
    zeromapSet(si, offset);
    k.vm_event.swpout_zero++;
    tell(k, folio, "swap_writepage", "all zero: one bit in the zero map");
    folio_unlock(folio);
    return 0;
  }
  // The slot's bit may be set from an earlier life of the page.
  zeromapClear(si, offset);

  if (yield* zswap_store(k, folio)) {
    folio_unlock(folio);
    return 0;
  }
  __swap_writepage(k, folio);
  return 0;
}

/** Start to write to the device; unlocks the folio. */
export function __swap_writepage(k: Kernel, folio: Folio): void {
  k.vm_event.pswpout++;
  tell(k, folio, "__swap_writepage", "written to the device");
  setFlag(folio, PG_writeback);
  folio_unlock(folio);
  submit_bio(deviceOf(k, folio).disk, {
    op: REQ_OP_WRITE,
    sector: swp_offset(folio.swap),
    page: pageBytes(k, folio),
    bi_end_io: (status) => end_swap_bio_write(k, folio, status),
  });
}

function end_swap_bio_write(k: Kernel, folio: Folio, status: Errno): void {
  if (status !== 0) {
    // The only copy is this one: keep it.
    setFlag(folio, PG_dirty);
    clearFlag(folio, PG_reclaim);
    tell(k, folio, "end_swap_bio_write", "write error: the page stays");
  }
  if (testAndClearFlag(folio, PG_reclaim)) folio_rotate_reclaimable(k, folio);
  clearFlag(folio, PG_writeback);
}

/**
 * swap_read_folio() - fill a new folio of the swap cache from its slot.
 *
 * The folio is unlocked and up to date when the bytes are there: at once from
 * the zero map or zswap, later from the device. After a read error it is
 * unlocked and *not* up to date: the fault ends in SIGBUS.
 *
 * Context: folio locked, in the swap cache, not up to date.
 */
export function* swap_read_folio(k: Kernel, folio: Folio): Task {
  const si = deviceOf(k, folio);
  const offset = swp_offset(folio.swap);
  if (zeromapTest(si, offset)) {
    pageBytes(k, folio).fill(0);
    spend(k.clock, k.costs.copyPage);
    k.vm_event.swpin_zero++;
    tell(k, folio, "swap_read_folio", "filled with zeros");
    setFlag(folio, PG_uptodate);
    folio_unlock(folio);
    return;
  }
  if (yield* zswap_load(k, folio)) {
    folio_unlock(folio);
    return;
  }
  k.vm_event.pswpin++;
  tell(k, folio, "swap_read_folio", "read from the device");
  submit_bio(si.disk, {
    op: REQ_OP_READ,
    sector: offset,
    page: pageBytes(k, folio),
    bi_end_io: (status) => {
      if (status === 0) setFlag(folio, PG_uptodate);
      else tell(k, folio, "swap_read_folio", "read error");
      folio_unlock(folio);
    },
  });
}
