/**
 * Charging pages to groups.
 *
 * A page is charged before it is put on a list and uncharged when its frame is
 * freed; until then it holds a reference to its group. A charge that hits a
 * limit reclaims from the group whose limit it is, again and again; when that
 * does not help, the charge fails. Above memory.high a charge succeeds, but the
 * task has to reclaim, and to wait, before it goes on.
 *
 * Kernel: mm/memcontrol.c (v6.12). Differs: charges are made page by page, not
 * 64 ahead; there is no OOM killer: the charge fails with -ENOMEM, and who
 * wanted the page is killed.
 */
import { VM_BUG_ON } from "../base/bug.ts";
import { ENOMEM, type Errno } from "../base/errno.ts";
import { rcu_read_lock, rcu_read_unlock } from "../locking/rcu.ts";
import { schedule_timeout } from "../locking/wait.ts";
import { TICK_NSEC } from "../sim/clock.ts";
import { andThen, over, passed, pause, type Task } from "../sim/task.ts";
import { enter } from "../sim/trace.ts";
import {
  css_get,
  css_put,
  css_tryget_online,
  get_mem_cgroup_from_mm,
  mem_cgroup_from_id,
  mem_cgroup_is_root,
} from "./memcontrol.ts";
import { drain_all_stock } from "./memcontrol_objcg.ts";
import { memcg_memory_event, upwards } from "./memcontrol_stat.ts";
import type { Folio, Kernel, MemCgroup, MmStruct } from "./mm_types.ts";
import {
  __GFP_DIRECT_RECLAIM,
  __GFP_HIGH,
  __GFP_NORETRY,
  PF_MEMALLOC,
} from "./page_alloc.ts";
import {
  page_counter_charge,
  page_counter_try_charge,
  page_counter_uncharge,
  type PageCounter,
} from "./page_counter.ts";
import { folio_test_lru } from "./page_flags.ts";
import { MAX_RECLAIM_RETRIES, SWAP_CLUSTER_MAX } from "./swap.ts";
import { lookup_swap_cgroup_id } from "./swap_cgroup.ts";
import type { SwpEntry } from "./swapops.ts";
import {
  MEMCG_RECLAIM_MAY_SWAP,
  try_to_free_mem_cgroup_pages,
} from "./vmscan.ts";

/** Pages for which the penalty of memory.high is reckoned. */
export const MEMCG_CHARGE_BATCH = 64;
/** Timer ticks in a second. */
const HZ = 1_000_000_000 / TICK_NSEC;
/** Nobody waits longer than 2 seconds at once. */
const MEMCG_MAX_HIGH_DELAY_JIFFIES = 2 * HZ;

/** The group, from `memcg` upwards, whose memory counter this is. */
function mem_cgroup_from_counter(memcg: MemCgroup, counter: PageCounter) {
  let m = memcg;
  while (m.memory !== counter) m = m.parent!;
  return m;
}

/** Pages that the group could still charge. */
export function mem_cgroup_margin({ memory }: MemCgroup): number {
  return Math.max(0, memory.max - memory.usage);
}

/** What a charge that met a limit has tried so far. */
interface Attempts {
  retries: number;
  drained: boolean;
  raisedMax: boolean;
}

/**
 * try_charge_memcg() - charge pages to a group and all above it.
 *
 * @returns 0; -ENOMEM if reclaim could not make room, or `gfp` forbids it
 *
 * Context: may reclaim. A reclaimer, and __GFP_HIGH, go over the limit.
 */
export function* try_charge_memcg(
  k: Kernel,
  memcg: MemCgroup,
  gfp: number,
  nr_pages: number,
): Task<Errno> {
  const done = { retries: MAX_RECLAIM_RETRIES, drained: false } as Attempts;
  done.raisedMax = false;
  for (;;) {
    yield* pause(memcg.ops.charge);
    const counter = page_counter_try_charge(memcg.memory, nr_pages);
    if (counter === null) break;
    const over = mem_cgroup_from_counter(memcg, counter);
    const reclaiming = (k.current.flags & PF_MEMALLOC) !== 0;
    const mayBlock = (gfp & __GFP_DIRECT_RECLAIM) !== 0;
    const again = !reclaiming && mayBlock &&
      (yield* makeRoom(k, over, gfp, nr_pages, done));
    if (again) continue;
    if (!reclaiming && (gfp & __GFP_HIGH) === 0) return -ENOMEM;
    // More will be freed soon.
    if (!done.raisedMax) memcg_memory_event(over, "max");
    page_counter_charge(memcg.memory, nr_pages);
    return 0;
  }
  yield* noteOverHigh(k, memcg, gfp, nr_pages);
  return 0;
}

