/**
 * The state of a notebook, kept over the deaths of the process that holds it.
 * Ours.
 *
 * Cells are deterministic. So the list of those that have run *is* the state:
 * when the process is killed (an endless loop is interrupted), dies (out of
 * memory) or is out of date (a file of lib/ was edited), a new one runs them
 * again. What they put out then is not shown but compared: a cell that now
 * puts out something else is named.
 */
import { createHash, type Hash } from "node:crypto";
import { relative } from "node:path";
import { fileURLToPath } from "node:url";
import {
  type CellEvent,
  errorIn,
  type ExpressionResults,
  type RunRequest,
  streamEvent,
} from "./kernel_frames.ts";
import {
  type CellProcess,
  ChildEnded,
  type ProcessOptions,
  startCellProcess,
  type TakeEvents,
} from "./kernel_process.ts";
import { type Types, TypesEnded } from "./kernel_types.ts";
import type { ErrorOutput } from "./nbformat.ts";

export interface CellRequest extends RunRequest {
  /** The cell asks to be run as it is, type errors or not. */
  isUnchecked: boolean;
}

export interface CellRunner {
  /**
   * Runs a cell and hands on all that it does; that it was interrupted, or
   * ended its process, too. Never rejects.
   */
  run(request: CellRequest, take: TakeEvents): Promise<ExpressionResults>;
  /** Stops the cell that runs, if one does; the state stays as before it. */
  interrupt(): void;
  /** Ends the process. */
  close(): Promise<void>;
}

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** A cell that has run, and a hash of what it put out. */
interface Ran {
  request: RunRequest;
  digest: string;
}

interface State {
  options: ProcessOptions;
  types: Types;
  ran: Ran[];
  process: CellProcess;
  /** Resolves when `process` has run all of `ran`. */
  ready: Promise<void>;
  /** Which of `ran` runs again at the moment. */
  replaying: string | null;
  /** Modules that were edited since `process` was started. */
  edited: Set<string>;
  /** Lines to show on stderr when the next cell runs. */
  notes: string[];
  /** What interrupt() aborts. */
  stop: AbortController;
  isChecking: boolean;
}

/** makeCellRunner() - starts a process; `types` is asked before each cell. */
export function makeCellRunner(
  options: ProcessOptions,
  types: Types,
): CellRunner {
  const state: State = {
    options,
    types,
    ran: [],
    process: startCellProcess(options),
    ready: Promise.resolve(),
    replaying: null,
    edited: new Set(),
    notes: [],
    stop: new AbortController(),
    isChecking: false,
  };
  return {
    run: (request, take) => runCell(state, request, take),
    interrupt: () => state.stop.abort(),
    async close() {
      state.stop.abort();
      types.stop();
      await state.process.kill();
    },
  };
}

async function runCell(
  state: State,
  request: CellRequest,
  take: TakeEvents,
): Promise<ExpressionResults> {
  state.stop = new AbortController();
  const stopped = new Promise<null>((resolve) => {
    state.stop.signal.addEventListener("abort", () => resolve(null));
  });
  try {
    const work = runInState(state, request, take);
    const result = await Promise.race([work, stopped]);
    if (result !== null) return result;
  } catch (error) {
    if (!(error instanceof ChildEnded)) throw error;
    await tellEnd(state, endedError(error, state), take);
    bringBack(state);
    return {};
  }
  await stopCell(state, take);
  return {};
}

async function stopCell(state: State, take: TakeEvents): Promise<void> {
  const output = stoppedError(state.replaying);
  if (state.isChecking) {
    state.types.stop();
    state.isChecking = false;
    return await take([{ event: "output", output }]);
  }
  await state.process.kill();
  await tellEnd(state, output, take);
  bringBack(state);
}

/** Runs a cell in a process that has run all cells before it. */
async function runInState(
  state: State,
  request: CellRequest,
  take: TakeEvents,
): Promise<ExpressionResults> {
  const { signal } = state.stop;
  const error = await checked(state, request);
  signal.throwIfAborted();
  if (error !== null) {
    await take([{ event: "output", output: error }]);
    return {};
  }
  await state.ready;
  await renew(state);
  for (const note of state.notes.splice(0)) await take([noteEvent(note)]);
  const hash = createHash("sha256");
  const results = await state.process.run(request, (events) => {
    for (const event of events) add(hash, event);
    return take(events);
  });
  if (request.source.trim() === "") return results;
  state.ran.push({ request, digest: hash.digest("hex") });
  state.types.add(request.source);
  return results;
}

