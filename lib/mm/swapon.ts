/**
 * A device becomes swap space: its header is read, its map made, and it takes
 * its place among the others.
 *
 * A number (`type`) that swapoff has given back is used again, and so is its
 * `SwapInfoStruct`.
 *
 * Kernel: mm/swapfile.c (v6.12), sys_swapon(). Differs: split off from
 * swapfile.c; does not sleep, so page 0 was read by the caller (swaponDevice())
 * or is what mkswap would have written; one extent a device.
 */
import { INIT_LIST_HEAD } from "../base/list.ts";
import { EBUSY, EINVAL, EPERM, type Errno } from "../base/errno.ts";
import { percpu_ref_init, percpu_ref_resurrect } from "../base/percpu_ref.ts";
import { plist_add, plist_node_init, type PlistNode } from "../base/plist.ts";
import { xa_init } from "../base/xarray.ts";
import {
  bdev_nonrot,
  bdev_stable_writes,
  bdev_synchronous,
  type BlockDevice,
  REQ_OP_READ,
  submit_bio_wait,
} from "../block/bio.ts";
import { spin_lock_init } from "../locking/spinlock.ts";
import { INIT_WORK } from "../locking/workqueue.ts";
import { makeOp, type Task } from "../sim/task.ts";
import type {
  Folio,
  Kernel,
  SwapInfoStruct,
  SwapperSpace,
} from "./mm_types.ts";
import { PAGE_SIZE } from "./pgtable.ts";
import {
  MAX_SWAPFILES,
  SWAP_ADDRESS_SPACE_PAGES,
  SWAP_FLAG_DISCARD,
  SWAP_FLAG_DISCARD_ONCE,
  SWAP_FLAG_DISCARD_PAGES,
  SWAP_FLAG_PREFER,
  SWAP_FLAG_PRIO_MASK,
  SWAP_FLAGS_VALID,
  SWAP_MAP_BAD,
  SWP_AREA_DISCARD,
  SWP_BLKDEV,
  SWP_DISCARDABLE,
  SWP_PAGE_DISCARD,
  SWP_SOLIDSTATE,
  SWP_STABLE_WRITES,
  SWP_SYNCHRONOUS_IO,
  SWP_USED,
  SWP_WRITEOK,
} from "./swap.ts";
import {
  emptyClusterLists,
  setup_clusters,
  swap_discard_work,
} from "./swap_cluster.ts";
import { swap_reclaim_work } from "./swap_cluster_alloc.ts";
import {
  makeSwapHeader,
  parseSwapHeader,
  type SwapHeader,
} from "./swap_header.ts";
import { swap_cgroup_swapon } from "./swap_cgroup.ts";
import { enable_swap_slots_cache } from "./swap_slots.ts";
import { zswap_swapon } from "./zswap.ts";

/** (Linux: -1.) The device is on no node in particular. */
export const NUMA_NO_NODE = -1;

export interface SwaponOptions {
  /** SWAP_FLAG_*; with SWAP_FLAG_PREFER the low 15 bits are the priority. */
  readonly swap_flags?: number;
  /** Page 0; if not given, what mkswap would have written. */
  readonly header?: Uint8Array;
  /** It is a file on the device, not the device itself. */
  readonly file?: boolean;
  /** The node whose CPUs prefer it to others without a given priority. */
  readonly node?: number;
}

/** swapon of a device by what stands in its page 0; also -EIO. (Ours.) */
export function* swaponDevice(
  k: Kernel,
  bdev: BlockDevice,
  options: SwaponOptions = {},
): Task<SwapInfoStruct | Errno> {
  const header = new Uint8Array(PAGE_SIZE);
  const read = { op: REQ_OP_READ, sector: 0, page: header } as const;
  const err = yield* submit_bio_wait(bdev, read);
  return err !== 0 ? err : sys_swapon(k, bdev, { ...options, header });
}

/**
 * sys_swapon() - start to swap to a device.
 *
 * @returns the device; its priority is the one asked for, else −2, −3, … in
 *   the order of adding. Or -EINVAL (flags or header make no sense, or the
 *   device is shorter than the header says), -EBUSY (it is swap already),
 *   -EPERM (no number is left)
 */
