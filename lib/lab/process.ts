/**
 * A process: an area of anonymous memory and somebody who uses it. Ours.
 *
 * Pages are numbered from 0 within the area. A call faults as often as it has
 * to, as a processor would.
 */
import { ENOMEM, errnoName } from "../base/errno.ts";
import { framePresentAt } from "../mm/memory.ts";
import type { MmStruct, TaskStruct, VmArea } from "../mm/mm_types.ts";
import { dup_mmap } from "../mm/memory_fork.ts";
import {
  do_madvise,
  MADV_COLD,
  MADV_DONTNEED,
  MADV_FREE,
  MADV_PAGEOUT,
  MADV_WILLNEED,
} from "../mm/madvise.ts";
import { do_mmap, exit_mmap, mm_alloc } from "../mm/mmap.ts";
import { shmemCreate } from "../mm/shmem.ts";
import {
  PAGE_SIZE,
  pte_none,
  pte_present,
  pteAt,
  ptep_get,
  PTRS_PER_PTE,
} from "../mm/pgtable.ts";
import type { Cgroup } from "./cgroup.ts";
import type { Machine } from "./machine.ts";
import type { PageSource } from "./pages.ts";
import {
  copyShadow,
  makeShadow,
  type Shadow,
  shadowDrop,
  shadowLoosen,
  shadowSettle,
  shadowWrite,
} from "./shadow.ts";
import {
  access,
  bytesAt,
  check,
  checkPage,
  endAccess,
  type Inside,
  ProcessKilled,
} from "./process_access.ts";

export { ProcessKilled };

export interface ProcessOptions {
  /** Size of its memory in pages of 4096 bytes. */
  readonly pages: number;
  /** Shared memory: a child sees what the parent writes, and the reverse. */
  readonly shared?: boolean;
  /** For traces and reports. */
  readonly name?: string;
  /** Who pays for its pages; the root group. */
  readonly cgroup?: Cgroup;
}

/** What a process can tell the kernel about its pages: see madvise.ts. */
export type Advice = "willneed" | "dontneed" | "free" | "cold" | "pageout";

/** Where a page of a process is. */
export type Whereabouts = "nowhere" | "zero page" | "memory" | "swap";

export interface Process {
  readonly pid: number;
  readonly name: string;
  readonly pages: number;
  readonly mm: MmStruct;
  readonly area: VmArea;
  /** Who it is for the kernel; its CPU does not change. */
  readonly task: TaskStruct;
  /** Write `bytes` (up to 4096) at `offset` of the page. */
  write(page: number, bytes: Uint8Array, offset?: number): void;
  /** A copy of the page's 4096 bytes, checked. */
  read(page: number): Uint8Array;
  /** Use the page as a program would: read, or change, one 32-bit word. */
  touch(page: number, write?: boolean): void;
  /** Fill pages `from` … `to`−1 from a source; all pages if left out. */
  fill(source: PageSource, from?: number, to?: number): void;
  whereabouts(page: number): Whereabouts;
  /**
   * madvise(2) on pages `from` … `to`−1; all pages if left out.
   *
   * @throws TypeError if the kernel refuses (-EINVAL)
   */
  advise(advice: Advice, from?: number, to?: number): void;
  /** A child that shares all pages until somebody writes. */
  fork(): Process;
  /** End: all its memory and slots are free. */
  exit(): void;
}

export function makeProcess(
  machine: Machine,
  options: ProcessOptions,
): Process {
  const { pages } = options;
  if (!Number.isInteger(pages) || pages < 1) {
    throw new RangeError(`pages: wanted a whole number ≥ 1, got ${pages}`);
  }
  const mm = mm_alloc(machine.k, options.cgroup?.memcg);
  const object = options.shared ? shmemCreate(machine.k, pages) : null;
  const area = do_mmap(mm, pages, object);
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
  const pages = (area.vm_end - area.vm_start) / PAGE_SIZE;
  const firstVpn = area.vm_start / PAGE_SIZE;
  const inside: Inside = {
    machine,
    k: machine.k,
    pid: mm.pid,
    mm,
    ptes: mm.ptes,
    area,
    pages,
    firstVpn,
    firstEntry: pteAt(firstVpn),
    // One CPU after the other.
    task: { comm: name, mm, cpu: (mm.pid - 1) % machine.k.nr_cpus, flags: 0 },
    shadow,
    words: new Int32Array(machine.k.memory.buffer),
    alive: true,
    quickPages: 0,
    touchSlowly: touchFirst,
    faults: 0,
  };
  const process: Process = {
    pid: mm.pid,
    name,
    pages,
    mm,
    area,
    task: inside.task,
    write: (page, bytes, offset = 0) => writeBytes(inside, page, bytes, offset),
    read: (page) => readBytes(inside, page),
    touch: makeTouch(inside),
    fill: (source, from = 0, to = inside.pages) =>
      fillFrom(inside, source, from, to),
    whereabouts: (page) => whereaboutsOf(inside, page),
    advise: (advice, from = 0, to = inside.pages) =>
      advise(inside, advice, from, to),
    fork: () => forkProcess(inside, name),
    exit: () => exitProcess(inside, process),
  };
  machine.processes.push(process);
  return process;
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
  const memory = bytesAt(inside, access(inside, page, true));
  settleShadow(inside, page, memory);
  memory.set(bytes, offset);
  if (inside.shadow !== null) {
    shadowWrite(inside.shadow, page, offset, bytes);
  }
  endAccess(inside);
}

