/**
 * TypeScript's language service over the cells of a notebook. Ours.
 *
 * Cells are files that exist only here, in the notebook's folder, so that a
 * relative import means what it means at run time; `swaplab` is lib/, and
 * packages are found as deno.json names them. Files on disk are looked at
 * anew for each question: an edited module is seen by the next cell.
 */
import { spawnSync } from "node:child_process";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import ts from "typescript";
import {
  type CellFile,
  DRAFT_FILE,
  makeTypedCells,
  type TypedCells,
} from "./kernel_types_cells.ts";

export interface CellService {
  readonly cells: TypedCells;
  readonly service: ts.LanguageService;
  /** Puts one more file beside the cells that ran; returns its full name. */
  put(cell: CellFile): string;
  /** Files on disk that changed since the last call, as full names. */
  changedFiles(): string[];
}

/**
 * makeCellService() - a service for a notebook in `folder`.
 *
 * @param root the folder of the project, with its deno.json
 */
export function makeCellService(folder: string, root: string): CellService {
  const cells = makeTypedCells();
  const disk = makeDisk();
  const globals = { path: join(folder, "cell-globals.d.ts"), text: "" };
  globals.text = globalTypes();
  let extra: CellFile | null = null;

  function textOf(path: string): string | undefined {
    if (path === globals.path) return globals.text;
    if (!path.startsWith(`${folder}/`)) return undefined;
    const name = path.slice(folder.length + 1);
    return name === extra?.file ? extra.text : cells.files.get(name);
  }

  /** All names but a draft's are hashes of texts, or of one text for good. */
  function versionOf(path: string): string {
    const text = textOf(path);
    if (text === undefined) return disk.versionOf(path);
    const isDraft = path === join(folder, DRAFT_FILE);
    return isDraft ? ts.sys.createHash?.(text) ?? text : "1";
  }

  function roots(): string[] {
    const names = new Set(cells.files.keys());
    if (extra !== null) names.add(extra.file);
    return [globals.path, ...[...names].map((name) => join(folder, name))];
  }

  const options = settings(root);
  const host: ts.LanguageServiceHost = {
    ...hostOf(textOf),
    getCompilationSettings: () => options,
    getScriptFileNames: roots,
    getScriptVersion: versionOf,
    getCurrentDirectory: () => folder,
  };
  return {
    cells,
    service: ts.createLanguageService(host, ts.createDocumentRegistry()),
    put(cell) {
      extra = cell;
      return join(folder, cell.file);
    },
    changedFiles: disk.changedFiles,
  };
}

/** A host's reading: files of ours by `textOf`, all others from the disk. */
function hostOf(textOf: (path: string) => string | undefined) {
  const readFile = (path: string) => textOf(path) ?? ts.sys.readFile(path);
  return {
    readFile,
    fileExists: (path: string) =>
      textOf(path) !== undefined || ts.sys.fileExists(path),
    getScriptSnapshot(path: string) {
      const text = readFile(path);
      if (text === undefined) return undefined;
      return ts.ScriptSnapshot.fromString(text);
    },
    getDefaultLibFileName: ts.getDefaultLibFilePath,
    directoryExists: ts.sys.directoryExists,
    getDirectories: ts.sys.getDirectories,
    readDirectory: ts.sys.readDirectory,
  };
}

/** Which version of a file was read; which files were edited since. */
function makeDisk() {
  const versions = new Map<string, string>();
  return {
    versionOf(path: string): string {
      const known = versions.get(path) ?? versionOnDisk(path);
      versions.set(path, known);
      return known;
    },
    changedFiles(): string[] {
      const changed: string[] = [];
      for (const [path, version] of versions) {
        if (isFixed(path)) continue;
        const now = versionOnDisk(path);
        if (now !== version) changed.push(path);
        versions.set(path, now);
      }
      return changed;
    },
  };
}

/** Packages do not change while a notebook is open. */
function isFixed(path: string): boolean {
  return path.includes("/node_modules/");
}

function versionOnDisk(path: string): string {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat === undefined ? "none" : `${stat.mtimeMs} ${stat.size}`;
}

function settings(root: string): ts.CompilerOptions {
  return {
    strict: true,
    // Notebooks read `e.message` of whatever they catch.
    useUnknownInCatchVariables: false,
    lib: ["lib.esnext.d.ts", "lib.dom.d.ts", "lib.dom.iterable.d.ts"],
    target: ts.ScriptTarget.ESNext,
    module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    allowImportingTsExtensions: true,
    resolveJsonModule: true,
    noEmit: true,
    skipLibCheck: true,
    types: [],
    paths: importPaths(root),
  };
}

/** deno.json's `imports` as TypeScript's `paths`. */
function importPaths(root: string): Record<string, string[]> {
  const config = JSON.parse(readFileSync(join(root, "deno.json"), "utf8"));
  const paths: Record<string, string[]> = {};
  for (const [name, target] of Object.entries(config.imports)) {
    const path = String(target);
    const isFolder = path.endsWith("/");
    if (path.startsWith(".")) {
      const whole = join(root, path);
      paths[isFolder ? `${name}*` : name] = [isFolder ? `${whole}*` : whole];
    } else if (path.startsWith("npm:")) {
      paths[name] = [join(root, "node_modules", name)];
    }
  }
  return paths;
}

/**
 * What a cell finds besides the language and the web's names: Deno, whose
 * types Deno prints itself, and names of Node that are there, untyped.
 */
function globalTypes(): string {
  const { stdout } = spawnSync(process.execPath, ["types"], {
    encoding: "utf8",
    maxBuffer: 2 ** 26,
  });
  const deno = /^declare namespace Deno \{\n.*?^\}/gms;
  return [
    ...(stdout ?? "").match(deno) ?? ["declare const Deno: any;"],
    "declare const process: any;",
    "declare const Buffer: any;",
    "declare const global: typeof globalThis;",
  ].join("\n");
}
