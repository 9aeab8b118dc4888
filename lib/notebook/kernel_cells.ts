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
import {
  type CellEvent,
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
import type { ErrorOutput } from "./nbformat.ts";

export interface CellRunner {
  /**
   * Runs a cell and hands on all that it does; that it was interrupted, or
   * ended its process, too. Never rejects.
   */
  run(request: RunRequest, take: TakeEvents): Promise<ExpressionResults>;
  /** Stops the cell that runs, if one does; the state stays as before it. */
  interrupt(): void;
  /** Ends the process. */
  close(): Promise<void>;
}

/** A cell that has run, and a hash of what it put out. */
interface Ran {
  request: RunRequest;
  digest: string;
}

interface State {
  options: ProcessOptions;
  ran: Ran[];
  process: CellProcess;
  /** Resolves when `process` has run all of `ran`. */
  ready: Promise<void>;
  /** Which of `ran` runs again at the moment. */
  replaying: string | null;
  /** Lines to show on stderr when the next cell runs. */
  notes: string[];
  /** Resolved by interrupt(). */
  stop: PromiseWithResolvers<"stopped">;
}

export function makeCellRunner(options: ProcessOptions): CellRunner {
  const state: State = {
    options,
    ran: [],
    process: startCellProcess(options),
    ready: Promise.resolve(),
    replaying: null,
    notes: [],
    stop: Promise.withResolvers(),
  };
  return {
    run: (request, take) => runCell(state, request, take),
    interrupt: () => state.stop.resolve("stopped"),
    async close() {
      state.stop.resolve("stopped");
      await state.process.kill();
    },
  };
}

async function runCell(
  state: State,
  request: RunRequest,
  take: TakeEvents,
): Promise<ExpressionResults> {
  state.stop = Promise.withResolvers();
  try {
    const result = await Promise.race([
      runInState(state, request, take),
      state.stop.promise,
    ]);
    if (result !== "stopped") return result;
    const error = stoppedError(state.replaying);
    await state.process.kill();
    await tellEnd(state, error, take);
  } catch (error) {
    if (!(error instanceof ChildEnded)) throw error;
    await tellEnd(state, endedError(error, state), take);
  }
  bringBack(state);
  return {};
}

/** Runs a cell in a process that has run all cells before it. */
async function runInState(
  state: State,
  request: RunRequest,
  take: TakeEvents,
): Promise<ExpressionResults> {
  await state.ready;
  if (!state.process.isAlive) {
    state.notes.push(`the cells' process had ended; ${replayNote(state)}`);
    bringBack(state);
    await state.ready;
  }
  for (const note of state.notes.splice(0)) await take([noteEvent(note)]);
  const hash = createHash("sha256");
  const results = await state.process.run(request, (events) => {
    for (const event of events) add(hash, event);
    return take(events);
  });
  state.ran.push({ request, digest: hash.digest("hex") });
  return results;
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
    await process.run({ ...one.request, expressions: {} }, (events) => {
      for (const event of events) add(hash, event);
      return Promise.resolve();
    });
    const digest = hash.digest("hex");
    if (digest === one.digest) continue;
    one.digest = digest;
    state.notes.push(`${one.request.id} now puts out something else`);
  }
  state.replaying = null;
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
