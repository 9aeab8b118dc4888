/**
 * Which names of a module are generators, read from its text. Ours.
 *
 * The lint rule `yield-star` needs it: a call of a generator that nobody
 * drives does nothing, and nothing in the language says so. Read with regular
 * expressions, because a lint plugin sees the syntax tree of one file only.
 */
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";

/**
 * A task is driven by `yield*` or `run()`, an iterator by a loop. Of a plain
 * function that returns a Task only the caller knows what becomes of it.
 */
export type GeneratorKind = "task" | "iterator" | "task maker";

export type Generators = Map<string, GeneratorKind>;

/**
 * What a return type says. A generator without one counts as a task: the
 * stricter rule then asks for the annotation.
 */
export function kindOfReturnType(type: string | undefined): GeneratorKind {
  if (type === undefined || /^Task\b/.test(type)) return "task";
  return "iterator";
}

/** The text with comments blanked out; offsets stay as they are. */
export function blankComments(text: string): string {
  const token =
    /"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`|\/\/[^\n]*|\/\*[^]*?\*\//g;
  return text.replace(
    token,
    (found) => found.startsWith("/") ? found.replace(/[^\n]/g, " ") : found,
  );
}

/** Generators that the module at `path` exports, re-exports included. */
export function exportedGenerators(
  path: string,
  seen: ReadonlySet<string> = new Set(),
): Generators {
  const found: Generators = new Map();
  if (seen.has(path) || !existsSync(path)) return found;
  const text = blankComments(readFileSync(path, "utf8"));
  for (const [name, kind] of declaredGenerators(text)) found.set(name, kind);
  const deeper = new Set(seen).add(path);
  const reexport =
    /\bexport\s+(?:\*|\{([^}]*)\})\s*from\s*["'](\.{1,2}\/[^"']+)["']/g;
  for (const [, names, specifier] of text.matchAll(reexport)) {
    const target = join(dirname(path), specifier!);
    const inner = exportedGenerators(target, deeper);
    const pairs = names === undefined
      ? [...inner.keys()].map((name) => [name, name] as const)
      : namePairs(names);
    for (const [from, to] of pairs) {
      const kind = inner.get(from);
      if (kind !== undefined) found.set(to, kind);
    }
  }
  return found;
}

function declaredGenerators(text: string): Generators {
  const found: Generators = new Map();
  const declaration = /\bexport\s+function\b\s*(\*?)\s*([\w$]+)/g;
  for (const match of text.matchAll(declaration)) {
    const type = returnType(text.slice(match.index + match[0].length));
    const [, star, name] = match;
    if (star === "*") found.set(name!, kindOfReturnType(type));
    else if (/^Task\b/.test(type ?? "")) found.set(name!, "task maker");
  }
  return found;
}

/** `a, b as c` gives [["a", "a"], ["b", "c"]]; types are left out. */
function namePairs(names: string): [string, string][] {
  return names.split(",").map((name) => name.trim())
    .filter((name) => name !== "" && !name.startsWith("type "))
    .map((name) => {
      const [from, to] = name.split(/\s+as\s+/);
      return [from!, to ?? from!];
    });
}

/** The return type in `<T>(a: B): C {`, or undefined if there is none. */
function returnType(rest: string): string | undefined {
  const open = rest.indexOf("(");
  let depth = 0;
  for (let index = open; index >= 0 && index < rest.length; index++) {
    if (rest[index] === "(") depth++;
    if (rest[index] === ")" && --depth === 0) {
      return /^\s*:\s*([^]*)/.exec(rest.slice(index + 1))?.[1];
    }
  }
  return undefined;
}

/** The file that `specifier` names in `importer`, or null for packages. */
export function resolveModule(
  specifier: string,
  importer: string,
): string | null {
  if (/^\.{1,2}\//.test(specifier)) return join(dirname(importer), specifier);
  if (!/^swaplab(\/|$)/.test(specifier)) return null;
  const root = projectRoot(importer);
  if (root === null) return null;
  const inside = specifier.slice("swaplab/".length);
  return join(root, "lib", inside === "" ? "mod.ts" : inside);
}

function projectRoot(path: string): string | null {
  for (let folder = dirname(path);; folder = dirname(folder)) {
    if (existsSync(join(folder, "deno.json"))) return folder;
    if (folder === dirname(folder)) return null;
  }
}
