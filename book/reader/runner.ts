/**
 * The page's side of the worker: starts it from a Blob (which works from
 * file:// too), gives it cells, ends it.
 *
 * One cell runs at a time; callers wait for run() before they call it again.
 */

import type { Output } from "../../lib/notebook/nbformat.ts";
import { mergeStreams } from "./flow.ts";
import type { RunReply, RunRequest } from "./protocol.ts";
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

/** makeRunner() - `loadRuntime` gives the source of the worker. */
export function makeRunner(loadRuntime: () => Promise<string>): Runner {
  const ran = new Set<string>();
  let worker: Promise<Worker> | null = null;
  let pending: Pending | null = null;
  let runs = 0;

  function settle(result: Ran): void {
    const waiting = pending;
    pending = null;
    waiting?.settle(result);
  }

  function hear(reply: RunReply): void {
    if (reply.type === "ready" || reply.run !== pending?.run) return;
    if (reply.type === "done") return settle({ how: "done", ...reply });
    pending.outputs = mergeStreams([...pending.outputs, ...reply.outputs]);
    pending.onSome(pending.outputs);
  }

  async function start(): Promise<Worker> {
    const source = await loadRuntime();
    const url = URL.createObjectURL(
      new Blob([source], { type: "text/javascript" }),
    );
    const started = new Worker(url);
    started.onmessage = (event: MessageEvent<RunReply>) => hear(event.data);
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
      const request: RunRequest = { run: number, id, source };
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
 * it left in `globalThis.swaplabRuntime`. A fetch would fail from file://.
 */
export function loadScript(address: string): Promise<string> {
  const host = globalThis as { swaplabRuntime?: string };
  return new Promise((resolve, reject) => {
    if (host.swaplabRuntime !== undefined) return resolve(host.swaplabRuntime);
    const script = document.createElement("script");
    script.src = address;
    script.onload = () =>
      host.swaplabRuntime === undefined
        ? reject(new Error(strings.noRuntime))
        : resolve(host.swaplabRuntime);
    script.onerror = () => reject(new Error(strings.noRuntime));
    document.head.append(script);
  });
}
