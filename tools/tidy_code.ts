/**
 * Style rules that must read code: layers, host-free engine, kernel names.
 *
 * Ours. The layers are those of ARCHITECTURE.md, section 2.
 */
import { posix } from "node:path";
import ts from "typescript";
import {
  exportsOf,
  headComment,
  importsOf,
  lineOf,
  looksBorrowed,
  nodesAtTopLevel,
  nodesOf,
  parse,
} from "./syntax.ts";
import type { Problem, Rule } from "./tidy.ts";

/** From left to right; a folder imports only from folders left of it. */
const layers: readonly (readonly string[])[] = [
  ["base"],
  ["sim"],
  ["locking"],
  ["crypto", "block"],
  ["mm"],
  ["lab"],
  ["show"],
  ["notebook", "grade", "race"],
];

/** Folders whose code runs in every host and under the explorer. */
const hostFree = ["base", "sim", "locking", "crypto", "block", "mm", "lab"]
  .concat("show");

/** Folders that mirror a part of the kernel. */
const mirrored = ["base", "locking", "crypto", "block", "mm"];

const hostGlobals: ReadonlySet<string> = new Set([
  "Date",
  "Deno",
  "fetch",
  "performance",
  "process",
  "queueMicrotask",
  "requestAnimationFrame",
  "require",
  "setImmediate",
  "setInterval",
  "setTimeout",
]);

/** The folder of lib/ that holds `path`; "" for lib/*.ts, null outside. */
function areaOf(path: string): string | null {
  const found = /^lib\/(?:(\w+)\/)?[^/].*$/.exec(path);
  return found === null ? null : found[1] ?? "";
}

function isCodeOf(areas: readonly string[]): (path: string) => boolean {
  return (path) =>
    /(?<!\.d)\.ts$/.test(path) && areas.includes(areaOf(path) ?? "");
}

function layerOf(area: string): number {
  return layers.findIndex((areas) => areas.includes(area));
}

function layerProblem(path: string, specifier: string): string | null {
  if (/^swaplab(\/|$)/.test(specifier)) {
    return `${specifier}: inside lib/ an import is a relative path`;
  }
  if (!specifier.startsWith(".")) return null;
  const target = posix.join(posix.dirname(path), specifier);
  const from = areaOf(path) ?? "";
  const to = areaOf(target);
  if (to === null) return `${target} is outside lib/`;
  if (target === "lib/mod.ts") return "lib/mod.ts is for users of lib/";
  // The facts in lib/*.ts (pin, switches) stand left of all folders.
  if (path === "lib/mod.ts" || from === to || to === "") return null;
  if (from === "") return `lib/*.ts imports from ${to}/`;
  if (layerOf(to) < 0 || layerOf(from) < 0) return `${to}/ has no layer`;
  return layerOf(to) < layerOf(from) ? null : `${from}/ imports from ${to}/`;
}

function layerOrder(path: string, text: string): Problem[] {
  return importsOf(parse(path, text)).flatMap(({ line, specifier }) => {
    const message = layerProblem(path, specifier);
    return message === null ? [] : [{ line, message }];
  });
}

/** Names that the file itself gives to something, wherever that is. */
function declaredNames(source: ts.SourceFile): Set<string> {
  const names = new Set<string>();
  for (const node of nodesOf(source)) {
    const named = ts.isVariableDeclaration(node) || ts.isParameter(node) ||
      ts.isBindingElement(node) || ts.isFunctionDeclaration(node) ||
      ts.isImportSpecifier(node);
    if (named && node.name !== undefined && ts.isIdentifier(node.name)) {
      names.add(node.name.text);
    }
  }
  return names;
}

/**
 * `Date` in an expression, but neither `x.Date` nor `{ Date: 1 }`. Asking
 * whether something is a Date (`instanceof`, a type) reads no clock.
 */
function isReference(node: ts.Identifier): boolean {
  const { parent } = node;
  if (ts.isTypeReferenceNode(parent)) return false;
  if (ts.isBinaryExpression(parent)) {
    const { kind } = parent.operatorToken;
    if (kind === ts.SyntaxKind.InstanceOfKeyword) return parent.left === node;
  }
  if (ts.isPropertyAccessExpression(parent)) return parent.expression === node;
  if (ts.isQualifiedName(parent)) return parent.left === node;
  const namesMember = ts.isPropertyAssignment(parent) ||
    ts.isPropertySignature(parent) || ts.isMethodSignature(parent) ||
    ts.isMethodDeclaration(parent) || ts.isPropertyDeclaration(parent);
  return !(namesMember && parent.name === node);
}

