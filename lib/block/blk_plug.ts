/**
 * Plugs: requests wait a moment, so that neighbours become one request.
 *
 * A task that is about to submit several bios starts a plug and finishes it
 * when the last one is in. A bio whose page follows (or precedes) those of the
 * last request in the plug is merged into it: the device then pays for its way
 * there once. A full plug empties itself.
 *
 *   const plug = blk_start_plug();
 *   for (const bio of bios) yield* submit_bio(bdev, bio, plug);
 *   blk_finish_plug(plug);
 *
 * Kernel: block/blk-core.c, block/blk-merge.c, block/blk-mq.c, block/blk.h
 * (v6.12). Differs: the plug is passed on instead of hanging on the task, so a
 * task that sleeps does not flush it: finish a plug before waiting for what is
 * in it. With several devices in a plug, the last request of each is tried,
 * not the first; requests that are in the queue already are not merged.
 */
import { type Bio, PAGE_SIZE } from "./bio.ts";

/** Requests after which a plug empties itself; twice that for two devices. */
export const BLK_MAX_REQUEST_COUNT = 32;
/** So does a plug whose last request has this many bytes. */
export const BLK_PLUG_FLUSH_SIZE = 128 * 1024;

/** Neighbouring pages that are read or written in one go; at least one. */
export interface Request {
  readonly op: Bio["op"];
  /** In ascending order of their pages, without a gap. */
  readonly bios: Bio[];
}

/** Where a plug's requests go: the queue of one device. */
export interface RequestQueue {
  readonly queueRequests: (requests: readonly Request[]) => void;
  readonly countMerge: () => void;
}

export interface BlkPlug {
  /** Oldest first, each with the queue it is for. */
  readonly mq_list: { readonly q: RequestQueue; readonly rq: Request }[];
}

export function makeRequest(bio: Bio): Request {
  return { op: bio.op, bios: [bio] };
}

export function blk_start_plug(): BlkPlug {
  return { mq_list: [] };
}

/** Give everything to the devices; the plug is empty and can be used again. */
export function blk_finish_plug(plug: BlkPlug): void {
  // Requests of one queue go there together, in the order they came.
  while (plug.mq_list.length > 0) {
    const { q } = plug.mq_list[0]!;
    const mine = plug.mq_list.filter((each) => each.q === q);
    const others = plug.mq_list.filter((each) => each.q !== q);
    plug.mq_list.splice(0, plug.mq_list.length, ...others);
    q.queueRequests(mine.map(({ rq }) => rq));
  }
}

/** Let `bio` wait in the plug, alone or with a neighbour. */
export function addToPlug(plug: BlkPlug, q: RequestQueue, bio: Bio): void {
  if (blk_attempt_plug_merge(plug, q, bio)) {
    q.countMerge();
    return;
  }
  const last = plug.mq_list.at(-1);
  const full = plug.mq_list.length >= blk_plug_max_rq_count(plug) ||
    (last?.rq.bios.length ?? 0) * PAGE_SIZE >= BLK_PLUG_FLUSH_SIZE;
  if (full) blk_finish_plug(plug);
  plug.mq_list.push({ q, rq: makeRequest(bio) });
}

function blk_plug_max_rq_count({ mq_list }: BlkPlug): number {
  const several = mq_list.some(({ q }) => q !== mq_list[0]!.q);
  return several ? 2 * BLK_MAX_REQUEST_COUNT : BLK_MAX_REQUEST_COUNT;
}

/**
 * blk_attempt_plug_merge() - merge with the last request for this queue.
 *
 * Only that one is tried, as in Linux: a search would cost more than it finds.
 */
function blk_attempt_plug_merge(
  plug: BlkPlug,
  q: RequestQueue,
  bio: Bio,
): boolean {
  const last = plug.mq_list.findLast((each) => each.q === q);
  if (last === undefined || last.rq.op !== bio.op) return false;
  const { bios } = last.rq;
  if (bio.sector === bios.at(-1)!.sector + 1) bios.push(bio);
  else if (bio.sector === bios[0]!.sector - 1) bios.unshift(bio);
  else return false;
  return true;
}
