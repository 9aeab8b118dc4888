/**
 * The machine's counters under the names that the recordings have: `zswap.`
 * for debugfs, `stat.` for the group's memory.stat, `vm.` for vmstat, `blk.`
 * for the device, and what each process has where. Ours.
 */
import { entryAt } from "./entry.ts";
import { report } from "./report.ts";
import { readGroup } from "./reality_group.ts";
import type { Worker, World } from "./reality_world.ts";

/** By name; what belongs to a process that is not there is left out. */
export type Counters = Readonly<Record<string, number>>;

/** readCounters() - all of them, as they stand now. */
export function readCounters(world: World): Counters {
  const { machine } = world;
  const { same_filled_pages, stored_incompressible_pages } = machine.k.zswap;
  const { zswap, vmstat, swaps } = report(machine);
  const used = swaps.reduce((sum, { Used }) => sum + Used, 0);
  return {
    ...prefixed("zswap.", { ...zswap }),
    "zswap.same_filled_pages": same_filled_pages,
    "zswap.stored_incompressible_pages": stored_incompressible_pages,
    // Of the group; there is only one.
    "stat.zswap_incomp": stored_incompressible_pages * 4096,
    ...readGroup(world),
    ...prefixed("vm.", { ...vmstat }),
    "swap.used_kb": used,
    ...deviceCounters(world),
    ...Object.assign({}, ...[...world.workers.values()].map(pageCounters)),
  };
}

function prefixed(prefix: string, counters: Counters): Counters {
  const entries = Object.entries(counters);
  return Object.fromEntries(entries.map(([name, n]) => [prefix + name, n]));
}

/** The statistics of the block layer; sectors of 512 bytes. */
function deviceCounters({ machine: { k } }: World): Counters {
  const disk = k.swap_info[0]?.disk;
  if (disk === undefined) return {};
  const { reads, writes } = disk.stats;
  return { "blk.read_sectors": reads * 8, "blk.write_sectors": writes * 8 };
}

const stateNumber = { none: 0, present: 1, swapped: 2 } as const;

/** Where the pages of a process are: what /proc/PID/pagemap tells. */
function pageCounters({ name, process }: Worker): Counters {
  if (process === null) return {};
  const counts = { present: 0, swapped: 0, none: 0 };
  let states = fnvStart;
  let slots = fnvStart;
  for (let page = 0; page < process.pages; page++) {
    const { present, slot } = entryAt(process, page);
    const state = present ? "present" : slot === null ? "none" : "swapped";
    counts[state]++;
    states = fnv(states, stateNumber[state]);
    slots = fnv(slots, slot === null ? 0 : Number(slot.split(":")[1]));
  }
  const hashes = { state_fnv: states, slots_fnv: slots };
  return prefixed(`${name}.`, { ...counts, ...hashes });
}

/** The FNV-1a hash, a word at a time. */
const fnvStart = 2166136261;

function fnv(hash: number, word: number): number {
  return Math.imul(hash ^ word, 16777619) >>> 0;
}