export function sys_swapon(
  k: Kernel,
  bdev: BlockDevice,
  options: SwaponOptions = {},
): SwapInfoStruct | Errno {
  const { swap_flags = 0, file = false, node = NUMA_NO_NODE } = options;
  if ((swap_flags & ~SWAP_FLAGS_VALID) !== 0) return -EINVAL;
  const type = freeType(k);
  if (type === null) return -EPERM;
  const isUsed = (si: SwapInfoStruct) =>
    (si.flags & SWP_USED) !== 0 && si.disk === bdev;
  if (k.swap_info.some(isUsed)) return -EBUSY;
  const last_page = bdev.pages - 1;
  const header = parseSwapHeader(
    options.header ?? makeSwapHeader({ last_page, badpages: [] }),
  );
  if (header === null || !isSound(header, bdev, file)) return -EINVAL;

  const si = alloc_swap_info(k, type, bdev);
  if (!file) si.flags |= SWP_BLKDEV;
  setup_swap_map(si, header);
  takeFeatures(k, si, header, swap_flags);
  si.swapper_spaces = makeSpaces(type, si.max);
  swap_cgroup_swapon(k, type, si.max);
  zswap_swapon(k, si);

  const preferred = (swap_flags & SWAP_FLAG_PREFER) !== 0;
  const prio = preferred ? swap_flags & SWAP_FLAG_PRIO_MASK : -1;
  si.homeNode = node;
  setup_swap_info(k, si, prio);
  percpu_ref_resurrect(si.users);
  _enable_swap_info(k, si);
  enable_swap_slots_cache(k);
  return si;
}

/** The header fits the device, and leaves at least one page to use. */
function isSound(
  { last_page, badpages }: SwapHeader,
  bdev: BlockDevice,
  file: boolean,
): boolean {
  if (last_page + 1 > bdev.pages) return false;
  if (badpages.length > 0 && file) return false;
  if (badpages.some((page) => page === 0 || page > last_page)) return false;
  return badpages.length < last_page;
}

/** The lowest number that no device has, or null. */
function freeType(k: Kernel): number | null {
  const unused = k.swap_info.findIndex((si) => (si.flags & SWP_USED) === 0);
  if (unused >= 0) return unused;
  return k.swap_info.length < MAX_SWAPFILES ? k.swap_info.length : null;
}

/** The struct of a number: made, or taken again. */
function alloc_swap_info(
  k: Kernel,
  type: number,
  disk: BlockDevice,
): SwapInfoStruct {
  const si = k.swap_info[type] ?? makeSwapInfo(k, type, disk);
  k.swap_info[type] = si;
  si.disk = disk;
  si.flags = SWP_USED;
  si.inuse_pages = 0;
  si.lowest_bit = 1;
  si.cluster_next = 1;
  si.cluster_nr = 0;
  return si;
}

function makeSwapInfo(
  k: Kernel,
  type: number,
  disk: BlockDevice,
): SwapInfoStruct {
  const users = percpu_ref_init(`swap_info[${type}]->users`, () => {}, true);
  const si = {
    type,
    prio: 0,
    flags: 0,
    homeNode: NUMA_NO_NODE,
    lock: spin_lock_init(`swap_info[${type}]->lock`),
    swap_map: new Uint8Array(0),
    zeromap: new Uint8Array(0),
    max: 0,
    pages: 0,
    inuse_pages: 0,
    lowest_bit: 0,
    highest_bit: 0,
    cluster_next: 0,
    cluster_nr: 0,
    cluster_info: null,
    free_clusters: INIT_LIST_HEAD(),
    full_clusters: INIT_LIST_HEAD(),
    nonfull_clusters: INIT_LIST_HEAD(),
    frag_clusters: INIT_LIST_HEAD(),
    frag_cluster_nr: 0,
    discard_clusters: INIT_LIST_HEAD(),
    percpu_cluster: [],
    users,
    continuations: new Map(),
    swapper_spaces: [],
    disk,
  } as unknown as { -readonly [F in keyof SwapInfoStruct]: SwapInfoStruct[F] };
  si.list = plist_node_init<SwapInfoStruct>(si, 0);
  si.avail_lists = k.nodes.map(() => plist_node_init<SwapInfoStruct>(si, 0));
  si.discard_work = INIT_WORK("swap_discard_work", () => swap_discard_work(si));
  si.reclaim_work = INIT_WORK(
    "swap_reclaim_work",
    () => swap_reclaim_work(k, si),
  );
  return si;
}

