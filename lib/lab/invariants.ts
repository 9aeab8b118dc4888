/**
 * What must be true between any two operations. Ours.
 *
 * `checkMachine()` counts everything anew from the page tables, the swap map
 * and the lists, and stops the machine at the first thing that does not add
 * up. With `debug: true` it runs after every operation.
 */
import { xa_load } from "../base/xarray.ts";
import { foliosInUse, pfn_folio } from "../mm/folio.ts";
import { listLength } from "../mm/folio_list.ts";
import type {
  Folio,
  Kernel,
  MemCgroup,
  SwapInfoStruct,
} from "../mm/mm_types.ts";
import {
  folio_test_locked,
  folio_test_swapcache,
  folio_test_uptodate,
  folioOfObject,
} from "../mm/page_flags.ts";
import { nr_free_pages } from "../mm/page_alloc.ts";
import {
  pte_none,
  pte_pfn,
  pte_present,
  pte_to_swp_entry,
  ptep_get,
  PTRS_PER_PTE,
} from "../mm/pgtable.ts";
import { swapinError } from "../mm/shmem.ts";
import { SWAP_HAS_CACHE, SWAP_MAP_BAD, SWAP_MAP_SHMEM } from "../mm/swap.ts";
import { zeromapTest } from "../mm/swap_alloc.ts";
import { swap_count, swp_swapcount } from "../mm/swap_count.ts";
import {
  entryName,
  non_swap_entry,
  swp_entry,
  type SwpEntry,
} from "../mm/swapops.ts";
import { si_swapinfo } from "../mm/swapon.ts";
import { zswap_total_pages } from "../mm/zswap_pool.ts";
import { checkMemcg } from "./invariants_memcg.ts";
import { checkClusters, parkedSlots } from "./invariants_swap.ts";
import { checkZswap } from "./invariants_zswap.ts";
import { must, tally } from "./must.ts";

/** Users found in the page tables. */
interface Census {
  /** Mappings by frame. */
  readonly mappings: Map<number, number>;
  /** Entries by slot. */
  readonly users: Map<SwpEntry, number>;
}

/** Count every entry of every page table. */
function census(k: Kernel): Census {
  const found: Census = { mappings: new Map(), users: new Map() };
  for (const mm of k.mms) {
    let present = 0;
    let shared = 0;
    let swapped = 0;
    for (const table of mm.tables.values()) {
      for (let index = 0; index < PTRS_PER_PTE; index++) {
        if (pte_none(ptep_get(table, index))) continue;
        const pte = ptep_get(table, index);
        if (!pte_present(pte)) {
          const entry = pte_to_swp_entry(pte);
          if (non_swap_entry(entry)) continue;
          swapped++;
          tally(found.users, entry);
        } else if (pte_pfn(pte) !== k.zero_pfn) {
          if (folioOfObject(pfn_folio(k, pte_pfn(pte))!)) shared++;
          else present++;
          tally(found.mappings, pte_pfn(pte) as number);
        }
      }
    }
    must(
      mm.anon_pages === present,
      `process ${mm.pid}: ${present} present ` +
        `pages, counted ${mm.anon_pages}`,
    );
    must(
      mm.shmem_pages === shared,
      `process ${mm.pid}: ${shared} shared pages, counted ${mm.shmem_pages}`,
    );
    must(
      mm.swap_ents === swapped,
      `process ${mm.pid}: ${swapped} swapped ` +
        `pages, counted ${mm.swap_ents}`,
    );
  }
  for (const { mapping, swapped } of k.shmem_swaplist) {
    const entries = [...mapping.i_pages.entries.values()]
      .filter((each) => typeof each === "number" && each !== swapinError);
    must(
      swapped === entries.length,
      `${mapping.i_pages.name}: ${entries.length} in swap, counted ${swapped}`,
    );
    for (const entry of entries) {
      tally(found.users, entry as SwpEntry);
    }
  }
  return found;
}

/** Stop the machine if anything does not add up. */
export function checkMachine({ k }: { readonly k: Kernel }): void {
  const found = census(k);
  checkFrames(k, found);
  checkLists(k, k.root_mem_cgroup);
  const parked = parkedSlots(k);
  for (const si of k.swap_info) {
    checkSlots(k, si, found, parked);
    checkClusters(si);
  }
  checkSwapTotals(k);
  checkZswap(k);
  checkMemcg(k);
  must(k.warnings.length === 0, `no warnings, got: ${k.warnings.join("; ")}`);
}

/** Every frame is free, or the page of zeros, or in use by somebody. */
function checkFrames(k: Kernel, found: Census): void {
  let used = 0;
  let pool = 0;
  for (const folio of foliosInUse(k)) {
    used++;
    must(
      folio._refcount > 0,
      () => `frame ${folio.pfn} in use has references`,
    );
    const mappings = found.mappings.get(folio.pfn) ?? 0;
    must(
      folio._mapcount === mappings,
      () =>
        `frame ${folio.pfn}: ${mappings} ` +
        `mappings, counted ${folio._mapcount}`,
    );
    const owned = folio_test_swapcache(folio) || folioOfObject(folio);
    const references = mappings + (owned ? 1 : 0);
    if (references === 0) pool++;
    else {
      must(
        folio._refcount === references,
        () =>
          `frame ${folio.pfn}: ` +
          `${references} users, ${folio._refcount} references`,
      );
    }
  }
  const total = used + nr_free_pages(k) + 1;
  must(
    total === k.totalram_pages,
    `${k.totalram_pages} frames, ${total} found`,
  );
  const digits = k.swap_info.flatMap((si) => [...si.continuations.values()]);
  // One that was away may have come back under another number.
  const disks = [...new Set(k.swap_info.map(({ disk }) => disk))];
  const onZram = disks.reduce((n, disk) => n + disk.framesUsed(), 0);
  const expected = zswap_total_pages(k) + digits.flat().length + onZram;
  must(
    pool === expected,
    `${pool} frames are no user's, zswap's pool, zram ` +
      `and the swap map's digits have ${expected}`,
  );
}

