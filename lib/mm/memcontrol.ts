/**
 * Memory control groups: who pays for a page, a slot, a compressed object.
 *
 * Groups form a tree; what one uses counts for all above it. A group has three
 * lives that end one after the other:
 * - *online*: until it is removed (memcontrol_css.ts);
 * - *referenced*: `css.refcnt` is held by every folio charged to it, every
 *   child, its id and whoever walks by; at 0 it leaves the tree;
 * - *readable*: its memory stays until all RCU readers have gone. Then it is
 *   `freed`, and whoever looks at it stops the machine.
 * Its 16-bit id lives as long as it is online or a slot is charged to it; the
 * id holds a reference to the group.
 *
 * Kernel: mm/memcontrol.c, include/linux/memcontrol.h, cgroup.h (v6.12).
 * Differs: css_get() and friends take the group, not its css.
 */
import { VM_BUG_ON } from "../base/bug.ts";
import {
  xa_erase,
  xa_init,
  xa_load,
  xa_store,
  type XArray,
} from "../base/xarray.ts";
import { spin_lock_init, type Spinlock } from "../locking/spinlock.ts";
import { queue_work } from "../locking/workqueue.ts";
import { makeOp } from "../sim/task.ts";
import type { ListLru } from "./list_lru.ts";
import { lruvec_init } from "./lru.ts";
import { cssReleaseWork } from "./memcontrol_css.ts";
import { makeObjStock, type ObjStock } from "./memcontrol_objcg.ts";
import { makeMemcgEvents, makeMemcgVmstats } from "./memcontrol_stat.ts";
import type {
  Folio,
  Kernel,
  MemcgOps,
  MemCgroup,
  MmStruct,
  PgData,
} from "./mm_types.ts";
import { page_counter_init, PAGE_COUNTER_MAX } from "./page_counter.ts";
import { alloc_shrinker_info } from "./shrinker.ts";

/** References are not counted: the root group is always there. */
export const CSS_NO_REF = 1 << 0;
/** Set until the end of its offlining. */
export const CSS_ONLINE = 1 << 1;
/** It left the tree. */
export const CSS_RELEASED = 1 << 2;
/** It is being removed: no new references to be had as "online". */
export const CSS_DYING = 1 << 4;

/** Ids are 16 bits wide; 0 is nobody's. */
export const MEM_CGROUP_ID_MAX = 0xffff;

/** What Linux keeps in globals of memcontrol.c, list_lru.c, swap_cgroup.c. */
export interface MemcgState {
  /** Groups by id, while the id lives. */
  readonly mem_cgroup_ids: XArray<MemCgroup>;
  /** Guards every `objcg_list`. */
  readonly objcg_lock: Spinlock;
  /** All lists that have a part for each group. */
  readonly list_lrus: ListLru<unknown>[];
  readonly list_lrus_mutex: Spinlock;
  /** Groups go one after the other. */
  readonly cgroup_mutex: Spinlock;
  /** By CPU: bytes of whole pages that are charged and not used yet. */
  readonly memcg_stock: readonly ObjStock[];
  /** By device: the id of each slot's group; null if swapped off. */
  readonly swap_cgroup: (Uint16Array | null)[];
}

/** The globals, with the root group in its place. */
export function mem_cgroup_init(root: MemCgroup, cpus: number): MemcgState {
  const mem_cgroup_ids = xa_init<MemCgroup>("mem_cgroup_ids");
  xa_store(mem_cgroup_ids, root.id, root);
  return {
    mem_cgroup_ids,
    objcg_lock: spin_lock_init("objcg_lock"),
    list_lrus: [],
    list_lrus_mutex: spin_lock_init("list_lrus_mutex"),
    cgroup_mutex: spin_lock_init("cgroup_mutex"),
    memcg_stock: Array.from({ length: cpus }, makeObjStock),
    swap_cgroup: [],
  };
}

/** The root group, its lists empty. */
export function makeRootMemcg(nodes: readonly PgData[]): MemCgroup {
  const root = mem_cgroup_alloc(null, "/", 1, nodes);
  root.css.flags = CSS_NO_REF | CSS_ONLINE;
  return root;
}

