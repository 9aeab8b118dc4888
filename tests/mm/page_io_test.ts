import assert from "node:assert/strict";
import { makeMachine } from "swaplab/lab/machine.ts";
import { memory_stat_show } from "swaplab/mm/memcontrol_stat.ts";
import {
  clearFlag,
  folio_trylock,
  PG_uptodate,
} from "swaplab/mm/page_flags.ts";
import { foliosInUse } from "swaplab/mm/folio.ts";
import {
  is_folio_zero_filled,
  pageBytes,
  swap_read_folio,
  swap_writepage,
} from "swaplab/mm/page_io.ts";
import { swap_duplicate } from "swaplab/mm/swapfile.ts";
import { report } from "swaplab/lab/report.ts";
import { pageOf, pushOut, scene } from "./helpers.ts";
import { group, stage, victim } from "./zswap_helpers.ts";

Deno.test("a page of zeros is one bit: no zswap, no device, and reads as zeros", () => {
  const set = scene();
  set.program.write(0, new Uint8Array([1]));
  set.program.write(0, new Uint8Array([0]));
  pushOut(set, 0);
  const { vmstat } = report(set.machine);
  assert.equal(vmstat.swpout_zero, 1);
  assert.ok(set.program.read(0).every((byte) => byte === 0));
  assert.equal(report(set.machine).vmstat.swpin_zero, 1);
  assert.equal(report(set.machine).vmstat.pswpin, 0);
});

Deno.test("zero pages count for their group and those above it, out and in", () => {
  const set = stage();
  const { k } = set;
  const parent = group(set, "parent");
  const child = group(set, "child", parent);
  const folio = victim(set, child, new Uint8Array(4096));
  assert.equal(set.run(swap_duplicate(k, folio.swap)), 0);
  assert.equal(set.run(swap_writepage(k, folio)), 0);
  folio_trylock(folio);
  clearFlag(folio, PG_uptodate);
  set.run(swap_read_folio(k, folio, null));
  for (const memcg of [child, parent, k.root_mem_cgroup]) {
    const { swpout_zero, swpin_zero } = memory_stat_show(k, memcg);
    assert.deepEqual([swpout_zero, swpin_zero], [1, 1], memcg.name);
  }
  assert.deepEqual([k.vm_event.swpout_zero, k.vm_event.swpin_zero], [1, 1]);
  // The active one's and the group's own reference: none is left over.
  assert.equal(child.objcg!.refcnt, 2);
});

Deno.test("one set bit anywhere makes a page not zero", () => {
  for (const offset of [0, 1, 2047, 4092, 4095]) {
    const set = scene();
    set.program.write(0, new Uint8Array([1]), offset);
    pushOut(set, 0);
    assert.equal(report(set.machine).vmstat.swpout_zero, 0);
    assert.equal(set.program.read(0)[offset], 1);
  }
});

Deno.test("is_folio_zero_filled() looks at every byte", () => {
  const { machine: { k }, program } = scene();
  program.write(0, new Uint8Array(4096));
  const [folio] = foliosInUse(k);
  const bytes = pageBytes(k, folio!);
  bytes.fill(0);
  assert.ok(is_folio_zero_filled(k, folio!));
  for (let at = 0; at < bytes.length; at++) {
    bytes[at] = 1 << at % 8;
    assert.ok(!is_folio_zero_filled(k, folio!), `byte ${at}`);
    bytes[at] = 0;
  }
});

Deno.test("without zswap every page goes to the device and comes back", () => {
  const set = scene({ zswap: { enabled: false } });
  for (let page = 0; page < 100; page++) {
    set.program.write(page, pageOf("sqlite", page));
  }
  for (let page = 0; page < 100; page++) {
    assert.deepEqual(set.program.read(page), pageOf("sqlite", page));
  }
  const { vmstat } = report(set.machine);
  assert.equal(vmstat.zswpout, 0);
  assert.ok(vmstat.pswpout > 0 && vmstat.pswpin > 0);
});

Deno.test("the zero bit of an earlier life does not hide new bytes", () => {
  const set = scene();
  set.program.write(0, new Uint8Array(4096));
  pushOut(set, 0);
  set.program.write(0, pageOf("node"));
  pushOut(set, 0, "sqlite");
  assert.deepEqual(set.program.read(0), pageOf("node"));
});

Deno.test("a page that was zero and is written while it keeps its slot", () => {
  const set = scene();
  set.program.write(0, new Uint8Array(4096));
  pushOut(set, 0);
  // A read keeps the slot; the entry is writable, so the write never faults.
  set.program.read(0);
  set.program.write(0, pageOf("node"));
  pushOut(set, 0, "sqlite");
  assert.deepEqual(set.program.read(0), pageOf("node"));
});

Deno.test("zeromap_invalidates_zswap says what becomes of an older copy", () => {
  for (const value of ["off", "on"] as const) {
    const set = scene({
      pageCluster: 0,
      proposals: { zeromap_invalidates_zswap: value, exclusive_loads: "off" },
    });
    const { zswap } = set.machine.k;
    set.program.write(0, pageOf("node"));
    set.program.advise("pageout", 0, 1);
    assert.equal(zswap.stored_pages, 1);
    // A read maps it again with slot and copy; then the program clears it.
    set.program.read(0);
    set.program.write(0, new Uint8Array(4096));
    set.program.advise("pageout", 0, 1);
    assert.equal(zswap.stored_pages, value === "on" ? 0 : 1);
    assert.ok(set.program.read(0).every((byte) => byte === 0));
  }
});

Deno.test("pages of zeros are counted for their group, not for the root", () => {
  const machine = makeMachine({ frames: 64, debug: true });
  const group = machine.cgroup("job");
  const programs = [group, undefined].map((cgroup) =>
    machine.spawn({ pages: 2, ...(cgroup === undefined ? {} : { cgroup }) })
  );
  for (const program of programs) {
    program.write(0, new Uint8Array(4096));
    program.advise("pageout", 0, 1);
    program.read(0);
  }
  const { vmstat } = report(machine);
  assert.deepEqual([vmstat.swpout_zero, vmstat.swpin_zero], [2, 2]);
  const stat = group.table("memory.stat");
  assert.deepEqual([stat.swpout_zero, stat.swpin_zero], [1, 1]);
  const { events } = machine.k.root_mem_cgroup.vmstats;
  assert.deepEqual([events.swpout_zero, events.swpin_zero], [1, 1]);
});
