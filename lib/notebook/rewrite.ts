/**
 * Rewrites a cell so that its top-level names live in the session's bindings:
 * `let n = 1` becomes `ºn.let = 1`, a read of `n` becomes `ºn.value`. All other
 * names stay what they are: locals, parameters, and JavaScript's own globals.
 *
 * What needs care, and is done here: `{n}` becomes `{n: ºn.value}`; a call
 * `f()` becomes `(0, ºf.value)()`, else `this` would be the binding; the name
 * that `f = () => 1` gives to its function is kept; every statement that
 * relied on an inserted semicolon gets a real one, so that no rewritten line
 * can join the line before. No edit adds or removes a line.
 */
import type {
  AnonymousClassDeclaration,
  AnyNode,
  AssignmentExpression,
  AssignmentProperty,
  CallExpression,
  CatchClause,
  ClassDeclaration,
  ClassExpression,
  ExpressionStatement,
  ForInStatement,
  ForOfStatement,
  ForStatement,
  Function as FunctionNode,
  Identifier,
  MetaProperty,
  Program,
  Property,
  TaggedTemplateExpression,
  UnaryExpression,
} from "acorn";
import type { Kind } from "./binding.ts";
import {
  assigned,
  box,
  CellError,
  edit,
  isSession,
  type Rewriting,
  visitDeclaration,
  visitIdentifier,
  visitTarget,
  visitValue,
  type Walk,
} from "./rewrite_names.ts";
import {
  childrenOf,
  enterBlock,
  lexicalNames,
  namesOfPattern,
  type Scope,
  varNames,
} from "./scope.ts";

function visitProperty(
  node: Property | AssignmentProperty,
  scope: Scope | null,
  walk: Walk,
) {
  if (node.computed) visit(node.key, scope, walk);
  const { value } = node;
  if (!node.shorthand || value.type !== "Identifier") {
    return visit(value, scope, walk);
  }
  if (!isSession(value.name, scope, walk)) return;
  edit(walk, node.start, node.start, `${value.name}: `);
  visitIdentifier(value, scope, walk);
}

function visitFunction(node: FunctionNode, scope: Scope | null, walk: Walk) {
  const own = node.type === "FunctionExpression" && node.id
    ? [node.id.name]
    : [];
  const isArrow = node.type === "ArrowFunctionExpression";
  const parameters = node.params.flatMap(namesOfPattern);
  const names = [...own, ...parameters, ...(isArrow ? [] : ["arguments"])];
  const head: Scope = { names: new Set(names), isFunction: true, outer: scope };
  for (const parameter of node.params) {
    visitTarget(parameter, head, walk, () => "value");
  }
  if (node.body.type !== "BlockStatement") return visit(node.body, head, walk);
  // A parameter's default must not see the body's declarations.
  const inner = [...lexicalNames(node.body.body), ...varNames(node.body.body)];
  const body = { names: new Set(inner), isFunction: true, outer: head };
  for (const statement of node.body.body) visit(statement, body, walk);
}

type AnyClass = ClassDeclaration | AnonymousClassDeclaration | ClassExpression;

function visitClass(node: AnyClass, scope: Scope | null, walk: Walk) {
  const inner = enterBlock(node, scope);
  if (node.superClass) visit(node.superClass, inner, walk);
  visit(node.body, inner, walk);
}

/** A class at the top level becomes the value of its binding. */
function visitTopClass(node: AnyClass, id: Identifier, walk: Walk) {
  edit(walk, node.start, node.start, `${box(walk, id.name)}.let = `);
  visitClass(node, null, walk);
  edit(walk, node.end, node.end, ";");
}

function visitCall(
  node: CallExpression | TaggedTemplateExpression,
  scope: Scope | null,
  walk: Walk,
) {
  const callee = node.type === "CallExpression" ? node.callee : node.tag;
  const isPlain = callee.type === "Identifier" &&
    isSession(callee.name, scope, walk);
  if (isPlain) edit(walk, callee.start, callee.start, "(0, ");
  visit(callee, scope, walk);
  if (isPlain) edit(walk, callee.end, callee.end, ")");
  for (const child of childrenOf(node)) {
    if (child !== callee) visit(child, scope, walk);
  }
}

