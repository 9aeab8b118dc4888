/**
 * zsmalloc: objects of like size, packed over up to eight frames.
 *
 * A length plus 8 bytes of handle picks a size class; the object comes from
 * that class' fullest zspage with room. A handle names the object for good
 * while the object itself moves: zs_compact() empties the emptiest zspages
 * into the fullest and frees them. An object that spans two frames is mapped
 * through a buffer, so at most one object is mapped at a time.
 *
 * Kernel: mm/zsmalloc.c (v6.12). Differs: handles are slots of a table, not of
 * a slab; no locks, for nothing here pauses; frames are not migrated one by
 * one, and an empty zspage is freed at once.
 */
import { EINVAL, ENOMEM, ENOSPC, type Errno } from "../base/errno.ts";
import { BUG_ON, VM_BUG_ON } from "../base/bug.ts";
import { makeOp, type Op, pause } from "../sim/task.ts";
import type { Folio, Kernel } from "./mm_types.ts";
import { PAGE_SIZE } from "./pgtable.ts";
import { SHRINK_STOP, type Shrinker, shrinker_alloc } from "./shrinker.ts";
import {
  type FrameSource,
  type Zpool,
  ZPOOL_MM_RO,
  ZPOOL_MM_WO,
} from "./zpool.ts";
import {
  find_get_zspage,
  fix_fullness_group,
  get_fullness_group,
  get_size_class_index,
  hugeClassSize,
  insert_zspage,
  isolate_dst_zspage,
  isolate_src_zspage,
  makeSizeClasses,
  remove_zspage,
  type SizeClass,
  zs_can_compact,
  ZS_HANDLE_SIZE,
  ZS_INUSE_RATIO_0,
  ZS_INUSE_RATIO_100,
  ZS_MAX_ALLOC_SIZE,
  type Zspage,
  type ZspageGroups,
} from "./zsmalloc_class.ts";
import {
  addressOf,
  init_zspage,
  obj_allocated,
  obj_free,
  obj_malloc,
  spansTwoPages,
  zs_object_copy,
} from "./zsmalloc_zspage.ts";

/** CONFIG_ZSMALLOC_CHAIN_SIZE: frames in the longest zspage. */
export const defaultChainSize = 8;

export interface ZsPool {
  readonly frames: FrameSource;
  /** The frames' memory, for words. */
  readonly words: DataView;
  /** By size; merged sizes share a class. */
  readonly size_class: readonly SizeClass[];
  readonly huge_class_size: number;
  /**
   * Where an object is, by handle / 8: its zspage, and its index there. Null is
   * a free slot; slot 0 is never used.
   */
  readonly zspages: (Zspage | null)[];
  readonly indexes: number[];
  readonly freeSlots: number[];
  /** Copy buffer for an object that spans two frames. */
  readonly vm_buf: Uint8Array;
  /** The handle of the one object that is mapped, or 0; and how it is. */
  mapped: number;
  mode: number;
  pages_allocated: number;
  /** Frames that compaction has freed since the pool was made. */
  pages_compacted: number;
  /** The pause before it is compacted. */
  readonly compaction: Op;
}

/** zsmalloc as zswap sees it. */
export function makeZsmalloc(pool: ZsPool, shrinker?: Shrinker): Zpool {
  return {
    type: "zsmalloc",
    malloc: (size, gfp) => zs_malloc(pool, size, gfp),
    free: (handle) => zs_free(pool, handle),
    map: (handle, mode) => zs_map_object(pool, handle, mode),
    unmap: (handle) => zs_unmap_object(pool, handle),
    total_pages: () => zs_get_total_pages(pool),
    ...(shrinker === undefined ? {} : { shrinker }),
  };
}

/** An empty pool. @param chainSize 4 … 16 frames; v6.1 has 4 */
export function zs_create_pool(
  frames: FrameSource,
  chainSize: number = defaultChainSize,
  groups: ZspageGroups = "tenths",
): ZsPool {
  if (!Number.isInteger(chainSize) || chainSize < 4 || chainSize > 16) {
    throw new RangeError(`chainSize: wanted 4 to 16, got ${chainSize}`);
  }
  const size_class = makeSizeClasses(chainSize, groups);
  const { buffer, byteOffset } = frames.memory;
  return {
    frames,
    words: new DataView(buffer, byteOffset),
    size_class,
    huge_class_size: hugeClassSize(size_class),
    zspages: [null],
    indexes: [0],
    freeSlots: [],
    vm_buf: new Uint8Array(ZS_MAX_ALLOC_SIZE),
    mapped: 0,
    mode: 0,
    pages_allocated: 0,
    pages_compacted: 0,
    compaction: makeOp("write", "zs_compact", size_class),
  };
}

/** Lengths from here on cost a whole frame each. */
export function zs_huge_class_size(pool: ZsPool): number {
  return pool.huge_class_size;
}

export function zs_get_total_pages(pool: ZsPool): number {
  return pool.pages_allocated;
}

