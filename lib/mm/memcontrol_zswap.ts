/**
 * zswap and groups: who may store, and what it costs.
 *
 * Kernel: mm/memcontrol.c (v6.12). Differs: split off from memcontrol.c.
 */
import { pause, type Task } from "../sim/task.ts";
import { enter } from "../sim/trace.ts";
import { css_put } from "./memcontrol.ts";
import {
  get_mem_cgroup_from_objcg,
  obj_cgroup_charge,
  obj_cgroup_memcg,
  obj_cgroup_uncharge,
  type ObjCgroup,
} from "./memcontrol_objcg.ts";
import {
  memcg_page_state,
  mod_memcg_state,
  upwards,
} from "./memcontrol_stat.ts";
import type { Kernel, MemCgroup } from "./mm_types.ts";
import { GFP_KERNEL, PF_MEMALLOC } from "./page_alloc.ts";
import { PAGE_COUNTER_MAX } from "./page_counter.ts";
import { PAGE_SIZE } from "./pgtable.ts";

/** Below its own memory.zswap.max? Whole pages are compared. */
function belowZswapMax(memcg: MemCgroup): boolean {
  if (memcg.zswap_max === PAGE_COUNTER_MAX) return true;
  const bytes = memcg_page_state(memcg, "MEMCG_ZSWAP_B");
  return Math.floor(bytes / PAGE_SIZE) < memcg.zswap_max;
}

/**
 * obj_cgroup_may_zswap() - may the group, and all above it, store more?
 *
 * Asked before a page is compressed, so the last store may go beyond the
 * limit, by a page for each store under way.
 */
export function* obj_cgroup_may_zswap(
  k: Kernel,
  objcg: ObjCgroup,
): Task<boolean> {
  enter(k.trace, "obj_cgroup_may_zswap");
  const original = get_mem_cgroup_from_objcg(k, objcg);
  let may = true;
  for (const memcg of upwards(original)) {
    if (memcg.parent === null) break;
    yield* pause(memcg.ops.charge);
    may = belowZswapMax(memcg);
    if (!may) break;
  }
  css_put(k, original);
  return may;
}

/**
 * obj_cgroup_charge_zswap() - pay for a compressed page of `size` bytes.
 *
 * Cannot fail: whoever stores is reclaiming, so the charge goes over
 * memory.max if it must, and a later allocation pays for it.
 */
export function* obj_cgroup_charge_zswap(
  k: Kernel,
  objcg: ObjCgroup,
  size: number,
): Task {
  const reclaiming = (k.current.flags & PF_MEMALLOC) !== 0;
  if (!reclaiming) k.warnings.push("obj_cgroup_charge_zswap: no PF_MEMALLOC");
  const result = yield* obj_cgroup_charge(k, objcg, GFP_KERNEL, size);
  if (result !== 0) k.warnings.push(`obj_cgroup_charge_zswap: ${result}`);
  const memcg = obj_cgroup_memcg(objcg);
  mod_memcg_state(memcg, "MEMCG_ZSWAP_B", size);
  mod_memcg_state(memcg, "MEMCG_ZSWAPPED", 1);
}

/** obj_cgroup_uncharge_zswap() - a compressed page of `size` bytes is gone. */
export function obj_cgroup_uncharge_zswap(
  k: Kernel,
  objcg: ObjCgroup,
  size: number,
): void {
  obj_cgroup_uncharge(k, objcg, size);
  const memcg = obj_cgroup_memcg(objcg);
  mod_memcg_state(memcg, "MEMCG_ZSWAP_B", -size);
  mod_memcg_state(memcg, "MEMCG_ZSWAPPED", -1);
}

/**
 * mem_cgroup_zswap_writeback_enabled() - may pages go on from zswap, or past
 * it, to a device? Every group up to the root must allow it; while zswap is
 * off nobody is asked.
 */
export function mem_cgroup_zswap_writeback_enabled(
  k: Kernel,
  memcg: MemCgroup | null,
): boolean {
  if (!k.zswap.enabled || memcg === null) return true;
  for (const m of upwards(memcg)) if (!m.zswap_writeback) return false;
  return true;
}
