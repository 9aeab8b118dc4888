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
import { makeDesk } from "./kernel_desk.ts";
import { makeTypes } from "./kernel_types.ts";
import {
  type Answer,
  type ConnectionInfo,
  openSockets,
} from "./kernel_sockets.ts";
import type { Received } from "./kernel_wire.ts";

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

/**
 * startKernel() - listens on the sockets of `connection`.
 *
 * @throws Error if a port is taken or the signature scheme is unknown
 */
export async function startKernel(
  connection: ConnectionInfo,
  options: KernelOptions,
): Promise<RunningKernel> {
  const { tell } = options;
  const ended = Promise.withResolvers<void>();
  const types = makeTypes(options.cwd);
  const cells = makeCellRunner(options, types);
  // A client may ask before the last of the sockets is open.
  const desk = Promise.withResolvers<ReturnType<typeof makeDesk>>();

  async function handle(request: Received, answer: Answer): Promise<void> {
    await (await desk.promise)(request, answer);
    if (request.header.msg_type === "shutdown_request") await shutdown();
  }

  async function shutdown(): Promise<void> {
    await cells.close();
    await sockets.close();
    ended.resolve();
  }

  const sockets = await openSockets(connection, handle, tell);
  const { publish } = sockets;
  desk.resolve(makeDesk({ cells, types, publish, tell }));
  await publish("status", { execution_state: "starting" }, {});
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
