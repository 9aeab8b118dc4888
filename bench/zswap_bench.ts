/**
 * What zswap adds to its compressor: the check for zeros, a store, and the
 * whole way of a page out of memory and back. Ours.
 *
 * A store finds no older copy under its slot, as after add_to_swap(). Its peer
 * compresses the same pages, half a round later: right behind the store it
 * would find them in the caches, where the store had just brought them. Pages go
 * out by MADV_PAGEOUT and come back by a fault each, without readahead. The
 * pool holds several hundred other pages meanwhile.
 *
 * The checks' peer is a copy as copy-on-write makes it, from one frame to
 * another; onto a target that stays in the caches it takes seven tenths of
 * that. What is left above the goals: zram's check needs an XOR and a bounds
 * check for each word, and no typed array compares faster; a page's way out and
 * in takes 29 generators, some 800 small functions and 15 kB of short-lived
 * objects, 8 µs in all.
 */
import { page_same_filled } from "swaplab/block/zram_table.ts";
import { crypto_alloc_acomp } from "swaplab/crypto/acomp.ts";
import { makeMachine } from "swaplab/lab/machine.ts";
import { makePageSource } from "swaplab/lab/pages.ts";
import { foliosInUse } from "swaplab/mm/folio.ts";
import type { Folio, Kernel } from "swaplab/mm/mm_types.ts";
import { PG_swapcache, setFlag } from "swaplab/mm/page_flags.ts";
import { is_folio_zero_filled, pageBytes } from "swaplab/mm/page_io.ts";
import { swp_entry } from "swaplab/mm/swapops.ts";
import { zswap_invalidate, zswap_store } from "swaplab/mm/zswap.ts";
import { run } from "swaplab/sim/task.ts";
import type { Row } from "./row.ts";
import { bySlices, ratioOf } from "./turns.ts";

const pages = 512;
const rounds = 400;
/** Pages a turn: as many as reclaim takes at once. */
const batch = 32;
const less = { better: "less" } as const;

/** A machine with room, and pages as real processes have them. */
function scene() {
  const machine = makeMachine({
    frames: 4 * pages,
    zswap: { zpool: "zsmalloc", maxPoolPercent: 90 },
    shadow: false,
    traceEvents: 0,
    pageCluster: 0,
  });
  const process = machine.spawn({ pages });
  process.fill(makePageSource(["python", "node", "sqlite", "redis"], 1));
  const { k } = machine;
  const folios: Folio[] = [...foliosInUse(k)];
  return { process, k, folios };
}

/**
 * Is a page zero (zswap), is it one word again and again (zram): the worst
 * case, where all of it has to be looked at. Two machines: the compiler must
 * not take one memory for a constant.
 */
function checkRows(): Row[] {
  const scenes = [scene(), scene()];
  const each =
    (work: (k: Kernel, folio: Folio, other: Folio) => void) => () => {
      for (const { k, folios } of scenes) {
        for (let i = 0, j = pages / 2; i < pages; i++, j = (j + 1) % pages) {
          work(k, folios[i]!, folios[j]!);
        }
      }
    };
  const fill = (value: number) =>
    each((k, folio) => pageBytes(k, folio).fill(value))();
  const wanted = (yes: boolean) => {
    if (!yes) throw new Error("bench: a page was not as it should be");
  };
  const row = (name: string, check: (k: Kernel, folio: Folio) => boolean) => {
    const ratio = ratioOf(rounds, {
      work: each((k, folio) => wanted(check(k, folio))),
    }, {
      work: each((k, folio, other) => {
        pageBytes(k, other).set(pageBytes(k, folio));
      }),
    });
    const peer = "copying the page to another frame";
    return { name, ratio, peer, goal: 1.2, ...less };
  };
  fill(7);
  const same = row(
    "zram: same-filled check",
    (k, folio) => page_same_filled(pageBytes(k, folio)) !== null,
  );
  fill(0);
  return [same, row("zswap: zero check", is_folio_zero_filled)];
}

function storeRow(): Row {
  const { k, folios } = scene();
  const { compress } = crypto_alloc_acomp("lz4");
  const room = new Uint8Array(8192);
  folios.forEach((folio, i) => {
    setFlag(folio, PG_swapcache);
    folio.swap = swp_entry(0, i + 1);
  });
  const store = (folio: Folio) => run(zswap_store(k, folio));
  const drop = (folio: Folio) => run(zswap_invalidate(k, folio.swap));
  const press = (folio: Folio) => compress(pageBytes(k, folio), room);
  // The pool holds all others: a turn stores what the last one dropped.
  const first = folios.slice(0, batch);
  const later = folios.slice(batch);
  later.forEach(store);
  const half = [...folios.slice(pages / 2), ...folios.slice(0, pages / 2)];
  const ratio = ratioOf(rounds, {
    work: bySlices(folios, batch, (slice) => slice.forEach(store)),
    tidy: bySlices(
      [...later, ...first],
      batch,
      (slice) => slice.forEach(drop),
    ),
  }, { work: bySlices(half, batch, (slice) => slice.forEach(press)) });
  const peer = "compressing alone";
  return { name: "zswap: store", ratio, peer, goal: 1.25, ...less };
}

/** Copies of the pages, in one buffer. */
function copiesOf({ k, folios }: ReturnType<typeof scene>): Uint8Array[] {
  const all = new Uint8Array(folios.length * 4096);
  return folios.map((folio, i) => {
    const copy = all.subarray(i * 4096, (i + 1) * 4096);
    copy.set(pageBytes(k, folio));
    return copy;
  });
}

/** All pages but one batch are out: a turn takes that one out, the next in. */
function roundTripRow(): Row {
  const at = scene();
  const { process, k } = at;
  const { compress, decompress } = crypto_alloc_acomp("lz4");
  const room = new Uint8Array(8192);
  const page = new Uint8Array(4096);
  const numbers = Array.from({ length: pages }, (_, page) => page);
  const copies = copiesOf(at);
  process.advise("pageout", batch);
  const ratio = ratioOf(rounds, {
    work: bySlices(numbers, batch, (slice) => {
      const first = slice[0]!;
      process.advise("pageout", first, first + batch);
      if (process.mm.swap_ents !== pages) throw new Error("a page stayed");
      const next = (first + batch) % pages;
      for (let i = next; i < next + batch; i++) process.touch(i);
    }),
  }, {
    work: bySlices(copies, batch, (slice) => {
      for (const copy of slice) {
        const size = compress(copy, room);
        if (size > 0) decompress(room.subarray(0, size), page);
      }
    }),
  });
  const { zswpin, zswpout } = k.vm_event;
  const peer = `compressing and decompressing (${zswpout} out, ${zswpin} in)`;
  return { name: "zswap: out and in", ratio, peer, goal: 2, ...less };
}

export function zswapRows(): Row[] {
  return [...checkRows(), storeRow(), roundTripRow()];
}
