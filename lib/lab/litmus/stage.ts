/**
 * What the stages of many litmus tests have: a page in swap, and who acts.
 * Ours.
 */
import type { Kernel } from "../../mm/mm_types.ts";
import type { ZswapEntry } from "../../mm/zswap_entry.ts";
import type { Task } from "../../sim/task.ts";
import { checkMachine } from "../invariants.ts";
import type { Machine } from "../machine.ts";
import type { MachineOptions } from "../options.ts";
import type { Process } from "../process.ts";
import {
  type Expected,
  loadWord,
  makeExpected,
  onCpu,
  pageOut,
  raceMachine,
  storeWord,
  threadOf,
} from "../race.ts";
import type { StageActor } from "./litmus.ts";

/** A thread of a process, on the CPU that its column is named after. */
export function threadActor(
  process: Process,
  comm: string,
  cpu: number,
  task: Task<unknown>,
): StageActor {
  return { name: `CPU${cpu}`, who: threadOf(process, comm, cpu), task };
}

/** Somebody who only acts in the kernel. */
export function kernelActor(cpu: number, task: Task<unknown>): StageActor {
  return { name: `CPU${cpu}`, who: onCpu(cpu), task };
}

/** A machine, a program on it, and what its pages should hold. */
export interface Scene {
  readonly machine: Machine;
  readonly k: Kernel;
  readonly program: Process;
  readonly expected: Expected;
}

/** A program of one page, which holds 1 and is in swap. */
export function swappedPage(options: MachineOptions): Scene {
  const machine = raceMachine(options);
  const { k } = machine;
  const program = machine.spawn({ pages: 1 });
  const expected = makeExpected();
  machine.run(storeWord(k, program, 0, 1, expected), program.task);
  machine.run(pageOut(k, program, 0), program.task);
  return { machine, k, program, expected };
}

/** Writes page 0 and has it swapped out: its slot is used again. */
export function* writeAndSwapOut({ k, program, expected }: Scene): Task {
  yield* storeWord(k, program, 0, 2, expected);
  yield* pageOut(k, program, 0);
}

/** Page 0 as it is at the end: the outcome. All invariants must hold. */
export function wordAtEnd({ machine, k, program, expected }: Scene): string {
  machine.settle();
  const last = machine.run(loadWord(k, program, 0, expected), program.task);
  checkMachine(machine);
  return `the page holds ${last}`;
}

/** The only entry of zswap; its second chance is over. */
export function agedEntry(k: Kernel): ZswapEntry {
  const [entry] = k.zswap.trees[0]![0]!.xa.entries.values();
  entry!.referenced = false;
  return entry!;
}