function lookup_size_class(pool: ZsPool, size: number): SizeClass {
  return pool.size_class[get_size_class_index(size + ZS_HANDLE_SIZE)]!;
}

export function zs_lookup_class_index(pool: ZsPool, size: number): number {
  return lookup_size_class(pool, size).index;
}

/** A new handle; like the address of a word, a multiple of 8. */
function cache_alloc_handle({ freeSlots, zspages }: ZsPool): number {
  return (freeSlots.pop() ?? zspages.length) * ZS_HANDLE_SIZE;
}

/** The handle's object is from now on object `index` of `zspage`. */
function record_obj(
  { zspages, indexes }: ZsPool,
  handle: number,
  zspage: Zspage,
  index: number,
): void {
  zspages[handle / ZS_HANDLE_SIZE] = zspage;
  indexes[handle / ZS_HANDLE_SIZE] = index;
}

function zspageOf({ zspages }: ZsPool, handle: number): Zspage {
  const zspage = zspages[handle / ZS_HANDLE_SIZE] ?? null;
  VM_BUG_ON(zspage === null, () => `zsmalloc: handle ${handle} is not in use`);
  return zspage!;
}

function indexOf({ indexes }: ZsPool, handle: number): number {
  return indexes[handle / ZS_HANDLE_SIZE]!;
}

function cache_free_handle({ freeSlots, zspages }: ZsPool, handle: number) {
  zspages[handle / ZS_HANDLE_SIZE] = null;
  freeSlots.push(handle / ZS_HANDLE_SIZE);
}

function alloc_zspage(
  pool: ZsPool,
  from: SizeClass,
  gfp: number,
): Zspage | null {
  const pages: Folio[] = [];
  while (pages.length < from.pages_per_zspage) {
    const frame = pool.frames.alloc(gfp);
    if (frame === null) {
      // Half a chain is of no use: give the frames back, last first.
      for (const page of pages.reverse()) pool.frames.free(page);
      return null;
    }
    pages.push(frame);
  }
  return init_zspage(pool.words, from, pages);
}

function __free_zspage(pool: ZsPool, zspage: Zspage): void {
  VM_BUG_ON(zspage.inuse !== 0, "free_zspage: it has objects in use");
  remove_zspage(zspage);
  for (const page of zspage.pages) pool.frames.free(page);
  zspage.class.objs_allocated -= zspage.class.objs_per_zspage;
  pool.pages_allocated -= zspage.class.pages_per_zspage;
}

/**
 * zs_malloc() - room for an object of `size` bytes.
 *
 * @returns its handle; -EINVAL (size 0), -ENOSPC (more than a page), -ENOMEM
 *   (no frames: nothing changed)
 */
export function zs_malloc(
  pool: ZsPool,
  size: number,
  gfp: number,
): number | Errno {
  if (size <= 0) return -EINVAL;
  if (size > ZS_MAX_ALLOC_SIZE) return -ENOSPC;

  const sizeClass = lookup_size_class(pool, size);
  const partial = find_get_zspage(sizeClass);
  const zspage = partial ?? alloc_zspage(pool, sizeClass, gfp);
  if (zspage === null) return -ENOMEM;

  const handle = cache_alloc_handle(pool);
  record_obj(pool, handle, zspage, obj_malloc(pool.words, zspage, handle));
  sizeClass.objs_inuse++;
  if (partial !== null) {
    fix_fullness_group(zspage);
    return handle;
  }
  insert_zspage(zspage);
  pool.pages_allocated += sizeClass.pages_per_zspage;
  sizeClass.objs_allocated += sizeClass.objs_per_zspage;
  return handle;
}

/** Give an object back; with its last object a zspage goes, too. */
export function zs_free(pool: ZsPool, handle: number): void {
  const zspage = zspageOf(pool, handle);
  BUG_ON(pool.mapped === handle, () => `zs_free: ${handle} is mapped`);
  zspage.class.objs_inuse--;
  obj_free(pool.words, zspage, indexOf(pool, handle));
  const fullness = fix_fullness_group(zspage);
  if (fullness === ZS_INUSE_RATIO_0) __free_zspage(pool, zspage);
  cache_free_handle(pool, handle);
}

/**
 * zs_map_object() - the object's bytes, until zs_unmap_object().
 *
 * @param mode ZPOOL_MM_RO, ZPOOL_MM_WO (an object that spans two frames shows
 *   bytes of others until written), or anything else for both
 * @returns at least as many bytes as were asked for
 */
export function zs_map_object(
  pool: ZsPool,
  handle: number,
  mode: number,
): Uint8Array {
  BUG_ON(pool.mapped !== 0, "zs_map_object: another object is mapped");
  const zspage = zspageOf(pool, handle);
  const index = indexOf(pool, handle);
  const { size } = zspage.class;
  pool.mapped = handle;
  pool.mode = mode;

  const head = zspage.huge ? 0 : ZS_HANDLE_SIZE;
  if (!spansTwoPages(zspage.class, index)) {
    const begin = addressOf(zspage, index * size);
    return pool.frames.memory.subarray(begin + head, begin + size);
  }
  if (mode !== ZPOOL_MM_WO) copyIntoBuffer(pool, zspage, index);
  return pool.vm_buf.subarray(head, size);
}

