/**
 * The child process that runs cells, as our kernel sees it: it is started,
 * runs one cell at a time, and can be killed whatever it does. Ours.
 *
 * It ends when our end of its stdin closes; and if we were killed while a cell
 * never ends, a watchdog thread of its own ends it (kernel_child.ts).
 */
import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import process from "node:process";
import { fileURLToPath } from "node:url";
import {
  type CellEvent,
  type ChildEvent,
  type ExpressionResults,
  makeEventReader,
  makeMark,
  type RunRequest,
} from "./kernel_frames.ts";

/** How a child ended; what it wrote to stderr, at most the last 4 KiB. */
export class ChildEnded extends Error {
  override name = "ChildEnded";
  readonly code: number | null;
  readonly log: string;

  constructor(code: number | null, log: string) {
    super(`the process of the cells ended with code ${code}`);
    this.code = code;
    this.log = log;
  }
}

/** Takes what a cell does, in order; nothing more is read until it resolves. */
export type TakeEvents = (events: readonly CellEvent[]) => Promise<void>;

export interface CellProcess {
  /**
   * Runs a cell; resolves when all its events are taken.
   *
   * @throws {ChildEnded} if the process ends before the cell does
   */
  run(request: RunRequest, take: TakeEvents): Promise<ExpressionResults>;
  readonly isAlive: boolean;
  /** Ends it, whatever it does; resolves when all its events are taken. */
  kill(): Promise<void>;
}

/** Where cells run, and how much memory they may use for objects. */
export interface ProcessOptions {
  cwd: string;
  memoryMiB: number;
}

/** What is kept of stderr, in UTF-16 units. */
const KEPT_LOG = 4096;

/** What is kept of events that come while no cell runs. */
const KEPT_EVENTS = 100;

/** How long after its end we read what others write for it. */
const GRACE_MS = 200;

/** startCellProcess() - a fresh process, which begins to load its modules. */
export function startCellProcess(options: ProcessOptions): CellProcess {
  const nonce = randomUUID();
  const child = spawnChild(options, nonce);
  const between: CellEvent[] = [];
  const wait: TakeEvents = (events) => {
    between.push(...events.slice(0, KEPT_EVENTS - between.length));
    return Promise.resolve();
  };
  let take = wait;
  let settle = newResult();
  let log = "";
  let ended: ChildEnded | null = null;

  async function listen(): Promise<void> {
    const read = makeEventReader(makeMark(nonce));
    for await (const piece of child.stdout ?? []) {
      const events = read(piece);
      const shown = events.filter(isCellEvent);
      if (shown.length > 0) await take(shown);
      const done = events.find((one) => one.event === "done");
      if (done !== undefined) settle.resolve(done.expressions);
    }
  }

  async function live(): Promise<void> {
    const exited = exitOf(child);
    await listen().catch(() => {}); // exitOf() closed it.
    ended = new ChildEnded(await exited, log);
    settle.reject(ended);
  }

  child.stdout?.setEncoding("utf8");
  child.stderr?.setEncoding("utf8");
  child.stderr?.on("data", (text: string) => {
    log = (log + text).slice(-KEPT_LOG);
  });
  child.stdin?.on("error", () => {}); // It has ended; "close" tells.
  const gone = live();
  return {
    async run(request, takeEvents) {
      if (ended !== null) throw ended;
      settle = newResult();
      take = takeEvents;
      if (between.length > 0) await take(between.splice(0));
      child.stdin?.write(`${JSON.stringify(request)}\n`);
      try {
        return await settle.promise;
      } finally {
        take = wait;
      }
    },
    get isAlive() {
      return ended === null;
    },
    async kill() {
      child.kill("SIGKILL");
      await gone;
    },
  };
}

/**
 * Its exit code. What it started may hold its streams open for longer than it
 * lives; they are closed then, when what came from itself has been read.
 */
function exitOf(child: ChildProcess): Promise<number | null> {
  const { promise, resolve } = Promise.withResolvers<number | null>();
  child.once("exit", (code) => {
    setTimeout(() => {
      child.stdout?.destroy();
      child.stderr?.destroy();
    }, GRACE_MS);
    resolve(code);
  });
  return promise;
}

function newResult(): PromiseWithResolvers<ExpressionResults> {
  const result = Promise.withResolvers<ExpressionResults>();
  result.promise.catch(() => {}); // Nobody may wait for it when it fails.
  return result;
}

function isCellEvent(event: ChildEvent): event is CellEvent {
  return event.event !== "done";
}

function spawnChild(options: ProcessOptions, nonce: string): ChildProcess {
  const root = new URL("../../", import.meta.url);
  const args = [
    "run",
    "--allow-all",
    "--no-check",
    `--config=${fileURLToPath(new URL("deno.json", root))}`,
    `--v8-flags=--max-old-space-size=${options.memoryMiB}`,
    fileURLToPath(new URL("kernel_child.ts", import.meta.url)),
    nonce,
    String(process.pid),
  ];
  return spawn(process.execPath, args, {
    cwd: options.cwd,
    env: { ...process.env, NO_COLOR: "1" },
    stdio: ["pipe", "pipe", "pipe"],
  });
}
