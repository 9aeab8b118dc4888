/**
 * Pages counted up a hierarchy: who charges a page charges every ancestor.
 *
 * Each level has a limit. A charge that one level refuses is taken back from
 * the levels below it.
 *
 * Kernel: mm/page_counter.c (v6.12). Differs: the walk up is one step; no
 * protection (memory.min, memory.low).
 */
import { EINVAL, type Errno } from "../base/errno.ts";
import type { Kernel } from "./mm_types.ts";

/** No limit. (Linux: LONG_MAX / PAGE_SIZE.) */
export const PAGE_COUNTER_MAX = Math.floor(Number.MAX_SAFE_INTEGER / 4096);

/** All in pages. */
export interface PageCounter {
  usage: number;
  /** The hard limit. */
  max: number;
  /** Above it, tasks are slowed down. */
  high: number;
  /** The highest usage so far, charges that an ancestor refused included. */
  watermark: number;
  /** Charges that this level refused. */
  failcnt: number;
  readonly parent: PageCounter | null;
}

export function page_counter_init(parent: PageCounter | null): PageCounter {
  return {
    usage: 0,
    max: PAGE_COUNTER_MAX,
    high: PAGE_COUNTER_MAX,
    watermark: 0,
    failcnt: 0,
    parent,
  };
}

/** Take pages out of one level; below zero is a bug, told and mended. */
export function page_counter_cancel(
  k: Kernel,
  counter: PageCounter,
  nr_pages: number,
): void {
  counter.usage -= nr_pages;
  if (counter.usage >= 0) return;
  k.warnings.push(
    `page_counter underflow: ${counter.usage} nr_pages=${nr_pages}`,
  );
  counter.usage = 0;
}

/** Charge `nr_pages` to the counter and all above it, whatever the limits. */
export function page_counter_charge(
  counter: PageCounter,
  nr_pages: number,
): void {
  for (let c: PageCounter | null = counter; c !== null; c = c.parent) {
    c.usage += nr_pages;
    c.watermark = Math.max(c.watermark, c.usage);
  }
}

/**
 * page_counter_try_charge() - charge, if every level has room.
 *
 * @returns null; or the lowest level that is full, and nothing is charged.
 *   (Linux: a boolean, and the level through a pointer.)
 */
export function page_counter_try_charge(
  counter: PageCounter,
  nr_pages: number,
): PageCounter | null {
  for (let c: PageCounter | null = counter; c !== null; c = c.parent) {
    const usage = c.usage + nr_pages;
    if (usage > c.max) {
      c.failcnt++;
      takeBack(counter, c, nr_pages);
      return c;
    }
    c.usage = usage;
    c.watermark = Math.max(c.watermark, usage);
  }
  return null;
}

/** From `counter` up, but not at `full`. The watermarks stay where they are. */
function takeBack(
  counter: PageCounter,
  full: PageCounter,
  nr_pages: number,
): void {
  for (let c = counter; c !== full; c = c.parent!) c.usage -= nr_pages;
}

export function page_counter_uncharge(
  k: Kernel,
  counter: PageCounter,
  nr_pages: number,
): void {
  for (let c: PageCounter | null = counter; c !== null; c = c.parent) {
    page_counter_cancel(k, c, nr_pages);
  }
}

/**
 * page_counter_memparse() - what was written to a file of a limit, in pages.
 *
 * "max" is no limit. Bytes, perhaps with K, M, G, T, P or E, are rounded *down* to
 * whole pages: "4095" is 0.
 *
 * @returns pages, or -EINVAL
 */
export function page_counter_memparse(buf: string): number | Errno {
  const text = buf.trim();
  if (text === "max") return PAGE_COUNTER_MAX;
  const bytes = memparse(text);
  if (bytes === null) return -EINVAL;
  return Math.min(Math.floor(bytes / 4096), PAGE_COUNTER_MAX);
}

/** Bytes of "4096", "16K", "1g" … "1E"; null for anything else. */
export function memparse(text: string): number | null {
  const match = /^(\d+)([KMGTPE]?)$/i.exec(text);
  if (match === null) return null;
  const power = " KMGTPE".indexOf(match[2]!.toUpperCase() || " ");
  return Number(match[1]) * 1024 ** power;
}
