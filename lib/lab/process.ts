/**
 * A process: an area of anonymous memory and somebody who uses it. Ours.
 *
 * Pages are numbered from 0 within the area. A call faults as often as it has
 * to, as a processor would.
 */
import { ENOMEM } from "../base/errno.ts";
import {
  FAULT_FLAG_WRITE,
  framePresentAt,
  handle_mm_fault,
  VM_FAULT_OOM,
  VM_FAULT_SIGBUS,
} from "../mm/memory.ts";
import type { Kernel, MmStruct, TaskStruct, VmArea } from "../mm/mm_types.ts";
import { do_mmap, dup_mmap, exit_mmap, mm_alloc } from "../mm/mmap.ts";
import {
  PAGE_SIZE,
  pte_none,
  pte_present,
  ptep_get,
  PTRS_PER_PTE,
  touchPte,
} from "../mm/pgtable.ts";
import type { Machine } from "./machine.ts";
import type { PageSource } from "./pages.ts";
import {
  copyShadow,
  makeShadow,
  type Shadow,
  shadowCheck,
  shadowWrite,
} from "./shadow.ts";

export interface ProcessOptions {
  /** Size of its memory in pages of 4096 bytes. */
  readonly pages: number;
  /** For traces and reports. */
  readonly name?: string;
}

/** Where a page of a process is. */
export type Whereabouts = "nowhere" | "zero page" | "memory" | "swap";

export interface Process {
  readonly pid: number;
  readonly name: string;
  readonly pages: number;
  readonly mm: MmStruct;
  readonly area: VmArea;
  /** Write `bytes` (up to 4096) at `offset` of the page. */
  write(page: number, bytes: Uint8Array, offset?: number): void;
  /** A copy of the page's 4096 bytes, checked. */
  read(page: number): Uint8Array;
  /** Use the page as a program would: read, or change, one 32-bit word. */
  touch(page: number, write?: boolean): void;
  /** Fill pages `from` … `to`−1 from a source; all pages if left out. */
  fill(source: PageSource, from?: number, to?: number): void;
  whereabouts(page: number): Whereabouts;
  /** A child that shares all pages until somebody writes. */
  fork(): Process;
  /** End: all its memory and slots are free. */
  exit(): void;
}

/** The kernel ended the process: no memory, or its page could not be read. */
export class ProcessKilled extends Error {
  override name = "ProcessKilled";
}

/** What the functions below know of a process. */
interface Inside {
  readonly machine: Machine;
  readonly k: Kernel;
  readonly pid: number;
  readonly mm: MmStruct;
  readonly area: VmArea;
  readonly pages: number;
  readonly firstVpn: number;
  readonly task: TaskStruct;
  readonly shadow: Shadow | null;
  alive: boolean;
}

export function makeProcess(
  machine: Machine,
  options: ProcessOptions,
): Process {
  const { pages } = options;
  if (!Number.isInteger(pages) || pages < 1) {
    throw new RangeError(`pages: wanted a whole number ≥ 1, got ${pages}`);
  }
  const mm = mm_alloc(machine.k);
  const area = do_mmap(mm, pages);
  const shadow = machine.settings.shadow ? makeShadow() : null;
  return enroll(machine, mm, area, shadow, options.name);
}

function enroll(
  machine: Machine,
  mm: MmStruct,
  area: VmArea,
  shadow: Shadow | null,
  name: string = `process ${mm.pid}`,
): Process {
  const inside: Inside = {
    machine,
    k: machine.k,
    pid: mm.pid,
    mm,
    area,
    pages: (area.vm_end - area.vm_start) / PAGE_SIZE,
    firstVpn: area.vm_start / PAGE_SIZE,
    task: { comm: name, mm, flags: 0 },
    shadow,
    alive: true,
  };
  const process: Process = {
    pid: mm.pid,
    name,
    pages: inside.pages,
    mm,
    area,
    write: (page, bytes, offset = 0) => writeBytes(inside, page, bytes, offset),
    read: (page) => readBytes(inside, page),
    touch: (page, write = false) => touchWord(inside, page, write),
    fill: (source, from = 0, to = inside.pages) =>
      fillFrom(inside, source, from, to),
    whereabouts: (page) => whereaboutsOf(inside, page),
    fork: () => forkProcess(inside, name),
    exit: () => exitProcess(inside, process),
  };
  machine.processes.push(process);
  return process;
}

function checkPage(inside: Inside, page: number): void {
  if (!inside.alive) throw new TypeError(`Process ${inside.pid} has ended`);
  if (Number.isInteger(page) && page >= 0 && page < inside.pages) return;
  throw new RangeError(
    `page: wanted a whole number from 0 to ${inside.pages - 1}, got ${page}`,
  );
}

