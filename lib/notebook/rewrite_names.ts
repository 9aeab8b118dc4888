/**
 * The rewriting of names where they are read, assigned to and declared: the
 * leaves of rewrite.ts, which walks the rest of the tree.
 */
import type {
  AnyNode,
  AssignmentPattern,
  AssignmentProperty,
  Expression,
  Identifier,
  Pattern,
  VariableDeclaration,
} from "acorn";
import type { Kind } from "./binding.ts";
import type { Edit } from "./place.ts";
import { isDeclared, isInFunction, type Scope } from "./scope.ts";
import { isStandardName } from "./standard_names.ts";

/** Thrown for what is JavaScript, but not in a cell. */
export class CellError extends Error {
  readonly offset: number;

  constructor(message: string, offset: number) {
    super(message);
    this.offset = offset;
  }
}

export interface Rewriting {
  edits: Edit[];
  /** Session names that the cell reads, writes or declares. */
  used: Set<string>;
}

/** What the walk carries along; filled as it goes. */
export interface Walk extends Rewriting {
  text: string;
  prefix: string;
  /** How a session name is declared, in this cell or an earlier one. */
  kindOf: (name: string) => Kind | null;
  /** Rewrites any node; the parts below call back to it. */
  visit: (node: AnyNode, scope: Scope | null, walk: Walk) => void;
}

export function edit(
  walk: Walk,
  start: number,
  end: number,
  text: string,
): void {
  walk.edits.push({ start, end, text });
}

/** The binding's variable in the compiled cell. */
export function box(walk: Walk, name: string): string {
  walk.used.add(name);
  return walk.prefix + name;
}

export function isSession(
  name: string,
  scope: Scope | null,
  walk: Walk,
): boolean {
  if (isDeclared(name, scope)) return false;
  return walk.kindOf(name) !== null || !isStandardName(name);
}

/** How a pattern names its targets: `value`, `let`, `const`, `fixed`. */
export type Target = (name: string) => string;

/** The property by which an assignment reaches a binding. */
export function assigned(walk: Walk): Target {
  return (name) => {
    const kind = walk.kindOf(name);
    return kind === "const" || kind === "import" ? "fixed" : "value";
  };
}

export function visitIdentifier(
  node: Identifier,
  scope: Scope | null,
  walk: Walk,
) {
  if (!isSession(node.name, scope, walk)) return;
  edit(walk, node.start, node.end, `${box(walk, node.name)}.value`);
}

function isUnnamedFunction(node: Expression): boolean {
  return node.type === "ArrowFunctionExpression" ||
    (node.type === "FunctionExpression" && !node.id) ||
    (node.type === "ClassExpression" && !node.id);
}

/** Visit the value given to `left`, keeping the name that it would get. */
export function visitValue(
  left: Pattern,
  value: Expression,
  scope: Scope | null,
  walk: Walk,
) {
  const isNaming = left.type === "Identifier" && isUnnamedFunction(value) &&
    isSession(left.name, scope, walk);
  if (!isNaming) return walk.visit(value, scope, walk);
  const key = `[${JSON.stringify(left.name)}]`;
  edit(walk, value.start, value.start, `({${key}: `);
  walk.visit(value, scope, walk);
  edit(walk, value.end, value.end, `})${key}`);
}

/** Visit what is assigned to: a name, a member, or a pattern of these. */
export function visitTarget(
  node: Pattern,
  scope: Scope | null,
  walk: Walk,
  target: Target,
): void {
  switch (node.type) {
    case "Identifier":
      if (!isSession(node.name, scope, walk)) return;
      edit(
        walk,
        node.start,
        node.end,
        `${box(walk, node.name)}.${target(node.name)}`,
      );
      return;
    case "ObjectPattern":
      for (const property of node.properties) {
        if (property.type === "RestElement") {
          visitTarget(property.argument, scope, walk, target);
        } else visitTargetProperty(property, scope, walk, target);
      }
      return;
    case "ArrayPattern":
      for (const element of node.elements) {
        if (element !== null) visitTarget(element, scope, walk, target);
      }
      return;
    case "RestElement":
      return visitTarget(node.argument, scope, walk, target);
    case "AssignmentPattern":
      return visitDefault(node, scope, walk, target);
    case "MemberExpression":
      return walk.visit(node, scope, walk);
  }
}

function visitDefault(
  node: AssignmentPattern,
  scope: Scope | null,
  walk: Walk,
  target: Target,
) {
  visitTarget(node.left, scope, walk, target);
  visitValue(node.left, node.right, scope, walk);
}

function visitTargetProperty(
  property: AssignmentProperty,
  scope: Scope | null,
  walk: Walk,
  target: Target,
) {
  const { key, value } = property;
  if (property.computed) walk.visit(key, scope, walk);
  const name = property.shorthand && key.type === "Identifier" ? key.name : "";
  if (property.shorthand && isSession(name, scope, walk)) {
    edit(walk, property.start, property.start, `${name}: `);
  }
  visitTarget(value, scope, walk, target);
}

/** Where a declaration stands decides what may replace its keyword. */
export type Position = "statement" | "for" | "for each";

export function visitDeclaration(
  node: VariableDeclaration,
  position: Position,
  scope: Scope | null,
  walk: Walk,
) {
  if (scope === null && node.kind.endsWith("using")) {
    throw new CellError(
      "`using` would close at the end of this cell: put it in a block",
      node.start,
    );
  }
  const isKept = node.kind === "var" ? !isInFunction(scope) : scope === null;
  if (isKept) return keepDeclaration(node, position, scope, walk);
  for (const { id, init } of node.declarations) {
    visitTarget(id, scope, walk, () => "value");
    if (init) walk.visit(init, scope, walk);
  }
}

/** `const {a} = f(), b = 1` becomes `({a: ºa.const} = f()), (ºb.const = 1)`. */
function keepDeclaration(
  node: VariableDeclaration,
  position: Position,
  scope: Scope | null,
  walk: Walk,
) {
  const property = node.kind === "var" ? "value" : node.kind;
  edit(walk, node.start, node.start + node.kind.length, "");
  for (const declarator of node.declarations) {
    const { id, init, start, end } = declarator;
    // `var x;` alone leaves the binding as it is: it is only mentioned.
    const isBare = !init && (node.kind === "var" || position === "for each");
    const target = isBare && position === "statement" ? "typed" : property;
    if (position !== "for each") edit(walk, start, start, "(");
    visitTarget(id, scope, walk, () => target);
    if (init) visitValue(id, init, scope, walk);
    else if (!isBare) edit(walk, end, end, " = undefined");
    if (position !== "for each") edit(walk, end, end, ")");
  }
}
