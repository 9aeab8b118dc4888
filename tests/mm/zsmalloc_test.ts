import assert from "node:assert/strict";
import { EINVAL, ENOMEM, ENOSPC } from "swaplab/base/errno.ts";
import { type Zpool, ZPOOL_MM_RO, ZPOOL_MM_WO } from "swaplab/mm/zpool.ts";
import {
  makeZsmalloc,
  zs_compact,
  zs_create_pool,
  zs_free,
  zs_get_total_pages,
  zs_huge_class_size,
  zs_lookup_class_index,
  zs_malloc,
  zs_map_object,
  zs_shrinker_count,
  zs_unmap_object,
  type ZsPool,
} from "swaplab/mm/zsmalloc.ts";
import {
  get_fullness_group,
  makeSizeClasses,
  type Zspage,
} from "swaplab/mm/zsmalloc_class.ts";
import {
  bytesOf,
  fuzzPool,
  get,
  gfp,
  poisonedFrames,
  put,
} from "./zpool_helpers.ts";

function emptyPool(chainSize?: number) {
  const frames = poisonedFrames();
  const zs = zs_create_pool(frames, chainSize);
  return { frames, zs, pool: asZpool(zs) };
}

/** The pool in the shape of zswap's, with access to what is inside. */
function asZpool(zs: ZsPool): Zpool {
  return {
    type: "zsmalloc",
    malloc: (size, flags) => zs_malloc(zs, size, flags),
    free: (handle) => zs_free(zs, handle),
    map: (handle, mode) => zs_map_object(zs, handle, mode),
    unmap: (handle) => zs_unmap_object(zs, handle),
    total_pages: () => zs_get_total_pages(zs),
  };
}

function classOf(zs: ZsPool, length: number) {
  return zs.size_class[zs_lookup_class_index(zs, length)]!;
}

/** "size pages/objects" of the class that a length goes to. */
function classText(zs: ZsPool, length: number): string {
  const { size, pages_per_zspage, objs_per_zspage } = classOf(zs, length);
  return `${size} ${pages_per_zspage}/${objs_per_zspage}`;
}

Deno.test("makeSizeClasses() has 255 sizes; merging leaves these many", () => {
  const wanted = [[4, 69], [5, 86], [6, 94], [8, 119], [10, 141], [16, 192]];
  for (const [chainSize, distinct] of wanted) {
    const classes = makeSizeClasses(chainSize!);
    assert.equal(classes.length, 255);
    assert.equal(new Set(classes).size, distinct, `chain ${chainSize}`);
  }
});

Deno.test("makeSizeClasses() merges into a class that is large enough", () => {
  for (const chainSize of [4, 8, 16]) {
    makeSizeClasses(chainSize).forEach((each, index) => {
      assert.ok(each.size >= 32 + 16 * index);
      assert.equal(each.size, 32 + 16 * each.index);
      const bytes = each.size * each.objs_per_zspage;
      assert.ok(bytes <= 4096 * each.pages_per_zspage);
    });
  }
});

Deno.test("zs_lookup_class_index() gives v6.12's classes (chain 8)", () => {
  const { zs } = emptyPool(8);
  const wanted: [number, string][] = [
    [1, "32 1/128"],
    [24, "32 1/128"],
    [25, "48 3/256"],
    [56, "64 1/64"],
    [57, "80 5/256"],
    [100, "112 7/256"],
    [1000, "1024 1/4"],
    [1017, "1056 8/31"],
    [2040, "2048 1/2"],
    [2041, "2176 8/15"],
    [2048, "2176 8/15"],
    [2500, "2512 8/13"],
    [2712, "2720 2/3"],
    [3000, "3072 3/4"],
    [3257, "3408 5/6"],
    [3400, "3408 5/6"],
    [3401, "3504 6/7"],
    [3576, "3584 7/8"],
    [3624, "3632 8/9"],
    [3625, "4096 1/1"],
    [4088, "4096 1/1"],
    [4089, "4096 1/1"],
    [4096, "4096 1/1"],
  ];
  for (const [length, text] of wanted) {
    assert.equal(classText(zs, length), text, `length ${length}`);
  }
});

