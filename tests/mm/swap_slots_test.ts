import assert from "node:assert/strict";
import { makeBrd } from "swaplab/block/brd.ts";
import { makeMachine } from "swaplab/lab/machine.ts";
import type { MachineOptions } from "swaplab/lab/options.ts";
import { parkedSlots } from "swaplab/lab/invariants_swap.ts";
import type { Folio, Kernel } from "swaplab/mm/mm_types.ts";
import { folio_alloc, GFP_KERNEL } from "swaplab/mm/page_alloc.ts";
import {
  add_to_avail_list,
  get_swap_pages,
  swapcache_free_entries,
} from "swaplab/mm/swap_alloc.ts";
import {
  disable_swap_slots_cache_lock,
  folio_alloc_swap,
  free_swap_slot,
  reenable_swap_slots_cache_unlock,
} from "swaplab/mm/swap_slots.ts";
import { SWP_WRITEOK } from "swaplab/mm/swap.ts";
import { sys_swapoff } from "swaplab/mm/swapoff.ts";
import { sys_swapon } from "swaplab/mm/swapon.ts";
import { put_swap_folio } from "swaplab/mm/swapfile.ts";
import { swp_offset, swp_type, type SwpEntry } from "swaplab/mm/swapops.ts";
import { run, type Task } from "swaplab/sim/task.ts";
import { pageOf, pushOut, scene, stepUntil } from "./helpers.ts";

/** A machine, a folio of nobody's, and slots for it as often as wanted. */
function world(options: MachineOptions = {}) {
  const { k } = makeMachine({ frames: 64, ...options });
  const folio: Folio = run(folio_alloc(k, GFP_KERNEL))!;
  const take = () => run(folio_alloc_swap(k, folio));
  return { k, take };
}

const cacheOf = (k: Kernel) => k.swap.swp_slots[0]!;
const byteOf = (k: Kernel, entry: SwpEntry) =>
  k.swap_info[swp_type(entry)]!.swap_map[swp_offset(entry)];

/** Slots straight from the devices, round the cache. */
function takeDirectly(k: Kernel, wanted: number): SwpEntry[] {
  const taken: SwpEntry[] = [];
  while (taken.length < wanted) {
    const batch: SwpEntry[] = [];
    const n = run(get_swap_pages(k, wanted - taken.length, batch));
    assert.ok(n > 0);
    taken.push(...batch.slice(0, n));
  }
  return taken;
}

const thresholds: [cpus: number, free: number, active: boolean][] = [
  [1, 320, false],
  [1, 321, true],
  [8, 2560, false],
  [8, 2561, true],
  [1, 63, false],
];

for (const [cpus, free, active] of thresholds) {
  const state = active ? "active" : "inactive";
  Deno.test(`with ${free} free slots and ${cpus} CPUs the caches are ${state}`, () => {
    const { k, take } = world({ cpus, swap: { pages: free + 1 } });
    take();
    assert.equal(k.swap.swap_slot_cache_active, active);
    assert.equal(k.nr_swap_pages, active ? free - 64 : free - 1);
  });
}

Deno.test("8 CPUs: active above 2560 free slots, until fewer than 1024", () => {
  const { k, take } = world({ cpus: 8, swap: { pages: 3001 } });
  take();
  takeDirectly(k, k.nr_swap_pages - 1024);
  take();
  assert.equal(k.swap.swap_slot_cache_active, true);
  takeDirectly(k, 1);
  take();
  assert.equal(k.swap.swap_slot_cache_active, false);
  // Everything that waited is back; it takes 2561 free slots to begin again.
  assert.equal(parkedSlots(k).size, 0);
  assert.equal(cacheOf(k).nr, 0);
});

Deno.test("a refill takes 64 slots at once, in use and pinned meanwhile", () => {
  const { k, take } = world({ swap: { pages: 1000 } });
  const first = take()!;
  const cache = cacheOf(k);
  assert.equal(cache.nr, 63);
  assert.equal(k.swap_info[0]!.inuse_pages, 64);
  assert.equal(byteOf(k, cache.slots[cache.cur]!), 0x40);
  const batch = new Set([first]);
  for (let i = 1; i < 64; i++) batch.add(take()!);
  assert.equal(batch.size, 64);
  assert.equal(k.swap_info[0]!.inuse_pages, 64);
  take();
  assert.equal(k.swap_info[0]!.inuse_pages, 128);
});

