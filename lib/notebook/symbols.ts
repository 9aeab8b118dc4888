/**
 * Names that the engine's files declare, as text shows them: what the index of
 * the book and the map of the files are made from.
 */
import type { Sources } from "./sources.ts";

const ENGINE =
  /^lib\/(?:(?:base|sim|locking|crypto|block|mm|lab|show)\/.*|\w+)\.ts$/;
const EXPORTED =
  /^export (?:declare )?(?:function\*?|const|interface|type|class) (\w+)/;
const LOCAL = /^(?:function\*?|interface|type|class) (\w+)/;

/** declaredIn() - functions, types and exported constants of some lines. */
export function declaredIn(lines: readonly string[]): string[] {
  return lines.flatMap((line) =>
    EXPORTED.exec(line)?.[1] ?? LOCAL.exec(line)?.[1] ?? []
  );
}

/**
 * engineNames() - each name and the file that declares it.
 *
 * What a file exports; and what it keeps to itself, if Linux has the name too
 * (`do_anonymous_page`) and no other file of ours declares it.
 */
export function engineNames(sources: Sources): Map<string, string> {
  const exported = new Map<string, string>();
  const local = new Map<string, string[]>();
  for (const path of sources.paths()) {
    if (!ENGINE.test(path)) continue;
    for (const line of (sources.read(path) ?? "").split("\n")) {
      const name = EXPORTED.exec(line)?.[1];
      if (name !== undefined) exported.set(name, path);
      const own = LOCAL.exec(line)?.[1];
      if (own !== undefined) local.set(own, [...local.get(own) ?? [], path]);
    }
  }
  for (const [name, [path, ...others]] of local) {
    const isLinux = name.includes("_") && others.length === 0;
    if (isLinux && !exported.has(name)) exported.set(name, path!);
  }
  return exported;
}
