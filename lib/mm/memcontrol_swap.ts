/**
 * Slots and groups: a slot is charged from the moment it is given out until it
 * is really free, wherever its page is meanwhile: device, zswap or nowhere.
 *
 * Kernel: mm/memcontrol.c (v6.12). Differs: split off from memcontrol.c.
 */
import { VM_BUG_ON } from "../base/bug.ts";
import { ENOMEM, type Errno } from "../base/errno.ts";
import {
  folio_memcg,
  mem_cgroup_from_id,
  mem_cgroup_id,
  mem_cgroup_id_get_online,
  mem_cgroup_id_put_many,
  mem_cgroup_is_root,
} from "./memcontrol.ts";
import {
  memcg_memory_event,
  mod_memcg_state,
  upwards,
} from "./memcontrol_stat.ts";
import type { Folio, Kernel, MemCgroup } from "./mm_types.ts";
import {
  page_counter_try_charge,
  page_counter_uncharge,
} from "./page_counter.ts";
import { folio_test_locked } from "./page_flags.ts";
import { swap_cgroup_record } from "./swap_cgroup.ts";
import { vm_swap_full } from "./swapfile.ts";
import type { SwpEntry } from "./swapops.ts";

/**
 * mem_cgroup_try_charge_swap() - the folio's group pays for its slot.
 *
 * @param entry null if there was no slot to be had: only counted
 * @returns 0; -ENOMEM if the group is at memory.swap.max
 */
export function mem_cgroup_try_charge_swap(
  k: Kernel,
  folio: Folio,
  entry: SwpEntry | null,
): Errno {
  const owner = folio_memcg(folio);
  if (owner === null) return 0;
  if (entry === null) {
    memcg_memory_event(owner, "swap_fail");
    return 0;
  }
  // The nearest group whose id still lives; the id is pinned by the slot.
  const memcg = mem_cgroup_id_get_online(owner);
  if (
    !mem_cgroup_is_root(memcg) &&
    page_counter_try_charge(memcg.swap, 1) !== null
  ) {
    memcg_memory_event(memcg, "swap_max");
    memcg_memory_event(memcg, "swap_fail");
    mem_cgroup_id_put_many(k, memcg, 1);
    return -ENOMEM;
  }
  const old = swap_cgroup_record(k, entry, mem_cgroup_id(memcg), 1);
  VM_BUG_ON(
    old !== 0,
    () => `slot ${entry} is charged to group id ${old} already`,
  );
  mod_memcg_state(memcg, "MEMCG_SWAP", 1);
  return 0;
}

/** mem_cgroup_uncharge_swap() - `nr_pages` slots of one group are free. */
export function mem_cgroup_uncharge_swap(
  k: Kernel,
  entry: SwpEntry,
  nr_pages: number,
): void {
  const id = swap_cgroup_record(k, entry, 0, nr_pages);
  const memcg = mem_cgroup_from_id(k, id);
  if (memcg === null) return;
  if (!mem_cgroup_is_root(memcg)) {
    page_counter_uncharge(k, memcg.swap, nr_pages);
  }
  mod_memcg_state(memcg, "MEMCG_SWAP", -nr_pages);
  mem_cgroup_id_put_many(k, memcg, nr_pages);
}

/** Slots that the group could still get. */
export function mem_cgroup_get_nr_swap_pages(
  k: Kernel,
  memcg: MemCgroup,
): number {
  let nr_swap_pages = k.nr_swap_pages;
  for (const { parent, swap } of upwards(memcg)) {
    if (parent === null) break;
    nr_swap_pages = Math.min(nr_swap_pages, swap.max - swap.usage);
  }
  return nr_swap_pages;
}

/**
 * mem_cgroup_swap_full() - swap is half full, or the group's part of it is:
 * a slot should not be kept for luck.
 *
 * Context: folio locked.
 */
export function mem_cgroup_swap_full(k: Kernel, folio: Folio): boolean {
  VM_BUG_ON(!folio_test_locked(folio), "mem_cgroup_swap_full: not locked");
  if (vm_swap_full(k)) return true;
  const memcg = folio_memcg(folio);
  if (memcg === null) return false;
  for (const { parent, swap } of upwards(memcg)) {
    if (parent === null) break;
    if (swap.usage * 2 >= Math.min(swap.high, swap.max)) return true;
  }
  return false;
}
