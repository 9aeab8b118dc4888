/**
 * Address spaces: making them, taking them down, whole or in part.
 *
 * Kernel: mm/mmap.c (v6.12). Differs: areas are placed one behind the other, in
 * a plain array; what is mapped is anonymous memory, private or shared; no
 * limits; areas go one by one (Linux: first the pages of all, then the areas).
 */
import { EINVAL, type Errno } from "../base/errno.ts";
import type { Task } from "../sim/task.ts";
import { enter } from "../sim/trace.ts";
import { VM_READ, VM_SHARED, VM_WRITE } from "./memory.ts";
import { zap_page_range_single } from "./memory_zap.ts";
import type {
  AddressSpace,
  Kernel,
  MemCgroup,
  MmStruct,
  VmArea,
} from "./mm_types.ts";
import {
  growPteStore,
  makePteStore,
  PAGE_ALIGN,
  PAGE_SIZE,
  TASK_UNMAPPED_BASE,
} from "./pgtable.ts";
import { linkAnonVma, unlink_anon_vmas } from "./rmap.ts";
import { shmemPutMapping } from "./shmem.ts";

/** An empty address space of a task in `memcg`. */
export function mm_alloc(
  k: Kernel,
  memcg: MemCgroup = k.root_mem_cgroup,
): MmStruct {
  const mm: MmStruct = {
    pid: k.next_pid++,
    memcg,
    tables: new Map(),
    ptes: makePteStore(),
    mmap: [],
    anon_pages: 0,
    shmem_pages: 0,
    swap_ents: 0,
  };
  k.mms.add(mm);
  return mm;
}

/**
 * A new area of `pages` pages, readable and writable.
 *
 * @param mapping the shared object behind it, from its first page on; null for
 *   private anonymous memory
 */
export function do_mmap(
  mm: MmStruct,
  pages: number,
  mapping: AddressSpace | null = null,
): VmArea {
  // A page between two areas, so that running over the end is noticed.
  const start = mm.mmap.reduce(
    (end, { vm_end }) => Math.max(end, vm_end + PAGE_SIZE),
    TASK_UNMAPPED_BASE,
  );
  const vma: VmArea = {
    vm_mm: mm,
    vm_start: start,
    vm_end: start + pages * PAGE_SIZE,
    vm_flags: VM_READ | VM_WRITE | (mapping === null ? 0 : VM_SHARED),
    vm_mapping: mapping,
    vm_pgoff: 0,
    anon_vma: null,
    anon_vma_chain: [],
    swap_readahead_info: 0,
  };
  mm.mmap.push(vma);
  growPteStore(mm.ptes, vma.vm_end / PAGE_SIZE);
  linkToMapping(vma);
  return vma;
}

/** The object's pages may be mapped in the area from now on. */
export function linkToMapping(vma: VmArea): void {
  vma.vm_mapping?.i_mmap.push(vma);
}

/**
 * do_munmap() - take `len` bytes from `start` away, with all that is in them.
 *
 * An area that sticks out is split first.
 *
 * @param len rounded up to whole pages
 * @returns 0, also if nothing was mapped there; -EINVAL for no length, or a
 *   start that is no multiple of 4096
 */
export function* do_munmap(
  k: Kernel,
  mm: MmStruct,
  start: number,
  len: number,
): Task<Errno> {
  enter(k.trace, "do_munmap");
  if (start % PAGE_SIZE !== 0 || len <= 0) return -EINVAL;
  const end = start + PAGE_ALIGN(len);
  for (const vma of [...mm.mmap]) {
    if (vma.vm_end <= start || vma.vm_start >= end) continue;
    if (vma.vm_start < start) __split_vma(vma, start);
    const first = Math.max(start, vma.vm_start);
    const inside = mm.mmap.find(({ vm_start }) => vm_start === first)!;
    if (inside.vm_end > end) __split_vma(inside, end);
    yield* removeArea(k, inside);
  }
  return 0;
}

/** The area ends at `address` now; a new one goes on from there. */
function __split_vma(vma: VmArea, address: number): void {
  const behind: VmArea = {
    ...vma,
    vm_start: address,
    vm_pgoff: vma.vm_pgoff + (address - vma.vm_start) / PAGE_SIZE,
    anon_vma_chain: [],
  };
  vma.vm_end = address;
  vma.vm_mm.mmap.splice(vma.vm_mm.mmap.indexOf(vma) + 1, 0, behind);
  linkToMapping(behind);
  for (const anon_vma of vma.anon_vma_chain) linkAnonVma(behind, anon_vma);
}

/** One area goes, with all that is in it. */
function* removeArea(k: Kernel, vma: VmArea): Task {
  yield* zap_page_range_single(k, vma);
  unlink_anon_vmas(vma);
  vma.vm_mm.mmap.splice(vma.vm_mm.mmap.indexOf(vma), 1);
  if (vma.vm_mapping === null) return;
  const { i_mmap } = vma.vm_mapping;
  i_mmap.splice(i_mmap.indexOf(vma), 1);
  // Nobody else can reach the object: anonymous memory has no name.
  if (i_mmap.length === 0) yield* shmemPutMapping(k, vma.vm_mapping);
}

/** exit_mmap() - the process ends: every area goes. */
export function* exit_mmap(k: Kernel, mm: MmStruct): Task {
  enter(k.trace, "exit_mmap");
  while (mm.mmap.length > 0) yield* removeArea(k, mm.mmap[0]!);
  mm.tables.clear();
  k.mms.delete(mm);
}
