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

interface Job {
  /** The first seed; the next scripts have the next ones. */
  readonly seed: number;
  /** Operations a script. */
  readonly lines: number;
  /** When to stop, in milliseconds since 1970. */
  readonly until: number;
}

function startWorkers({ seed, lines, until }: Job): void {
  const file = new URL("./fuzz_worker.ts", import.meta.url);
  const count = availableParallelism();
  let operations = 0;
  let lastTold = Date.now();
  let running = count;
  const done = () => `${operations} operations, ${operations / lines} scripts`;
  for (let i = 0; i < count; i++) {
    const worker = new Worker(file, { type: "module" });
    const order: Order = { seed: seed + i, step: count, lines, until };
    worker.onmessage = ({ data }: MessageEvent<News | null>) => {
      if (data === null) {
        worker.terminate();
        if (--running > 0) return;
        console.log(`${done()}: the engine agrees with the oracle on all`);
      } else if ("failure" in data) {
        console.log(data.failure);
        process.exit(1);
      } else {
        operations += data.operations;
        if (Date.now() - lastTold < 10_000) return;
        lastTold = Date.now();
        const left = Math.max(0, Math.round((until - lastTold) / 1000));
        console.log(`${done()}, ${left} s left`);
      }
    };
    worker.postMessage(order);
  }
}

function positive(name: string, text: string): number {
  const number = Number(text);
  if (number > 0 && Number.isFinite(number)) return number;
  throw new RangeError(`--${name}: wanted a number above 0, got ${text}`);
}

function whole(name: string, text: string): number {
  const number = positive(name, text);
  if (Number.isSafeInteger(number)) return number;
  throw new RangeError(`--${name}: wanted a whole number, got ${text}`);
}

function main(): void {
  const { values } = parseArgs({
    options: {
      minutes: { type: "string", default: "2" },
      seed: { type: "string", default: "1" },
      lines: { type: "string", default: "2000" },
    },
  });
  const minutes = positive("minutes", values.minutes);
  startWorkers({
    seed: whole("seed", values.seed),
    lines: whole("lines", values.lines),
    until: Date.now() + minutes * 60_000,
  });
}

if (import.meta.main) main();
