/**
 * The cell compiler: TypeScript of one cell in, runnable JavaScript out. It is
 * the only one: the runner, the page and our kernel all use it.
 *
 * sucrase strips the types, acorn parses the rest, rewrite.ts gives the
 * top-level names to the session. What a cell may rely on:
 * - strict mode, top-level await, function hoisting, TDZ and const as usual;
 * - a top-level name belongs to the session. Declaring it again in a later
 *   cell is allowed and gives the one binding a new value, which closures of
 *   earlier cells see, as in Deno's own kernel; a function may name what a
 *   later cell declares;
 * - static imports are loaded before the cell runs and are constants;
 * - the value of the last statement, if it is an expression, is the result.
 * Not supported: export, import.meta, top-level `using`, namespaces and
 * decorators, all refused in words; a direct `eval` that mentions the session's
 * names; and the text of a function, which is that of the compiled cell.
 */
import { type ImportDeclaration, parse, type Program } from "acorn";
import { transform } from "sucrase";
import type { Kind } from "./binding.ts";
import {
  CellFault,
  originOf,
  refuseMoreThanTypes,
  type Stripped,
  syntaxFault,
} from "./cell_fault.ts";
import { freePrefix } from "./own_names.ts";
import {
  applyEdits,
  type Edit,
  engineLines,
  type Place,
  type PlaceMap,
  sourceMapPlaces,
} from "./place.ts";
import { rewriteProgram } from "./rewrite.ts";
import { CellError } from "./rewrite_names.ts";
import { lexicalNames, varNames } from "./scope.ts";

export interface ImportedName {
  /** What the module calls it; `*` for the whole namespace. */
  imported: string;
  local: string;
  place: Place;
  /** False if the cell uses it nowhere as a value: it may be a type. */
  isUsed: boolean;
}

export interface CellImport {
  specifier: string;
  place: Place;
  names: ImportedName[];
}

export interface CompiledCell {
  /**
   * An expression: `async (ºnew, ºimport, ºreturn, ºcatch, console) => …`;
   * `ºnew(name)` is the name's Binding, `ºimport(specifier)` loads a module,
   * `ºreturn.value` receives the cell's value, and each caught error goes
   * through `ºcatch(error)`. It does not load `imports`.
   */
  code: string;
  /** The name of the function that is the cell's top level, in a stack. */
  topName: string;
  imports: CellImport[];
  /** Names to declare() before the cell runs. */
  declarations: ReadonlyMap<string, Kind>;
  /** From a place in `code` to the place in the cell. */
  toSource: PlaceMap;
}

/**
 * compileCell() - compile one cell.
 *
 * @param kindOf how earlier cells declared a name, null if they did not
 * @throws {CellFault} for what does not compile, named SyntaxError
 */
export function compileCell(
  source: string,
  kindOf: (name: string) => Kind | null,
): CompiledCell {
  const stripped = stripTypes(source.replace(/\r\n?/g, "\n"));
  refuseMoreThanTypes(stripped);
  const program = parseProgram(stripped);
  const declarations = declarationsOf(program);
  const imported = new Set(program.body.flatMap(localNamesOfImport));
  const prefix = freePrefix(stripped.text);
  const { edits, used } = rewrite(program, stripped, prefix, (name) => {
    if (imported.has(name)) return "import";
    return declarations.get(name) ?? kindOf(name);
  });
  const head = { start: 0, end: 0, text: headOf(prefix, used, declarations) };
  // A first line `#!…` is a comment, but only at the very beginning.
  const isHashbang = stripped.text.startsWith("#!");
  const comment = { start: 0, end: isHashbang ? 2 : 0, text: "//" };
  const first = isHashbang ? [head, comment] : [head];
  const { text, map } = applyEdits(stripped.text, [...first, ...edits]);
  const code = `${text}\n})`;
  const lines = engineLines(code);
  return {
    code,
    topName: `${prefix}default`,
    imports: program.body.flatMap((node) =>
      node.type === "ImportDeclaration" ? [importOf(node, stripped, used)] : []
    ),
    declarations,
    toSource: (place) => stripped.toSource(map(lines(place))),
  };
}