Deno.test("zs_lookup_class_index() gives v6.1's classes (chain 4)", () => {
  const { zs } = emptyPool(4);
  const wanted: [number, string][] = [
    [57, "80 1/51"],
    [100, "112 2/73"],
    [1000, "1024 1/4"],
    [1017, "1088 4/15"],
    [2040, "2048 1/2"],
    [2041, "2336 4/7"],
    [2048, "2336 4/7"],
    [2500, "2720 2/3"],
    [3000, "3072 3/4"],
    [3256, "3264 4/5"],
    [3257, "4096 1/1"],
    [3624, "4096 1/1"],
  ];
  for (const [length, text] of wanted) {
    assert.equal(classText(zs, length), text, `length ${length}`);
  }
});

Deno.test("zs_huge_class_size() is 3625 (chain 8), 3497 (6), 3257 (4)", () => {
  const sizes = [8, 6, 4].map((chain) =>
    zs_huge_class_size(emptyPool(chain).zs)
  );
  assert.deepEqual(sizes, [3625, 3497, 3257]);
  // The last class that is not huge, handle included.
  assert.equal(zs_huge_class_size(emptyPool(16).zs), 3840 - 7);
});

Deno.test("zs_create_pool() refuses chains that Linux cannot configure", () => {
  for (const chainSize of [3, 17, 4.5, NaN]) {
    assert.throws(() => emptyPool(chainSize), {
      name: "RangeError",
      message: `chainSize: wanted 4 to 16, got ${chainSize}`,
    });
  }
});

Deno.test("zs_malloc() refuses 0 and 4097 bytes", () => {
  const { pool } = emptyPool();
  assert.equal(pool.malloc(0, gfp), -EINVAL);
  assert.equal(pool.malloc(4097, gfp), -ENOSPC);
  assert.equal(pool.total_pages(), 0);
});

Deno.test("zs_malloc() without frames for a whole chain changes nothing", () => {
  const { frames, zs, pool } = emptyPool();
  const before = frames.freeFrames();
  frames.allowAllocations(7);
  assert.equal(pool.malloc(3624, gfp), -ENOMEM);
  assert.equal(frames.freeFrames(), before);
  assert.equal(pool.total_pages(), 0);
  assert.equal(classOf(zs, 3624).objs_allocated, 0);
  frames.checkPoison();
});

Deno.test("zs_malloc() packs objects at the class' real cost", () => {
  // length, objects, frames: 16.7's bytes per object, measured in frames.
  const wanted = [
    [100, 256, 7],
    [1000, 4, 1],
    [2040, 2, 1],
    [2048, 15, 8],
    [2500, 13, 8],
    [3000, 4, 3],
    [3257, 6, 5],
    [3624, 9, 8],
    [3625, 1, 1],
  ];
  for (const [length, objects, pages] of wanted) {
    const { pool } = emptyPool();
    for (let i = 0; i < objects!; i++) pool.malloc(length!, gfp);
    assert.equal(pool.total_pages(), pages, `length ${length}`);
    pool.malloc(length!, gfp);
    assert.equal(pool.total_pages(), 2 * pages!, `length ${length}`);
  }
});

Deno.test("get_fullness_group() has groups of 10 percent, 0 and 100", () => {
  const group = (inuse: number, objs_per_zspage: number) =>
    get_fullness_group({ inuse, class: { objs_per_zspage } } as Zspage);
  assert.equal(group(0, 127), 0);
  assert.equal(group(1, 127), 1);
  assert.equal(group(12, 127), 1);
  assert.equal(group(13, 127), 2);
  assert.equal(group(1, 2), 6);
  assert.equal(group(99, 100), 10);
  assert.equal(group(126, 127), 10);
  assert.equal(group(127, 127), 11);
  assert.equal(group(1, 1), 11);
});

Deno.test("zs_map_object() reads back an object that spans two frames", () => {
  const { frames, zs, pool } = emptyPool();
  // 15 objects of 2176 bytes over 8 frames: 7 of them span two.
  const objects = Array.from({ length: 15 }, (_, i) => bytesOf(i, 2168));
  const handles = objects.map((bytes) => put(pool, bytes));
  let spanning = 0;
  handles.forEach((handle, i) => {
    const bytes = zs_map_object(zs, handle, ZPOOL_MM_RO);
    if (bytes.buffer !== frames.memory.buffer) spanning++;
    assert.deepEqual(bytes.slice(), objects[i]);
    zs_unmap_object(zs, handle);
  });
  assert.equal(spanning, 7);
  frames.checkPoison();
});

