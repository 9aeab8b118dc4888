/**
 * The engine as text: what a sandbox is given to link, made once by the
 * trusted side from the project's own files.
 */
import { build, stop } from "esbuild";
import { transform } from "sucrase";
import { engineHash, loneModules } from "../engine_hash.ts";
import type { ModuleTable } from "./protocol.ts";

const root = new URL("../../", import.meta.url);

/**
 * Areas of lib/ that student code may link with. Left out: `show`, because it
 * brings a plotting library of a megabyte into every process.
 */
const areas = ["base", "sim", "locking", "crypto", "block", "mm", "lab"];

export interface Engine {
  readonly table: ModuleTable;
  /** JavaScript of driver.ts with all that it imports. */
  readonly driver: string;
  /** As the book and the tests print it. */
  readonly hash: string;
}

/** Compile and bundle; takes about a third of a second. */
export async function loadEngine(): Promise<Engine> {
  const paths = loneModules.map((name) => `lib/${name}`);
  for (const area of areas) await findModules(`lib/${area}`, paths);
  const table: Record<string, string> = {};
  for (const path of paths.sort()) table[path] = await compileModule(path);
  for (const name of librariesOf(table)) {
    table[`npm:${name}`] = await bundle(
      `module.exports = require("${name}");`,
      "cjs",
    );
  }
  const bundled = await bundle('import "./lib/grade/driver.ts";', "iife");
  await stop();
  // As a string it is compiled by need: Deno would analyse a module's text
  // anew in each of its empty caches, which takes longer than to run it.
  const driver = `(0, eval)(${JSON.stringify(bundled)});\n`;
  return { table, driver, hash: await engineHash() };
}

/** Names of the npm modules that the engine imports. */
function librariesOf(table: ModuleTable): Set<string> {
  const texts = Object.values(table).join("\n");
  const found = texts.matchAll(/\brequire\('([^.'][^']*)'\)/g);
  return new Set(Array.from(found, ([, name]) => name!));
}

async function findModules(folder: string, found: string[]): Promise<void> {
  for await (const entry of Deno.readDir(new URL(folder, root))) {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory) await findModules(path, found);
    else if (/(?<!\.d)\.ts$/.test(path)) found.push(path);
  }
}

/** A trusted file of the project as CommonJS text. */
export async function compileModule(path: string): Promise<string> {
  const source = await Deno.readTextFile(new URL(path, root));
  return transform(source, {
    transforms: ["typescript", "imports"],
    disableESTransforms: true,
    filePath: path,
  }).code;
}

async function bundle(
  contents: string,
  format: "cjs" | "iife",
): Promise<string> {
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: decodeURIComponent(root.pathname) },
    bundle: true,
    write: false,
    format,
    platform: "neutral",
    mainFields: ["module", "main"],
    minifyWhitespace: true,
    legalComments: "none",
  });
  return outputFiles[0]!.text;
}
