/** What the machine does like other releases: each quirk, each of its values. */
import assert from "node:assert/strict";
import { INIT_LIST_HEAD } from "swaplab/base/list.ts";
import { linux } from "swaplab/eras.ts";
import { makeMachine } from "swaplab/lab/machine.ts";
import { SWAP_HAS_CACHE } from "swaplab/mm/swap.ts";
import { swp_offset } from "swaplab/mm/swapops.ts";
import {
  find_get_zspage,
  insert_zspage,
  makeSizeClasses,
  type SizeClass,
  type Zspage,
} from "swaplab/mm/zsmalloc_class.ts";
import { zswap_pool_current } from "swaplab/mm/zswap_pool.ts";
import type { Quirks } from "swaplab/quirks.ts";
import { pageOf, pushOut, scene, slotOf } from "./helpers.ts";

function page(fill: (at: number) => number): Uint8Array {
  return Uint8Array.from({ length: 4096 }, (_, at) => fill(at));
}

/** A page that LZ4 brings to about `size` bytes: noise, then zeros. */
function noisy(size: number): Uint8Array {
  let state = 1;
  return page((at) => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return at < size ? state >>> 24 : 0;
  });
}

/** One page out and back, in a machine with these quirks. */
function outAndBack(
  bytes: Uint8Array,
  quirks: Partial<Quirks>,
  zpool = "zbud",
) {
  const here = scene({ frames: 256, quirks, zswap: { zpool } });
  here.program.write(0, bytes);
  here.program.advise("pageout", 0, 1);
  const { zswap, vm_event } = here.machine.k;
  const counts = { ...zswap, swpout_zero: vm_event.swpout_zero };
  assert.deepEqual(here.program.read(0), bytes);
  return counts;
}

Deno.test("filledPages: zeros are a bit of the device, or a word of zswap", () => {
  const zeromap = outAndBack(page(() => 0), {});
  assert.deepEqual([zeromap.swpout_zero, zeromap.same_filled_pages], [1, 0]);
  const zswap = outAndBack(page(() => 0), { filledPages: "zswap" });
  assert.deepEqual([zswap.swpout_zero, zswap.same_filled_pages], [0, 1]);
});

Deno.test("filledPages: a page of another word is compressed, or a word", () => {
  const word = page((at) => [1, 2, 3, 4, 5, 6, 7, 255][at % 8]!);
  assert.equal(outAndBack(word, {}).same_filled_pages, 0);
  const zswap = outAndBack(word, { filledPages: "zswap" });
  assert.equal(zswap.same_filled_pages, 1);
  word[4095] = 0;
  const almost = outAndBack(word, { filledPages: "zswap" });
  assert.equal(almost.same_filled_pages, 0);
});

Deno.test("incompressible: refused and counted, or kept as it is", () => {
  const reject = outAndBack(noisy(4096), {}, "zsmalloc");
  assert.equal(reject.stored_incompressible_pages, 0);
  assert.equal(reject.reject_compress_fail, 1);
  const store = outAndBack(
    noisy(4096),
    { incompressible: "store" },
    "zsmalloc",
  );
  assert.equal(store.stored_incompressible_pages, 1);
  assert.equal(store.reject_compress_fail, 0);
});

Deno.test("zswapHeader: 8 bytes more make a page too big for zbud", () => {
  const sizes = Array.from({ length: 40 }, (_, i) => 3920 + i);
  const refused = (zswapHeader: 0 | 8) =>
    sizes.filter((size) =>
      outAndBack(noisy(size), { zswapHeader }).reject_compress_poor > 0
    );
  const [least, leastWithHeader] = [refused(0)[0]!, refused(8)[0]!];
  assert.ok(least > 3920 && least < 3960);
  assert.ok(least - leastWithHeader >= 7 && least - leastWithHeader <= 8);
});

Deno.test("olderCopyGoes: when the new one is there, or before it is made", () => {
  for (const olderCopyGoes of ["after", "before"] as const) {
    const here = scene({
      quirks: { olderCopyGoes, writeFaultFreesSlot: false },
      proposals: { exclusive_loads: "off" },
    });
    const { k } = here.machine;
    here.program.write(0, pageOf("text"));
    pushOut(here, 0);
    // Back in memory with its slot and its copy, and changed.
    here.program.write(0, pageOf("text", 1));
    const calls: string[] = [];
    const { zpool } = zswap_pool_current(k)!;
    const { malloc, free } = zpool;
    Object.assign(zpool, {
      malloc: (size: number, gfp: number) => {
        calls.push("new");
        return malloc(size, gfp);
      },
      free: (handle: number) => {
        calls.push("old");
        return free(handle);
      },
    });
    here.program.advise("pageout", 0, 1);
    const wanted = olderCopyGoes === "after" ? ["new", "old"] : ["old", "new"];
    assert.deepEqual(calls, wanted);
  }
});

