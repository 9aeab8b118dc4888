/**
 * Fuzz operations that take swap devices away and bring them back. Ours.
 *
 * swapoff has no end of its own if reclaim takes out again what it brings in
 * (as in Linux), so it is left alone only where that cannot be: where there is
 * room for every page, and on the last device, whose pages have nowhere to go.
 * There it must succeed, or here find no memory; elsewhere a signal ends it.
 */
import { EINTR, ENOMEM, type Errno, errnoName } from "../base/errno.ts";
import type { Kernel, SwapInfoStruct } from "../mm/mm_types.ts";
import { SWAP_FLAG_PREFER, SWP_WRITEOK } from "../mm/swap.ts";
import { sys_swapoff } from "../mm/swapoff.ts";
import { sys_swapon } from "../mm/swapon.ts";
import { end, FuzzError, type Operation, type World } from "./fuzz_world.ts";
import { tally } from "./must.ts";

/** Does every page of the device fit without waking kswapd? */
function hasRoom({ nodes }: Kernel, si: SwapInfoStruct): boolean {
  const free = nodes.reduce((sum, { zone: { free_list, watermark } }) => {
    return sum + Math.max(0, free_list.length - watermark.low);
  }, 0);
  return free >= si.inuse_pages;
}

/** No limit stands in the way, and processes end until there is room. */
function makeRoom(world: World, si: SwapInfoStruct): void {
  for (const group of world.groups) {
    group.write("memory.max", "max");
    group.write("memory.high", "max");
  }
  const { k } = world.machine;
  // When the last has ended another one takes its place.
  for (let left = world.subjects.length; left > 0; left--) {
    if (hasRoom(k, si)) return;
    end(world, world.subjects.at(-1)!);
  }
}

/** swapoff by a task that gets a signal after asking so often for one. */
function swapoff(
  { machine }: World,
  si: SwapInfoStruct,
  patience: number,
): Errno {
  return machine.run(sys_swapoff(machine.k, si), {
    comm: "swapoff",
    mm: null,
    cpu: 0,
    flags: 0,
    get signal_pending() {
      return patience-- <= 0;
    },
  });
}

/**
 * Take a device away, also the last one: then nothing is swapped.
 *
 * @throws FuzzError if it fails for a reason that cannot be
 */
function doSwapoff(world: World, ...[which, time]: number[]): void {
  const { k } = world.machine;
  const used = k.swap_info.filter(({ flags }) => (flags & SWP_WRITEOK) !== 0);
  if (used.length === 0) return;
  const si = used[which! % used.length]!;
  const { disk, inuse_pages } = si;
  const roomy = time! % 4 === 0;
  if (roomy) makeRoom(world, si);
  const alone = roomy || used.length === 1;
  const err = swapoff(world, si, alone ? Infinity : time! % 80);
  const legal = roomy ? [0] : alone ? [0, -ENOMEM] : [0, -ENOMEM, -EINTR];
  if (!legal.includes(err)) {
    throw new FuzzError(`swapoff, roomy: ${roomy}, gives ${errnoName(err)}`);
  }
  if (err === 0) world.off.push(disk);
  if (inuse_pages > 0) tally(world.seen, `swapoff ${errnoName(err)}`);
}

/** Bring the one back that has been away for longest; perhaps preferred. */
function doSwapon({ machine, off }: World, ...[priority]: number[]): void {
  const disk = off.shift();
  if (disk === undefined) return;
  const prio = priority! % 6;
  const swap_flags = prio === 0 ? 0 : SWAP_FLAG_PREFER | prio;
  const si = sys_swapon(machine.k, disk, { swap_flags });
  if (typeof si === "number") {
    throw new FuzzError(`swapon: ${errnoName(si)}`);
  }
}

/** By name, as scripts call them. */
export const swapOperations: readonly (readonly [string, Operation])[] = [
  ["swapoff", { weight: 6, arity: 2, act: doSwapoff }],
  ["swapon", { weight: 12, arity: 1, act: doSwapon }],
];