/** The counters of every list of a group and of those below it. */
function checkLists(k: Kernel, memcg: MemCgroup): void {
  for (const { lruvec } of memcg.nodeinfo) {
    for (const [lru, list] of lruvec.lists.entries()) {
      const found = listLength(k, list);
      must(
        lruvec.lru_size[lru] === found,
        `group ${memcg.name}, node ${lruvec.pgdat.node_id}: lru_size[${lru}] ` +
          `${lruvec.lru_size[lru]}, on the list ${found}`,
      );
    }
  }
  for (const child of memcg.children) checkLists(k, child);
}

/** A byte of the map says what the page tables and the cache say. */
function checkSlots(
  k: Kernel,
  si: SwapInfoStruct,
  found: Census,
  parked: ReadonlySet<SwpEntry>,
): void {
  let inuse = 0;
  for (let offset = 1; offset < si.max; offset++) {
    const byte = si.swap_map[offset]!;
    if (byte === SWAP_MAP_BAD) continue;
    const entry = swp_entry(si.type, offset);
    const users = found.users.get(entry) ?? 0;
    const waits = parked.has(entry);
    if (k.proposals.swap_map_cache_flag === "on") {
      checkFlag(k, si, offset, users, waits);
    } else checkPlainCount(k, si, offset, users, waits);
    if (byte !== 0) inuse++;
    if (!waits) checkCopy(k, si, offset, byte);
  }
  must(
    si.inuse_pages === inuse,
    `device ${si.type}: ${inuse} slots in use, ` +
      `counted ${si.inuse_pages}`,
  );
}

/** The count is that of the users; the flag is another thing. */
function checkFlag(
  k: Kernel,
  si: SwapInfoStruct,
  offset: number,
  users: number,
  waits: boolean,
): void {
  const byte = si.swap_map[offset]!;
  // Shared memory's byte is no count: it says "one".
  const counted = swap_count(byte) === SWAP_MAP_SHMEM
    ? 1
    : swp_swapcount(k, si, offset);
  must(
    counted === users,
    () => `slot ${nameOf(si, offset)}: ${users} users, counted ${counted}`,
  );
  const cached = cachedFolio(si, offset) !== null;
  const pinned = (byte & SWAP_HAS_CACHE) !== 0;
  must(
    pinned === (cached !== waits) && (!waits || byte === SWAP_HAS_CACHE),
    () =>
      `slot ${
        nameOf(si, offset)
      }: in the cache ${cached}, in a cache of slots ${waits}, ` +
      `byte 0x${byte.toString(16)}`,
  );
}

/** `swap_map_cache_flag: "off"`: users and the cache in one count. */
function checkPlainCount(
  k: Kernel,
  si: SwapInfoStruct,
  offset: number,
  users: number,
  waits: boolean,
): void {
  const name = entryName(swp_entry(si.type, offset));
  const byte = si.swap_map[offset]!;
  const cached = cachedFolio(si, offset) !== null ? 1 : 0;
  if (waits && byte === SWAP_HAS_CACHE) {
    must(users + cached === 0, `slot ${name} waits to be freed, but is used`);
    return;
  }
  // One that waits to be given out has its count already.
  const expected = users + cached + (waits ? 1 : 0);
  const counted = swp_swapcount(k, si, offset);
  must(
    counted === expected && (byte & SWAP_HAS_CACHE) === 0,
    `slot ${name}: ${users} users, ${cached} in the cache, waits ${waits}, ` +
      `byte 0x${byte.toString(16)}`,
  );
}

function nameOf({ type }: SwapInfoStruct, offset: number): string {
  return entryName(swp_entry(type, offset));
}

function cachedFolio(si: SwapInfoStruct, offset: number): Folio | null {
  const found = xa_load(si.swapper_spaces[offset >>> 14]!.xa, offset);
  return typeof found === "number" ? null : found;
}

/** A slot with users has its page somewhere; one without has it nowhere. */
function checkCopy(
  k: Kernel,
  si: SwapInfoStruct,
  offset: number,
  byte: number,
): void {
  const compressed = xa_load(
    k.zswap.trees[si.type]![offset >>> 14]!.xa,
    offset,
  );
  const zero = zeromapTest(si, offset);
  if (byte === 0) {
    must(
      compressed === null,
      () => `slot ${nameOf(si, offset)} is free but zswap has a copy`,
    );
    must(
      !zero,
      () => `slot ${nameOf(si, offset)} is free but marked as zero`,
    );
    return;
  }
  const folio = cachedFolio(si, offset);
  // A locked folio is being read: ask again when it is done.
  const inMemory = folio !== null &&
    (folio_test_uptodate(folio) || folio_test_locked(folio));
  const onDevice = si.disk.hasPage(offset);
  must(
    inMemory || zero || compressed !== null || onDevice,
    () => `slot ${nameOf(si, offset)} has users but its page is nowhere`,
  );
}

function checkSwapTotals(k: Kernel): void {
  const inuse = k.swap_info.reduce((sum, si) => sum + si.inuse_pages, 0);
  const { totalswap, freeswap } = si_swapinfo(k);
  must(
    freeswap + inuse === totalswap,
    `${totalswap} slots, ${freeswap} free and ${inuse} in use`,
  );
}
