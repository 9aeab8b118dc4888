import assert from "node:assert/strict";
import { historyOf, journeyOf } from "swaplab/lab/journey.ts";
import { nr_free_pages } from "swaplab/mm/page_alloc.ts";
import { pageOf, pushOut, scene } from "./helpers.ts";

/** Function names of a page's history, in order. */
function functionsOf(set: ReturnType<typeof scene>, page: number): string[] {
  return historyOf(set.machine, set.program, page).split("\n")
    .map((line) => /µs {2}(\w+):/.exec(line)![1]!);
}

Deno.test("shrink_folio_list() takes the kernel's steps in the kernel's order", () => {
  const set = scene();
  set.program.write(0, pageOf("python"));
  pushOut(set, 0);
  assert.deepEqual(functionsOf(set, 0), [
    "set_pte",
    "folio_check_references",
    "add_to_swap",
    "try_to_unmap",
    "zswap_store",
    "__remove_mapping",
  ]);
});

Deno.test("a page that zswap takes is freed in the same pass, a disk's later", () => {
  // Readahead would bring page 0 back with its neighbours.
  const set = scene({ zswap: { enabled: false }, pageCluster: 0 });
  set.program.write(0, pageOf("python"));
  pushOut(set, 0);
  const functions = functionsOf(set, 0);
  assert.equal(functions.at(-1), "__swap_writepage");
  for (let page = 1; page < 100; page++) {
    set.program.write(page, pageOf("text", page));
  }
  assert.equal(functionsOf(set, 0).at(-1), "__remove_mapping");
});

Deno.test("a page in constant use stays in memory", () => {
  const set = scene();
  set.program.write(0, pageOf("python"));
  let left = 0;
  for (let page = 1; page < 100; page++) {
    set.program.write(page, pageOf("text", page));
    if (set.program.whereabouts(0) !== "memory") left++;
    set.program.touch(0);
  }
  assert.ok(left <= 2, `it left ${left} times`);
  assert.ok(set.machine.k.vm_event.pgactivate > 0);
});

Deno.test("kswapd frees up to the high watermark", () => {
  const set = scene();
  const { vm_event, nodes } = set.machine.k;
  const { zone } = nodes[0]!;
  for (let page = 0; page < 100; page++) {
    set.program.write(page, pageOf("text", page));
    assert.ok(nr_free_pages(set.machine.k) >= zone.watermark.min);
  }
  assert.ok(vm_event.pageoutrun > 0);
  assert.ok(vm_event.pgsteal_kswapd > 0);
});

Deno.test("without kswapd an allocation reclaims for itself", () => {
  const set = scene();
  const { k } = set.machine;
  // As if its thread never got the processor.
  k.nodes[0]!.kswapd.pending = true;
  for (let page = 0; page < 100; page++) {
    set.program.write(page, pageOf("text", page));
  }
  assert.equal(k.vm_event.pgsteal_kswapd, 0);
  assert.ok(k.vm_event.allocstall_normal > 0);
  assert.ok(k.vm_event.pgsteal_direct > 0);
});

Deno.test("journeyOf() shows the page in a frame, in zswap, in a frame", () => {
  const set = scene();
  set.program.write(0, pageOf("python"));
  pushOut(set, 0);
  set.program.read(0);
  const { events } = journeyOf(set.machine, set.program, 0);
  assert.deepEqual(events.map((event) => event.lane), [
    "frame",
    "frame",
    "zswap",
  ]);
  assert.ok(events.every((event) => event.from <= event.to));
  assert.equal(events[0]!.to, events[2]!.from);
});
