/**
 * One student's module in one disposable process, seen from the trusted side.
 *
 * Every answer is untrusted data. A process that stays silent, dies, talks too
 * much or answers what was not asked is killed, and each later request is
 * refused with the same trouble.
 */
import { SubjectError, type Trouble } from "./judge.ts";
import { type Level, type Limits, sandboxCommand } from "./level.ts";
import { makeLineSplitter } from "./lines.ts";
import type { Plain } from "./plain.ts";
import {
  type CallRequest,
  type ErrorReport,
  errorStages,
  type Reply,
  type StartRequest,
} from "./protocol.ts";

export interface Sandbox {
  /** Load the module. Rejects with SubjectError. */
  start(request: Omit<StartRequest, "id">): Promise<void>;
  /** Call a function of the stage. Rejects with SubjectError. */
  call(name: string, ...args: Plain[]): Promise<unknown>;
  /** Kill the process, remove its directory; returns what was printed. */
  close(): Promise<string>;
}

interface Waiting {
  readonly id: string;
  readonly resolve: (value: unknown) => void;
  readonly reject: (trouble: SubjectError) => void;
  readonly timer: ReturnType<typeof setTimeout>;
}

interface State {
  readonly limits: Limits;
  readonly child: Deno.ChildProcess;
  readonly directory: string;
  readonly startedAt: number;
  waiting: Waiting | null;
  /** Why no more answers come; the first trouble stays. */
  ended: SubjectError | null;
  printed: string;
}