/** Reclaim from the group that is full; false: give up. */
function* makeRoom(
  k: Kernel,
  over: MemCgroup,
  gfp: number,
  nr_pages: number,
  done: Attempts,
): Task<boolean> {
  memcg_memory_event(over, "max");
  done.raisedMax = true;
  const freed = yield* try_to_free_mem_cgroup_pages(
    k,
    over,
    nr_pages,
    gfp,
    MEMCG_RECLAIM_MAY_SWAP,
  );
  if (mem_cgroup_margin(over) >= nr_pages) return true;
  if (!done.drained) {
    drain_all_stock(k, over);
    done.drained = true;
    return true;
  }
  if ((gfp & __GFP_NORETRY) !== 0) return false;
  if (freed > 0) return true;
  if (done.retries-- > 0) return true;
  memcg_memory_event(over, "oom");
  return false;
}

/** Above memory.high or memory.swap.high: the task owes something. */
function* noteOverHigh(
  k: Kernel,
  memcg: MemCgroup,
  gfp: number,
  nr_pages: number,
): Task {
  const { current } = k;
  for (const { memory, swap } of upwards(memcg)) {
    if (memory.usage <= memory.high && swap.usage <= swap.high) continue;
    const owed = current.memcg_nr_pages_over_high ?? 0;
    current.memcg_nr_pages_over_high = owed + nr_pages;
    break;
  }
  const owed = current.memcg_nr_pages_over_high ?? 0;
  const mayBlock = (gfp & __GFP_DIRECT_RECLAIM) !== 0 &&
    (current.flags & PF_MEMALLOC) === 0;
  if (owed > MEMCG_CHARGE_BATCH && mayBlock) {
    yield* mem_cgroup_handle_over_high(k, gfp);
  }
}

/** Reclaim from every group, up from `memcg`, that is above memory.high. */
function* reclaim_high(
  k: Kernel,
  memcg: MemCgroup,
  nr_pages: number,
  gfp: number,
): Task<number> {
  let reclaimed = 0;
  for (const m of upwards(memcg)) {
    if (mem_cgroup_is_root(m)) break;
    if (m.memory.usage <= m.memory.high) continue;
    memcg_memory_event(m, "high");
    reclaimed += yield* try_to_free_mem_cgroup_pages(
      k,
      m,
      nr_pages,
      gfp,
      MEMCG_RECLAIM_MAY_SWAP,
    );
  }
  return reclaimed;
}

/** By how much `usage` is above `high`, as a share of it, × 2²⁰. */
function calculate_overage(usage: number, high: number): number {
  if (usage <= high) return 0;
  return Math.floor(((usage - high) * 2 ** 20) / Math.max(high, 1));
}

/** The worst overage of the group and those above it. */
function maxOverage(memcg: MemCgroup, which: "memory" | "swap"): number {
  let most = 0;
  for (const m of upwards(memcg)) {
    if (mem_cgroup_is_root(m)) break;
    const overage = calculate_overage(m[which].usage, m[which].high);
    if (which === "swap" && overage > 0) memcg_memory_event(m, "swap_high");
    most = Math.max(most, overage);
  }
  return most;
}

/**
 * calculate_high_delay() - how long to wait, in ticks: it grows with the
 * square of the overage, and with the task's part in it.
 */
export function calculate_high_delay(
  nr_pages: number,
  max_overage: number,
): number {
  const ticks = Math.floor((max_overage * max_overage * HZ) / 2 ** 34);
  return Math.floor((ticks * nr_pages) / MEMCG_CHARGE_BATCH);
}

/**
 * mem_cgroup_handle_over_high() - pay for what was charged above memory.high:
 * reclaim it, and if that does not help, wait. Called on the way back to the
 * program, or earlier if much is owed.
 *
 * Context: sleeps.
 */
