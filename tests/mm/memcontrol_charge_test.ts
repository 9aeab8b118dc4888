import { foliosInUse } from "swaplab/mm/folio.ts";
import assert from "node:assert/strict";
import { EAGAIN, EBUSY } from "swaplab/base/errno.ts";
import type { Cgroup, CgroupOptions } from "swaplab/lab/cgroup.ts";
import { type Machine, makeMachine } from "swaplab/lab/machine.ts";
import type { MachineOptions } from "swaplab/lab/options.ts";
import { type Process, ProcessKilled } from "swaplab/lab/process.ts";
import { CSS_ONLINE, mem_cgroup_from_id } from "swaplab/mm/memcontrol.ts";
import {
  calculate_high_delay,
  mem_cgroup_charge,
  mem_cgroup_handle_over_high,
} from "swaplab/mm/memcontrol_charge.ts";
import { makeCgroup, removeCgroup } from "swaplab/mm/memcontrol_css.ts";
import {
  mem_cgroup_get_nr_swap_pages,
  mem_cgroup_swap_full,
} from "swaplab/mm/memcontrol_swap.ts";
import {
  folio_alloc,
  folio_put,
  GFP_ATOMIC,
  GFP_KERNEL,
} from "swaplab/mm/page_alloc.ts";
import { folio_trylock } from "swaplab/mm/page_flags.ts";
import {
  disable_swap_slots_cache_lock,
  reenable_swap_slots_cache_unlock,
} from "swaplab/mm/swap_slots.ts";
import { swp_type } from "swaplab/mm/swapops.ts";
import { run } from "swaplab/sim/task.ts";
import { pageOf, slotOf } from "./helpers.ts";

interface GroupScene {
  readonly machine: Machine;
  readonly group: Cgroup;
  readonly program: Process;
}

/** A machine of 256 frames, and a process of 100 pages in a group. */
function inGroup(
  files: CgroupOptions["files"] = {},
  options: MachineOptions = {},
): GroupScene {
  const machine = makeMachine({ frames: 256, debug: true, ...options });
  const group = machine.cgroup("web", { files });
  const program = machine.spawn({ pages: 100, cgroup: group });
  return { machine, group, program };
}

/** A page that takes a few bytes in zswap: those are charged as well. */
function plain(page: number): Uint8Array {
  return new Uint8Array(4096).fill(page + 1);
}

/** Write to pages `from` … `to`−1. */
function writeTo({ program }: GroupScene, to: number, from = 0): void {
  for (let page = from; page < to; page++) {
    program.write(page, plain(page));
  }
}

const KIB = 1024;

Deno.test("every page of a process is charged to its group and all above", () => {
  const machine = makeMachine({ frames: 256, debug: true });
  const parent = machine.cgroup("parent");
  const child = machine.cgroup("child", { parent });
  const program = machine.spawn({ pages: 20, cgroup: child });
  for (let page = 0; page < 5; page++) program.write(page, pageOf("text"));
  assert.equal(child.read("memory.current"), 5 * 4096);
  assert.equal(parent.read("memory.current"), 5 * 4096);
  assert.equal(child.table("memory.stat").anon, 5 * 4096);
  assert.equal(child.table("memory.stat").pgfault, 5);
  program.exit();
  assert.equal(parent.read("memory.current"), 0);
});

Deno.test("a forked page stays charged to who made it; the copy is another", () => {
  const scene = inGroup();
  writeTo(scene, 3);
  const child = scene.program.fork();
  assert.equal(scene.group.read("memory.current"), 3 * 4096);
  child.write(0, pageOf("text", 9));
  assert.equal(scene.group.read("memory.current"), 4 * 4096);
});

Deno.test("the zero page is nobody's", () => {
  const scene = inGroup();
  scene.program.read(4);
  assert.equal(scene.group.read("memory.current"), 0);
});

Deno.test("memory.max: the group swaps, others do not", () => {
  const scene = inGroup({ "memory.max": 64 * KIB });
  const other = scene.machine.spawn({ pages: 20 });
  for (let page = 0; page < 20; page++) other.write(page, pageOf("text"));
  writeTo(scene, 60);
  const { group, machine } = scene;
  const current = group.read("memory.current");
  assert.ok(group.memcg.memory.watermark >= 16);
  assert.ok(current <= 64 * KIB, `${current} bytes`);
  assert.ok(group.table("memory.events").max! > 0);
  assert.equal(group.table("memory.events").oom, 0);
  assert.ok(group.read("memory.swap.current") >= 40 * 4096);
  for (let page = 0; page < 20; page++) {
    assert.equal(other.whereabouts(page), "memory");
  }
  assert.equal(machine.k.root_mem_cgroup.memory_events.max, 0);
});

