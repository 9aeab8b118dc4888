/** All litmus tests, in the order of the threads; planted ones last. Ours. */
import { exclusiveLoadLost } from "./exclusive_load_lost.ts";
import type { Litmus } from "./litmus.ts";
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
