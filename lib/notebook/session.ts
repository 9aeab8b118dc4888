/**
 * A session runs cells one after another and turns what they do into outputs.
 * The runner, the page's worker and our Jupyter kernel each make one.
 *
 * - Runs never overlap: a run that is asked for early waits for its turn.
 * - A cell has ended when its promise has settled and one turn of the event
 *   loop has passed; so `setTimeout(f, 0)` still belongs to it.
 * - What comes later, while no cell runs, is late: the next run begins with a
 *   stderr line for each, which names the cell that had ended.
 * - While a cell runs, `globalThis[Symbol.for("swaplab.display")]` takes its
 *   figures, and rejections and errors that nobody handles become its error
 *   outputs. All this is put back afterwards. Two sessions of one JavaScript
 *   realm must therefore not run at the same time.
 */
import { inspect } from "../show/inspect.ts";
import { type Bindings, makeBindings } from "./binding.ts";
import { compileCell, type CompiledCell } from "./cell.ts";
import { makeConsole, type StreamName } from "./cell_console.ts";
import { loadImports, loadModule, type ModuleLoader } from "./imports.ts";
import type { MimeBundle, Output } from "./nbformat.ts";
import { plainError } from "./own_names.ts";
import { errorOutput, type RunPlaces, runUrl } from "./traceback.ts";

export type { ModuleLoader } from "./imports.ts";

export interface RunOptions {
  /** The cell's id, for messages; `cell-N` by default. */
  id?: string;
  /** Called with each output as it comes, before streams are merged. */
  onOutput?: (output: Output) => void;
}

export interface Session {
  /**
   * Run a cell; never rejects, an error is an output.
   *
   * @returns all outputs in order, adjacent pieces of a stream merged
   */
  run(source: string, options?: RunOptions): Promise<Output[]>;
  /** How many runs have begun. */
  readonly executionCount: number;
}

/** Frames to record; V8's own ten may not reach up to the cell. */
const STACK_FRAMES = 50;

/** More than this is not kept of what comes after a cell has ended. */
const MAX_LATE_LINES = 100;

const displaySymbol = Symbol.for("swaplab.display");
const displayMethod = Symbol.for("Jupyter.display");

/** The run that is under way. */
interface Run {
  id: string;
  count: number;
  emit: (output: Output) => void;
}

interface State {
  load: ModuleLoader;
  bindings: Bindings;
  places: Map<number, RunPlaces>;
  executionCount: number;
  current: Run | null;
  /** The id of the cell that ended last. */
  lastId: string;
  late: string[];
  write: (name: StreamName, text: string) => void;
  console: unknown;
}

export function makeSession(options: { load: ModuleLoader }): Session {
  const state = makeState(options.load);
  let previous: Promise<unknown> = Promise.resolve();
  return {
    run(source, runOptions = {}) {
      const run = previous.then(() => runCell(state, source, runOptions));
      previous = run.catch(() => {});
      return run;
    },
    get executionCount() {
      return state.executionCount;
    },
  };
}

function makeState(load: ModuleLoader): State {
  const write = (name: StreamName, text: string) => {
    if (state.current === null) keepLate(state, text);
    else state.current.emit({ output_type: "stream", name, text });
  };
  const state: State = {
    load,
    bindings: makeBindings(),
    places: new Map(),
    executionCount: 0,
    current: null,
    lastId: "",
    late: [],
    write,
    console: makeConsole(write),
  };
  return state;
}

function keepLate(state: State, text: string): void {
  if (state.late.length > MAX_LATE_LINES) return;
  const line = state.late.length === MAX_LATE_LINES
    ? "more was dropped\n"
    : text;
  state.late.push(`late output of cell ${state.lastId}: ${line}`);
}

/** Append an output; a piece of the same stream joins the piece before. */
function append(outputs: Output[], output: Output): void {
  const last = outputs.at(-1);
  const isSame = last?.output_type === "stream" &&
    output.output_type === "stream" && last.name === output.name;
  if (isSame) last.text += output.text;
  else outputs.push({ ...output });
}

