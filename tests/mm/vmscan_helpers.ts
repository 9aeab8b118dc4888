/** Single folios before shrink_folio_list(). */
import { pfn_folio } from "swaplab/mm/folio.ts";
import { list_add, list_empty, makeFolioList } from "swaplab/mm/folio_list.ts";
import { run, type Task } from "swaplab/sim/task.ts";
import { entryAt } from "swaplab/lab/entry.ts";
import { idleUntilNextEvent } from "swaplab/sim/clock.ts";
import { lruDelete } from "swaplab/mm/lru.ts";
import type { Folio, Kernel } from "swaplab/mm/mm_types.ts";
import {
  clearFlag,
  folio_get,
  folio_test_active,
  folio_test_locked,
  PG_active,
} from "swaplab/mm/page_flags.ts";
import { GFP_KERNEL } from "swaplab/mm/page_alloc.ts";
import {
  makeReclaimStat,
  makeScanControl,
  type ReclaimStat,
  type ScanControl,
} from "swaplab/mm/vmscan_control.ts";
import { type Batch, shrink_folio_list } from "swaplab/mm/vmscan_folio.ts";
import { pageOf, type Scene, scene } from "./helpers.ts";

export interface Isolated {
  readonly set: Scene;
  readonly k: Kernel;
  readonly folio: Folio;
}

/** The folio of a page, off its list, with a reference of ours. */
export function isolate(set: Scene, page = 0): Folio {
  const { k } = set.machine;
  const folio = pfn_folio(k, entryAt(set.program, page).frame!)!;
  folio_get(folio);
  lruDelete(k, folio);
  clearFlag(folio, PG_active);
  return folio;
}

/** A page that was written once, in no list; its accessed bit is set. */
export function isolatedPage(
  options: Parameters<typeof scene>[0] = {},
): Isolated {
  const set = scene({ debug: false, ...options });
  set.program.write(0, pageOf("python"));
  return { set, k: set.machine.k, folio: isolate(set) };
}

/** What shrink_folio_list() did with one folio. */
export interface Judged {
  readonly fate: "reclaimed" | "kept" | "activated";
  readonly locked: boolean;
  readonly stat: ReclaimStat;
  readonly sc: ScanControl;
}

/** A batch of the kind that MADV_PAGEOUT makes: accessed bits are ignored. */
export function batchOf(
  k: Kernel,
  wanted: Partial<ScanControl> = {},
  ignore_references = true,
): Batch {
  const sc = makeScanControl({ gfp_mask: GFP_KERNEL, ...wanted });
  const stat = makeReclaimStat();
  return { pgdat: k.nodes[0]!, sc, stat, ignore_references };
}

/** Look at the folio once. */
export function judge({ k, folio }: Isolated, batch: Batch): Judged {
  const list = makeFolioList();
  list_add(folio, list);
  clearFlag(folio, PG_active);
  const task: Task<number> = shrink_folio_list(k, list, batch);
  const freed = run(task, () => idleUntilNextEvent(k.clock));
  if (freed !== (list_empty(list) ? 1 : 0)) throw new Error("miscounted");
  const kept = folio_test_active(folio) ? "activated" : "kept";
  return {
    fate: freed === 1 ? "reclaimed" : kept,
    locked: freed === 0 && folio_test_locked(folio),
    stat: batch.stat,
    sc: batch.sc,
  };
}
