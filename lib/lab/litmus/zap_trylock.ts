/**
 * Thread 004: a page is unmapped while a fault has its folio locked.
 *
 * CPU0 faults, puts a folio in the swap cache and reads it: the folio is locked
 * until the disk has answered. CPU1 gives the page up: the slot loses its last
 * user, but the trylock fails, and so slot and folio stay. CPU0 finds its entry
 * gone and drops the folio: nobody will look there. Ours.
 */
import type { Litmus } from "./litmus.ts";
import { orphanStage } from "./orphan.ts";

const story = { swapped: 1, pageCluster: 0, zapped: 0 };

export const zapTrylock: Litmus = {
  name: "zap-trylock",
  thread: "004",
  about: "does a slot go with its last user, if somebody locks the folio?",
  bound: null,
  variants: {
    "v6.12": { proposals: {}, expect: "holds" },
    // The allocator would know an orphan by its byte; but get_swap_pages()
    // does not begin to search when no slot is left.
    "swap full": { proposals: {}, expect: "invariant" },
    // Nobody looks for orphans of a group.
    "group's swap full": { proposals: {}, expect: "invariant" },
    // The slot may be pinned while its folio is not in the cache yet: there is
    // no lock to wait for.
    "lock, group's swap full": {
      proposals: { zap_frees_swap: "lock" },
      expect: "invariant",
    },
    "scan, swap full": {
      proposals: { zap_frees_swap: "scan" },
      expect: "invariant",
    },
    // It looks when all of swap is nearly full: a group's part is no reason.
    "scan, group's swap full": {
      proposals: { zap_frees_swap: "scan" },
      expect: "invariant",
    },
    "count, not flag": {
      proposals: { swap_map_cache_flag: "off" },
      expect: "holds",
    },
    "count, not flag, swap full": {
      proposals: { swap_map_cache_flag: "off" },
      expect: "invariant",
    },
    "count, not flag, group's swap full": {
      proposals: { swap_map_cache_flag: "off" },
      expect: "invariant",
    },
  },
  stage: (proposals, variant) => orphanStage(story, proposals, variant),
};
