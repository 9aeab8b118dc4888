/**
 * What must be true of zswap between any two operations: of its trees, lists,
 * pools and what the groups were charged. Ours; invariants.ts calls it.
 */
import { entriesOf } from "../base/list.ts";
import { xa_load } from "../base/xarray.ts";
import type { ListLruOne } from "../mm/list_lru.ts";
import { mem_cgroup_online, memcg_kmem_id } from "../mm/memcontrol.ts";
import { memcg_page_state } from "../mm/memcontrol_stat.ts";
import type { Kernel, MemCgroup } from "../mm/mm_types.ts";
import { entryName, spaceIndex, swp_offset, swp_type } from "../mm/swapops.ts";
import type { ZswapEntry } from "../mm/zswap_entry.ts";
import { must, tally } from "./must.ts";

/** Every entry of every tree. */
function* storedEntries(k: Kernel): Generator<ZswapEntry, void, void> {
  for (const trees of k.zswap.trees) {
    for (const tree of trees ?? []) yield* tree.xa.entries.values();
  }
}

/** Stop the machine if anything of zswap does not add up. */
export function checkZswap(k: Kernel): void {
  const { zswap } = k;
  const stored = [...storedEntries(k)].length;
  must(
    zswap.stored_pages === stored,
    `stored_pages ${zswap.stored_pages}, in the trees ${stored}`,
  );
  const listed = checkEntryLists(k);
  // Pages of one word take no room, so they are no victims.
  const filled = zswap.same_filled_pages;
  must(
    stored - filled === listed,
    `${stored} entries, ${filled} of one word, ${listed} on the lists`,
  );
  checkPools(k);
  checkCharges(k, k.root_mem_cgroup, charges(k));
}

/** The list that a deletion of the entry would count down. */
function listFor(k: Kernel, entry: ZswapEntry): ListLruOne<ZswapEntry> | null {
  const { list_lru } = k.zswap;
  if (k.proposals.zswap_lru === "pool") return list_lru.node[0]!.lru;
  const id = memcg_kmem_id(entry.objcg?.memcg ?? null);
  if (id < 0) return list_lru.node[entry.nid]!.lru;
  return xa_load(list_lru.xa, id)?.node[entry.nid] ?? null;
}

/** Every entry of every list belongs there. @returns how many there are */
function checkEntryLists(k: Kernel): number {
  const { node, xa } = k.zswap.list_lru;
  const lists = [
    ...node.map(({ lru }) => lru),
    ...[...xa.entries.values()].flatMap((memcg) => memcg.node),
  ];
  let listed = 0;
  for (const one of lists) {
    for (const entry of entriesOf(one.list)) {
      listed++;
      const { swpentry } = entry;
      const tree = k.zswap.trees[swp_type(swpentry)]![spaceIndex(swpentry)]!;
      const name = entryName(swpentry);
      must(
        xa_load(tree.xa, swp_offset(swpentry)) === entry,
        `entry ${name} is on a list and in its tree`,
      );
      must(listFor(k, entry) === one, `entry ${name} is on its group's list`);
    }
  }
  return listed;
}

/** A pool is held by its entries, and once more while it is the current. */
function checkPools(k: Kernel): void {
  const users = new Map<object, number>();
  for (const entry of storedEntries(k)) tally(users, entry.pool);
  for (const pool of entriesOf(k.zswap.pools)) {
    const expected = (users.get(pool) ?? 0) + (pool.ref.dead ? 0 : 1);
    must(
      pool.ref.count === expected,
      `${pool.ref.name}: ${expected} users, counted ${pool.ref.count}`,
    );
  }
}

/** Pages and bytes by the group that pays for them. */
function charges(k: Kernel): Map<MemCgroup, { pages: number; bytes: number }> {
  const sums = new Map<MemCgroup, { pages: number; bytes: number }>();
  for (const { objcg, length } of storedEntries(k)) {
    for (let m = objcg?.memcg ?? null; m !== null; m = m.parent) {
      const { pages, bytes } = sums.get(m) ?? { pages: 0, bytes: 0 };
      sums.set(m, { pages: pages + 1, bytes: bytes + length });
    }
  }
  return sums;
}

function checkCharges(
  k: Kernel,
  memcg: MemCgroup,
  sums: ReturnType<typeof charges>,
): void {
  // What a dead group's entries take is its parent's; its own sums stand still.
  if (!mem_cgroup_online(memcg)) return;
  const { pages, bytes } = sums.get(memcg) ?? { pages: 0, bytes: 0 };
  const charged = memcg_page_state(memcg, "MEMCG_ZSWAP_B");
  const stored = memcg_page_state(memcg, "MEMCG_ZSWAPPED");
  must(
    charged === bytes && stored === pages,
    `group ${memcg.name}: ${pages} pages of ${bytes} bytes in zswap, ` +
      `charged for ${stored} of ${charged}`,
  );
  for (const child of memcg.children) checkCharges(k, child, sums);
}