function hostFreeProblem(
  node: ts.Node,
  declared: ReadonlySet<string>,
): string | null {
  if (ts.isPropertyAccessExpression(node)) {
    const host = node.expression.getText();
    const member = node.name.text;
    if (host === "Math" && member === "random") return "Math.random";
    if (host === "globalThis" && hostGlobals.has(member)) return member;
  }
  if (ts.isIdentifier(node) && hostGlobals.has(node.text)) {
    if (isReference(node) && !declared.has(node.text)) return node.text;
  }
  if (node.kind === ts.SyntaxKind.AsyncKeyword) return "async";
  if (ts.isAwaitExpression(node)) return "await";
  if (ts.isForOfStatement(node) && node.awaitModifier) return "for await";
  return null;
}

function engineIsHostFree(path: string, text: string): Problem[] {
  const source = parse(path, text);
  const declared = declaredNames(source);
  const used = [...nodesOf(source)].flatMap((node) => {
    const message = hostFreeProblem(node, declared);
    return message === null ? [] : [{ line: lineOf(source, node), message }];
  });
  const imported = importsOf(source)
    .filter(({ specifier }) => /^\w+:/.test(specifier))
    .map(({ line, specifier }) => ({ line, message: specifier }));
  return [...used, ...imported];
}

/** A value that somebody can change later, and no type forbids it. */
function isMutable(declaration: ts.VariableDeclaration): boolean {
  const type = declaration.type?.getText() ?? "";
  if (/^(Readonly|readonly\b)/.test(type)) return false;
  const value = declaration.initializer;
  if (value === undefined) return true;
  if (ts.isArrayLiteralExpression(value)) return true;
  return ts.isNewExpression(value) &&
    /^(Map|Set|WeakMap|WeakSet|Array)$/.test(value.expression.getText());
}

function noModuleState(path: string, text: string): Problem[] {
  const source = parse(path, text);
  return source.statements.flatMap((statement) => {
    if (!ts.isVariableStatement(statement)) return [];
    const list = statement.declarationList;
    const constant = (list.flags & ts.NodeFlags.Const) !== 0;
    return list.declarations
      .filter((declaration) => !constant || isMutable(declaration))
      .map((declaration) => ({
        line: lineOf(source, declaration),
        message: constant
          ? `${declaration.name.getText()} can be changed`
          : `${declaration.name.getText()} is a let or var`,
      }));
  });
}

/** Calls that make a constant and run nothing of ours. */
const harmless: ReadonlySet<string> = new Set([
  "BigInt",
  "Map",
  "Object.freeze",
  "Set",
]);

function declaresOnly(path: string, text: string): Problem[] {
  const source = parse(path, text);
  return source.statements.flatMap((statement) => {
    const line = lineOf(source, statement);
    if (runsSomething(statement)) {
      return [{ line, message: "a statement that runs on import" }];
    }
    return [...nodesAtTopLevel(statement)].flatMap((node) => {
      if (!ts.isCallExpression(node) && !ts.isNewExpression(node)) return [];
      const name = node.expression.getText();
      if (harmless.has(name) || name.startsWith("Math.")) return [];
      return [{
        line: lineOf(source, node),
        message: `${name}() runs on import`,
      }];
    });
  });
}

function runsSomething(statement: ts.Statement): boolean {
  if (ts.isImportDeclaration(statement)) {
    return statement.importClause === undefined;
  }
  if (ts.isClassDeclaration(statement)) return extendsAnother(statement);
  return !(ts.isExportDeclaration(statement) ||
    ts.isFunctionDeclaration(statement) ||
    ts.isInterfaceDeclaration(statement) ||
    ts.isTypeAliasDeclaration(statement) ||
    ts.isVariableStatement(statement));
}

/** The other class must have been made before. */
function extendsAnother({ heritageClauses }: ts.ClassDeclaration): boolean {
  return heritageClauses?.some(({ token }) =>
    token === ts.SyntaxKind.ExtendsKeyword
  ) ?? false;
}