Deno.test("the 65th freed slot gives the 64 before it back", () => {
  const { k, take } = world({ swap: { pages: 1000 } });
  const slots = Array.from({ length: 65 }, () => take()!);
  const { inuse_pages } = k.swap_info[0]!;
  for (const slot of slots.slice(0, 64)) run(put_swap_folio(k, slot));
  assert.equal(cacheOf(k).n_ret, 64);
  assert.equal(k.swap_info[0]!.inuse_pages, inuse_pages);
  assert.equal(byteOf(k, slots[0]!), 0x40);
  run(put_swap_folio(k, slots[64]!));
  assert.equal(cacheOf(k).n_ret, 1);
  assert.equal(k.swap_info[0]!.inuse_pages, inuse_pages - 64);
  assert.equal(byteOf(k, slots[0]!), 0);
  assert.equal(byteOf(k, slots[64]!), 0x40);
});

Deno.test("a freed slot is not given out again from the cache", () => {
  const { k, take } = world({ swap: { pages: 1000 } });
  const slots = Array.from({ length: 10 }, () => take()!);
  for (const slot of slots) run(put_swap_folio(k, slot));
  const later = Array.from({ length: 200 }, () => take()!);
  assert.ok(slots.every((slot) => !later.includes(slot)));
});

Deno.test("each CPU has its own caches", () => {
  const { k, take } = world({ cpus: 2, swap: { pages: 2000 } });
  const slot = take()!;
  k.current = { ...k.current, cpu: 1 };
  run(put_swap_folio(k, slot));
  take();
  assert.deepEqual(k.swap.swp_slots.map(({ nr }) => nr), [63, 63]);
  assert.deepEqual(k.swap.swp_slots.map(({ n_ret }) => n_ret), [0, 1]);
});

Deno.test("at most 128 slots a CPU are hidden, and all are in use", () => {
  const { k, take } = world({ swap: { pages: 1000 } });
  const slots = Array.from({ length: 65 }, () => take()!);
  for (const slot of slots.slice(0, 64)) run(put_swap_folio(k, slot));
  assert.equal(parkedSlots(k).size, 63 + 64);
  assert.equal(k.swap_info[0]!.inuse_pages, 128);
  assert.equal(k.nr_swap_pages, 999 - 128);
});

Deno.test("swapoff's disable drains both sides; enabled says so", () => {
  const { k, take } = world({ swap: { pages: 1000 } });
  const slot = take()!;
  run(put_swap_folio(k, slot));
  run(disable_swap_slots_cache_lock(k));
  assert.equal(k.swap.swap_slot_cache_enabled, false);
  assert.equal(k.swap_info[0]!.inuse_pages, 0);
  const direct = take()!;
  run(put_swap_folio(k, direct));
  assert.equal(k.swap_info[0]!.inuse_pages, 0);
  reenable_swap_slots_cache_unlock(k);
  assert.equal(k.swap.swap_slot_cache_enabled, true);
});

Deno.test("without a device the caches are not enabled", () => {
  const { k, take } = world({ swap: false });
  assert.equal(k.swap.swap_slot_cache_enabled, false);
  assert.equal(take(), null);
});

Deno.test("an active cache gives null when swap is full", () => {
  const { k, take } = world({ swap: { pages: 1000 } });
  take();
  takeDirectly(k, k.nr_swap_pages);
  // The slots put by were given back and given out; then there are none.
  let given = 0;
  while (take() !== null) given++;
  assert.equal(given, 63);
  assert.equal(k.nr_swap_pages, 0);
});

/** How often a task takes the lock of that name. */
function locksTaken(task: Task<unknown>, name: string): number {
  let taken = 0;
  for (let step = task.next(); !step.done; step = task.next()) {
    if (step.value.what === `spin_lock(${name})`) taken++;
  }
  return taken;
}

Deno.test("swapcache_free_entries() locks each device once", () => {
  const swap = [{ pages: 100, priority: 1 }, { pages: 100, priority: 1 }];
  const { k } = world({ swap });
  const slots = [0, 1, 2, 3, 4, 5].flatMap(() => takeDirectly(k, 1));
  assert.deepEqual(slots.map(swp_type), [0, 1, 0, 1, 0, 1]);
  const lock = "swap_info[0]->lock";
  const task: Task = swapcache_free_entries(k, slots);
  assert.equal(locksTaken(task, lock), 1);
  assert.equal(k.nr_swap_pages, k.total_swap_pages);
});

Deno.test("swap_slot_cache off: every slot comes and goes directly", () => {
  const proposals = { swap_slot_cache: "off" } as const;
  const { k, take } = world({ swap: { pages: 1000 }, proposals });
  const slot = take()!;
  assert.equal(k.swap_info[0]!.inuse_pages, 1);
  run(put_swap_folio(k, slot));
  assert.equal(k.swap_info[0]!.inuse_pages, 0);
  assert.equal(byteOf(k, slot), 0);
});