export function mem_cgroup_handle_over_high(k: Kernel, gfp: number): Task {
  const nr_pages = k.current.memcg_nr_pages_over_high ?? 0;
  return nr_pages === 0 ? passed : payOverHigh(k, gfp, nr_pages);
}

function* payOverHigh(k: Kernel, gfp: number, nr_pages: number): Task {
  k.current.memcg_nr_pages_over_high = 0;
  const memcg = get_mem_cgroup_from_mm(k, k.current.mm);
  let retries = MAX_RECLAIM_RETRIES;
  let goal = nr_pages;
  for (;;) {
    const reclaimed = yield* reclaim_high(k, memcg, goal, gfp);
    const owed = calculate_high_delay(nr_pages, maxOverage(memcg, "memory")) +
      calculate_high_delay(nr_pages, maxOverage(memcg, "swap"));
    const ticks = Math.min(owed, MEMCG_MAX_HIGH_DELAY_JIFFIES);
    if (ticks <= HZ / 100) break;
    if (reclaimed === 0 && retries-- === 0) {
      yield* schedule_timeout(k.clock, ticks * TICK_NSEC);
      break;
    }
    goal = SWAP_CLUSTER_MAX;
  }
  css_put(k, memcg);
}

/** Pages of the root group are not counted. */
function charge_memcg(
  k: Kernel,
  folio: Folio,
  memcg: MemCgroup,
  gfp: number,
): Task<Errno> {
  const charged: Task<Errno> = mem_cgroup_is_root(memcg)
    ? over(0)
    : try_charge_memcg(k, memcg, gfp, 1);
  return andThen(charged, (result) => {
    if (result === 0) commit_charge(folio, memcg);
    return result;
  });
}

/** The folio is the group's. */
function commit_charge(folio: Folio, memcg: MemCgroup): void {
  VM_BUG_ON(folio.memcg !== null, () => `frame ${folio.pfn} is charged twice`);
  css_get(memcg);
  folio.memcg = memcg;
}

/**
 * mem_cgroup_charge() - the owner of `mm` pays for a new folio.
 *
 * @param mm null: whoever runs pays; a kernel thread: the root group
 * @returns 0 or -ENOMEM
 */
export function mem_cgroup_charge(
  k: Kernel,
  folio: Folio,
  mm: MmStruct | null,
  gfp: number,
): Task<Errno> {
  enter(k.trace, "mem_cgroup_charge");
  const memcg = get_mem_cgroup_from_mm(k, mm);
  return andThen(charge_memcg(k, folio, memcg, gfp), (result) => {
    css_put(k, memcg);
    return result;
  });
}

/**
 * mem_cgroup_swapin_charge_folio() - who paid for the slot pays for the folio
 * that is read from it, if that group is still online; else as above.
 */
export function mem_cgroup_swapin_charge_folio(
  k: Kernel,
  folio: Folio,
  mm: MmStruct | null,
  gfp: number,
  entry: SwpEntry,
): Task<Errno> {
  enter(k.trace, "mem_cgroup_swapin_charge_folio");
  const reader = rcu_read_lock(k.rcu);
  const id = lookup_swap_cgroup_id(k, entry);
  const recorded = mem_cgroup_from_id(k, id);
  const memcg = recorded !== null && css_tryget_online(recorded)
    ? recorded
    : get_mem_cgroup_from_mm(k, mm);
  rcu_read_unlock(k.rcu, reader);
  return andThen(charge_memcg(k, folio, memcg, gfp), (result) => {
    css_put(k, memcg);
    return result;
  });
}

/** mem_cgroup_uncharge() - the folio's frame is being freed. */
export function mem_cgroup_uncharge(k: Kernel, folio: Folio): void {
  const { memcg } = folio;
  if (memcg === null) return;
  VM_BUG_ON(
    folio_test_lru(folio),
    () => `frame ${folio.pfn} is still on a list`,
  );
  folio.memcg = null;
  if (!mem_cgroup_is_root(memcg)) page_counter_uncharge(k, memcg.memory, 1);
  css_put(k, memcg);
}
