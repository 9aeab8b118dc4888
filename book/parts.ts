/**
 * The runtime in parts: what is large and not needed by every cell stays out of
 * runtime.js, in a script of its own that the page loads when a cell imports
 * something that needs it.
 *
 * A part is a module without which the rest of lib/ can be bundled: it imports
 * nothing of lib/. In runtime.js it is replaced by a look at
 * `globalThis.swaplabParts`, where its own script puts it.
 */

import type * as esbuild from "esbuild";
import { fromFileUrl, root } from "./files.ts";

/** Each part's module: a file from the project's folder, or a package. */
export const PARTS = {
  plot: "lib/show/plot_library.ts",
  samples: "lib/lab/data/pages.ts",
  recordings: "lib/lab/data/reality.ts",
  diagram: "ohm-js",
} as const;

export type PartName = keyof typeof PARTS;

export const partNames = Object.keys(PARTS) as PartName[];

const STUB = "part";

/** partEntry() - the source of a part's own script. */
export function partEntry(name: PartName): string {
  const module = PARTS[name];
  const from = module.includes("/") ? `./${module}` : module;
  return `import * as part from ${JSON.stringify(from)};
(globalThis.swaplabParts ??= {}).${name} = part;
`;
}

/** leaveOutParts() - replaces every part by a look at what is loaded. */
export function leaveOutParts(): esbuild.Plugin {
  const partOf = new Map<string, PartName>(
    partNames.map((name) => [PARTS[name], name]),
  );
  const start = fromFileUrl(root);
  return {
    name: "leave-out-parts",
    setup(build) {
      build.onResolve({ filter: /./ }, ({ path, resolveDir }) => {
        const file = path.startsWith(".")
          ? new URL(path, `file://${resolveDir}/`).pathname
          : path;
        const name = partOf.get(file.replace(start, ""));
        return name === undefined ? null : { path: name, namespace: STUB };
      });
      build.onLoad({ filter: /./, namespace: STUB }, ({ path }) => ({
        contents: `module.exports = globalThis.swaplabParts.${path};`,
        loader: "js",
      }));
    },
  };
}

/**
 * partsNeeded() - for each input of a build, the parts that it needs, itself or
 * through what it imports.
 */
export function partsNeeded(
  { inputs }: esbuild.Metafile,
): (file: string) => PartName[] {
  // A cell may import a part's own module, too.
  const stubs = new Map<string, PartName>(
    partNames.flatMap((name) => [
      [`${STUB}:${name}`, name],
      [PARTS[name], name],
    ]),
  );

  function collect(file: string, seen: Set<string>): Set<string> {
    if (seen.has(file)) return seen;
    seen.add(file);
    for (const { path } of inputs[file]?.imports ?? []) collect(path, seen);
    return seen;
  }

  return (file) =>
    [...collect(file, new Set())].flatMap((one) => stubs.get(one) ?? []).sort();
}
