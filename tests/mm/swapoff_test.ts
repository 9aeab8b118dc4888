import assert from "node:assert/strict";
import { EINTR, EINVAL, ENOMEM, type Errno } from "swaplab/base/errno.ts";
import { makeBrd } from "swaplab/block/brd.ts";
import { checkMachine } from "swaplab/lab/invariants.ts";
import type { Machine } from "swaplab/lab/machine.ts";
import { type Process, ProcessKilled } from "swaplab/lab/process.ts";
import { report } from "swaplab/lab/report.ts";
import type {
  Kernel,
  SwapInfoStruct,
  TaskStruct,
} from "swaplab/mm/mm_types.ts";
import { folio_alloc, folio_put, GFP_KERNEL } from "swaplab/mm/page_alloc.ts";
import { folio_alloc_swap } from "swaplab/mm/swap_slots.ts";
import {
  get_swap_device,
  put_swap_device,
  put_swap_folio,
} from "swaplab/mm/swapfile.ts";
import { sys_swapoff } from "swaplab/mm/swapoff.ts";
import { sys_swapon } from "swaplab/mm/swapon.ts";
import { swp_entry, swp_type } from "swaplab/mm/swapops.ts";
import { idleUntilNextEvent } from "swaplab/sim/clock.ts";
import { type Op, run, type Task } from "swaplab/sim/task.ts";
import { pageOf, scene, slotOf } from "./helpers.ts";

const shell = (): TaskStruct => ({
  comm: "swapoff",
  mm: null,
  cpu: 0,
  flags: 0,
});

function off(machine: Machine, si: SwapInfoStruct, who = shell()) {
  return machine.run(sys_swapoff(machine.k, si), who);
}

const device = (k: Kernel, type = 0) => k.swap_info[type]!;

/** Pages 0 … n−1 are written, with content of their own. */
function fillSome(program: Process, n: number): void {
  for (let page = 0; page < n; page++) {
    program.write(page, pageOf("text", page));
  }
}

/** Another process wants memory until the page is in swap, and ends. */
function swapOut(machine: Machine, program: Process, page: number): void {
  const hog = machine.spawn({ pages: 300 });
  for (let i = 0; program.whereabouts(page) !== "swap"; i++) {
    hog.write(i, pageOf("text", i));
  }
  hog.exit();
}

/** Let a task go on until it ends, and look at each of its pauses. */
function watch<T>(k: Kernel, task: Task<T>, look: (op: Op) => void): T {
  for (;;) {
    const { done, value } = task.next();
    if (done) return value;
    look(value);
    while (value.ready?.() === false) assert.ok(idleUntilNextEvent(k.clock));
  }
}

function inSwap(program: Process): number {
  let pages = 0;
  for (let page = 0; page < program.pages; page++) {
    if (program.whereabouts(page) === "swap") pages++;
  }
  return pages;
}

Deno.test("swapoff brings every page back, and the device is gone", () => {
  const { machine, program } = scene({ frames: 128 });
  const { k } = machine;
  const hog = machine.spawn({ pages: 90 });
  fillSome(program, 50);
  fillSome(hog, 90);
  hog.exit();
  assert.ok(inSwap(program) > 10);
  assert.equal(off(machine, device(k)), 0);
  assert.equal(inSwap(program), 0);
  for (let page = 0; page < 50; page++) {
    assert.deepEqual(program.read(page), pageOf("text", page));
  }
  const { nr_swap_pages, total_swap_pages } = k;
  assert.deepEqual({ nr_swap_pages, total_swap_pages }, {
    nr_swap_pages: 0,
    total_swap_pages: 0,
  });
  assert.equal(device(k).flags, 0);
  assert.equal(k.swap.swap_slot_cache_enabled, false);
  assert.deepEqual(report(machine).swaps, []);
  machine.settle();
});

