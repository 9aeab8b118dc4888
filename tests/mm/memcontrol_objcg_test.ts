import assert from "node:assert/strict";
import { KernelBug } from "swaplab/base/bug.ts";
import { makeMachine } from "swaplab/lab/machine.ts";
import { flush_workqueue } from "swaplab/locking/workqueue.ts";
import { mem_cgroup_charge } from "swaplab/mm/memcontrol_charge.ts";
import { makeCgroup, removeCgroup } from "swaplab/mm/memcontrol_css.ts";
import { zswap_max_write } from "swaplab/mm/memcontrol_files.ts";
import {
  get_mem_cgroup_from_objcg,
  get_obj_cgroup_from_folio,
  lookupMemcg,
  obj_cgroup_get,
  obj_cgroup_memcg,
  obj_cgroup_put,
  type ObjCgroup,
} from "swaplab/mm/memcontrol_objcg.ts";
import { memory_stat_show } from "swaplab/mm/memcontrol_stat.ts";
import {
  mem_cgroup_zswap_writeback_enabled,
  obj_cgroup_charge_zswap,
  obj_cgroup_may_zswap,
  obj_cgroup_uncharge_zswap,
} from "swaplab/mm/memcontrol_zswap.ts";
import { mem_cgroup_put } from "swaplab/mm/memcontrol.ts";
import type { Kernel, MemCgroup } from "swaplab/mm/mm_types.ts";
import { folio_alloc, GFP_KERNEL, PF_MEMALLOC } from "swaplab/mm/page_alloc.ts";
import { checkMemcg } from "swaplab/lab/invariants_memcg.ts";
import { run, type Task } from "swaplab/sim/task.ts";

interface Family {
  readonly k: Kernel;
  readonly parent: MemCgroup;
  readonly child: MemCgroup;
}

/** A group, one below it, and a reclaimer at work. */
function family(): Family {
  const { k } = makeMachine({ frames: 64, cpus: 2 });
  const parent = makeCgroup(k, k.root_mem_cgroup, "parent");
  const child = makeCgroup(k, parent, "child");
  k.current = { comm: "reclaimer", mm: null, cpu: 0, flags: PF_MEMALLOC };
  return { k, parent, child };
}

function store(k: Kernel, objcg: ObjCgroup, size: number): void {
  obj_cgroup_get(objcg);
  run(obj_cgroup_charge_zswap(k, objcg, size));
  checkMemcg(k);
}

function drop(k: Kernel, objcg: ObjCgroup, size: number): void {
  obj_cgroup_uncharge_zswap(k, objcg, size);
  obj_cgroup_put(k, objcg);
  checkMemcg(k);
}

Deno.test("bytes are charged in whole pages, what is left is kept", () => {
  const { k, parent, child } = family();
  const objcg = child.objcg!;
  const pages: number[] = [];
  for (const size of [1000, 1000, 1000, 1000, 1000]) {
    store(k, objcg, size);
    pages.push(child.memory.usage);
  }
  // 96 bytes are left after four: not enough, so a new page is taken.
  assert.deepEqual(pages, [1, 1, 1, 1, 2]);
  assert.equal(k.memcg.memcg_stock[0]!.nr_bytes, 2 * 4096 - 5000);
  const { zswap, zswapped, kernel } = memory_stat_show(k, parent);
  assert.deepEqual([zswap, zswapped, kernel], [5000, 5 * 4096, 2 * 4096]);
  drop(k, objcg, 1000);
  assert.equal(child.memory.usage, 1);
});

Deno.test("a stock is given up when another group's bytes come", () => {
  const { k, parent, child } = family();
  store(k, child.objcg!, 1000);
  store(k, parent.objcg!, 500);
  const stock = k.memcg.memcg_stock[0]!;
  assert.deepEqual([stock.cached_objcg, stock.nr_bytes], [parent.objcg, 3596]);
  assert.equal(child.objcg!.nr_charged_bytes, 3096);
  // They come back into a stock with the next bytes.
  drop(k, child.objcg!, 1000);
  assert.equal(child.objcg!.nr_charged_bytes, 0);
  assert.equal(stock.nr_bytes, 4096);
});

Deno.test("each CPU has a stock of its own", () => {
  const { k, child } = family();
  store(k, child.objcg!, 100);
  k.current = { ...k.current, cpu: 1 };
  store(k, child.objcg!, 100);
  assert.deepEqual(k.memcg.memcg_stock.map((s) => s.nr_bytes), [3996, 3996]);
  assert.equal(child.memory.usage, 2);
});

Deno.test("a store goes over memory.max and counts it", () => {
  const { k, child } = family();
  child.memory.max = 1;
  store(k, child.objcg!, 4000);
  store(k, child.objcg!, 4000);
  assert.equal(child.memory.usage, 2);
  assert.equal(child.memory_events.max, 1);
  assert.deepEqual(k.warnings, []);
});

