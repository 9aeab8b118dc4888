/**
 * The `.d.ts` files of the built package. Ours.
 *
 * tslab checks a cell against them with TypeScript 5.0, under the library of
 * ES2022, without the DOM, and resolves modules the old way (it does not read
 * "exports" for types). So the declarations are made with a new TypeScript and
 * then said in the words of the old one.
 */
import { dirname, join } from "node:path";
import ts from "typescript";

/** What the package must run on: Node 20. A newer method is a type error. */
const LIBRARIES = [
  "lib.es2023.d.ts",
  "lib.es2024.string.d.ts",
  "lib.dom.d.ts",
  "lib.dom.iterable.d.ts",
];

/** "No declaration file for module": it is `any`, as it is for Deno. */
const UNTYPED_LIBRARY = 7016;

/** The project's own strictness, see deno.json. */
const STRICT: ts.CompilerOptions = {
  strict: true,
  noUncheckedIndexedAccess: true,
  exactOptionalPropertyTypes: true,
  noImplicitOverride: true,
  verbatimModuleSyntax: true,
  erasableSyntaxOnly: true,
};

/**
 * declarations() - the types of `files` and of all that they import.
 *
 * @param root the folder that they are named from, with a `/` between parts
 * @param files paths from `root`, with `.ts`
 * @returns the text of each `.d.ts` by its path from `root`
 * @throws Error naming each place that does not type-check for Node 20
 */
export function declarations(
  root: string,
  files: readonly string[],
): Map<string, string> {
  const paths = libraryTypes(root, files);
  const options: ts.CompilerOptions = {
    ...STRICT,
    declaration: true,
    emitDeclarationOnly: true,
    allowImportingTsExtensions: true,
    skipLibCheck: true,
    types: [],
    lib: LIBRARIES,
    target: ts.ScriptTarget.ES2023,
    module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    paths,
    rootDir: root,
    outDir: root,
  };
  const program = ts.createProgram(
    files.map((file) => join(root, file)),
    options,
  );
  wantNone(ts.getPreEmitDiagnostics(program), root);
  const emitted = new Map<string, string>();
  const result = program.emit(undefined, (path, text) => {
    emitted.set(path.slice(root.length + 1), forOldTypeScript(text));
  });
  wantNone(result.diagnostics, root);
  return emitted;
}

/**
 * Deno reads the types of a library from a comment above its import:
 *
 *     // @ts-types="./lz4js_library.d.ts"
 *     import { compressBlock } from "lz4js";
 *
 * TypeScript does not; for it they become `paths`.
 */
function libraryTypes(
  root: string,
  files: readonly string[],
): Record<string, string[]> {
  const paths: Record<string, string[]> = {};
  const pragma = /^\/\/ @ts-types="(.+)"\s[^;]*?from "(.+)";/gm;
  for (const file of files) {
    const source = ts.sys.readFile(join(root, file)) ?? "";
    for (const [, types = "", library = ""] of source.matchAll(pragma)) {
      paths[library] = [join(root, dirname(file), types)];
    }
  }
  return paths;
}

/**
 * forOldTypeScript() - a declaration file in the words of TypeScript 5.0.
 *
 * A relative `.ts` becomes `.js`. Typed arrays lose their type argument (they
 * got it in 5.7); the iterators of the collections get their old name (5.6).
 */
export function forOldTypeScript(text: string): string {
  const typedArray =
    /\b((?:Big)?(?:Uint|Int|Float)\w*Array|DataView)<ArrayBuffer(?:Like)?>/g;
  return text
    .replace(/(["'])(\.{1,2}\/[^"'\n]+)\.ts\1/g, "$1$2.js$1")
    .replace(typedArray, "$1")
    .replace(/\b(?:Map|Set|Array|RegExpString)Iterator</g, "IterableIterator<")
    .replace(/\bStringIterator<string>/g, "IterableIterator<string>");
}

function wantNone(found: readonly ts.Diagnostic[], root: string): void {
  const errors = found.filter(({ category, code }) =>
    category === ts.DiagnosticCategory.Error && code !== UNTYPED_LIBRARY
  );
  if (errors.length === 0) return;
  const report = ts.formatDiagnostics(errors, {
    getCanonicalFileName: (name) => name,
    getCurrentDirectory: () => dirname(root),
    getNewLine: () => "\n",
  });
  throw new Error(
    `Cannot build the package: ${errors.length} type errors\n${report}`,
  );
}
