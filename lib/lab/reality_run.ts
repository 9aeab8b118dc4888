/**
 * A workload on the engine, from its first line to its last. Ours.
 */
import { type Counters, readCounters } from "./reality_counters.ts";
import { act, type OnPage } from "./reality_act.ts";
import type { Command } from "./reality_workload.ts";
import {
  applySetting,
  devicePages,
  type Hardware,
  makeSetup,
  makeWorld,
  type Setup,
  unsupported,
  type World,
} from "./reality_world.ts";

/** All counters at one `snap` of the workload. */
export interface Snapshot {
  readonly label: string;
  readonly line: number;
  readonly counters: Counters;
  /** Processes that live, and how often one began or ended before. */
  readonly processes: number;
  readonly generation: number;
}

/** What the engine did with a workload. */
export interface EngineRun {
  readonly snapshots: readonly Snapshot[];
  /** Pages read that did not hold what was written there; 0. */
  readonly bad: number;
  /** WARN_ON lines. */
  readonly warnings: readonly string[];
}

/**
 * runReality() - run a workload to its end.
 *
 * @param onPage told after each page that a command handled
 *
 * Throws NotSupported for what the engine has not.
 */
export function runReality(
  commands: readonly Command[],
  hardware: Hardware,
  onPage: OnPage = () => {},
): EngineRun {
  const setup = makeSetup(hardware);
  const snapshots: Snapshot[] = [];
  let world: World | null = null;
  let generation = 0;
  for (const command of commands) {
    if (configures(command)) {
      if (world !== null) unsupported(command, "a setting while processes run");
      configure(setup, command);
      continue;
    }
    world ??= makeWorld(hardware, setup);
    if (["spawn", "fork", "exit"].includes(command.op)) generation++;
    if (command.op !== "snap") act(world, command, onPage);
    else snapshots.push({ ...takeSnapshot(world, command), generation });
  }
  return {
    snapshots,
    bad: world?.bad ?? 0,
    warnings: world?.machine.k.warnings ?? [],
  };
}

function takeSnapshot(
  world: World,
  { label, line }: { readonly label: string; readonly line: number },
): Omit<Snapshot, "generation"> {
  const processes = world.workers.size;
  return { label, line, processes, counters: readCounters(world) };
}

type Setting = Command & {
  readonly op: "sysctl" | "zswap" | "sysfs" | "swapon" | "zram";
};

/** Does it describe the machine, and not what happens on it? */
function configures(command: Command): command is Setting {
  return ["sysctl", "zswap", "sysfs", "swapon", "zram"].includes(command.op);
}

function configure(setup: Setup, command: Setting): void {
  if (command.op === "swapon") setup.swapOn = true;
  // All of them are lz4 and 128 MiB: the machine's device is.
  else if (command.op === "zram") checkZram(command);
  else applySetting(setup, command);
}

function checkZram(command: Command & { readonly op: "zram" }): void {
  const { algorithm, bytes } = command;
  if (algorithm === "lz4" && bytes === 4096 * devicePages) return;
  unsupported(command, `zram: wanted lz4 and ${4096 * devicePages} bytes`);
}
