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
import type { Errno } from "../base/errno.ts";
import type { Folio, Kernel } from "./mm_types.ts";
import { folio_put, get_page_from_freelist } from "./page_alloc.ts";
import { makeZ3fold } from "./z3fold.ts";
import { makeZbud } from "./zbud.ts";
import { makeZsmalloc } from "./zsmalloc.ts";

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
}

type ZpoolDriver = (frames: FrameSource) => Zpool;

const drivers: Readonly<Record<string, ZpoolDriver>> = {
  zbud: makeZbud,
  z3fold: makeZ3fold,
  zsmalloc: makeZsmalloc,
};

/** The allocators that exist, by name. */
export function zpoolNames(): readonly string[] {
  return Object.keys(drivers);
}

/** A pool of the allocator `type`, empty. */
export function zpool_create_pool(k: Kernel, type: string): Zpool {
  const driver = Object.hasOwn(drivers, type) ? drivers[type] : undefined;
  if (driver === undefined) {
    throw new RangeError(
      `zpool: wanted one of ${zpoolNames().join(", ")}; got "${type}"`,
    );
  }
  return driver({
    memory: k.memory,
    alloc: (gfp) => get_page_from_freelist(k, gfp),
    free: (frame) => folio_put(k, frame),
  });
}
