/**
 * The scripts of the book: reader.js, the client of a page, and runtime.js,
 * which holds the source of the worker (engine and notebook session) as a
 * string, because a page opened from a disk may start a worker only from text.
 */

import * as esbuild from "esbuild";
import { loneModules } from "../lib/engine_hash.ts";
import { fromFileUrl, isThere, root, walk } from "./files.ts";

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

export interface Scripts {
  "reader.js": string;
  "runtime.js": string;
}

/** bundleScripts() - both scripts, minified; throws on what does not resolve. */
export async function bundleScripts(): Promise<Scripts> {
  try {
    const reader = await bundle({
      entryPoints: [fromFileUrl(new URL("book/reader/reader.ts", root))],
    });
    const worker = await bundle({
      stdin: {
        contents: workerEntry(importable()),
        resolveDir: fromFileUrl(root),
        sourcefile: "worker_entry.ts",
        loader: "ts",
      },
    });
    return {
      "reader.js": reader,
      "runtime.js": `globalThis.swaplabRuntime=${asScriptText(worker)};\n`,
    };
  } finally {
    await esbuild.stop();
  }
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
function workerEntry(modules: ReadonlyMap<string, string>): string {
  const entries = [...modules].map(([specifier, file]) =>
    `  ${JSON.stringify(specifier)}: () => import(${JSON.stringify(file)}),`
  );
  return `import { startWorker } from "./book/reader/worker.ts";
startWorker({
${entries.join("\n")}
});
`;
}

async function bundle(options: esbuild.BuildOptions): Promise<string> {
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
  return result.outputFiles![0]!.text;
}

/** A string literal that may also stand inside a <script>. */
function asScriptText(text: string): string {
  return JSON.stringify(text)
    .replaceAll("<", "\\u003c")
    .replaceAll("\u2028", "\\u2028")
    .replaceAll("\u2029", "\\u2029");
}
