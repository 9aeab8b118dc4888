import assert from "node:assert/strict";
import type { Kernel, Lruvec } from "swaplab/mm/mm_types.ts";
import {
  makeScanControl,
  type ScanControl,
} from "swaplab/mm/vmscan_control.ts";
import {
  get_scan_count,
  scanFractions,
  stopSmallerKind,
} from "swaplab/mm/vmscan_scan.ts";
import { inactive_is_low } from "swaplab/mm/vmscan_lists.ts";
import { prepare_scan_control } from "swaplab/mm/vmscan_node.ts";
import { scene } from "./helpers.ts";

/** The lists of a fresh machine's only group, as if they were so long. */
function listsOf(sizes: readonly number[]): { k: Kernel; lruvec: Lruvec } {
  const { k } = scene({ debug: false }).machine;
  const { lruvec } = k.root_mem_cgroup.nodeinfo[0]!;
  lruvec.lru_size.splice(0, 4, ...sizes);
  return { k, lruvec };
}

function counts(
  sizes: readonly number[],
  wanted: Partial<ScanControl>,
  change: (k: Kernel) => void = () => {},
): number[] {
  const { k, lruvec } = listsOf(sizes);
  change(k);
  return get_scan_count(k, lruvec, makeScanControl(wanted));
}

const sizes = [4096, 8192, 1024, 2048];

Deno.test("scanFractions() divides by swappiness when nothing has cost anything", () => {
  const free = { anon_cost: 0, file_cost: 0 };
  assert.deepEqual(scanFractions(60, free), { anon: 60, file: 140 });
  assert.deepEqual(scanFractions(100, free), { anon: 100, file: 100 });
  assert.deepEqual(scanFractions(200, free), { anon: 200, file: 0 });
});

Deno.test("scanFractions() gives the costly kind no less than half of the other", () => {
  // anon: 100 × 301 / 201, file: 100 × 301 / 101.
  const shares = scanFractions(100, { anon_cost: 100, file_cost: 0 });
  assert.deepEqual(shares, { anon: 149, file: 298 });
});

Deno.test("get_scan_count() takes 1/2^priority of each list, divided by the shares", () => {
  assert.deepEqual(counts(sizes, { priority: 3 }), [153, 307, 89, 179]);
  assert.deepEqual(counts(sizes, { priority: 12 }), [0, 0, 0, 0]);
});

Deno.test("get_scan_count() at priority 0 takes all, unless swappiness is 0", () => {
  assert.deepEqual(counts(sizes, { priority: 0 }), sizes);
  const wanted = { priority: 0, proactive_swappiness: 0 };
  assert.deepEqual(counts(sizes, wanted), [0, 0, 1024, 2048]);
});

Deno.test("get_scan_count() without swap, or without leave to swap, takes files only", () => {
  const files = [0, 0, 1024, 2048];
  const wanted = { priority: 0 };
  assert.deepEqual(counts(sizes, wanted, (k) => k.nr_swap_pages = 0), files);
  assert.deepEqual(counts(sizes, { ...wanted, may_swap: false }), files);
});

Deno.test("get_scan_count(): swappiness 0 is strict for a group, not for the machine", () => {
  const { k, lruvec } = listsOf(sizes);
  k.vm_swappiness = 0;
  const target_mem_cgroup = k.root_mem_cgroup;
  const group = makeScanControl({ priority: 1, target_mem_cgroup });
  assert.deepEqual(get_scan_count(k, lruvec, group), [0, 0, 512, 1024]);
  const machine = makeScanControl({ priority: 1, file_is_tiny: true });
  assert.deepEqual(get_scan_count(k, lruvec, machine), [2048, 4096, 0, 0]);
});

Deno.test("get_scan_count(): tiny file lists come before old ones", () => {
  const wanted = { priority: 1, file_is_tiny: true, cache_trim_mode: true };
  assert.deepEqual(counts(sizes, wanted), [2048, 4096, 0, 0]);
  const old = { priority: 1, cache_trim_mode: true };
  assert.deepEqual(counts(sizes, old), [0, 0, 512, 1024]);
});

