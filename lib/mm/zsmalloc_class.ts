/**
 * The size classes of zsmalloc: which sizes share a zspage, and how full.
 *
 * Sizes go from 32 to 4096 in steps of 16. A zspage of a class is a chain of
 * whole frames cut into equal objects, as long as wastes least. Sizes whose
 * zspages have as many frames and as many objects are one class. A class keeps
 * its zspages on twelve lists: empty, ten of partly used, full.
 *
 * Kernel: mm/zsmalloc.c (v6.12). Differs: CONFIG_ZSMALLOC_CHAIN_SIZE is an
 * argument; the class lock is left out, for nothing here pauses.
 */
import { VM_BUG_ON } from "../base/bug.ts";
import {
  INIT_LIST_HEAD,
  list_add,
  list_del,
  list_empty,
  list_first_entry_or_null,
  type ListHead,
} from "../base/list.ts";
import type { Folio } from "./mm_types.ts";
import { PAGE_SIZE } from "./pgtable.ts";

export const ZS_MIN_ALLOC_SIZE = 32;
export const ZS_MAX_ALLOC_SIZE = PAGE_SIZE;
export const ZS_SIZE_CLASS_DELTA = PAGE_SIZE >> 8;
export const ZS_SIZE_CLASSES =
  (ZS_MAX_ALLOC_SIZE - ZS_MIN_ALLOC_SIZE) / ZS_SIZE_CLASS_DELTA + 1;
/** Bytes in front of each object that hold its handle. */
export const ZS_HANDLE_SIZE = 8;

export const ZS_INUSE_RATIO_0 = 0;
export const ZS_INUSE_RATIO_10 = 1;
export const ZS_INUSE_RATIO_99 = 10;
export const ZS_INUSE_RATIO_100 = 11;
export const NR_FULLNESS_GROUPS = 12;

/** How zspages are grouped by use; "quarters" is v6.1's way (a quirk). */
export type ZspageGroups = "tenths" | "quarters";

export interface SizeClass {
  readonly groups: ZspageGroups;
  /** Its place in the table; for merged sizes that of the largest. */
  readonly index: number;
  /** Bytes an object takes, its handle included. */
  readonly size: number;
  readonly objs_per_zspage: number;
  readonly pages_per_zspage: number;
  readonly fullness_list: readonly ListHead<Zspage>[];
  /** Zspages in each fullness group. */
  readonly zspages: number[];
  /** Objects that its zspages have room for, and objects in use. */
  objs_allocated: number;
  objs_inuse: number;
}

export interface Zspage {
  readonly class: SizeClass;
  /** The chain, in the order in which objects run through it. */
  readonly pages: readonly Folio[];
  /** One object in one frame: the handle is here, not in the frame. */
  readonly huge: boolean;
  hugeHandle: number;
  inuse: number;
  /** Head of the list of free objects, whose links are in the frames. */
  freeobj: number;
  fullness: number;
  readonly list: ListHead<Zspage>;
}

/** In v6.1: where the share in use is largest, in whole percent. */
function chainByPercent(size: number, longest: number): number {
  const used = (pages: number) => {
    const bytes = pages * PAGE_SIZE;
    return Math.floor(((bytes - bytes % size) * 100) / bytes);
  };
  let chain = 1;
  for (let pages = 2; pages <= longest; pages++) {
    if (used(pages) > used(chain)) chain = pages;
  }
  return chain;
}

function calculate_zspage_chain_size(size: number, longest: number): number {
  const isPowerOfTwo = (size & (size - 1)) === 0;
  if (isPowerOfTwo) return 1;
  let chain = 1;
  for (let pages = 2; pages <= longest; pages++) {
    const waste = (pages * PAGE_SIZE) % size;
    if (waste < (chain * PAGE_SIZE) % size) chain = pages;
  }
  return chain;
}

/** The classes for every size; merged sizes share one object. */
export function makeSizeClasses(
  chainSize: number,
  groups: ZspageGroups = "tenths",
): readonly SizeClass[] {
  const chainOf = groups === "tenths"
    ? calculate_zspage_chain_size
    : chainByPercent;
  const classes = new Array<SizeClass>(ZS_SIZE_CLASSES);
  let above: SizeClass | null = null;
  // From the largest down: a shared class must fit its largest size.
  for (let index = ZS_SIZE_CLASSES - 1; index >= 0; index--) {
    const size = ZS_MIN_ALLOC_SIZE + index * ZS_SIZE_CLASS_DELTA;
    const pages = chainOf(size, chainSize);
    const objects = Math.floor((pages * PAGE_SIZE) / size);
    if (above === null || !can_merge(above, pages, objects)) {
      above = makeClass(groups, index, size, pages, objects);
    }
    classes[index] = above;
  }
  return classes;
}

