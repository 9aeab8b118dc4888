/**
 * What a group counts: amounts, and things that happened.
 *
 * Amounts and events of a group hold those of all groups below it.
 *
 * Kernel: mm/memcontrol.c, include/linux/memcontrol.h (v6.12). Differs: no
 * per-CPU parts, so a change is seen above at once and there is nothing to
 * flush; what the lists and frames tell anyway is counted when it is asked for.
 */
import {
  LRU_ACTIVE_ANON,
  LRU_ACTIVE_FILE,
  LRU_INACTIVE_ANON,
  LRU_INACTIVE_FILE,
} from "./lru.ts";
import { foliosInUse } from "./folio.ts";
import { listLength } from "./folio_list.ts";
import type { Folio, Kernel, Lruvec, MemCgroup, MmStruct } from "./mm_types.ts";
import {
  folio_mapped,
  folio_test_swapcache,
  folioOfObject,
} from "./page_flags.ts";
import { makeVmEvents, type VmEvents } from "./vmstat.ts";

/** Amounts, in pages unless the name ends in _B; refaults as events. */
const amounts = {
  /** Slots charged. */
  MEMCG_SWAP: 0,
  /** Pages charged for objects of the kernel: here, those of zswap. */
  MEMCG_KMEM: 0,
  /** Compressed bytes, and pages that they were. */
  MEMCG_ZSWAP_B: 0,
  MEMCG_ZSWAPPED: 0,
  WORKINGSET_REFAULT_ANON: 0,
  WORKINGSET_ACTIVATE_ANON: 0,
  WORKINGSET_RESTORE_ANON: 0,
  WORKINGSET_NODERECLAIM: 0,
};

export type MemcgStatItem = keyof typeof amounts;

export interface MemcgVmstats {
  readonly state: Record<MemcgStatItem, number>;
  readonly events: VmEvents;
}

export function makeMemcgVmstats(): MemcgVmstats {
  return { state: { ...amounts }, events: makeVmEvents() };
}

const eventsAtZero = {
  /** Reclaimed from, or throttled, above memory.high. */
  high: 0,
  /** Charges that would have gone over memory.max. */
  max: 0,
  oom: 0,
  oom_kill: 0,
  swap_high: 0,
  /** Slots refused because of memory.swap.max. */
  swap_max: 0,
  /** Slots not had: because of that, or because swap is full. */
  swap_fail: 0,
};

/** enum memcg_memory_event: MEMCG_HIGH is `high`, and so on. */
export type MemcgMemoryEvent = keyof typeof eventsAtZero;

export type MemcgEvents = Record<MemcgMemoryEvent, number>;

export function makeMemcgEvents(): MemcgEvents {
  return { ...eventsAtZero };
}

/** The group and all above it, the root last. */
export function upwards(memcg: MemCgroup): readonly MemCgroup[] {
  const groups = [memcg];
  for (let m = memcg.parent; m !== null; m = m.parent) groups.push(m);
  return groups;
}

/** mod_memcg_state() - an amount of the group changes. */
export function mod_memcg_state(
  memcg: MemCgroup,
  item: MemcgStatItem,
  val: number,
): void {
  let m: MemCgroup | null = memcg;
  for (; m !== null; m = m.parent) m.vmstats.state[item] += val;
}

/** mod_lruvec_state() - as mod_memcg_state(), for the lruvec's group. */
export function mod_lruvec_state(
  lruvec: Lruvec,
  item: MemcgStatItem,
  val: number,
): void {
  mod_memcg_state(lruvec.memcg, item, val);
}

/** An amount of the group and all below it. */
export function memcg_page_state(
  memcg: MemCgroup,
  item: MemcgStatItem,
): number {
  return memcg.vmstats.state[item];
}

/** count_memcg_events() - something happened in the group, `count` times. */
export function count_memcg_events(
  memcg: MemCgroup,
  event: keyof VmEvents,
  count: number,
): void {
  let m: MemCgroup | null = memcg;
  for (; m !== null; m = m.parent) m.vmstats.events[event] += count;
}

