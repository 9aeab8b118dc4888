/**
 * Readahead: when one page has to come back, its neighbours come along.
 *
 * Neighbours in what sense? If a rotating disk is in use, those in the slots
 * around it (an aligned block: *cluster* readahead); else those at the
 * addresses around it (*VMA* readahead). How many: the hits since the last
 * time decide. A page that was read ahead has PG_readahead until somebody finds
 * it in the cache.
 *
 * Kernel: mm/swap_state.c, mm/swap.c (v6.12). Differs: split off from
 * swap_state.c; no memory policies; requests of one read are plugged together
 * also where Linux would plug per file.
 */
import {
  blk_finish_plug,
  blk_start_plug,
  type BlkPlug,
} from "../block/blk_plug.ts";
import { andThen, type Task } from "../sim/task.ts";
import { enter } from "../sim/trace.ts";
import type { VmFault } from "./memory.ts";
import type { Folio, Kernel, VmArea } from "./mm_types.ts";
import { folio_put } from "./page_alloc.ts";
import { PG_readahead, setFlag, testAndClearFlag } from "./page_flags.ts";
import { swap_read_folio } from "./page_io.ts";
import {
  is_swap_pte,
  PAGE_SIZE,
  pte_to_swp_entry,
  ptep_get,
  PTRS_PER_PTE,
} from "./pgtable.ts";
import { __read_swap_cache_async, filemap_get_folio } from "./swap_state.ts";
import {
  non_swap_entry,
  swp_entry,
  swp_offset,
  swp_type,
  type SwpEntry,
} from "./swapops.ts";

/** VMA readahead takes at most 2 to this power pages. */
export const SWAP_RA_ORDER_CEILING = 5;
/** Hits are kept in six bits. */
export const SWAP_RA_HITS_MAX = 63;
/** So is the window, above them. */
const winUnit = 64;
/** What an area says that was never asked, and the counter at boot. */
const hitsAtFirst = 4;

/** What readahead remembers for the whole machine. */
export interface SwapReadahead {
  /** vm.page-cluster: a read takes at most 2 to this power pages. */
  page_cluster: number;
  /** /sys/kernel/mm/swap/vma_ra_enabled. */
  enable_vma_readahead: boolean;
  /** Of cluster readahead: hits since the last window. */
  swapin_readahead_hits: number;
  /** Of cluster readahead: the last offset without hits, the last window. */
  prev_offset: number;
  last_readahead_pages: number;
}

/** As at boot. */
export function makeSwapReadahead(page_cluster: number): SwapReadahead {
  return {
    page_cluster,
    enable_vma_readahead: true,
    swapin_readahead_hits: hitsAtFirst,
    prev_offset: 0,
    last_readahead_pages: 0,
  };
}

/** The last fault of an area, as unpacked by unpackRaVal(). */
export interface RaVal {
  /** Multiple of 4096. */
  readonly address: number;
  /** In pages. */
  readonly win: number;
  readonly hits: number;
}

/** Address, window and hits in one word. */
export function SWAP_RA_VAL(address: number, win: number, hits: number) {
  return address + (win % winUnit) * winUnit + hits % winUnit;
}

/** The word of an area taken apart; 0 reads as "4 hits, nothing else". */
export function unpackRaVal({ swap_readahead_info }: VmArea): RaVal {
  const val = swap_readahead_info === 0 ? hitsAtFirst : swap_readahead_info;
  const low = val % PAGE_SIZE;
  return {
    address: val - low,
    win: Math.floor(low / winUnit),
    hits: low % winUnit,
  };
}

/** By address, unless a device with a head is in use. */
export function swap_use_vma_readahead(k: Kernel): boolean {
  return k.readahead.enable_vma_readahead && k.nr_rotate_swap === 0;
}

/**
 * swap_cache_get_folio() - the folio in the cache, and a hit for readahead if
 * that is why it is there.
 *
 * @param vma null for shared memory: its hits count for the machine
 * @returns the folio with one more reference, or null
 */
