/**
 * The machine of a recording, and who lives on it: one CPU, the memory that
 * the recorded kernel had, its swap device, zswap as the workload sets it.
 *
 * A workload configures first and uses then, so the machine is built when the
 * first group or process appears. Ours.
 */
import type { BlockDevice } from "../block/bio.ts";
import { makeBrd } from "../block/brd.ts";
import { makeHdd } from "../block/hdd.ts";
import { sys_swapon } from "../mm/swapon.ts";
import { linuxOf, type Series } from "./reality_era.ts";
import { type Machine, makeMachine } from "./machine.ts";
import type { MachineOptions } from "./options.ts";
import { makeZramDevice } from "./zram_device.ts";
import { type KernelPageKind, kernelPageKind } from "./kernel_pages.ts";
import type { Process } from "./process.ts";
import type { Command, Mix } from "./reality_workload.ts";
import type { MemCgroup } from "../mm/mm_types.ts";

/** What a recording says of its machine. */
export interface Hardware {
  readonly series: Series;
  readonly zpool: string;
  /** The name of the swap device: vda is a hard disk, brd a RAM disk. */
  readonly swap: string;
  readonly memTotalKb: number;
}

/** The memory that a worker was given, and what it wrote there. */
export interface Region {
  readonly name: string;
  readonly seed: number;
  readonly kinds: readonly KernelPageKind[];
  /** How often each page was written, modulo 255; 0: never, or freed. */
  readonly versions: Uint8Array;
}

/** A process of the workload. */
export interface Worker {
  readonly name: string;
  readonly group: string | null;
  /** Null until it is given memory. */
  process: Process | null;
  region: Region | null;
}

export interface World {
  readonly machine: Machine;
  readonly groups: Map<string, MemCgroup>;
  readonly workers: Map<string, Worker>;
  /** Pages that did not hold what was written there. */
  bad: number;
}

/** The workload asks for something that the engine cannot do. */
export class NotSupported extends Error {
  override name = "NotSupported";
}

export function unsupported(command: Command, why: string): never {
  throw new NotSupported(
    `line ${command.line}: ${why}\n  ${command.text}`,
  );
}

/** Slots of the recordings' devices: 128 MiB, the header included. */
export const devicePages = 32768;

/**
 * The devices of the recordings. `vda` says that it turns, so slots are given
 * out as for a hard disk; but it is a file in the host's cache: 50 µs or so.
 */
const devices: Readonly<Record<string, (machine: Machine) => BlockDevice>> = {
  vda: ({ k, rng }) =>
    makeHdd(
      {
        pages: devicePages,
        readErrorRate: 0,
        writeErrorRate: 0,
        turnNanoseconds: 25_600,
        nextTrackNanoseconds: 25_000,
        fullSeekNanoseconds: 0,
      },
      k.clock,
      rng,
    ),
  brd: ({ k }) => makeBrd({ pages: devicePages }, k.clock),
  zram: ({ k }) => makeZramDevice(k, { pages: devicePages }),
};

/** What the commands before the first process have set. */
export interface Setup {
  pageCluster: number;
  swapOn: boolean;
  enabled: boolean;
  compressor: string;
  zpool: string;
  maxPoolPercent: number;
  acceptThresholdPercent: number;
}

/** As after boot: Debian's defaults. */
export function makeSetup({ zpool }: Hardware): Setup {
  return {
    pageCluster: 3,
    swapOn: false,
    enabled: false,
    compressor: "lz4",
    zpool,
    maxPoolPercent: 20,
    acceptThresholdPercent: 90,
  };
}

type Settings = Command & { readonly op: "sysctl" | "zswap" | "sysfs" };

/** Take in one line of `sysctl`, `zswap` or `sysfs`. */
export function applySetting(setup: Setup, command: Settings): void {
  for (const [name, value] of command.pairs) {
    const key = `${command.op} ${name}`;
    const set = settings[key];
    if (set === undefined) unsupported(command, `${key}: not known`);
    else set(setup, value);
  }
}

/** The files under /proc/sys/vm and /sys/module/zswap/parameters. */
const settings: Readonly<
  Record<string, (setup: Setup, value: string) => void>
> = {
  // One node and no file pages: nothing is weighed against anonymous memory.
  "sysctl swappiness": () => {},
  "sysctl page-cluster": (setup, value) => {
    setup.pageCluster = Number(value);
  },
  "zswap enabled": (setup, value) => {
    setup.enabled = value === "1" || value === "Y";
  },
  "zswap compressor": (setup, value) => {
    setup.compressor = value;
  },
  "zswap zpool": (setup, value) => {
    setup.zpool = value;
  },
  "zswap max_pool_percent": (setup, value) => {
    setup.maxPoolPercent = Number(value);
  },
  "zswap accept_threshold_percent": (setup, value) => {
    setup.acceptThresholdPercent = Number(value);
  },
};

/** Build the machine that `setup` describes. */
export function makeWorld(hardware: Hardware, setup: Setup): World {
  const { pageCluster, swapOn, ...zswap } = setup;
  const makeDevice = devices[hardware.swap];
  if (makeDevice === undefined) {
    throw new NotSupported(`swap on ${hardware.swap}: no such device here`);
  }
  const options: MachineOptions = {
    frames: Math.floor(hardware.memTotalKb / 4),
    swap: false,
    pageCluster,
    zswap,
    ...linuxOf(hardware.series),
    shadow: false,
    traceEvents: 0,
  };
  const machine = makeMachine(options);
  if (swapOn) sys_swapon(machine.k, makeDevice(machine));
  return { machine, groups: new Map(), workers: new Map(), bad: 0 };
}

/** A region of `pages` pages, nothing written yet. */
export function makeRegion(
  name: string,
  pages: number,
  seed: number,
  mix: Mix,
): Region {
  const kinds = Array.from(
    { length: pages },
    (_, page) => kernelPageKind(seed, page, mix),
  );
  return { name, seed, kinds, versions: new Uint8Array(pages) };
}
