/**
 * A small Jupyter client: starts a kernel, runs cells, hands back what a
 * notebook would store. It knows nothing of any one kernel. Ours.
 *
 *     await using kernel = await startKernel({ name, argv, cwd });
 *     const { status, outputs } = await kernel.execute("1 + 1");
 *
 * It keeps to the protocol as nbclient does: a cell is over when both its
 * reply and its "idle" status are there. What is published after that is lost
 * to the notebook; `late` holds it.
 */
import type { Output } from "../../lib/notebook/nbformat.ts";
import { type Answer, connect, type Connection } from "./connection.ts";
import {
  type KernelProcess,
  type KernelSpec,
  startProcess,
} from "./process.ts";

export type { KernelSpec } from "./process.ts";

export interface Execution {
  /** The reply's: "ok", "error"; "abort" or "aborted" if it did not run. */
  status: string;
  executionCount: number | null;
  outputs: Output[];
}

export interface Kernel extends AsyncDisposable {
  readonly pid: number;
  /** Its path; gone after shutdown(). */
  readonly connectionFile: string;
  /** What it has written to its terminal. */
  log(): string;
  /** The content of `kernel_info_reply`. */
  readonly info: Record<string, unknown>;
  /** Outputs that came after the idle status of the cell that made them. */
  readonly late: readonly Output[];
  /** Runs one cell; on time-out the kernel is killed and the call rejects. */
  execute(
    code: string,
    timeoutMs?: number,
    metadata?: Record<string, unknown>,
  ): Promise<Execution>;
  /** Any request on the shell channel; rejects if the kernel ends first. */
  ask: Connection["ask"];
  /** Any request on the control channel, its answer not awaited. */
  tell: Connection["tell"];
  /** The next published message that fits, whatever it belongs to. */
  published: Connection["published"];
  /** Asks it to end, waits, kills it if it does not; leaves nothing behind. */
  shutdown(): Promise<void>;
}

const START_TIMEOUT_MS = 20_000;
const CELL_TIMEOUT_MS = 30_000;
/** How long to wait for the first answer before asking once more. */
const ASK_AGAIN_MS = 100;
/** How long a kernel may take to end before it is killed. */
const END_PATIENCE_MS = 1_000;

/**
 * startKernel() - starts a kernel and waits until it answers.
 *
 * @throws Error with what the kernel wrote to its terminal, if it ends or does
 *   not answer in time; nothing of it is left then
 */
export async function startKernel(
  spec: KernelSpec,
  timeoutMs = START_TIMEOUT_MS,
): Promise<Kernel> {
  const process = await startProcess(spec);
  const connection = connect(process);

  /** Waits for `answer`; whatever goes wrong is the end of the kernel. */
  async function wait(answer: Promise<Answer>, ms: number, what: string) {
    try {
      return await within(Promise.race([answer, process.died]), ms);
    } catch (error) {
      await connection.close();
      await process.end(0);
      if (!(error instanceof TimeOut)) throw error;
      const log = process.log();
      throw new Error(
        `${spec.name}: ${what} ${error.message}. It wrote:\n${log}`,
      );
    }
  }

  const execute: Kernel["execute"] = async (
    code,
    ms = CELL_TIMEOUT_MS,
    metadata = {},
  ) => {
    const content = executeContent(code);
    const answer = connection.ask("execute_request", content, metadata);
    return executionOf(await wait(answer, ms, "a cell"));
  };

  const { reply } = await wait(
    firstAnswer(connection),
    timeoutMs,
    "the kernel's start",
  );
  const shutdown = () => end(process, connection);
  return {
    pid: process.pid,
    connectionFile: process.connectionFile,
    log: process.log,
    info: reply,
    late: connection.late,
    execute,
    ask: (...request) =>
      Promise.race([connection.ask(...request), process.died]),
    tell: connection.tell,
    published: connection.published,
    shutdown,
    [Symbol.asyncDispose]: shutdown,
  };
}

/**
 * A subscription takes effect some time after the connection does; what was
 * published before is lost. So we ask until reply *and* status get through.
 */
async function firstAnswer(connection: Connection): Promise<Answer> {
  for (;;) {
    const answer = connection.ask("kernel_info_request", {});
    try {
      return await within(answer, ASK_AGAIN_MS);
    } catch (error) {
      if (!(error instanceof TimeOut)) throw error;
      answer.catch(() => {}); // Nobody waits for this one any more.
    }
  }
}

function executeContent(code: string): Record<string, unknown> {
  return {
    code,
    silent: false,
    store_history: true,
    user_expressions: {},
    allow_stdin: false,
    stop_on_error: true,
  };
}

function executionOf({ reply, outputs }: Answer): Execution {
  const count = reply.execution_count;
  return {
    status: String(reply.status),
    executionCount: typeof count === "number" ? count : null,
    outputs,
  };
}

async function end(
  process: KernelProcess,
  connection: Connection,
): Promise<void> {
  const asked = connection.tell("shutdown_request", { restart: false });
  asked.catch(() => {}); // Closed already: it was killed on time-out.
  await process.end(END_PATIENCE_MS);
  await connection.close();
}

class TimeOut extends Error {}

async function within<T>(work: Promise<T>, ms: number): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => reject(new TimeOut(`took longer than ${ms} ms`)),
    ms,
  );
  try {
    return await Promise.race([work, promise]);
  } finally {
    clearTimeout(timer);
  }
}