/** A group that nobody sees yet, its lists empty, without limits. */
export function mem_cgroup_alloc(
  parent: MemCgroup | null,
  name: string,
  id: number,
  nodes: readonly PgData[],
): MemCgroup {
  const css = { refcnt: 1, flags: 0 };
  const memory = page_counter_init(parent?.memory ?? null);
  const memcg: MemCgroup = {
    css,
    id,
    idRefs: 1,
    name,
    parent,
    children: [],
    nodeinfo: [],
    memory,
    swap: page_counter_init(parent?.swap ?? null),
    zswap_max: PAGE_COUNTER_MAX,
    zswap_writeback: true,
    kmemcg_id: -1,
    objcg: null,
    orig_objcg: null,
    objcg_list: [],
    vmstats: makeMemcgVmstats(),
    memory_events: makeMemcgEvents(),
    ops: memcgOps(name, css, memory, parent?.ops.readKmemcgId.object ?? css),
    freed: false,
  };
  for (const pgdat of nodes) {
    memcg.nodeinfo.push({
      lruvec: lruvec_init(memcg, pgdat),
      shrinker_info: alloc_shrinker_info(),
      iter: { position: null, generation: 0 },
    });
  }
  return memcg;
}

function memcgOps(
  name: string,
  css: object,
  memory: object,
  kmemcgIds: object,
): MemcgOps {
  const objcg = {};
  return {
    charge: makeOp("write", `page_counter_try_charge(${name})`, memory),
    kill: makeOp("write", `kill_css(${name})`, css),
    online: makeOp("read", `css_tryget_online(${name})`, css),
    putId: makeOp("write", `mem_cgroup_id_put(${name})`, css),
    readObjcg: makeOp("read", `get_obj_cgroup(${name})`, objcg),
    writeObjcg: makeOp("write", `rcu_replace_pointer(${name}->objcg)`, objcg),
    readKmemcgId: makeOp("read", `memcg_kmem_id(${name})`, kmemcgIds),
    writeKmemcgId: makeOp("write", `kmemcg_id(${name})`, kmemcgIds),
    free: makeOp("write", `call_rcu(${name})`, kmemcgIds),
  };
}

/** Stop the machine if the group's memory was given back. */
function touch(memcg: MemCgroup, what: string): void {
  VM_BUG_ON(
    memcg.freed,
    () => `use after free: ${what} of group ${memcg.name}`,
  );
}

export function mem_cgroup_is_root(memcg: MemCgroup): boolean {
  return memcg.parent === null;
}

export function parent_mem_cgroup(memcg: MemCgroup): MemCgroup | null {
  touch(memcg, "parent");
  return memcg.parent;
}

/** Whether `memcg` is `root` or below it. */
export function mem_cgroup_is_descendant(
  memcg: MemCgroup,
  root: MemCgroup,
): boolean {
  let m: MemCgroup | null = memcg;
  while (m !== null && m !== root) m = parent_mem_cgroup(m);
  return m === root;
}

/** The index of its lists; −1, the node's own list, for nobody and the root. */
export function memcg_kmem_id(memcg: MemCgroup | null): number {
  if (memcg === null) return -1;
  touch(memcg, "kmemcg_id");
  return memcg.kmemcg_id;
}

/**
 * mem_cgroup_online() - its offlining is not over.
 *
 * That is longer than mem_cgroup_tryget_online() succeeds.
 */
export function mem_cgroup_online(memcg: MemCgroup): boolean {
  touch(memcg, "flags");
  return (memcg.css.flags & CSS_ONLINE) !== 0;
}

/** One more reference, by somebody who has one. */
export function css_get(memcg: MemCgroup): void {
  touch(memcg, "css_get()");
  if ((memcg.css.flags & CSS_NO_REF) !== 0) return;
  VM_BUG_ON(
    memcg.css.refcnt === 0,
    () => `css_get: group ${memcg.name} is dead`,
  );
  memcg.css.refcnt++;
}

