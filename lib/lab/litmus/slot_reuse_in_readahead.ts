/**
 * Readahead (MADV_WILLNEED) looks at an entry; its slot becomes another page's.
 *
 * It looks without the lock, so by the time it reads, the slot may be free, or
 * hold another page. That does no harm: it pins the slot and puts its folio in
 * the cache first, and reads then; what it has is the slot's page, whosever
 * that is. "read first" pins after it has read: the cache then says that the
 * old page is the new one. Ours.
 */
import type { Proposals } from "../../proposals.ts";
import type { Kernel } from "../../mm/mm_types.ts";
import { folio_add_lru } from "../../mm/lru.ts";
import { folio_alloc, folio_put, GFP_KERNEL } from "../../mm/page_alloc.ts";
import {
  folio_trylock,
  folio_unlock,
  PG_swapbacked,
  setFlag,
} from "../../mm/page_flags.ts";
import { do_madvise, MADV_DONTNEED, MADV_WILLNEED } from "../../mm/madvise.ts";
import {
  is_swap_pte,
  PAGE_SIZE,
  pte_to_swp_entry,
  ptep_get,
} from "../../mm/pgtable.ts";
import { pteSlotOf } from "../../mm/rmap.ts";
import { add_to_swap_cache } from "../../mm/swap_state.ts";
import { swapcache_prepare } from "../../mm/swapfile.ts";
import { zswap_load } from "../../mm/zswap.ts";
import { pause, type Task } from "../../sim/task.ts";
import { checkMachine } from "../invariants.ts";
import {
  type Expected,
  loadWord,
  makeExpected,
  pageOut,
  raceMachine,
  storeWord,
  vpnOf,
} from "../race.ts";
import type { Process } from "../process.ts";
import type { Litmus, Stage } from "./litmus.ts";
import { threadActor } from "./stage.ts";

/** Page 1 is not needed any more; page 2 gets its slot. */
function* giveSlotAway(k: Kernel, process: Process, expected: Expected): Task {
  const start = vpnOf(process, 1) * PAGE_SIZE;
  yield* do_madvise(k, process.mm, start, PAGE_SIZE, MADV_DONTNEED);
  expected.words.delete(1);
  yield* pageOut(k, process, 2);
}

/** Readahead of page 1, asked for. */
function* readAhead(k: Kernel, process: Process): Task {
  const start = vpnOf(process, 1) * PAGE_SIZE;
  yield* do_madvise(k, process.mm, start, PAGE_SIZE, MADV_WILLNEED);
}

/** Readahead of page 1 that reads before it owns the slot. */
function* readFirst(k: Kernel, process: Process): Task {
  const { table, index } = pteSlotOf(process.area, vpnOf(process, 1))!;
  yield* pause(table.ptl.peek);
  const pte = ptep_get(table, index);
  if (!is_swap_pte(pte)) return;
  const entry = pte_to_swp_entry(pte);
  const folio = (yield* folio_alloc(k, GFP_KERNEL))!;
  folio.swap = entry;
  const has = yield* zswap_load(k, folio);
  if (has && (yield* swapcache_prepare(k, entry)) === 0) {
    folio_trylock(folio);
    setFlag(folio, PG_swapbacked);
    yield* add_to_swap_cache(k, folio, entry, GFP_KERNEL);
    folio_add_lru(k, folio);
    folio_unlock(folio);
  }
  folio_put(k, folio);
}

function stage(proposals: Partial<Proposals>, variant: string): Stage {
  const machine = raceMachine({
    swap: { kind: "ssd", pages: 3 },
    proposals,
  });
  const { k } = machine;
  const program = machine.spawn({ pages: 3 });
  const expected = makeExpected();
  for (const page of [0, 1, 2]) {
    machine.run(storeWord(k, program, page, page + 1, expected), program.task);
  }
  for (const page of [0, 1]) {
    machine.run(pageOut(k, program, page), program.task);
  }
  const reads: Task<unknown> = variant === "read first"
    ? readFirst(k, program)
    : readAhead(k, program);
  return {
    machine,
    actors: [
      threadActor(program, "reads ahead", 0, reads),
      threadActor(program, "gives away", 1, giveSlotAway(k, program, expected)),
    ],
    finish() {
      const { task } = program;
      const words = [0, 1, 2].map((page) =>
        machine.run(loadWord(k, program, page, expected), task)
      );
      checkMachine(machine);
      return `the pages hold ${words.join(", ")}`;
    },
  };
}

export const slotReuseInReadahead: Litmus = {
  name: "slot-reuse-in-readahead",
  thread: null,
  about: "can readahead take the page that a slot had for the one it has?",
  bound: null,
  variants: {
    "v6.12": { proposals: {}, expect: "holds" },
    "read first": { proposals: {}, expect: "corruption" },
  },
  stage,
};
