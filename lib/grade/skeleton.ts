/**
 * From a module with its answer to the file that a student starts with, and
 * from a wrong answer to a module.
 *
 * Works line by line on text that `deno fmt` has laid out: a top-level
 * function ends at the first line that is just `}`.
 */

/** Lines of a region, its two markers not counted. */
interface Span {
  readonly from: number;
  readonly to: number;
}

function findRegion(lines: readonly string[], name: string): Span {
  const marker = lines.indexOf(`// #region ${name}`);
  if (marker < 0) throw new TypeError(`No region ${name}`);
  const end = lines.indexOf("// #endregion", marker);
  if (end < 0) throw new TypeError(`Region ${name} has no end`);
  return { from: marker + 1, to: end };
}

/** `source` with the lines of a region replaced. */
export function replaceRegion(
  source: string,
  name: string,
  replacement: string,
): string {
  const lines = source.split("\n");
  const { from, to } = findRegion(lines, name);
  const text = replacement.trimEnd().split("\n");
  return [...lines.slice(0, from), ...text, ...lines.slice(to)].join("\n");
}

/** The student's file: signatures and doc comments stay, bodies go. */
export function makeSkeleton(
  source: string,
  module: string,
  regions: readonly string[],
): string {
  let text = source;
  for (const name of regions) {
    const lines = text.split("\n");
    const { from, to } = findRegion(lines, name);
    const emptied = emptyBodies(lines.slice(from, to));
    text = replaceRegion(text, name, emptied.join("\n"));
  }
  return rewriteImports(text, module);
}

const heading = /^export function\*? (\w+)/;

function emptyBodies(lines: readonly string[]): string[] {
  const result: string[] = [];
  let name: string | null = null;
  let inBody = false;
  for (const line of lines) {
    name ??= heading.exec(line)?.[1] ?? null;
    if (inBody && line !== "}") continue;
    result.push(line);
    if (line === "}") [name, inBody] = [null, false];
    const opens = name !== null && /^\S.*\{$/.test(line);
    if (!opens) continue;
    inBody = true;
    result.push(
      "  throw new Error(",
      `    "Not implemented yet: write the body of ${name}().",`,
      "  );",
    );
  }
  return result;
}

/** `../base/bug.ts` seen from lib/mm is `swaplab/base/bug.ts`. */
function rewriteImports(text: string, module: string): string {
  const folder = new URL(module, "file:///").href;
  return text.replaceAll(/ from "(\.[^"]+)";$/gm, (_, path: string) => {
    const { pathname } = new URL(path, folder);
    return ` from "${pathname.replace("/lib/", "swaplab/")}";`;
  });
}

/** A wrong answer's head line: the tests that must catch it. */
export function caughtBy(answer: string): string[] {
  const [first] = answer.split("\n");
  const match = /^\/\/ caught-by: ([\w-]+(?:, [\w-]+)*)$/.exec(first ?? "");
  if (match === null) {
    throw new TypeError(`Wanted "// caught-by: test", got "${first}"`);
  }
  return match[1]!.split(", ");
}