/** End a mapping; what was written into the buffer goes to its frames. */
export function zs_unmap_object(pool: ZsPool, handle: number): void {
  BUG_ON(
    pool.mapped !== handle,
    () => `zs_unmap_object: ${handle} is not mapped`,
  );
  pool.mapped = 0;
  if (pool.mode === ZPOOL_MM_RO) return;
  const zspage = zspageOf(pool, handle);
  const index = indexOf(pool, handle);
  if (spansTwoPages(zspage.class, index)) copyFromBuffer(pool, zspage, index);
}

/** Bytes of object `index` in its first frame. */
function firstPart({ size }: SizeClass, index: number): number {
  return PAGE_SIZE - (index * size) % PAGE_SIZE;
}

function copyIntoBuffer(pool: ZsPool, zspage: Zspage, index: number): void {
  const { frames: { memory }, vm_buf } = pool;
  const { size } = zspage.class;
  const split = firstPart(zspage.class, index);
  const first = addressOf(zspage, index * size);
  const second = addressOf(zspage, index * size + split);
  vm_buf.set(memory.subarray(first, first + split));
  vm_buf.set(memory.subarray(second, second + size - split), split);
}

/** All but the handle, which a write-only buffer does not have. */
function copyFromBuffer(pool: ZsPool, zspage: Zspage, index: number): void {
  const { frames: { memory }, vm_buf } = pool;
  const { size } = zspage.class;
  const split = firstPart(zspage.class, index);
  const first = addressOf(zspage, index * size + ZS_HANDLE_SIZE);
  const second = addressOf(zspage, index * size + split);
  memory.set(vm_buf.subarray(ZS_HANDLE_SIZE, split), first);
  memory.set(vm_buf.subarray(split, size), second);
}

/**
 * zs_compact() - free frames by moving objects together.
 *
 * @returns frames freed
 *
 * Context: no object is mapped; Linux would wait for its unmapping.
 */
export function zs_compact(pool: ZsPool): number {
  BUG_ON(pool.mapped !== 0, "zs_compact: an object is mapped");
  let freed = 0;
  for (let index = pool.size_class.length - 1; index >= 0; index--) {
    const sizeClass = pool.size_class[index]!;
    if (sizeClass.index === index) freed += __zs_compact(pool, sizeClass);
  }
  pool.pages_compacted += freed;
  return freed;
}

/** Frames that zs_compact() would free: what the shrinker is told. */
export function zs_shrinker_count(pool: ZsPool): number {
  let pages = 0;
  for (let index = pool.size_class.length - 1; index >= 0; index--) {
    const sizeClass = pool.size_class[index]!;
    if (sizeClass.index === index) pages += zs_can_compact(sizeClass);
  }
  return pages;
}

/** Compact the pool for reclaim. @returns frames freed, or SHRINK_STOP */
export function zs_shrinker_scan(pool: ZsPool): number {
  const freed = zs_compact(pool);
  return freed === 0 ? SHRINK_STOP : freed;
}

/** The pool's shrinker: under memory pressure it is compacted. */
export function zsShrinker(k: Kernel, pool: ZsPool): Shrinker {
  return shrinker_alloc(k, "mm-zspool", {
    flags: 0,
    count_objects: () => zs_shrinker_count(pool),
    scan_objects: function* () {
      yield* pause(pool.compaction);
      return zs_shrinker_scan(pool);
    },
  });
}

function __zs_compact(pool: ZsPool, sizeClass: SizeClass): number {
  let freed = 0;
  let target: Zspage | null = null;
  while (zs_can_compact(sizeClass) > 0) {
    target ??= isolate_dst_zspage(sizeClass);
    if (target === null) break;
    const source = isolate_src_zspage(sizeClass);
    if (source === null) break;

    migrate_zspage(pool, source, target);
    insert_zspage(source);
    if (source.fullness === ZS_INUSE_RATIO_0) {
      __free_zspage(pool, source);
      freed += sizeClass.pages_per_zspage;
    }
    if (get_fullness_group(target) === ZS_INUSE_RATIO_100) {
      insert_zspage(target);
      target = null;
    }
  }
  if (target !== null) insert_zspage(target);
  return freed;
}

/** Move objects until the source is empty or the target full. */
function migrate_zspage(pool: ZsPool, source: Zspage, target: Zspage): void {
  const { objs_per_zspage } = source.class;
  for (let index = 0; index < objs_per_zspage; index++) {
    const handle = obj_allocated(pool.words, source, index);
    if (handle === 0) continue;
    const to = {
      zspage: target,
      index: obj_malloc(pool.words, target, handle),
    };
    zs_object_copy(pool.frames, to, { zspage: source, index });
    obj_free(pool.words, source, index);
    record_obj(pool, handle, target, to.index);
    if (target.inuse === objs_per_zspage || source.inuse === 0) return;
  }
}