Deno.test("swapoff moves pages to another device if memory is short", () => {
  const swap = [{ pages: 300, priority: 2 }, { pages: 300, priority: 1 }];
  const { machine, program } = scene({ swap });
  const { k } = machine;
  fillSome(program, 100);
  assert.ok(device(k, 0).inuse_pages > 0);
  assert.equal(device(k, 1).inuse_pages, 0);
  assert.equal(off(machine, device(k, 0)), 0);
  assert.ok(device(k, 1).inuse_pages > 0);
  for (let page = 0; page < 100; page++) {
    assert.deepEqual(program.read(page), pageOf("text", page));
  }
});

Deno.test("swapoff of what is no swap gives -EINVAL, also the second time", () => {
  const { machine } = scene();
  const si = device(machine.k);
  assert.equal(off(machine, si), 0);
  assert.equal(off(machine, si), -EINVAL);
});

Deno.test("swapoff without enough memory gives -ENOMEM, and swap goes on", () => {
  const { machine, program } = scene({ zswap: { enabled: false } });
  const { k } = machine;
  fillSome(program, 100);
  const si = device(k);
  const { total_swap_pages } = k;
  assert.equal(off(machine, si), -ENOMEM);
  assert.equal(k.total_swap_pages, total_swap_pages);
  assert.equal(si.prio, -2);
  assert.equal(k.swap.swap_slot_cache_enabled, true);
  for (let page = 0; page < 100; page++) {
    assert.deepEqual(program.read(page), pageOf("text", page));
  }
});

Deno.test("a signal ends swapoff with -EINTR, and swap goes on", () => {
  const { machine, program } = scene({ frames: 128 });
  fillSome(program, 100);
  fillSome(machine.spawn({ pages: 60 }), 60);
  const before = inSwap(program);
  assert.ok(before > 0);
  const who = { ...shell(), signal_pending: true };
  assert.equal(off(machine, device(machine.k), who), -EINTR);
  assert.equal(inSwap(program), before);
  checkMachine(machine);
});

Deno.test("after a failure a device without its own priority is the last", () => {
  const { machine } = scene({ swap: [{}, {}, {}, { priority: 5 }] });
  const { k } = machine;
  const folio = run(folio_alloc(k, GFP_KERNEL))!;
  // A slot of the first device that nobody can give back.
  k.swap_info[3]!.flags ^= 2;
  const entry = run(folio_alloc_swap(k, folio))!;
  k.swap_info[3]!.flags ^= 2;
  folio_put(k, folio);
  const who = { ...shell(), signal_pending: true };
  const result = run(
    (function* () {
      k.current = who;
      return yield* sys_swapoff(k, device(k, swp_type(entry)));
    })(),
  );
  assert.equal(result, -EINTR);
  const prios = k.swap_info.map((si) => si.prio);
  assert.deepEqual(prios, [-4, -2, -3, 5]);
  run(put_swap_folio(k, entry));
});

Deno.test("devices behind it move up when one goes", () => {
  const { machine } = scene({ swap: [{}, {}, {}, { priority: 5 }] });
  const { k } = machine;
  assert.equal(off(machine, device(k, 1)), 0);
  assert.deepEqual(
    [0, 2, 3].map((type) => device(k, type).prio),
    [-2, -3, 5],
  );
  assert.equal(k.swap.least_priority, -3);
});

Deno.test("nr_swap_pages may go below 0 while a device is taken away", () => {
  const { machine, program } = scene({ frames: 128, swap: { pages: 200 } });
  const { k } = machine;
  fillSome(program, 60);
  swapOut(machine, program, 0);
  const { nr_swap_pages } = k;
  assert.ok(nr_swap_pages < 199);
  k.current = shell();
  let least = nr_swap_pages;
  let freeswap = 0;
  const task: Task<Errno> = sys_swapoff(k, device(k));
  watch(k, task, () => {
    if (k.nr_swap_pages >= least) return;
    least = k.nr_swap_pages;
    freeswap = report(machine).meminfo.SwapFree;
  });
  assert.equal(least, nr_swap_pages - 199);
  // What is left on the device counts as free for people.
  assert.equal(freeswap, 0);
  assert.equal(k.nr_swap_pages, 0);
});

