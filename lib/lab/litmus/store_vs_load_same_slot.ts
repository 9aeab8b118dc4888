/**
 * One CPU swaps a page out, another one faults on it: store against load.
 *
 * The page comes and goes through the swap cache, so that the two meet one
 * folio; its lock keeps zswap_store() and zswap_load() of a slot apart, and
 * who comes late finds the folio and not the slot. "round the cache" is a load
 * for a folio of its own, not in the cache: between a load that took the
 * compressed copy away and the next store there is nothing to be found. Ours.
 */
import { KernelBug } from "../../base/bug.ts";
import type { Proposals } from "../../proposals.ts";
import type { Kernel } from "../../mm/mm_types.ts";
import { folio_alloc, folio_put, GFP_KERNEL } from "../../mm/page_alloc.ts";
import { is_swap_pte, pte_to_swp_entry, ptep_get } from "../../mm/pgtable.ts";
import { pteSlotOf } from "../../mm/rmap.ts";
import type { SwpEntry } from "../../mm/swapops.ts";
import { zswap_load } from "../../mm/zswap.ts";
import { pause, type Task } from "../../sim/task.ts";
import { loadWord, pageOut, vpnOf } from "../race.ts";
import type { Process } from "../process.ts";
import type { Litmus, Stage } from "./litmus.ts";
import { type Scene, swappedPage, threadActor, wordAtEnd } from "./stage.ts";

/** Reads the page (a load), writes it, and has it swapped out (a store). */
function* useAndSwapOut({ k, program, expected }: Scene): Task {
  yield* loadWord(k, program, 0, expected);
  yield* pageOut(k, program, 0);
}

/** A load for a folio that stands for nothing. */
function* hastyLoad(k: Kernel, process: Process): Task {
  const { table, index } = pteSlotOf(process.area, vpnOf(process, 0))!;
  yield* pause(table.ptl.peek);
  const pte = ptep_get(table, index);
  if (!is_swap_pte(pte)) return;
  const folio = (yield* folio_alloc(k, GFP_KERNEL))!;
  folio.swap = pte_to_swp_entry(pte);
  const found = yield* zswap_load(k, folio);
  folio.swap = 0 as SwpEntry;
  folio_put(k, folio);
  if (found) return;
  throw new KernelBug(
    "Data corruption: zswap has no copy, and the device never had one",
  );
}

function stage(proposals: Partial<Proposals>, variant: string): Stage {
  const scene = swappedPage({ swap: { kind: "ssd", pages: 3 }, proposals });
  const { machine, k, program, expected } = scene;
  const loads: Task<unknown> = variant === "round the cache"
    ? hastyLoad(k, program)
    : loadWord(k, program, 0, expected);
  return {
    machine,
    actors: [
      threadActor(program, "swaps out", 0, useAndSwapOut(scene)),
      threadActor(program, "loads", 1, loads),
    ],
    finish: () => wordAtEnd(scene),
  };
}

export const storeVsLoadSameSlot: Litmus = {
  name: "store-vs-load-same-slot",
  thread: null,
  about: "can zswap lose a page that is stored while somebody loads it?",
  bound: null,
  variants: {
    "v6.12": { proposals: {}, expect: "holds" },
    "round the cache": { proposals: {}, expect: "corruption" },
  },
  stage,
};
