/**
 * obj_cgroup: who pays for an object of the kernel, here a compressed page.
 *
 * Objects do not refer to their group but to its objcg, a small thing that can
 * be handed on: when the group goes offline, its objcgs point to the parent.
 * So an object never keeps a group alive, and never has to be found.
 *
 * Bytes are charged in whole pages. What is left of the last page is kept by
 * the CPU (the stock) for the next object of the same objcg.
 *
 * Lock: objcg_lock guards all `objcg_list`. `objcg.memcg` is read without it,
 * under RCU.
 *
 * Kernel: mm/memcontrol.c (v6.12). Differs: the stock holds bytes only, not
 * the 64 pages charged ahead; drain_all_stock() empties other CPUs' stocks
 * itself, not by work items of theirs; references are plain counters.
 */
import { VM_BUG_ON } from "../base/bug.ts";
import type { Errno } from "../base/errno.ts";
import { call_rcu, rcu_read_lock, rcu_read_unlock } from "../locking/rcu.ts";
import { spin_lock, spin_unlock } from "../locking/spinlock.ts";
import { makeOp, type Op, over, pause, type Task } from "../sim/task.ts";
import { enter } from "../sim/trace.ts";
import {
  css_get,
  css_put,
  css_tryget,
  folio_memcg,
  mem_cgroup_is_descendant,
  mem_cgroup_is_root,
} from "./memcontrol.ts";
import { try_charge_memcg } from "./memcontrol_charge.ts";
import {
  count_memcg_events,
  mod_memcg_state,
  upwards,
} from "./memcontrol_stat.ts";
import type { Folio, Kernel, MemCgroup } from "./mm_types.ts";
import { page_counter_uncharge } from "./page_counter.ts";
import { PAGE_SIZE } from "./pgtable.ts";
import type { VmEvents } from "./vmstat.ts";

export interface ObjCgroup {
  /** Of the group that it was made for. */
  readonly name: string;
  /** Who pays now. */
  memcg: MemCgroup;
  refcnt: number;
  /** Bytes charged and not used, that no CPU's stock holds. */
  nr_charged_bytes: number;
  freed: boolean;
  /** The pauses before `memcg` is read or written. */
  readonly ops: { readonly read: Op; readonly write: Op };
}

/** One CPU's stock. (Linux: a part of struct memcg_stock_pcp.) */
export interface ObjStock {
  /** Whose bytes; holds a reference. */
  cached_objcg: ObjCgroup | null;
  /** Bytes that are charged and not used. */
  nr_bytes: number;
}

export function makeObjStock(): ObjStock {
  return { cached_objcg: null, nr_bytes: 0 };
}

/** An objcg with one reference. */
export function obj_cgroup_alloc(memcg: MemCgroup): ObjCgroup {
  const objcg = {
    name: memcg.name,
    memcg,
    refcnt: 1,
    nr_charged_bytes: 0,
    freed: false,
  } as { -readonly [Field in keyof ObjCgroup]: ObjCgroup[Field] };
  objcg.ops = {
    read: makeOp("read", `obj_cgroup_memcg(${memcg.name})`, objcg),
    write: makeOp("write", `objcg->memcg (${memcg.name})`, objcg),
  };
  return objcg;
}

/** Who pays. Context: RCU, or the group may be freed at the next pause. */
export function obj_cgroup_memcg(objcg: ObjCgroup): MemCgroup {
  VM_BUG_ON(objcg.freed, () => `use after free: objcg of ${objcg.name}`);
  return objcg.memcg;
}

export function obj_cgroup_get(objcg: ObjCgroup): void {
  VM_BUG_ON(objcg.refcnt === 0, () => `obj_cgroup_get: ${objcg.name} is dead`);
  objcg.refcnt++;
}

export function obj_cgroup_tryget(objcg: ObjCgroup): boolean {
  VM_BUG_ON(objcg.freed, () => `use after free: objcg of ${objcg.name}`);
  if (objcg.refcnt === 0) return false;
  objcg.refcnt++;
  return true;
}

export function obj_cgroup_put(k: Kernel, objcg: ObjCgroup | null): void {
  if (objcg === null) return;
  VM_BUG_ON(objcg.refcnt === 0, () => `obj_cgroup_put: ${objcg.name} is dead`);
  objcg.refcnt--;
  if (objcg.refcnt === 0) obj_cgroup_release(k, objcg);
}

