/**
 * Every rule of checkMachine(): a busy machine keeps it, and one planted fault
 * breaks it and is named.
 */
import assert from "node:assert/strict";
import { entriesOf, list_del, list_move } from "swaplab/base/list.ts";
import { foliosInUse, makeFolio } from "swaplab/mm/folio.ts";
import { entriesOf as foliosOn } from "swaplab/mm/folio_list.ts";
import { popFree } from "swaplab/mm/mem_map.ts";
import { checkMachine } from "swaplab/lab/invariants.ts";
import { type Machine, makeMachine } from "swaplab/lab/machine.ts";
import { makePageSource } from "swaplab/lab/pages.ts";
import type { Process } from "swaplab/lab/process.ts";
import type { Folio } from "swaplab/mm/mm_types.ts";
import { folio_test_swapcache } from "swaplab/mm/page_flags.ts";
import { SWAP_HAS_CACHE } from "swaplab/mm/swap.ts";
import { swap_count } from "swaplab/mm/swap_count.ts";
import type { ZswapEntry } from "swaplab/mm/zswap_entry.ts";

interface Scene {
  readonly machine: Machine;
  readonly child: Process;
}

/** Pages in memory, in zswap, on the device, shared, and of a dead group. */
function scene(): Scene {
  const machine = makeMachine({ frames: 128, pageCluster: 0 });
  const [live, dead] = ["live", "dead"].map((name) => machine.cgroup(name));
  const source = makePageSource(["redis", "python", "random"], 1);
  const parent = machine.spawn({ pages: 100, cgroup: live! });
  parent.fill(source);
  const other = machine.spawn({ pages: 20, cgroup: dead! });
  other.fill(source);
  other.mm.memcg = machine.k.root_mem_cgroup;
  other.advise("pageout", 0, 10);
  dead!.remove();
  const child = parent.fork();
  parent.advise("pageout", 0, 60);
  for (let page = 0; page < 8; page++) parent.touch(page);
  return { machine, child };
}

function find<T>(items: Iterable<T>, wanted: (item: T) => boolean): T {
  for (const item of items) if (wanted(item)) return item;
  throw new Error("the scene lacks what the fault is planted in");
}

function folioThat({ machine }: Scene, is: (folio: Folio) => boolean): Folio {
  return find(foliosInUse(machine.k), is);
}

const isMapped = (folio: Folio) => folio._mapcount > 0;

function usedOffset({ machine }: Scene): number {
  const map = machine.k.swap_info[0]!.swap_map;
  return map.findIndex((byte) => swap_count(byte) === 1);
}

function storedEntry({ machine }: Scene): ZswapEntry {
  const { trees } = machine.k.zswap;
  return find(trees[0]![0]!.xa.entries.values(), ({ length }) => length < 4096);
}

function group({ machine }: Scene, name: string) {
  const { children } = machine.k.root_mem_cgroup;
  return find(children, (memcg) => memcg.name === name);
}

