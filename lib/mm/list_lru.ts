/**
 * Lists of things that can be shrunk, one for each group on each node.
 *
 * An object is put on the list of its group and of the node that its memory
 * is on. New ones go to the back, the walk begins at the front. When a group
 * goes offline, its lists are spliced to its parent's.
 *
 * The list of a group is found by its `kmemcg_id`, under the node's lock. The
 * dying group and all below it get the parent's id *before* the splice takes
 * that lock, so whoever comes later finds the parent's list. Between the two
 * an object may be counted down on the parent's list while it hangs on the
 * child's: the parent's count can be negative for that time.
 *
 * Lock: `ListLruNode.lock` guards all lists of the node. Callbacks of the walk
 * may drop it, and say so by what they return.
 *
 * Kernel: mm/list_lru.c, include/linux/list_lru.h (v6.12). Differs: every list
 * knows groups.
 */
import { BUG_ON } from "../base/bug.ts";
import {
  INIT_LIST_HEAD,
  list_add_tail,
  list_del,
  list_empty,
  list_move_tail,
  type ListHead,
} from "../base/list.ts";
import { xa_init, xa_load, type XArray } from "../base/xarray.ts";
import {
  lockdep_assert_held,
  spin_lock,
  spin_lock_init,
  spin_unlock,
  type Spinlock,
} from "../locking/spinlock.ts";
import { makeOp, type Op, pause, type Task } from "../sim/task.ts";
import { enter } from "../sim/trace.ts";
import { memcg_kmem_id } from "./memcontrol.ts";
import type { Kernel, MemCgroup } from "./mm_types.ts";
import { set_shrinker_bit, type ShrinkControl } from "./shrinker.ts";

/** What the callback of a walk did with the object. (enum lru_status) */
export const LRU_REMOVED = 0;
/** Removed, and the lock was dropped and taken again. */
export const LRU_REMOVED_RETRY = 1;
/** Referenced: to the back of the list. */
export const LRU_ROTATE = 2;
export const LRU_SKIP = 3;
/** Left as it is, and the lock was dropped and taken again. */
export const LRU_RETRY = 4;
/** Enough: end the walk. */
export const LRU_STOP = 5;
export type LruStatus = 0 | 1 | 2 | 3 | 4 | 5;

export interface ListLruOne<T> {
  readonly list: ListHead<T>;
  /** Can be negative while a child's list is being taken over. */
  nr_items: number;
}

/** The lists of one group, by node. */
export interface ListLruMemcg<T> {
  readonly node: readonly ListLruOne<T>[];
}

export interface ListLruNode<T> {
  readonly lock: Spinlock;
  /** The list of the root group, and of objects without a group. */
  readonly lru: ListLruOne<T>;
  /**
   * Objects of all groups on this node. As in Linux it drifts by −1 for each
   * object that a callback takes off with list_lru_del() before it returns
   * LRU_REMOVED_RETRY: the walk counts it again.
   */
  nr_items: number;
}

export interface ListLru<T> {
  readonly name: string;
  readonly node: readonly ListLruNode<T>[];
  /** By kmemcg_id. */
  readonly xa: XArray<ListLruMemcg<T>>;
  /** Whose bit says that a group's list is not empty; −1 for nobody's. */
  shrinker_id: number;
  /** The pauses before a group's lists are looked up, and before they go. */
  readonly load: Op;
  readonly erase: Op;
}

/** How many objects a walk may still look at. */
export interface WalkBudget {
  nr_to_walk: number;
}

/**
 * Called with the node's lock held, and returns with it held.
 * LRU_REMOVED… counts only the node: the callback takes the object off its
 * list itself, with list_lru_isolate().
 */
export type ListLruWalkCb<T> = (
  item: ListHead<T>,
  one: ListLruOne<T>,
  lock: Spinlock,
) => Task<LruStatus>;

/** An empty list. (Linux: init_one_lru().) */
export function initOne<T>(): ListLruOne<T> {
  return { list: INIT_LIST_HEAD<T>(), nr_items: 0 };
}

/** list_lru_init() - empty lists for all nodes, known to offlining groups. */
export function list_lru_init<T>(k: Kernel, name: string): ListLru<T> {
  const node = k.nodes.map(({ node_id }) => ({
    lock: spin_lock_init(`${name}.node[${node_id}].lock`),
    lru: initOne<T>(),
    nr_items: 0,
  }));
  const xa = xa_init<ListLruMemcg<T>>(name);
  const load = makeOp("read", `xa_load(${name})`, xa);
  const erase = makeOp("write", `xa_erase(${name})`, xa);
  const lru: ListLru<T> = { name, node, xa, shrinker_id: -1, load, erase };
  k.memcg.list_lrus.push(lru);
  return lru;
}

/** The list of an id; a negative one means the node's own. */
export function list_lru_from_memcg_idx<T>(
  lru: ListLru<T>,
  nid: number,
  idx: number,
): ListLruOne<T> | null {
  if (idx < 0) return lru.node[nid]!.lru;
  return xa_load(lru.xa, idx)?.node[nid] ?? null;
}

/**
 * The index of the group's lists, read while others may switch it, and then
 * the lists looked up while others may erase them.
 */
function* readIdx<T>(
  lru: ListLru<T>,
  memcg: MemCgroup | null,
): Task<number> {
  if (memcg === null) return -1;
  yield* pause(memcg.ops.readKmemcgId);
  const idx = memcg_kmem_id(memcg);
  if (idx >= 0) yield* pause(lru.load);
  return idx;
}

