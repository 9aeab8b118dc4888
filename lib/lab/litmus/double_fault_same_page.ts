/**
 * Two threads fault on one page: one reads, the other writes.
 *
 * Through the swap cache both meet the same folio and its lock. Past it (RAM
 * disk) the pin lets one read; and without the pin, as long as the slot does
 * not come back, both read and pte_same() drops one of the two folios. "no
 * second look" is a fault that does not compare: it takes what the entry is by
 * then for what it was at first. Ours.
 */
import type { Proposals } from "../../proposals.ts";
import { do_swap_page } from "../../mm/memory_swap.ts";
import type { Kernel } from "../../mm/mm_types.ts";
import { pte_present, ptep_get } from "../../mm/pgtable.ts";
import { pteSlotOf } from "../../mm/rmap.ts";
import { pause, type Task } from "../../sim/task.ts";
import { loadWord, storeWord, vpnOf } from "../race.ts";
import type { Process } from "../process.ts";
import type { Litmus, Stage } from "./litmus.ts";
import { swappedPage, threadActor, wordAtEnd } from "./stage.ts";

/** A fault for which the entry is always as it was. */
function* hastyFault(k: Kernel, process: Process): Task {
  const slot = pteSlotOf(process.area, vpnOf(process, 0))!;
  const { table, index } = slot;
  yield* pause(table.ptl.peek);
  if (pte_present(ptep_get(table, index))) return;
  yield* do_swap_page(k, {
    ...slot,
    flags: 0,
    get orig_pte() {
      return ptep_get(table, index);
    },
  });
}

function stage(proposals: Partial<Proposals>, variant: string): Stage {
  const ramDisk = variant.startsWith("RAM disk");
  const scene = swappedPage({
    swap: { kind: ramDisk ? "brd" : "ssd", pages: 3 },
    proposals,
  });
  const { machine, k, program, expected } = scene;
  const reads: Task<unknown> = variant === "no second look"
    ? hastyFault(k, program)
    : loadWord(k, program, 0, expected);
  return {
    machine,
    actors: [
      threadActor(program, "reader", 0, reads),
      threadActor(program, "writer", 1, storeWord(k, program, 0, 2, expected)),
    ],
    finish: () => wordAtEnd(scene),
  };
}

export const doubleFaultSamePage: Litmus = {
  name: "double-fault-same-page",
  thread: null,
  about: "do two who fault on one page both get it, and the same one?",
  bound: null,
  variants: {
    "v6.12": { proposals: {}, expect: "holds" },
    "RAM disk": { proposals: {}, expect: "holds" },
    "RAM disk, no pin": {
      proposals: { sync_swapin_pin: "none" },
      expect: "holds",
    },
    "no second look": { proposals: {}, expect: "bug" },
  },
  stage,
};
