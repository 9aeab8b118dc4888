/**
 * What a thread of a race does: store and load a word, swap pages out. Ours.
 *
 * Each is a task, so that others can come between. What a page should hold is
 * kept beside the engine, and every load is compared with it.
 */
import { KernelBug } from "../base/bug.ts";
import { pfn_folio } from "../mm/folio.ts";
import { list_add, makeFolioList } from "../mm/folio_list.ts";
import { folio_isolate_lru, reclaim_pages } from "../mm/vmscan.ts";
import {
  FAULT_FLAG_ALLOW_RETRY,
  FAULT_FLAG_TRIED,
  FAULT_FLAG_WRITE,
  framePresentAt,
  handle_mm_fault,
  pte_alloc,
  VM_FAULT_ERROR,
  VM_FAULT_RETRY,
} from "../mm/memory.ts";
import type { Kernel, TaskStruct } from "../mm/mm_types.ts";
import { PAGE_SIZE, pteAt, touchPte } from "../mm/pgtable.ts";
import { spin_lock, spin_unlock } from "../locking/spinlock.ts";
import { makeOp, type Op, type Task } from "../sim/task.ts";
import { enter } from "../sim/trace.ts";
import type { Proposals } from "../proposals.ts";
import { type Machine, makeMachine } from "./machine.ts";
import type { MachineOptions } from "./options.ts";
import type { Process } from "./process.ts";

/** What each page of a process should hold in its first word. */
export interface Expected {
  readonly words: Map<number, number>;
  /** Faults that found nothing to do but try again. */
  retries: number;
}

export function makeExpected(): Expected {
  return { words: new Map(), retries: 0 };
}

/** The smallest machine of two CPUs on which pages are swapped. */
export function raceMachine(options: MachineOptions): Machine {
  return makeMachine({
    frames: 24,
    cpus: 2,
    pageCluster: 0,
    shadow: false,
    traceEvents: 0,
    ...options,
  });
}

/** A machine for those who only lock and count. */
export function emptyMachine(proposals: Partial<Proposals>): Machine {
  const options = { frames: 16, cpus: 2, swap: false, traceEvents: 0 } as const;
  return makeMachine({ ...options, zswap: { enabled: false }, proposals });
}

/** Somebody who only acts in the kernel. */
export function onCpu(cpu: number): TaskStruct {
  return { comm: `kthread/${cpu}`, mm: null, cpu, flags: 0 };
}

/** One more thread of a process, on a CPU of its own. */
export function threadOf(
  process: Process,
  name: string,
  cpu: number,
): TaskStruct {
  return { comm: name, mm: process.mm, cpu, flags: 0 };
}

/** The virtual page number of a process's page. */
export function vpnOf(process: Process, page: number): number {
  return process.area.vm_start / PAGE_SIZE + page;
}

/** Fault until the page can be used; false if the kernel ends the process. */
export function* access(
  k: Kernel,
  process: Process,
  page: number,
  write: boolean,
  expected: Expected,
): Task<boolean> {
  const vpn = vpnOf(process, page);
  let flags = FAULT_FLAG_ALLOW_RETRY | (write ? FAULT_FLAG_WRITE : 0);
  for (let tries = 0;; tries++) {
    if (touchPte(process.mm.ptes, pteAt(vpn), write) >= 0) return true;
    if (tries > 0) expected.retries++;
    const result = yield* handle_mm_fault(k, process.area, vpn, flags);
    if ((result & VM_FAULT_ERROR) !== 0) return false;
    if ((result & VM_FAULT_RETRY) !== 0) flags |= FAULT_FLAG_TRIED;
  }
}

function wordOf(k: Kernel, process: Process, page: number): DataView {
  const vpn = vpnOf(process, page);
  const frame = framePresentAt(process.area, vpn)!;
  const { buffer, byteOffset } = k.memory;
  return new DataView(buffer, byteOffset + frame * PAGE_SIZE, PAGE_SIZE);
}

/** Write `value` in the page's first word; the rest of the page follows it. */
export function* storeWord(
  k: Kernel,
  process: Process,
  page: number,
  value: number,
  expected: Expected,
): Task<boolean> {
  enter(k.trace, "store");
  if (!(yield* access(k, process, page, true, expected))) return false;
  wordOf(k, process, page).setUint32(0, value, true);
  expected.words.set(page, value);
  return true;
}

/**
 * Read the page's first word.
 *
 * @returns it; null if the kernel ended the process
 * @throws KernelBug if it is not what was written there last
 */
export function* loadWord(
  k: Kernel,
  process: Process,
  page: number,
  expected: Expected,
): Task<number | null> {
  enter(k.trace, "load");
  if (!(yield* access(k, process, page, false, expected))) return null;
  const value = wordOf(k, process, page).getUint32(0, true);
  const wanted = expected.words.get(page) ?? 0;
  if (value !== wanted) {
    throw new KernelBug(
      `Data corruption: page ${page} of process ${process.pid} holds ` +
        `${value}; ${wanted} was written there last`,
    );
  }
  return value;
}

/**
 * Swap one page out, as madvise(MADV_PAGEOUT) does: found and taken off its
 * list under the page-table lock.
 */
export function* pageOut(k: Kernel, process: Process, page: number): Task {
  enter(k.trace, "madvise");
  const vpn = vpnOf(process, page);
  const { ptl } = pte_alloc(process.area, vpn);
  yield* spin_lock(ptl);
  const pfn = framePresentAt(process.area, vpn);
  const folio = pfn === null ? null : pfn_folio(k, pfn);
  const taken = folio !== null && (yield* folio_isolate_lru(k, folio));
  spin_unlock(ptl);
  if (!taken) return;
  const list = makeFolioList();
  list_add(folio, list);
  yield* reclaim_pages(k, list);
}

/**
 * The pause before an access that needs no fault, so that others can come
 * between it and what the program did before. Made once.
 */
export function useOf(process: Process, page: number, store: boolean): Op {
  const vpn = vpnOf(process, page);
  const { ptl } = pte_alloc(process.area, vpn);
  const what = `${store ? "store" : "load"}(page ${page})`;
  return makeOp(store ? "write" : "read", what, ptl.acquire.object);
}