function can_merge(above: SizeClass, pages: number, objects: number): boolean {
  return above.pages_per_zspage === pages && above.objs_per_zspage === objects;
}

function makeClass(
  grouping: ZspageGroups,
  index: number,
  size: number,
  pages_per_zspage: number,
  objs_per_zspage: number,
): SizeClass {
  const groups = { length: NR_FULLNESS_GROUPS };
  return {
    groups: grouping,
    index,
    size,
    pages_per_zspage,
    objs_per_zspage,
    fullness_list: Array.from(groups, () => INIT_LIST_HEAD<Zspage>()),
    zspages: Array.from(groups, () => 0),
    objs_allocated: 0,
    objs_inuse: 0,
  };
}

/** The table index for an object of `size` bytes, handle included. */
export function get_size_class_index(size: number): number {
  if (size <= ZS_MIN_ALLOC_SIZE) return 0;
  const index = Math.ceil((size - ZS_MIN_ALLOC_SIZE) / ZS_SIZE_CLASS_DELTA);
  return Math.min(ZS_SIZE_CLASSES - 1, index);
}

/** The smallest length that gets a frame of its own. */
export function hugeClassSize(classes: readonly SizeClass[]): number {
  const largest = classes.findLast((each) =>
    each.pages_per_zspage !== 1 && each.objs_per_zspage !== 1
  );
  return largest!.size - (ZS_HANDLE_SIZE - 1);
}

/** 0 if empty, 11 if full, between them one group for each 10 percent. */
export function get_fullness_group(zspage: Zspage): number {
  const { inuse, class: { objs_per_zspage, groups } } = zspage;
  if (inuse === 0) return ZS_INUSE_RATIO_0;
  if (inuse === objs_per_zspage) return ZS_INUSE_RATIO_100;
  if (groups === "quarters") {
    const almostEmpty = inuse <= Math.floor((3 * objs_per_zspage) / 4);
    return almostEmpty ? ZS_INUSE_RATIO_10 : ZS_INUSE_RATIO_99;
  }
  const percent = Math.floor((100 * inuse) / objs_per_zspage);
  return Math.floor(percent / 10) + 1;
}

/** Put a zspage that is on no list in front of its group's. */
export function insert_zspage(zspage: Zspage): void {
  const { class: { fullness_list, zspages, groups }, list } = zspage;
  zspage.fullness = get_fullness_group(zspage);
  zspages[zspage.fullness]!++;
  const head = fullness_list[zspage.fullness]!;
  const first = list_first_entry_or_null(head);
  // In v6.1 the fuller of the two comes first.
  const behind = groups === "quarters" && first !== null &&
    zspage.inuse < first.inuse;
  list_add(list, behind ? first.list : head);
}

export function remove_zspage(zspage: Zspage): void {
  VM_BUG_ON(list_empty(zspage.list), "remove_zspage: it is on no list");
  list_del(zspage.list);
  zspage.class.zspages[zspage.fullness]!--;
}

/** After a change of `inuse`: move to another group if it must. */
export function fix_fullness_group(zspage: Zspage): number {
  if (get_fullness_group(zspage) !== zspage.fullness) {
    remove_zspage(zspage);
    insert_zspage(zspage);
  }
  return zspage.fullness;
}

/** The zspage to allocate from: the fullest that has room, or null. */
export function find_get_zspage({ fullness_list }: SizeClass): Zspage | null {
  for (let group = ZS_INUSE_RATIO_99; group >= ZS_INUSE_RATIO_0; group--) {
    const zspage = list_first_entry_or_null(fullness_list[group]!);
    if (zspage !== null) return zspage;
  }
  return null;
}

/** The emptiest zspage in use, to be moved away; taken off its list. */
export function isolate_src_zspage(from: SizeClass): Zspage | null {
  for (let group = ZS_INUSE_RATIO_10; group <= ZS_INUSE_RATIO_99; group++) {
    const zspage = list_first_entry_or_null(from.fullness_list[group]!);
    if (zspage === null) continue;
    remove_zspage(zspage);
    return zspage;
  }
  return null;
}

/** The fullest zspage with room, to be filled; taken off its list. */
export function isolate_dst_zspage(from: SizeClass): Zspage | null {
  for (let group = ZS_INUSE_RATIO_99; group >= ZS_INUSE_RATIO_10; group--) {
    const zspage = list_first_entry_or_null(from.fullness_list[group]!);
    if (zspage === null) continue;
    remove_zspage(zspage);
    return zspage;
  }
  return null;
}

/** Frames that compaction of the class would set free. */
export function zs_can_compact(each: SizeClass): number {
  const wasted = each.objs_allocated - each.objs_inuse;
  if (wasted <= 0) return 0;
  return Math.floor(wasted / each.objs_per_zspage) * each.pages_per_zspage;
}
