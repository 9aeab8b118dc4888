/**
 * Every idea of the threads as a switch: merged, dropped or superseded.
 *
 * Each switch has one visible seam in the engine, at the very place that its
 * patch touched. `proposals` tells the story of each value; `v6_12` is what
 * the pinned kernel does; `linux()` in eras.ts knows other releases. Ours.
 */

/** The choices of one machine. */
export interface Proposals {
  readonly exclusive_loads: "off" | "on" | "swapcache";
  readonly zswapin_adds_to_swapcache: "off" | "on";
  readonly zswap_restore_on_abort: "off" | "on";
  readonly sync_swapin_pin: "none" | "count" | "has_cache";
  readonly sync_swapin_backoff: "none" | "schedule" | "tick" | "waitqueue";
  readonly zswap_invalidate_at: "swap_range_free" | "free_swap_slot";
  readonly swap_slot_cache: "off" | "on";
  readonly writeback_ignores_freed_slot: "off" | "on";
  readonly memcg_uncharge_at: "swap_range_free" | "free_swap_slot";
  readonly zswap_lru: "pool" | "memcg";
  readonly memcg_lookup: "unprotected" | "css_get" | "rcu";
  readonly kmemcg_id_switch_first: "off" | "on";
  readonly list_lru_reparent_at: "offline" | "release";
  readonly next_shrink: "held" | "cleaned" | "objcg";
  readonly skip_if_exists: "off" | "on";
  readonly swap_map_cache_flag: "off" | "on";
  readonly zap_frees_swap: "trylock" | "lock" | "scan";
  readonly second_chance: "off" | "on";
  readonly zeromap_invalidates_zswap: "off" | "on";
}

export type ProposalId = keyof Proposals;

/**
 * What became of a value: Linux did so before, took it, took it and later
 * replaced it, never took it; or it is only of this book.
 */
export type Status = "before" | "merged" | "superseded" | "dropped" | "ours";

/** One value of a switch. */
export interface Choice {
  /** What the machine does then. */
  readonly does: string;
  readonly status: Status;
  /** Who proposed it, when ("2024-03") and what became of it. */
  readonly story: string;
}

/** One switch. */
export interface Proposal<Id extends ProposalId = ProposalId> {
  /** The thread that argues about it; null for none. */
  readonly thread: "000" | "001" | "002" | "003" | "004" | null;
  readonly about: string;
  /** Where its seam is, below lib/. */
  readonly seam: readonly string[];
  readonly values: { readonly [Value in Proposals[Id]]: Choice };
}

/** What v6.12 does. */
export const v6_12: Proposals = {
  exclusive_loads: "swapcache",
  zswapin_adds_to_swapcache: "off",
  zswap_restore_on_abort: "off",
  sync_swapin_pin: "has_cache",
  sync_swapin_backoff: "waitqueue",
  zswap_invalidate_at: "free_swap_slot",
  swap_slot_cache: "on",
  writeback_ignores_freed_slot: "off",
  memcg_uncharge_at: "swap_range_free",
  zswap_lru: "memcg",
  memcg_lookup: "rcu",
  kmemcg_id_switch_first: "on",
  list_lru_reparent_at: "offline",
  next_shrink: "cleaned",
  skip_if_exists: "on",
  swap_map_cache_flag: "on",
  zap_frees_swap: "trylock",
  second_chance: "on",
  zeromap_invalidates_zswap: "off",
};

function before(does: string, story: string): Choice {
  return { does, status: "before", story };
}

function merged(does: string, story: string): Choice {
  return { does, status: "merged", story };
}

function superseded(does: string, story: string): Choice {
  return { does, status: "superseded", story };
}

function dropped(does: string, story: string): Choice {
  return { does, status: "dropped", story };
}

function ours(does: string, story: string): Choice {
  return { does, status: "ours", story };
}