Deno.test("memory.max of a parent limits its children together", () => {
  const machine = makeMachine({ frames: 256, debug: true });
  const parent = machine.cgroup("parent", {
    files: { "memory.max": 128 * KIB },
  });
  const groups = ["a", "b"].map((name) => machine.cgroup(name, { parent }));
  const programs = groups.map((cgroup) => machine.spawn({ pages: 40, cgroup }));
  for (let page = 0; page < 40; page++) {
    for (const program of programs) program.write(page, plain(page));
  }
  assert.ok(parent.read("memory.current") <= 128 * KIB);
  assert.ok(parent.table("memory.events").max! > 0);
  // The event is counted where the limit is, and above.
  assert.equal(groups[0]!.table("memory.events").max, 0);
});

Deno.test("nothing to reclaim: 16 passes, one oom event, the process dies", () => {
  const scene = inGroup({ "memory.max": 64 * KIB }, { swap: false });
  writeTo(scene, 16);
  assert.throws(() => writeTo(scene, 17, 16), ProcessKilled);
  const { max, oom, oom_kill } = scene.group.table("memory.events");
  // The first try, one after the stocks were drained, and 16 retries.
  assert.deepEqual({ max, oom, oom_kill }, { max: 18, oom: 1, oom_kill: 1 });
  assert.equal(scene.group.read("memory.current"), 64 * KIB);
});

Deno.test("a reclaimer and __GFP_HIGH go over the limit and count it", () => {
  const { machine, group, program } = inGroup({ "memory.max": 0 });
  const { k } = machine;
  const folio = run(folio_alloc(k, GFP_KERNEL))!;
  assert.equal(run(mem_cgroup_charge(k, folio, program.mm, GFP_ATOMIC)), 0);
  assert.equal(group.read("memory.current"), 4096);
  assert.equal(group.table("memory.events").max, 1);
  folio_put(k, folio);
  assert.equal(group.read("memory.current"), 0);
});

Deno.test("a lower memory.max reclaims at once", () => {
  const scene = inGroup();
  writeTo(scene, 50);
  scene.group.write("memory.max", "80K");
  assert.ok(scene.group.read("memory.current") <= 80 * KIB);
  assert.equal(scene.group.memcg.memory.max, 20);
});

Deno.test("a lower memory.max without swap leaves the group above it", () => {
  const scene = inGroup({}, { swap: false });
  writeTo(scene, 50);
  scene.group.write("memory.max", "80K");
  assert.equal(scene.group.read("memory.current"), 50 * 4096);
  assert.equal(scene.group.table("memory.events").oom, 1);
});

Deno.test("memory.high: the task reclaims on its way back, no charge fails", () => {
  const scene = inGroup({ "memory.high": 64 * KIB });
  writeTo(scene, 60);
  const { high, max } = scene.group.table("memory.events");
  assert.ok(high! > 0);
  assert.equal(max, 0);
  assert.ok(scene.group.read("memory.current") <= 64 * KIB);
});

Deno.test("memory.high without swap: the task is slowed down, ever more", () => {
  const scene = inGroup({ "memory.high": 64 * KIB }, { swap: false });
  writeTo(scene, 16);
  const times: number[] = [];
  for (let page = 16; page < 80; page += 16) {
    const before = scene.machine.k.clock.now;
    writeTo(scene, page + 16, page);
    times.push(scene.machine.k.clock.now - before);
  }
  assert.equal(scene.group.read("memory.current"), 80 * 4096);
  assert.ok(times[0]! > 1_000_000_000, "a second at least");
  for (let i = 1; i < times.length; i++) {
    assert.ok(times[i]! >= times[i - 1]!, times.join());
  }
});

