import assert from "node:assert/strict";
import { KernelBug } from "swaplab/base/bug.ts";
import { makeMachine } from "swaplab/lab/machine.ts";
import {
  lookup_swap_cgroup_id,
  swap_cgroup_record,
  swap_cgroup_swapoff,
  swap_cgroup_swapon,
} from "swaplab/mm/swap_cgroup.ts";
import { swp_entry } from "swaplab/mm/swapops.ts";

function kernel() {
  return makeMachine({ frames: 64, swap: { pages: 64 } }).k;
}

Deno.test("swapon makes a record for each slot, nobody's", () => {
  const k = kernel();
  assert.equal(k.memcg.swap_cgroup[0]!.length, 64);
  assert.equal(lookup_swap_cgroup_id(k, swp_entry(0, 63)), 0);
});

Deno.test("swap_cgroup_record() gives what was there, for a range of one owner", () => {
  const k = kernel();
  const entry = swp_entry(0, 5);
  assert.equal(swap_cgroup_record(k, entry, 65535, 3), 0);
  assert.equal(lookup_swap_cgroup_id(k, swp_entry(0, 7)), 65535);
  assert.equal(lookup_swap_cgroup_id(k, swp_entry(0, 8)), 0);
  assert.equal(swap_cgroup_record(k, entry, 0, 3), 65535);
  assert.equal(lookup_swap_cgroup_id(k, entry), 0);
});

Deno.test("a range of two owners stops the machine", () => {
  const k = kernel();
  swap_cgroup_record(k, swp_entry(0, 5), 2, 1);
  assert.throws(() => swap_cgroup_record(k, swp_entry(0, 5), 0, 2), KernelBug);
});

Deno.test("after swapoff there are no records", () => {
  const k = kernel();
  swap_cgroup_swapon(k, 1, 16);
  const entry = swp_entry(1, 3);
  swap_cgroup_record(k, entry, 9, 1);
  swap_cgroup_swapoff(k, 1);
  assert.equal(lookup_swap_cgroup_id(k, entry), 0);
  assert.equal(swap_cgroup_record(k, entry, 9, 1), 0);
});