function visitAssignment(
  node: AssignmentExpression,
  scope: Scope | null,
  walk: Walk,
) {
  const { left, right } = node;
  visitTarget(left, scope, walk, assigned(walk));
  const isNaming = ["=", "&&=", "||=", "??="].includes(node.operator);
  if (isNaming) visitValue(left, right, scope, walk);
  else visit(right, scope, walk);
}

/** Statements that may end without a semicolon of their own. */
const ENDS_IN_SEMICOLON: ReadonlySet<string> = new Set([
  "ExpressionStatement",
  "VariableDeclaration",
  "ReturnStatement",
  "ThrowStatement",
  "BreakStatement",
  "ContinueStatement",
  "DoWhileStatement",
  "DebuggerStatement",
]);

function visit(node: AnyNode, scope: Scope | null, walk: Walk): void {
  visitInside(node, scope, walk);
  if (!ENDS_IN_SEMICOLON.has(node.type)) return;
  if (walk.text[node.end - 1] === ";") return;
  edit(walk, node.end, node.end, ";");
}

function visitInside(node: AnyNode, scope: Scope | null, walk: Walk): void {
  switch (node.type) {
    case "Identifier":
      return visitIdentifier(node, scope, walk);
    case "Property":
      return visitProperty(node, scope, walk);
    case "FunctionDeclaration":
    case "FunctionExpression":
    case "ArrowFunctionExpression":
      return visitFunction(node, scope, walk);
    case "ClassDeclaration":
      if (scope === null && node.id) return visitTopClass(node, node.id, walk);
      return visitClass(node, scope, walk);
    case "ClassExpression":
      return visitClass(node, scope, walk);
    case "CallExpression":
    case "TaggedTemplateExpression":
      return visitCall(node, scope, walk);
    case "AssignmentExpression":
      return visitAssignment(node, scope, walk);
    case "UpdateExpression":
      if (node.argument.type !== "Identifier") break;
      return visitTarget(node.argument, scope, walk, assigned(walk));
    case "UnaryExpression":
      return visitUnary(node, scope, walk);
    case "VariableDeclaration":
      return visitDeclaration(node, "statement", scope, walk);
    case "ForStatement":
    case "ForInStatement":
    case "ForOfStatement":
      return visitLoop(node, enterBlock(node, scope), walk);
    case "ImportDeclaration":
      return blank(node, walk);
  }
  visitPlain(node, scope, walk);
}

/** `typeof x` must not throw when nobody has declared `x`. */
function visitUnary(node: UnaryExpression, scope: Scope | null, walk: Walk) {
  const { argument } = node;
  const isTypeof = node.operator === "typeof" && argument.type === "Identifier";
  if (!isTypeof) return visit(argument, scope, walk);
  visitTarget(argument, scope, walk, () => "typed");
}

/** The rest: names that are no references, and nodes that only hold others. */
function visitPlain(node: AnyNode, scope: Scope | null, walk: Walk): void {
  switch (node.type) {
    case "MemberExpression":
      visit(node.object, scope, walk);
      if (node.computed) visit(node.property, scope, walk);
      return;
    case "MethodDefinition":
    case "PropertyDefinition":
      if (node.computed) visit(node.key, scope, walk);
      if (node.value) visit(node.value, scope, walk);
      return;
    case "LabeledStatement":
      return visit(node.body, scope, walk);
    case "SwitchStatement": {
      // What is asked does not see the names that the cases declare.
      visit(node.discriminant, scope, walk);
      const inner = enterBlock(node, scope);
      for (const one of node.cases) visit(one, inner, walk);
      return;
    }
    case "CatchClause":
      return visitCatch(node, enterBlock(node, scope), walk);
    case "BreakStatement":
    case "ContinueStatement":
      return;
    case "ImportExpression":
      edit(
        walk,
        node.start,
        node.start + "import".length,
        `${walk.prefix}import`,
      );
      break;
    case "MetaProperty":
      return refuseImportMeta(node);
    case "ExportAllDeclaration":
    case "ExportDefaultDeclaration":
    case "ExportNamedDeclaration":
      throw new CellError(
        "a cell has nothing to export: later cells see its top-level names " +
          "already; remove `export`",
        node.start,
      );
  }
  const inner = enterBlock(node, scope);
  for (const child of childrenOf(node)) visit(child, inner, walk);
}