Deno.test("zs_unmap_object() writes a spanning object back unless RO", () => {
  const { frames, zs, pool } = emptyPool();
  const handles = [1, 2].map((seed) => put(pool, bytesOf(seed, 2168)));
  const second = handles[1]!;
  const write = (mode: number) => {
    const bytes = zs_map_object(zs, second, mode);
    assert.notEqual(bytes.buffer, frames.memory.buffer);
    bytes.fill(0x77);
    zs_unmap_object(zs, second);
  };
  write(ZPOOL_MM_RO);
  assert.deepEqual(get(pool, second, 2168), bytesOf(2, 2168));
  write(ZPOOL_MM_WO);
  assert.deepEqual(get(pool, second, 2168), new Uint8Array(2168).fill(0x77));
  assert.deepEqual(get(pool, handles[0]!, 2168), bytesOf(1, 2168));
});

Deno.test("zs_map_object() reads no frame for a write-only mapping", () => {
  const { zs, pool } = emptyPool();
  // Of 15 objects of 2176 bytes, the second and the fourth span two frames.
  const handles = [1, 2, 3, 4].map((seed) => put(pool, bytesOf(seed, 2168)));
  get(pool, handles[3]!, 2168);
  const buffer = zs_map_object(zs, handles[1]!, ZPOOL_MM_WO);
  assert.deepEqual(buffer.slice(), bytesOf(4, 2168));
  buffer.set(bytesOf(2, 2168));
  zs_unmap_object(zs, handles[1]!);
});

Deno.test("zs_map_object() lets a huge object have all 4096 bytes", () => {
  const { zs, pool } = emptyPool();
  const bytes = bytesOf(9, 4096);
  const handle = put(pool, bytes);
  assert.deepEqual(zs_map_object(zs, handle, ZPOOL_MM_RO).slice(), bytes);
});

Deno.test("zs_map_object() maps one object at a time", () => {
  const { zs, pool } = emptyPool();
  const [one, other] = [put(pool, bytesOf(1, 9)), put(pool, bytesOf(2, 9))];
  zs_map_object(zs, one, ZPOOL_MM_RO);
  assert.throws(() => zs_map_object(zs, other, ZPOOL_MM_RO), /is mapped/);
  assert.throws(() => zs_unmap_object(zs, other), /not mapped/);
  assert.throws(() => zs_free(zs, one), /is mapped/);
  assert.throws(() => zs_compact(zs), /is mapped/);
  zs_unmap_object(zs, one);
  zs_free(zs, one);
});

Deno.test("zs_free() frees a zspage with its last object, at once", () => {
  const { frames, pool } = emptyPool();
  const before = frames.freeFrames();
  const handles = [put(pool, bytesOf(1, 3624)), put(pool, bytesOf(2, 3624))];
  assert.equal(frames.freeFrames(), before - 8);
  pool.free(handles[0]!);
  assert.equal(pool.total_pages(), 8);
  pool.free(handles[1]!);
  assert.equal(pool.total_pages(), 0);
  assert.equal(frames.freeFrames(), before);
});

Deno.test("zs_free() stops the machine at a handle that is not in use", () => {
  const { zs, pool } = emptyPool();
  const handle = put(pool, bytesOf(1, 100));
  pool.free(handle);
  assert.throws(() => pool.free(handle), /not in use/);
  assert.throws(() => zs_map_object(zs, handle, ZPOOL_MM_RO), /not in use/);
  assert.throws(() => pool.free(7), /not in use/);
});

Deno.test("zs_malloc() takes from the fullest zspage that has room", () => {
  const { pool, zs } = emptyPool();
  // Class 1024: four to a frame. Three frames with 1, 3 and 2 objects.
  const handles = Array.from(
    { length: 12 },
    (_, i) => put(pool, bytesOf(i, 999)),
  );
  for (const i of [0, 1, 2, 4, 8, 9]) pool.free(handles[i]!);
  assert.equal(pool.total_pages(), 3);
  const placed = put(pool, bytesOf(50, 999));
  const frameOf = (handle: number) => {
    const at = zs_map_object(zs, handle, ZPOOL_MM_RO).byteOffset;
    zs_unmap_object(zs, handle);
    return Math.floor(at / 4096);
  };
  assert.equal(frameOf(placed), frameOf(handles[5]!));
});

