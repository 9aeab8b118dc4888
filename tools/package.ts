/**
 * Builds `notebooks/node_modules/swaplab/`: the engine as an npm package, so
 * that a notebook's `import … from "swaplab"` also works in tslab, which runs
 * under Node. Deno and the page read lib/ itself.
 *
 *     deno task package            build if lib/ changed
 *     deno task package --force    build
 *
 * `swaplab` is lib/mod.ts; `swaplab/mm/zswap.ts` and `swaplab/mm/zswap` are
 * lib/mm/zswap.ts. All entries share their modules: a class is one class, no
 * matter which way it was imported.
 */
import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, relative, sep } from "node:path";
import * as esbuild from "esbuild";
import { projectRoot } from "./files.ts";
import { loneModules } from "../lib/engine_hash.ts";
import { declarations } from "./package_types.ts";

const LIB = join(projectRoot, "lib");

/** Where the package goes: a folder that git ignores. */
export const packageFolder: string = join(
  projectRoot,
  "notebooks",
  "node_modules",
  "swaplab",
);

/** The areas of lib/ that a notebook may import from. */
const AREAS = [
  "base",
  "sim",
  "locking",
  "crypto",
  "block",
  "mm",
  "lab",
  "show",
];

/** `show()` finds its host here; the rest of lib/notebook runs notebooks. */
const LONE_FILES = ["mod.ts", "notebook/host.ts", ...loneModules];

/** What else decides how the package looks. */
const RECIPE = [
  "deno.lock",
  "lib/notebook/nbformat.ts",
  "tools/package.ts",
  "tools/package_types.ts",
];

/** How to build: where to, and whether even if nothing has changed. */
export interface BuildOptions {
  folder?: string;
  force?: boolean;
}

/**
 * buildPackage() - brings the package up to date.
 *
 * @returns whether there was something to do
 * @throws Error if lib/ does not type-check or bundle; what was built before
 *   is then still there
 */
export async function buildPackage(
  { folder = packageFolder, force = false }: BuildOptions = {},
): Promise<boolean> {
  const parent = dirname(folder);
  linkNodeTypes(parent);
  const files = entryFiles();
  const hash = sourceHash(files);
  if (!force && builtHash(folder) === hash) return false;
  const fresh = mkdtempSync(join(parent, ".swaplab-"));
  try {
    writeTypes(fresh, files);
    await writeModules(fresh, files);
    write(fresh, "package.json", manifest(hash));
    replace(folder, fresh, hash);
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
  return true;
}

/** Two builds may end at once: whoever comes second finds it done. */
function replace(folder: string, fresh: string, hash: string): void {
  try {
    rmSync(folder, { recursive: true, force: true });
    renameSync(fresh, folder);
  } catch (error) {
    if (builtHash(folder) !== hash) throw error;
  }
}

/** Paths from lib/ of all modules that can be imported by name. */
function entryFiles(): string[] {
  const areas = AREAS.filter((area) => existsSync(join(LIB, area)));
  return [...LONE_FILES, ...areas.flatMap(modulesIn)];
}

function modulesIn(folder: string): string[] {
  const entries = readdirSync(join(LIB, folder), { withFileTypes: true });
  return entries.flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) return modulesIn(path);
    const isModule = path.endsWith(".ts") && !path.endsWith(".d.ts");
    return isModule ? [path] : [];
  }).sort();
}

function sourceHash(files: readonly string[]): string {
  const hash = createHash("sha256");
  for (const path of [...files.map((file) => `lib/${file}`), ...RECIPE]) {
    hash.update(`${path}\0`).update(readFileSync(join(projectRoot, path)));
  }
  return hash.digest("hex").slice(0, 16);
}

function builtHash(folder: string): unknown {
  const path = join(folder, "package.json");
  if (!existsSync(path)) return null;
  return JSON.parse(readFileSync(path, "utf8")).sourceHash;
}

/**
 * Node reads "exports"; tslab's TypeScript reads "types" and "typesVersions",
 * whose pattern is what allows a name that ends in `.ts`.
 */
function manifest(sourceHash: string): string {
  const content = {
    name: "swaplab",
    version: "0.0.0",
    description: "Built from lib/ by `deno task package`. Do not edit.",
    private: true,
    license: "GPL-2.0-only",
    type: "module",
    types: "./mod.d.ts",
    exports: {
      ".": { types: "./mod.d.ts", default: "./mod.js" },
      "./*.ts": { types: "./*.d.ts", default: "./*.js" },
      "./*": { types: "./*.d.ts", default: "./*.js" },
    },
    typesVersions: {
      "*": { "mod.d.ts": ["mod.d.ts"], "*.ts": ["*.d.ts"] },
    },
    sourceHash,
  };
  return `${JSON.stringify(content, null, 2)}\n`;
}

function writeTypes(folder: string, files: readonly string[]): void {
  for (const [path, text] of declarations(LIB, files)) {
    write(folder, path, text);
  }
}

/** Needs nothing at run time: the libraries that lib/ uses go in. */
async function writeModules(
  folder: string,
  files: readonly string[],
): Promise<void> {
  try {
    await esbuild.build({
      absWorkingDir: projectRoot,
      entryPoints: files.map((file) => join(LIB, file)),
      outdir: folder,
      outbase: LIB,
      chunkNames: "chunks/[hash]",
      bundle: true,
      splitting: true,
      format: "esm",
      platform: "neutral",
      mainFields: ["module", "main"],
      target: "node20",
      keepNames: true,
      logLevel: "silent",
    });
  } finally {
    await esbuild.stop();
  }
}

/**
 * Without `@types/node` tslab knows no `console`. It looks in the folders
 * above the notebook and at one place inside its own package; Deno installs it
 * at another. It must not go into deno.json: Deno would take these types, of
 * Node 18, for its own.
 */
function linkNodeTypes(parent: string): void {
  const require = createRequire(import.meta.url);
  const tslab = createRequire(require.resolve("tslab"));
  const types = dirname(tslab.resolve("@types/node/package.json"));
  const folder = join(parent, "@types", "node");
  const path = relative(folder, join(types, "index.d.ts")).replaceAll(sep, "/");
  write(folder, "index.d.ts", `/// <reference path="${path}" />\n`);
  const content = { name: "@types/node", private: true, types: "index.d.ts" };
  write(folder, "package.json", `${JSON.stringify(content, null, 2)}\n`);
}

function write(folder: string, path: string, text: string): void {
  const target = join(folder, path);
  mkdirSync(dirname(target), { recursive: true });
  writeFileSync(target, text);
}

if (import.meta.main) {
  const start = performance.now();
  const isNew = await buildPackage({ force: Deno.args.includes("--force") });
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  console.log(
    isNew
      ? `Built notebooks/node_modules/swaplab in ${seconds} s.`
      : "notebooks/node_modules/swaplab is up to date.",
  );
}
