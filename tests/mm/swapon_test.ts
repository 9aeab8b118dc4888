import assert from "node:assert/strict";
import { EBUSY, EINVAL, EIO, EPERM } from "swaplab/base/errno.ts";
import { BLK_FEAT_STABLE_WRITES, type BlockDevice } from "swaplab/block/bio.ts";
import { makeBrd } from "swaplab/block/brd.ts";
import { makeHdd } from "swaplab/block/hdd.ts";
import { checkMachine } from "swaplab/lab/invariants.ts";
import { makeMachine } from "swaplab/lab/machine.ts";
import { report } from "swaplab/lab/report.ts";
import type { Kernel, SwapInfoStruct } from "swaplab/mm/mm_types.ts";
import {
  SWAP_FLAG_DISCARD,
  SWAP_FLAG_DISCARD_ONCE,
  SWAP_FLAG_PREFER,
  SWP_AREA_DISCARD,
  SWP_BLKDEV,
  SWP_DISCARDABLE,
  SWP_PAGE_DISCARD,
  SWP_SOLIDSTATE,
  SWP_STABLE_WRITES,
  SWP_SYNCHRONOUS_IO,
  SWP_USED,
  SWP_WRITEOK,
} from "swaplab/mm/swap.ts";
import { get_swap_pages } from "swaplab/mm/swap_alloc.ts";
import {
  makeSwapHeader,
  MAX_SWAP_BADPAGES,
  mkswap,
  parseSwapHeader,
} from "swaplab/mm/swap_header.ts";
import {
  si_swapinfo,
  swaponDevice,
  type SwaponOptions,
  sys_swapon,
} from "swaplab/mm/swapon.ts";
import { swp_offset, type SwpEntry } from "swaplab/mm/swapops.ts";
import { idleUntilNextEvent } from "swaplab/sim/clock.ts";
import { makeRng } from "swaplab/sim/rng.ts";
import { run } from "swaplab/sim/task.ts";

const empty = (options = {}): Kernel =>
  makeMachine({ frames: 64, swap: false, ...options }).k;
const brd = (k: Kernel, pages = 100) => makeBrd({ pages }, k.clock);

/** swapon that must work. */
function on(k: Kernel, device: BlockDevice, options: SwaponOptions = {}) {
  const si = sys_swapon(k, device, options);
  assert.ok(typeof si !== "number", `swapon gives ${si}`);
  return si;
}

const prio = (priority: number) => ({
  swap_flags: SWAP_FLAG_PREFER | priority,
});

Deno.test("a header has its fields where mkswap puts them", () => {
  const page = makeSwapHeader({ last_page: 0x1234, badpages: [7, 9] });
  const view = new DataView(page.buffer);
  const words = [1024, 1028, 1032, 1536, 1540];
  const values = words.map((at) => view.getUint32(at, true));
  assert.deepEqual(values, [1, 0x1234, 2, 7, 9]);
  assert.equal(new TextDecoder().decode(page.subarray(4086)), "SWAPSPACE2");
  const parsed = { last_page: 0x1234, badpages: [7, 9] };
  assert.deepEqual(parseSwapHeader(page), parsed);
});

Deno.test("a header of a machine with the other byte order is read too", () => {
  const page = makeSwapHeader({ last_page: 300, badpages: [7] });
  const view = new DataView(page.buffer);
  for (const at of [1024, 1028, 1032, 1536]) {
    view.setUint32(at, view.getUint32(at, true), false);
  }
  const parsed = { last_page: 300, badpages: [7] };
  assert.deepEqual(parseSwapHeader(page), parsed);
});

Deno.test("swapon reads what mkswap wrote on the device", () => {
  const machine = makeMachine({ frames: 64, swap: false });
  const { k } = machine;
  const device = makeHdd(
    { pages: 50, readErrorRate: 0, writeErrorRate: 0 },
    k.clock,
    makeRng(1),
  );
  const idle = () => idleUntilNextEvent(k.clock);
  assert.equal(run(swaponDevice(k, device), idle), -EINVAL);
  assert.equal(run(mkswap(device, [3, 20]), idle), 0);
  const si = run(swaponDevice(k, device), idle) as SwapInfoStruct;
  assert.equal(si.pages, 47);
  assert.deepEqual([si.swap_map[3], si.swap_map[20]], [0x3f, 0x3f]);
  checkMachine(machine);
});

