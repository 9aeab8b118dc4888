/**
 * The page's side of the worker: starts it from a Blob (which works from
 * file:// too), gives it cells, ends it.
 *
 * One cell runs at a time; callers wait for run() before they call it again.
 */

import type { Output } from "../../lib/notebook/nbformat.ts";
import { mergeStreams } from "./flow.ts";
import type { PageMessage, RunRequest, WorkerMessage } from "./protocol.ts";
import { strings } from "./strings.ts";

/** How a run ended; `broken` carries why no worker could answer. */
export type Ran =
  | { how: "done"; outputs: Output[]; cut: boolean }
  | { how: "stopped" }
  | { how: "broken"; reason: string };

export interface Runner {
  /** Load the engine ahead of the first run. Safe to call at any time. */
  prepare(): void;
  /**
   * Cells that the living worker has run, so what a new run can build on. The
   * caller adds to it; a worker that ends empties it.
   */
  readonly ran: Set<string>;
  run(
    id: string,
    source: string,
    onSome: (outputs: Output[]) => void,
  ): Promise<Ran>;
  /** End the worker, even in an endless loop: its session is gone. */
  stop(): void;
}

interface Pending {
  run: number;
  outputs: Output[];
  onSome: (outputs: Output[]) => void;
  settle: (ran: Ran) => void;
}

/** makeRunner() - `loadScript` gives the source of a script by its name. */
export function makeRunner(
  loadScript: (name: string) => Promise<string>,
): Runner {
  const ran = new Set<string>();
  let worker: Promise<Worker> | null = null;
  let pending: Pending | null = null;
  let runs = 0;

  function settle(result: Ran): void {
    const waiting = pending;
    pending = null;
    waiting?.settle(result);
  }

  async function bringPart(part: string, to: Worker): Promise<void> {
    const message: PageMessage = await loadScript(part).then(
      (source) => ({ type: "part", part, source }),
      (error: Error) => ({ type: "no-part", part, reason: error.message }),
    );
    to.postMessage(message);
  }

  function hear(reply: WorkerMessage, from: Worker): void {
    if (reply.type === "need") return void bringPart(reply.part, from);
    if (reply.type === "ready" || reply.run !== pending?.run) return;
    if (reply.type === "done") return settle({ how: "done", ...reply });
    pending.outputs = mergeStreams([...pending.outputs, ...reply.outputs]);
    pending.onSome(pending.outputs);
  }

  async function start(): Promise<Worker> {
    const source = await loadScript("runtime");
    const url = URL.createObjectURL(
      new Blob([source], { type: "text/javascript" }),
    );
    const started = new Worker(url);
    started.onmessage = (event: MessageEvent<WorkerMessage>) =>
      hear(event.data, started);
    started.onerror = (event) => {
      drop();
      settle({ how: "broken", reason: event.message });
    };
    return started;
  }

  function drop(): void {
    const old = worker;
    worker = null;
    ran.clear();
    old?.then((found) => found.terminate(), () => {});
  }

  async function run(
    id: string,
    source: string,
    onSome: (outputs: Output[]) => void,
  ): Promise<Ran> {
    const number = ++runs;
    const result = new Promise<Ran>((settle) => {
      pending = { run: number, outputs: [], onSome, settle };
    });
    try {
      worker ??= start();
      const request: RunRequest = { type: "run", run: number, id, source };
      const ready = await worker;
      if (pending?.run === number) ready.postMessage(request);
    } catch (error) {
      drop();
      settle({ how: "broken", reason: (error as Error).message });
    }
    return await result;
  }

  return {
    prepare: () => {
      worker ??= start();
      worker.catch(() => worker = null);
    },
    ran,
    run,
    stop: () => {
      drop();
      settle({ how: "stopped" });
    },
  };
}

/**
 * loadScript() - run a classic script that sits beside the page and give what
 * it left in `globalThis.swaplabScripts`: the source of a worker, or of a part
 * of it. A fetch would fail from file://.
 */
export function loadScript(name: string): Promise<string> {
  const host = globalThis as { swaplabScripts?: Record<string, string> };
  return new Promise((resolve, reject) => {
    const settle = () => {
      const source = host.swaplabScripts?.[name];
      if (source === undefined) reject(new Error(strings.noScript(name)));
      else resolve(source);
    };
    if (host.swaplabScripts?.[name] !== undefined) return settle();
    const script = document.createElement("script");
    script.src = `${name}.js`;
    script.onload = settle;
    script.onerror = settle;
    document.head.append(script);
  });
}
