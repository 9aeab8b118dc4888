/**
 * One shape for the allocators in which zswap keeps compressed pages.
 *
 * An object is named by a handle (a number > 0), not by an address: it may
 * move while nobody has it mapped. Allocators take whole frames from the
 * machine's own memory and put objects into their real bytes.
 *
 * Kernel: mm/zpool.c, include/linux/zpool.h (v6.12). Differs: allocators are
 * listed here instead of registering themselves.
 */
import { VM_BUG_ON } from "../base/bug.ts";
import type { Errno } from "../base/errno.ts";
import type { Folio, Kernel } from "./mm_types.ts";
import { folio_put, get_page_from_freelist } from "./page_alloc.ts";
import { makeZ3fold } from "./z3fold.ts";
import { makeZbud } from "./zbud.ts";
import { type Shrinker, shrinker_free, shrinker_register } from "./shrinker.ts";
import { makeZsmalloc, zs_create_pool, zsShrinker } from "./zsmalloc.ts";

/** Mapped to be read, or to be written from its first byte on. */
export const ZPOOL_MM_RO = 1;
export const ZPOOL_MM_WO = 2;

/** Where an allocator gets its frames. */
export interface FrameSource {
  /** The machine's memory: frame p starts at byte 4096 × p. */
  readonly memory: Uint8Array;
  /** A frame, or null; never sleeps. */
  readonly alloc: (gfp: number) => Folio | null;
  readonly free: (frame: Folio) => void;
}

export interface Zpool {
  readonly type: string;
  /** @returns a handle; or -EINVAL (size 0), -ENOSPC (too big), -ENOMEM */
  malloc(size: number, gfp: number): number | Errno;
  free(handle: number): void;
  /** The object's bytes; may be a copy that unmap() writes back. */
  map(handle: number, mode: number): Uint8Array;
  unmap(handle: number): void;
  /** Frames in use. */
  total_pages(): number;
  /** Whom reclaim asks for frames, if the allocator can free some. */
  readonly shrinker?: Shrinker;
}

type ZpoolDriver = (k: Kernel, frames: FrameSource) => Zpool;

const drivers: Readonly<Record<string, ZpoolDriver>> = {
  zbud: (_k, frames) => makeZbud(frames),
  z3fold: (_k, frames) => makeZ3fold(frames),
  zsmalloc: (k, frames) => {
    const { zspageGroups } = k.quirks;
    // Chains got longer together with the finer groups.
    const longest = zspageGroups === "tenths" ? k.zswap.zsmallocChainSize : 4;
    const pool = zs_create_pool(frames, longest, zspageGroups);
    return makeZsmalloc(pool, zsShrinker(k, pool));
  },
};

/** The allocators that exist, by name. */
export function zpoolNames(): readonly string[] {
  return Object.keys(drivers);
}

export function zpool_has_pool(type: string): boolean {
  return Object.hasOwn(drivers, type);
}

/** A pool of the allocator `type`, empty. Throws RangeError if there is none. */
export function zpool_create_pool(k: Kernel, type: string): Zpool {
  if (!zpool_has_pool(type)) {
    throw new RangeError(
      `zpool: wanted one of ${zpoolNames().join(", ")}; got "${type}"`,
    );
  }
  const frames: FrameSource = {
    memory: k.memory,
    alloc: (gfp) => get_page_from_freelist(k, gfp),
    free: (frame) => folio_put(k, frame),
  };
  const pool = drivers[type]!(k, frames);
  if (pool.shrinker !== undefined) shrinker_register(k, pool.shrinker);
  return pool;
}

/** Give up an empty pool. */
export function zpool_destroy_pool(k: Kernel, pool: Zpool): void {
  const pages = pool.total_pages();
  VM_BUG_ON(pages > 0, () => `zpool_destroy_pool: ${pages} frames are in use`);
  if (pool.shrinker !== undefined) shrinker_free(k, pool.shrinker);
}