/** Start a process; `folder` holds driver.js, and for a while its caches. */
export async function openSandbox(
  level: Level,
  folder: string,
): Promise<Sandbox> {
  const { limits } = level;
  const directory = await makeDenoDir(folder);
  const [command, ...args] = sandboxCommand(level, `${folder}/driver.js`);
  const child = new Deno.Command(command!, {
    args,
    cwd: "/",
    clearEnv: true,
    env: environment(directory),
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const state: State = {
    limits,
    child,
    directory,
    startedAt: performance.now(),
    waiting: null,
    ended: null,
    printed: "",
  };
  const readers = [readAnswers(state), readPrinted(state)];
  const ended = Promise.all(readers).then(() => noteEnd(state));
  const writer = child.stdin.getWriter();
  const ask = (body: object, milliseconds: number) =>
    request(state, writer, body, milliseconds);
  return {
    async start(body) {
      await ask(body, limits.loadMilliseconds);
    },
    async call(name, ...args) {
      const body: Omit<CallRequest, "id"> = { call: name, args };
      return await ask(body, limits.callMilliseconds);
    },
    async close() {
      end(state, "crashed", "The sandbox was closed");
      await ended;
      await writer.abort().catch(() => {});
      await Deno.remove(directory, { recursive: true });
      return state.printed;
    },
  };
}

/** A file stands where Deno would keep localStorage and caches. */
async function makeDenoDir(folder: string): Promise<string> {
  const directory = await Deno.makeTempDir({ dir: folder });
  await Deno.writeTextFile(`${directory}/location_data`, "");
  return directory;
}

function environment(directory: string): Record<string, string> {
  return {
    DENO_DIR: directory,
    NO_COLOR: "1",
    DENO_NO_UPDATE_CHECK: "1",
    DENO_NO_PACKAGE_JSON: "1",
  };
}

function request(
  state: State,
  writer: WritableStreamDefaultWriter<Uint8Array>,
  body: object,
  milliseconds: number,
): Promise<unknown> {
  if (state.ended !== null) return Promise.reject(state.ended);
  const id = crypto.randomUUID();
  const line = new TextEncoder().encode(JSON.stringify({ id, ...body }) + "\n");
  const { promise, resolve, reject } = Promise.withResolvers<unknown>();
  const timer = setTimeout(() => {
    end(state, "timeout", `No answer after ${milliseconds / 1000} s`);
  }, milliseconds);
  state.waiting = { id, resolve, reject, timer };
  // A process that died takes no request; its end says why.
  writer.write(line).catch(() => {});
  return promise;
}

/** Kill the process and refuse what is asked or will be. */
function end(state: State, trouble: Trouble, message: string): void {
  state.ended ??= new SubjectError(trouble, message);
  try {
    state.child.kill("SIGKILL");
  } catch {
    // It is gone already.
  }
  settle(state)?.reject(state.ended);
}

function settle(state: State): Waiting | null {
  const { waiting } = state;
  state.waiting = null;
  if (waiting !== null) clearTimeout(waiting.timer);
  return waiting;
}

async function readAnswers(state: State): Promise<void> {
  const { limits } = state;
  const lines = makeLineSplitter(limits.frameBytes);
  let bytes = 0;
  for await (const chunk of state.child.stdout) {
    bytes += chunk.length;
    if (state.ended !== null) continue;
    if (bytes > limits.stdoutBytes || !lines.push(chunk)) {
      end(state, "protocol", "It wrote too much to its standard output");
      continue;
    }
    for (const line of lines.take()) receive(state, line);
  }
}

function receive(state: State, line: string): void {
  const reply = readReply(line);
  if (reply === null || reply.id !== state.waiting?.id) {
    end(state, "protocol", "It wrote to its standard output by itself");
    return;
  }
  const waiting = settle(state)!;
  if ("value" in reply) waiting.resolve(reply.value);
  else waiting.reject(errorOf(reply.error));
}

/** The line as a reply, or null if it has not exactly that shape. */
function readReply(line: string): Reply | null {
  const data = parseObject(line);
  if (data === null || typeof data.id !== "string") return null;
  if (Object.keys(data).length !== 2) return null;
  if (Object.hasOwn(data, "value")) return { id: data.id, value: data.value };
  const error = data.error as Partial<ErrorReport> | null | undefined;
  if (typeof error !== "object" || error === null) return null;
  const stage = errorStages.find((known) => known === error.stage);
  if (stage === undefined || typeof error.message !== "string") return null;
  return { id: data.id, error: { stage, message: error.message } };
}

function parseObject(line: string): Record<string, unknown> | null {
  try {
    const data: unknown = JSON.parse(line);
    if (typeof data !== "object" || data === null) return null;
    return data as Record<string, unknown>;
  } catch {
    return null;
  }
}

function errorOf({ stage, message }: ErrorReport): SubjectError {
  if (stage === "call") return new SubjectError("threw", message);
  return new SubjectError("not gradable", `${whenText[stage]}: ${message}`);
}

const whenText = {
  parse: "Your file is not valid TypeScript",
  import: "Your file imports what it cannot have",
  load: "Your file threw while it was loaded",
  export: "Your file is not complete",
} as const;

/** Keep the head of what is printed; a flood ends the process. */
async function readPrinted(state: State): Promise<void> {
  const decoder = new TextDecoder();
  let bytes = 0;
  for await (const chunk of state.child.stderr) {
    bytes += chunk.length;
    if (state.printed.length < 4096) {
      state.printed += decoder.decode(chunk, { stream: true }).slice(0, 4096);
    }
    if (bytes > state.limits.stderrBytes) {
      end(state, "protocol", "It printed too much");
    }
  }
}

/** The streams are at their end: say what became of the process. */
async function noteEnd(state: State): Promise<void> {
  const { code, signal } = await state.child.status;
  if (state.ended !== null) return;
  const { cpuSeconds } = state.limits;
  const seconds = (performance.now() - state.startedAt) / 1000;
  if (signal === "SIGKILL" && seconds > cpuSeconds * 0.8) {
    const message = `It used more than ${cpuSeconds} s of CPU time`;
    return end(state, "timeout", message);
  }
  if (/out of memory|heap limit/i.test(state.printed)) {
    return end(state, "memory", "It used too much memory");
  }
  const how = signal === null ? `with code ${code}` : `by ${signal}`;
  end(state, "crashed", `Its process ended ${how} before it answered`);
}