export function swap_cache_get_folio(
  k: Kernel,
  entry: SwpEntry,
  vma: VmArea | null,
  address: number,
): Task<Folio | null> {
  enter(k.trace, "swap_cache_get_folio");
  return andThen(filemap_get_folio(k, entry), (folio) => {
    if (folio !== null) noteHit(k, folio, vma, address);
    return folio;
  });
}

/** It was found: by whom, where, and was it read ahead? */
function noteHit(
  k: Kernel,
  folio: Folio,
  vma: VmArea | null,
  address: number,
): void {
  const vma_ra = swap_use_vma_readahead(k);
  const readahead = testAndClearFlag(folio, PG_readahead);
  if (vma !== null && vma_ra) {
    const { win, hits } = unpackRaVal(vma);
    const more = readahead ? Math.min(hits + 1, SWAP_RA_HITS_MAX) : hits;
    vma.swap_readahead_info = SWAP_RA_VAL(address, win, more);
  }
  if (readahead) {
    k.vm_event.swap_ra_hit++;
    if (vma === null || !vma_ra) k.readahead.swapin_readahead_hits++;
  }
}

/**
 * __swapin_nr_pages() - the window, in pages.
 *
 * `offset` and `prev_offset` are slots or virtual page numbers, `hits` those
 * since the last window. The floor of half the last window comes last, so the
 * result may exceed `max_pages` once that was lowered.
 */
export function __swapin_nr_pages(
  prev_offset: number,
  offset: number,
  hits: number,
  max_pages: number,
  prev_win: number,
): number {
  let pages = hits + 2;
  if (pages === 2) {
    // Nothing to judge by but whether the reader moves on by one.
    if (Math.abs(offset - prev_offset) !== 1) pages = 1;
  } else {
    let roundup = 4;
    while (roundup < pages) roundup <<= 1;
    pages = roundup;
  }
  return Math.max(Math.min(pages, max_pages), prev_win >> 1);
}

/** The window of cluster readahead; uses up the hits. */
export function swapin_nr_pages(k: Kernel, offset: number): number {
  const state = k.readahead;
  const max_pages = 2 ** state.page_cluster;
  if (max_pages <= 1) return 1;
  const hits = state.swapin_readahead_hits;
  state.swapin_readahead_hits = 0;
  const pages = __swapin_nr_pages(
    state.prev_offset,
    offset,
    hits,
    max_pages,
    state.last_readahead_pages,
  );
  if (hits === 0) state.prev_offset = offset;
  state.last_readahead_pages = pages;
  return pages;
}

/** One slot of a window: start its read, if nobody has it yet. */
function* readAhead(
  k: Kernel,
  entry: SwpEntry,
  wanted: boolean,
  gfp: number,
  plug: BlkPlug,
): Task {
  const found = yield* __read_swap_cache_async(k, entry, gfp, false);
  if (found === null) return;
  const { folio, isNew } = found;
  if (isNew) {
    yield* swap_read_folio(k, folio, plug);
    if (!wanted) {
      setFlag(folio, PG_readahead);
      k.vm_event.swap_ra++;
    }
  }
  folio_put(k, folio);
}

/** The page that was asked for: most likely it is being read by now. */
function* readTarget(
  k: Kernel,
  entry: SwpEntry,
  gfp: number,
): Task<Folio | null> {
  const found = yield* __read_swap_cache_async(k, entry, gfp, false);
  if (found === null) return null;
  if (found.isNew) yield* swap_read_folio(k, found.folio, null);
  return found.folio;
}

/**
 * swap_cluster_readahead() - read the aligned block of slots around one.
 *
 * @returns the folio of `entry` with a reference, perhaps still locked for
 *   I/O; null if the slot was freed or memory is exhausted
 */
