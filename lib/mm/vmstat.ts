/**
 * Event counters of the whole machine, with the names of /proc/vmstat.
 *
 * Kernel: include/linux/vm_event_item.h, mm/vmstat.c (v6.12). Differs: no
 * per-CPU parts; only counters of what the engine has.
 */
export interface VmEvents {
  /** Faults of all kinds, and those that had to read a page in. */
  pgfault: number;
  pgmajfault: number;
  pgalloc_normal: number;
  pgfree: number;
  /** Folios moved between the lists. */
  pgactivate: number;
  pgdeactivate: number;
  /** Folios put to the tail when their write was over. */
  pgrotated: number;
  /** Pages of MADV_FREE: marked, and freed without a slot. */
  pglazyfree: number;
  pglazyfreed: number;
  /** Objects that shrinkers looked at. */
  slabs_scanned: number;
  /** Pages that came back; those soon enough to be active; once active ones. */
  workingset_refault_anon: number;
  workingset_activate_anon: number;
  workingset_restore_anon: number;
  /** Active folios looked at. */
  pgrefill: number;
  /** Folios looked at, and freed, by who did it. */
  pgscan_kswapd: number;
  pgscan_direct: number;
  pgsteal_kswapd: number;
  pgsteal_direct: number;
  /** The same, by kind; file: pages that MADV_FREE gave up. */
  pgscan_anon: number;
  pgscan_file: number;
  pgsteal_anon: number;
  pgsteal_file: number;
  /** Times an allocation had to reclaim for itself. */
  allocstall_normal: number;
  /** Times kswapd was woken. */
  pageoutrun: number;
  /** Pages read from and written to a swap device, counted at submission. */
  pswpin: number;
  pswpout: number;
  /** Pages read ahead, and those of them that somebody asked for. */
  swap_ra: number;
  swap_ra_hit: number;
  /** Pages that were all zero: no device, no zswap. */
  swpin_zero: number;
  swpout_zero: number;
  /** Pages loaded from, stored in, and evicted by zswap. */
  zswpin: number;
  zswpout: number;
  zswpwb: number;
  oom_kill: number;
}

/** All counters at zero. */
export function makeVmEvents(): VmEvents {
  return {
    pgfault: 0,
    pgmajfault: 0,
    pgalloc_normal: 0,
    pgfree: 0,
    pgactivate: 0,
    pgdeactivate: 0,
    pgrotated: 0,
    pglazyfree: 0,
    pglazyfreed: 0,
    slabs_scanned: 0,
    workingset_refault_anon: 0,
    workingset_activate_anon: 0,
    workingset_restore_anon: 0,
    pgrefill: 0,
    pgscan_kswapd: 0,
    pgscan_direct: 0,
    pgsteal_kswapd: 0,
    pgsteal_direct: 0,
    pgscan_anon: 0,
    pgscan_file: 0,
    pgsteal_anon: 0,
    pgsteal_file: 0,
    allocstall_normal: 0,
    pageoutrun: 0,
    pswpin: 0,
    pswpout: 0,
    swap_ra: 0,
    swap_ra_hit: 0,
    swpin_zero: 0,
    swpout_zero: 0,
    zswpin: 0,
    zswpout: 0,
    zswpwb: 0,
    oom_kill: 0,
  };
}
