/**
 * `deno task kernel CONNECTION_FILE`: our Jupyter kernel. Ours.
 *
 *     argv of a kernelspec:
 *     [deno, "run", "-A", "--no-check", "--config=…/deno.json",
 *      "…/lib/notebook/kernel.ts", "{connection_file}"]
 *
 * This process only talks: it answers each client at once, also while a cell
 * is busy, since cells run in a process of their own (kernel_cells.ts).
 * `--memory=MIB` limits the objects of the cells, 2048 by default.
 */
import { readFileSync } from "node:fs";
import process from "node:process";
import { makeCellRunner } from "./kernel_cells.ts";
import { makeExecutor } from "./kernel_execute.ts";
import { makeTypes } from "./kernel_types.ts";
import {
  cursorIn,
  historyReply,
  isComplete,
  kernelInfo,
  noMatches,
  nothingFound,
} from "./kernel_requests.ts";
import {
  type Answer,
  type ConnectionInfo,
  openSockets,
} from "./kernel_sockets.ts";
import type { Content, Received } from "./kernel_wire.ts";

export interface KernelOptions {
  /** Where cells run: the folder of the notebook. */
  cwd: string;
  memoryMiB: number;
  /** Takes lines for the kernel's own terminal. */
  tell: (line: string) => void;
}

export interface RunningKernel {
  /** Resolves when a client has asked it to end, and it has. */
  readonly ended: Promise<void>;
  /** What `interrupt_request` does. */
  interrupt(): void;
  shutdown(): Promise<void>;
}

/** Answers a request, or null: it wants no reply. */
type Handler = (request: Received) => Promise<Content | null> | Content | null;

/**
 * startKernel() - listens on the sockets of `connection`.
 *
 * @throws Error if a port is taken or the signature scheme is unknown
 */
export async function startKernel(
  connection: ConnectionInfo,
  options: KernelOptions,
): Promise<RunningKernel> {
  const ended = Promise.withResolvers<void>();
  const types = makeTypes(options.cwd);
  const cells = makeCellRunner(options, types);
  const sockets = await openSockets(connection, handle, options.tell);
  const executor = makeExecutor(cells, sockets.publish);

  const handlers: Record<string, Handler> = {
    kernel_info_request: kernelInfo,
    execute_request: (request) => executor.execute(request),
    complete_request: async ({ content }) => {
      const [source, cursor] = cursorIn(content);
      return await types.complete(source, cursor) ?? noMatches(cursor);
    },
    inspect_request: async ({ content }) => {
      const [source, cursor] = cursorIn(content);
      return await types.inspect(source, cursor) ?? nothingFound();
    },
    is_complete_request: ({ content }) => isComplete(String(content.code)),
    history_request: ({ content }) => historyReply(executor.history, content),
    comm_info_request: () => ({ status: "ok", comms: {} }),
    comm_open: closeComm,
    comm_msg: () => null,
    comm_close: () => null,
    interrupt_request() {
      cells.interrupt();
      return { status: "ok" };
    },
    shutdown_request: ({ content }) => ({
      status: "ok",
      restart: content.restart === true,
    }),
  };

  /** There are no widgets here; a client that opens one hears so. */
  async function closeComm({ content, header }: Received): Promise<null> {
    const { comm_id } = content;
    await sockets.publish("comm_close", { comm_id, data: {} }, header);
    return null;
  }

  function handle(request: Received, answer: Answer): void {
    respond(request, answer).catch((error) => {
      options.tell(`${request.header.msg_type} failed: ${error?.stack}`);
    });
  }

  async function respond(request: Received, answer: Answer): Promise<void> {
    const { header } = request;
    const handler = handlers[header.msg_type];
    if (handler === undefined) {
      return options.tell(`no answer to ${header.msg_type}: not known`);
    }
    const publishStatus = (execution_state: string, of = header) =>
      sockets.publish("status", { execution_state }, of);
    await publishStatus("busy");
    const content = await handler(request);
    if (content !== null) {
      const type = header.msg_type.replace(/_request$/, "_reply");
      await answer(type, content);
    }
    await publishStatus("idle");
    // Who watches the last status only must not think that the cell is over.
    const { current } = executor;
    if (current !== null) await publishStatus("busy", current.header);
    if (header.msg_type === "shutdown_request") await shutdown();
  }

  async function shutdown(): Promise<void> {
    await cells.close();
    await sockets.close();
    ended.resolve();
  }

  await sockets.publish("status", { execution_state: "starting" }, {});
  return { ended: ended.promise, interrupt: cells.interrupt, shutdown };
}

/** The number of an option `--name=N`, or `otherwise`. */
function numberOption(
  args: readonly string[],
  name: string,
  otherwise: number,
): number {
  const text = args.find((arg) => arg.startsWith(`--${name}=`));
  return text === undefined ? otherwise : Number(text.split("=")[1]);
}

const DEFAULT_MEMORY_MIB = 2_048;

/** How often to look whether Jupyter is still there, in milliseconds. */
const WATCH_MS = 1_000;

/** Jupyter tells its process id; without it nobody wants this kernel. */
function whenAlone(pid: number, then: () => void): () => void {
  const timer = setInterval(() => {
    try {
      process.kill(pid, 0);
    } catch {
      then();
    }
  }, WATCH_MS);
  return () => clearInterval(timer);
}

async function main(args: readonly string[]): Promise<number> {
  const file = args.find((arg) => !arg.startsWith("-"));
  if (file === undefined) {
    console.error(
      "usage: deno task kernel CONNECTION_FILE [--memory=MIB]\n" +
        "Jupyter starts it; `deno task lab` tells Jupyter how.",
    );
    return 2;
  }
  const kernel = await startKernel(JSON.parse(readFileSync(file, "utf8")), {
    cwd: process.cwd(),
    memoryMiB: numberOption(args, "memory", DEFAULT_MEMORY_MIB),
    tell: (line) => console.error(`swaplab kernel: ${line}`),
  });
  process.on("SIGINT", kernel.interrupt);
  process.on("SIGTERM", kernel.shutdown);
  const parent = Number(process.env.JPY_PARENT_PID ?? 0);
  const stopWatching = parent > 1 ? whenAlone(parent, kernel.shutdown) : null;
  await kernel.ended;
  stopWatching?.();
  // Deno waits for signals as long as somebody listens.
  process.off("SIGINT", kernel.interrupt);
  process.off("SIGTERM", kernel.shutdown);
  return 0;
}

if (import.meta.main) process.exitCode = await main(process.argv.slice(2));
