/** Loading what a cell imports, and telling what is wrong with an import. */
import type { CellImport } from "./cell.ts";
import { CellFault } from "./cell_fault.ts";

/**
 * Returns a module's namespace; throws for a specifier that it does not know.
 * With `names`, an object that holds those of them that the module has is
 * enough; without, the whole module is wanted.
 */
export type ModuleLoader = (
  specifier: string,
  names?: readonly string[],
) => unknown | Promise<unknown>;

/** One name that an import gives to the session. */
export interface Imported {
  local: string;
  value: unknown;
}

/**
 * loadImports() - load a cell's modules and pick the names from them.
 *
 * A name that the module does not have and the cell does not use is left out:
 * it is a type that was imported without `type`.
 *
 * @throws {CellFault} named ImportError, at the import in `source`
 */
export async function loadImports(
  imports: readonly CellImport[],
  source: string,
  load: ModuleLoader,
): Promise<Imported[]> {
  const loaded: Imported[] = [];
  for (const one of imports) {
    const namespace = await loadOne(one, source, load);
    for (const name of one.names) {
      if (name.imported === "*") {
        loaded.push({ local: name.local, value: namespace });
      } else if (name.imported in namespace) {
        const value: unknown = Reflect.get(namespace, name.imported);
        loaded.push({ local: name.local, value });
      } else if (name.isUsed) {
        const message = missingName(one.specifier, name.imported, namespace);
        throw new CellFault("ImportError", message, source, name.place);
      }
    }
  }
  return loaded;
}

async function loadOne(
  one: CellImport,
  source: string,
  load: ModuleLoader,
): Promise<object> {
  const names = one.names.map((name) => name.imported);
  try {
    return await loadModule(
      one.specifier,
      load,
      names.includes("*") ? undefined : names,
    );
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new CellFault("ImportError", message, source, one.place);
  }
}

/** loadModule() - what `await import(specifier)` does in a cell. */
export async function loadModule(
  specifier: string,
  load: ModuleLoader,
  names?: readonly string[],
): Promise<object> {
  const namespace = await load(specifier, names);
  if (typeof namespace === "object" && namespace !== null) return namespace;
  throw new TypeError(`cannot import "${specifier}": it is not a module`);
}

function missingName(specifier: string, name: string, namespace: object) {
  const similar = nearest(name, Object.keys(namespace));
  const hint = similar === null
    ? `if it is a type, write \`import type { ${name} }\``
    : `did you mean "${similar}"?`;
  return `"${specifier}" has no export "${name}"; ${hint}`;
}

/**
 * makeLoader() - a loader of modules known beforehand.
 *
 * @param modules for each specifier, a function that returns its namespace
 */
export function makeLoader(
  modules: Readonly<Record<string, () => unknown | Promise<unknown>>>,
): ModuleLoader {
  return (specifier) => {
    if (Object.hasOwn(modules, specifier)) return modules[specifier]?.();
    const known = Object.keys(modules);
    const similar = nearest(specifier, known);
    const hint = similar === null ? "" : ` (did you mean "${similar}"?)`;
    const list = known.map((one) => `"${one}"`).join(", ");
    throw new TypeError(
      `cannot import "${specifier}"${hint}; a cell can import ${list}`,
    );
  };
}

/** nearest() - the candidate at most two typing errors away, or null. */
export function nearest(
  word: string,
  candidates: readonly string[],
): string | null {
  const ranked = candidates
    .map((one) => ({ one, away: distance(word, one) }))
    .filter(({ away }) => away <= 2)
    .sort((a, b) => a.away - b.away);
  return ranked[0]?.one ?? null;
}

/** Levenshtein's: how many letters to change, add or drop. */
function distance(a: string, b: string): number {
  if (Math.abs(a.length - b.length) > 2) return Infinity;
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (const [i, letter] of [...a].entries()) {
    const next = [i + 1];
    for (const [j, other] of [...b].entries()) {
      const changed = (row[j] ?? 0) + (letter === other ? 0 : 1);
      next.push(Math.min(changed, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? Infinity;
}
