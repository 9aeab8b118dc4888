/**
 * The lists of groups that come and go: made when a group stores its first
 * object, taken over by the parent when it goes offline.
 *
 * Kernel: mm/list_lru.c (v6.12). Differs: split off from list_lru.c; the array
 * of a dead group is not freed, since nobody can find it any more.
 */
import { VM_BUG_ON } from "../base/bug.ts";
import { ENOMEM, type Errno } from "../base/errno.ts";
import { list_splice_init } from "../base/list.ts";
import { xa_erase, xa_load, xa_store } from "../base/xarray.ts";
import { spin_lock, spin_unlock } from "../locking/spinlock.ts";
import { pause, type Task } from "../sim/task.ts";
import { enter } from "../sim/trace.ts";
import { initOne, list_lru_from_memcg_idx, type ListLru } from "./list_lru.ts";
import { memcg_kmem_id } from "./memcontrol.ts";
import type { Kernel, MemCgroup } from "./mm_types.ts";
import { set_shrinker_bit } from "./shrinker.ts";

function memcg_list_lru_allocated<T>(lru: ListLru<T>, memcg: MemCgroup) {
  const idx = memcg_kmem_id(memcg);
  return idx < 0 || xa_load(lru.xa, idx) !== null;
}

/**
 * memcg_list_lru_alloc() - lists for the group, and for every ancestor that
 * has none yet: one day they take over the child's.
 *
 * @returns 0; -ENOMEM and no list at all if the laboratory says so
 *   (`k.inject.listLruArrays`)
 */
export function memcg_list_lru_alloc<T>(
  k: Kernel,
  memcg: MemCgroup | null,
  lru: ListLru<T>,
): Errno {
  const wanting: MemCgroup[] = [];
  for (let m = memcg; m !== null; m = m.parent) {
    if (memcg_list_lru_allocated(lru, m)) break;
    wanting.push(m);
  }
  if (wanting.length > 0 && k.inject.listLruArrays > 0) {
    k.inject.listLruArrays--;
    return -ENOMEM;
  }
  // The topmost first: a list whose parent has none must not be seen.
  for (const m of wanting.reverse()) {
    // A group that has gone offline meanwhile has its parent's index.
    if (memcg_list_lru_allocated(lru, m)) continue;
    const node = k.nodes.map(() => initOne<T>());
    xa_store(lru.xa, memcg_kmem_id(m), { node });
  }
  return 0;
}

/** One node's list: the child's objects become the parent's next victims. */
function* memcg_reparent_list_lru_node<T>(
  k: Kernel,
  lru: ListLru<T>,
  nid: number,
  src_idx: number,
  dst_memcg: MemCgroup,
): Task {
  enter(k.trace, "memcg_reparent_list_lru_node");
  const { lock } = lru.node[nid]!;
  yield* spin_lock(lock);
  const src = list_lru_from_memcg_idx(lru, nid, src_idx);
  if (src !== null) {
    // The parent stays online until its children are gone.
    const dst = list_lru_from_memcg_idx(lru, nid, memcg_kmem_id(dst_memcg));
    VM_BUG_ON(dst === null, () => `${lru.name}: ${dst_memcg.name} has no list`);
    list_splice_init(src.list, dst!.list);
    if (src.nr_items !== 0) {
      dst!.nr_items += src.nr_items;
      set_shrinker_bit(k, dst_memcg, nid, lru.shrinker_id);
      src.nr_items = 0;
    }
  }
  spin_unlock(lock);
}

/** Every node of one lru; then the child's array goes. */
function* memcg_reparent_list_lru<T>(
  k: Kernel,
  lru: ListLru<T>,
  src_idx: number,
  dst_memcg: MemCgroup,
): Task {
  for (const { node_id } of k.nodes) {
    yield* memcg_reparent_list_lru_node(k, lru, node_id, src_idx, dst_memcg);
  }
  yield* pause(lru.erase);
  xa_erase(lru.xa, src_idx);
}

/** The group and all below it are looked up under `id` from now on. */
function* switchKmemcgId(memcg: MemCgroup, id: number): Task {
  yield* pause(memcg.ops.writeKmemcgId);
  const below = (m: MemCgroup): void => {
    m.kmemcg_id = id;
    m.children.forEach(below);
  };
  below(memcg);
}

/**
 * memcg_reparent_list_lrus() - the parent takes over all lists of a group.
 *
 * Context: sleeps; takes list_lrus_mutex, then each node's lock.
 */
export function* memcg_reparent_list_lrus(
  k: Kernel,
  memcg: MemCgroup,
  parent: MemCgroup,
): Task {
  enter(k.trace, "memcg_reparent_list_lrus");
  const src_idx = memcg.kmemcg_id;
  const first = k.proposals.kmemcg_id_switch_first === "on";
  if (first) yield* switchKmemcgId(memcg, parent.kmemcg_id);
  yield* spin_lock(k.memcg.list_lrus_mutex);
  for (const lru of k.memcg.list_lrus) {
    yield* memcg_reparent_list_lru(k, lru, src_idx, parent);
  }
  spin_unlock(k.memcg.list_lrus_mutex);
  if (!first) yield* switchKmemcgId(memcg, parent.kmemcg_id);
}
