import assert from "node:assert/strict";
import { plist_del, plist_node_empty } from "swaplab/base/plist.ts";
import { checkClusters } from "swaplab/lab/invariants_swap.ts";
import { makeMachine } from "swaplab/lab/machine.ts";
import type { SwapSettings } from "swaplab/lab/options.ts";
import type { Kernel } from "swaplab/mm/mm_types.ts";
import { folio_alloc, folio_put, GFP_KERNEL } from "swaplab/mm/page_alloc.ts";
import { folio_trylock, folio_unlock } from "swaplab/mm/page_flags.ts";
import {
  get_swap_pages,
  swapcache_free_entries,
} from "swaplab/mm/swap_alloc.ts";
import { SWP_WRITEOK } from "swaplab/mm/swap.ts";
import { add_to_swap_cache } from "swaplab/mm/swap_state.ts";
import {
  free_swap_and_cache_nr,
  put_swap_folio,
  swap_duplicate,
  swap_free,
} from "swaplab/mm/swapfile.ts";
import {
  swp_entry,
  swp_offset,
  swp_type,
  type SwpEntry,
} from "swaplab/mm/swapops.ts";
import { makeRng, nextBelow } from "swaplab/sim/rng.ts";
import { run, type Task } from "swaplab/sim/task.ts";

function machineWith(...swap: SwapSettings[]): Kernel {
  return makeMachine({ frames: 64, swap }).k;
}

function take(k: Kernel, n: number): SwpEntry[] {
  const entries: SwpEntry[] = [];
  const got = run(get_swap_pages(k, n, entries));
  return entries.slice(0, got);
}

const give = (k: Kernel, entries: SwpEntry[]) =>
  run(swapcache_free_entries(k, entries));

const hdd = (pages: number, priority: number | null = null): SwapSettings => ({
  kind: "hdd",
  pages,
  priority,
});

Deno.test("the device of the highest priority is used up first", () => {
  const k = machineWith(hdd(11, 1), hdd(11, 7), hdd(11));
  const types = Array.from({ length: 30 }, () => swp_type(take(k, 1)[0]!));
  const expected = [1, 0, 2].flatMap((type) => new Array(10).fill(type));
  assert.deepEqual(types, expected);
});

Deno.test("devices of the same priority take turns", () => {
  const k = machineWith(hdd(11, 3), hdd(11, 3), hdd(11, 3));
  const types = Array.from({ length: 7 }, () => swp_type(take(k, 1)[0]!));
  assert.deepEqual(types, [0, 1, 2, 0, 1, 2, 0]);
});

Deno.test("a batch never mixes devices, and is at most 64 slots", () => {
  const k = machineWith(hdd(11, 2), hdd(200, 1));
  const first = take(k, 64);
  assert.equal(first.length, 10);
  assert.ok(first.every((entry) => swp_type(entry) === 0));
  const second = take(k, 100);
  assert.equal(second.length, 64);
  assert.ok(second.every((entry) => swp_type(entry) === 1));
});

Deno.test("what is wanted is subtracted first, what was not found comes back", () => {
  const k = machineWith(hdd(11, 2), hdd(200, 1));
  const entries: SwpEntry[] = [];
  const task: Task<number> = get_swap_pages(k, 64, entries);
  task.next();
  task.next();
  assert.equal(k.nr_swap_pages, 209 - 64);
  assert.equal(run(task), 10);
  assert.equal(k.nr_swap_pages, 209 - 10);
});

Deno.test("a full device leaves the list, and comes back with a free slot", () => {
  const k = machineWith(hdd(11, 2), hdd(200, 1));
  const first = take(k, 10);
  assert.equal(k.swap_info[0]!.highest_bit, 0);
  assert.equal(k.swap_info[0]!.lowest_bit, 11);
  assert.equal(swp_type(take(k, 1)[0]!), 1);
  give(k, [first[4]!]);
  assert.deepEqual(take(k, 1), [first[4]]);
});

Deno.test("a full device that goes does not come back with a free slot", () => {
  const k = machineWith(hdd(11));
  const [first] = take(k, 10);
  const si = k.swap_info[0]!;
  si.flags &= ~SWP_WRITEOK;
  give(k, [first!]);
  assert.equal(si.highest_bit, swp_offset(first!));
  assert.ok(si.avail_lists.every(plist_node_empty));
});

Deno.test("a hard disk: after 512 slots the next free run of 512", () => {
  const k = machineWith(hdd(3000));
  const all: number[] = [];
  while (all.length < 512) {
    all.push(...take(k, 512 - all.length).map(swp_offset));
  }
  assert.deepEqual([all[0], all[511]], [1, 512]);
  // A hole of 511 in front is too small: it goes on behind.
  give(k, all.slice(0, 511).map((offset) => swp_entry(0, offset)));
  assert.equal(swp_offset(take(k, 1)[0]!), 513);
  give(k, [swp_entry(0, 512)]);
});

Deno.test("a hard disk finds a free run that ends with the device", () => {
  const k = machineWith(hdd(1025));
  const all: SwpEntry[] = [];
  while (all.length < 512) all.push(...take(k, 512 - all.length));
  // The hole in front is one slot too small; the rest is just large enough.
  give(k, all.slice(0, 511));
  assert.equal(swp_offset(take(k, 1)[0]!), 513);
});

Deno.test("a hard disk with fewer than 512 free slots just goes on", () => {
  const k = machineWith(hdd(300));
  assert.deepEqual(take(k, 3).map(swp_offset), [1, 2, 3]);
  give(k, [swp_entry(0, 1)]);
  assert.deepEqual(take(k, 1).map(swp_offset), [4]);
  assert.equal(k.swap_info[0]!.cluster_nr, 511 - 3);
});

