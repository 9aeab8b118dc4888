/**
 * The two lists on which anonymous pages age.
 *
 * A new page starts at the head of the inactive list; reclaim takes from its
 * tail. A page that was used twice is moved to the active list.
 *
 * Kernel: mm/swap.c, include/linux/mm_inline.h (v6.12). Differs: no per-CPU
 * batches in front of the lists, so a folio is on its list at once and holds
 * no extra reference.
 */
import {
  INIT_LIST_HEAD,
  list_add,
  list_add_tail,
  list_del,
  type ListHead,
} from "../base/list.ts";
import { spin_lock_init } from "../locking/spinlock.ts";
import type { Folio, Kernel, Lruvec } from "./mm_types.ts";
import {
  clearFlag,
  folio_test_active,
  folio_test_dirty,
  folio_test_locked,
  folio_test_lru,
  PG_active,
  PG_lru,
  setFlag,
} from "./page_flags.ts";

export function lruvec_init(): Lruvec {
  return {
    lru_lock: spin_lock_init("lruvec->lru_lock"),
    inactive_anon: INIT_LIST_HEAD<Folio>(),
    active_anon: INIT_LIST_HEAD<Folio>(),
    nr_inactive_anon: 0,
    nr_active_anon: 0,
  };
}

function count(lruvec: Lruvec, active: boolean, change: 1 | -1): void {
  if (active) lruvec.nr_active_anon += change;
  else lruvec.nr_inactive_anon += change;
}

function listOf(lruvec: Lruvec, active: boolean): ListHead<Folio> {
  return active ? lruvec.active_anon : lruvec.inactive_anon;
}

/** Put the folio at the head of the list that its PG_active names. */
export function folio_add_lru(k: Kernel, folio: Folio): void {
  const active = folio_test_active(folio);
  setFlag(folio, PG_lru);
  list_add(folio.lru, listOf(k.lruvec, active));
  count(k.lruvec, active, 1);
}

/** Take the folio off its list. (Linux: lruvec_del_folio().) */
export function lruDelete(k: Kernel, folio: Folio): void {
  clearFlag(folio, PG_lru);
  list_del(folio.lru);
  count(k.lruvec, folio_test_active(folio), -1);
}

/**
 * folio_rotate_reclaimable() - its write to the device is over: free it next.
 *
 * Only if it is back on a list, unlocked and clean: else it is in use.
 */
export function folio_rotate_reclaimable(k: Kernel, folio: Folio): void {
  if (!folio_test_lru(folio)) return;
  if (folio_test_locked(folio) || folio_test_dirty(folio)) return;
  lruDelete(k, folio);
  clearFlag(folio, PG_active);
  setFlag(folio, PG_lru);
  list_add_tail(folio.lru, k.lruvec.inactive_anon);
  count(k.lruvec, false, 1);
}