for (const where of ["swap_range_free", "free_swap_slot"] as const) {
  const early = where === "free_swap_slot";
  const when = early ? "when it is parked" : "when it is really free";
  Deno.test(`zswap_invalidate_at ${where}: the copy goes ${when}`, () => {
    const set = scene({
      swap: { pages: 1000 },
      proposals: { zswap_invalidate_at: where },
    });
    const { k } = set.machine;
    set.program.write(0, pageOf("python"));
    pushOut(set, 0);
    const { stored_pages } = k.zswap;
    assert.ok(stored_pages > 0);
    set.program.exit();
    assert.ok(cacheOf(k).n_ret > 0);
    assert.equal(k.zswap.stored_pages > 0, !early);
    run(disable_swap_slots_cache_lock(k));
    reenable_swap_slots_cache_unlock(k);
    assert.equal(k.zswap.stored_pages, 0);
  });

  Deno.test(`memcg_uncharge_at ${where}: the charge goes ${when}`, () => {
    const proposals = { memcg_uncharge_at: where };
    const { machine } = scene({ swap: { pages: 1000 }, proposals });
    const { k } = machine;
    const files = { "memory.max": "64K" };
    const cgroup = machine.cgroup("web", { files });
    const program = machine.spawn({ pages: 100, cgroup });
    program.write(0, pageOf("random"));
    pushOut({ machine, program }, 0);
    const { memcg } = cgroup;
    assert.ok(memcg.swap.usage > 0);
    machine.settle();
    program.exit();
    assert.equal(memcg.swap.usage > 0, !early);
    run(disable_swap_slots_cache_lock(k));
    reenable_swap_slots_cache_unlock(k);
    assert.equal(memcg.swap.usage, 0);
  });
}

Deno.test("a slot whose charge fails is parked, and still in use", () => {
  const set = scene({ swap: { pages: 1000 } });
  const { k } = set.machine;
  const group = set.machine.cgroup("web", {
    files: { "memory.swap.max": 0 },
  });
  const folio = run(folio_alloc(k, GFP_KERNEL))!;
  folio.memcg = group.memcg;
  assert.equal(run(folio_alloc_swap(k, folio)), null);
  folio.memcg = null;
  assert.equal(cacheOf(k).n_ret, 1);
  assert.equal(k.swap_info[0]!.inuse_pages, 64);
});

Deno.test("free_swap_slot() frees directly while the caches are inactive", () => {
  const { k } = world({ swap: { pages: 100 } });
  const [slot] = takeDirectly(k, 1);
  run(free_swap_slot(k, slot!));
  assert.equal(k.nr_swap_pages, 99);
});

// Facts, 20.3: C12, C13.

Deno.test("a device that went still counts: slots are sorted as before", () => {
  const swap = [1, 1, 1].map((priority) => ({ pages: 100, priority }));
  const { k } = world({ swap });
  assert.equal(run(sys_swapoff(k, k.swap_info[1]!)), 0);
  assert.equal(k.swap_info.length, 3);
  const slots = [0, 1, 2, 3].flatMap(() => takeDirectly(k, 1));
  assert.deepEqual(slots.map(swp_type), [0, 2, 0, 2]);
  const task: Task = swapcache_free_entries(k, slots);
  assert.equal(locksTaken(task, "swap_info[0]->lock"), 1);
});

Deno.test("a refill that finds nothing: one slot is looked for directly", () => {
  const { k } = world({ swap: { pages: 1000 } });
  const folio = run(folio_alloc(k, GFP_KERNEL))!;
  const [si] = k.swap_info;
  // It is being taken away, and then it is not.
  si!.flags &= ~SWP_WRITEOK;
  const task: Task<SwpEntry | null> = folio_alloc_swap(k, folio);
  stepUntil(task, "mutex_lock(swap_slots_cache_mutex");
  stepUntil(task, "swap_info[0]->lock");
  stepUntil(task, "swap_avail_lock");
  // The refill ends with nothing; the second search is about to begin.
  stepUntil(task, "swap_avail_lock");
  assert.equal(cacheOf(k).nr, 0);
  si!.flags |= SWP_WRITEOK;
  run(add_to_avail_list(k, si!));
  assert.notEqual(run(task), null);
  assert.equal(cacheOf(k).nr, 0);
  assert.equal(si!.inuse_pages, 1);
});

Deno.test("a device added while another is taken away leaves the caches off", () => {
  const { k } = world();
  run(disable_swap_slots_cache_lock(k));
  const bdev = makeBrd({ pages: 100 }, k.clock);
  assert.equal(typeof sys_swapon(k, bdev), "object");
  assert.equal(k.swap.swap_slot_cache_enabled, false);
  reenable_swap_slots_cache_unlock(k);
  assert.equal(k.swap.swap_slot_cache_enabled, true);
});