for (const locked of [false, true]) {
  const what = locked ? "is passed over if locked" : "is used again";
  Deno.test(`a hard disk more than half full: a cache-only slot ${what}`, () => {
    const k = machineWith(hdd(21));
    take(k, 20);
    give(k, [swp_entry(0, 15)]);
    const folio = run(folio_alloc(k, GFP_KERNEL))!;
    folio_trylock(folio);
    run(add_to_swap_cache(k, folio, swp_entry(0, 6), GFP_KERNEL));
    if (!locked) folio_unlock(folio);
    folio_put(k, folio);
    k.swap_info[0]!.cluster_next = 3;
    assert.deepEqual(take(k, 1).map(swp_offset), [locked ? 15 : 6]);
  });
}

Deno.test("slots in a row with one user each are freed in one step", () => {
  const k = machineWith({ pages: 1000, priority: 1 });
  const slots = take(k, 8);
  for (const slot of slots) {
    run(swap_duplicate(k, slot));
    run(put_swap_folio(k, slot));
  }
  const { inuse_pages } = k.swap_info[0]!;
  run(free_swap_and_cache_nr(k, slots[0]!, 8));
  // Round the cache of slots: free at once.
  assert.equal(k.swap_info[0]!.inuse_pages, inuse_pages - 8);
  assert.equal(k.swap.swp_slots[0]!.n_ret, 0);
});

Deno.test("slots in a row that are not alike are freed one by one", () => {
  const k = machineWith({ pages: 1000, priority: 1 });
  const slots = take(k, 4);
  for (const slot of slots) {
    run(swap_duplicate(k, slot));
    run(put_swap_folio(k, slot));
  }
  run(swap_duplicate(k, slots[2]!));
  run(free_swap_and_cache_nr(k, slots[0]!, 4));
  const bytes = slots.map((slot) => k.swap_info[0]!.swap_map[swp_offset(slot)]);
  assert.equal(bytes[2], 1);
  assert.ok([0, 1, 3].every((i) => bytes[i] === 0 || bytes[i] === 0x40));
  run(swap_free(k, slots[2]!));
});

/** A set of free slots per device, and nothing else. */
function agreesWithModel(seed: number): void {
  const rng = makeRng(seed);
  const kinds = ["ssd", "hdd", "brd"] as const;
  const settings = Array.from({ length: 1 + nextBelow(rng, 4) }, () => ({
    kind: kinds[nextBelow(rng, 3)]!,
    pages: 2 + nextBelow(rng, nextBelow(rng, 2) === 0 ? 100 : 1500),
    priority: nextBelow(rng, 2) === 0 ? null : nextBelow(rng, 3),
  }));
  const { k } = makeMachine({ frames: 64, cpus: 2, swap: settings });
  const used: SwpEntry[] = [];
  const room = settings.map(({ pages }) => pages - 1);
  for (let step = 0; step < 400; step++) {
    k.current = { ...k.current, cpu: nextBelow(rng, 2) };
    if (nextBelow(rng, 100) < 60) {
      const got = take(k, 1 + nextBelow(rng, 64));
      const best = Math.max(
        ...k.swap_info.filter((si) => room[si.type]! > 0).map((si) => si.prio),
      );
      assert.equal(got.length > 0, room.some((free) => free > 0));
      for (const entry of got) {
        assert.ok(!used.includes(entry), "a slot is given out twice");
        assert.ok(swp_offset(entry) > 0);
        assert.equal(k.swap_info[swp_type(entry)]!.prio, best);
        room[swp_type(entry)]!--;
        used.push(entry);
      }
    } else {
      const batch = Array.from(
        { length: Math.min(used.length, nextBelow(rng, 90)) },
        () => used.splice(nextBelow(rng, used.length), 1)[0]!,
      );
      give(k, batch);
      for (const entry of batch) room[swp_type(entry)]!++;
    }
    const free = room.reduce((sum, slots) => sum + slots, 0);
    assert.equal(k.nr_swap_pages, free);
    k.swap_info.forEach(checkClusters);
  }
}

Deno.test("several devices agree with a set of free slots on 40 seeds", () => {
  for (let seed = 1; seed <= 40; seed++) {
    try {
      agreesWithModel(seed);
    } catch (error) {
      throw new Error(`seed ${seed}`, { cause: error });
    }
  }
});

Deno.test("if the next device left the list meanwhile, it starts over", () => {
  for (const leaves of [false, true]) {
    const k = machineWith(hdd(11, 3), hdd(11, 2), hdd(11, 1));
    const [first, next] = k.swap_info;
    // Looks as if it had free slots.
    first!.swap_map.fill(1, 1);
    const entries: SwpEntry[] = [];
    const task: Task<number> = get_swap_pages(k, 1, entries);
    const locks: string[] = [];
    let step = task.next();
    for (; !step.done; step = task.next()) {
      const { what } = step.value;
      if (/swap_info.*lock/.test(what)) locks.push(what);
      if (leaves && what.includes("swap_info[0]")) {
        for (const link of next!.avail_lists) plist_del(link);
      }
    }
    assert.equal(step.value, 1);
    assert.equal(swp_type(entries[0]!), leaves ? 2 : 1);
    const searched = locks.filter((what) => what.includes("[0]")).length;
    assert.equal(searched, leaves ? 4 : 2, locks.join());
  }
});
