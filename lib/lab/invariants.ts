/**
 * What must be true between any two operations. Ours.
 *
 * `checkMachine()` counts everything anew from the page tables, the swap map
 * and the lists, and stops the machine at the first thing that does not add
 * up. With `debug: true` it runs after every operation.
 */
import { KernelBug } from "../base/bug.ts";
import { entriesOf, listLength } from "../base/list.ts";
import { xa_load } from "../base/xarray.ts";
import type { Folio, Kernel, SwapInfoStruct } from "../mm/mm_types.ts";
import {
  folio_test_locked,
  folio_test_swapcache,
  folio_test_uptodate,
} from "../mm/page_flags.ts";
import {
  pte_pfn,
  pte_present,
  pte_to_swp_entry,
  ptep_get,
  PTRS_PER_PTE,
} from "../mm/pgtable.ts";
import { SWAP_HAS_CACHE, SWAP_MAP_BAD } from "../mm/swap.ts";
import { zeromapTest } from "../mm/swap_alloc.ts";
import { swp_swapcount } from "../mm/swap_count.ts";
import { entryName, swp_entry, swp_offset, swp_type } from "../mm/swapops.ts";
import { zswap_total_pages } from "../mm/zswap_pool.ts";

/** Users found in the page tables. */
interface Census {
  /** Mappings by frame. */
  readonly mappings: Map<number, number>;
  /** Entries by slot: "type:offset". */
  readonly users: Map<string, number>;
}

function must(condition: boolean, rule: string): void {
  if (!condition) throw new KernelBug(`Invariant broken: ${rule}`);
}

function add<Key>(counts: Map<Key, number>, key: Key): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

/** Count every entry of every page table. */
function census(k: Kernel): Census {
  const found: Census = { mappings: new Map(), users: new Map() };
  for (const mm of k.mms) {
    let present = 0;
    let swapped = 0;
    for (const table of mm.tables.values()) {
      for (let index = 0; index < PTRS_PER_PTE; index++) {
        if (table.words[index] === 0n) continue;
        const pte = ptep_get(table, index);
        if (!pte_present(pte)) {
          swapped++;
          add(found.users, entryName(pte_to_swp_entry(pte)));
        } else if (pte_pfn(pte) !== k.zero_pfn) {
          present++;
          add(found.mappings, pte_pfn(pte) as number);
        }
      }
    }
    must(
      mm.anon_pages === present,
      `process ${mm.pid}: ${present} present ` +
        `pages, counted ${mm.anon_pages}`,
    );
    must(
      mm.swap_ents === swapped,
      `process ${mm.pid}: ${swapped} swapped ` +
        `pages, counted ${mm.swap_ents}`,
    );
  }
  return found;
}

/** Stop the machine if anything does not add up. */
export function checkMachine({ k }: { readonly k: Kernel }): void {
  const found = census(k);
  checkFrames(k, found);
  checkLists(k);
  for (const si of k.swap_info) checkSlots(k, si, found);
  checkSwapTotals(k);
  checkZswap(k);
  must(k.warnings.length === 0, `no warnings, got: ${k.warnings.join("; ")}`);
}

/** Every frame is free, or the page of zeros, or in use by somebody. */
function checkFrames(k: Kernel, found: Census): void {
  let used = 0;
  let pool = 0;
  for (const folio of k.mem_map) {
    if (folio === null) continue;
    used++;
    must(folio._refcount > 0, `frame ${folio.pfn} in use has references`);
    const mappings = found.mappings.get(folio.pfn) ?? 0;
    must(
      folio._mapcount === mappings,
      `frame ${folio.pfn}: ${mappings} ` +
        `mappings, counted ${folio._mapcount}`,
    );
    const references = mappings + (folio_test_swapcache(folio) ? 1 : 0);
    if (references === 0) pool++;
    else {
      must(
        folio._refcount === references,
        `frame ${folio.pfn}: ` +
          `${references} users, ${folio._refcount} references`,
      );
    }
  }
  const total = used + k.zone.free_list.length + 1;
  must(
    total === k.totalram_pages,
    `${k.totalram_pages} frames, ${total} found`,
  );
  const digits = k.swap_info.flatMap((si) => [...si.continuations.values()]);
  const expected = zswap_total_pages(k) + digits.flat().length;
  must(
    pool === expected,
    `${pool} frames are no user's, zswap's pool and ` +
      `the swap map's digits have ${expected}`,
  );
}

