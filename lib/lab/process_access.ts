/**
 * One access of a process to its memory, with the faults that it takes. Ours.
 */
import { SimError } from "../base/bug.ts";
import {
  FAULT_FLAG_WRITE,
  handle_mm_fault,
  VM_FAULT_HWPOISON,
  VM_FAULT_OOM,
  VM_FAULT_SIGBUS,
} from "../mm/memory.ts";
import { mem_cgroup_handle_over_high } from "../mm/memcontrol_charge.ts";
import { memcg_memory_event } from "../mm/memcontrol_stat.ts";
import type { Kernel, MmStruct, TaskStruct, VmArea } from "../mm/mm_types.ts";
import { GFP_KERNEL } from "../mm/page_alloc.ts";
import { PAGE_SIZE, type PteStore, touchPte } from "../mm/pgtable.ts";
import type { Task } from "../sim/task.ts";
import type { Machine } from "./machine.ts";
import { type Shadow, shadowCheck } from "./shadow.ts";

/** The kernel ended the process: no memory, or its page could not be read. */
export class ProcessKilled extends Error {
  override name = "ProcessKilled";
}

/** One access takes three at most: to make, to swap in, to copy a page. */
const mostFaults = 1000;

/** What the functions below know of a process. */
export interface Inside {
  readonly machine: Machine;
  readonly k: Kernel;
  readonly pid: number;
  readonly mm: MmStruct;
  readonly ptes: PteStore;
  readonly area: VmArea;
  readonly pages: number;
  readonly firstVpn: number;
  /** Where in the process' store its page 0 has its entry. */
  readonly firstEntry: number;
  readonly task: TaskStruct;
  readonly shadow: Shadow | null;
  /** All of memory, word by word. */
  readonly words: Int32Array;
  alive: boolean;
  /**
   * Pages for which touch() may take the short way: none before the first
   * touch, or with a shadow. After the end it finds no entry.
   */
  quickPages: number;
  /** Its long way. */
  touchSlowly: (inside: Inside, page: number, write: boolean) => void;
  /** Of the access under way. */
  faults: number;
}

export function checkPage(inside: Inside, page: number): void {
  if (!inside.alive) throw new TypeError(`Process ${inside.pid} has ended`);
  if (Number.isInteger(page) && page >= 0 && page < inside.pages) return;
  throw new RangeError(
    `page: wanted a whole number from 0 to ${inside.pages - 1}, got ${page}`,
  );
}

/**
 * One access by the processor, with as many faults as it takes.
 *
 * Whoever calls it uses the page and then says endAccess(): the background has
 * its turn only then, else it could take the page away before it was used.
 *
 * @returns where in memory the page begins
 */
export function access(inside: Inside, page: number, write: boolean): number {
  checkPage(inside, page);
  const frame = translate(inside, page, write);
  return frame < 0 ? accessByFaults(inside, page, write) : frame * PAGE_SIZE;
}

/** The page's frame; −1 if there is none, or not for a write. */
function translate(inside: Inside, page: number, write: boolean): number {
  return touchPte(inside.ptes, inside.firstEntry + page, write);
}

function accessByFaults(inside: Inside, page: number, write: boolean): number {
  for (;;) {
    const frame = translate(inside, page, write);
    if (frame >= 0) {
      const start = frame * PAGE_SIZE;
      if (inside.faults > 0) check(inside, page, bytesAt(inside, start));
      return start;
    }
    if (inside.faults++ === mostFaults) {
      throw new SimError(`Livelock: page ${page} faults again and again`);
    }
    // Above memory.high the way back can take the page again. Who has paid
    // once for this access does not pay again, or nothing would move on.
    fault(inside, page, write, inside.faults === 1);
  }
}

/** kswapd and the workers have their turn, if there was a fault. */
export function endAccess(inside: Inside): void {
  if (inside.faults === 0) return;
  inside.faults = 0;
  inside.machine.runBackground();
}

/** The bytes of a page that was just accessed, in place. */
export function bytesAt({ k }: Inside, start: number): Uint8Array {
  return k.memory.subarray(start, start + PAGE_SIZE);
}

export function check(inside: Inside, page: number, bytes: Uint8Array): void {
  const { shadow, pid, firstVpn, k } = inside;
  if (shadow === null) return;
  shadowCheck(shadow, { pid, page, vpn: firstVpn + page }, bytes, k.trace);
}

/** A fault, and what the task has to do before the program goes on. */
function* faultAndReturn(
  k: Kernel,
  area: VmArea,
  vpn: number,
  flags: number,
  pays: boolean,
): Task<number> {
  const result = yield* handle_mm_fault(k, area, vpn, flags);
  if (pays) yield* mem_cgroup_handle_over_high(k, GFP_KERNEL);
  return result;
}

function fault(
  inside: Inside,
  page: number,
  write: boolean,
  pays: boolean,
): void {
  const { machine, k, area, firstVpn, task } = inside;
  const flags = write ? FAULT_FLAG_WRITE : 0;
  const vpn = firstVpn + page;
  const work: Task<number> = faultAndReturn(k, area, vpn, flags, pays);
  const result = machine.runAlone(work, task);
  if ((result & (VM_FAULT_OOM | VM_FAULT_SIGBUS)) !== 0) endAccess(inside);
  if ((result & VM_FAULT_OOM) !== 0) {
    k.vm_event.oom_kill++;
    memcg_memory_event(inside.mm.memcg, "oom_kill");
    throw new ProcessKilled(
      `Out of memory: process ${inside.pid} wanted page ${page}; ` +
        `memory and swap are full`,
    );
  }
  if ((result & (VM_FAULT_SIGBUS | VM_FAULT_HWPOISON)) !== 0) {
    throw new ProcessKilled(
      `SIGBUS: page ${page} of process ${inside.pid} could not be read back`,
    );
  }
}
