/**
 * zswap's entries: one for each compressed page, by slot and by age.
 *
 * A tree finds the entry of a slot, the LRU list gives the next victim. An
 * entry is in the tree first and on the list last; whoever takes it out of the
 * tree (by erase, or by compare and exchange) owns it and frees it.
 *
 * Kernel: mm/zswap.c (v6.12). Differs: split off from zswap.c; an entry's own
 * memory is not modelled: it counts as on the node of its page.
 */
import { VM_BUG_ON } from "../base/bug.ts";
import { embedLink, INIT_LIST_HEAD, type ListHead } from "../base/list.ts";
import { xa_cmpxchg, type XArray } from "../base/xarray.ts";
import { type Op, pause, type Task } from "../sim/task.ts";
import { enter } from "../sim/trace.ts";
import { list_lru_add, list_lru_del } from "./list_lru.ts";
import { obj_cgroup_uncharge_zswap } from "./memcontrol_zswap.ts";
import {
  lookupMemcg,
  obj_cgroup_put,
  type ObjCgroup,
} from "./memcontrol_objcg.ts";
import type { Folio, Kernel } from "./mm_types.ts";
import { page_to_nid } from "./page_alloc.ts";
import {
  entryName,
  spaceIndex,
  swp_offset,
  swp_type,
  type SwpEntry,
} from "./swapops.ts";
import {
  type Compressed,
  dropCompressed,
  zswap_pool_put,
  type ZswapPool,
} from "./zswap_pool.ts";

/** One compressed page. */
export interface ZswapEntry {
  readonly swpentry: SwpEntry;
  /** Compressed size in bytes. */
  readonly length: number;
  /** Set at store; the first time the shrinker comes by, it only clears it. */
  referenced: boolean;
  /** Holds a reference to it. */
  readonly pool: ZswapPool;
  /** Of its object in the pool; 0 if it has none. */
  readonly handle: number;
  /** The word that fills the page, instead of an object; else null. */
  readonly value: bigint | null;
  /** Who pays for its bytes, with a reference; null: the root group. */
  readonly objcg: ObjCgroup | null;
  /** The node of its page. */
  readonly nid: number;
  /** Link in `ZswapState.list_lru`. */
  readonly lru: ListHead<ZswapEntry>;
  /** Its memory was given back: kept, so that a late user is found. (Ours.) */
  freed: boolean;
}

/** The entries of 64 MiB of slots. */
export interface ZswapTree {
  readonly xa: XArray<ZswapEntry>;
  readonly load: Op;
  readonly change: Op;
}

/** An entry for what zswap_compress() has put into `pool`. */
export function makeEntry(
  k: Kernel,
  folio: Folio,
  pool: ZswapPool,
  objcg: ObjCgroup | null,
  { handle, length, value }: Compressed,
): ZswapEntry {
  const lru = INIT_LIST_HEAD<ZswapEntry>();
  return embedLink(lru, {
    swpentry: folio.swap,
    length,
    referenced: true,
    pool,
    handle,
    value,
    objcg,
    nid: page_to_nid(k, folio.pfn),
    freed: false,
    lru,
  });
}

export function swap_zswap_tree(k: Kernel, entry: SwpEntry): ZswapTree {
  const tree = k.zswap.trees[swp_type(entry)]?.[spaceIndex(entry)];
  VM_BUG_ON(tree === undefined, () => `no zswap tree for ${entryName(entry)}`);
  return tree!;
}

/** Whose list the entry is on: before 6.8 there was one for everybody. */
function payerOf(k: Kernel, entry: ZswapEntry): ObjCgroup | null {
  return k.proposals.zswap_lru === "pool" ? null : entry.objcg;
}

/** The node whose list it is on. (Linux: that of its own memory.) */
function entry_to_nid(k: Kernel, entry: ZswapEntry): number {
  return k.proposals.zswap_lru === "pool" ? 0 : entry.nid;
}

/** Put it on its list, or take it off. Nobody has to be looked up for it. */
function moveEntry(k: Kernel, entry: ZswapEntry, move: Move): Task<boolean> {
  const payer = payerOf(k, entry);
  if (payer !== null) return moveInGroup(k, entry, payer, move);
  return move(k, k.zswap.list_lru, entry.lru, entry_to_nid(k, entry), null);
}

/** list_lru_add() or list_lru_del(). */
type Move = typeof list_lru_add<ZswapEntry>;

function* moveInGroup(
  k: Kernel,
  entry: ZswapEntry,
  payer: ObjCgroup,
  move: Move,
): Task<boolean> {
  const nid = entry_to_nid(k, entry);
  const { memcg, done } = yield* lookupMemcg(k, payer);
  const moved = yield* move(k, k.zswap.list_lru, entry.lru, nid, memcg);
  done();
  return moved;
}

/**
 * zswap_lru_add() - put a published entry where the shrinker finds it: last.
 *
 * Its group can go offline at any time. It is not freed while we look, and its
 * `kmemcg_id` names its parent's list as soon as its own list is given away:
 * so we put the entry on a list that is still to be moved, or on the parent's.
 */
export function zswap_lru_add(k: Kernel, entry: ZswapEntry): Task<boolean> {
  enter(k.trace, "zswap_lru_add");
  return moveEntry(k, entry, list_lru_add);
}

/** Take it off again; nothing happens if it is not there. */
export function zswap_lru_del(k: Kernel, entry: ZswapEntry): Task<boolean> {
  enter(k.trace, "zswap_lru_del");
  return moveEntry(k, entry, list_lru_del);
}

/**
 * zswap_entry_free() - give back all that an entry holds.
 *
 * Off the list first: that needs the group, which the entry's objcg names.
 *
 * Context: the caller took it out of its tree. May pause (the LRU lock).
 */
export function* zswap_entry_free(k: Kernel, entry: ZswapEntry): Task {
  enter(k.trace, "zswap_entry_free");
  const { objcg } = entry;
  VM_BUG_ON(
    entry.freed,
    () => `double free: zswap entry of ${entryName(entry.swpentry)}`,
  );
  entry.freed = true;
  yield* zswap_lru_del(k, entry);
  dropCompressed(k, entry);
  zswap_pool_put(entry.pool);
  if (objcg !== null) {
    obj_cgroup_uncharge_zswap(k, objcg, entry.length);
    obj_cgroup_put(k, objcg);
  }
  k.zswap.stored_pages--;
}

/**
 * Take `entry` out of its tree if it is still the one there.
 *
 * @param entry only compared: it may have been freed
 */
export function* claimEntry(
  k: Kernel,
  entry: ZswapEntry,
  swpentry: SwpEntry,
): Task<boolean> {
  const tree = swap_zswap_tree(k, swpentry);
  yield* pause(tree.change);
  return xa_cmpxchg(tree.xa, swp_offset(swpentry), entry, null) === entry;
}
