/** Frames that tell who writes where, and a naive oracle for allocators. */
import assert from "node:assert/strict";
import { makeMachine } from "swaplab/lab/machine.ts";
import { pfn_folio } from "swaplab/mm/folio.ts";
import { popFree, pushFree } from "swaplab/mm/mem_map.ts";
import { folio_put, get_page_from_freelist } from "swaplab/mm/page_alloc.ts";
import {
  type FrameSource,
  type Zpool,
  ZPOOL_MM_RO,
  ZPOOL_MM_WO,
} from "swaplab/mm/zpool.ts";
import { makeRng, nextBelow, nextUint32, shuffle } from "swaplab/sim/rng.ts";

export const gfp = 0;
const poison = 0xa5;

export interface PoisonedFrames extends FrameSource {
  freeFrames(): number;
  /** From now on so many allocations succeed and the others do not. */
  allowAllocations(count: number): void;
  /** Throws unless every free frame still has its poison. */
  checkPoison(): void;
}

/** A machine's frames in shuffled order, poisoned while they are free. */
export function poisonedFrames(count = 1024): PoisonedFrames {
  const { k } = makeMachine({ frames: count });
  const { mem_map } = k;
  const { free_list } = k.nodes[0]!.zone;
  const order = Array.from(
    { length: free_list.length },
    () => popFree(mem_map, free_list),
  );
  shuffle(makeRng(1), order);
  for (const pfn of order) pushFree(mem_map, free_list, pfn);
  const frameOf = (pfn: number) =>
    k.memory.subarray(pfn * 4096, pfn * 4096 + 4096);
  for (const pfn of order) frameOf(pfn).fill(poison);
  let allowed = Infinity;
  return {
    memory: k.memory,
    alloc: (flags) => allowed-- > 0 ? get_page_from_freelist(k, flags) : null,
    free: (frame) => {
      frameOf(frame.pfn).fill(poison);
      folio_put(k, frame);
    },
    freeFrames: () => free_list.length,
    allowAllocations: (n) => {
      allowed = n;
    },
    checkPoison: () => {
      for (const pfn of order) {
        if (pfn_folio(k, pfn) !== null) continue;
        const intact = frameOf(pfn).every((byte) => byte === poison);
        assert.ok(intact, `frame ${pfn} is free and was written`);
      }
    },
  };
}

/** Bytes that no other object has. */
export function bytesOf(seed: number, length: number): Uint8Array {
  const rng = makeRng(seed);
  return Uint8Array.from({ length }, () => nextUint32(rng));
}

export function put(pool: Zpool, bytes: Uint8Array): number {
  const handle = pool.malloc(bytes.length, gfp);
  assert.ok(handle > 0, `malloc(${bytes.length}) gave ${handle}`);
  pool.map(handle, ZPOOL_MM_WO).set(bytes);
  pool.unmap(handle);
  return handle;
}

export function get(pool: Zpool, handle: number, length: number): Uint8Array {
  const bytes = pool.map(handle, ZPOOL_MM_RO).slice(0, length);
  pool.unmap(handle);
  return bytes;
}

export interface FuzzOptions {
  readonly seed: number;
  readonly operations: number;
  readonly largest: number;
  /** Called now and then; every object is compared afterwards. */
  readonly compact?: () => void;
}

/** Random stores, loads and frees against a Map; ends with an empty pool. */
export function fuzzPool(pool: Zpool, options: FuzzOptions): void {
  const rng = makeRng(options.seed);
  const objects = new Map<number, Uint8Array>();
  const checkAll = () => {
    for (const [handle, bytes] of objects) {
      const found = get(pool, handle, bytes.length);
      assert.deepEqual(found, bytes, `seed ${options.seed} handle ${handle}`);
    }
  };
  for (let step = 0; step < options.operations; step++) {
    // The pool grows for 200 operations, then shrinks for 200.
    const growing = step % 400 < 200;
    const handles = [...objects.keys()];
    if (handles.length > 0 && nextBelow(rng, 10) < (growing ? 3 : 7)) {
      const handle = handles[nextBelow(rng, handles.length)]!;
      const bytes = objects.get(handle)!;
      assert.deepEqual(get(pool, handle, bytes.length), bytes);
      pool.free(handle);
      objects.delete(handle);
    } else {
      const length = 1 + nextBelow(rng, options.largest);
      const bytes = bytesOf(options.seed * 100_000 + step, length);
      const handle = put(pool, bytes);
      assert.ok(!objects.has(handle), `handle ${handle} was given out twice`);
      objects.set(handle, bytes);
    }
    if (step % 50 !== 49) continue;
    options.compact?.();
    checkAll();
  }
  for (const [handle, bytes] of objects) {
    assert.deepEqual(get(pool, handle, bytes.length), bytes);
    pool.free(handle);
  }
  assert.equal(pool.total_pages(), 0);
}
