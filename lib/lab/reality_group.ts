/**
 * The groups of a workload: making them, setting their files, reading them.
 * Ours.
 */
import type { Errno } from "../base/errno.ts";
import { try_charge_memcg } from "../mm/memcontrol_charge.ts";
import { makeCgroup } from "../mm/memcontrol_css.ts";
import {
  memory_events_show,
  memory_high_write,
  memory_max_write,
  memory_reclaim,
  swap_current_read,
  swap_max_write,
  zswap_max_write,
  zswap_writeback_write,
} from "../mm/memcontrol_files.ts";
import { memory_stat_show } from "../mm/memcontrol_stat.ts";
import type { Kernel, MemCgroup } from "../mm/mm_types.ts";
import { GFP_KERNEL } from "../mm/page_alloc.ts";
import { page_counter_uncharge } from "../mm/page_counter.ts";
import type { Task } from "../sim/task.ts";
import { swapper } from "./machine.ts";
import { unsupported, type World } from "./reality_world.ts";
import type { Command } from "./reality_workload.ts";

type Write = (
  k: Kernel,
  memcg: MemCgroup,
  text: string,
) => Task<Errno> | Errno;

/** What a write to each file does; those that reclaim take time. */
const files: ReadonlyMap<string, Write> = new Map<string, Write>([
  ["memory.max", memory_max_write],
  ["memory.high", memory_high_write],
  ["memory.swap.max", (_, memcg, text) => swap_max_write(memcg, text)],
  ["memory.zswap.max", (_, memcg, text) => zswap_max_write(memcg, text)],
  [
    "memory.zswap.writeback",
    (_, memcg, text) => zswap_writeback_write(memcg, text),
  ],
]);

/** addGroup() - `cg NAME FILE=VALUE…`: make a group below the root. */
export function addGroup(
  world: World,
  command: Command & { readonly op: "cg" },
): void {
  const { name, pairs } = command;
  const { machine, groups } = world;
  if (groups.has(name)) unsupported(command, `group ${name} is there already`);
  const { k } = machine;
  const memcg = makeCgroup(k, k.root_mem_cgroup, name);
  groups.set(name, memcg);
  for (const [file, text] of pairs) {
    const write = files.get(file) ?? unsupported(command, `no file ${file}`);
    const written = write(k, memcg, text);
    const result = typeof written === "number"
      ? written
      : machine.run(written, swapper);
    if (result !== 0) unsupported(command, `${file}=${text}: error ${result}`);
  }
}

/** reclaimGroup() - `reclaim NAME BYTES`: as much as can be had. */
export function reclaimGroup(
  { machine, groups }: World,
  command: Command & { readonly op: "reclaim" },
): void {
  const memcg = groups.get(command.group) ??
    unsupported(command, `no group ${command.group}`);
  machine.run(memory_reclaim(machine.k, memcg, `${command.bytes}`), swapper);
}

/**
 * What a worker costs its group besides its region: its data and stack, locked
 * in memory (104 pages), tables and objects of the kernel. Every recording
 * begins with 128 pages.
 */
const ownPages = 128;

/** chargeOwn() - a worker begins, in its group. */
export function chargeOwn({ machine, groups }: World, group: string | null) {
  const memcg = group === null ? undefined : groups.get(group);
  if (memcg === undefined) return;
  const { k } = machine;
  machine.run(try_charge_memcg(k, memcg, GFP_KERNEL, ownPages), swapper);
}

/** unchargeOwn() - it ends. */
export function unchargeOwn(
  { machine, groups }: World,
  group: string | null,
): void {
  const memcg = group === null ? undefined : groups.get(group);
  if (memcg === undefined) return;
  page_counter_uncharge(machine.k, memcg.memory, ownPages);
}

/** The group that the recordings tell about: the first; without one, all. */
function toldGroup({ machine, groups }: World): MemCgroup {
  return [...groups.values()][0] ?? machine.k.root_mem_cgroup;
}

/** readGroup() - its memory.stat and the other files that are recorded. */
export function readGroup(world: World): Readonly<Record<string, number>> {
  const memcg = toldGroup(world);
  const stat = Object.entries(memory_stat_show(world.machine.k, memcg));
  const events = Object.entries(memory_events_show(memcg));
  return Object.fromEntries([
    ...stat.map(([name, value]) => [`stat.${name}`, value] as const),
    ...events.map(([name, value]) => [`events.${name}`, value] as const),
    ["memory.current", memcg.memory.usage * 4096],
    ["memory.swap.current", swap_current_read(memcg)],
  ]);
}
