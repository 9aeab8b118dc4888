/**
 * What a machine can be made of, its defaults, and the check of both. Ours.
 */
import { compressorNames, crypto_has_acomp } from "../crypto/acomp.ts";
import { zpoolNames } from "../mm/zpool.ts";

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
}

export interface SwapSettings {
  /** Slots of 4096 bytes, the header included; four times the memory. */
  readonly pages?: number;
  /** What one request takes; model figures of a SATA solid-state disk. */
  readonly readMicroseconds?: number;
  readonly writeMicroseconds?: number;
  /** Requests under way at once. */
  readonly queueDepth?: number;
  /** Share of requests that fail, 0 … 1; none. */
  readonly readErrorRate?: number;
  readonly writeErrorRate?: number;
}

export interface MachineOptions {
  /** Memory in frames of 4096 bytes, at least 16; 1024 (4 MiB). */
  readonly frames?: number;
  /** A swap device, or false for none. */
  readonly swap?: SwapSettings | false;
  readonly zswap?: ZswapSettings;
  /** Every random choice of the machine comes from it; 1. */
  readonly seed?: number;
  /** Check every invariant after every operation. Slow; off. */
  readonly debug?: boolean;
  /** Keep what was written, and compare it with what is read; on. */
  readonly shadow?: boolean;
  /** Events kept; 0 switches tracing off; 20,000. */
  readonly traceEvents?: number;
}

/** All of it, with nothing left open. */
export interface Settings {
  readonly frames: number;
  readonly swap: Required<SwapSettings> | false;
  readonly zswap: Required<ZswapSettings>;
  readonly seed: number;
  readonly debug: boolean;
  readonly shadow: boolean;
  readonly traceEvents: number;
}

type Known = Readonly<Record<string, unknown>>;

function got(value: unknown): string {
  return typeof value === "string" ? `"${value}"` : String(value);
}

function wholeNumber(
  name: string,
  value: number,
  least: number,
  most: number = Number.MAX_SAFE_INTEGER,
): number {
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  const range = most === Number.MAX_SAFE_INTEGER
    ? `≥ ${least}`
    : `from ${least} to ${most}`;
  throw new RangeError(
    `${name}: wanted a whole number ${range}, got ${got(value)}`,
  );
}

function positive(name: string, value: number): number {
  if (typeof value === "number" && value > 0 && Number.isFinite(value)) {
    return value;
  }
  throw new RangeError(`${name}: wanted a number > 0, got ${got(value)}`);
}

function share(name: string, value: number): number {
  if (typeof value === "number" && value >= 0 && value <= 1) return value;
  throw new RangeError(
    `${name}: wanted a share from 0 to 1, got ${got(value)}`,
  );
}

function truth(name: string, value: boolean): boolean {
  if (typeof value === "boolean") return value;
  throw new TypeError(`${name}: wanted true or false, got ${got(value)}`);
}

function oneOf(name: string, value: string, known: readonly string[]): string {
  if (known.includes(value)) return value;
  throw new RangeError(
    `${name}: wanted one of ${known.join(", ")}; got ${got(value)}`,
  );
}

/** A misspelt option would otherwise be a default, silently. */
function knownOnly(where: string, given: object, known: readonly string[]) {
  for (const name of Object.keys(given as Known)) {
    if (known.includes(name)) continue;
    throw new TypeError(
      `${where}: no option "${name}"; there are ${known.join(", ")}`,
    );
  }
}

function record(where: string, value: unknown): void {
  if (typeof value === "object" && value !== null) return;
  throw new TypeError(`${where}: wanted an object, got ${got(value)}`);
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
    "swap",
    "zswap",
    "seed",
    "debug",
    "shadow",
    "traceEvents",
  ]);
  const frames = wholeNumber("frames", options.frames ?? 1024, 16, 2 ** 22);
  return {
    frames,
    swap: settleSwap(options.swap ?? {}, frames),
    zswap: settleZswap(options.zswap ?? {}),
    seed: wholeNumber("seed", options.seed ?? 1, 0),
    debug: truth("debug", options.debug ?? false),
    shadow: truth("shadow", options.shadow ?? true),
    traceEvents: wholeNumber("traceEvents", options.traceEvents ?? 20_000, 0),
  };
}

function settleSwap(
  swap: SwapSettings | false,
  frames: number,
): Settings["swap"] {
  if (swap === false) return false;
  record("swap", swap);
  knownOnly("swap", swap, [
    "pages",
    "readMicroseconds",
    "writeMicroseconds",
    "queueDepth",
    "readErrorRate",
    "writeErrorRate",
  ]);
  return {
    pages: wholeNumber("swap.pages", swap.pages ?? 4 * frames, 2, 2 ** 30),
    readMicroseconds: positive(
      "swap.readMicroseconds",
      swap.readMicroseconds ?? 80,
    ),
    writeMicroseconds: positive(
      "swap.writeMicroseconds",
      swap.writeMicroseconds ?? 40,
    ),
    queueDepth: wholeNumber("swap.queueDepth", swap.queueDepth ?? 8, 1),
    readErrorRate: share("swap.readErrorRate", swap.readErrorRate ?? 0),
    writeErrorRate: share("swap.writeErrorRate", swap.writeErrorRate ?? 0),
  };
}

function settleZswap(zswap: ZswapSettings): Required<ZswapSettings> {
  record("zswap", zswap);
  knownOnly("zswap", zswap, [
    "enabled",
    "compressor",
    "zpool",
    "maxPoolPercent",
    "acceptThresholdPercent",
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
  };
}