export function* swap_cluster_readahead(
  k: Kernel,
  entry: SwpEntry,
  gfp: number,
): Task<Folio | null> {
  enter(k.trace, "swap_cluster_readahead");
  const offset = swp_offset(entry);
  const win = swapin_nr_pages(k, offset);
  if (win > 1) {
    const type = swp_type(entry);
    const block = offset - offset % win;
    // Slot 0 is the header.
    const start = Math.max(block, 1);
    const end = Math.min(block + win - 1, k.swap_info[type]!.max - 1);
    const plug = blk_start_plug();
    for (let at = start; at <= end; at++) {
      yield* readAhead(k, swp_entry(type, at), at === offset, gfp, plug);
    }
    blk_finish_plug(plug);
  }
  return yield* readTarget(k, entry, gfp);
}

/** Virtual pages from `start` up to, not including, `end`. */
export interface RaWindow {
  readonly win: number;
  readonly start: number;
  readonly end: number;
}

/**
 * swap_vma_ra_win() - the window around a faulting page.
 *
 * Ahead of it if the reader moves up, behind it if he moves down, else around
 * it; within the area and the page table.
 *
 * @param vpn virtual page number: address / 4096
 * @returns win 1 for no readahead; `win` counts before the clipping
 */
export function swap_vma_ra_win(
  k: Kernel,
  vma: VmArea,
  vpn: number,
): RaWindow {
  const order = Math.min(k.readahead.page_cluster, SWAP_RA_ORDER_CEILING);
  const max_win = 2 ** order;
  if (max_win === 1) return { win: 1, start: vpn, end: vpn + 1 };

  const last = unpackRaVal(vma);
  const prev = last.address / PAGE_SIZE;
  const win = __swapin_nr_pages(prev, vpn, last.hits, max_win, last.win);
  vma.swap_readahead_info = SWAP_RA_VAL(vpn * PAGE_SIZE, win, 0);
  if (win === 1) return { win: 1, start: vpn, end: vpn + 1 };

  let left = vpn - ((win - 1) >> 1);
  if (vpn === prev + 1) left = vpn;
  else if (vpn === prev - 1) left = vpn - win + 1;
  const table = vpn - vpn % PTRS_PER_PTE;
  return {
    win,
    start: Math.max(left, vma.vm_start / PAGE_SIZE, table),
    end: Math.min(left + win, vma.vm_end / PAGE_SIZE, table + PTRS_PER_PTE),
  };
}

/** Read the swapped pages at the addresses around the faulting one. */
function swap_vma_readahead(
  k: Kernel,
  entry: SwpEntry,
  gfp: number,
  vmf: VmFault,
): Task<Folio | null> {
  const window = swap_vma_ra_win(k, vmf.vma, vmf.vpn);
  return window.win > 1
    ? readWindow(k, gfp, vmf, window)
    : readTarget(k, entry, gfp);
}

function* readWindow(
  k: Kernel,
  gfp: number,
  { vpn, table, orig_pte }: VmFault,
  { start, end }: RaWindow,
): Task<Folio | null> {
  const plug = blk_start_plug();
  for (let at = start; at < end; at++) {
    // Looked at without the lock: at worst the slot is another's by now.
    const pte = ptep_get(table, at % PTRS_PER_PTE);
    if (!is_swap_pte(pte)) continue;
    const near = pte_to_swp_entry(pte);
    if (non_swap_entry(near)) continue;
    yield* readAhead(k, near, at === vpn, gfp, plug);
  }
  blk_finish_plug(plug);
  return yield* readTarget(k, pte_to_swp_entry(orig_pte), gfp);
}

/**
 * swapin_readahead() - the folio for a slot, its read and that of its
 * neighbours started.
 *
 * @returns the folio with a reference, perhaps still locked for I/O; null if
 *   the slot was freed or memory is exhausted
 */
export function swapin_readahead(
  k: Kernel,
  entry: SwpEntry,
  gfp: number,
  vmf: VmFault,
): Task<Folio | null> {
  enter(k.trace, "swapin_readahead");
  return swap_use_vma_readahead(k)
    ? swap_vma_readahead(k, entry, gfp, vmf)
    : swap_cluster_readahead(k, entry, gfp);
}
