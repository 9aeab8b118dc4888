/// <reference lib="deno.unstable" />
/**
 * Lint rules of our own, for mistakes that the type checker lets pass.
 *
 * Ours. A rule sees one file's syntax tree and no types; `yield-star` also
 * reads the modules that the file imports, to learn which names are
 * generators. What it cannot see: a method (`ops.store(...)`) and a local name
 * that hides an imported one.
 */
import {
  exportedGenerators,
  type GeneratorKind,
  type Generators,
  kindOfReturnType,
  resolveModule,
} from "./generators.ts";

/** Functions that take tasks, or functions that make one, and drive them. */
const runners: ReadonlySet<string> = new Set([
  "INIT_WORK",
  "actor",
  "threadActor",
  "kernelActor",
  "run",
  "spawn",
  "explore",
  "task",
]);

function inFolder(context: Deno.lint.RuleContext, ...folders: string[]) {
  const path = context.filename.replaceAll("\\", "/");
  return folders.some((folder) => path.includes(`/${folder}/`));
}

/** Deno's own union of all nodes forgets one that can be a parent. */
type AnyNode = Deno.lint.Node | Deno.lint.TSParameterProperty;

type AnyFunction =
  | Deno.lint.FunctionDeclaration
  | Deno.lint.FunctionExpression
  | Deno.lint.ArrowFunctionExpression;

function isFunction(node: AnyNode): node is AnyFunction {
  return node.type === "FunctionDeclaration" ||
    node.type === "FunctionExpression" ||
    node.type === "ArrowFunctionExpression";
}

/** What surrounds `node`; a program and a comment have nothing around them. */
function parentOf(node: AnyNode): AnyNode | null {
  return "parent" in node ? node.parent : null;
}

function enclosingFunction(node: AnyNode): AnyFunction | null {
  let outer = parentOf(node);
  while (outer !== null && !isFunction(outer)) outer = parentOf(outer);
  return outer;
}

/** The name in `: Name<...>`, or undefined without such an annotation. */
function annotatedName(
  annotation: Deno.lint.TSTypeAnnotation | undefined | null,
): string | undefined {
  const type = annotation?.typeAnnotation;
  if (type === undefined) return undefined;
  if (type.type !== "TSTypeReference") return type.type;
  return type.typeName.type === "Identifier" ? type.typeName.name : type.type;
}

function generatorKind(node: AnyFunction): GeneratorKind {
  return kindOfReturnType(annotatedName(node.returnType));
}

/** Expressions that only hand their value on to what surrounds them. */
const transparent: ReadonlySet<string> = new Set([
  "ArrayExpression",
  "ConditionalExpression",
  "LogicalExpression",
  "ObjectExpression",
  "Property",
  "TSAsExpression",
  "TSNonNullExpression",
  "TSSatisfiesExpression",
]);

function calleeName(callee: Deno.lint.Node): string | undefined {
  if (callee.type === "Identifier") return callee.name;
  if (callee.type !== "MemberExpression") return undefined;
  return callee.property.type === "Identifier"
    ? callee.property.name
    : undefined;
}

/** `Task`, `Task<T>`, `Task[]` or `readonly Task[]`. */
function isTaskType(type: Deno.lint.TypeNode | undefined): boolean {
  switch (type?.type) {
    case "TSTypeReference":
      return type.typeName.type === "Identifier" &&
        type.typeName.name === "Task";
    case "TSArrayType":
      return isTaskType(type.elementType);
    case "TSTypeOperator":
      return isTaskType(type.typeAnnotation);
    default:
      return false;
  }
}

function saysTask(node: AnyFunction | null): boolean {
  return node !== null && annotatedName(node.returnType) === "Task";
}

/** Whether something drives `task`: a call, or a function that makes it. */
function isDriven(task: AnyNode): boolean {
  let node = task;
  let user = parentOf(node);
  while (user !== null && transparent.has(user.type)) {
    node = user;
    user = parentOf(node);
  }
  switch (user?.type) {
    case "YieldExpression":
      return user.delegate;
    case "ForOfStatement":
      return user.right === node;
    case "SpreadElement":
      return true;
    case "MemberExpression":
      return user.object === node;
    case "CallExpression":
      return runners.has(calleeName(user.callee) ?? "");
    case "VariableDeclarator":
      return user.id.type === "Identifier" &&
        isTaskType(user.id.typeAnnotation?.typeAnnotation);
    case "ArrowFunctionExpression":
      return saysTask(user) || isDriven(user);
    case "ReturnStatement":
      return returnsTask(user);
    default:
      return false;
  }
}

/** `return f()` is right in a plain function that says it returns a Task. */
function returnsTask(statement: Deno.lint.ReturnStatement): boolean {
  const owner = enclosingFunction(statement);
  return !owner?.generator && saysTask(owner);
}

