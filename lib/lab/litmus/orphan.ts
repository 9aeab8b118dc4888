/**
 * What the two tests of thread 004 share: a page is unmapped while somebody
 * has its folio locked.
 *
 * Zapping works under the page-table lock and cannot wait for a folio. Where
 * its trylock fails, the slot stays with the swap cache alone: an *orphan*,
 * until reclaim meets the folio or the allocator the slot. That is policy, not
 * a bug; it becomes one where somebody needs the slot. So at the end pages are
 * swapped out until all that swap (or the group's part of it) can hold is
 * needed. Ours.
 */
import type { Cgroup } from "../cgroup.ts";
import { checkMachine } from "../invariants.ts";
import { must } from "../must.ts";
import type { Process } from "../process.ts";
import {
  makeExpected,
  pageOut,
  raceMachine,
  storeWord,
  vpnOf,
} from "../race.ts";
import { FAULT_FLAG_ALLOW_RETRY, handle_mm_fault } from "../../mm/memory.ts";
import { LRU_INACTIVE_ANON } from "../../mm/lru.ts";
import { zap_page_range_single } from "../../mm/memory_zap.ts";
import type { Kernel } from "../../mm/mm_types.ts";
import { GFP_KERNEL } from "../../mm/page_alloc.ts";
import { PAGE_SIZE, pte_to_swp_entry, ptep_get } from "../../mm/pgtable.ts";
import { swp_offset } from "../../mm/swapops.ts";
import { makeScanControl } from "../../mm/vmscan_control.ts";
import { shrink_list } from "../../mm/vmscan_lists.ts";
import type { Proposals } from "../../proposals.ts";
import type { Task } from "../../sim/task.ts";
import type { Stage } from "./litmus.ts";
import { threadActor } from "./stage.ts";

/** Who does what to which page. */
export interface OrphanStory {
  /** Pages that are in swap when it begins, from 0 on. */
  readonly swapped: number;
  /** vm.page-cluster. */
  readonly pageCluster: number;
  /** CPU0 faults on page 0; CPU1 gives this one up. */
  readonly zapped: number;
}

/** What limits the slots, by a variant's name. */
function limitOf(variant: string): "nothing" | "swap" | "group" {
  if (variant.includes("group's swap full")) return "group";
  return variant.includes("swap full") ? "swap" : "nothing";
}

/** One fault, as the processor makes it first. */
function* readFault(k: Kernel, process: Process): Task {
  const { area } = process;
  yield* handle_mm_fault(k, area, vpnOf(process, 0), FAULT_FLAG_ALLOW_RETRY);
}

/** madvise(MADV_DONTNEED) on one page. */
function* giveUp(k: Kernel, process: Process, page: number): Task {
  const vpn = vpnOf(process, page);
  yield* zap_page_range_single(k, process.area, vpn, vpn + 1);
}

/** Write pages `from` … `to` − 1 and swap them out. */
function* swapOut(k: Kernel, process: Process, from: number, to: number): Task {
  const expected = makeExpected();
  for (let page = from; page < to; page++) {
    yield* storeWord(k, process, page, page + 1, expected);
    yield* pageOut(k, process, page);
  }
}

/** Swap out those that are in memory; the last one is new. */
function* fillUp(k: Kernel, process: Process, pages: number[]): Task {
  const last = pages.at(-1)!;
  for (const page of pages) if (page !== last) yield* pageOut(k, process, page);
  yield* swapOut(k, process, last, last + 1);
}

/** Folios that have been written leave the swap cache. */
function* dropClean(k: Kernel, { memcg }: Cgroup): Task {
  const { lruvec } = memcg.nodeinfo[0]!;
  const sc = makeScanControl({ gfp_mask: GFP_KERNEL });
  yield* shrink_list(k, lruvec, sc, { lru: LRU_INACTIVE_ANON, nr_to_scan: 32 });
}

/** The slot that a swapped page is in. */
function slotOf(process: Process, page: number): number {
  const vpn = vpnOf(process, page);
  const table = process.mm.tables.get(Math.floor(vpn / 512))!;
  return swp_offset(pte_to_swp_entry(ptep_get(table, vpn % 512)));
}

export function orphanStage(
  { swapped, pageCluster, zapped }: OrphanStory,
  proposals: Partial<Proposals>,
  variant: string,
): Stage {
  const limit = limitOf(variant);
  const machine = raceMachine({
    pageCluster,
    // The header is a page as well.
    swap: { kind: "ssd", pages: limit === "swap" ? swapped + 1 : 200 },
    zswap: { enabled: false },
    proposals,
  });
  const { k } = machine;
  const files = limit === "group"
    ? { "memory.swap.max": swapped * PAGE_SIZE }
    : {};
  const cgroup = machine.cgroup("group", { files });
  const program = machine.spawn({ pages: swapped + 1, cgroup });
  machine.run(swapOut(k, program, 0, swapped), program.task);
  machine.settle();
  machine.run(dropClean(k, cgroup), program.task);
  const slot = slotOf(program, zapped);
  return {
    machine,
    actors: [
      threadActor(program, "reader", 0, readFault(k, program)),
      threadActor(program, "madvise", 1, giveUp(k, program, zapped)),
    ],
    finish() {
      machine.settle();
      checkMachine(machine);
      const outcome = k.swap_info[0]!.swap_map[slot] === 0 ? "freed" : "orphan";
      // As many pages as there were, if the slot has gone with its user.
      const pages = Array.from({ length: swapped + 1 }, (_, page) => page)
        .filter((page) => page !== zapped);
      machine.run(fillUp(k, program, pages), program.task);
      must(
        pages.every((page) => program.whereabouts(page) === "swap"),
        `pages can be swapped out when slot ${slot} has no user (${outcome})`,
      );
      return outcome;
    },
  };
}