/**
 * `catch (e) {` becomes `catch (e) { ºcatch(e);`, and `catch ({name}) {`
 * becomes `catch (ºtry) { let {name} = ºcatch(ºtry);`.
 */
function visitCatch(node: CatchClause, scope: Scope | null, walk: Walk) {
  const { param, body } = node;
  const { prefix, text } = walk;
  if (param) {
    visitTarget(param, scope, walk, () => "value");
    const open = body.start + 1;
    if (param.type === "Identifier") {
      edit(walk, open, open, ` ${prefix}catch(${param.name});`);
    } else {
      edit(walk, param.start, param.start, `${prefix}try) { let `);
      const lines = text.slice(param.end, open).replace(/[^\n]/g, "");
      const value = ` = ${prefix}catch(${prefix}try);`;
      edit(walk, param.end, open, value + lines);
    }
  }
  visit(body, scope, walk);
}

function refuseImportMeta(node: MetaProperty): void {
  if (node.meta.name !== "import") return;
  throw new CellError(
    "a cell is not a file, so it has no `import.meta`; import by name, as in " +
      'import { show } from "swaplab"',
    node.start,
  );
}

function visitLoop(
  node: ForStatement | ForInStatement | ForOfStatement,
  scope: Scope | null,
  walk: Walk,
) {
  const head = node.type === "ForStatement" ? node.init : node.left;
  const position = node.type === "ForStatement" ? "for" : "for each";
  if (head?.type === "VariableDeclaration") {
    visitDeclaration(head, position, scope, walk);
  } else if (node.type === "ForStatement") {
    if (node.init) visit(node.init, scope, walk);
  } else if (node.left.type !== "VariableDeclaration") {
    visitTarget(node.left, scope, walk, assigned(walk));
  }
  for (const child of childrenOf(node)) {
    if (child !== head) visit(child, scope, walk);
  }
}

/** Take a statement out, keeping its lines. */
function blank(node: AnyNode, walk: Walk) {
  const text = walk.text.slice(node.start, node.end);
  edit(walk, node.start, node.end, text.replace(/[^\n]/g, ""));
}

/**
 * rewriteProgram() - the edits that make a cell's names the session's.
 *
 * @param kindOf how a name is declared by this cell or an earlier one
 * @param prefix no identifier of the cell starts with it
 */
export function rewriteProgram(
  program: Program,
  options: {
    text: string;
    prefix: string;
    kindOf: (name: string) => Kind | null;
  },
): Rewriting {
  const walk: Walk = { ...options, edits: [], used: new Set(), visit };
  const last = program.body.findLast((node) => node.type !== "EmptyStatement");
  for (const statement of program.body) {
    const isValue = statement === last &&
      statement.type === "ExpressionStatement";
    if (isValue) visitValueOfCell(statement, walk);
    else visit(statement, null, walk);
  }
  return { edits: walk.edits, used: walk.used };
}

/** The value of a cell is that of its last statement, if an expression. */
function visitValueOfCell(node: ExpressionStatement, walk: Walk) {
  const { expression } = node;
  edit(walk, node.start, node.start, `${walk.prefix}return.value = `);
  // `a, b` needs parentheses now; with its own it starts after the statement.
  const isBareList = expression.type === "SequenceExpression" &&
    expression.start === node.start;
  if (isBareList) edit(walk, node.start, node.start, "(");
  visit(expression, null, walk);
  if (isBareList) edit(walk, expression.end, expression.end, ")");
  if (walk.text[node.end - 1] !== ";") edit(walk, node.end, node.end, ";");
}