/** A zspage with so many objects in use, on the list of its group. */
function zspage(of: SizeClass, inuse: number): Zspage {
  const made = { class: of, inuse } as Zspage & { list: Zspage["list"] };
  Object.assign(made, { list: INIT_LIST_HEAD<Zspage>(made) });
  insert_zspage(made);
  return made;
}

Deno.test("zspageGroups: the fullest tenth first, or the fullest of two halves", () => {
  const [tenths, quarters] = (["tenths", "quarters"] as const).map((groups) => {
    const small = makeSizeClasses(4, groups)[0]!;
    assert.equal(small.objs_per_zspage, 128);
    return small;
  });
  // Both 80 % and 90 % are "almost full" in v6.1, and sorted by use.
  const inuse = (of: SizeClass) => find_get_zspage(of)?.inuse;
  for (const  of of[tenths!, quarters!]) {
    for (const each of [103, 116, 110]) zspage(of, each);
    assert.equal(inuse(of), 116);
  }
  // One that comes behind the head stays there, also when it is fuller than
  // the rest; 96 of 128 are "almost empty".
  zspage(quarters!, 127);
  assert.equal(inuse(quarters!), 127);
  const almostEmpty = makeSizeClasses(4, "quarters")[0]!;
  for (const each of [90, 20, 96]) zspage(almostEmpty, each);
  assert.equal(inuse(almostEmpty), 96);
});

Deno.test("zspageGroups: chains waste the fewest bytes, or percent", () => {
  const chains = (groups: "tenths" | "quarters") =>
    makeSizeClasses(4, groups).map((one) => one.pages_per_zspage);
  const [now, before] = [chains("tenths"), chains("quarters")];
  assert.notDeepEqual(now, before);
  assert.ok([...now, ...before].every((pages) => pages >= 1 && pages <= 4));
});

Deno.test("writeFaultFreesSlot: a page that is written keeps its slot or not", () => {
  for (const writeFaultFreesSlot of [true, false]) {
    const here = scene({ quirks: { writeFaultFreesSlot } });
    here.program.write(0, pageOf("text"));
    pushOut(here, 0);
    const offset = swp_offset(slotOf(here.program, 0));
    const used = () => here.machine.k.swap_info[0]!.swap_map[offset];
    assert.equal(used(), 1);
    here.program.write(0, pageOf("text", 1));
    assert.equal(used(), writeFaultFreesSlot ? 0 : SWAP_HAS_CACHE);
  }
});

Deno.test("slotsFreedBy: a run of slots goes past the slot cache, or into it", () => {
  for (const slotsFreedBy of ["run", "one"] as const) {
    const { machine, program } = scene({
      frames: 256,
      swap: { pages: 2048 },
      quirks: { slotsFreedBy },
    });
    for (let i = 0; i < 20; i++) program.write(i, pageOf("text", i));
    program.advise("pageout", 0, 20);
    const before = machine.k.swap_info[0]!.inuse_pages;
    program.advise("dontneed", 0, 20);
    const freed = before - machine.k.swap_info[0]!.inuse_pages;
    assert.equal(freed, slotsFreedBy === "run" ? 20 : 0);
  }
});

Deno.test("a quirk that does not exist is refused", () => {
  const wrong = { quirks: { zswapHeader: 9 as 8 } };
  assert.throws(() => makeMachine(wrong), /zswapHeader: wanted one of 0, 8/);
  const unknown = { quirks: { speed: 1 } as Partial<Quirks> };
  assert.throws(() => makeMachine(unknown), /no option "speed"/);
});

Deno.test("linux() knows the quirks of a release", () => {
  assert.equal(linux("6.1").quirks.filledPages, "zswap");
  // From 6.9 on the old copy is replaced (facts 10.2, 10.3).
  for (const era of ["6.1", "6.6", "6.8"] as const) {
    assert.equal(linux(era).quirks.olderCopyGoes, "before", era);
  }
  assert.equal(linux("6.12").quirks.olderCopyGoes, "after");
  assert.equal(linux("6.12").quirks.incompressible, "reject");
  assert.equal(linux("6.18").quirks.incompressible, "store");
  assert.equal(linux("7.2").quirks.writeFaultFreesSlot, false);
});