/** One access by the processor, with as many faults as it takes. */
function access(inside: Inside, page: number, write: boolean): void {
  checkPage(inside, page);
  const vpn = inside.firstVpn + page;
  const key = Math.floor(vpn / PTRS_PER_PTE);
  let faulted = false;
  for (;;) {
    const table = inside.mm.tables.get(key);
    if (table && touchPte(table, vpn % PTRS_PER_PTE, write)) break;
    fault(inside, page, write);
    faulted = true;
  }
  if (faulted) check(inside, page, bytesOf(inside, page));
}

/** The bytes of a page that was just accessed, in place. */
function bytesOf({ k, area, firstVpn }: Inside, page: number): Uint8Array {
  const start = framePresentAt(area, firstVpn + page)! * PAGE_SIZE;
  return k.memory.subarray(start, start + PAGE_SIZE);
}

function check(inside: Inside, page: number, bytes: Uint8Array): void {
  const { shadow, pid, firstVpn, k } = inside;
  if (shadow === null) return;
  shadowCheck(shadow, { pid, page, vpn: firstVpn + page }, bytes, k.trace);
}

function fault(inside: Inside, page: number, write: boolean): void {
  const { machine, k, area, firstVpn, task } = inside;
  const flags = write ? FAULT_FLAG_WRITE : 0;
  const result = machine.run(
    handle_mm_fault(k, area, firstVpn + page, flags),
    task,
  );
  if ((result & VM_FAULT_OOM) !== 0) {
    k.vm_event.oom_kill++;
    throw new ProcessKilled(
      `Out of memory: process ${inside.pid} wanted page ${page}; ` +
        `memory and swap are full`,
    );
  }
  if ((result & VM_FAULT_SIGBUS) !== 0) {
    throw new ProcessKilled(
      `SIGBUS: page ${page} of process ${inside.pid} could not be read back`,
    );
  }
}

function writeBytes(
  inside: Inside,
  page: number,
  bytes: Uint8Array,
  offset: number,
): void {
  if (!(bytes instanceof Uint8Array)) {
    throw new TypeError(`bytes: wanted a Uint8Array, got ${typeof bytes}`);
  }
  if (
    !Number.isInteger(offset) || offset < 0 ||
    offset + bytes.length > PAGE_SIZE
  ) {
    throw new RangeError(
      `write: wanted bytes within the page's 4096, got ${bytes.length} ` +
        `at ${offset}`,
    );
  }
  access(inside, page, true);
  bytesOf(inside, page).set(bytes, offset);
  if (inside.shadow !== null) {
    shadowWrite(inside.shadow, page, offset, bytes);
  }
}

function readBytes(inside: Inside, page: number): Uint8Array {
  access(inside, page, false);
  const bytes = bytesOf(inside, page);
  check(inside, page, bytes);
  return bytes.slice();
}

function touchWord(inside: Inside, page: number, write: boolean): void {
  access(inside, page, write);
  if (!write) return;
  const bytes = bytesOf(inside, page);
  // Change the last word, so that no write leaves the page as it was.
  const word = new Uint8Array(4);
  const view = new DataView(bytes.buffer, bytes.byteOffset, PAGE_SIZE);
  const changed = (view.getUint32(PAGE_SIZE - 4, true) + 1) >>> 0;
  new DataView(word.buffer).setUint32(0, changed, true);
  bytes.set(word, PAGE_SIZE - 4);
  if (inside.shadow !== null) {
    shadowWrite(inside.shadow, page, PAGE_SIZE - 4, word);
  }
}

function fillFrom(
  inside: Inside,
  source: PageSource,
  from: number,
  to: number,
): void {
  const bytes = new Uint8Array(PAGE_SIZE);
  for (let page = from; page < to; page++) {
    source.fill(page, bytes);
    writeBytes(inside, page, bytes, 0);
  }
}

function whereaboutsOf(inside: Inside, page: number): Whereabouts {
  checkPage(inside, page);
  const vpn = inside.firstVpn + page;
  const table = inside.mm.tables.get(Math.floor(vpn / PTRS_PER_PTE));
  if (table === undefined) return "nowhere";
  const pte = ptep_get(table, vpn % PTRS_PER_PTE);
  if (pte_none(pte)) return "nowhere";
  if (!pte_present(pte)) return "swap";
  const zero = framePresentAt(inside.area, vpn) === inside.k.zero_pfn;
  return zero ? "zero page" : "memory";
}

function forkProcess(inside: Inside, name: string): Process {
  checkPage(inside, 0);
  const { machine, k, mm, task, shadow } = inside;
  const child = machine.run(dup_mmap(k, mm), task);
  if (typeof child === "number") {
    throw new ProcessKilled(
      `fork of process ${mm.pid}: ${child === -ENOMEM ? "-ENOMEM" : child}`,
    );
  }
  const copy = shadow === null ? null : copyShadow(shadow);
  return enroll(machine, child, child.mmap[0]!, copy, `child of ${name}`);
}

function exitProcess(inside: Inside, process: Process): void {
  checkPage(inside, 0);
  const { machine, k, mm, task } = inside;
  machine.run(exit_mmap(k, mm), task);
  inside.alive = false;
  machine.processes.splice(machine.processes.indexOf(process), 1);
}
