/**
 * The worker of a page: one notebook session, fed a cell at a time. Bundled
 * with the engine into runtime.js (book/bundle.ts).
 */

import type { Output } from "../../lib/notebook/nbformat.ts";
import { makeSession } from "../../lib/notebook/session.ts";
import { makeFlow } from "./flow.ts";
import type { RunReply, RunRequest } from "./protocol.ts";

/** What a cell may import: a specifier to a function that loads the module. */
export type Registry = Record<string, () => Promise<unknown>>;

/** startWorker() - answer the page's requests from now on. */
export function startWorker(registry: Registry): void {
  const session = makeSession({
    load: (specifier) => load(registry, specifier),
  });

  async function answer({ run, id, source }: RunRequest): Promise<void> {
    const flow = makeFlow((outputs) => reply({ type: "some", run, outputs }));
    const onOutput = (output: Output) => flow.take(output, performance.now());
    const outputs = await session.run(source, { id, onOutput });
    reply({ type: "done", run, ...flow.limit(outputs) });
  }

  addEventListener("message", (event: MessageEvent<RunRequest>) => {
    void answer(event.data);
  });
  reply({ type: "ready" });
}

function load(registry: Registry, specifier: string): Promise<unknown> {
  const entry = Object.hasOwn(registry, specifier)
    ? registry[specifier]
    : undefined;
  if (entry !== undefined) return entry();
  throw new TypeError(
    `Cannot import "${specifier}": wanted "swaplab" or a module of it such ` +
      `as "swaplab/mm/zswap.ts"`,
  );
}

function reply(message: RunReply): void {
  postMessage(message);
}