function namesCounterpart(path: string, text: string): Problem[] {
  const head = headComment(parse(path, text));
  if (/\bKernel: \S|\bOurs[.:;,]/.test(head)) return [];
  const message = head === ""
    ? "the file has no head comment"
    : "the head comment names no kernel file";
  return [{ line: 1, message }];
}

function noAny(path: string, text: string): Problem[] {
  const source = parse(path, text);
  return [...nodesOf(source)].flatMap((node) => {
    const cast = ts.isAsExpression(node) || ts.isTypeAssertionExpression(node);
    if (!cast || node.type.kind !== ts.SyntaxKind.AnyKeyword) return [];
    return [{ line: lineOf(source, node.type), message: "a cast to any" }];
  });
}

/** `folio`, `x.folio`, `freshFolio`: by its name, since no types are read. */
function namesFolio(node: ts.Expression): boolean {
  const name = ts.isPropertyAccessExpression(node) ? node.name : node;
  return ts.isIdentifier(name) && /(^f|F)olio$/.test(name.text);
}

function isNothing(node: ts.Expression): boolean {
  return node.kind === ts.SyntaxKind.NullKeyword ||
    ts.isIdentifier(node) && node.text === "undefined";
}

function folioIdentity(path: string, text: string): Problem[] {
  const source = parse(path, text);
  return [...nodesOf(source)].flatMap((node) => {
    if (!ts.isBinaryExpression(node)) return [];
    const { left, right, operatorToken } = node;
    if (!/^[!=]==?$/.test(operatorToken.getText(source))) return [];
    if (!namesFolio(left) && !namesFolio(right)) return [];
    if (isNothing(left) || isNothing(right)) return [];
    const message = `${node.getText(source)} compares views`;
    return [{ line: lineOf(source, node), message }];
  });
}

/** The rules of this file. */
export function codeRules(
  kernelSymbols: Readonly<Record<string, string>>,
): Rule[] {
  return [
    {
      id: "layer-order",
      remedy: "An import only goes left: base, sim, locking, crypto and " +
        "block, mm, lab, show, notebook and grade.",
      applies: (path) => areaOf(path) !== null && path.endsWith(".ts"),
      check: layerOrder,
    },
    {
      id: "engine-is-host-free",
      remedy: "The same files run in Deno, Node, a page and the explorer: " +
        "take time from the machine's clock and chance from its seed.",
      applies: isCodeOf(hostFree),
      check: engineIsHostFree,
    },
    {
      id: "no-module-state",
      remedy: "State is a field of the machine; a constant table says so " +
        "by its type: ReadonlyMap, readonly T[].",
      // Except who drives a task: a fact about calls, not about a machine.
      applies: (path) => isCodeOf(hostFree)(path) && path !== "lib/sim/task.ts",
      check: noModuleState,
    },
    {
      id: "mm-declares-only",
      remedy: "Import cycles in mm/ are real: set things up in makeMachine().",
      applies: isCodeOf(["mm"]),
      check: declaresOnly,
    },
    {
      id: "names-its-counterpart",
      remedy: "Begin the file with a comment that says `Kernel: mm/file.c " +
        "(v6.12)` or `Ours:` and why.",
      applies: isCodeOf(mirrored),
      check: namesCounterpart,
    },
    {
      id: "borrowed-names-are-real",
      remedy: "Write what is ours in camelCase; a kernel name goes into " +
        "tests/kernel_symbols.json by tools/kernel_symbols.ts.",
      applies: isCodeOf(mirrored),
      check: (path, text) =>
        exportsOf(parse(path, text))
          .filter(({ name }) =>
            looksBorrowed(name) && kernelSymbols[name] === undefined
          )
          .map(({ name, line }) => ({
            line,
            message: `${name} is not in tests/kernel_symbols.json`,
          })),
    },
    {
      id: "folios-are-views",
      remedy: "Two looks at one page are two objects: sameFolio(a, b).",
      applies: isCodeOf(hostFree),
      check: folioIdentity,
    },
    {
      id: "no-any-cast",
      remedy: "Say what it is: a type guard, or unknown and a check.",
      applies: (path) => path.endsWith(".ts"),
      check: noAny,
    },
  ];
}