/** All its objects are freed, so what is left are whole pages. */
function obj_cgroup_release(k: Kernel, objcg: ObjCgroup): void {
  const bytes = objcg.nr_charged_bytes;
  if (bytes % PAGE_SIZE !== 0) {
    k.warnings.push(`obj_cgroup_release: ${bytes} bytes of ${objcg.name}`);
  }
  if (bytes > 0) obj_cgroup_uncharge_pages(k, objcg, bytes / PAGE_SIZE);
  const list = objcg.memcg.objcg_list;
  if (list.includes(objcg)) list.splice(list.indexOf(objcg), 1);
  call_rcu(k.rcu, () => objcg.freed = true);
}

/** The group that pays, with a reference. */
export function get_mem_cgroup_from_objcg(
  _k: Kernel,
  objcg: ObjCgroup,
): MemCgroup {
  const memcg = obj_cgroup_memcg(objcg);
  VM_BUG_ON(
    !css_tryget(memcg),
    () => `objcg of ${objcg.name}: its group is dead`,
  );
  return memcg;
}

/**
 * get_obj_cgroup_from_folio() - who pays for the folio's compressed copy.
 *
 * An offline group has no objcg any more: the nearest one above it pays.
 *
 * @returns with a reference; null for the root group, and for nobody's folio
 *
 * Context: the folio's charge keeps the group. Looks without a lock.
 */
export function get_obj_cgroup_from_folio(
  _k: Kernel,
  folio: Folio,
): Task<ObjCgroup | null> {
  const memcg = folio_memcg(folio);
  return memcg === null || mem_cgroup_is_root(memcg)
    ? over(null)
    : nearestObjcg(memcg);
}

function* nearestObjcg(memcg: MemCgroup): Task<ObjCgroup | null> {
  for (const m of upwards(memcg)) {
    if (mem_cgroup_is_root(m)) break;
    yield* pause(m.ops.readObjcg);
    if (m.objcg !== null && obj_cgroup_tryget(m.objcg)) return m.objcg;
  }
  return null;
}

/**
 * memcg_reparent_objcgs() - the parent pays from now on.
 *
 * Context: takes objcg_lock.
 */
export function* memcg_reparent_objcgs(
  k: Kernel,
  memcg: MemCgroup,
  parent: MemCgroup,
): Task {
  enter(k.trace, "memcg_reparent_objcgs");
  const objcg = memcg.objcg!;
  yield* pause(memcg.ops.writeObjcg);
  memcg.objcg = null;
  yield* spin_lock(k.memcg.objcg_lock);
  const all = [objcg, ...memcg.objcg_list];
  for (const each of all) {
    yield* pause(each.ops.write);
    each.memcg = parent;
  }
  parent.objcg_list.unshift(...all);
  memcg.objcg_list.length = 0;
  spin_unlock(k.memcg.objcg_lock);
  // It is nobody's active one any more.
  obj_cgroup_put(k, objcg);
}

/** `nr_pages` pages of objects are gone. */
function obj_cgroup_uncharge_pages(
  k: Kernel,
  objcg: ObjCgroup,
  nr_pages: number,
): void {
  const memcg = get_mem_cgroup_from_objcg(k, objcg);
  mod_memcg_state(memcg, "MEMCG_KMEM", -nr_pages);
  page_counter_uncharge(k, memcg.memory, nr_pages);
  css_put(k, memcg);
}

function* obj_cgroup_charge_pages(
  k: Kernel,
  objcg: ObjCgroup,
  gfp: number,
  nr_pages: number,
): Task<Errno> {
  const memcg = get_mem_cgroup_from_objcg(k, objcg);
  const result = yield* try_charge_memcg(k, memcg, gfp, nr_pages);
  if (result === 0) mod_memcg_state(memcg, "MEMCG_KMEM", nr_pages);
  css_put(k, memcg);
  return result;
}

function stockOf(k: Kernel): ObjStock {
  return k.memcg.memcg_stock[k.current.cpu]!;
}

/** Take the bytes from this CPU's stock, if it is this objcg's and has them. */
function consume_obj_stock(k: Kernel, objcg: ObjCgroup, nr_bytes: number) {
  const stock = stockOf(k);
  if (stock.cached_objcg !== objcg || stock.nr_bytes < nr_bytes) return false;
  stock.nr_bytes -= nr_bytes;
  return true;
}

