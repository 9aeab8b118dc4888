/**
 * What must be true of slots and clusters between two operations. Ours.
 */
import { entriesOf, type ListHead } from "../base/list.ts";
import type { Kernel, SwapInfoStruct } from "../mm/mm_types.ts";
import {
  CLUSTER_FLAG_FRAG,
  CLUSTER_FLAG_FREE,
  CLUSTER_FLAG_FULL,
  CLUSTER_FLAG_NONFULL,
  SWAPFILE_CLUSTER,
} from "../mm/swap.ts";
import type { SwapClusterInfo } from "../mm/swap_info.ts";
import { entryName, type SwpEntry } from "../mm/swapops.ts";
import { must } from "./must.ts";

/** The slots that wait in the caches of slots, each in one place. */
export function parkedSlots(k: Kernel): Set<SwpEntry> {
  const parked = new Set<SwpEntry>();
  for (const { slots, cur, nr, slots_ret, n_ret } of k.swap.swp_slots) {
    const here = [...slots.slice(cur, cur + nr), ...slots_ret.slice(0, n_ret)];
    for (const entry of here) {
      must(
        !parked.has(entry),
        () => `slot ${entryName(entry)} waits in one cache of slots`,
      );
      parked.add(entry);
    }
  }
  return parked;
}

/** Each cluster is on the list that its flags name, and counts its slots. */
export function checkClusters(si: SwapInfoStruct): void {
  if (si.cluster_info === null) return;
  const lists: [string, number, ListHead<SwapClusterInfo>][] = [
    ["free", CLUSTER_FLAG_FREE, si.free_clusters],
    ["nonfull", CLUSTER_FLAG_NONFULL, si.nonfull_clusters],
    ["frag", CLUSTER_FLAG_FRAG, si.frag_clusters],
    ["full", CLUSTER_FLAG_FULL, si.full_clusters],
    ["discard", 0, si.discard_clusters],
  ];
  let found = 0;
  for (const [name, flag, list] of lists) {
    for (const ci of entriesOf(list)) {
      const which = `cluster ${si.type}:${ci.index}`;
      must(ci.flags === flag, `${which} is ${name}, flags ${ci.flags}`);
      must(countUsed(si, ci) === ci.count, `${which} counts ${ci.count}`);
      must((ci.count === 0) === (name === "free" || name === "discard"), which);
      must((ci.count === SWAPFILE_CLUSTER) === (name === "full"), which);
      found++;
    }
  }
  must(found === si.cluster_info.length, `${found} clusters are on lists`);
  const frags = [...entriesOf(si.frag_clusters)].length;
  must(frags === si.frag_cluster_nr, `frag_cluster_nr ${si.frag_cluster_nr}`);
}

/** Slots that nobody can take: in use, bad, or behind the device's end. */
function countUsed(si: SwapInfoStruct, { index, flags }: SwapClusterInfo) {
  const start = index * SWAPFILE_CLUSTER;
  // While the device is told of an empty cluster, its slots read as bad.
  if (flags === 0) return 0;
  const end = Math.min(start + SWAPFILE_CLUSTER, si.swap_map.length);
  let free = 0;
  for (let offset = start; offset < end; offset++) {
    if (si.swap_map[offset] === 0) free++;
  }
  return SWAPFILE_CLUSTER - free;
}
