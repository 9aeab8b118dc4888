/**
 * Reading TypeScript: the few questions that our tools ask of a source file.
 *
 * Ours. The pinned compiler's parser answers them, so that a word in a comment
 * or in a string is never taken for code.
 */
import ts from "typescript";

export function parse(path: string, text: string): ts.SourceFile {
  return ts.createSourceFile(path, text, ts.ScriptTarget.ESNext, true);
}

/** Line of `position`, counted from 1. */
export function lineAt(source: ts.SourceFile, position: number): number {
  return source.getLineAndCharacterOfPosition(position).line + 1;
}

export function lineOf(source: ts.SourceFile, node: ts.Node): number {
  return lineAt(source, node.getStart(source));
}

/** `root` and all below it, parents first. */
export function* nodesOf(root: ts.Node): Generator<ts.Node, void, void> {
  yield root;
  const children: ts.Node[] = [];
  ts.forEachChild(root, (child) => {
    children.push(child);
  });
  for (const child of children) yield* nodesOf(child);
}

/** As `nodesOf()`, but what a function does when called is left out. */
export function* nodesAtTopLevel(
  root: ts.Node,
): Generator<ts.Node, void, void> {
  yield root;
  if (ts.isFunctionLike(root)) return;
  const children: ts.Node[] = [];
  ts.forEachChild(root, (child) => {
    children.push(child);
  });
  for (const child of children) yield* nodesAtTopLevel(child);
}

export interface Comment {
  readonly line: number;
  readonly text: string;
}

/** All comments of a file: they stand in the trivia before a token. */
export function commentsOf(source: ts.SourceFile): Comment[] {
  const found = new Map<number, Comment>();
  const text = source.text;
  const visit = (node: ts.Node): void => {
    if (ts.isJSDoc(node)) return;
    const ranges = [
      ...ts.getLeadingCommentRanges(text, node.getFullStart()) ?? [],
      ...ts.getTrailingCommentRanges(text, node.getEnd()) ?? [],
    ];
    if (node.getChildCount(source) === 0) {
      for (const { pos, end } of ranges) {
        found.set(pos, {
          line: lineAt(source, pos),
          text: text.slice(pos, end),
        });
      }
    }
    node.getChildren(source).forEach(visit);
  };
  visit(source);
  return [...found.values()].sort((a, b) => a.line - b.line);
}

export interface Import {
  readonly line: number;
  readonly specifier: string;
}

/** Modules that a file names: import, export from, import(), import types. */
export function importsOf(source: ts.SourceFile): Import[] {
  const found: Import[] = [];
  for (const node of nodesOf(source)) {
    const name = moduleName(node);
    if (name === undefined || !ts.isStringLiteralLike(name)) continue;
    found.push({ line: lineOf(source, node), specifier: name.text });
  }
  return found;
}

function moduleName(node: ts.Node): ts.Node | undefined {
  if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) {
    return node.moduleSpecifier;
  }
  if (ts.isImportTypeNode(node)) {
    return ts.isLiteralTypeNode(node.argument)
      ? node.argument.literal
      : undefined;
  }
  if (!ts.isCallExpression(node)) return undefined;
  return node.expression.kind === ts.SyntaxKind.ImportKeyword
    ? node.arguments[0]
    : undefined;
}

export interface Declared {
  readonly line: number;
  readonly name: string;
}

/** Functions and values (not types) that a file declares and exports. */
export function exportsOf(source: ts.SourceFile): Declared[] {
  const found: Declared[] = [];
  for (const statement of source.statements) {
    if (!isExported(statement)) continue;
    if (ts.isFunctionDeclaration(statement) && statement.name) {
      found.push({
        line: lineOf(source, statement.name),
        name: statement.name.text,
      });
    }
    if (!ts.isVariableStatement(statement)) continue;
    for (const { name } of statement.declarationList.declarations) {
      if (!ts.isIdentifier(name)) continue;
      found.push({ line: lineOf(source, name), name: name.text });
    }
  }
  return found;
}

function isExported(statement: ts.Statement): boolean {
  return ts.canHaveModifiers(statement) &&
    (ts.getModifiers(statement) ?? []).some((modifier) =>
      modifier.kind === ts.SyntaxKind.ExportKeyword
    );
}

/** Whether letter case says that a name comes from Linux. */
export function looksBorrowed(name: string): boolean {
  return name.includes("_") || /^[A-Z][A-Z0-9]+$/.test(name);
}

/** The first comment, if the file begins with it; else "". */
export function headComment(source: ts.SourceFile): string {
  const [range] = ts.getLeadingCommentRanges(source.text, 0) ?? [];
  return range === undefined ? "" : source.text.slice(range.pos, range.end);
}
