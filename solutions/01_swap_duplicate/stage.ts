/**
 * Drives a swap_count.ts with plain data: builds the slots that a test names,
 * calls the functions, and tells what happened. It knows no right answers.
 */
import { makeMachine } from "swaplab/lab/machine.ts";
import { searchRace } from "swaplab/lab/race_search.ts";
import type { Kernel, SwapInfoStruct } from "swaplab/mm/mm_types.ts";
import { get_page_from_freelist, GFP_ATOMIC } from "swaplab/mm/page_alloc.ts";
import { SWAP_HAS_CACHE, SWAP_MAP_SHMEM } from "swaplab/mm/swap.ts";
import type * as swapCount from "swaplab/mm/swap_count.ts";

type SwapCount = Pick<
  typeof swapCount,
  | "__swap_duplicate"
  | "__swap_entry_free_locked"
  | "add_swap_count_continuation"
>;

/** A slot before or after a call. */
export interface Slot {
  readonly byte: number;
  /** The bytes above it in the continuation pages, lowest digit first. */
  readonly digits: readonly number[];
}

/** `share`: one more user. `drop`: one less. `unpin`: the pin goes. */
export type Move = "share" | "drop" | "pin" | "unpin" | "shmem";

const slots = 16;

export function makeStage(answer: SwapCount) {
  return {
    /** One call on one slot. */
    duplicate: (slot: Slot, usage: number) => duplicate(answer, slot, usage),
    /** Many calls on up to 16 slots: `[move, slot]`. */
    replay: (bytes: number[], moves: [Move, number][]) =>
      replay(answer, bytes, moves),
    /** A machine, run with the answer in the place of the engine's module. */
    forkStory: (children: number, hogs: number[]) => forkStory(children, hogs),
    /** All runs of a litmus test, or all up to one that breaks. */
    race: (litmus: string, variant: string) =>
      searchRace({ litmus, variant, proposals: {} }, { stopAtFailure: true }),
  };
}

interface Device {
  readonly k: Kernel;
  readonly si: SwapInfoStruct;
}

/** A device without clusters, its lock held, as the functions want it. */
function makeDevice(): Device {
  const machine = makeMachine({
    frames: 64,
    swap: { kind: "hdd", pages: slots + 1 },
    traceEvents: 0,
  });
  const [si] = machine.k.swap_info;
  si!.lock.locked = true;
  return { k: machine.k, si: si! };
}

function duplicate(answer: SwapCount, slot: Slot, usage: number) {
  const { k, si } = makeDevice();
  const offset = 5;
  const places = slot.digits.map((digit) => {
    const page = get_page_from_freelist(k, GFP_ATOMIC)!;
    k.memory[page.pfn * 4096 + offset] = digit;
    return page;
  });
  if (places.length > 0) si.continuations.set(0, places);
  si.swap_map[offset] = slot.byte;
  const before = si.swap_map.slice();
  const result = answer.__swap_duplicate(k, si, offset, usage);
  return {
    result,
    byte: si.swap_map[offset],
    digits: places.map((page) => k.memory[page.pfn * 4096 + offset]),
    neighboursChanged: before.some((byte, at) =>
      at !== offset && byte !== si.swap_map[at]
    ),
  };
}

function replay(
  answer: SwapCount,
  bytes: readonly number[],
  moves: readonly [Move, number][],
) {
  const device = makeDevice();
  bytes.forEach((byte, index) => device.si.swap_map[index + 1] = byte);
  return moves.map(([move, index]) => {
    const results = perform(answer, device, move, index + 1);
    return { results, byte: device.si.swap_map[index + 1] };
  });
}

/** What each call returned; a share that wants a page is tried again. */
function perform(
  answer: SwapCount,
  { k, si }: Device,
  move: Move,
  offset: number,
): number[] {
  if (move === "drop") {
    return [answer.__swap_entry_free_locked(k, si, offset, 1)];
  }
  if (move === "unpin") {
    return [answer.__swap_entry_free_locked(k, si, offset, SWAP_HAS_CACHE)];
  }
  const usage = usages[move];
  const first = answer.__swap_duplicate(k, si, offset, usage);
  if (first !== -12) return [first];
  answer.add_swap_count_continuation(k, si, offset);
  return [first, answer.__swap_duplicate(k, si, offset, usage)];
}

const usages = { share: 1, pin: SWAP_HAS_CACHE, shmem: SWAP_MAP_SHMEM };

/**
 * A process is swapped out, gets children, and some of them use its pages
 * while others end. Every invariant is checked after every step.
 *
 * @param hogs how many pages another process uses before each look
 */
function forkStory(children: number, hogs: readonly number[]) {
  const machine = makeMachine({ frames: 96, debug: true, traceEvents: 0 });
  const { k } = machine;
  const looks: object[] = [];
  const look = () => {
    const bytes = [...k.swap_info[0]!.swap_map].filter((byte) => byte !== 0);
    looks.push({ bytes, free: k.nr_swap_pages, ...k.vm_event });
  };
  const use = (pages: number) => {
    const hog = machine.spawn({ pages });
    for (let page = 0; page < pages; page++) hog.touch(page, true);
    hog.exit();
    look();
  };

  const family = [machine.spawn({ pages: 4 })];
  for (let page = 0; page < 4; page++) family[0]!.touch(page, true);
  for (const pages of hogs) use(pages);
  while (family.length <= children) {
    // From here on slot 0 is pinned as well: also when its count overflows.
    if (family.length === 60) family[1]!.touch(0, false);
    family.push(family[0]!.fork());
  }
  look();
  family.forEach((process, index) => process.touch(index % 4, index % 3 === 0));
  for (const pages of hogs) use(pages);
  for (const process of family) process.exit();
  look();
  return looks;
}
