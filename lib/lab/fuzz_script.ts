/**
 * Fuzz scripts: a machine and a list of operations, both plain data.
 *
 * `makeScript()` draws one from a seed; printed as JSON it can be kept, cut
 * down and run again. Ours.
 */
import { compressorNames } from "../crypto/acomp.ts";
import { zpoolNames } from "../mm/zpool.ts";
import { makeRng, nextBelow, type Rng } from "../sim/rng.ts";
import { operations } from "./fuzz_operations.ts";
import { argumentsFrom } from "./fuzz_world.ts";
import type { MachineOptions, SwapSettings } from "./options.ts";

/** A name from fuzz_operations.ts and its numbers. */
export type Line = readonly [name: string, ...numbers: number[]];

export interface Script {
  readonly seed: number;
  readonly machine: MachineOptions;
  /** Pages of each process. */
  readonly pages: number;
  readonly lines: readonly Line[];
}

const kinds = ["ssd", "ssd", "hdd", "brd"] as const;

function pick<T>(rng: Rng, items: readonly T[]): T {
  return items[nextBelow(rng, items.length)]!;
}

/** makeScript() - `count` operations on a machine, all from the seed. */
export function makeScript(seed: number, count: number): Script {
  const rng = makeRng(seed);
  const machine = drawMachine(rng, seed);
  const pages = 16 + nextBelow(rng, 60);
  return { seed, machine, pages, lines: drawLines(seed, count) };
}

function drawLines(seed: number, count: number): Line[] {
  const next = argumentsFrom(seed + 1_000_000_007);
  const rng = makeRng(seed);
  const named = [...operations];
  const total = named.reduce((sum, [, { weight }]) => sum + weight, 0);
  return Array.from({ length: count }, () => {
    let left = nextBelow(rng, total);
    for (const [name, { weight, arity }] of named) {
      if (left < weight) return [name, ...Array.from({ length: arity }, next)];
      left -= weight;
    }
    throw new RangeError("unreachable: the weights do not sum up");
  });
}

function drawMachine(rng: Rng, seed: number): MachineOptions {
  const nodes = pick(rng, [1, 1, 2]);
  const frames = nodes * pick(rng, [32, 48, 96]);
  return {
    frames,
    nodes,
    cpus: pick(rng, [1, 1, 2, 3]),
    pageCluster: nextBelow(rng, 5),
    swap: drawDevices(rng, frames),
    zswap: {
      compressor: pick(rng, ["lz4", ...compressorNames]),
      zpool: pick(rng, zpoolNames()),
      maxPoolPercent: 1 + nextBelow(rng, 60),
    },
    // v6.12 itself can read wrong bytes here (facts 20.7): not what we look for.
    proposals: { zeromap_invalidates_zswap: "on" },
    // More of them only try again what has failed where memory is full.
    worksPerTurn: pick(rng, [1, 1, 2]),
    seed,
    traceEvents: 0,
  };
}

/** Beside a zram there is another device: it takes memory to free memory. */
function drawDevices(rng: Rng, frames: number): SwapSettings[] {
  const count = pick(rng, [1, 1, 2, 3]);
  return Array.from({ length: count }, (_, i) => {
    const mayBeZram = i === 1 && frames >= 96;
    const kind = pick(rng, mayBeZram ? [...kinds, "zram"] as const : kinds);
    const pages = kind === "zram" ? 24 : pick(rng, [60, 200, 600, 1200]);
    const priority = pick(rng, [null, null, 1, 5]);
    return { kind, pages, priority };
  });
}