/** Asks for a cell's type errors; without an answer it runs unchecked. */
async function checked(
  state: State,
  { id, source, isUnchecked }: CellRequest,
): Promise<ErrorOutput | null> {
  state.isChecking = true;
  try {
    const verdict = await state.types.check(id, source, isUnchecked);
    for (const path of verdict.changed) state.edited.add(path);
    return verdict.error;
  } catch (error) {
    if (!(error instanceof TypesEnded)) throw error;
    state.notes.push(`types are not checked this time: ${error.message}`);
    return null;
  } finally {
    state.isChecking = false;
  }
}

/** Replaces a process that is gone, or that has loaded what was edited. */
async function renew(state: State): Promise<void> {
  const edited = [...state.edited].map((path) => relative(ROOT, path));
  state.edited.clear();
  const isOld = edited.length > 0 && state.ran.length > 0;
  if (state.process.isAlive && !isOld) return;
  const reason = isOld
    ? `edited: ${edited.join(", ")}`
    : "the cells' process had ended";
  state.notes.push(`${reason}; ${replayNote(state)}`);
  await state.process.kill();
  bringBack(state);
  await state.ready;
}

/** Begins to make a process that has run all of `ran`. */
function bringBack(state: State): void {
  state.process = startCellProcess(state.options);
  state.ready = replay(state);
  state.ready.catch(() => {}); // The next cell tells of it.
}

async function replay(state: State): Promise<void> {
  const { process } = state;
  for (const one of state.ran) {
    state.replaying = one.request.id;
    const hash = createHash("sha256");
    let error: ErrorOutput | null = null;
    await process.run(one.request, (events) => {
      for (const event of events) add(hash, event);
      error ??= events.map(errorIn).find((one) => one !== null) ?? null;
      return Promise.resolve();
    });
    const digest = hash.digest("hex");
    if (digest === one.digest) continue;
    one.digest = digest;
    state.notes.push(changeNote(one.request.id, error));
  }
  state.replaying = null;
}

/** What the next cell says of a cell that did not repeat itself. */
function changeNote(id: string, error: ErrorOutput | null): string {
  if (error === null) return `${id} now puts out something else`;
  return `${id} now ends in ${error.ename}: ${error.evalue.split("\n")[0]}`;
}

/** An event, without what depends on how often the process has run cells. */
function add(hash: Hash, event: CellEvent): void {
  const isResult = event.event === "output" &&
    event.output.output_type === "execute_result";
  const told = isResult ? { ...event.output, execution_count: 0 } : event;
  hash.update(JSON.stringify(told));
}

async function tellEnd(
  state: State,
  output: ErrorOutput,
  take: TakeEvents,
): Promise<void> {
  await take([
    noteEvent(`${output.evalue}; ${replayNote(state)}`),
    { event: "output", output },
  ]);
}

function noteEvent(note: string): CellEvent {
  return streamEvent("stderr", `swaplab: ${note}\n`);
}

function replayNote({ ran }: State): string {
  if (ran.length === 0) return "no cell had run before it";
  const cells = ran.length === 1 ? "1 cell is" : `${ran.length} cells are`;
  return `${cells} run again, silently, to bring the state back`;
}

function stoppedError(replaying: string | null): ErrorOutput {
  const what = replaying === null
    ? "the cell was interrupted"
    : `interrupted while ${replaying} was run again to bring the state back`;
  return errorOf("Interrupted", what);
}

function endedError(error: ChildEnded, { options }: State): ErrorOutput {
  if (/out of memory|heap limit/i.test(error.log)) {
    const limit = `${options.memoryMiB} MiB`;
    return errorOf("OutOfMemory", `the cell needed more than ${limit}`);
  }
  const log = error.log.trim().split("\n").slice(-5).map((one) => `    ${one}`);
  return errorOf("ProcessEnded", `${error.message}`, log);
}

function errorOf(
  ename: string,
  evalue: string,
  more: readonly string[] = [],
): ErrorOutput {
  const traceback = [`${ename}: ${evalue}`, ...more];
  return { output_type: "error", ename, evalue, traceback };
}
