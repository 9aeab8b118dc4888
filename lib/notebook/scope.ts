/**
 * Which names a piece of JavaScript declares, scope by scope: what the cell
 * compiler needs to tell a cell's own locals from the session's bindings.
 */
import type { AnyNode, Pattern, VariableDeclaration } from "acorn";

/** A scope inside a cell; the cell's own top level is not one (null). */
export interface Scope {
  names: ReadonlySet<string>;
  /** `var` stops here. */
  isFunction: boolean;
  outer: Scope | null;
}

export function isDeclared(name: string, scope: Scope | null): boolean {
  for (let at = scope; at !== null; at = at.outer) {
    if (at.names.has(name)) return true;
  }
  return false;
}

export function isInFunction(scope: Scope | null): boolean {
  for (let at = scope; at !== null; at = at.outer) {
    if (at.isFunction) return true;
  }
  return false;
}

export function isNode(value: unknown): value is AnyNode {
  return typeof value === "object" && value !== null && "type" in value &&
    typeof value.type === "string";
}

/** The nodes directly inside `node`, in the order of acorn's fields. */
export function childrenOf(node: AnyNode): AnyNode[] {
  return Object.values(node).flat().filter(isNode);
}

/** The names that a pattern binds: `{a, b: [c = 1, ...d]}` binds a, c, d. */
export function namesOfPattern(pattern: Pattern): string[] {
  switch (pattern.type) {
    case "Identifier":
      return [pattern.name];
    case "ObjectPattern":
      return pattern.properties.flatMap((property) =>
        namesOfPattern(
          property.type === "RestElement" ? property.argument : property.value,
        )
      );
    case "ArrayPattern":
      return pattern.elements.flatMap((element) =>
        element === null ? [] : namesOfPattern(element)
      );
    case "RestElement":
      return namesOfPattern(pattern.argument);
    case "AssignmentPattern":
      return namesOfPattern(pattern.left);
    case "MemberExpression":
      return [];
  }
}

export function namesOfDeclaration(node: VariableDeclaration): string[] {
  return node.declarations.flatMap(({ id }) => namesOfPattern(id));
}

/** Names of let, const, using, class and function among statements. */
export function lexicalNames(statements: readonly AnyNode[]): string[] {
  return statements.flatMap((node) => {
    if (node.type === "VariableDeclaration") {
      return node.kind === "var" ? [] : namesOfDeclaration(node);
    }
    const isNamed = node.type === "FunctionDeclaration" ||
      node.type === "ClassDeclaration";
    return isNamed && node.id !== null ? [node.id.name] : [];
  });
}

const OWN_VAR_SCOPE: ReadonlySet<string> = new Set([
  "FunctionDeclaration",
  "FunctionExpression",
  "ArrowFunctionExpression",
  "StaticBlock",
  "PropertyDefinition",
]);

/** Names that `var` declares in these statements, at any depth of blocks. */
export function varNames(nodes: readonly AnyNode[]): string[] {
  return nodes.flatMap((node) => {
    if (OWN_VAR_SCOPE.has(node.type)) return [];
    const isVar = node.type === "VariableDeclaration" && node.kind === "var";
    const own = isVar ? namesOfDeclaration(node) : [];
    return [...own, ...varNames(childrenOf(node))];
  });
}

function blockScope(names: readonly string[], outer: Scope | null): Scope {
  return { names: new Set(names), isFunction: false, outer };
}

/** The scope that a block, loop, switch, catch or class opens, or `outer`. */
export function enterBlock(node: AnyNode, outer: Scope | null): Scope | null {
  switch (node.type) {
    case "BlockStatement":
      return blockScope(lexicalNames(node.body), outer);
    case "SwitchStatement":
      return blockScope(
        lexicalNames(node.cases.flatMap((one) => one.consequent)),
        outer,
      );
    case "ForStatement":
      return blockScope(lexicalNames(node.init ? [node.init] : []), outer);
    case "ForInStatement":
    case "ForOfStatement":
      return blockScope(lexicalNames([node.left]), outer);
    case "CatchClause":
      return blockScope(node.param ? namesOfPattern(node.param) : [], outer);
    case "ClassDeclaration":
    case "ClassExpression":
      return blockScope(node.id ? [node.id.name] : [], outer);
    case "StaticBlock": {
      const names = [...lexicalNames(node.body), ...varNames(node.body)];
      return { names: new Set(names), isFunction: true, outer };
    }
    default:
      return outer;
  }
}
