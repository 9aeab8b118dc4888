/**
 * Cells as TypeScript modules, so that a language service can check each of
 * them against all that ran before. Ours.
 *
 * A cell's text stays as it is, so that places in it stay right; below it come
 * imports of what it mentions and others declared, and an export of what it
 * declares itself:
 *
 *     const twice = (n: number) => n * factor;
 *     import { show } from "./cell-1f….ts";
 *     declare let factor: typeof import("./cell-2a….ts").factor;
 *     export { twice };
 *
 * `let` and `var` are not imported, since a cell may assign to them. A name
 * means its last declaration. Files are named by a hash of their text: a cell
 * that is run again in the same surroundings is the same file, checked once.
 */
import { createHash } from "node:crypto";
import ts from "typescript";

/** A top-level name of a cell. */
interface Declared {
  name: string;
  /** True for what another cell may assign to. */
  isVariable: boolean;
}

/** Where a name was declared last. */
interface Origin extends Declared {
  file: string;
}

export interface CellFile {
  /** Its name in the folder of the notebook. */
  file: string;
  text: string;
}

/** The cells that have run, as far as their declarations can be seen. */
export interface TypedCells {
  /** The module that `source` would be, if it ran now. */
  moduleOf(source: string): CellFile;
  /** The same, with every name that it could mention, under one file name. */
  draftOf(source: string): CellFile;
  /** `source` has run: from now on others see what it declares. */
  add(source: string): void;
  /** By file name, the modules that what can be seen depends on. */
  readonly files: ReadonlyMap<string, string>;
}

/** What draftOf() calls its file. */
export const DRAFT_FILE = "cell-draft.ts";

export function makeTypedCells(): TypedCells {
  const origins = new Map<string, Origin>();
  const files = new Map<string, string>();

  function moduleOf(source: string): CellFile {
    const own = declarationsOf(source);
    const ownNames = new Set(own.map(({ name }) => name));
    const mentioned = [...wordsOf(source)].filter((name) => !ownNames.has(name))
      .flatMap((name) => origins.get(name) ?? []);
    const text = `${source}\n${epilogue(mentioned, own)}`;
    return { file: `cell-${hashOf(text)}.ts`, text };
  }

  return {
    moduleOf,
    draftOf(source) {
      const own = new Set(declarationsOf(source).map(({ name }) => name));
      const others = [...origins.values()].filter(({ name }) => !own.has(name));
      return { file: DRAFT_FILE, text: `${source}\n${epilogue(others, [])}` };
    },
    add(source) {
      const { file, text } = moduleOf(source);
      files.set(file, text);
      for (const one of declarationsOf(source)) {
        origins.set(one.name, { ...one, file });
      }
      dropUnseen(files, [...origins.values()].map((one) => one.file));
    },
    files,
  };
}

/** Keeps the files in `seen`, and those that they import. */
function dropUnseen(files: Map<string, string>, seen: readonly string[]): void {
  const kept = new Set<string>();
  const keep = (file: string) => {
    if (kept.has(file)) return;
    kept.add(file);
    for (const other of importedFiles(files.get(file) ?? "")) keep(other);
  };
  seen.forEach(keep);
  for (const [file, text] of files) {
    const isGlobal = /\bdeclare\s+global\b/.test(text);
    if (!kept.has(file) && !isGlobal) files.delete(file);
  }
}

function importedFiles(text: string): string[] {
  const pattern = /"\.\/(cell-[0-9a-f]+\.ts)"/g;
  return [...text.matchAll(pattern)].map(([, file = ""]) => file);
}

function hashOf(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 16);
}

/** All that could be a name in a text, strings and comments included. */
function wordsOf(text: string): Set<string> {
  return new Set(text.match(/[\p{ID_Start}$_][\p{ID_Continue}$]*/gu));
}

/** What follows a cell's text; it begins at a line of its own. */
function epilogue(
  others: readonly Origin[],
  own: readonly Declared[],
): string {
  const lines = others.map(({ name, file, isVariable }) =>
    isVariable
      ? `declare let ${name}: typeof import("./${file}").${name};`
      : `import { ${name} } from "./${file}";`
  );
  const names = [...new Set(own.map(({ name }) => name))].join(", ");
  return [...lines, `export { ${names} };`].join("\n");
}

/** The top-level names of a cell, types included. */
function declarationsOf(source: string): Declared[] {
  const { ESNext } = ts.ScriptTarget;
  const file = ts.createSourceFile("cell.ts", source, ESNext, true);
  return [
    ...file.statements.flatMap(namesOfStatement),
    ...varsBelow(file).map((name) => ({ name, isVariable: true })),
  ];
}

function namesOfStatement(node: ts.Statement): Declared[] {
  if (ts.isVariableStatement(node)) {
    const { flags, declarations } = node.declarationList;
    const isVariable = (flags & ts.NodeFlags.BlockScoped) !==
      ts.NodeFlags.Const;
    return declarations.flatMap(({ name }) => namesOfBinding(name))
      .map((name) => ({ name, isVariable }));
  }
  if (ts.isImportDeclaration(node)) {
    return namesOfImport(node.importClause).map(constant);
  }
  const isNamed = ts.isFunctionDeclaration(node) ||
    ts.isClassDeclaration(node) || ts.isInterfaceDeclaration(node) ||
    ts.isTypeAliasDeclaration(node) || ts.isEnumDeclaration(node) ||
    ts.isModuleDeclaration(node);
  if (!isNamed || node.name === undefined) return [];
  // `declare global` and `declare module "x"` give the cell no name.
  const isName = ts.isIdentifier(node.name) && node.name.text !== "global";
  return isName ? [constant(node.name.text)] : [];
}

function constant(name: string): Declared {
  return { name, isVariable: false };
}

function namesOfBinding(name: ts.BindingName): string[] {
  if (ts.isIdentifier(name)) return [name.text];
  return name.elements.flatMap((element) =>
    ts.isOmittedExpression(element) ? [] : namesOfBinding(element.name)
  );
}

function namesOfImport(clause: ts.ImportClause | undefined): string[] {
  const bindings = clause?.namedBindings;
  const names = bindings === undefined
    ? []
    : ts.isNamespaceImport(bindings)
    ? [bindings.name.text]
    : bindings.elements.map((element) => element.name.text);
  return clause?.name === undefined ? names : [clause.name.text, ...names];
}

/** `var` inside blocks and loops belongs to the cell, too. */
function varsBelow(node: ts.Node): string[] {
  const names: string[] = [];
  ts.forEachChild(node, (child) => {
    if (ts.isFunctionLike(child) || ts.isClassLike(child)) return;
    const isVar = ts.isVariableDeclarationList(child) &&
      (child.flags & ts.NodeFlags.BlockScoped) === 0;
    if (isVar) {
      names.push(
        ...child.declarations.flatMap((one) => namesOfBinding(one.name)),
      );
    }
    names.push(...varsBelow(child));
  });
  return names;
}
