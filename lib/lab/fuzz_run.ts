/**
 * Running fuzz scripts. Ours.
 *
 * Invariants are checked every so many operations and at the end, when every
 * process has ended and nothing but orphans of the swap cache may be left.
 */
import { formatEvents, type TraceEvent } from "../sim/trace.ts";
import { folio_mapped } from "../mm/page_flags.ts";
import type { Kernel } from "../mm/mm_types.ts";
import { swap_count } from "../mm/swap_count.ts";
import { operations } from "./fuzz_operations.ts";
import type { Line, Script } from "./fuzz_script.ts";
import { FuzzError, makeWorld, readAll, type World } from "./fuzz_world.ts";
import { hashText, type TextHash } from "./hash.ts";
import { checkMachine } from "./invariants.ts";

export interface RunOptions {
  readonly contents: readonly Uint8Array[];
  /** Check the invariants after so many operations; 1 finds the culprit. */
  readonly checkEvery: number;
  /** Fold everything that is traced into it. */
  readonly hash?: TextHash;
  /** Keep the events of the last operation, for the report. */
  readonly traced?: boolean;
  /** Called when the machine is made: for a test to break it. */
  readonly plant?: (world: World) => void;
}

/** What a run came to. */
export interface Outcome {
  readonly world: World;
  /** Null if all was well. */
  readonly failure: Failure | null;
}

export interface Failure {
  /** Index of the line; as many as there are lines: at the end. */
  readonly at: number;
  readonly error: Error;
  /** The last events, if they were traced. */
  readonly events: string;
}

const eventsKept = 20_000;
const eventsShown = 40;

/** runScript() - run it to its end or to the first failure. */
export function runScript(script: Script, options: RunOptions): Outcome {
  const { machine, pages, lines } = script;
  const traced = options.traced === true || options.hash !== undefined;
  const world = makeWorld(
    { ...machine, traceEvents: traced ? eventsKept : 0 },
    pages,
    options.contents,
  );
  options.plant?.(world);
  let at = 0;
  try {
    for (; at < lines.length; at++) {
      runLine(world, lines[at]!);
      if (options.hash !== undefined) drainTrace(world, options.hash);
      if ((at + 1) % options.checkEvery === 0) checkMachine(world.machine);
    }
    finish(world);
    if (options.hash !== undefined) drainTrace(world, options.hash);
    return { world, failure: null };
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const { events } = world.machine.k.trace;
    const shown = formatEvents(events.slice(-eventsShown));
    return { world, failure: { at, error, events: shown } };
  }
}

function runLine(world: World, [name, ...numbers]: Line): void {
  const operation = operations.get(name);
  if (operation === undefined) {
    const known = [...operations.keys()].join(", ");
    throw new TypeError(`script: no operation "${name}"; there are ${known}`);
  }
  world.step++;
  operation.act(world, ...numbers);
}

/** All that is known must be readable; then everything must be given back. */
function finish(world: World): void {
  readAll(world);
  checkMachine(world.machine);
  const { machine } = world;
  for (const { process } of world.subjects) process.exit();
  machine.settle();
  checkMachine(machine);
  checkOnlyOrphansRemain(machine.k);
}

/**
 * When every process has ended a slot may still be in use: its folio was
 * locked or under writeback when its last user left, so it stays in the swap
 * cache until reclaim meets it. (As in Linux: thread 004 is about these.)
 */
function checkOnlyOrphansRemain(k: Kernel): void {
  for (const si of k.swap_info) {
    for (const { xa } of si.swapper_spaces) {
      for (const [offset, folio] of xa.entries) {
        if (typeof folio === "number") continue;
        const used = swap_count(si.swap_map[offset]!) !== 0;
        if (!used && !folio_mapped(folio)) continue;
        throw new FuzzError(
          `slot ${si.type}:${offset} has users when every process has ended`,
        );
      }
    }
  }
}

function drainTrace({ machine: { k } }: World, hash: TextHash): void {
  for (const event of k.trace.events) hashText(hash, textOf(event));
  k.trace.events.length = 0;
}

function textOf({ time, fn, what, pid, vpn, pfn, slot }: TraceEvent): string {
  return `${time} ${fn} ${what} ${pid} ${vpn} ${pfn} ${slot}`;
}