Deno.test("zs_compact() frees what zs_shrinker_count() promised", () => {
  const { frames, zs, pool } = emptyPool();
  const handles = Array.from(
    { length: 90 },
    (_, i) => put(pool, bytesOf(i, 3624)),
  );
  assert.equal(pool.total_pages(), 80);
  assert.equal(zs_compact(zs), 0);
  // Two of each nine stay: 20 objects need 3 zspages of 9.
  const kept = handles.filter((_, i) => i % 9 === 2 || i % 9 === 5);
  for (const handle of handles) if (!kept.includes(handle)) pool.free(handle);
  assert.equal(pool.total_pages(), 80);
  // (90 − 20) / 9 = 7 zspages of 8 frames.
  assert.equal(zs_shrinker_count(zs), 56);
  assert.equal(zs_compact(zs), 56);
  assert.equal(zs.pages_compacted, 56);
  assert.equal(pool.total_pages(), 24);
  assert.equal(zs_shrinker_count(zs), 0);
  for (const handle of kept) {
    const bytes = get(pool, handle, 3624);
    assert.deepEqual(bytes, bytesOf(handles.indexOf(handle), 3624));
  }
  frames.checkPoison();
});

Deno.test("zs_compact() has nothing to do when less than a zspage is free", () => {
  const { zs, pool } = emptyPool();
  const handles = Array.from(
    { length: 8 },
    (_, i) => put(pool, bytesOf(i, 999)),
  );
  for (const i of [0, 4]) pool.free(handles[i]!);
  assert.equal(zs_shrinker_count(zs), 0);
  assert.equal(zs_compact(zs), 0);
  assert.equal(pool.total_pages(), 2);
});

/** Counters of each class against its lists and its objects' headers. */
function checkClasses(zs: ZsPool): void {
  let pages = 0;
  for (const each of new Set(zs.size_class)) {
    let zspages = 0;
    let inuse = 0;
    each.fullness_list.forEach((head, group) => {
      let length = 0;
      for (let node = head.next; node !== head; node = node.next) {
        length++;
        inuse += node.owner!.inuse;
        assert.equal(get_fullness_group(node.owner!), group);
        assert.notEqual(group, 0, "an empty zspage was kept");
      }
      assert.equal(each.zspages[group], length);
      zspages += length;
    });
    assert.equal(each.objs_inuse, inuse);
    assert.equal(each.objs_allocated, zspages * each.objs_per_zspage);
    pages += zspages * each.pages_per_zspage;
  }
  assert.equal(zs_get_total_pages(zs), pages);
}

for (const chainSize of [4, 8, 16]) {
  for (const largest of [100, 2500, 4096]) {
    const name = `chain ${chainSize}, objects up to ${largest} bytes`;
    Deno.test(`zsmalloc agrees with a Map: ${name}`, () => {
      for (let seed = 1; seed <= 2; seed++) {
        const { frames, zs, pool } = emptyPool(chainSize);
        const before = frames.freeFrames();
        const compact = () => {
          const promised = zs_shrinker_count(zs);
          assert.equal(zs_compact(zs), promised);
          checkClasses(zs);
        };
        fuzzPool(pool, { seed, operations: 2000, largest, compact });
        frames.checkPoison();
        assert.equal(frames.freeFrames(), before);
      }
    });
  }
}

Deno.test("makeZsmalloc() is the same allocator in the shape of a zpool", () => {
  const pool = makeZsmalloc(zs_create_pool(poisonedFrames()));
  assert.equal(pool.type, "zsmalloc");
  const handle = put(pool, bytesOf(1, 3624));
  assert.equal(pool.total_pages(), 8);
  assert.deepEqual(get(pool, handle, 3624), bytesOf(1, 3624));
  fuzzPool(makeZsmalloc(zs_create_pool(poisonedFrames())), {
    seed: 3,
    operations: 500,
    largest: 4096,
  });
});
