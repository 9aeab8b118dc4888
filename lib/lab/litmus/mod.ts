/** All litmus tests, in the order of the threads; planted ones last. Ours. */
import type { Proposals } from "../../proposals.ts";
import type { Program } from "../../sim/execute.ts";
import { exclusiveLoadLost } from "./exclusive_load_lost.ts";
import { type Litmus, programOf } from "./litmus.ts";
import { memcgFreeVsLruDel } from "./memcg_free_vs_lru_del.ts";
import { memcgReparentVsLruAdd } from "./memcg_reparent_vs_lru_add.ts";
import { nextShrinkZombie } from "./next_shrink_zombie.ts";
import { wakeupLostInSwapcacheWq } from "./wakeup_lost_in_swapcache_wq.ts";
import { writebackVsSwapoff } from "./writeback_vs_swapoff.ts";
import { writebackVsInvalidate } from "./writeback_vs_invalidate.ts";
import { storeVsLoadSameSlot } from "./store_vs_load_same_slot.ts";
import { slotReuseInReadahead } from "./slot_reuse_in_readahead.ts";
import { forkVsSwapin } from "./fork_vs_swapin.ts";
import { doubleFaultSamePage } from "./double_fault_same_page.ts";
import { plantedLockInversion } from "./planted_lock_inversion.ts";
import { plantedLostUpdate } from "./planted_lost_update.ts";
import { plantedMissingWakeup } from "./planted_missing_wakeup.ts";
import { skipIfExistsRecursion } from "./skip_if_exists_recursion.ts";
import { slotCacheStaleEntry } from "./slot_cache_stale_entry.ts";
import { syncSwapinAba } from "./sync_swapin_aba.ts";
import { zapTrylock } from "./zap_trylock.ts";
import { zapVsReadaheadOrphan } from "./zap_vs_readahead_orphan.ts";
import { zeromapOverZswap } from "./zeromap_over_zswap.ts";

export const litmusTests: readonly Litmus[] = [
  slotCacheStaleEntry,
  exclusiveLoadLost,
  memcgReparentVsLruAdd,
  memcgFreeVsLruDel,
  skipIfExistsRecursion,
  nextShrinkZombie,
  syncSwapinAba,
  zapTrylock,
  zapVsReadaheadOrphan,
  wakeupLostInSwapcacheWq,
  doubleFaultSamePage,
  forkVsSwapin,
  slotReuseInReadahead,
  storeVsLoadSameSlot,
  writebackVsInvalidate,
  writebackVsSwapoff,
  zeromapOverZswap,
  plantedLostUpdate,
  plantedLockInversion,
  plantedMissingWakeup,
];

/** Which variant of a litmus test, and switches on top of it. */
export interface LitmusChoice {
  readonly variant?: string;
  readonly proposals?: Partial<Proposals>;
}

/**
 * litmusProgram() - a litmus test by its name, ready to be explored.
 *
 * @throws RangeError if there is no such test, or no such variant of it
 */
export function litmusProgram(
  name: string,
  { variant = "v6.12", proposals = {} }: LitmusChoice = {},
): Program {
  const litmus = litmusTests.find((one) => one.name === name);
  if (litmus === undefined) {
    const known = litmusTests.map((one) => one.name).join(", ");
    throw new RangeError(`litmus "${name}": wanted one of ${known}`);
  }
  const { variants } = litmus;
  const found = Object.hasOwn(variants, variant) ? variants[variant] : null;
  if (!found) {
    const known = Object.keys(variants).join(", ");
    throw new RangeError(`${name}, variant "${variant}": wanted ${known}`);
  }
  return programOf(litmus, { ...found.proposals, ...proposals }, variant);
}
