/**
 * Caches that give objects back when memory is short.
 *
 * A cache registers a shrinker: how many objects it could free, and how to
 * free some. Reclaim asks every shrinker for about the share of its objects
 * that it asks of the pages. What is too little for a batch is remembered and
 * added the next time. A group is asked only for the caches whose bit it has:
 * the others hold nothing of it.
 *
 * Kernel: mm/shrinker.c, include/linux/shrinker.h (v6.12). Differs: the ids
 * are places in one list, the bitmap of a group is a set.
 */
import { VM_BUG_ON } from "../base/bug.ts";
import { makeOp, type Op, pause, type Task } from "../sim/task.ts";
import { mem_cgroup_online } from "./memcontrol.ts";
import type { Kernel, MemCgroup } from "./mm_types.ts";

/** scan_objects: nothing can be done now, stop asking. (Linux: ~0UL.) */
export const SHRINK_STOP = -1;
/** count_objects: there is nothing at all; the group's bit can go. */
export const SHRINK_EMPTY = -2;
/** How many objects one call of scan_objects is for, unless it says so. */
export const SHRINK_BATCH = 128;
/** What it costs to make an object again, in device seeks. */
export const DEFAULT_SEEKS = 2;

export const SHRINKER_NUMA_AWARE = 1 << 2;
export const SHRINKER_MEMCG_AWARE = 1 << 3;

/** One request to one shrinker. */
export interface ShrinkControl {
  readonly gfp_mask: number;
  readonly nid: number;
  readonly memcg: MemCgroup | null;
  /** For scan_objects: how many to look at, and how many it did look at. */
  nr_to_scan: number;
  nr_scanned: number;
}

/** What a cache has to say about itself. */
export interface ShrinkerOptions {
  readonly flags: number;
  readonly seeks?: number;
  readonly batch?: number;
  /** Objects that could be freed; 0 also for "not now"; or SHRINK_EMPTY. */
  count_objects(k: Kernel, sc: ShrinkControl): number | Task<number>;
  /** Objects that were freed, or SHRINK_STOP. */
  scan_objects(k: Kernel, sc: ShrinkControl): Task<number>;
}

export interface Shrinker extends Required<ShrinkerOptions> {
  /** Its bit in the groups' sets; −1 if it knows nothing of groups. */
  readonly id: number;
  readonly name: string;
  /** By node: work put off, if it knows nothing of groups. */
  readonly nr_deferred: number[];
  readonly resched: Op;
}

/** What a group has on one node for the shrinkers that know groups. */
export interface ShrinkerInfo {
  /** Ids of the shrinkers that may hold something of the group. */
  readonly map: Set<number>;
  /** By id: work put off. */
  readonly nr_deferred: Map<number, number>;
}

/** No bits, no work put off: for a new group. */
export function alloc_shrinker_info(): ShrinkerInfo {
  return { map: new Set(), nr_deferred: new Map() };
}

/**
 * shrinker_alloc() - a shrinker that nobody asks yet.
 *
 * Its id is there already, for the lists that set its bits.
 */
export function shrinker_alloc(
  k: Kernel,
  name: string,
  options: ShrinkerOptions,
): Shrinker {
  const isMemcgAware = (options.flags & SHRINKER_MEMCG_AWARE) !== 0;
  const shrinker = {
    seeks: DEFAULT_SEEKS,
    batch: 0,
    ...options,
    name,
    id: isMemcgAware ? k.next_shrinker_id++ : -1,
    nr_deferred: k.nodes.map(() => 0),
  };
  const resched = makeOp("resched", `cond_resched(${name})`, shrinker);
  return { ...shrinker, resched };
}

/** Reclaim asks it from now on. */
export function shrinker_register(k: Kernel, shrinker: Shrinker): void {
  VM_BUG_ON(
    k.shrinker_list.includes(shrinker),
    () => `shrinker_register: ${shrinker.name} is registered already`,
  );
  k.shrinker_list.push(shrinker);
}

/** Reclaim does not ask it any more. */
export function shrinker_free(k: Kernel, shrinker: Shrinker): void {
  const index = k.shrinker_list.indexOf(shrinker);
  if (index >= 0) k.shrinker_list.splice(index, 1);
}

/** The group may hold something for this shrinker. The root needs no bits. */
export function set_shrinker_bit(
  k: Kernel,
  memcg: MemCgroup | null,
  nid: number,
  shrinker_id: number,
): void {
  if (shrinker_id < 0 || memcg === null || memcg === k.root_mem_cgroup) return;
  memcg.nodeinfo[nid]!.shrinker_info.map.add(shrinker_id);
}

function isNumaAware(shrinker: Shrinker): boolean {
  return (shrinker.flags & SHRINKER_NUMA_AWARE) !== 0;
}

/** Take the work that was put off; others must not do it as well. */
function xchg_nr_deferred(shrinker: Shrinker, sc: ShrinkControl): number {
  const nid = isNumaAware(shrinker) ? sc.nid : 0;
  if (sc.memcg !== null && shrinker.id >= 0) {
    const { nr_deferred } = sc.memcg.nodeinfo[nid]!.shrinker_info;
    const nr = nr_deferred.get(shrinker.id) ?? 0;
    nr_deferred.delete(shrinker.id);
    return nr;
  }
  const nr = shrinker.nr_deferred[nid]!;
  shrinker.nr_deferred[nid] = 0;
  return nr;
}