/** The stock is nobody's: whole pages are uncharged, the rest is noted. */
function drain_obj_stock(k: Kernel, stock: ObjStock): void {
  const old = stock.cached_objcg;
  if (old === null) return;
  const nr_pages = Math.floor(stock.nr_bytes / PAGE_SIZE);
  if (nr_pages > 0) obj_cgroup_uncharge_pages(k, old, nr_pages);
  old.nr_charged_bytes += stock.nr_bytes % PAGE_SIZE;
  stock.nr_bytes = 0;
  stock.cached_objcg = null;
  obj_cgroup_put(k, old);
}

/** Bytes that are charged and not used go to this CPU's stock. */
function refill_obj_stock(
  k: Kernel,
  objcg: ObjCgroup,
  nr_bytes: number,
  allow_uncharge: boolean,
): void {
  const stock = stockOf(k);
  const another = stock.cached_objcg !== objcg;
  if (another) {
    drain_obj_stock(k, stock);
    obj_cgroup_get(objcg);
    stock.cached_objcg = objcg;
    stock.nr_bytes = objcg.nr_charged_bytes;
    objcg.nr_charged_bytes = 0;
  }
  stock.nr_bytes += nr_bytes;
  // A page that was charged just now must not be given back at once.
  if (!allow_uncharge && !another) return;
  if (stock.nr_bytes <= PAGE_SIZE) return;
  const nr_pages = Math.floor(stock.nr_bytes / PAGE_SIZE);
  stock.nr_bytes %= PAGE_SIZE;
  obj_cgroup_uncharge_pages(k, objcg, nr_pages);
}

/** drain_all_stock() - empty the stocks of `root_memcg` and all below it. */
export function drain_all_stock(k: Kernel, root_memcg: MemCgroup): void {
  for (const stock of k.memcg.memcg_stock) {
    const objcg = stock.cached_objcg;
    if (objcg === null) continue;
    const memcg = obj_cgroup_memcg(objcg);
    if (mem_cgroup_is_descendant(memcg, root_memcg)) drain_obj_stock(k, stock);
  }
}

/** obj_cgroup_charge() - pay for an object of `size` bytes. */
export function* obj_cgroup_charge(
  k: Kernel,
  objcg: ObjCgroup,
  gfp: number,
  size: number,
): Task<Errno> {
  if (consume_obj_stock(k, objcg, size)) return 0;
  const nr_pages = Math.ceil(size / PAGE_SIZE);
  const result = yield* obj_cgroup_charge_pages(k, objcg, gfp, nr_pages);
  const left = nr_pages * PAGE_SIZE - size;
  if (result === 0 && left > 0) refill_obj_stock(k, objcg, left, false);
  return result;
}

/** obj_cgroup_uncharge() - an object of `size` bytes is gone. */
export function obj_cgroup_uncharge(
  k: Kernel,
  objcg: ObjCgroup,
  size: number,
): void {
  refill_obj_stock(k, objcg, size, true);
}

/** count_objcg_events() - something happened to objects of the group. */
export function count_objcg_events(
  objcg: ObjCgroup,
  event: keyof VmEvents,
  count: number,
): void {
  count_memcg_events(obj_cgroup_memcg(objcg), event, count);
}

/** A group that was looked up, and how to say that it is not needed any more. */
export interface MemcgLookup {
  readonly memcg: MemCgroup;
  readonly done: () => void;
}

/**
 * The group that pays, kept from being freed until `done()`. (Ours, for the
 * seam where zswap finds the list of an entry.)
 */
export function* lookupMemcg(
  k: Kernel,
  objcg: ObjCgroup,
): Task<MemcgLookup> {
  const { memcg_lookup } = k.proposals;
  if (memcg_lookup === "rcu") {
    yield* pause(k.rcu.enter);
    const reader = rcu_read_lock(k.rcu);
    yield* pause(objcg.ops.read);
    const memcg = obj_cgroup_memcg(objcg);
    return { memcg, done: () => rcu_read_unlock(k.rcu, reader) };
  }
  yield* pause(objcg.ops.read);
  const memcg = obj_cgroup_memcg(objcg);
  if (memcg_lookup === "unprotected") return { memcg, done: () => {} };
  css_get(memcg);
  return { memcg, done: () => css_put(k, memcg) };
}