Deno.test("swapon of a device that cannot be read gives -EIO", () => {
  const k = empty();
  const bad = { pages: 50, readErrorRate: 1, writeErrorRate: 0 };
  const device = makeHdd(bad, k.clock, makeRng(1));
  const result = run(
    swaponDevice(k, device),
    () => idleUntilNextEvent(k.clock),
  );
  assert.equal(result, -EIO);
});

/** A header with one thing changed. */
function spoilt(change: (view: DataView, page: Uint8Array) => void) {
  const page = makeSwapHeader({ last_page: 99, badpages: [] });
  change(new DataView(page.buffer), page);
  return page;
}

const headers: [string, Uint8Array][] = [
  ["without the signature", spoilt((_, page) => page[4095] = 0)],
  ["of version 2", spoilt((view) => view.setUint32(1024, 2, true))],
  ["of an empty device", spoilt((view) => view.setUint32(1028, 0, true))],
  ["longer than the device", spoilt((v) => v.setUint32(1028, 100, true))],
  ["with 638 bad pages", spoilt((v) => v.setUint32(1032, 638, true))],
  ["with bad page 0", makeSwapHeader({ last_page: 99, badpages: [0] })],
  [
    "with a bad page behind it",
    makeSwapHeader({
      last_page: 99,
      badpages: [100],
    }),
  ],
  ["with bad pages only", makeSwapHeader({ last_page: 2, badpages: [1, 2] })],
];

for (const [what, header] of headers) {
  Deno.test(`swapon gives -EINVAL for a header ${what}`, () => {
    const k = empty();
    assert.equal(sys_swapon(k, brd(k), { header }), -EINVAL);
    assert.equal(k.total_swap_pages, 0);
    assert.equal(k.swap_info.length, 0);
  });
}

Deno.test("637 bad pages are taken, and no slot of theirs is given out", () => {
  const k = empty();
  assert.equal(MAX_SWAP_BADPAGES, 637);
  const badpages = Array.from({ length: 637 }, (_, i) => 2 * i + 1);
  const header = makeSwapHeader({ last_page: 1299, badpages });
  const si = on(k, brd(k, 1300), { header });
  assert.equal(si.pages, 1299 - 637);
  assert.equal(k.nr_swap_pages, 662);
  // Behind the 637th bad page odd ones are good, too.
  const isGood = (slot: number) => slot % 2 === 0 || slot > 1273;
  for (;;) {
    const got: SwpEntry[] = [];
    const n = run(get_swap_pages(k, 64, got));
    if (n === 0) break;
    assert.ok(got.slice(0, n).every((entry) => isGood(swp_offset(entry))));
  }
  assert.equal(si.inuse_pages, 662);
});

Deno.test("swapon sets the bounds: lowest 1, highest max − 1", () => {
  const k = empty();
  const si = on(k, brd(k, 100));
  const { max, pages, lowest_bit, highest_bit, cluster_next, cluster_nr } = si;
  assert.deepEqual(
    { max, pages, lowest_bit, highest_bit, cluster_next, cluster_nr },
    {
      max: 100,
      pages: 99,
      lowest_bit: 1,
      highest_bit: 99,
      cluster_next: 1,
      cluster_nr: 0,
    },
  );
});

Deno.test("a header may use less than the device has", () => {
  const k = empty();
  const header = makeSwapHeader({ last_page: 49, badpages: [] });
  assert.equal(on(k, brd(k, 100), { header }).max, 50);
});

Deno.test("bad pages in a file are refused", () => {
  const k = empty();
  const header = makeSwapHeader({ last_page: 99, badpages: [5] });
  assert.equal(sys_swapon(k, brd(k), { header, file: true }), -EINVAL);
});

