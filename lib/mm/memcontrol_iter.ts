/**
 * Walking the tree of groups: a group first, then those below it.
 *
 * Each group is given with a reference, which the next call takes back. It may
 * be a dying one: a reference does not mean online. The walk's own root is
 * given as well, and is not counted.
 *
 * Kernel: mm/memcontrol.c, kernel/cgroup/cgroup.c (v6.12). Differs: one call
 * is one step, so no position is lost to another walker.
 */
import { css_put, css_tryget } from "./memcontrol.ts";
import { upwards } from "./memcontrol_stat.ts";
import type { Kernel, MemCgroup, PgData } from "./mm_types.ts";

/** For reclaimers of one node who share one walk. */
export interface MemCgroupReclaimCookie {
  readonly pgdat: PgData;
  generation: number;
}

/** The group that comes after `pos` in the tree below `root`; null: none. */
function css_next_descendant_pre(
  pos: MemCgroup | null,
  root: MemCgroup,
): MemCgroup | null {
  if (pos === null) return root;
  if (pos.children.length > 0) return pos.children[0]!;
  for (let m = pos; m !== root; m = m.parent!) {
    const siblings = m.parent!.children;
    const next = siblings[siblings.indexOf(m) + 1];
    if (next !== undefined) return next;
  }
  return null;
}

/** As above, passing over groups whose last reference has gone. */
function nextAlive(pos: MemCgroup | null, root: MemCgroup): MemCgroup | null {
  let next = css_next_descendant_pre(pos, root);
  while (next !== null && next !== root && !css_tryget(next)) {
    next = css_next_descendant_pre(next, root);
  }
  return next;
}

/**
 * mem_cgroup_iter() - the next group of the tree below `root`.
 *
 * @param root null for the root group
 * @param prev what the last call gave, its reference is taken back; null to
 *   begin
 * @param reclaim go on where the last reclaimer of this node stopped; the walk
 *   ends with the round that another one ends
 * @returns null after the last one
 */
export function mem_cgroup_iter(
  k: Kernel,
  root: MemCgroup | null,
  prev: MemCgroup | null,
  reclaim: MemCgroupReclaimCookie | null = null,
): MemCgroup | null {
  const top = root ?? k.root_mem_cgroup;
  const next = reclaim === null
    ? nextAlive(prev, top)
    : nextShared(top, prev, reclaim);
  mem_cgroup_iter_break(k, top, prev);
  return next;
}

function nextShared(
  root: MemCgroup,
  prev: MemCgroup | null,
  reclaim: MemCgroupReclaimCookie,
): MemCgroup | null {
  const { iter } = root.nodeinfo[reclaim.pgdat.node_id]!;
  if (prev === null) reclaim.generation = iter.generation;
  else if (reclaim.generation !== iter.generation) return null;
  iter.position = nextAlive(iter.position, root);
  if (iter.position !== null) return iter.position;
  iter.generation++;
  // Who has just come sees one group at least.
  if (prev === null) return nextShared(root, prev, reclaim);
  return null;
}

/** mem_cgroup_iter_break() - end the walk early: `prev`'s reference goes. */
export function mem_cgroup_iter_break(
  k: Kernel,
  root: MemCgroup | null,
  prev: MemCgroup | null,
): void {
  const top = root ?? k.root_mem_cgroup;
  if (prev !== null && prev !== top) css_put(k, prev);
}

/** Shared walks remember a group without a reference: forget the dead one. */
export function invalidate_reclaim_iterators(dead_memcg: MemCgroup): void {
  for (const memcg of upwards(dead_memcg)) {
    for (const { iter } of memcg.nodeinfo) {
      if (iter.position === dead_memcg) iter.position = null;
    }
  }
}