/** All switches, in the order of the threads. */
export const proposals: { readonly [Id in ProposalId]: Proposal<Id> } = {
  zswap_invalidate_at: {
    thread: "000",
    about: "when zswap drops the copy of a slot that nobody needs",
    seam: ["mm/swap_slots.ts", "mm/swap_alloc.ts"],
    values: {
      swap_range_free: before(
        "when the slot is really given back, after the slot cache",
        "Linux up to 6.8, and again from 6.14, when the cache was gone",
      ),
      free_swap_slot: merged(
        "when the slot enters the per-CPU cache of freed slots",
        "Yosry Ahmed's idea (2023-11), Chengming Zhou's patch; 6.9",
      ),
    },
  },
  swap_slot_cache: {
    thread: "000",
    about: "per-CPU caches of slots, for giving out and for taking back",
    seam: ["mm/swap_slots.ts"],
    values: {
      off: ours(
        "every slot is taken and freed at once",
        "Linux before 4.11, and from 6.15",
      ),
      on: merged("64 slots a CPU wait in each direction", "4.11 to 6.14"),
    },
  },
  writeback_ignores_freed_slot: {
    thread: "000",
    about: "what zswap's writeback says of an entry whose slot is unused",
    seam: ["mm/zswap_shrink.ts"],
    values: {
      off: merged("it failed: one of the 16 failures", "as Linux always did"),
      on: dropped(
        "it succeeded: the entry may go",
        "Zhongkun He's first patch (2023-11): it asks swap for what only swap " +
          "knows",
      ),
    },
  },
  memcg_uncharge_at: {
    thread: "000",
    about: "when a group stops paying for a slot",
    seam: ["mm/swap_slots.ts", "mm/swap_alloc.ts"],
    values: {
      swap_range_free: merged("when the slot is given back", "unchanged"),
      free_swap_slot: dropped(
        "when the slot enters the cache of freed slots",
        "part of Yosry Ahmed's wider idea (2023-11); only zswap moved",
      ),
    },
  },
  exclusive_loads: {
    thread: "001",
    about: "whether a load takes the compressed copy away",
    seam: ["mm/zswap.ts"],
    values: {
      off: before("never: page and copy stay", "the default up to 6.8"),
      on: superseded(
        "always, also for a page outside the swap cache",
        "an option from 6.5, the only way in 6.9-rc1; loses data (2024-03)",
      ),
      swapcache: merged(
        "only if the folio is in the swap cache and so owns the data",
        "Johannes Weiner (2024-03); 6.9-rc2",
      ),
    },
  },
  zswapin_adds_to_swapcache: {
    thread: "001",
    about: "the bypass puts its folio in the swap cache if zswap has the page",
    seam: ["mm/memory_swap_direct.ts"],
    values: {
      off: merged("no", "as Linux does"),
      on: dropped("yes", "Chengming Zhou's RFC (2024-03): one lookup more"),
    },
  },
  zswap_restore_on_abort: {
    thread: "001",
    about: "a fault given up after a load stores the page again",
    seam: ["mm/zswap.ts"],
    values: {
      off: merged("no", "as Linux does"),
      on: dropped("yes", "weighed by Yosry Ahmed (2024-03): it may fail, too"),
    },
  },
  zswap_lru: {
    thread: "002",
    about: "how the entries that may be evicted are listed",
    seam: ["mm/zswap.ts", "mm/zswap_shrink.ts"],
    values: {
      pool: before("one list for all groups", "6.5 to 6.7"),
      memcg: merged(
        "one list for each group and node",
        "Nhat Pham and Domenico Cerasuolo (2023-11); 6.8",
      ),
    },
  },
  memcg_lookup: {
    thread: "002",
    about: "what keeps a group alive while an entry is put on its list",
    seam: ["mm/memcontrol_objcg.ts"],
    values: {
      unprotected: ours("nothing", "to see what goes wrong"),
      css_get: superseded("a reference", "version 4 of the patch (2023-10)"),
      rcu: merged(
        "a read-side section of RCU",
        "Yosry Ahmed asked for it, Muchun Song showed why (2023-11); 6.8",
      ),
    },
  },
  kmemcg_id_switch_first: {
    thread: "002",
    about: "a dying group's list index becomes its parent's before the splice",
    seam: ["mm/list_lru_memcg.ts"],
    values: {
      off: ours("no: after the splice", "to see what Muchun Song's order buys"),
      on: merged("yes", "the argument that ended the thread (2023-11)"),
    },
  },
  list_lru_reparent_at: {
    thread: "002",
    about: "when a dead group's lists go to its parent",
    seam: ["mm/memcontrol_css.ts"],
    values: {
      offline: merged("when it goes offline", "as Linux does"),
      release: dropped(
        "when its last reference goes",
        "Nhat Pham's fear of a race (2023-11), withdrawn",
      ),
    },
  },
  next_shrink: {
    thread: "002",
    about: "how the worker remembers the group that comes next",
    seam: ["mm/zswap_shrink.ts"],
    values: {
      held: superseded(
        "by a reference: a dead group is kept",
        "version 4 of the patch (2023-10)",
      ),
      cleaned: merged(
        "by a reference that the end of the group takes away",
        "Nhat Pham and Johannes Weiner (2023-11); 6.8",
      ),
      objcg: dropped("by its obj_cgroup", "weighed by Yosry Ahmed (2023-11)"),
    },
  },
  skip_if_exists: {
    thread: "002",
    about: "writeback gives up on a slot that somebody has pinned",
    seam: ["mm/swap_state.ts"],
    values: {
      off: before("no: it waits, perhaps for its own caller", "up to 6.7"),
      on: merged("yes", "found while the series was written (2023-11); 6.8"),
    },
  },
  sync_swapin_pin: {
    thread: "003",
    about: "what keeps a slot while its page is read around the swap cache",
    seam: ["mm/memory_swap_direct.ts"],
    values: {
      none: before("nothing", "4.15 to 6.7: a write can be lost"),
      count: dropped(
        "one more user in its count",
        "proposed in the discussion (2024-02): makes it worse",
      ),
      has_cache: merged("its pin", "Kairui Song (2024-02); 6.8"),
    },
  },
  sync_swapin_backoff: {
    thread: "003",
    about: "what a fault does that finds the slot pinned",
    seam: ["mm/memory_swap_direct.ts"],
    values: {
      none: dropped("faults again at once", "measured in the thread"),
      schedule: dropped("lets others run first", "measured in the thread"),
      tick: superseded("sleeps one tick", "Kairui Song (2024-02); 6.8 to 6.11"),
      waitqueue: merged(
        "sleeps until the pin goes, a tick at most",
        "Barry Song (2024-10); 6.12",
      ),
    },
  },
  swap_map_cache_flag: {
    thread: "004",
    about: "how the map says that a slot's page is in the swap cache",
    seam: [
      "mm/swap_count.ts",
      "mm/swapfile.ts",
      "mm/swap_state.ts",
      "mm/swap_slots.ts",
      "mm/swap_reclaim.ts",
      "mm/memory_swap_direct.ts",
    ],
    values: {
      off: before("as one more user", "up to 2.6.30"),
      on: merged(
        "by a flag of its own",
        "Hiroyuki Kamezawa (2009-05); 2.6.31",
      ),
    },
  },
  zap_frees_swap: {
    thread: "004",
    about: "what unmapping does if the cached folio is locked",
    seam: ["mm/memory_zap.ts"],
    values: {
      trylock: merged("leaves it to reclaim", "as Linux always did"),
      lock: dropped(
        "collects it, and waits for the lock afterwards",
        "Hiroyuki Kamezawa's second patch (2009-05)",
      ),
      scan: dropped(
        "leaves it, but looks for such folios when swap is nearly full",
        "Hugh Dickins' answer (2009-05); the allocator does a part of it now",
      ),
    },
  },
  second_chance: {
    thread: null,
    about: "the first visit of the shrinker only clears a bit",
    seam: ["mm/zswap_shrink.ts"],
    values: {
      off: before("no: it evicts", "up to 6.11"),
      on: merged("yes", "6.12"),
    },
  },
  zeromap_invalidates_zswap: {
    thread: null,
    about: "a page that became all zero drops its old compressed copy",
    seam: ["mm/page_io.ts"],
    values: {
      off: merged("no: the copy stays", "as v6.12 and 7.2 do"),
      on: ours("yes", "our repair for wrong reads seen on real kernels"),
    },
  },
};