function stripTypes(source: string): Stripped {
  try {
    const { code, sourceMap } = transform(source, {
      transforms: ["typescript"],
      disableESTransforms: true,
      preserveDynamicImport: true,
      // A later cell may use what this one only imports.
      keepUnusedImports: true,
      filePath: "cell.ts",
      sourceMapOptions: { compiledFilename: "cell.js" },
    });
    const toSource = sourceMapPlaces(sourceMap?.mappings ?? "");
    return { source, text: code, toSource };
  } catch (error) {
    throw syntaxFault(error, { source, text: source, toSource: asIs });
  }
}

/** The map of a step that changes nothing. */
const asIs: PlaceMap = (place) => place;

function parseProgram(stripped: Stripped): Program {
  try {
    return parse(stripped.text, {
      ecmaVersion: "latest",
      sourceType: "module",
    });
  } catch (error) {
    throw syntaxFault(error, stripped);
  }
}

function rewrite(
  program: Program,
  stripped: Stripped,
  prefix: string,
  kindOf: (name: string) => Kind | null,
): { edits: Edit[]; used: Set<string> } {
  try {
    return rewriteProgram(program, { text: stripped.text, prefix, kindOf });
  } catch (error) {
    if (!(error instanceof CellError)) throw error;
    const place = originOf(error.offset, stripped);
    throw new CellFault("SyntaxError", error.message, stripped.source, place);
  }
}

/** Reserved words after the prefix cannot collide with a binding's name. */
function headOf(
  prefix: string,
  used: ReadonlySet<string>,
  declarations: ReadonlyMap<string, Kind>,
): string {
  const functions = [...declarations].filter(([, kind]) => kind === "function")
    .map(([name]) => name);
  const boxes = [...new Set([...used, ...functions])].map((name) =>
    `const ${prefix}${name} = ${prefix}new(${JSON.stringify(name)}); `
  );
  const hoisted = functions.map((name) => `${prefix}${name}.let = ${name}; `);
  const parameters = ["new", "import", "return", "catch"].map((word) =>
    prefix + word
  );
  return `(async function ${prefix}default(${
    parameters.join(", ")
  }, console) ` +
    `{ "use strict"; ${boxes.join("")}${hoisted.join("")}`;
}

/** The names that a cell declares at its top level, imports left out. */
function declarationsOf(program: Program): Map<string, Kind> {
  const kinds = new Map<string, Kind>();
  for (const name of varNames(program.body)) kinds.set(name, "var");
  for (const name of enumNames(program.body)) kinds.set(name, "enum");
  for (const node of program.body) {
    for (const name of lexicalNames([node])) {
      kinds.set(name, kindOfStatement(node));
    }
  }
  return kinds;
}

/** `enum E` has become `var E; (function (E) {…})(E || (E = {}));`. */
function enumNames(statements: Program["body"]): string[] {
  return statements.flatMap((node, index) => {
    const next = statements[index + 1];
    if (node.type !== "VariableDeclaration") return [];
    if (next?.type !== "ExpressionStatement") return [];
    const call = next.expression;
    if (call.type !== "CallExpression") return [];
    const { callee } = call;
    if (callee.type !== "FunctionExpression") return [];
    const [variable] = node.declarations;
    const [parameter] = callee.params;
    const isEnum = variable?.id.type === "Identifier" && !variable.init &&
      parameter?.type === "Identifier" && parameter.name === variable.id.name;
    return isEnum ? [parameter.name] : [];
  });
}

function kindOfStatement(node: Program["body"][number]): Kind {
  if (node.type === "FunctionDeclaration") return "function";
  if (node.type === "ClassDeclaration") return "class";
  const isConst = node.type === "VariableDeclaration" && node.kind === "const";
  return isConst ? "const" : "let";
}

function localNamesOfImport(node: Program["body"][number]): string[] {
  if (node.type !== "ImportDeclaration") return [];
  return node.specifiers.map((one) => one.local.name);
}

function importOf(
  node: ImportDeclaration,
  stripped: Stripped,
  used: ReadonlySet<string>,
): CellImport {
  return {
    specifier: String(node.source.value),
    place: originOf(node.source.start, stripped),
    names: node.specifiers.map((one) => ({
      imported: importedName(one),
      local: one.local.name,
      place: originOf(one.start, stripped),
      isUsed: used.has(one.local.name),
    })),
  };
}

function importedName(one: ImportDeclaration["specifiers"][number]): string {
  if (one.type === "ImportDefaultSpecifier") return "default";
  if (one.type === "ImportNamespaceSpecifier") return "*";
  const { imported } = one;
  return imported.type === "Identifier"
    ? imported.name
    : String(imported.value);
}
