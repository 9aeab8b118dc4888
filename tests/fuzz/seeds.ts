/** Running the script of a seed; what fails is cut down and told. */
import { type RunOptions, runScript } from "swaplab/lab/fuzz_run.ts";
import { makeScript } from "swaplab/lab/fuzz_script.ts";
import { shrinkScript, tellFailure } from "swaplab/lab/fuzz_shrink.ts";
import type { World } from "swaplab/lab/fuzz_world.ts";

export function runSeed(
  seed: number,
  lines: number,
  options: RunOptions,
): World {
  const script = makeScript(seed, lines);
  const { world, failure } = runScript(script, options);
  if (failure === null) return world;
  const shrunk = shrinkScript(script, options);
  throw shrunk === null ? failure.error : new Error(tellFailure(shrunk));
}
