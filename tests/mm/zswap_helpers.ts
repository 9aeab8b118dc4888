/**
 * Pages put into zswap by hand, one by one: no process, no reclaim. Each gets
 * a slot with one user; the machine's own checks do not apply, for no page
 * table has that user.
 */
import assert from "node:assert/strict";
import { xa_load } from "swaplab/base/xarray.ts";
import { type Machine, makeMachine } from "swaplab/lab/machine.ts";
import type { MachineOptions } from "swaplab/lab/options.ts";
import type { Proposals } from "swaplab/proposals.ts";
import { mem_cgroup_charge } from "swaplab/mm/memcontrol_charge.ts";
import { makeCgroup } from "swaplab/mm/memcontrol_css.ts";
import type { Folio, Kernel, MemCgroup } from "swaplab/mm/mm_types.ts";
import {
  folio_put,
  get_page_from_freelist,
  GFP_KERNEL,
  PF_MEMALLOC,
} from "swaplab/mm/page_alloc.ts";
import {
  folio_trylock,
  folio_unlock,
  PG_swapbacked,
  PG_uptodate,
  setFlag,
} from "swaplab/mm/page_flags.ts";
import { pageBytes } from "swaplab/mm/page_io.ts";
import { mm_alloc } from "swaplab/mm/mmap.ts";
import { add_to_swap, delete_from_swap_cache } from "swaplab/mm/swap_state.ts";
import { swap_duplicate } from "swaplab/mm/swapfile.ts";
import { swp_offset, type SwpEntry } from "swaplab/mm/swapops.ts";
import { zswap_store } from "swaplab/mm/zswap.ts";
import { swap_zswap_tree, type ZswapEntry } from "swaplab/mm/zswap_entry.ts";
import { idleUntilNextEvent } from "swaplab/sim/clock.ts";
import { run, type Task } from "swaplab/sim/task.ts";
import { pageOf } from "./helpers.ts";

export interface Stage {
  readonly machine: Machine;
  readonly k: Kernel;
  /** Let a task run to its end; the disk works meanwhile. */
  run<T>(task: Task<T>): T;
}

/** A machine in whose name somebody reclaims. */
export function stage(
  options: MachineOptions = {},
  proposals: Partial<Proposals> = {},
): Stage {
  const machine = makeMachine({ frames: 512, ...options, proposals });
  const { k } = machine;
  k.current = { comm: "test", mm: null, cpu: 0, flags: PF_MEMALLOC };
  const idle = () => idleUntilNextEvent(k.clock);
  return { machine, k, run: (task) => run(task, idle) };
}

/** An online group below the root, or below `parent`. */
export function group({ k }: Stage, name: string, parent?: MemCgroup) {
  return makeCgroup(k, parent ?? k.root_mem_cgroup, name);
}

/** A locked folio of the group, with bytes and a slot, as reclaim holds it. */
export function victim(
  set: Stage,
  memcg: MemCgroup | null = null,
  bytes: Uint8Array = pageOf("text"),
): Folio {
  const { k } = set;
  const folio = get_page_from_freelist(k, 0)!;
  folio_trylock(folio);
  const mm = mm_alloc(k, memcg ?? k.root_mem_cgroup);
  assert.equal(set.run(mem_cgroup_charge(k, folio, mm, GFP_KERNEL)), 0);
  k.mms.delete(mm);
  pageBytes(k, folio).set(bytes);
  setFlag(folio, PG_uptodate);
  setFlag(folio, PG_swapbacked);
  assert.ok(set.run(add_to_swap(k, folio)));
  return folio;
}

/** The folio leaves; its slot keeps one user. */
export function leave(set: Stage, folio: Folio): SwpEntry {
  const { k } = set;
  const entry = folio.swap;
  assert.equal(set.run(swap_duplicate(k, entry)), 0);
  set.run(delete_from_swap_cache(k, folio));
  folio_unlock(folio);
  folio_put(k, folio);
  return entry;
}

/** Store one page and let its folio go. Null if zswap refused it. */
export function store(
  set: Stage,
  memcg: MemCgroup | null = null,
  index = 0,
): SwpEntry | null {
  const folio = victim(set, memcg, pageOf("text", index));
  const stored = set.run(zswap_store(set.k, folio));
  const entry = leave(set, folio);
  return stored ? entry : null;
}

/** Store that many; all must be taken. */
export function storeMany(
  set: Stage,
  count: number,
  memcg: MemCgroup | null = null,
): SwpEntry[] {
  return Array.from({ length: count }, (_, index) => {
    const entry = store(set, memcg, index % 8);
    assert.notEqual(entry, null);
    return entry!;
  });
}

/** What zswap has under a slot. */
export function entryOf({ k }: Stage, slot: SwpEntry): ZswapEntry | null {
  return xa_load(swap_zswap_tree(k, slot).xa, swp_offset(slot));
}

/** All entries have had their second chance. */
export function makeOld({ k }: Stage): void {
  for (const trees of k.zswap.trees) {
    for (const { xa } of trees) {
      for (const entry of xa.entries.values()) entry.referenced = false;
    }
  }
}
