/**
 * zswap writes an entry back while its slot loses its page and gets another.
 *
 * The shrinker picks an entry and drops the list's lock: from then on the
 * entry may be freed at any time. It pins the slot and then looks whether the
 * tree still has the very entry (claimEntry(), a compare and exchange). "no
 * second look" uses the entry that it remembers: its memory was given back, or
 * holds an older version of the page. Ours.
 */
import type { Proposals } from "../../proposals.ts";
import { xa_erase } from "../../base/xarray.ts";
import type { Kernel } from "../../mm/mm_types.ts";
import { folio_put, GFP_KERNEL } from "../../mm/page_alloc.ts";
import { PG_uptodate, setFlag } from "../../mm/page_flags.ts";
import { __swap_writepage } from "../../mm/page_io.ts";
import { __read_swap_cache_async } from "../../mm/swap_state.ts";
import { swp_offset } from "../../mm/swapops.ts";
import { zswap_entry_free, type ZswapEntry } from "../../mm/zswap_entry.ts";
import { zswap_decompress } from "../../mm/zswap_pool.ts";
import { shrink_memcg } from "../../mm/zswap_shrink.ts";
import type { Task } from "../../sim/task.ts";
import type { Litmus, Stage } from "./litmus.ts";
import {
  agedEntry,
  kernelActor,
  swappedPage,
  threadActor,
  wordAtEnd,
  writeAndSwapOut,
} from "./stage.ts";

/** Writeback that takes for granted that the entry is still in the tree. */
function* hastyWriteback(k: Kernel, entry: ZswapEntry): Task {
  const { swpentry } = entry;
  const found = yield* __read_swap_cache_async(k, swpentry, GFP_KERNEL, true);
  if (found === null) return;
  const { folio, isNew } = found;
  if (!isNew) return folio_put(k, folio);
  xa_erase(k.zswap.trees[0]![0]!.xa, swp_offset(swpentry));
  zswap_decompress(k, entry, folio);
  yield* zswap_entry_free(k, entry);
  setFlag(folio, PG_uptodate);
  yield* __swap_writepage(k, folio);
  folio_put(k, folio);
}

function stage(proposals: Partial<Proposals>, variant: string): Stage {
  // One slot: what is freed is what is given out next.
  const scene = swappedPage({ swap: { kind: "brd", pages: 2 }, proposals });
  const { machine, k, program } = scene;
  const entry = agedEntry(k);
  const shrinks: Task<unknown> = variant === "no second look"
    ? hastyWriteback(k, entry)
    : shrink_memcg(k, null);
  return {
    machine,
    actors: [
      kernelActor(0, shrinks),
      threadActor(program, "writer", 1, writeAndSwapOut(scene)),
    ],
    finish: () => wordAtEnd(scene),
  };
}

export const writebackVsInvalidate: Litmus = {
  name: "writeback-vs-invalidate",
  thread: null,
  about: "can zswap write back an entry whose slot has another page by then?",
  bound: null,
  variants: {
    "v6.12": { proposals: {}, expect: "holds" },
    "no second look": { proposals: {}, expect: "bug" },
  },
  stage,
};
