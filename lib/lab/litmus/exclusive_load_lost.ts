/**
 * Thread 001: a fault around the swap cache is given up after its load.
 *
 * CPU0 faults on a page that zswap has, on a RAM disk. It reads the page into a
 * private folio, which is on the LRU list by then. CPU1's reclaim takes it from
 * there and locks it for a moment. CPU0 finds it locked, waits, and returns
 * VM_FAULT_RETRY: the folio is dropped, the fault is tried again. If the load
 * has freed the compressed copy (exclusive loads), nobody has the page any
 * more: the second try reads what the device holds, which is not it. Ours.
 */
import { checkMachine } from "../invariants.ts";
import type { Process } from "../process.ts";
import {
  type Expected,
  loadWord,
  makeExpected,
  pageOut,
  raceMachine,
  storeWord,
} from "../race.ts";
import { LRU_INACTIVE_ANON } from "../../mm/lru.ts";
import type { Kernel } from "../../mm/mm_types.ts";
import { GFP_KERNEL } from "../../mm/page_alloc.ts";
import { makeScanControl } from "../../mm/vmscan_control.ts";
import { shrink_list } from "../../mm/vmscan_lists.ts";
import type { Proposals } from "../../proposals.ts";
import type { Task } from "../../sim/task.ts";
import type { Litmus, Stage } from "./litmus.ts";
import { kernelActor, threadActor } from "./stage.ts";

/** What kswapd does with the oldest inactive folio. */
function* reclaimOne(k: Kernel): Task {
  const { lruvec } = k.root_mem_cgroup.nodeinfo[0]!;
  const sc = makeScanControl({ gfp_mask: GFP_KERNEL });
  const scan = { lru: LRU_INACTIVE_ANON, nr_to_scan: 1 };
  yield* shrink_list(k, lruvec, sc, scan);
}

/** Two pages in zswap; the second one out makes the first one's shadow old. */
function* swapOut(k: Kernel, process: Process, expected: Expected): Task {
  for (const page of [0, 1]) {
    yield* storeWord(k, process, page, page + 1, expected);
    yield* pageOut(k, process, page);
  }
}

function stage(proposals: Partial<Proposals>, variant: string): Stage {
  const machine = raceMachine({ swap: { kind: "brd", pages: 8 }, proposals });
  const { k } = machine;
  const program = machine.spawn({ pages: 2 });
  const expected = makeExpected();
  machine.run(swapOut(k, program, expected), program.task);
  // Somebody has just switched it off: stores are refused.
  if (variant.includes("zswap off")) k.zswap.enabled = false;
  return {
    machine,
    actors: [
      threadActor(program, "reader", 0, loadWord(k, program, 0, expected)),
      kernelActor(1, reclaimOne(k)),
    ],
    finish() {
      checkMachine(machine);
      machine.run(loadWord(k, program, 0, expected), program.task);
      return `${expected.retries} faults more`;
    },
  };
}

export const exclusiveLoadLost: Litmus = {
  name: "exclusive-load-lost",
  thread: "001",
  about: "is a page lost if a fault around the cache is given up?",
  bound: null,
  variants: {
    "v6.12": { proposals: {}, expect: "holds" },
    "exclusive": {
      proposals: { exclusive_loads: "on" },
      expect: "corruption",
    },
    "exclusive, through the cache": {
      proposals: { exclusive_loads: "on", zswapin_adds_to_swapcache: "on" },
      expect: "holds",
    },
    "exclusive, restored": {
      proposals: { exclusive_loads: "on", zswap_restore_on_abort: "on" },
      expect: "holds",
    },
    "exclusive, restored, zswap off": {
      proposals: { exclusive_loads: "on", zswap_restore_on_abort: "on" },
      expect: "corruption",
    },
    "copy kept": { proposals: { exclusive_loads: "off" }, expect: "holds" },
  },
  stage,
};