Deno.test("the number of a device that went is used again", () => {
  const { machine } = scene({ swap: [{}, {}] });
  const { k } = machine;
  const first = device(k, 0);
  assert.equal(off(machine, first), 0);
  const si = sys_swapon(k, makeBrd({ pages: 50 }, k.clock));
  assert.equal(si, first);
  assert.equal(first.max, 50);
  assert.equal(first.prio, -3);
  assert.equal(k.swap_info.length, 2);
  checkMachine(machine);
});

Deno.test("swapoff frees the pages of digits", () => {
  const { machine, program } = scene({ frames: 128 });
  const { k } = machine;
  program.write(0, pageOf("text"));
  const hog = machine.spawn({ pages: 200 });
  fillSome(hog, 200);
  hog.exit();
  machine.settle();
  assert.equal(device(k).swap_map[slotOf(program, 0)], 1);
  const children = Array.from({ length: 70 }, () => program.fork());
  assert.equal(device(k).continuations.size, 1);
  for (const child of children) child.exit();
  assert.equal(off(machine, device(k)), 0);
  assert.equal(device(k).continuations.size, 0);
});

Deno.test("a page that cannot be read becomes a marker: SIGBUS, not wrong bytes", () => {
  const { machine, program } = scene({
    swap: { readErrorRate: 1 },
    zswap: { enabled: false },
    frames: 128,
  });
  const { k } = machine;
  program.write(0, pageOf("text"));
  const hog = machine.spawn({ pages: 200 });
  fillSome(hog, 200);
  hog.exit();
  machine.settle();
  assert.equal(device(k).swap_map[slotOf(program, 0)], 1);
  const child = program.fork();
  assert.equal(off(machine, device(k)), 0);
  assert.throws(() => program.read(0), ProcessKilled);
  assert.throws(() => child.write(0, new Uint8Array(4096)), ProcessKilled);
  child.exit();
  program.exit();
  machine.settle();
});

Deno.test("a folio whose users have gone does not hold swapoff up", () => {
  const { machine, program } = scene({ frames: 128, swap: { pages: 1000 } });
  const { k } = machine;
  fillSome(program, 60);
  swapOut(machine, program, 0);
  const slot = slotOf(program, 0);
  // A read fault keeps the slot: only the cache holds it then.
  program.read(0);
  assert.equal(device(k).swap_map[slot], 0x40);
  assert.equal(off(machine, device(k)), 0);
  assert.deepEqual(program.read(0), pageOf("text", 0));
});

Deno.test("swapoff waits for who holds the device", () => {
  const { machine } = scene();
  const { k } = machine;
  const si = get_swap_device(k, swp_entry(0, 5))!;
  k.current = shell();
  let waited = "";
  const task: Task<Errno> = sys_swapoff(k, si);
  const result = watch(k, task, (op) => {
    if (op.ready?.() !== false) return;
    waited = op.what;
    // Nobody new gets hold of it.
    assert.equal(get_swap_device(k, swp_entry(0, 5)), null);
    put_swap_device(si);
  });
  assert.equal(result, 0);
  assert.match(waited, /wait_for_completion/);
});

Deno.test("swapoff brings shared memory back", () => {
  const { machine } = scene({ frames: 128 });
  const { k } = machine;
  const program = machine.spawn({ pages: 60, shared: true });
  fillSome(program, 60);
  const hog = machine.spawn({ pages: 110 });
  fillSome(hog, 110);
  hog.exit();
  assert.ok([...device(k).swap_map].some((byte) => byte === 0xbf));
  assert.equal(off(machine, device(k)), 0);
  for (let page = 0; page < 60; page++) {
    assert.deepEqual(program.read(page), pageOf("text", page));
  }
});

Deno.test("a device stays first on its own node when others move up", () => {
  const { machine } = scene({ nodes: 2, swap: [{}] });
  const { k } = machine;
  const bdev = makeBrd({ pages: 100 }, k.clock);
  const si = sys_swapon(k, bdev, { node: 1 }) as SwapInfoStruct;
  const prios = () => si.avail_lists.map(({ prio }) => prio);
  assert.deepEqual(prios(), [3, 1]);
  assert.equal(off(machine, device(k, 0)), 0);
  assert.equal(si.prio, -2);
  assert.deepEqual(prios(), [2, 1]);
});
