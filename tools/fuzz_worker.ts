/**
 * One of the workers of `deno task fuzz`: runs one seed after the other. Ours.
 */
import { type RunOptions, runScript } from "swaplab/lab/fuzz_run.ts";
import { makeScript } from "swaplab/lab/fuzz_script.ts";
import { shrinkScript, tellFailure } from "swaplab/lab/fuzz_shrink.ts";
import { makeContents } from "swaplab/lab/fuzz_world.ts";

/** Seeds `seed`, `seed + step`, … while Date.now() is below `until`. */
export interface Order {
  readonly seed: number;
  readonly step: number;
  /** Of each script. */
  readonly lines: number;
  readonly until: number;
}

/** After each script; null: the time is over. */
export type News =
  | { readonly operations: number }
  | { readonly failure: string }
  | null;

/** A multiple of it ends each script: often enough to find the culprit. */
const checkEvery = 50;

function work(order: Order, tell: (news: News) => void): void {
  const options: RunOptions = { contents: makeContents(), checkEvery };
  for (let { seed } = order; Date.now() < order.until; seed += order.step) {
    const script = makeScript(seed, order.lines);
    const { failure } = runScript(script, options);
    if (failure !== null) {
      const shrunk = shrinkScript(script, options);
      const report = shrunk === null
        ? `seed ${seed}: ${failure.error.stack}\nNot so when every step is checked.`
        : tellFailure(shrunk);
      tell({ failure: report });
      return;
    }
    tell({ operations: order.lines });
  }
  tell(null);
}

globalThis.onmessage = ({ data }: MessageEvent<Order>) => {
  work(data, (news) => globalThis.postMessage(news));
};
