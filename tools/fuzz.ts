/**
 * `deno task fuzz [--minutes N] [--seed S] [--lines L]`: random scripts against
 * the oracle until the time is over. Exit 1 with the shrunk script at the
 * first failure.
 *
 * Ours. The CPUs share the seeds: each has a worker.
 */
import { availableParallelism } from "node:os";
import process from "node:process";
import { parseArgs } from "node:util";
import type { News, Order } from "./fuzz_worker.ts";

function startWorkers(from: number, lines: number, until: number): void {
  const file = new URL("./fuzz_worker.ts", import.meta.url);
  const count = availableParallelism();
  let operations = 0;
  let lastTold = Date.now();
  let running = count;
  const tell = () => {
    console.log(`${operations} operations, ${operations / lines} scripts`);
    lastTold = Date.now();
  };
  for (let i = 0; i < count; i++) {
    const worker = new Worker(file, { type: "module" });
    const order: Order = { seed: from + i, step: count, lines, until };
    worker.onmessage = ({ data }: MessageEvent<News | null>) => {
      if (data === null) {
        worker.terminate();
        if (--running === 0) tell();
      } else if ("failure" in data) {
        console.log(data.failure);
        process.exit(1);
      } else {
        operations += data.operations;
        if (Date.now() - lastTold > 10_000) tell();
      }
    };
    worker.postMessage(order);
  }
}

function main(): void {
  const { values } = parseArgs({
    options: {
      minutes: { type: "string", default: "2" },
      seed: { type: "string", default: "1" },
      lines: { type: "string", default: "2000" },
    },
  });
  const until = Date.now() + Number(values.minutes) * 60_000;
  if (!(until > 0)) throw new RangeError(`--minutes: got ${values.minutes}`);
  startWorkers(Number(values.seed), Number(values.lines), until);
}

if (import.meta.main) main();
