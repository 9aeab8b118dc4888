/**
 * Which group a swap slot is charged to: the group's id, 16 bits per slot.
 *
 * The record holds a reference to the id, not to the group: so the id of a
 * removed group lives on until its last slot is free.
 *
 * Kernel: mm/swap_cgroup.c (v6.12). Differs: one array instead of pages, and
 * no lock of its own, since each function here is one step.
 */
import { VM_BUG_ON } from "../base/bug.ts";
import type { Kernel } from "./mm_types.ts";
import { swp_offset, swp_type, type SwpEntry } from "./swapops.ts";

/** swap_cgroup_swapon() - records for a device of `max_pages` slots. */
export function swap_cgroup_swapon(
  k: Kernel,
  type: number,
  max_pages: number,
): void {
  k.memcg.swap_cgroup[type] = new Uint16Array(max_pages);
}

/** swap_cgroup_swapoff() - the device is gone; no slot of it is charged. */
export function swap_cgroup_swapoff(k: Kernel, type: number): void {
  k.memcg.swap_cgroup[type] = null;
}

/**
 * swap_cgroup_record() - note `id` for `nr` slots from `entry` on; 0 is nobody.
 *
 * @returns what stood there before, the same for all of them
 */
export function swap_cgroup_record(
  k: Kernel,
  entry: SwpEntry,
  id: number,
  nr: number,
): number {
  const map = k.memcg.swap_cgroup[swp_type(entry)];
  if (!map) return 0;
  const first = swp_offset(entry);
  const old = map[first]!;
  for (let offset = first; offset < first + nr; offset++) {
    VM_BUG_ON(map[offset] !== old, () => `slot ${offset} is another group's`);
    map[offset] = id;
  }
  return old;
}

/** The group's id that was recorded, or 0. */
export function lookup_swap_cgroup_id(k: Kernel, entry: SwpEntry): number {
  return k.memcg.swap_cgroup[swp_type(entry)]?.[swp_offset(entry)] ?? 0;
}
