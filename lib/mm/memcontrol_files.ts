/**
 * The files of a group: what a write does, what a read gives.
 *
 * A write takes the text that a shell would write: "64M", "4096", "max". Limits
 * are kept in whole pages, rounded down. Lowering memory.max or memory.high
 * reclaims at once.
 *
 * Kernel: mm/memcontrol.c (v6.12). Differs: a write gives 0, not the length;
 * no memory.min, memory.low, memory.oom.group; memory.reclaim has no options;
 * where memory.max would kill, it gives up, and only `oom` counts.
 */
import { EAGAIN, EINVAL, type Errno } from "../base/errno.ts";
import type { Task } from "../sim/task.ts";
import { drain_all_stock } from "./memcontrol_objcg.ts";
import { memcg_memory_event, memcg_page_state } from "./memcontrol_stat.ts";
import type { Kernel, MemCgroup } from "./mm_types.ts";
import { GFP_KERNEL } from "./page_alloc.ts";
import { memparse, page_counter_memparse } from "./page_counter.ts";
import { PAGE_SIZE } from "./pgtable.ts";
import { MAX_RECLAIM_RETRIES } from "./swap.ts";
import {
  MEMCG_RECLAIM_MAY_SWAP,
  MEMCG_RECLAIM_PROACTIVE,
  try_to_free_mem_cgroup_pages,
} from "./vmscan.ts";

/** memory.current: bytes, with all groups below. */
export function memory_current_read(memcg: MemCgroup): number {
  return memcg.memory.usage * PAGE_SIZE;
}

/** memory.swap.current: bytes of slots, also of pages that zswap has. */
export function swap_current_read(memcg: MemCgroup): number {
  return memcg.swap.usage * PAGE_SIZE;
}

/** memory.zswap.current: compressed bytes. */
export function zswap_current_read(memcg: MemCgroup): number {
  return memcg_page_state(memcg, "MEMCG_ZSWAP_B");
}

/** memory.events, of the group and all below it. */
export function memory_events_show({ memory_events }: MemCgroup) {
  const { high, max, oom, oom_kill } = memory_events;
  return { high, max, oom, oom_kill };
}

/** memory.swap.events: slots refused, and slots not had. */
export function swap_events_show({ memory_events }: MemCgroup) {
  const { swap_high, swap_max, swap_fail } = memory_events;
  return { high: swap_high, max: swap_max, fail: swap_fail };
}

/**
 * memory_max_write() - the hard limit.
 *
 * What is above it is reclaimed; after 16 passes that freed nothing the group
 * stays above it, and `oom` counts.
 *
 * @returns 0 or -EINVAL
 */
export function* memory_max_write(
  k: Kernel,
  memcg: MemCgroup,
  buf: string,
): Task<Errno> {
  const max = page_counter_memparse(buf);
  if (max < 0) return max;
  const { memory } = memcg;
  memory.max = max;
  if (memory.usage > max) drain_all_stock(k, memcg);
  let retries = MAX_RECLAIM_RETRIES;
  while (memory.max === max && memory.usage > max) {
    if (retries === 0) {
      memcg_memory_event(memcg, "oom");
      break;
    }
    const goal = memory.usage - max;
    const freed = yield* try_to_free_mem_cgroup_pages(
      k,
      memcg,
      goal,
      GFP_KERNEL,
      MEMCG_RECLAIM_MAY_SWAP,
    );
    if (freed === 0) retries--;
  }
  return 0;
}

/** memory_high_write() - above it, tasks reclaim and are slowed down. */
export function* memory_high_write(
  k: Kernel,
  memcg: MemCgroup,
  buf: string,
): Task<Errno> {
  const high = page_counter_memparse(buf);
  if (high < 0) return high;
  const { memory } = memcg;
  memory.high = high;
  if (memory.usage > high) drain_all_stock(k, memcg);
  let retries = MAX_RECLAIM_RETRIES;
  while (memory.high === high && memory.usage > high) {
    const goal = memory.usage - high;
    const freed = yield* try_to_free_mem_cgroup_pages(
      k,
      memcg,
      goal,
      GFP_KERNEL,
      MEMCG_RECLAIM_MAY_SWAP,
    );
    if (freed === 0 && retries-- === 0) break;
  }
  return 0;
}

/**
 * memory_reclaim() - reclaim so many bytes now.
 *
 * @returns 0; -EINVAL; -EAGAIN if so much could not be freed
 */
export function* memory_reclaim(
  k: Kernel,
  memcg: MemCgroup,
  buf: string,
): Task<Errno> {
  const bytes = memparse(buf.trim());
  if (bytes === null) return -EINVAL;
  const wanted = Math.floor(bytes / PAGE_SIZE);
  let retries = MAX_RECLAIM_RETRIES;
  let reclaimed = 0;
  while (reclaimed < wanted) {
    const batch = Math.floor((wanted - reclaimed) / 4);
    const freed = yield* try_to_free_mem_cgroup_pages(
      k,
      memcg,
      batch,
      GFP_KERNEL,
      MEMCG_RECLAIM_MAY_SWAP | MEMCG_RECLAIM_PROACTIVE,
    );
    if (freed === 0 && retries-- === 0) return -EAGAIN;
    reclaimed += freed;
  }
  return 0;
}

/** swap_max_write() - how many slots the group may have. Takes none away. */
export function swap_max_write(memcg: MemCgroup, buf: string): Errno {
  const max = page_counter_memparse(buf);
  if (max < 0) return max;
  memcg.swap.max = max;
  return 0;
}

/** swap_high_write() - above it, tasks are slowed down. */
export function swap_high_write(memcg: MemCgroup, buf: string): Errno {
  const high = page_counter_memparse(buf);
  if (high < 0) return high;
  memcg.swap.high = high;
  return 0;
}

/** zswap_max_write() - less than a page means: never store. */
export function zswap_max_write(memcg: MemCgroup, buf: string): Errno {
  const max = page_counter_memparse(buf);
  if (max < 0) return max;
  memcg.zswap_max = max;
  return 0;
}

/** zswap_writeback_write() - "0" or "1"; the root group has this file too. */
export function zswap_writeback_write(memcg: MemCgroup, buf: string): Errno {
  const text = buf.trim();
  if (text !== "0" && text !== "1") return -EINVAL;
  memcg.zswap_writeback = text === "1";
  return 0;
}
