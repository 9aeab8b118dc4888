import { pfn_folio } from "swaplab/mm/folio.ts";
import assert from "node:assert/strict";
import { run } from "swaplab/sim/task.ts";
import {
  __folio_alloc_node,
  __GFP_DIRECT_RECLAIM,
  __GFP_NOMEMALLOC,
  cpu_to_node,
  folio_alloc,
  folio_put,
  get_page_from_freelist,
  GFP_ATOMIC,
  GFP_KERNEL,
  node_zonelist,
  page_to_nid,
  PF_MEMALLOC,
  setup_per_zone_wmarks,
} from "swaplab/mm/page_alloc.ts";
import { PG_locked, setFlag } from "swaplab/mm/page_flags.ts";
import { scene } from "./helpers.ts";

// min_free_kbytes = √(16 × KiB); 256 MiB: 2048 KiB = 512 pages.
Deno.test("setup_per_zone_wmarks() follows the kernel's formula", () => {
  assert.deepEqual(setup_per_zone_wmarks(65_536), {
    min: 512,
    low: 640,
    high: 768,
  });
});

Deno.test("a node's watermarks are its share of the machine's", () => {
  assert.deepEqual(setup_per_zone_wmarks(65_536, 16_384), {
    min: 128,
    low: 160,
    high: 192,
  });
});

/** Take frames until `gfp` is refused; how many are left. */
function leftAfter(gfp: number, flags = 0): number {
  const { k } = scene().machine;
  k.current = { comm: "test", mm: null, cpu: 0, flags };
  while (get_page_from_freelist(k, gfp) !== null);
  return k.nodes[0]!.zone.free_list.length;
}

Deno.test("get_page_from_freelist() leaves min, 3/8 of it, or nothing", () => {
  const { min } = scene().machine.k.nodes[0]!.zone.watermark;
  assert.equal(leftAfter(0), min);
  const half = min - (min >> 1);
  assert.equal(leftAfter(GFP_ATOMIC), half - (half >> 2));
  assert.equal(leftAfter(GFP_ATOMIC | __GFP_DIRECT_RECLAIM), half);
  assert.equal(leftAfter(0, PF_MEMALLOC), 0);
  assert.equal(leftAfter(__GFP_NOMEMALLOC, PF_MEMALLOC), min);
});

Deno.test("a frame is handed out once, and comes back", () => {
  const { k } = scene().machine;
  const a = get_page_from_freelist(k, 0)!;
  const b = get_page_from_freelist(k, 0)!;
  assert.notEqual(a.pfn, b.pfn);
  folio_put(k, a);
  assert.equal(pfn_folio(k, a.pfn), null);
  assert.throws(() => folio_put(k, a), /is free/);
  folio_put(k, b);
});

Deno.test("freeing a mapped or locked frame stops the machine", () => {
  const { k } = scene().machine;
  const locked = get_page_from_freelist(k, 0)!;
  setFlag(locked, PG_locked);
  assert.throws(() => folio_put(k, locked), /Bad page/);
  const mapped = get_page_from_freelist(k, 0)!;
  mapped._mapcount = 1;
  assert.throws(() => folio_put(k, mapped), /Bad page/);
});

/** A machine of two nodes and two CPUs; we run on `cpu`. */
function twoNodes(cpu: number) {
  const { k } = scene({ frames: 128, nodes: 2, cpus: 2 }).machine;
  k.current = { comm: "test", mm: null, cpu, flags: 0 };
  return k;
}

Deno.test("CPUs are spread evenly over the nodes", () => {
  const { k } = scene({ frames: 128, nodes: 2, cpus: 4 }).machine;
  const nodes = [0, 1, 2, 3].map((cpu) => cpu_to_node(k, cpu));
  assert.deepEqual(nodes, [0, 0, 1, 1]);
  const { k: few } = scene({ frames: 128, nodes: 4, cpus: 2 }).machine;
  assert.deepEqual([0, 1].map((cpu) => cpu_to_node(few, cpu)), [0, 2]);
});

Deno.test("node_zonelist() begins with the node and goes round", () => {
  const { k } = scene({ frames: 128, nodes: 4 }).machine;
  const ids = node_zonelist(k, 2).map((pgdat) => pgdat.node_id);
  assert.deepEqual(ids, [2, 3, 0, 1]);
});

Deno.test("a frame comes from our CPU's node, or from the one that is asked for", () => {
  const k = twoNodes(1);
  const near = run(folio_alloc(k, GFP_KERNEL))!;
  assert.equal(page_to_nid(k, near.pfn), 1);
  const far = run(__folio_alloc_node(k, GFP_KERNEL, 0))!;
  assert.equal(page_to_nid(k, far.pfn), 0);
});

Deno.test("below its low watermark a node is spared while another has more", () => {
  const k = twoNodes(0);
  const [near, far] = k.nodes.map(({ zone }) => zone);
  let folio = run(folio_alloc(k, GFP_KERNEL))!;
  while (page_to_nid(k, folio.pfn) === 0) {
    folio = run(folio_alloc(k, GFP_KERNEL))!;
  }
  assert.equal(near!.free_list.length, near!.watermark.low);
  assert.equal(k.workqueue.pending.length, 0);
  while (far!.free_list.length > far!.watermark.low) {
    run(folio_alloc(k, GFP_KERNEL));
  }
  // Both are low now: both kswapds are woken, and the near node is used again.
  folio = run(folio_alloc(k, GFP_KERNEL))!;
  assert.equal(page_to_nid(k, folio.pfn), 0);
  const woken = k.workqueue.pending.map(({ name }) => name);
  assert.deepEqual(woken, ["kswapd0", "kswapd1"]);
});

Deno.test("a frame goes back to its own node", () => {
  const k = twoNodes(0);
  const before = k.nodes.map(({ zone }) => zone.free_list.length);
  const folio = run(__folio_alloc_node(k, GFP_KERNEL, 1))!;
  folio_put(k, folio);
  assert.deepEqual(k.nodes.map(({ zone }) => zone.free_list.length), before);
});

Deno.test("an allocation that nothing can satisfy ends without a frame", () => {
  const { k } = scene({ swap: false }).machine;
  let taken = 0;
  while (run(folio_alloc(k, GFP_KERNEL)) !== null) taken++;
  assert.ok(taken > 0);
  assert.equal(
    k.nodes[0]!.zone.free_list.length,
    k.nodes[0]!.zone.watermark.min,
  );
});
