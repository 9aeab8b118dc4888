/**
 * Cutting a failing fuzz script down to what is needed to fail. Ours.
 *
 * Delta debugging: leave out halves of the lines, then quarters, down to
 * single lines; then simplify the machine; then the lines again.
 */
import { type Failure, type RunOptions, runScript } from "./fuzz_run.ts";
import type { Script } from "./fuzz_script.ts";
import type { MachineOptions } from "./options.ts";

export interface Shrunk {
  readonly script: Script;
  readonly failure: Failure;
  /** Scripts that were tried. */
  readonly tries: number;
}

/** Enough for scripts of a few thousand lines. */
const mostTries = 3000;

/** The failure without its numbers: what stays the same while shrinking. */
function kindOf({ error }: Failure): string {
  return `${error.name}: ${error.message.replaceAll(/\d+/g, "#")}`.slice(0, 60);
}

function isInvariant({ error }: Failure): boolean {
  return error.message.startsWith("Invariant");
}

/** A search under way: the smallest script so far that still fails. */
interface Search {
  script: Script;
  failure: Failure;
  readonly kind: string;
  readonly run: RunOptions;
  tries: number;
}

/**
 * shrinkScript() - the smallest script found that fails like this one.
 *
 * @param options of the run; here the invariants are checked at each step
 * @returns null if the script does not fail
 */
export function shrinkScript(
  script: Script,
  options: RunOptions,
): Shrunk | null {
  const run = { ...options, checkEvery: 1, traced: true };
  const { failure } = runScript(script, run);
  if (failure === null) return null;
  const lines = script.lines.slice(0, failure.at + 1);
  const search: Search = {
    script: { ...script, lines },
    failure,
    kind: kindOf(failure),
    // What the oracle sees needs no invariants, which take most of the time.
    run: isInvariant(failure) ? run : { ...run, checkEvery: Infinity },
    tries: 1,
  };
  shrinkLines(search);
  simplifyMachine(search);
  shrinkLines(search);
  const { tries } = search;
  return { script: search.script, failure: search.failure, tries };
}

/** Keep `candidate` if it fails in the same way. */
function adopt(search: Search, candidate: Script): boolean {
  if (search.tries >= mostTries) return false;
  search.tries++;
  const { failure } = runScript(candidate, search.run);
  if (failure === null || kindOf(failure) !== search.kind) return false;
  const lines = candidate.lines.slice(0, failure.at + 1);
  search.script = { ...candidate, lines };
  search.failure = failure;
  return true;
}

function shrinkLines(search: Search): void {
  let size = Math.ceil(search.script.lines.length / 2);
  while (size >= 1) {
    const removed = removeChunks(search, size);
    if (size === 1 && !removed) return;
    size = size > 1 ? Math.ceil(size / 2) : 1;
  }
}

/** From the end on, leave out `size` lines at a time. */
function removeChunks(search: Search, size: number): boolean {
  let removed = false;
  for (let to = search.script.lines.length; to > 0; to -= size) {
    const { lines } = search.script;
    const from = Math.max(0, to - size);
    const kept = lines.toSpliced(from, to - from);
    if (adopt(search, { ...search.script, lines: kept })) removed = true;
  }
  return removed;
}

/** Each is simpler than what a script may have. */
const simpler: readonly MachineOptions[] = [
  { cpus: 1 },
  { nodes: 1 },
  { pageCluster: 0 },
  { proposals: {} },
  { swap: { pages: 600 } },
  { zswap: { enabled: false } },
  { zswap: { compressor: "null" } },
  { zswap: {} },
  { frames: 32, nodes: 1 },
];

function simplifyMachine(search: Search): void {
  for (const change of simpler) {
    const machine = { ...search.script.machine, ...change };
    adopt(search, { ...search.script, machine });
  }
}

/** The script and what happened, to be read and to be run again. */
export function tellFailure({ script, failure, tries }: Shrunk): string {
  const { lines, ...rest } = script;
  const shown = lines.map((line, i) =>
    `    ${JSON.stringify(line)}${i === lines.length - 1 ? "" : ","}`
  );
  return [
    `${failure.error.name}: ${failure.error.message}`,
    `seed ${script.seed}, shrunk to ${lines.length} lines in ${tries} tries:`,
    `  ${JSON.stringify(rest).slice(0, -1)},"lines":[`,
    ...shown,
    "  ]}",
    "history:",
    failure.events,
    failure.error.stack ?? "",
  ].join("\n");
}
