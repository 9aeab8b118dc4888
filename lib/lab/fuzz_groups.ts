/**
 * What a fuzz script may do with control groups: make, fill, limit, remove.
 *
 * A process starts in the root group and moves from there. Limits may be as
 * small as one page: then the group cannot be helped, and its processes end for
 * want of memory. Ours.
 */
import { CSS_DYING } from "../mm/memcontrol.ts";
import type { Cgroup, WritableFile } from "./cgroup.ts";
import { type Operation, subjectOf, type World } from "./fuzz_world.ts";

const mostGroups = 6;

/** The group that `which` stands for, in any script; null: the root. */
function groupOf({ groups }: World, which: number): Cgroup | null {
  return groups[which % (groups.length + 1)] ?? null;
}

/** A new one, in the root or in another. */
function doMake(world: World, ...[within]: number[]): void {
  const { machine, groups, step } = world;
  if (groups.length >= mostGroups) return;
  const parent = groupOf(world, within!);
  const options = parent === null ? {} : { parent };
  groups.push(machine.cgroup(`g${step}`, options));
}

/** What the process has charged so far stays with the group that it leaves. */
function doMove(world: World, ...[who, where]: number[]): void {
  const { mm } = subjectOf(world, who!).process;
  const { k } = world.machine;
  mm.memcg = groupOf(world, where!)?.memcg ?? k.root_mem_cgroup;
}

const limits: readonly WritableFile[] = [
  "memory.max",
  "memory.high",
  "memory.swap.max",
  "memory.zswap.max",
];

function doLimit(world: World, ...[which, file, size]: number[]): void {
  const group = groupOf(world, which!);
  if (group === null) return;
  const name = limits[file! % limits.length]!;
  const isMemory = name === "memory.max" || name === "memory.high";
  const pages = (isMemory ? 1 : 0) + size! % 95;
  group.write(name, size! % 4 === 0 ? "max" : 4096 * pages);
}

function doWriteback(world: World, ...[which, on]: number[]): void {
  groupOf(world, which!)?.write("memory.zswap.writeback", on! % 2);
}

/** Less than was asked for is no error. */
function doReclaim(world: World, ...[which, pages]: number[]): void {
  groupOf(world, which!)?.write("memory.reclaim", 4096 * (1 + pages! % 32));
}

/** Remove one that has neither processes nor groups; its pages stay. */
function doRemove(world: World, ...[which]: number[]): void {
  const { groups, subjects } = world;
  const empty = groups.filter(({ memcg }) =>
    subjects.every(({ process }) => process.mm.memcg !== memcg) &&
    memcg.children.every(({ css }) => (css.flags & CSS_DYING) !== 0)
  );
  if (empty.length === 0) return;
  const group = empty[which! % empty.length]!;
  group.remove();
  groups.splice(groups.indexOf(group), 1);
}

/** By name, as scripts call them. */
export const groupOperations: readonly (readonly [string, Operation])[] = [
  ["group", { weight: 10, arity: 1, act: doMake }],
  ["move", { weight: 25, arity: 2, act: doMove }],
  ["limit", { weight: 20, arity: 3, act: doLimit }],
  ["group-writeback", { weight: 5, arity: 2, act: doWriteback }],
  ["group-reclaim", { weight: 10, arity: 2, act: doReclaim }],
  ["ungroup", { weight: 10, arity: 1, act: doRemove }],
];