function add_nr_deferred(
  nr: number,
  shrinker: Shrinker,
  sc: ShrinkControl,
): void {
  const nid = isNumaAware(shrinker) ? sc.nid : 0;
  if (sc.memcg !== null && shrinker.id >= 0) {
    const { nr_deferred } = sc.memcg.nodeinfo[nid]!.shrinker_info;
    nr_deferred.set(shrinker.id, (nr_deferred.get(shrinker.id) ?? 0) + nr);
  } else {
    shrinker.nr_deferred[nid]! += nr;
  }
}

/** The group dies: its parent inherits the work that was put off. */
export function reparent_shrinker_deferred(k: Kernel, memcg: MemCgroup): void {
  const parent = memcg.parent ?? k.root_mem_cgroup;
  for (const [nid, { shrinker_info }] of memcg.nodeinfo.entries()) {
    const { nr_deferred } = parent.nodeinfo[nid]!.shrinker_info;
    for (const [id, nr] of shrinker_info.nr_deferred) {
      nr_deferred.set(id, (nr_deferred.get(id) ?? 0) + nr);
    }
  }
}

/**
 * How many objects to scan for `freeable` ones at `priority`: the new share,
 * 4 × (freeable >> priority) / seeks, and with the work put off (`nr`).
 */
export function shrinkTarget(
  { seeks }: { readonly seeks: number },
  freeable: number,
  nr: number,
  priority: number,
): { delta: number; total_scan: number } {
  // Objects that cost nothing to make again: half of them.
  const delta = seeks === 0
    ? Math.floor(freeable / 2)
    : Math.floor((freeable >> priority) * 4 / seeks);
  return {
    delta,
    total_scan: Math.min((nr >> priority) + delta, 2 * freeable),
  };
}

/**
 * do_shrink_slab() - ask one shrinker, in batches.
 *
 * @returns objects freed, or SHRINK_EMPTY
 */
function* do_shrink_slab(
  k: Kernel,
  sc: ShrinkControl,
  shrinker: Shrinker,
  priority: number,
): Task<number> {
  const counted = shrinker.count_objects(k, sc);
  const freeable = typeof counted === "number" ? counted : yield* counted;
  if (freeable === 0 || freeable === SHRINK_EMPTY) return freeable;

  const nr = xchg_nr_deferred(shrinker, sc);
  const { delta, total_scan } = shrinkTarget(shrinker, freeable, nr, priority);
  const batch = shrinker.batch === 0 ? SHRINK_BATCH : shrinker.batch;
  let left = total_scan;
  let freed = 0;
  let scanned = 0;
  // Less than a batch waits for the next time, unless all are wanted.
  while (left >= batch || left >= freeable) {
    sc.nr_to_scan = Math.min(batch, left);
    sc.nr_scanned = sc.nr_to_scan;
    const ret = yield* shrinker.scan_objects(k, sc);
    if (ret === SHRINK_STOP) break;
    freed += ret;
    k.vm_event.slabs_scanned += sc.nr_scanned;
    left -= sc.nr_scanned;
    scanned += sc.nr_scanned;
    yield* pause(shrinker.resched);
  }
  const undone = Math.max(nr + delta - scanned, 0);
  add_nr_deferred(Math.min(undone, 2 * freeable), shrinker, sc);
  return freed;
}

/** What a shrinker is asked about, nothing counted yet. */
function askAbout(
  gfp_mask: number,
  nid: number,
  memcg: MemCgroup,
): ShrinkControl {
  return { gfp_mask, nid, memcg, nr_to_scan: 0, nr_scanned: 0 };
}

function* shrink_slab_memcg(
  k: Kernel,
  gfp_mask: number,
  nid: number,
  memcg: MemCgroup,
  priority: number,
): Task<number> {
  if (!mem_cgroup_online(memcg)) return 0;
  const { map } = memcg.nodeinfo[nid]!.shrinker_info;
  let freed = 0;
  for (const id of [...map].sort((a, b) => a - b)) {
    const shrinker = k.shrinker_list.find((known) => known.id === id);
    if (shrinker === undefined) {
      map.delete(id);
      continue;
    }
    const sc = askAbout(gfp_mask, nid, memcg);
    let ret = yield* do_shrink_slab(k, sc, shrinker, priority);
    if (ret === SHRINK_EMPTY) {
      map.delete(id);
      // An object may have come before the bit went: look once more.
      ret = yield* do_shrink_slab(k, sc, shrinker, priority);
      if (ret === SHRINK_EMPTY) ret = 0;
      else set_shrinker_bit(k, memcg, nid, id);
    }
    freed += ret;
  }
  return freed;
}

/**
 * shrink_slab() - ask the shrinkers for what one group has on one node.
 *
 * @param memcg for the root group every shrinker is asked, for any other only
 *   those whose bit is set
 * @param priority objects >> priority is the share that is asked for
 * @returns objects freed
 */
export function* shrink_slab(
  k: Kernel,
  gfp_mask: number,
  nid: number,
  memcg: MemCgroup,
  priority: number,
): Task<number> {
  if (memcg !== k.root_mem_cgroup) {
    return yield* shrink_slab_memcg(k, gfp_mask, nid, memcg, priority);
  }
  let freed = 0;
  for (const shrinker of [...k.shrinker_list]) {
    const sc = askAbout(gfp_mask, nid, memcg);
    const ret = yield* do_shrink_slab(k, sc, shrinker, priority);
    if (ret !== SHRINK_EMPTY) freed += ret;
  }
  return freed;
}
