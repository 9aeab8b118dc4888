/**
 * Thread 004: a page is unmapped while readahead brings it along.
 *
 * CPU0 faults on page 0 and reads page 1 ahead: its folio is in the swap cache,
 * locked until the disk has answered, before anybody has asked for it. CPU1
 * gives page 1 up: the trylock fails, or the slot is pinned and no folio there
 * yet. When the read is over, the folio belongs to nobody. It was so before
 * 2009, when the cache was one more user of a slot ("count, not flag"), and is
 * so since: the flag only lets others tell. Ours.
 */
import type { Litmus } from "./litmus.ts";
import { orphanStage } from "./orphan.ts";

const story = { swapped: 2, pageCluster: 1, zapped: 1 };

export const zapVsReadaheadOrphan: Litmus = {
  name: "zap-vs-readahead-orphan",
  thread: "004",
  about: "does a slot go with its last user, if readahead has it?",
  bound: null,
  variants: {
    "v6.12": { proposals: {}, expect: "holds" },
    "swap full": { proposals: {}, expect: "invariant" },
    "group's swap full": { proposals: {}, expect: "invariant" },
    "lock, group's swap full": {
      proposals: { zap_frees_swap: "lock" },
      expect: "invariant",
    },
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
