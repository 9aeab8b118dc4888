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

/** findLitmus() - by its name. @throws RangeError if there is none */
export function findLitmus(name: string): Litmus {
  const litmus = litmusTests.find((one) => one.name === name);
  if (litmus !== undefined) return litmus;
  const known = litmusTests.map((one) => one.name).join(", ");
  throw new RangeError(`No litmus test "${name}"; there are ${known}`);
}

/**
 * proposalsOf() - the switches of a variant, and those on top of it.
 *
 * @throws RangeError if the litmus test has no such variant
 */
export function proposalsOf(
  { name, variants }: Litmus,
  { variant = "v6.12", proposals = {} }: LitmusChoice,
): Partial<Proposals> {
  const found = Object.hasOwn(variants, variant) ? variants[variant] : null;
  if (found) return { ...found.proposals, ...proposals };
  const known = Object.keys(variants).join(", ");
  throw new RangeError(`${name} has no variant "${variant}"; it has ${known}`);
}

/**
 * litmusProgram() - a litmus test by its name, ready to be explored.
 *
 * @throws RangeError if there is no such test, or no such variant of it
 */
export function litmusProgram(
  name: string,
  choice: LitmusChoice = {},
): Program {
  const litmus = findLitmus(name);
  return programOf(litmus, proposalsOf(litmus, choice), choice.variant);
}