/** What is broken, what checkMachine() says, and how it is done. */
const faults: [string, RegExp, (scene: Scene) => void][] = [
  ["present pages", /present pages, counted/, ({ child }) => {
    child.mm.anon_pages++;
  }],
  ["shared pages", /0 shared pages, counted 1/, ({ child }) => {
    child.mm.shmem_pages++;
  }],
  ["swapped pages", /swapped pages, counted/, ({ child }) => {
    child.mm.swap_ents--;
  }],
  ["no reference", /in use has references/, (scene) => {
    folioThat(scene, isMapped)._refcount = 0;
  }],
  ["a mapping too many", /mappings, counted/, (scene) => {
    folioThat(scene, isMapped)._mapcount++;
  }],
  ["a reference too many", /users, \d+ references/, (scene) => {
    folioThat(scene, isMapped)._refcount++;
  }],
  ["a frame that leaked", /128 frames, 127 found/, ({ machine }) => {
    popFree(machine.k.mem_map, machine.k.nodes[0]!.zone.free_list);
  }],
  ["a frame of nobody", /frames are no user's/, (scene) => {
    const { mem_map, nodes } = scene.machine.k;
    makeFolio(mem_map, popFree(mem_map, nodes[0]!.zone.free_list));
  }],
  ["a list's length", /lru_size\[\d\] \d+, on the list/, (scene) => {
    group(scene, "live").nodeinfo[0]!.lruvec.lru_size[0]!++;
  }],
  ["a folio on another's list", /is on a list of live/, (scene) => {
    const { lruvec } = group(scene, "live").nodeinfo[0]!;
    const { k } = scene.machine;
    const [mine] = lruvec.lists.flatMap((each) => [...foliosOn(k, each)]);
    const other = folioThat(scene, ({ memcg }) => memcg?.name === "dead");
    const { memcg } = mine!;
    mine!.memcg = other.memcg;
    other.memcg = memcg;
  }],
  ["slots in use", /slots in use, counted/, ({ machine }) => {
    machine.k.swap_info[0]!.inuse_pages++;
  }],
  ["a count too many", /users, counted/, (scene) => {
    scene.machine.k.swap_info[0]!.swap_map[usedOffset(scene)]!++;
  }],
  ["the cache flag alone", /in the cache false/, (scene) => {
    const { swap_map } = scene.machine.k.swap_info[0]!;
    const folioOf = (offset: number) =>
      foliosInUse(scene.machine.k).some((folio) =>
        folio_test_swapcache(folio) && folio.swap === offset
      );
    const offset = swap_map.findIndex((byte, at) => byte === 1 && !folioOf(at));
    swap_map[offset]! |= SWAP_HAS_CACHE;
  }],
  ["a copy of a free slot", /is free but zswap has a copy/, (scene) => {
    const { machine } = scene;
    const { swap_map } = machine.k.swap_info[0]!;
    const entry = storedEntry(scene);
    machine.k.zswap.trees[0]![0]!.xa.entries.set(
      swap_map.lastIndexOf(0),
      entry,
    );
  }],
  ["a zero of a free slot", /is free but marked as zero/, ({ machine }) => {
    const { swap_map, zeromap } = machine.k.swap_info[0]!;
    const offset = swap_map.lastIndexOf(0);
    zeromap[offset >>> 3]! |= 1 << (offset & 7);
  }],
  ["a page that is nowhere", /its page is nowhere/, (scene) => {
    const entry = storedEntry(scene);
    scene.machine.k.zswap.trees[0]![0]!.xa.entries.delete(entry.swpentry);
  }],
  ["free slots", /slots, \d+ free and \d+ in use/, ({ machine }) => {
    machine.k.nr_swap_pages--;
  }],
  ["a slot in two caches", /waits in one cache of slots/, ({ machine }) => {
    const cache = machine.k.swap.swp_slots[0]!;
    cache.slots_ret[cache.n_ret] = cache.slots[cache.cur]!;
    cache.n_ret++;
  }],
  ["a cluster's flags", /cluster 0:\d+ is \w+, flags/, ({ machine }) => {
    machine.k.swap_info[0]!.cluster_info![0]!.flags ^= 2;
  }],
  ["a cluster's count", /cluster 0:\d+ counts/, ({ machine }) => {
    machine.k.swap_info[0]!.cluster_info![0]!.count++;
  }],
  ["a cluster on the wrong list", /cluster 0:0/, ({ machine }) => {
    const si = machine.k.swap_info[0]!;
    const ci = si.cluster_info![0]!;
    list_move(ci.list, si.full_clusters);
    ci.flags = 8;
  }],
  ["a cluster on no list", /clusters are on lists/, ({ machine }) => {
    list_del(machine.k.swap_info[0]!.cluster_info!.at(-1)!.list);
  }],
  ["clusters in pieces", /frag_cluster_nr/, ({ machine }) => {
    machine.k.swap_info[0]!.frag_cluster_nr++;
  }],
  ["stored pages", /stored_pages \d+, in the trees/, ({ machine }) => {
    machine.k.zswap.stored_pages++;
  }],
  ["an entry on no list", /on the lists/, (scene) => {
    list_del(storedEntry(scene).lru);
  }],
  ["an entry that left its tree", /is on a list and in its tree/, (scene) => {
    const entry = storedEntry(scene);
    const copy = { ...entry };
    scene.machine.k.zswap.trees[0]![0]!.xa.entries.set(entry.swpentry, copy);
  }],
  ["an entry of another group", /is on its group's list/, (scene) => {
    const entries = scene.machine.k.zswap.trees[0]![0]!.xa.entries.values();
    const mine = find(entries, ({ objcg }) => objcg?.memcg.name === "live");
    Reflect.set(mine, "objcg", { ...mine.objcg, memcg: group(scene, "dead") });
  }],
  ["a pool's users", /: \d+ users, counted/, ({ machine }) => {
    [...entriesOf(machine.k.zswap.pools)][0]!.ref.count++;
  }],
  ["compressed bytes", /bytes in zswap, charged for/, (scene) => {
    group(scene, "live").vmstats.state.MEMCG_ZSWAP_B += 4096;
    group(scene, "live").vmstats.state.MEMCG_KMEM += 1;
    group(scene, "live").memory.usage += 1;
  }],
  ["pages charged", /group live: \d+ frames, charged/, (scene) => {
    group(scene, "live").memory.usage++;
  }],
  ["slots charged", /group live: \d+ slots, charged/, (scene) => {
    group(scene, "live").swap.usage++;
  }],
  ["users of an id", /group dead: id has \d+ users/, (scene) => {
    group(scene, "dead").idRefs++;
  }],
  ["references of a group", /group dead: \d+ references/, (scene) => {
    group(scene, "dead").css.refcnt++;
  }],
  ["bytes of objects", /pages for objects/, (scene) => {
    group(scene, "live").objcg!.nr_charged_bytes++;
  }],
  ["a group that is gone", /charged to dead, which is gone/, (scene) => {
    const { children, ...root } = scene.machine.k.root_mem_cgroup;
    const [at, dead] = [...children.entries()].find(([, memcg]) =>
      memcg.name === "dead"
    )!;
    children.splice(at, 1);
    const { MEMCG_KMEM } = dead.vmstats.state;
    root.memory.usage -= dead.memory.usage - MEMCG_KMEM;
    root.swap.usage -= dead.swap.usage;
  }],
  ["a list_lru's count", /on a list, counted/, ({ machine }) => {
    machine.k.zswap.list_lru.node[0]!.lru.nr_items++;
  }],
  ["a warning", /no warnings, got: oops/, ({ machine }) => {
    machine.k.warnings.push("oops");
  }],
];

Deno.test("checkMachine() finds nothing wrong with a busy machine", () => {
  checkMachine(scene().machine);
});

for (const [name, message, plant] of faults) {
  Deno.test(`checkMachine() finds ${name}`, () => {
    const broken = scene();
    plant(broken);
    assert.throws(() => checkMachine(broken.machine), { message });
  });
}