/** A reference, if there is one left. */
export function css_tryget(memcg: MemCgroup): boolean {
  touch(memcg, "css_tryget()");
  if ((memcg.css.flags & CSS_NO_REF) !== 0) return true;
  if (memcg.css.refcnt === 0) return false;
  memcg.css.refcnt++;
  return true;
}

/** A reference, if nobody has begun to remove the group. */
export function css_tryget_online(memcg: MemCgroup): boolean {
  touch(memcg, "css_tryget_online()");
  if ((memcg.css.flags & CSS_DYING) !== 0) return false;
  return css_tryget(memcg);
}

/** Give a reference back. After the last one, a worker releases the group. */
export function css_put(k: Kernel, memcg: MemCgroup): void {
  touch(memcg, "css_put()");
  if ((memcg.css.flags & CSS_NO_REF) !== 0) return;
  VM_BUG_ON(
    memcg.css.refcnt === 0,
    () => `css_put: group ${memcg.name} is dead`,
  );
  memcg.css.refcnt--;
  if (memcg.css.refcnt > 0) return;
  queue_work(k.workqueue, cssReleaseWork(k, memcg));
}

export function mem_cgroup_tryget(memcg: MemCgroup | null): boolean {
  return memcg === null || css_tryget(memcg);
}

export function mem_cgroup_tryget_online(memcg: MemCgroup | null): boolean {
  return memcg === null || css_tryget_online(memcg);
}

export function mem_cgroup_put(k: Kernel, memcg: MemCgroup | null): void {
  if (memcg !== null) css_put(k, memcg);
}

/** The number that swap records and shadows keep. 0 if it has none any more. */
export function mem_cgroup_id(memcg: MemCgroup): number {
  touch(memcg, "id");
  return memcg.id;
}

/** The group of an id, or null. Context: RCU; the group may be dying. */
export function mem_cgroup_from_id(k: Kernel, id: number): MemCgroup | null {
  return xa_load(k.memcg.mem_cgroup_ids, id);
}

/** The lowest id that is free, or 0. */
export function allocMemcgId(k: Kernel): number {
  for (let id = 1; id <= MEM_CGROUP_ID_MAX; id++) {
    if (xa_load(k.memcg.mem_cgroup_ids, id) === null) return id;
  }
  return 0;
}

/** One more reference to the id, if it lives. */
export function idTryGet(memcg: MemCgroup): boolean {
  if (memcg.idRefs === 0) return false;
  memcg.idRefs++;
  return true;
}

/** Give back `n` references to the id; with the last, the id is free again. */
export function mem_cgroup_id_put_many(
  k: Kernel,
  memcg: MemCgroup,
  n: number,
): void {
  VM_BUG_ON(memcg.idRefs < n, () => `id of ${memcg.name}: too many puts`);
  memcg.idRefs -= n;
  if (memcg.idRefs > 0) return;
  xa_erase(k.memcg.mem_cgroup_ids, memcg.id);
  memcg.id = 0;
  // The id pinned the group.
  css_put(k, memcg);
}

/**
 * mem_cgroup_id_get_online() - a reference to the id of the nearest group,
 * from `memcg` upwards, whose id still lives.
 */
export function mem_cgroup_id_get_online(memcg: MemCgroup): MemCgroup {
  let m = memcg;
  while (!idTryGet(m)) m = parent_mem_cgroup(m)!;
  return m;
}

/** The group that the folio is charged to. */
export function folio_memcg(folio: Folio): MemCgroup | null {
  if (folio.memcg !== null) touch(folio.memcg, "folio_memcg()");
  return folio.memcg;
}

/**
 * get_mem_cgroup_from_mm() - who pays for pages of `mm`, with a reference.
 *
 * Without an mm: whoever runs; a kernel thread has the root group.
 */
export function get_mem_cgroup_from_mm(
  k: Kernel,
  mm: MmStruct | null,
): MemCgroup {
  const owner = mm ?? k.current.mm;
  const memcg = owner === null ? k.root_mem_cgroup : owner.memcg;
  return css_tryget(memcg) ? memcg : k.root_mem_cgroup;
}
