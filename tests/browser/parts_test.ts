/** What the runtime weighs, and which imports bring which part. */
import { deepEqual, ok } from "node:assert/strict";
import { gzipSync } from "node:zlib";
import * as swaplab from "swaplab";
import {
  type Bundled,
  bundleScripts,
  namesOfSwaplab,
} from "../../book/bundle.ts";

let bundled: Promise<Bundled> | null = null;
const theBundle = () => bundled ??= bundleScripts();

Deno.test("namesOfSwaplab() has every value that lib/mod.ts exports", () => {
  deepEqual([...namesOfSwaplab().keys()].sort(), Object.keys(swaplab).sort());
});

Deno.test("runtime.js weighs at most 250 KB when packed", async () => {
  const { scripts } = await theBundle();
  const bytes = gzipSync(scripts["runtime.js"]!, { level: 9 }).length;
  ok(bytes <= 250_000, `${bytes} bytes`);
});

Deno.test("an import brings the parts that it needs and no others", async () => {
  const { partsOf } = await theBundle();
  deepEqual(partsOf("swaplab", ["makeMachine", "show"]), []);
  deepEqual(partsOf("swaplab", ["makePageSource"]), ["samples"]);
  deepEqual(partsOf("swaplab", ["plot", "makePageSource"]), [
    "plot",
    "samples",
  ]);
  deepEqual(partsOf("swaplab/lab/diagram.ts", ["anything"]), ["diagram"]);
  deepEqual(partsOf("swaplab/lab/data/reality.ts", ["anything"]), [
    "recordings",
  ]);
  deepEqual(partsOf("swaplab", ["*"]).includes("samples"), true);
});