// The table above calculate_high_delay() in memcontrol.c, for HZ = 250.
Deno.test("calculate_high_delay() grows with the square of the overage", () => {
  const ms = (mebibytes: number) => {
    const overage = Math.floor((mebibytes - 100) / 100 * 2 ** 20);
    return calculate_high_delay(64, overage) * 4;
  };
  const expected = [[101, 6], [102, 25], [105, 159], [110, 639], [117, 1849]];
  for (const [size, time] of expected) {
    assert.equal(ms(size!), Math.floor(time! / 4) * 4, `${size} MiB`);
  }
  assert.equal(calculate_high_delay(32, 2 ** 20), 8000);
});

Deno.test("memory.reclaim frees what it is told, or gives -EAGAIN", () => {
  const scene = inGroup();
  writeTo(scene, 50);
  assert.equal(scene.group.write("memory.reclaim", "40K"), 0);
  assert.ok(scene.group.read("memory.current") <= 40 * 4096);
  assert.equal(scene.group.write("memory.reclaim", "1M"), -EAGAIN);
});

Deno.test("memory.swap.max: events max and fail; no slot at all: only fail", () => {
  const full = inGroup({ "memory.max": "64K", "memory.swap.max": "32K" });
  assert.throws(() => writeTo(full, 60), ProcessKilled);
  const atMax = full.group.table("memory.swap.events");
  assert.ok(atMax.max! > 0);
  assert.equal(atMax.fail, atMax.max);
  assert.equal(full.group.read("memory.swap.current"), 32 * KIB);

  const none = inGroup({ "memory.max": "64K" }, { swap: { pages: 9 } });
  assert.throws(() => writeTo(none, 60), ProcessKilled);
  const { max, fail } = none.group.table("memory.swap.events");
  assert.equal(max, 0);
  assert.ok(fail! >= 0);
});

Deno.test("memory.swap.current counts what zswap has, too", () => {
  const scene = inGroup({ "memory.max": "64K" });
  writeTo(scene, 40);
  assert.ok(scene.machine.k.zswap.stored_pages > 0);
  const slots = scene.group.read("memory.swap.current") / 4096;
  assert.ok(slots >= scene.machine.k.zswap.stored_pages);
});

Deno.test("a slot is charged to the group of its page, a read page to it again", () => {
  const scene = inGroup({ "memory.max": "64K" });
  writeTo(scene, 40);
  const { k } = scene.machine;
  const page = [...Array(40).keys()].find((p) =>
    scene.program.whereabouts(p) === "swap"
  )!;
  const entry = slotOf(scene.program, page);
  const ids = k.memcg.swap_cgroup[swp_type(entry)]!;
  assert.equal(new Set(ids.filter((id) => id !== 0)).size, 1);
  assert.equal(mem_cgroup_from_id(k, scene.group.memcg.id), scene.group.memcg);
  scene.program.read(page);
  assert.equal(scene.program.whereabouts(page), "memory");
});

Deno.test("mem_cgroup_get_nr_swap_pages(): what the tightest group above leaves", () => {
  const { k } = makeMachine({ frames: 64 });
  const parent = makeCgroup(k, k.root_mem_cgroup, "parent");
  const child = makeCgroup(k, parent, "child");
  const grandchild = makeCgroup(k, child, "grandchild");
  assert.equal(mem_cgroup_get_nr_swap_pages(k, grandchild), k.nr_swap_pages);
  Object.assign(parent.swap, { max: 9, usage: 5 });
  Object.assign(child.swap, { max: 4, usage: 1 });
  assert.equal(mem_cgroup_get_nr_swap_pages(k, grandchild), 3);
  assert.equal(mem_cgroup_get_nr_swap_pages(k, parent), 4);
  // A limit that was lowered below what is used.
  parent.swap.max = 3;
  assert.equal(mem_cgroup_get_nr_swap_pages(k, grandchild), -2);
});

Deno.test("a group at its memory.high, not above it, is left in peace", () => {
  const scene = inGroup();
  writeTo(scene, 20);
  const { machine: { k }, program: { mm }, group: { memcg } } = scene;
  const payUp = (): number => {
    const owing = { memcg_nr_pages_over_high: 1 };
    k.current = { comm: "web", mm, cpu: 0, flags: 0, ...owing };
    run(mem_cgroup_handle_over_high(k, GFP_KERNEL));
    return memcg.memory_events.high;
  };
  memcg.memory.high = memcg.memory.usage;
  assert.equal(payUp(), 0);
  memcg.memory.high--;
  assert.equal(payUp(), 1);
});

