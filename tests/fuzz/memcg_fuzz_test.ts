/**
 * Groups come and go while their processes write, read, fork and end; after
 * each step everything charged is counted anew (lab/invariants_memcg.ts).
 */
import assert from "node:assert/strict";
import { CSS_DYING } from "swaplab/mm/memcontrol.ts";
import type { Cgroup, WritableFile } from "swaplab/lab/cgroup.ts";
import { type Machine, makeMachine } from "swaplab/lab/machine.ts";
import { makePageSource } from "swaplab/lab/pages.ts";
import { type Process, ProcessKilled } from "swaplab/lab/process.ts";
import { GFP_KERNEL } from "swaplab/mm/page_alloc.ts";
import {
  MEMCG_RECLAIM_MAY_SWAP,
  try_to_free_mem_cgroup_pages,
} from "swaplab/mm/vmscan.ts";
import type { Task } from "swaplab/sim/task.ts";
import { makeRng, nextBelow, type Rng } from "swaplab/sim/rng.ts";

interface World {
  readonly machine: Machine;
  readonly rng: Rng;
  readonly groups: Cgroup[];
  /** Removed, and perhaps still charged. */
  readonly removed: Cgroup[];
  /** What each process is in. */
  readonly homes: Map<Process, Cgroup>;
}

const pages = 24;

function makeWorld(seed: number): World {
  const machine = makeMachine({
    frames: 160,
    nodes: 1 + (seed % 2),
    cpus: 2,
    swap: { pages: seed % 3 === 0 ? 100 : 500 },
    zswap: { zpool: seed % 2 === 0 ? "zbud" : "zsmalloc", maxPoolPercent: 10 },
    debug: true,
    traceEvents: 0,
  });
  const rng = makeRng(seed);
  const groups = [machine.cgroup("g0")];
  return { machine, rng, groups, removed: [], homes: new Map() };
}

function pick<T>(rng: Rng, from: readonly T[]): T {
  return from[nextBelow(rng, from.length)]!;
}

const steps: Record<string, (world: World) => void> = {
  group({ machine, rng, groups, removed }) {
    if (groups.length > 5) return;
    const parent = pick(rng, groups);
    groups.push(
      machine.cgroup(`g${groups.length + removed.length}`, { parent }),
    );
  },
  spawn({ machine, rng, groups, homes }) {
    if (homes.size > 7) return;
    const cgroup = pick(rng, groups);
    homes.set(machine.spawn({ pages, cgroup }), cgroup);
  },
  use(world) {
    const { rng, homes } = world;
    if (homes.size === 0) return;
    const process = pick(rng, [...homes.keys()]);
    const source = makePageSource(pick(rng, ["text", "random"]), 1);
    const bytes = new Uint8Array(4096);
    try {
      for (let i = 0; i < 16; i++) {
        const page = nextBelow(rng, pages);
        source.fill(nextBelow(rng, 500), bytes);
        if (nextBelow(rng, 3) === 0) process.read(page);
        else process.write(page, bytes);
      }
    } catch (error) {
      if (!(error instanceof ProcessKilled)) throw error;
      process.exit();
      homes.delete(process);
    }
  },
  fork({ rng, homes }) {
    if (homes.size === 0 || homes.size > 7) return;
    const [process, home] = pick(rng, [...homes]);
    homes.set(process.fork(), home);
  },
  /** A child that goes to another group shares pages with the first. */
  move({ rng, groups, homes }) {
    if (homes.size === 0) return;
    const process = pick(rng, [...homes.keys()]);
    const home = pick(rng, groups);
    process.mm.memcg = home.memcg;
    homes.set(process, home);
  },
  exit({ rng, homes }) {
    if (homes.size === 0) return;
    const process = pick(rng, [...homes.keys()]);
    process.exit();
    homes.delete(process);
  },
  limit({ rng, groups }) {
    const group = pick(rng, groups);
    const file = pick<WritableFile>(rng, [
      "memory.max",
      "memory.high",
      "memory.swap.max",
      "memory.zswap.max",
    ]);
    const size = nextBelow(rng, 4) === 0 ? "max" : `${4 * nextBelow(rng, 60)}K`;
    group.write(file, size);
  },
  reclaim({ rng, groups }) {
    pick(rng, groups).write("memory.reclaim", "64K");
  },
  remove({ machine, groups, removed, homes }) {
    const empty = groups.filter(({ memcg }) =>
      ![...homes.values()].some((home) => home.memcg === memcg) &&
      memcg.children.every((child) => (child.css.flags & CSS_DYING) !== 0)
    );
    if (empty.length === 0 || groups.length === 1) return;
    const group = empty.at(-1)!;
    removeFor(group);
    groups.splice(groups.indexOf(group), 1);
    removed.push(group);
    if (groups.length === 0) groups.push(machine.cgroup("again"));
  },
};

/**
 * Remove a group for good: as in Linux, reclaim never looks at the pages of a
 * dead group that is at its memory.swap.max, even if they are cached clean.
 */
function removeFor(group: Cgroup): void {
  group.write("memory.swap.max", "max");
  group.remove();
}

function play(seed: number): void {
  const world = makeWorld(seed);
  const names = [
    ...Object.keys(steps),
    ...["use", "use", "use", "use", "spawn", "move"],
  ];
  for (let step = 0; step < 60; step++) steps[pick(world.rng, names)]!(world);
  // The end: nobody uses anything, so nothing is charged and no one is left.
  for (const process of world.homes.keys()) process.exit();
  for (const group of world.groups.reverse()) removeFor(group);
  const { k } = world.machine;
  world.machine.settle();
  // A folio that was being written when its process ended is still cached:
  // reclaim meets it.
  const reclaim: Task<number> = try_to_free_mem_cgroup_pages(
    k,
    k.root_mem_cgroup,
    200,
    GFP_KERNEL,
    MEMCG_RECLAIM_MAY_SWAP,
  );
  world.machine.run(reclaim, { comm: "sh", mm: null, cpu: 0, flags: 0 });
  world.machine.settle();
  const { memory, swap, children, vmstats } = k.root_mem_cgroup;
  assert.equal(memory.usage - vmstats.state.MEMCG_KMEM, 0);
  assert.equal(vmstats.state.MEMCG_ZSWAP_B, 0);
  assert.equal(swap.usage, 0);
  assert.deepEqual(children.map(({ name }) => name), []);
  for (const { memcg } of [...world.removed, ...world.groups]) {
    assert.equal(memcg.freed, true, memcg.name);
  }
}

Deno.test("charges and references add up on 24 seeds", () => {
  for (let seed = 1; seed <= 24; seed++) {
    try {
      play(seed);
    } catch (error) {
      throw new Error(`seed ${seed}`, { cause: error });
    }
  }
});
