/**
 * What must be true of control groups between any two operations. Ours.
 *
 * Everything charged is counted anew: frames by their group, slots by the id
 * recorded for them, bytes of compressed pages; and every reference by who
 * holds it.
 */
import { listLength } from "../base/list.ts";
import { foliosInUse } from "../mm/folio.ts";
import { entriesOf } from "../mm/folio_list.ts";
import { CSS_ONLINE } from "../mm/memcontrol.ts";
import { upwards } from "../mm/memcontrol_stat.ts";
import type { Kernel, MemCgroup } from "../mm/mm_types.ts";
import { PAGE_SIZE } from "../mm/pgtable.ts";
import { must, tally } from "./must.ts";

/** What is charged to each group itself, not to those below it. */
interface Charges {
  readonly frames: Map<MemCgroup, number>;
  /** By id. */
  readonly slots: Map<number, number>;
}

function chargesOf(k: Kernel): Charges {
  const found: Charges = { frames: new Map(), slots: new Map() };
  for (const folio of foliosInUse(k)) {
    if (folio.memcg !== null) {
      tally(found.frames, folio.memcg);
    }
  }
  for (const map of k.memcg.swap_cgroup) {
    for (const id of map ?? []) if (id !== 0) tally(found.slots, id);
  }
  return found;
}

/** The group and all below it that are still in the tree. */
function below(memcg: MemCgroup): MemCgroup[] {
  return [memcg, ...memcg.children.flatMap(below)];
}

/** Stop the machine if anything charged does not add up. */
export function checkMemcg(k: Kernel): void {
  const charges = chargesOf(k);
  for (const memcg of below(k.root_mem_cgroup)) {
    checkCharges(k, memcg, charges);
    checkReferences(k, memcg, charges);
    checkBytes(k, memcg);
    checkMembers(k, memcg);
  }
  const known = new Set(below(k.root_mem_cgroup));
  for (const memcg of charges.frames.keys()) {
    must(
      known.has(memcg),
      `frames are charged to ${memcg.name}, which is gone`,
    );
  }
  checkListLrus(k);
}

/** Counters of pages and slots; the root's own are not counted. */
function checkCharges(k: Kernel, memcg: MemCgroup, charges: Charges): void {
  let frames = 0;
  let slots = 0;
  for (const m of below(memcg)) {
    if (m === k.root_mem_cgroup) continue;
    frames += charges.frames.get(m) ?? 0;
    slots += charges.slots.get(m.id) ?? 0;
  }
  const pages = memcg.memory.usage - memcg.vmstats.state.MEMCG_KMEM;
  must(
    pages === frames,
    `group ${memcg.name}: ${frames} frames, charged ${pages}`,
  );
  must(
    memcg.swap.usage === slots,
    `group ${memcg.name}: ${slots} slots, charged ${memcg.swap.usage}`,
  );
}

function checkReferences(k: Kernel, memcg: MemCgroup, charges: Charges): void {
  const online = (memcg.css.flags & CSS_ONLINE) !== 0 ? 1 : 0;
  const slots = memcg.id === 0 ? 0 : charges.slots.get(memcg.id) ?? 0;
  must(
    memcg.idRefs === online + slots,
    `group ${memcg.name}: id has ${online + slots} users, ` +
      `counted ${memcg.idRefs}`,
  );
  if (memcg === k.root_mem_cgroup) return;
  const holders = online + (memcg.id === 0 ? 0 : 1) +
    (charges.frames.get(memcg) ?? 0) + memcg.children.length +
    (k.zswap.next_shrink === memcg ? 1 : 0);
  must(
    memcg.css.refcnt === holders,
    `group ${memcg.name}: ${holders} references, counted ${memcg.css.refcnt}`,
  );
}

/** Pages charged for objects are their bytes, and what is left of a page. */
function checkBytes(k: Kernel, memcg: MemCgroup): void {
  // What a dead group's objects use is its parent's.
  if ((memcg.css.flags & CSS_ONLINE) === 0) return;
  const { MEMCG_KMEM, MEMCG_ZSWAP_B } = memcg.vmstats.state;
  let bytes = MEMCG_ZSWAP_B;
  for (const m of below(memcg)) {
    for (const objcg of m.objcg_list) bytes += objcg.nr_charged_bytes;
    bytes += m.objcg?.nr_charged_bytes ?? 0;
  }
  for (const { cached_objcg, nr_bytes } of k.memcg.memcg_stock) {
    if (cached_objcg === null) continue;
    for (const m of upwards(cached_objcg.memcg)) {
      if (m === memcg) bytes += nr_bytes;
    }
  }
  must(
    bytes === MEMCG_KMEM * PAGE_SIZE,
    `group ${memcg.name}: ${MEMCG_KMEM} pages for objects, ${bytes} bytes`,
  );
}

/** A folio is on the lists of the group that it is charged to. */
function checkMembers(k: Kernel, memcg: MemCgroup): void {
  for (const { lruvec } of memcg.nodeinfo) {
    for (const list of lruvec.lists) {
      for (const folio of entriesOf(k, list)) {
        must(
          (folio.memcg ?? k.root_mem_cgroup) === memcg,
          `frame ${folio.pfn} is on a list of ${memcg.name}`,
        );
      }
    }
  }
}

/** Of each list; a node's total drifts, as in Linux. */
function checkListLrus(k: Kernel): void {
  for (const lru of k.memcg.list_lrus) {
    const groups = [...lru.xa.entries.values()].flatMap(({ node }) => node);
    for (const one of [...lru.node.map((node) => node.lru), ...groups]) {
      const found = listLength(one.list);
      must(
        one.nr_items === found,
        `${lru.name}: ${found} on a list, counted ${one.nr_items}`,
      );
    }
  }
}