async function runCell(
  state: State,
  source: string,
  options: RunOptions,
): Promise<Output[]> {
  const outputs: Output[] = [];
  const count = ++state.executionCount;
  const id = options.id ?? `cell-${count}`;
  const emit = (output: Output) => {
    append(outputs, output);
    options.onOutput?.(output);
  };
  const run = { id, count, emit };
  state.current = run;
  const restore = takeHost(state, run);
  for (const line of state.late.splice(0)) state.write("stderr", line);
  try {
    await execute(state, run, source.replace(/\r\n?/g, "\n"));
  } catch (error) {
    emitError(state, run, error);
  }
  await nextTurn();
  restore();
  state.current = null;
  state.lastId = id;
  return outputs;
}

function emitError(state: State, run: Run, thrown: unknown): void {
  run.emit(errorOutput(thrown, run.id, (count) => state.places.get(count)));
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

/** A compiled cell, made callable; see CompiledCell.code. */
type CellFunction = (
  binding: Bindings["get"],
  load: (specifier: unknown) => Promise<object>,
  result: { value: unknown },
  caught: (error: unknown) => unknown,
  console: unknown,
) => Promise<void>;

async function execute(state: State, run: Run, source: string) {
  const { bindings, load } = state;
  const cell = compileCell(source, bindings.kindOf);
  state.places.set(run.count, { ...cell, id: run.id });
  const imported = await loadImports(cell.imports, source, load);
  const call = evaluate(cell, run.count);
  for (const [name, kind] of cell.declarations) bindings.declare(name, kind);
  for (const { local, value } of imported) {
    bindings.declare(local, "import").const = value;
  }
  const result: { value: unknown } = { value: undefined };
  const loadDynamic = (specifier: unknown) =>
    loadModule(String(specifier), load);
  await call(bindings.get, loadDynamic, result, plainError, state.console);
  await emitResult(run, plainError(result.value));
}

function evaluate(cell: CompiledCell, run: number): CellFunction {
  // An indirect eval: global scope, so a cell sees nothing of this module.
  const indirect = globalThis.eval;
  return indirect(`${cell.code}\n//# sourceURL=${runUrl(run)}`);
}

async function emitResult(run: Run, value: unknown) {
  if (value === undefined) return;
  run.emit({
    output_type: "execute_result",
    data: await bundleOf(value),
    metadata: {},
    execution_count: run.count,
  });
}

async function bundleOf(value: unknown): Promise<MimeBundle> {
  const isObject = typeof value === "object" || typeof value === "function";
  const display: unknown = isObject && value !== null
    ? Reflect.get(value, displayMethod)
    : undefined;
  if (typeof display !== "function") return { "text/plain": inspect(value) };
  const bundle: unknown = await display.call(value);
  if (typeof bundle !== "object" || bundle === null) {
    throw new TypeError(`wanted a mime bundle, got ${inspect(bundle)}`);
  }
  return { ...bundle };
}

/** Take over what the host has one of; returns what gives it back. */
function takeHost(state: State, run: Run): () => void {
  const display = (bundle: MimeBundle) => {
    run.emit({ output_type: "display_data", data: bundle, metadata: {} });
  };
  const restoreDisplay = setProperty(globalThis, displaySymbol, display);
  const restoreLimit = setProperty(Error, "stackTraceLimit", STACK_FRAMES);
  const restoreEvents = listen((error) => emitError(state, run, error));
  return () => {
    restoreEvents();
    restoreLimit();
    restoreDisplay();
  };
}

function setProperty(
  object: object,
  key: PropertyKey,
  value: unknown,
): () => void {
  const before = Object.getOwnPropertyDescriptor(object, key);
  Reflect.set(object, key, value);
  return () => {
    if (before === undefined) Reflect.deleteProperty(object, key);
    else Object.defineProperty(object, key, before);
  };
}

/** Hear of errors that nobody handles, in hosts that tell by events. */
function listen(tell: (error: unknown) => void): () => void {
  if (typeof globalThis.addEventListener !== "function") return () => {};
  const onRejection = (event: PromiseRejectionEvent) => {
    event.preventDefault();
    tell(event.reason);
  };
  const onError = (event: ErrorEvent) => {
    event.preventDefault();
    tell(event.error);
  };
  globalThis.addEventListener("unhandledrejection", onRejection);
  globalThis.addEventListener("error", onError);
  return () => {
    globalThis.removeEventListener("unhandledrejection", onRejection);
    globalThis.removeEventListener("error", onError);
  };
}
