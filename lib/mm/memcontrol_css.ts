/**
 * A group comes and goes: made, offline, released, freed.
 *
 * To remove a group: no new "online" references (CSS_DYING); a grace period;
 * its objects and lists go to its parent; it is no longer online; its first
 * reference goes. What is still charged to it keeps it as a *zombie*. After
 * the last reference a worker takes it out of the tree, and after one more
 * grace period it is freed.
 *
 * Kernel: mm/memcontrol.c, kernel/cgroup/cgroup.c (v6.12). Differs: cgroup and
 * its memory controller are one object; making one is one step.
 */
import { VM_BUG_ON } from "../base/bug.ts";
import { EBUSY, type Errno } from "../base/errno.ts";
import { xa_store } from "../base/xarray.ts";
import { call_rcu, synchronize_rcu } from "../locking/rcu.ts";
import { spin_lock, spin_unlock } from "../locking/spinlock.ts";
import { wait_event } from "../locking/wait.ts";
import { INIT_WORK, type Work } from "../locking/workqueue.ts";
import { makeOp, pause, type Task } from "../sim/task.ts";
import { enter } from "../sim/trace.ts";
import { memcg_reparent_list_lrus } from "./list_lru_memcg.ts";
import {
  allocMemcgId,
  CSS_DYING,
  css_get,
  CSS_ONLINE,
  css_put,
  CSS_RELEASED,
  mem_cgroup_alloc,
  mem_cgroup_id_put_many,
} from "./memcontrol.ts";
import { invalidate_reclaim_iterators } from "./memcontrol_iter.ts";
import {
  drain_all_stock,
  memcg_reparent_objcgs,
  obj_cgroup_alloc,
  obj_cgroup_put,
} from "./memcontrol_objcg.ts";
import type { Kernel, MemCgroup } from "./mm_types.ts";
import { reparent_shrinker_deferred } from "./shrinker.ts";
import { zswap_memcg_offline_cleanup } from "./zswap_shrink.ts";

/**
 * Make a group below `parent`, online. (Linux: mkdir in the cgroup tree, which
 * calls mem_cgroup_css_alloc() and mem_cgroup_css_online().)
 *
 * Throws RangeError if all 65535 ids are in use or the parent is going.
 */
export function makeCgroup(
  k: Kernel,
  parent: MemCgroup,
  name: string,
): MemCgroup {
  const id = allocMemcgId(k);
  if (id === 0) throw new RangeError(`No id is free for group ${name}`);
  if ((parent.css.flags & CSS_DYING) !== 0) {
    throw new RangeError(`Group ${parent.name} is being removed`);
  }
  const memcg = mem_cgroup_alloc(parent, name, id, k.nodes);
  css_get(parent);
  parent.children.push(memcg);
  mem_cgroup_css_online(k, memcg);
  memcg.css.flags |= CSS_ONLINE;
  return memcg;
}

/** Its objects are charged to it, its lists found under its own id. */
function memcg_online_kmem(memcg: MemCgroup): void {
  const objcg = obj_cgroup_alloc(memcg);
  // One reference for being the active one, one for as long as the group is.
  objcg.refcnt++;
  memcg.objcg = objcg;
  memcg.orig_objcg = objcg;
  memcg.kmemcg_id = memcg.id;
}

function mem_cgroup_css_online(k: Kernel, memcg: MemCgroup): void {
  memcg_online_kmem(memcg);
  // Being online pins the id, the id pins the group.
  css_get(memcg);
  xa_store(k.memcg.mem_cgroup_ids, memcg.id, memcg);
}

/**
 * Remove a group. (Linux: rmdir: kill_css(), css_killed_work_fn().)
 *
 * @returns 0; -EBUSY while a process or an online group is in it
 *
 * Context: sleeps for a grace period.
 */
export function* removeCgroup(k: Kernel, memcg: MemCgroup): Task<Errno> {
  const inUse = [...k.mms].some((mm) => mm.memcg === memcg) ||
    memcg.children.some((child) => (child.css.flags & CSS_DYING) === 0);
  if (inUse) return -EBUSY;
  VM_BUG_ON(
    (memcg.css.flags & (CSS_ONLINE | CSS_DYING)) !== CSS_ONLINE,
    () => `group ${memcg.name} is removed twice`,
  );
  yield* pause(memcg.ops.kill);
  memcg.css.flags |= CSS_DYING;
  // Everybody sees it before the offlining begins.
  yield* synchronize_rcu(k.rcu);
  yield* wait_event(
    memcg.css,
    `children of ${memcg.name} are offline`,
    () => memcg.children.every((child) => (child.css.flags & CSS_ONLINE) === 0),
  );
  yield* spin_lock(k.memcg.cgroup_mutex);
  yield* mem_cgroup_css_offline(k, memcg);
  memcg.css.flags &= ~CSS_ONLINE;
  css_put(k, memcg);
  spin_unlock(k.memcg.cgroup_mutex);
  return 0;
}

/** What belongs to the group goes to its parent, in the kernel's order. */
function* mem_cgroup_css_offline(k: Kernel, memcg: MemCgroup): Task {
  enter(k.trace, "mem_cgroup_css_offline");
  yield* zswap_memcg_offline_cleanup(k, memcg);
  yield* memcg_offline_kmem(k, memcg);
  reparent_shrinker_deferred(k, memcg);
  drain_all_stock(k, memcg);
  yield* pause(memcg.ops.putId);
  mem_cgroup_id_put_many(k, memcg, 1);
}

/** First the objects, then the lists that they are on. */
function* memcg_offline_kmem(k: Kernel, memcg: MemCgroup): Task {
  enter(k.trace, "memcg_offline_kmem");
  const parent = memcg.parent!;
  yield* memcg_reparent_objcgs(k, memcg, parent);
  if (k.proposals.list_lru_reparent_at === "offline") {
    yield* memcg_reparent_list_lrus(k, memcg, parent);
  }
}

/** The work that css_put() queues when nobody refers to the group any more. */
export function cssReleaseWork(k: Kernel, memcg: MemCgroup): Work {
  const name = `css_release(${memcg.name})`;
  return INIT_WORK(name, () => css_release_work_fn(k, memcg));
}

/** The group leaves the tree; its memory goes after a grace period. */
function* css_release_work_fn(k: Kernel, memcg: MemCgroup): Task {
  const { parent } = memcg;
  if (k.proposals.list_lru_reparent_at === "release") {
    yield* memcg_reparent_list_lrus(k, memcg, parent!);
  }
  yield* pause(makeOp("write", `list_del_rcu(${memcg.name})`, parent!.css));
  memcg.css.flags |= CSS_RELEASED;
  parent!.children.splice(parent!.children.indexOf(memcg), 1);
  invalidate_reclaim_iterators(memcg);
  yield* pause(memcg.ops.free);
  call_rcu(k.rcu, () => mem_cgroup_css_free(k, memcg));
}

function mem_cgroup_css_free(k: Kernel, memcg: MemCgroup): void {
  obj_cgroup_put(k, memcg.orig_objcg);
  memcg.freed = true;
  css_put(k, memcg.parent!);
}
