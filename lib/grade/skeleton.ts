/**
 * From a module with its answer to the file that a student starts with, and
 * from a wrong answer to a module.
 *
 * Works line by line on text that `deno fmt` has laid out: a top-level
 * function ends at the first line that is just `}`.
 */
import { readRegions, withoutMarkers } from "../region.ts";

/** `source` with the lines of a region replaced. */
export function replaceRegion(
  source: string,
  name: string,
  replacement: string,
): string {
  const { lines, region } = findRegion(source, name);
  const text = replacement.trimEnd().split("\n");
  const before = lines.slice(0, region.from);
  return [...before, ...text, ...lines.slice(region.to - 1)].join("\n");
}

function findRegion(source: string, name: string) {
  const { lines, regions } = readRegions(source, "the module");
  const region = regions.find((one) => one.name === name);
  if (region === undefined) throw new TypeError(`No region ${name}`);
  return { lines, region };
}

/** The student's file: signatures and doc comments stay, bodies go. */
export function makeSkeleton(
  source: string,
  module: string,
  regions: readonly string[],
): string {
  // What chapters quote is no business of the exercise.
  let text = withoutMarkers(source, module, regions);
  for (const name of regions) {
    const { lines, region } = findRegion(text, name);
    const emptied = emptyBodies(lines.slice(region.from, region.to - 1));
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