Deno.test("what a device can do becomes flags", () => {
  const k = empty();
  const ready = SWP_USED | SWP_WRITEOK;
  const hdd = { pages: 100, readErrorRate: 0, writeErrorRate: 0 };
  assert.equal(
    on(k, makeHdd(hdd, k.clock, makeRng(1))).flags,
    ready | SWP_BLKDEV,
  );
  const ram = on(k, brd(k));
  assert.equal(
    ram.flags,
    ready | SWP_BLKDEV | SWP_SOLIDSTATE | SWP_SYNCHRONOUS_IO,
  );
  const features = BLK_FEAT_STABLE_WRITES;
  assert.equal(
    on(k, { ...brd(k), features }, { file: true }).flags,
    ready | SWP_SOLIDSTATE | SWP_STABLE_WRITES,
  );
  assert.equal(k.nr_rotate_swap, 1);
});

Deno.test("discard flags count only if the device can discard", () => {
  const k = empty();
  const swap_flags = SWAP_FLAG_DISCARD;
  const all = SWP_DISCARDABLE | SWP_AREA_DISCARD | SWP_PAGE_DISCARD;
  assert.equal(on(k, brd(k), { swap_flags }).flags & all, 0);
  const told: number[][] = [];
  const discard = (sector: number, nr: number) => void told.push([sector, nr]);
  const si = on(k, { ...brd(k), discard }, { swap_flags });
  assert.equal(si.flags & all, all);
  assert.deepEqual(told, [[1, 99]]);
  const once = on(k, { ...brd(k), discard }, {
    swap_flags: SWAP_FLAG_DISCARD | SWAP_FLAG_DISCARD_ONCE,
  });
  assert.equal(once.flags & all, SWP_DISCARDABLE | SWP_AREA_DISCARD);
});

Deno.test("priorities: −2, −3 … by themselves, else as asked for", () => {
  const k = empty();
  const devices = [
    on(k, brd(k)),
    on(k, brd(k), prio(0)),
    on(k, brd(k)),
    on(k, brd(k), prio(32767)),
  ];
  assert.deepEqual(devices.map((si) => si.prio), [-2, 0, -3, 32767]);
  const { swaps } = report({ k });
  assert.deepEqual(swaps.map(({ Priority }) => Priority), [-2, 0, -3, 32767]);
});

Deno.test("a device of the own node goes before others of its kind only", () => {
  const k = empty({ nodes: 2, cpus: 2 });
  on(k, brd(k));
  const local = on(k, brd(k), { node: 1 });
  const asked = on(k, brd(k), prio(0));
  const links = [0, 1].map((nid) => local.avail_lists[nid]!.prio);
  assert.deepEqual(links, [3, 1]);
  assert.deepEqual(asked.avail_lists.map(({ prio }) => prio + 0), [0, 0]);
  const typeFor = (cpu: number) => {
    k.current = { ...k.current, cpu };
    const node = k.swap.swap_avail_heads[cpu]!.next.next.owner!;
    return node.owner.type;
  };
  assert.deepEqual([typeFor(0), typeFor(1)], [0, 1]);
});

Deno.test("swapon gives -EBUSY for a device in use, -EINVAL for odd flags", () => {
  const k = empty();
  const device = brd(k);
  on(k, device);
  assert.equal(sys_swapon(k, device), -EBUSY);
  assert.equal(sys_swapon(k, brd(k), { swap_flags: 0x80000 }), -EINVAL);
});

Deno.test("the 24th device gets -EPERM", () => {
  const k = empty();
  for (let i = 0; i < 23; i++) on(k, brd(k));
  assert.equal(sys_swapon(k, brd(k)), -EPERM);
});

Deno.test("si_swapinfo() is what /proc/meminfo shows", () => {
  const k = empty();
  on(k, brd(k));
  assert.deepEqual(si_swapinfo(k), { totalswap: 99, freeswap: 99 });
});