/** … to one of its pages; nothing if the folio is nobody's. */
export function count_memcg_folio_events(
  folio: Folio,
  event: keyof VmEvents,
  nr: number,
): void {
  if (folio.memcg !== null) count_memcg_events(folio.memcg, event, nr);
}

/** … in one of its processes. */
export function count_memcg_event_mm(mm: MmStruct, event: keyof VmEvents) {
  count_memcg_events(mm.memcg, event, 1);
}

/** memcg_memory_event() - for the group and those above it, not the root. */
export function memcg_memory_event(memcg: MemCgroup, event: MemcgMemoryEvent) {
  memcg.memory_events[event]++;
  for (let m = memcg.parent; m !== null && m.parent !== null; m = m.parent) {
    m.memory_events[event]++;
  }
}

/** memory.stat, for a reader of the file: amounts in bytes. */
export type MemoryStat = Readonly<Record<string, number>>;

/** Frames of the groups below `memcg` for which `test` holds. */
function framesOf(
  k: Kernel,
  memcg: MemCgroup,
  test: (folio: Folio) => boolean,
): number {
  let frames = 0;
  for (const folio of foliosInUse(k)) {
    if (folio.memcg === null || !test(folio)) continue;
    for (const m of upwards(folio.memcg)) if (m === memcg) frames++;
  }
  return frames;
}

function listed(k: Kernel, memcg: MemCgroup, lru: number): number {
  const own = memcg.nodeinfo.reduce(
    (sum, { lruvec }) => sum + listLength(k, lruvec.lists[lru]!),
    0,
  );
  return memcg.children.reduce(
    (sum, child) => sum + listed(k, child, lru),
    own,
  );
}

/**
 * memory_stat_show() - the file memory.stat.
 *
 * In bytes: what is a number of pages is multiplied by 4096, also `zswapped`;
 * `zswap` is bytes already. Refaults and events are numbers.
 */
export function memory_stat_show(k: Kernel, memcg: MemCgroup): MemoryStat {
  const { state, events } = memcg.vmstats;
  const pages = {
    anon: framesOf(k, memcg, (it) => folio_mapped(it) && !folioOfObject(it)),
    shmem: framesOf(k, memcg, folioOfObject),
    kernel: state.MEMCG_KMEM,
    zswapped: state.MEMCG_ZSWAPPED,
    swapcached: framesOf(k, memcg, folio_test_swapcache),
    inactive_anon: listed(k, memcg, LRU_INACTIVE_ANON),
    active_anon: listed(k, memcg, LRU_ACTIVE_ANON),
    inactive_file: listed(k, memcg, LRU_INACTIVE_FILE),
    active_file: listed(k, memcg, LRU_ACTIVE_FILE),
  };
  const bytes = Object.fromEntries(
    Object.entries(pages).map(([name, count]) => [name, count * 4096]),
  );
  return {
    ...bytes,
    zswap: state.MEMCG_ZSWAP_B,
    workingset_refault_anon: state.WORKINGSET_REFAULT_ANON,
    workingset_activate_anon: state.WORKINGSET_ACTIVATE_ANON,
    workingset_restore_anon: state.WORKINGSET_RESTORE_ANON,
    workingset_nodereclaim: state.WORKINGSET_NODERECLAIM,
    ...eventsOf(events),
  };
}

/** The events that memory.stat shows. */
const memcg_vm_event_stat: readonly (keyof VmEvents)[] = [
  "pgscan_kswapd",
  "pgscan_direct",
  "pgsteal_kswapd",
  "pgsteal_direct",
  "pgfault",
  "pgmajfault",
  "pgrefill",
  "pgactivate",
  "pgdeactivate",
  "pglazyfree",
  "pglazyfreed",
  "swpin_zero",
  "swpout_zero",
  "zswpin",
  "zswpout",
  "zswpwb",
];

function eventsOf(events: VmEvents): MemoryStat {
  return {
    pgscan: events.pgscan_kswapd + events.pgscan_direct,
    pgsteal: events.pgsteal_kswapd + events.pgsteal_direct,
    ...Object.fromEntries(memcg_vm_event_stat.map((e) => [e, events[e]])),
  };
}