/** One byte a slot, all free but the header and the bad ones. */
function setup_swap_map(si: SwapInfoStruct, header: SwapHeader): void {
  si.max = header.last_page + 1;
  si.highest_bit = header.last_page;
  si.pages = header.last_page - header.badpages.length;
  si.swap_map = new Uint8Array(si.max);
  si.zeromap = new Uint8Array(Math.ceil(si.max / 8));
  si.swap_map[0] = SWAP_MAP_BAD;
  for (const page of header.badpages) si.swap_map[page] = SWAP_MAP_BAD;
}

/** What the device can do decides how it is used. */
function takeFeatures(
  k: Kernel,
  si: SwapInfoStruct,
  { badpages }: SwapHeader,
  swap_flags: number,
): void {
  if (bdev_stable_writes(si.disk)) si.flags |= SWP_STABLE_WRITES;
  if (bdev_synchronous(si.disk)) si.flags |= SWP_SYNCHRONOUS_IO;
  emptyClusterLists(si);
  if (bdev_nonrot(si.disk)) {
    si.flags |= SWP_SOLIDSTATE;
    setup_clusters(si, badpages, k.nr_cpus);
  } else {
    k.nr_rotate_swap++;
  }
  const discard = si.disk.discard ?? null;
  if ((swap_flags & SWAP_FLAG_DISCARD) === 0 || discard === null) return;
  si.flags |= SWP_DISCARDABLE | SWP_AREA_DISCARD | SWP_PAGE_DISCARD;
  if ((swap_flags & SWAP_FLAG_DISCARD_ONCE) !== 0) {
    si.flags &= ~SWP_PAGE_DISCARD;
  } else if ((swap_flags & SWAP_FLAG_DISCARD_PAGES) !== 0) {
    si.flags &= ~SWP_AREA_DISCARD;
  }
  // All but the header.
  if ((si.flags & SWP_AREA_DISCARD) !== 0) discard(1, si.max - 1);
}

/** (Linux: init_swap_address_space().) */
function makeSpaces(type: number, max: number): SwapperSpace[] {
  const count = Math.ceil(max / SWAP_ADDRESS_SPACE_PAGES);
  return Array.from({ length: count }, (_, index) => {
    const name = `swap cache ${type}:${index}`;
    const xa = xa_init<Folio | number>(name);
    return {
      xa,
      nrpages: 0,
      lock: spin_lock_init(`xa_lock(${name})`, xa),
      load: makeOp("read", `filemap_get_folio(${name})`, xa),
    };
  });
}

/**
 * setup_swap_info() - the device's priority and its places on the lists.
 *
 * @param prio 0 … 32767, or below 0: one less than the lowest so far. Of those
 *   the CPUs of a device's own node prefer that device.
 */
export function setup_swap_info(
  { swap }: Kernel,
  si: SwapInfoStruct,
  prio: number,
): void {
  si.prio = prio >= 0 ? prio : --swap.least_priority;
  // The lists go up, priorities go down.
  si.list.prio = -si.prio;
  for (const [nid, link] of si.avail_lists.entries()) {
    link.prio = si.prio < 0 && nid === si.homeNode ? 1 : -si.prio;
  }
}

/** From now on it gives out slots. */
export function _enable_swap_info(k: Kernel, si: SwapInfoStruct): void {
  si.flags |= SWP_WRITEOK;
  k.nr_swap_pages += si.pages;
  k.total_swap_pages += si.pages;
  plist_add(si.list, k.swap.swap_active_head);
  if (si.highest_bit === 0) return;
  const add = (link: PlistNode<SwapInfoStruct>, nid: number) =>
    plist_add(link, k.swap.swap_avail_heads[nid]!);
  si.avail_lists.forEach(add);
}

/** What sysinfo() and /proc/meminfo say of swap, in pages. */
export interface SwapTotals {
  readonly totalswap: number;
  readonly freeswap: number;
}

/** si_swapinfo() - what is left on a device that goes still counts, as free. */
export function si_swapinfo(k: Kernel): SwapTotals {
  let nr_to_be_unused = 0;
  for (const { flags, inuse_pages } of k.swap_info) {
    const leaves = (flags & (SWP_USED | SWP_WRITEOK)) === SWP_USED;
    if (leaves) nr_to_be_unused += inuse_pages;
  }
  return {
    totalswap: k.total_swap_pages + nr_to_be_unused,
    freeswap: k.nr_swap_pages + nr_to_be_unused,
  };
}
