/**
 * The constants of swap: what a byte of the swap map can say, and the batch
 * sizes of reclaim.
 *
 * Kernel: include/linux/swap.h (v6.12).
 */

/** Flag in a map byte: the slot is pinned, usually by a folio in the cache. */
export const SWAP_HAS_CACHE = 0x40;
/** Flag in a map byte: the count goes on in a continuation page. */
export const COUNT_CONTINUED = 0x80;
/** The largest number of users that one byte can hold. */
export const SWAP_MAP_MAX = 0x3e;
/** The header, or a slot on a bad block: never given out. */
export const SWAP_MAP_BAD = 0x3f;
/** Owned by shared memory: not counted. An alias: MAP_BAD | CONTINUED. */
export const SWAP_MAP_SHMEM = 0xbf;
/** The largest digit in a byte of a continuation page. */
export const SWAP_CONT_MAX = 0x7f;

/** How many folios one round of reclaim takes from a list. */
export const SWAP_CLUSTER_MAX = 32;
/** Slots to a cluster: HPAGE_PMD_NR on x86-64 with CONFIG_THP_SWAP. */
export const SWAPFILE_CLUSTER = 512;
/** Device numbers: 32, less those that mean something else in an entry. */
export const MAX_SWAPFILES = 23;
/** How many slots get_swap_pages() gives at most. */
export const SWAP_BATCH = 64;
/** A search for slots lets others run after so many steps. */
export const LATENCY_LIMIT = 256;
/** One swap-cache space and one zswap tree for each 2^14 slots: 64 MiB. */
export const SWAP_ADDRESS_SPACE_SHIFT = 14;
export const SWAP_ADDRESS_SPACE_PAGES = 1 << SWAP_ADDRESS_SPACE_SHIFT;
/** How often reclaim and the zswap worker try again without progress. */
export const MAX_RECLAIM_RETRIES = 16;

// Flags of swapon().
/** The low bits are the priority. */
export const SWAP_FLAG_PREFER = 0x8000;
export const SWAP_FLAG_PRIO_MASK = 0x7fff;
/** Tell the device what is free: once at the start, or cluster by cluster. */
export const SWAP_FLAG_DISCARD = 0x10000;
export const SWAP_FLAG_DISCARD_ONCE = 0x20000;
export const SWAP_FLAG_DISCARD_PAGES = 0x40000;
export const SWAP_FLAGS_VALID = 0x7ffff;

// Flags of a swap device.
export const SWP_USED = 1 << 0;
/** It gives out slots: it is neither being added nor taken away. */
export const SWP_WRITEOK = 1 << 1;
/** It wants to be told which slots are free. */
export const SWP_DISCARDABLE = 1 << 2;
/** No place is nearer than another: its slots are in clusters. */
export const SWP_SOLIDSTATE = 1 << 4;
/** Some count goes on in a continuation page. */
export const SWP_CONTINUED = 1 << 5;
export const SWP_BLKDEV = 1 << 6;
/** Told so once, when it is added; told so for each free cluster. */
export const SWP_AREA_DISCARD = 1 << 9;
export const SWP_PAGE_DISCARD = 1 << 10;
/** A page must not change while it is written. */
export const SWP_STABLE_WRITES = 1 << 11;
/** The device does its work in the caller's time. */
export const SWP_SYNCHRONOUS_IO = 1 << 12;
/** From this bit on: how many search it for slots. */
export const SWP_SCANNING = 1 << 14;

// Flags of a cluster: on which list it is; none: on discard_clusters.
export const CLUSTER_FLAG_FREE = 1 << 0;
export const CLUSTER_FLAG_NONFULL = 1 << 1;
export const CLUSTER_FLAG_FRAG = 1 << 2;
export const CLUSTER_FLAG_FULL = 1 << 3;
/** percpu_cluster: this CPU has no place to go on. */
export const SWAP_NEXT_INVALID = 0;