Deno.test("get_scan_count() takes a deleted group's lists to the last page", () => {
  const { machine } = scene({ debug: false });
  const { k } = machine;
  const { memcg } = machine.cgroup("gone");
  const { lruvec } = memcg.nodeinfo[0]!;
  lruvec.lru_size[0] = 50;
  lruvec.lru_size[2] = 3;
  const sc = () => makeScanControl({ priority: 12 });
  assert.deepEqual(get_scan_count(k, lruvec, sc()), [0, 0, 0, 0]);
  memcg.css.flags = 0;
  // 32 × 60/200 and 3 × 140/200, rounded up.
  assert.deepEqual(get_scan_count(k, lruvec, sc()), [10, 0, 3, 0]);
});

Deno.test("inactive_is_low() compares by the square root of ten times the GiB", () => {
  const low = (inactive: number, active: number) =>
    inactive_is_low(listsOf([inactive, active, 0, 0]).lruvec, 0);
  assert.equal(low(10, 10), false);
  assert.equal(low(10, 11), true);
  // 1 GiB: one inactive page is enough for three active ones.
  assert.equal(low(70_000, 200_000), false);
  assert.equal(low(60_000, 210_000), true);
});

Deno.test("when enough is free, the kind with less left is stopped", () => {
  // Half of the 100 anonymous pages is done, a tenth of the file pages.
  const nr = [50, 0, 900, 0];
  assert.equal(stopSmallerKind(nr, [100, 0, 1000, 0]), true);
  // 49 % were left of the smaller: 51 % of 1000 less the 100 that were done.
  assert.deepEqual(nr, [0, 0, 410, 0]);
  assert.equal(stopSmallerKind([50, 0, 0, 0], [100, 0, 10, 0]), false);
});

function prepared(
  lists: readonly number[],
  wanted: Partial<ScanControl> = {},
  change: (k: Kernel, lruvec: Lruvec) => void = () => {},
): ScanControl {
  const { k, lruvec } = listsOf(lists);
  change(k, lruvec);
  const sc = makeScanControl({ priority: 2, ...wanted });
  prepare_scan_control(k, k.nodes[0]!, sc);
  return sc;
}

Deno.test("prepare_scan_control() deactivates if too few are inactive or refaults came", () => {
  assert.equal(prepared([10, 10, 10, 10]).may_deactivate, 0);
  assert.equal(prepared([10, 11, 10, 10]).may_deactivate, 1);
  assert.equal(prepared([10, 10, 10, 11]).may_deactivate, 2);
  const came = (_: Kernel, lruvec: Lruvec) => lruvec.workingset_activate_anon++;
  assert.equal(prepared([10, 10, 10, 10], {}, came).may_deactivate, 1);
  assert.equal(
    prepared([9, 9, 9, 9], { force_deactivate: true }).may_deactivate,
    3,
  );
});

Deno.test("prepare_scan_control() takes old file pages first while there are some", () => {
  assert.equal(prepared([99, 0, 4, 4]).cache_trim_mode, true);
  assert.equal(prepared([99, 0, 3, 3]).cache_trim_mode, false);
  assert.equal(prepared([99, 0, 4, 5]).cache_trim_mode, false);
  const tried = { no_cache_trim_mode: true };
  assert.equal(prepared([99, 0, 4, 4], tried).cache_trim_mode, false);
});

Deno.test("prepare_scan_control(): files are tiny if, with the free frames, below high", () => {
  const full = (k: Kernel) => k.nodes[0]!.zone.free_list.length = 10;
  const { high } = scene().machine.k.nodes[0]!.zone.watermark;
  assert.equal(prepared([99, 0, high - 10, 0], {}, full).file_is_tiny, true);
  assert.equal(prepared([99, 0, high - 9, 0], {}, full).file_is_tiny, false);
  assert.equal(prepared([3, 0, 0, 0], {}, full).file_is_tiny, false);
  assert.equal(prepared([99, 100, 0, 0], {}, full).file_is_tiny, false);
  const forGroup = { target_mem_cgroup: scene().machine.k.root_mem_cgroup };
  assert.equal(prepared([99, 0, 0, 0], forGroup, full).file_is_tiny, false);
});