/** The group's list; stops where Linux would follow a null pointer. */
function* listOf<T>(
  lru: ListLru<T>,
  nid: number,
  memcg: MemCgroup,
): Task<ListLruOne<T>> {
  const idx = yield* readIdx(lru, memcg);
  const one = list_lru_from_memcg_idx(lru, nid, idx);
  BUG_ON(
    one === null,
    () => `null pointer: ${lru.name} has no list for id ${idx}`,
  );
  return one!;
}

/**
 * list_lru_add() - put the object at the back of its group's list.
 *
 * @returns false if it is on a list already
 *
 * Context: takes the node's lock. The caller keeps `memcg` from being freed.
 */
export function* list_lru_add<T>(
  k: Kernel,
  lru: ListLru<T>,
  item: ListHead<T>,
  nid: number,
  memcg: MemCgroup | null,
): Task<boolean> {
  enter(k.trace, "list_lru_add");
  const nlru = lru.node[nid]!;
  yield* spin_lock(nlru.lock);
  const added = list_empty(item);
  if (added) {
    const one = memcg === null ? nlru.lru : yield* listOf(lru, nid, memcg);
    list_add_tail(item, one.list);
    if (one.nr_items++ === 0) set_shrinker_bit(k, memcg, nid, lru.shrinker_id);
    nlru.nr_items++;
  }
  spin_unlock(nlru.lock);
  return added;
}

/**
 * list_lru_del() - take the object off its list.
 *
 * The *count* goes down where the group's id points to now; that may be the
 * parent's while the object still hangs on the child's list.
 *
 * @returns false if it is on no list
 */
export function* list_lru_del<T>(
  _k: Kernel,
  lru: ListLru<T>,
  item: ListHead<T>,
  nid: number,
  memcg: MemCgroup | null,
): Task<boolean> {
  const nlru = lru.node[nid]!;
  yield* spin_lock(nlru.lock);
  const removed = !list_empty(item);
  if (removed) {
    const one = memcg === null ? nlru.lru : yield* listOf(lru, nid, memcg);
    list_del(item);
    one.nr_items--;
    nlru.nr_items--;
  }
  spin_unlock(nlru.lock);
  return removed;
}

/** For callbacks: take the object off. Context: the node's lock is held. */
export function list_lru_isolate<T>(one: ListLruOne<T>, item: ListHead<T>) {
  list_del(item);
  one.nr_items--;
}

/** Objects on one list, without the lock; never negative. */
export function list_lru_count_one<T>(
  _k: Kernel,
  lru: ListLru<T>,
  nid: number,
  memcg: MemCgroup | null,
): number {
  const one = list_lru_from_memcg_idx(lru, nid, memcg_kmem_id(memcg));
  return Math.max(0, one?.nr_items ?? 0);
}

/** The node's total, drift and all. */
export function list_lru_count_node<T>(lru: ListLru<T>, nid: number): number {
  return lru.node[nid]!.nr_items;
}

/** Walk from the front until the end, the callback or the budget says stop. */
function* __list_lru_walk_one<T>(
  lru: ListLru<T>,
  nid: number,
  memcg_idx: number,
  isolate: ListLruWalkCb<T>,
  budget: WalkBudget,
): Task<number> {
  const nlru = lru.node[nid]!;
  let isolated = 0;
  // After the lock was dropped: look the list up again, by the same index. If
  // it was taken over by the parent meanwhile, the walk is over.
  let one = list_lru_from_memcg_idx(lru, nid, memcg_idx);
  let item = one?.list.next;
  while (one !== null && item !== one.list) {
    if (budget.nr_to_walk === 0) break;
    budget.nr_to_walk--;
    const next: ListHead<T> = item!.next;
    const status = yield* isolate(item!, one, nlru.lock);
    lockdep_assert_held(nlru.lock);
    if (status === LRU_REMOVED || status === LRU_REMOVED_RETRY) {
      isolated++;
      nlru.nr_items--;
    }
    if (status === LRU_STOP) break;
    if (status === LRU_ROTATE) list_move_tail(item!, one.list);
    item = next;
    if (status === LRU_REMOVED_RETRY || status === LRU_RETRY) {
      one = list_lru_from_memcg_idx(lru, nid, memcg_idx);
      item = one?.list.next;
    }
  }
  return isolated;
}

/**
 * list_lru_walk_one() - show the callback the objects of one group and node.
 *
 * @param budget counted down before each call, so that an object that cannot
 *   be taken cannot hold the walk for ever
 * @returns how many were removed
 */
export function* list_lru_walk_one<T>(
  _k: Kernel,
  lru: ListLru<T>,
  nid: number,
  memcg: MemCgroup | null,
  isolate: ListLruWalkCb<T>,
  budget: WalkBudget,
): Task<number> {
  const { lock } = lru.node[nid]!;
  yield* spin_lock(lock);
  const idx = yield* readIdx(lru, memcg);
  const removed = yield* __list_lru_walk_one(lru, nid, idx, isolate, budget);
  spin_unlock(lock);
  return removed;
}

/** How many objects a shrinker could look at. */
export function list_lru_shrink_count<T>(
  k: Kernel,
  lru: ListLru<T>,
  sc: ShrinkControl,
): number {
  return list_lru_count_one(k, lru, sc.nid, sc.memcg);
}

/** Walk `sc.nr_to_scan` objects; that count is what is left afterwards. */
export function* list_lru_shrink_walk<T>(
  k: Kernel,
  lru: ListLru<T>,
  sc: ShrinkControl,
  isolate: ListLruWalkCb<T>,
): Task<number> {
  const budget = { nr_to_walk: sc.nr_to_scan };
  const { nid, memcg } = sc;
  const removed = yield* list_lru_walk_one(k, lru, nid, memcg, isolate, budget);
  sc.nr_to_scan = budget.nr_to_walk;
  return removed;
}
