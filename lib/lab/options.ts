/**
 * What a machine can be made of, its defaults, and the check of both. Ours.
 */
import { compressorNames, crypto_has_acomp } from "../crypto/acomp.ts";
import { zpoolNames } from "../mm/zpool.ts";
import { type Proposals, proposals, v6_12 } from "../proposals.ts";
import { type Quirks, quirkValues, v6_12Quirks } from "../quirks.ts";
import {
  got,
  knownOnly,
  oneOf,
  positive,
  record,
  share,
  truth,
  wholeNumber,
} from "./options_check.ts";

export interface ZswapSettings {
  /** Kernel default: off. Here: on, since it is what the book is about. */
  readonly enabled?: boolean;
  /** "lz4"; Linux' Kconfig default is lzo. */
  readonly compressor?: string;
  /** "zbud", the easiest to see through; Linux v6.12 prefers zsmalloc. */
  readonly zpool?: string;
  /** Percent of memory, 1 … 100; 20. */
  readonly maxPoolPercent?: number;
  /** Percent of the limit, 1 … 100; 90. */
  readonly acceptThresholdPercent?: number;
  /** Write back under memory pressure, before the pool is full; off. */
  readonly shrinkerEnabled?: boolean;
  /** Frames in the longest chain of zsmalloc, 4 … 16; 8 (v6.1: 4). */
  readonly chainSize?: number;
}

/** A solid-state disk, a hard disk, a RAM disk, one that compresses. */
export type SwapKind = (typeof swapKinds)[number];

export interface SwapSettings {
  /** "ssd". */
  readonly kind?: SwapKind;
  /** Slots of 4096 bytes, the header included; four times the memory. */
  readonly pages?: number;
  /** 0 … 32767, higher first; null: after those, in the order given. */
  readonly priority?: number | null;
  /** What one request takes (ssd); figures of a SATA disk. */
  readonly readMicroseconds?: number;
  readonly writeMicroseconds?: number;
  /** Requests under way at once (ssd). */
  readonly queueDepth?: number;
  /** Share of requests that fail (ssd, hdd), 0 … 1; none. */
  readonly readErrorRate?: number;
  readonly writeErrorRate?: number;
  /** Up to four (zram); the first is the one for new pages; ["lz4"]. */
  readonly compressors?: readonly string[];
}

export interface MachineOptions {
  /** Memory in frames of 4096 bytes, at least 16; 1024 (4 MiB). */
  readonly frames?: number;
  /** Simulated CPUs; 1. */
  readonly cpus?: number;
  /** NUMA nodes that share the memory in equal parts; 1. */
  readonly nodes?: number;
  /** A swap device, several, or false for none. */
  readonly swap?: SwapSettings | readonly SwapSettings[] | false;
  /** Readahead takes 2 to this power slots at once (vm.page-cluster); 3. */
  readonly pageCluster?: number;
  readonly zswap?: ZswapSettings;
  /** Ideas of the threads that differ from v6.12: see proposals.ts. */
  readonly proposals?: Partial<Proposals>;
  /** What of other releases the machine does: see quirks.ts. */
  readonly quirks?: Partial<Quirks>;
  /** Every random choice of the machine comes from it; 1. */
  readonly seed?: number;
  /** Check every invariant after every operation. Slow; off. */
  readonly debug?: boolean;
  /** Keep what was written, and compare it with what is read; on. */
  readonly shadow?: boolean;
  /** Events kept; 0 switches tracing off; 20,000. */
  readonly traceEvents?: number;
  /** Works of kswapd and the like between two faults at most; 16. */
  readonly worksPerTurn?: number;
  /** Pauses of one task after which it is a livelock; 100,000,000. */
  readonly stepLimit?: number;
}

/** All of it, with nothing left open. */
export interface Settings {
  readonly frames: number;
  readonly cpus: number;
  readonly nodes: number;
  /** The devices in the order of their numbers. */
  readonly swap: readonly Required<SwapSettings>[];
  readonly pageCluster: number;
  readonly zswap: Required<ZswapSettings>;
  readonly proposals: Proposals;
  readonly quirks: Quirks;
  readonly seed: number;
  readonly debug: boolean;
  readonly shadow: boolean;
  readonly traceEvents: number;
  readonly worksPerTurn: number;
  readonly stepLimit: number;
}

/**
 * settle() - the options with every default filled in.
 *
 * Throws RangeError for a value that makes no sense, TypeError for one of the
 * wrong kind or an option that does not exist.
 */
export function settle(options: MachineOptions = {}): Settings {
  record("makeMachine", options);
  knownOnly("makeMachine", options, [
    "frames",
    "cpus",
    "nodes",
    "swap",
    "pageCluster",
    "zswap",
    "proposals",
    "quirks",
    "seed",
    "debug",
    "shadow",
    "traceEvents",
    "worksPerTurn",
    "stepLimit",
  ]);
  const frames = wholeNumber("frames", options.frames ?? 1024, 16, 2 ** 22);
  return {
    frames,
    cpus: wholeNumber("cpus", options.cpus ?? 1, 1, 64),
    // A node of fewer than 16 frames could not even reclaim.
    nodes: wholeNumber(
      "nodes",
      options.nodes ?? 1,
      1,
      Math.min(frames >> 4, 64),
    ),
    swap: settleDevices(options.swap ?? {}, frames),
    pageCluster: wholeNumber("pageCluster", options.pageCluster ?? 3, 0, 31),
    zswap: settleZswap(options.zswap ?? {}),
    proposals: settleProposals(options.proposals ?? {}),
    quirks: settleQuirks(options.quirks ?? {}),
    seed: wholeNumber("seed", options.seed ?? 1, 0),
    debug: truth("debug", options.debug ?? false),
    shadow: truth("shadow", options.shadow ?? true),
    traceEvents: wholeNumber("traceEvents", options.traceEvents ?? 20_000, 0),
    worksPerTurn: wholeNumber("worksPerTurn", options.worksPerTurn ?? 16, 1),
    stepLimit: wholeNumber("stepLimit", options.stepLimit ?? 1e8, 1),
  };
}

