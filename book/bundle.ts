/**
 * The scripts of the book: reader.js, the client of a page; runtime.js, which
 * holds the source of the worker (engine and notebook session) as a string,
 * because a page opened from a disk may start a worker only from text; and its
 * parts (parts.ts), which hold theirs in the same way.
 */

import * as esbuild from "esbuild";
import { loneModules } from "../lib/engine_hash.ts";
import { fromFileUrl, isThere, root, walk } from "./files.ts";
import {
  leaveOutParts,
  partEntry,
  type PartName,
  partNames,
  partsNeeded,
} from "./parts.ts";

/** Areas of lib/ whose modules a cell may import. */
const AREAS = [
  "base",
  "sim",
  "locking",
  "crypto",
  "block",
  "mm",
  "lab",
  "show",
] as const;

/** File names to sources. */
export type Scripts = Readonly<Record<`${string}.js`, string>>;

export interface Bundled {
  readonly scripts: Scripts;
  /** The parts that an import of `names` from `specifier` needs. */
  partsOf(specifier: string, names: readonly string[]): readonly PartName[];
}

/** bundleScripts() - all scripts, minified; throws on what does not resolve. */
export async function bundleScripts(): Promise<Bundled> {
  try {
    const scripts: Record<string, string> = {
      "reader.js": (await bundle({
        entryPoints: [fromFileUrl(new URL("book/reader/reader.ts", root))],
      })).text,
    };
    for (const name of partNames) {
      const { text } = await bundle(fromText(partEntry(name)));
      scripts[`${name}.js`] = asScript(name, text);
    }
    const { text, needs } = await bundleWorker();
    scripts["runtime.js"] = asScript(
      "runtime",
      `globalThis.swaplabNeeds=${JSON.stringify(needs)};${text}`,
    );
    const partsOf = (specifier: string, names: readonly string[]) => {
      const keys = specifier === "swaplab" && !names.includes("*")
        ? names
        : [specifier];
      return [...new Set(keys.flatMap((key) => needs[key] ?? []))].sort();
    };
    return { scripts, partsOf };
  } finally {
    await esbuild.stop();
  }
}

/** sucrase checks its options with a library of 17 KB; ours are constant. */
const leaveOutOptionCheck: esbuild.Plugin = {
  name: "leave-out-option-check",
  setup(build) {
    const filter = /sucrase\/dist\/esm\/Options\.js$/;
    const contents = "export function validateOptions() {}";
    build.onLoad({ filter }, () => ({ contents }));
  },
};

type Needs = Readonly<Record<string, readonly PartName[]>>;

async function bundleWorker(): Promise<{ text: string; needs: Needs }> {
  const modules = importable();
  const names = namesOfSwaplab();
  const { text, metafile } = await bundle({
    ...fromText(workerEntry(modules, names)),
    plugins: [leaveOutParts(), leaveOutOptionCheck],
    metafile: true,
  });
  const needsOf = partsNeeded(metafile!);
  const start = fromFileUrl(root);
  const needs = [...modules, ...names].map((
    [key, file],
  ) => [key, needsOf(file.replace(start, ""))] as const);
  return {
    text,
    needs: Object.fromEntries(needs.filter(([, parts]) => parts.length > 0)),
  };
}

/** namesOfSwaplab() - each value that lib/mod.ts exports, and from which file. */
export function namesOfSwaplab(): Map<string, string> {
  const lib = new URL("lib/", root);
  const source = Deno.readTextFileSync(new URL("mod.ts", lib));
  const clauses = source.matchAll(/^export \{([^}]*)\} from "([^"]+)";/gm);
  return new Map([...clauses].flatMap(([, list, from]) => {
    const file = fromFileUrl(new URL(from!, lib));
    return list!.split(",").map((one) => one.trim())
      .filter((one) => one !== "" && !one.startsWith("type "))
      .map((name) => [name, file] as const);
  }));
}

/** importable() - what a cell may import: specifier to file. */
export function importable(): Map<string, string> {
  const lib = fromFileUrl(new URL("lib/", root));
  const modules = new Map([["swaplab", `${lib}mod.ts`]]);
  for (const name of ["mod.ts", ...loneModules]) {
    modules.set(`swaplab/${name}`, lib + name);
  }
  for (const area of AREAS.filter((name) => isThere(lib + name))) {
    for (const file of walk(lib + area, ".ts")) {
      modules.set(`swaplab/${file.slice(lib.length)}`, file);
    }
  }
  return modules;
}

/** Modules are run when a cell first asks for them. */
function workerEntry(
  modules: ReadonlyMap<string, string>,
  names: ReadonlyMap<string, string>,
): string {
  const entriesOf = (files: ReadonlyMap<string, string>) =>
    [...files].map(([key, file]) =>
      `    ${JSON.stringify(key)}: () => import(${JSON.stringify(file)}),`
    ).join("\n");
  return `import { startWorker } from "./book/reader/worker.ts";
startWorker({
  modules: {
${entriesOf(modules)}
  },
  names: {
${entriesOf(names)}
  },
});
`;
}

function fromText(contents: string): esbuild.BuildOptions {
  const resolveDir = fromFileUrl(root);
  return { stdin: { contents, resolveDir, loader: "ts" } };
}

async function bundle(
  options: esbuild.BuildOptions,
): Promise<{ text: string; metafile: esbuild.Metafile | undefined }> {
  const result = await esbuild.build({
    ...options,
    bundle: true,
    format: "iife",
    target: "es2022",
    minify: true,
    // Names that a reader sees in messages: `class Foo`, `function bar`.
    keepNames: true,
    charset: "utf8",
    legalComments: "none",
    logLevel: "silent",
    write: false,
  });
  return { text: result.outputFiles![0]!.text, metafile: result.metafile };
}

/** A script that leaves `source` as text where the page looks for it. */
function asScript(name: string, source: string): string {
  const text = asScriptText(source);
  return `(globalThis.swaplabScripts??={}).${name}=${text};\n`;
}

/** A string literal that may also stand inside a <script>. */
function asScriptText(text: string): string {
  return JSON.stringify(text)
    .replaceAll("<", "\\u003c")
    .replaceAll("\u2028", "\\u2028")
    .replaceAll("\u2029", "\\u2029");
}
