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
/** One swap-cache space and one zswap tree for each 2^14 slots: 64 MiB. */
export const SWAP_ADDRESS_SPACE_SHIFT = 14;
export const SWAP_ADDRESS_SPACE_PAGES = 1 << SWAP_ADDRESS_SPACE_SHIFT;
/** How often reclaim and the zswap worker try again without progress. */
export const MAX_RECLAIM_RETRIES = 16;

// Flags of a swap device.
export const SWP_USED = 1 << 0;
export const SWP_WRITEOK = 1 << 1;
export const SWP_CONTINUED = 1 << 5;
export const SWP_BLKDEV = 1 << 6;
