import assert from "node:assert/strict";
import { flush_workqueue } from "swaplab/locking/workqueue.ts";
import { makeCgroup, removeCgroup } from "swaplab/mm/memcontrol_css.ts";
import { snapshot_refaults } from "swaplab/mm/vmscan_node.ts";
import { run } from "swaplab/sim/task.ts";
import type { Folio } from "swaplab/mm/mm_types.ts";
import { get_page_from_freelist } from "swaplab/mm/page_alloc.ts";
import {
  folio_test_active,
  folio_test_workingset,
  PG_locked,
  PG_swapbacked,
  PG_workingset,
  setFlag,
} from "swaplab/mm/page_flags.ts";
import {
  bucketOrder,
  pack_shadow,
  unpack_shadow,
  workingset_age_nonresident,
  workingset_eviction,
  workingset_refault,
} from "swaplab/mm/workingset.ts";
import { pageOf, scene } from "./helpers.ts";

Deno.test("a shadow is a safe integer and keeps its four parts", () => {
  const most = {
    memcgid: 65_535,
    nid: 63,
    eviction: 2 ** 30 - 1,
    workingset: true,
  };
  assert.equal(pack_shadow(most), Number.MAX_SAFE_INTEGER);
  assert.deepEqual(unpack_shadow(pack_shadow(most)), most);
  const some = { memcgid: 7, nid: 2, eviction: 1234, workingset: false };
  assert.deepEqual(unpack_shadow(pack_shadow(some)), some);
  const wrapped = unpack_shadow(
    pack_shadow({ ...some, eviction: 2 ** 30 + 5 }),
  );
  assert.equal(wrapped.eviction, 5);
});

Deno.test("evictions need buckets only beyond 2^30 pages", () => {
  assert.equal(bucketOrder(2 ** 22), 0);
  assert.equal(bucketOrder(2 ** 30), 0);
  assert.equal(bucketOrder(2 ** 30 + 1), 1);
});

function lockedFolio(
  flags = 0,
): { set: ReturnType<typeof scene>; folio: Folio } {
  const set = scene();
  const folio = get_page_from_freelist(set.machine.k, 0)!;
  setFlag(folio, PG_locked | PG_swapbacked | flags);
  return { set, folio };
}

/** A page leaves; `others` pages go through the lists; it comes back. */
function refaultAfter(others: number, active: number, flags = 0) {
  const { set, folio } = lockedFolio(flags);
  const { k } = set.machine;
  const { lruvec } = k.root_mem_cgroup.nodeinfo[0]!;
  const shadow = workingset_eviction(k, folio, null);
  folio.flags &= ~PG_workingset;
  workingset_age_nonresident(lruvec, others);
  lruvec.lru_size[1]! += active;
  workingset_refault(k, folio, shadow);
  lruvec.lru_size[1]! -= active;
  return { k, folio, lruvec };
}

Deno.test("a page is active again if its distance is at most the active pages", () => {
  // Its own eviction is one step of the distance.
  assert.equal(folio_test_active(refaultAfter(9, 10).folio), true);
  assert.equal(folio_test_active(refaultAfter(10, 10).folio), false);
});

Deno.test("workingset_refault() counts refaults, activations and restores", () => {
  const cold = refaultAfter(10, 10);
  assert.equal(cold.k.vm_event.workingset_refault_anon, 1);
  assert.equal(cold.k.vm_event.workingset_activate_anon, 0);
  const warm = refaultAfter(0, 10);
  assert.equal(warm.k.vm_event.workingset_activate_anon, 1);
  assert.equal(warm.k.vm_event.workingset_restore_anon, 0);
  assert.equal(folio_test_workingset(warm.folio), false);
  const missed = refaultAfter(0, 100, PG_workingset);
  assert.equal(missed.k.vm_event.workingset_restore_anon, 1);
  assert.equal(folio_test_workingset(missed.folio), true);
  assert.equal(missed.lruvec.anon_cost > 0, true);
});

Deno.test("refaults of a group that was removed still count above it", () => {
  const { set, folio } = lockedFolio();
  const { k } = set.machine;
  const { lruvec } = k.root_mem_cgroup.nodeinfo[0]!;
  const child = makeCgroup(k, k.root_mem_cgroup, "child");
  const shadow = workingset_eviction(k, folio, null);
  lruvec.lru_size[1]! += 10;
  folio.memcg = child;
  workingset_refault(k, folio, shadow);
  folio.memcg = null;
  assert.equal(lruvec.workingset_activate_anon, 1);
  // Else the next reclaim would see a change, and take active pages.
  assert.equal(run(removeCgroup(k, child)), 0);
  run(flush_workqueue(k.workqueue));
  assert.deepEqual(k.root_mem_cgroup.children, []);
  snapshot_refaults(k, null, k.nodes[0]!);
  assert.equal(lruvec.refaults, 1);
});

Deno.test("the shadow of a group that has gone tells nothing", () => {
  const { set, folio } = lockedFolio();
  const { k } = set.machine;
  const gone = pack_shadow({
    memcgid: 77,
    nid: 0,
    eviction: 0,
    workingset: false,
  });
  workingset_refault(k, folio, gone);
  assert.equal(folio_test_active(folio), false);
});

Deno.test("pages that come back are counted, for the machine and for the group", () => {
  const { machine, program } = scene();
  const { vm_event, root_mem_cgroup } = machine.k;
  for (let page = 0; page < 100; page++) {
    program.write(page, pageOf("text", page));
  }
  for (let round = 0; round < 4; round++) {
    for (let page = 0; page < 40; page++) {
      program.touch(page);
      // Some are used all the time: the active list is not empty.
      program.touch(page % 20);
    }
  }
  const { state } = root_mem_cgroup.vmstats;
  assert.ok(vm_event.workingset_refault_anon > 0);
  assert.ok(vm_event.workingset_activate_anon > 0);
  assert.ok(
    vm_event.workingset_activate_anon < vm_event.workingset_refault_anon,
  );
  assert.equal(state.WORKINGSET_REFAULT_ANON, vm_event.workingset_refault_anon);
  assert.equal(
    state.WORKINGSET_ACTIVATE_ANON,
    vm_event.workingset_activate_anon,
  );
});
