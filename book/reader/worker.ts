/**
 * The worker of a page: one notebook session, fed a cell at a time. Bundled
 * with the engine into runtime.js (book/bundle.ts).
 */

import type { Output } from "../../lib/notebook/nbformat.ts";
import { makeSession } from "../../lib/notebook/session.ts";
import { makeFlow } from "./flow.ts";
import type { PageMessage, RunRequest, WorkerMessage } from "./protocol.ts";
import { loadParts, takePart } from "./worker_parts.ts";

/** Loads a module. */
type Entry = () => Promise<object>;

/** What a cell may import. */
export interface Registry {
  /** By specifier. */
  readonly modules: Readonly<Record<string, Entry>>;
  /** The names of "swaplab", each with the module that it comes from. */
  readonly names: Readonly<Record<string, Entry>>;
}

/** startWorker() - answer the page's requests from now on. */
export function startWorker(registry: Registry): void {
  const session = makeSession({
    load: (specifier, names) => load(registry, specifier, names),
  });

  async function answer({ run, id, source }: RunRequest): Promise<void> {
    const flow = makeFlow((outputs) => reply({ type: "some", run, outputs }));
    const onOutput = (output: Output) => flow.take(output, performance.now());
    const outputs = await session.run(source, { id, onOutput });
    reply({ type: "done", run, ...flow.limit(outputs) });
  }

  addEventListener("message", ({ data }: MessageEvent<PageMessage>) => {
    if (data.type === "run") void answer(data);
    else takePart(data);
  });
  reply({ type: "ready" });
}

async function load(
  { modules, names }: Registry,
  specifier: string,
  wanted?: readonly string[],
): Promise<object> {
  if (specifier === "swaplab" && wanted?.every((one) => one in names)) {
    return await loadNames(names, wanted);
  }
  const entry = Object.hasOwn(modules, specifier) ? modules[specifier] : null;
  if (entry) return await loadEntry(specifier, entry);
  throw new TypeError(
    `Cannot import "${specifier}": wanted "swaplab" or a module of it such ` +
      `as "swaplab/mm/zswap.ts"`,
  );
}

/** Only what they need is loaded, not all that "swaplab" has. */
async function loadNames(
  names: Registry["names"],
  wanted: readonly string[],
): Promise<object> {
  const found: Record<string, unknown> = {};
  for (const name of wanted) {
    const module = await loadEntry(name, names[name]!);
    found[name] = Reflect.get(module, name);
  }
  return found;
}

async function loadEntry(name: string, entry: Entry): Promise<object> {
  await loadParts(name, (part) => reply({ type: "need", part }));
  return await entry();
}

function reply(message: WorkerMessage): void {
  postMessage(message);
}