/** All else may be kept or handed on; only a bare statement is lost. */
function isLost(call: Deno.lint.CallExpression): boolean {
  return parentOf(call)?.type === "ExpressionStatement";
}

function importGenerators(
  node: Deno.lint.ImportDeclaration,
  context: Deno.lint.RuleContext,
  known: Generators,
): void {
  const path = resolveModule(node.source.value, context.filename);
  if (path === null) return;
  const exported = exportedGenerators(path);
  for (const specifier of node.specifiers) {
    const local = specifier.local.name;
    if (specifier.type === "ImportNamespaceSpecifier") {
      for (const [name, kind] of exported) known.set(`${local}.${name}`, kind);
    }
    if (specifier.type !== "ImportSpecifier") continue;
    const imported = specifier.imported.type === "Identifier"
      ? specifier.imported.name
      : specifier.imported.value;
    const kind = exported.get(imported);
    if (kind !== undefined) known.set(local, kind);
  }
}

function nameOfCall(call: Deno.lint.CallExpression): string | undefined {
  const callee = call.callee;
  if (callee.type !== "MemberExpression") return calleeName(callee);
  if (callee.object.type !== "Identifier") return undefined;
  return `${callee.object.name}.${calleeName(callee)}`;
}

/** A generator is called and nobody drives it: the call does nothing. */
const yieldStar: Deno.lint.Rule = {
  create(context) {
    const known: Generators = new Map();
    const calls: Deno.lint.CallExpression[] = [];
    return {
      ImportDeclaration(node) {
        importGenerators(node, context, known);
      },
      FunctionDeclaration(node) {
        if (node.id === null) return;
        if (node.generator) known.set(node.id.name, generatorKind(node));
        else if (saysTask(node)) known.set(node.id.name, "task maker");
      },
      VariableDeclarator(node) {
        if (node.id.type !== "Identifier") return;
        if (node.init?.type !== "FunctionExpression") return;
        if (!node.init.generator) return;
        known.set(node.id.name, generatorKind(node.init));
      },
      CallExpression(node) {
        calls.push(node);
      },
      "Program:exit"() {
        for (const call of calls) {
          const name = nameOfCall(call);
          const kind = known.get(name ?? "");
          if (kind === undefined) continue;
          const bad = kind === "task" ? !isDriven(call) : isLost(call);
          if (!bad) continue;
          context.report({
            node: call,
            message: `${name}() gives a generator: called like this it ` +
              "does nothing",
            hint: kind !== "iterator"
              ? `Write \`yield* ${name}(...)\` or \`run(${name}(...))\`; a ` +
                "function or variable that keeps the task says `: Task`"
              : `Loop over it: \`for (const item of ${name}(...))\``,
          });
        }
      },
    };
  },
};

/** In lib/mm a name at the top level is a `function`, as in the kernel. */
const noTopLevelArrow: Deno.lint.Rule = {
  create(context) {
    if (!inFolder(context, "lib/mm")) return {};
    return {
      VariableDeclarator(node) {
        const { init } = node;
        if (init?.type !== "ArrowFunctionExpression") return;
        const list = node.parent.parent;
        const statement = list.type === "ExportNamedDeclaration"
          ? list.parent
          : list;
        if (statement.type !== "Program") return;
        context.report({
          node,
          message: "An arrow function at the top level of an engine file",
          hint: "Write `function name(...) { ... }`: it is hoisted, so " +
            "import cycles in mm/ are harmless, and it reads like C",
        });
      },
    };
  },
};

/** Only sim/ and locking/ pause; all other tasks hand on with `yield*`. */
const noBareYield: Deno.lint.Rule = {
  create(context) {
    if (!inFolder(context, "lib")) return {};
    if (inFolder(context, "lib/sim", "lib/locking")) return {};
    return {
      YieldExpression(node) {
        if (node.delegate) return;
        const owner = enclosingFunction(node);
        if (owner !== null && generatorKind(owner) === "iterator") return;
        context.report({
          node,
          message: "A bare `yield` in a task outside lib/sim and lib/locking",
          hint: "Pause through a function of lib/locking or `yield* " +
            "pause(op)`; an iterator says so by its return type Generator",
        });
      },
    };
  },
};

/** The explorer drops tasks halfway: cleaning up must not hang on that. */
const noTryInEngine: Deno.lint.Rule = {
  create(context) {
    if (!inFolder(context, "lib/mm", "lib/locking")) return {};
    return {
      TryStatement(node) {
        context.report({
          node,
          message: "A `try` in engine code",
          hint: "Return an Errno; a KernelBug stops the whole machine and " +
            "is caught by the laboratory only",
        });
      },
    };
  },
};

const plugin: Deno.lint.Plugin = {
  name: "swaplab",
  rules: {
    "yield-star": yieldStar,
    "no-top-level-arrow": noTopLevelArrow,
    "no-bare-yield": noBareYield,
    "no-try-in-engine": noTryInEngine,
  },
};

export default plugin;
