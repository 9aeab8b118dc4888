/**
 * What zswap adds to its compressor: the check for zeros, a store, and the
 * whole way of a page out of memory and back. Ours.
 */
import { INIT_LIST_HEAD, list_add } from "swaplab/base/list.ts";
import { crypto_alloc_acomp } from "swaplab/crypto/acomp.ts";
import { makeMachine } from "swaplab/lab/machine.ts";
import { makePageSource } from "swaplab/lab/pages.ts";
import type { Process } from "swaplab/lab/process.ts";
import type { Folio, Kernel } from "swaplab/mm/mm_types.ts";
import { PG_swapcache, setFlag } from "swaplab/mm/page_flags.ts";
import { is_folio_zero_filled, pageBytes } from "swaplab/mm/page_io.ts";
import { swp_entry } from "swaplab/mm/swapops.ts";
import { folio_isolate_lru, reclaim_pages } from "swaplab/mm/vmscan.ts";
import { zswap_store } from "swaplab/mm/zswap.ts";
import { run, type Task } from "swaplab/sim/task.ts";
import type { Row } from "./row.ts";
import { ratioOf } from "./turns.ts";

const pages = 512;
const rounds = 15;
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
  const folios = k.mem_map.filter((folio) => folio !== null);
  return { process, k, folios };
}

function sameFilledRow(): Row {
  const { k, folios } = scene();
  const into = new Uint8Array(4096);
  for (const folio of folios) pageBytes(k, folio).fill(0);
  const ratio = ratioOf(rounds, () => {
    for (let i = 0; i < 8; i++) {
      for (const folio of folios) is_folio_zero_filled(k, folio);
    }
  }, () => {
    for (let i = 0; i < 8; i++) {
      for (const folio of folios) into.set(pageBytes(k, folio));
    }
  });
  const peer = "copying a page; all are zeros, the worst case";
  return { name: "zswap: zero check", ratio, peer, goal: 1.2, ...less };
}

function storeRow(): Row {
  const { k, folios } = scene();
  const { compress } = crypto_alloc_acomp("lz4");
  const room = new Uint8Array(8192);
  folios.forEach((folio: Folio, i) => {
    setFlag(folio, PG_swapcache);
    folio.swap = swp_entry(0, i + 1);
  });
  const ratio = ratioOf(rounds, () => {
    for (const folio of folios) run(zswap_store(k, folio));
  }, () => {
    for (const folio of folios) compress(pageBytes(k, folio), room);
  });
  const peer = "compressing alone";
  return { name: "zswap: store", ratio, peer, goal: 1.25, ...less };
}

/** What MADV_PAGEOUT does to every page of the process. */
function* pageOut(k: Kernel, { mm }: Process): Task {
  const list = INIT_LIST_HEAD<Folio>();
  for (const folio of k.mem_map) {
    if (folio === null || folio.mapping === null) continue;
    if (yield* folio_isolate_lru(k, folio)) list_add(folio.lru, list);
  }
  yield* reclaim_pages(k, list);
  if (mm.swap_ents !== pages) throw new Error("bench: a page stayed");
}

function roundTripRow(): Row {
  const { process, k, folios } = scene();
  const { compress, decompress } = crypto_alloc_acomp("lz4");
  const room = new Uint8Array(8192);
  const page = new Uint8Array(4096);
  const originals = folios.map((folio) => pageBytes(k, folio).slice());
  const ratio = ratioOf(rounds, () => {
    run(pageOut(k, process));
    for (let i = 0; i < pages; i++) process.touch(i);
  }, () => {
    for (const original of originals) {
      const size = compress(original, room);
      if (size > 0) decompress(room.subarray(0, size), page);
    }
  });
  const { zswpin, zswpout } = k.vm_event;
  const peer = `compressing and decompressing (${zswpout} out, ${zswpin} in)`;
  return { name: "zswap: out and in", ratio, peer, goal: 2, ...less };
}

export function zswapRows(): Row[] {
  return [sameFilledRow(), storeRow(), roundTripRow()];
}