function readBytes(inside: Inside, page: number): Uint8Array {
  const memory = bytesAt(inside, access(inside, page, false));
  check(inside, page, memory);
  const bytes = memory.slice();
  endAccess(inside);
  return bytes;
}

/** The last word of a page is the one that touch() uses. */
const lastWord = PAGE_SIZE / 4 - 1;

/**
 * touch(), with a short way for a page that is there and marked: as few steps
 * as can be, all in 32-bit integers, so that the processor has several accesses
 * under way at once. Bits and shifts are spelled out, as names of a module
 * would be looked up each time; touchPte() and pfnOf() say what they mean. The
 * long way is a variable, so that the compiler leaves it alone and takes the
 * short one into the loop of whoever calls.
 */
function makeTouch(inside: Inside): Process["touch"] {
  const { ptes, firstEntry, words } = inside;
  return (page, write = false) => {
    if (page >>> 0 === page && page < inside.quickPages) {
      const { halves } = ptes;
      const at = 2 * (firstEntry + page);
      const low = halves[at]!;
      const ready = write ? 0x63 : 0x21;
      if ((low & ready) === ready) {
        // Each write changes it, so that none leaves the page as it was.
        if (write) {
          words[(halves[at + 1]! << 30 | low >>> 12 << 10 | 1023) >>> 0]!++;
        }
        return;
      }
    }
    inside.touchSlowly(inside, page, write);
  };
}

/** The first of all: from then on, the short way has a table to look into. */
function touchFirst(inside: Inside, page: number, write: boolean): void {
  touchChecked(inside, page, write);
  if (inside.shadow === null) inside.quickPages = inside.pages;
  inside.touchSlowly = touchChecked;
}

/** With faults, the shadow, and errors. */
function touchChecked(inside: Inside, page: number, write: boolean): void {
  const start = access(inside, page, write);
  if (write) {
    const { words, shadow } = inside;
    const memory = bytesAt(inside, start);
    settleShadow(inside, page, memory);
    words[start / 4 + lastWord]!++;
    const offset = 4 * lastWord;
    if (shadow !== null) {
      shadowWrite(shadow, page, offset, memory.subarray(offset));
    }
  }
  endAccess(inside);
}

/** A write ends the time in which the page might vanish. */
function settleShadow(inside: Inside, page: number, memory: Uint8Array): void {
  const { shadow } = inside;
  if (shadow !== null) shadowSettle(shadow, page, memory);
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

function behaviorOf(advice: Advice): number {
  switch (advice) {
    case "willneed":
      return MADV_WILLNEED;
    case "dontneed":
      return MADV_DONTNEED;
    case "free":
      return MADV_FREE;
    case "cold":
      return MADV_COLD;
    case "pageout":
      return MADV_PAGEOUT;
  }
}

function advise(
  inside: Inside,
  advice: Advice,
  from: number,
  to: number,
): void {
  const { machine, k, mm, area, task, shadow } = inside;
  checkPage(inside, from);
  if (to > from) checkPage(inside, to - 1);
  const start = area.vm_start + from * PAGE_SIZE;
  const len = (to - from) * PAGE_SIZE;
  const behavior = behaviorOf(advice);
  const result = machine.run(do_madvise(k, mm, start, len, behavior), task);
  if (result < 0) throw new TypeError(`advise: ${errnoName(result)}`);
  // A shared object keeps its bytes; else they are gone, or may go.
  if (shadow === null || area.vm_mapping !== null) return;
  if (advice === "dontneed") shadowDrop(shadow, from, to);
  if (advice === "free") shadowLoosen(shadow, from, to);
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
  const isPrivate = inside.area.vm_mapping === null;
  const copy = shadow !== null && isPrivate ? copyShadow(shadow) : shadow;
  return enroll(machine, child, child.mmap[0]!, copy, `child of ${name}`);
}

function exitProcess(inside: Inside, process: Process): void {
  checkPage(inside, 0);
  const { machine, k, mm, task } = inside;
  machine.run(exit_mmap(k, mm), task);
  inside.alive = false;
  machine.processes.splice(machine.processes.indexOf(process), 1);
}