Deno.test("memory.zswap.max: whole pages, rounded down, before the store", () => {
  const { k, parent, child } = family();
  const objcg = child.objcg!;
  const may = () => run(obj_cgroup_may_zswap(k, objcg));
  assert.equal(may(), true);
  zswap_max_write(child, "4095");
  assert.equal(child.zswap_max, 0);
  assert.equal(may(), false);

  zswap_max_write(child, "8191");
  assert.equal(child.zswap_max, 1);
  assert.equal(may(), true);
  store(k, objcg, 4000);
  assert.equal(may(), true);
  // The store that the test allowed may overshoot.
  store(k, objcg, 4000);
  assert.equal(may(), false);
  drop(k, objcg, 4000);
  assert.equal(may(), true);

  // An ancestor's limit counts, with what all below it use.
  zswap_max_write(child, "max");
  zswap_max_write(parent, "4096");
  store(k, parent.objcg!, 96);
  assert.equal(may(), false);
  assert.equal(run(obj_cgroup_may_zswap(k, parent.objcg!)), false);
});

Deno.test("memory.zswap.writeback: 0 anywhere above means no, unless zswap is off", () => {
  const { k, parent, child } = family();
  assert.equal(mem_cgroup_zswap_writeback_enabled(k, child), true);
  parent.zswap_writeback = false;
  assert.equal(mem_cgroup_zswap_writeback_enabled(k, child), false);
  assert.equal(mem_cgroup_zswap_writeback_enabled(k, null), true);
  k.zswap.enabled = false;
  assert.equal(mem_cgroup_zswap_writeback_enabled(k, child), true);
});

Deno.test("who pays for a folio: its group, or the nearest that is online", () => {
  const { k, parent, child } = family();
  const folio = run(folio_alloc(k, GFP_KERNEL))!;
  assert.equal(run(get_obj_cgroup_from_folio(k, folio)), null);
  k.current = { ...k.current, mm: null };
  run(mem_cgroup_charge(k, folio, null, GFP_KERNEL));
  assert.equal(folio.memcg, k.root_mem_cgroup);
  assert.equal(run(get_obj_cgroup_from_folio(k, folio)), null);

  folio.memcg = child;
  child.css.refcnt++;
  const objcg = run(get_obj_cgroup_from_folio(k, folio));
  assert.equal(objcg, child.objcg);
  obj_cgroup_put(k, objcg);
  run(removeCgroup(k, child));
  assert.equal(child.objcg, null);
  assert.equal(run(get_obj_cgroup_from_folio(k, folio)), parent.objcg);
});

Deno.test("the parent pays when the group is gone, and gets its pages back", () => {
  const { k, parent, child } = family();
  const objcg = child.objcg!;
  store(k, objcg, 3000);
  run(removeCgroup(k, child));
  run(flush_workqueue(k.workqueue));
  assert.equal(child.freed, true);
  assert.equal(obj_cgroup_memcg(objcg), parent);
  assert.deepEqual(parent.objcg_list, [objcg]);
  checkMemcg(k);
  drop(k, objcg, 3000);
  // This CPU's stock still keeps the page, and with it the objcg.
  assert.equal(parent.memory.usage, 1);
  store(k, parent.objcg!, 10);
  assert.equal(objcg.freed, true);
  assert.deepEqual(parent.objcg_list, []);
  assert.equal(parent.memory.usage, 1);
});

Deno.test("objcgs are handed on again when the parent goes, too", () => {
  const { k, parent, child } = family();
  const objcg = child.objcg!;
  store(k, objcg, 3000);
  const direct = parent.objcg!;
  run(removeCgroup(k, child));
  run(removeCgroup(k, parent));
  assert.equal(obj_cgroup_memcg(objcg), k.root_mem_cgroup);
  assert.deepEqual(k.root_mem_cgroup.objcg_list, [direct, objcg]);
  checkMemcg(k);
  drop(k, objcg, 3000);
});

Deno.test("a store outside of reclaim is told", () => {
  const { k, child } = family();
  k.current = { ...k.current, flags: 0 };
  store(k, child.objcg!, 10);
  assert.equal(k.warnings.length, 1);
});

Deno.test("lookupMemcg(): css_get holds the group, rcu its memory, nothing neither", () => {
  for (const memcg_lookup of ["css_get", "rcu", "unprotected"] as const) {
    const { k } = makeMachine({ frames: 64, proposals: { memcg_lookup } });
    const memcg = makeCgroup(k, k.root_mem_cgroup, "group");
    const objcg = memcg.objcg!;
    const lookup = run(lookupMemcg(k, objcg));
    assert.equal(lookup.memcg, memcg);
    const remove: Task<number> = removeCgroup(k, memcg);
    // Only a reader keeps the grace period from ending.
    let step = remove.next();
    while (!step.done && step.value.ready?.() !== false) step = remove.next();
    assert.equal(step.done === true, memcg_lookup !== "rcu", memcg_lookup);
    run(flush_workqueue(k.workqueue));
    assert.equal(memcg.freed, memcg_lookup === "unprotected", memcg_lookup);
    lookup.done();
    if (!step.done) run(remove);
    run(flush_workqueue(k.workqueue));
    assert.equal(memcg.freed, true, memcg_lookup);
    assert.throws(() => mem_cgroup_put(k, memcg), KernelBug);
  }
});

Deno.test("the reference of an objcg is the group's for who has taken it", () => {
  const { k, child } = family();
  const memcg = get_mem_cgroup_from_objcg(k, child.objcg!);
  run(removeCgroup(k, child));
  run(flush_workqueue(k.workqueue));
  assert.equal(child.freed, false);
  mem_cgroup_put(k, memcg);
  run(flush_workqueue(k.workqueue));
  assert.equal(child.freed, true);
});