/** Differs from v6.12 where `given` says so. */
function settleQuirks(given: Partial<Quirks>): Quirks {
  record("quirks", given);
  knownOnly("quirks", given, Object.keys(quirkValues));
  for (const [name, value] of Object.entries(given)) {
    const choices: readonly unknown[] = quirkValues[name as keyof Quirks];
    if (choices.includes(value)) continue;
    throw new TypeError(
      `quirks.${name}: wanted one of ${choices.join(", ")}; got ${got(value)}`,
    );
  }
  return { ...v6_12Quirks, ...given };
}

/** Differs from v6.12 where `given` says so. */
function settleProposals(given: Partial<Proposals>): Proposals {
  record("proposals", given);
  knownOnly("proposals", given, Object.keys(proposals));
  for (const [name, value] of Object.entries(given)) {
    const choices = Object.keys(proposals[name as keyof Proposals].values);
    if (choices.includes(value)) continue;
    throw new TypeError(
      `proposals.${name}: wanted one of ${choices.join(", ")}; ` +
        `got ${got(value)}`,
    );
  }
  return { ...v6_12, ...given };
}

/** Kinds of swap device. */
const swapKinds = ["ssd", "hdd", "brd", "zram"] as const;

/** What all kinds know, and what only some do. */
const swapOptions: readonly string[] = ["kind", "pages", "priority"];
const faultOptions: readonly string[] = ["readErrorRate", "writeErrorRate"];
const kindOptions: Readonly<Record<SwapKind, readonly string[]>> = {
  ssd: [
    "readMicroseconds",
    "writeMicroseconds",
    "queueDepth",
    ...faultOptions,
  ],
  hdd: faultOptions,
  brd: [],
  zram: ["compressors"],
};

/** MAX_SWAPFILES of a kernel with migration, hwpoison and the like. */
const maxDevices = 23;

function settleDevices(
  swap: NonNullable<MachineOptions["swap"]>,
  frames: number,
): Required<SwapSettings>[] {
  if (swap === false) return [];
  if (!Array.isArray(swap)) {
    return [settleSwap("swap", swap as SwapSettings, frames)];
  }
  wholeNumber("swap: number of devices", swap.length, 0, maxDevices);
  return swap.map((device, i) => settleSwap(`swap[${i}]`, device, frames));
}

function settleSwap(
  name: string,
  swap: SwapSettings,
  frames: number,
): Required<SwapSettings> {
  record(name, swap);
  const kind = oneOf(`${name}.kind`, swap.kind ?? "ssd", swapKinds);
  knownOnly(name, swap, [...swapOptions, ...kindOptions[kind]]);
  const { priority = null } = swap;
  if (priority !== null) wholeNumber(`${name}.priority`, priority, 0, 32767);
  return {
    kind,
    pages: wholeNumber(`${name}.pages`, swap.pages ?? 4 * frames, 2, 2 ** 30),
    priority,
    readMicroseconds: positive(
      `${name}.readMicroseconds`,
      swap.readMicroseconds ?? 80,
    ),
    writeMicroseconds: positive(
      `${name}.writeMicroseconds`,
      swap.writeMicroseconds ?? 40,
    ),
    queueDepth: wholeNumber(`${name}.queueDepth`, swap.queueDepth ?? 8, 1),
    readErrorRate: share(`${name}.readErrorRate`, swap.readErrorRate ?? 0),
    writeErrorRate: share(`${name}.writeErrorRate`, swap.writeErrorRate ?? 0),
    compressors: (swap.compressors ?? ["lz4"]).map((compressor) =>
      oneOf(`${name}.compressors`, compressor, compressorNames)
    ),
  };
}

/** zswap's part of it. */
export function settleZswap(zswap: ZswapSettings): Required<ZswapSettings> {
  record("zswap", zswap);
  knownOnly("zswap", zswap, [
    "enabled",
    "compressor",
    "zpool",
    "maxPoolPercent",
    "acceptThresholdPercent",
    "shrinkerEnabled",
    "chainSize",
  ]);
  const compressor = zswap.compressor ?? "lz4";
  return {
    enabled: truth("zswap.enabled", zswap.enabled ?? true),
    compressor: crypto_has_acomp(compressor)
      ? compressor
      : oneOf("zswap.compressor", compressor, compressorNames),
    zpool: oneOf("zswap.zpool", zswap.zpool ?? "zbud", zpoolNames()),
    maxPoolPercent: wholeNumber(
      "zswap.maxPoolPercent",
      zswap.maxPoolPercent ?? 20,
      1,
      100,
    ),
    acceptThresholdPercent: wholeNumber(
      "zswap.acceptThresholdPercent",
      zswap.acceptThresholdPercent ?? 90,
      1,
      100,
    ),
    shrinkerEnabled: truth(
      "zswap.shrinkerEnabled",
      zswap.shrinkerEnabled ?? false,
    ),
    chainSize: wholeNumber("zswap.chainSize", zswap.chainSize ?? 8, 4, 16),
  };
}