Deno.test("mem_cgroup_swap_full() at half of the group's swap", () => {
  const { machine, group, program } = inGroup({ "memory.swap.max": "16K" });
  const { k } = machine;
  program.write(0, pageOf("text"));
  const folio = foliosInUse(k).find((f) => f.memcg === group.memcg)!;
  folio_trylock(folio);
  assert.equal(mem_cgroup_swap_full(k, folio), false);
  group.memcg.swap.usage = 1;
  assert.equal(mem_cgroup_swap_full(k, folio), false);
  group.memcg.swap.usage = 2;
  assert.equal(mem_cgroup_swap_full(k, folio), true);
  group.memcg.swap.usage = 0;
  group.write("memory.swap.high", 0);
  assert.equal(mem_cgroup_swap_full(k, folio), true);
});

Deno.test("a group with a process, or with a group in it, stays", () => {
  const { machine, group, program } = inGroup();
  const { k } = machine;
  assert.equal(run(removeCgroup(k, group.memcg)), -EBUSY);
  program.exit();
  const child = makeCgroup(k, group.memcg, "child");
  assert.equal(run(removeCgroup(k, group.memcg)), -EBUSY);
  assert.equal(run(removeCgroup(k, child)), 0);
  group.remove();
  assert.equal(group.memcg.freed, true);
  assert.deepEqual(k.root_mem_cgroup.children, []);
});

Deno.test("a zombie: the slots keep the id, the id keeps the group", () => {
  const scene = inGroup({ "memory.max": "64K" });
  const { machine, group, program } = scene;
  const { k } = machine;
  writeTo(scene, 40);
  // Its memory moves to a child outside of the group: only fork shares slots.
  const heir = program.fork();
  heir.mm.memcg = k.root_mem_cgroup;
  program.exit();
  const { id } = group.memcg;
  group.remove();
  const { memcg } = group;
  assert.equal(memcg.css.flags & CSS_ONLINE, 0);
  assert.equal(memcg.freed, false);
  assert.equal(mem_cgroup_from_id(k, id), memcg);
  assert.equal(memcg.idRefs, memcg.swap.usage);
  // A new group gets another id meanwhile.
  assert.notEqual(makeCgroup(k, k.root_mem_cgroup, "next").id, id);

  // Pages that are read from its slots are charged to who reads them.
  const swapped = [...Array(40).keys()].filter((page) =>
    heir.whereabouts(page) === "swap"
  );
  for (const page of swapped) heir.read(page);
  assert.equal(memcg.freed, false);
  heir.exit();
  machine.settle();
  // Freed slots wait in the caches of slots, charged.
  run(disable_swap_slots_cache_lock(k));
  reenable_swap_slots_cache_unlock(k);
  machine.settle();
  assert.equal(memcg.freed, true);
  assert.equal(mem_cgroup_from_id(k, id), null);
  assert.equal(makeCgroup(k, k.root_mem_cgroup, "last").id, id);
});

Deno.test("a folio of an offline group gets its slot charged further up", () => {
  const machine = makeMachine({ frames: 256, debug: true });
  const { k } = machine;
  const parent = machine.cgroup("parent");
  const child = machine.cgroup("child", { parent });
  const program = machine.spawn({ pages: 40, cgroup: child });
  for (let page = 0; page < 40; page++) program.write(page, pageOf("text"));
  const heir = program.fork();
  heir.mm.memcg = k.root_mem_cgroup;
  program.exit();
  child.remove();
  assert.equal(child.memcg.id, 0);
  assert.equal(child.read("memory.current"), 40 * 4096);
  parent.write("memory.max", "64K");
  assert.ok(parent.memcg.swap.usage >= 24);
  assert.equal(child.memcg.swap.usage, 0);
  heir.exit();
  assert.equal(child.memcg.freed, true);
});

Deno.test("a page that one group wrote is charged to it when another reads it", () => {
  const scene = inGroup({ "memory.max": "64K" });
  writeTo(scene, 40);
  const heir = scene.program.fork();
  const other = scene.machine.cgroup("other");
  heir.mm.memcg = other.memcg;
  const page = [...Array(40).keys()].find((p) =>
    heir.whereabouts(p) === "swap"
  )!;
  heir.read(page);
  assert.equal(other.read("memory.current"), 0);
});