function checkLists({ lruvec }: Kernel): void {
  const inactive = listLength(lruvec.inactive_anon);
  const active = listLength(lruvec.active_anon);
  must(
    inactive === lruvec.nr_inactive_anon,
    `nr_inactive_anon ` +
      `${lruvec.nr_inactive_anon}, on the list ${inactive}`,
  );
  must(
    active === lruvec.nr_active_anon,
    `nr_active_anon ` +
      `${lruvec.nr_active_anon}, on the list ${active}`,
  );
}

/** A byte of the map says what the page tables and the cache say. */
function checkSlots(k: Kernel, si: SwapInfoStruct, found: Census): void {
  let inuse = 0;
  for (let offset = 1; offset < si.max; offset++) {
    const byte = si.swap_map[offset]!;
    if (byte === SWAP_MAP_BAD) continue;
    const name = entryName(swp_entry(si.type, offset));
    const users = found.users.get(name) ?? 0;
    const counted = swp_swapcount(k, si, offset);
    must(counted === users, `slot ${name}: ${users} users, counted ${counted}`);
    const cached = cachedFolio(si, offset) !== null;
    const pinned = (byte & SWAP_HAS_CACHE) !== 0;
    must(
      cached === pinned,
      `slot ${name}: in the cache ${cached}, ` +
        `pinned ${pinned}`,
    );
    if (byte !== 0) inuse++;
    checkCopy(k, si, offset, byte);
  }
  must(
    si.inuse_pages === inuse,
    `device ${si.type}: ${inuse} slots in use, ` +
      `counted ${si.inuse_pages}`,
  );
}

function cachedFolio(si: SwapInfoStruct, offset: number): Folio | null {
  return xa_load(si.swapper_spaces[offset >>> 14]!.xa, offset);
}

/** A slot with users has its page somewhere; one without has it nowhere. */
function checkCopy(
  k: Kernel,
  si: SwapInfoStruct,
  offset: number,
  byte: number,
): void {
  const name = entryName(swp_entry(si.type, offset));
  const compressed = xa_load(
    k.zswap.trees[si.type]![offset >>> 14]!.xa,
    offset,
  );
  const zero = zeromapTest(si, offset);
  if (byte === 0) {
    must(compressed === null, `slot ${name} is free but zswap has a copy`);
    must(!zero, `slot ${name} is free but marked as zero`);
    return;
  }
  const folio = cachedFolio(si, offset);
  // A locked folio is being read: ask again when it is done.
  const inMemory = folio !== null &&
    (folio_test_uptodate(folio) || folio_test_locked(folio));
  const onDevice = si.disk.sectors.has(offset);
  must(
    inMemory || zero || compressed !== null || onDevice,
    `slot ${name} has users but its page is nowhere`,
  );
}

function checkSwapTotals(k: Kernel): void {
  const inuse = k.swap_info.reduce((sum, si) => sum + si.inuse_pages, 0);
  const total = k.nr_swap_pages + inuse;
  must(
    total === k.total_swap_pages,
    `${k.total_swap_pages} slots, ` +
      `${k.nr_swap_pages} free and ${inuse} in use`,
  );
}

/** Every entry is in its tree and on the list; nothing else is. */
function checkZswap(k: Kernel): void {
  const { zswap } = k;
  let stored = 0;
  for (const trees of zswap.trees) {
    for (const tree of trees) stored += tree.xa.entries.size;
  }
  must(
    zswap.stored_pages === stored,
    `stored_pages ${zswap.stored_pages}, ` +
      `in the trees ${stored}`,
  );
  let listed = 0;
  for (const entry of entriesOf(zswap.list_lru)) {
    listed++;
    const { swpentry } = entry;
    const offset = swp_offset(swpentry);
    const tree = zswap.trees[swp_type(swpentry)]![offset >>> 14]!;
    must(
      xa_load(tree.xa, offset) === entry,
      `entry ${entryName(swpentry)} ` +
        `is on the list and in its tree`,
    );
  }
  must(
    listed === stored && zswap.nr_lru === stored,
    `${stored} entries, ` +
      `${listed} on the list, nr_lru ${zswap.nr_lru}`,
  );
}
