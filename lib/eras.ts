/**
 * Other releases of Linux as presets: the switches that they need, and what
 * they did that the engine does not. Ours.
 *
 * Stable kernels are not snapshots: "6.1" is the late 6.1.y, which has the pin
 * of thread 003 as a back-port.
 */
import { type Proposals, v6_12 } from "./proposals.ts";
import { type Quirks, v6_12Quirks } from "./quirks.ts";

export type Era = "6.1" | "6.6" | "6.8" | "6.12" | "6.18" | "7.2";

/** A release as far as the engine can be it. */
export interface LinuxEra {
  readonly era: Era;
  readonly proposals: Proposals;
  readonly quirks: Quirks;
  /** What the release did otherwise and neither covers. */
  readonly notModelled: readonly string[];
}

const poolEra: Partial<Proposals> = {
  exclusive_loads: "off",
  zswap_invalidate_at: "swap_range_free",
  zswap_lru: "pool",
  skip_if_exists: "off",
  second_chance: "off",
};

const byEra: { readonly [Name in Era]: Partial<Proposals> } = {
  "6.1": { ...poolEra, sync_swapin_backoff: "tick" },
  "6.6": { ...poolEra, sync_swapin_pin: "none", sync_swapin_backoff: "none" },
  "6.8": {
    exclusive_loads: "off",
    zswap_invalidate_at: "swap_range_free",
    sync_swapin_backoff: "tick",
    second_chance: "off",
  },
  "6.12": {},
  // Without the cache a slot is free at once: both values do the same.
  "6.18": { swap_slot_cache: "off", zswap_invalidate_at: "swap_range_free" },
  "7.2": {
    swap_slot_cache: "off",
    zswap_invalidate_at: "swap_range_free",
    exclusive_loads: "on",
  },
};

/** Until 6.8. */
const olderZswap: Partial<Quirks> = {
  filledPages: "zswap",
  olderCopyGoes: "before",
  slotsFreedBy: "one",
};

const quirksOf: { readonly [Name in Era]: Partial<Quirks> } = {
  "6.1": { ...olderZswap, zswapHeader: 8, zspageGroups: "quarters" },
  "6.6": olderZswap,
  "6.8": olderZswap,
  "6.12": {},
  "6.18": { incompressible: "store" },
  "7.2": { incompressible: "store", writeFaultFreesSlot: false },
};

const clusters = "the allocator of slots before the clusters of 6.12";
const newSwap = "the swap table: no swap_map with SWAP_HAS_CACHE";
const oneTree = "one red-black tree for each device, entries counted";
const strictly =
  "a full pool takes pages again when it is below the threshold, strictly";

const notModelled: { readonly [Name in Era]: readonly string[] } = {
  "6.1": [
    clusters,
    oneTree,
    "frontswap stands between swap and zswap: a bit a slot",
    "zbud and z3fold keep the list of victims, a page of the pool each",
    "a compressor's error raises no counter",
    strictly,
  ],
  "6.6": [
    clusters,
    oneTree,
    strictly,
    "32 zpools for each pool",
    "while zswap is off, a slot's older copy stays when the device takes the " +
    "new one",
  ],
  "6.8": [
    clusters,
    oneTree,
    strictly,
    "each pool has its own lists, cursor and worker",
    "the worker counts more failures: each end of a round, each group that " +
    "is offline or has nothing to evict",
    "the shrinker protects an estimated number of young entries",
  ],
  "6.12": [],
  "6.18": [newSwap, "zswap stores large folios", "no zpool: only zsmalloc"],
  "7.2": [newSwap, "zswap stores large folios", "no zpool: only zsmalloc"],
};

/**
 * linux() - the switches of a release.
 *
 * @throws RangeError for a release that is not known
 */
export function linux(era: Era): LinuxEra {
  if (!Object.hasOwn(byEra, era)) {
    throw new RangeError(
      `linux: wanted one of ${Object.keys(byEra).join(", ")}; got "${era}"`,
    );
  }
  return {
    era,
    proposals: { ...v6_12, ...byEra[era] },
    quirks: { ...v6_12Quirks, ...quirksOf[era] },
    notModelled: notModelled[era],
  };
}
