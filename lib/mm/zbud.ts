/**
 * zbud: at most two objects to a page, one from each end.
 *
 * A page has 64 chunks of 64 bytes; the first is the header. FIRST begins
 * right behind it, LAST ends at the page's end; a page with room for a second
 * object is on the list of that many free chunks. Simple, and never better
 * than 2:1.
 *
 * Kernel: mm/zbud.c (v6.12). Differs: the header's fields are a JavaScript
 * object; its chunk in the page stays empty.
 */
import { EINVAL, ENOMEM, ENOSPC } from "../base/errno.ts";
import { VM_BUG_ON } from "../base/bug.ts";
import {
  INIT_LIST_HEAD,
  list_add,
  list_del,
  list_first_entry_or_null,
  type ListHead,
} from "../base/list.ts";
import type { Folio } from "./mm_types.ts";
import { PAGE_SIZE } from "./pgtable.ts";
import type { FrameSource, Zpool } from "./zpool.ts";

export const CHUNK_SIZE = PAGE_SIZE / 64;
const ZHDR_SIZE_ALIGNED = CHUNK_SIZE;
/** Chunks for objects. */
export const NCHUNKS = (PAGE_SIZE - ZHDR_SIZE_ALIGNED) / CHUNK_SIZE;

interface ZbudHeader {
  readonly frame: Folio;
  /** In `unbuddied[free chunks]`, or in `buddied`. */
  readonly buddy: ListHead<ZbudHeader>;
  /** Chunks of each object; 0 if the place is empty. */
  first_chunks: number;
  last_chunks: number;
}

interface ZbudPool {
  readonly frames: FrameSource;
  /** Pages with one object, by free chunks; [0] is not used. */
  readonly unbuddied: readonly ListHead<ZbudHeader>[];
  /** Pages with two objects. */
  readonly buddied: ListHead<ZbudHeader>;
  readonly headers: Map<number, ZbudHeader>;
}

export function makeZbud(frames: FrameSource): Zpool {
  const pool: ZbudPool = {
    frames,
    unbuddied: Array.from(
      { length: NCHUNKS + 1 },
      () => INIT_LIST_HEAD<ZbudHeader>(),
    ),
    buddied: INIT_LIST_HEAD<ZbudHeader>(),
    headers: new Map(),
  };
  return {
    type: "zbud",
    malloc: (size, gfp) => zbud_alloc(pool, size, gfp),
    free: (handle) => zbud_free(pool, handle),
    map: (handle) => zbud_map(pool, handle),
    unmap: () => {},
    total_pages: () => pool.headers.size,
  };
}

function size_to_chunks(size: number): number {
  return Math.ceil(size / CHUNK_SIZE);
}

function num_free_chunks(header: ZbudHeader): number {
  return NCHUNKS - header.first_chunks - header.last_chunks;
}

/** A handle is the byte address of the object. */
function encode_handle(header: ZbudHeader, first: boolean): number {
  const page = header.frame.pfn * PAGE_SIZE;
  if (first) return page + ZHDR_SIZE_ALIGNED;
  return page + PAGE_SIZE - header.last_chunks * CHUNK_SIZE;
}

function handle_to_zbud_header(pool: ZbudPool, handle: number): ZbudHeader {
  const header = pool.headers.get(Math.floor(handle / PAGE_SIZE));
  VM_BUG_ON(header === undefined, () => `zbud: handle ${handle} is not in use`);
  return header!;
}

function isFirst(handle: number): boolean {
  return handle % PAGE_SIZE === ZHDR_SIZE_ALIGNED;
}

// #region zbud-alloc
function zbud_alloc(pool: ZbudPool, size: number, gfp: number): number {
  if (size <= 0) return -EINVAL;
  if (size > PAGE_SIZE - ZHDR_SIZE_ALIGNED - CHUNK_SIZE) return -ENOSPC;
  const chunks = size_to_chunks(size);
  const header = unbuddiedWithRoom(pool, chunks) ?? newPage(pool, gfp);
  if (header === null) return -ENOMEM;

  const first = header.first_chunks === 0;
  if (first) header.first_chunks = chunks;
  else header.last_chunks = chunks;
  enlist(pool, header);
  return encode_handle(header, first);
}
// #endregion

/** The page with the least room that is enough, taken off its list. */
function unbuddiedWithRoom(pool: ZbudPool, chunks: number): ZbudHeader | null {
  for (let free = chunks; free < NCHUNKS; free++) {
    const header = list_first_entry_or_null(pool.unbuddied[free]!);
    if (header === null) continue;
    list_del(header.buddy);
    return header;
  }
  return null;
}

function newPage(pool: ZbudPool, gfp: number): ZbudHeader | null {
  const frame = pool.frames.alloc(gfp);
  if (frame === null) return null;
  const header = { frame, first_chunks: 0, last_chunks: 0 } as {
    -readonly [Field in keyof ZbudHeader]: ZbudHeader[Field];
  };
  header.buddy = INIT_LIST_HEAD<ZbudHeader>(header);
  pool.headers.set(frame.pfn, header);
  return header;
}

/** Put the page on the list that its free chunks name. */
function enlist(pool: ZbudPool, header: ZbudHeader): void {
  const full = header.first_chunks !== 0 && header.last_chunks !== 0;
  const list = full ? pool.buddied : pool.unbuddied[num_free_chunks(header)]!;
  list_add(header.buddy, list);
}

function zbud_free(pool: ZbudPool, handle: number): void {
  const header = handle_to_zbud_header(pool, handle);
  if (isFirst(handle)) header.first_chunks = 0;
  else header.last_chunks = 0;
  list_del(header.buddy);
  if (header.first_chunks !== 0 || header.last_chunks !== 0) {
    enlist(pool, header);
    return;
  }
  pool.headers.delete(header.frame.pfn);
  pool.frames.free(header.frame);
}

function zbud_map(pool: ZbudPool, handle: number): Uint8Array {
  const header = handle_to_zbud_header(pool, handle);
  const chunks = isFirst(handle) ? header.first_chunks : header.last_chunks;
  VM_BUG_ON(chunks === 0, () => `zbud: handle ${handle} is not in use`);
  return pool.frames.memory.subarray(handle, handle + chunks * CHUNK_SIZE);
}
