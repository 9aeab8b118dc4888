/**
 * `deno task map`: our file → kernel files → lines → tests, as a table.
 *
 * Ours. Kernel files come from the `Kernel:` line of each head comment, tests
 * from imports: those that import the file themselves, or else the nearest
 * that reach it through others.
 */
import { existsSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { projectFiles, projectRoot } from "./files.ts";

export interface MapRow {
  readonly file: string;
  /** As its head comment says; "ours" if it has no counterpart. */
  readonly kernel: readonly string[];
  readonly lines: number;
  /** Tests that import it. */
  readonly direct: readonly string[];
  /** Tests that reach it through other files, nearest first. */
  readonly through: readonly string[];
}

const engine = /^lib\/(?:base|sim|locking|crypto|block|mm)\/[^/]+\.ts$/;
const imports =
  /^(?:import|export)\s+(?!type\b)[^;]*?from\s+"([^"]+)"|^import\s+"([^"]+)"/gm;

/** The files of the project that a file runs when it is imported. */
function importsOf(file: string, text: string): string[] {
  const found: string[] = [];
  for (const [, from, bare] of text.matchAll(imports)) {
    const name = from ?? bare!;
    if (name === "swaplab") found.push("lib/mod.ts");
    else if (name.startsWith("swaplab/")) found.push(`lib/${name.slice(8)}`);
    else if (name.startsWith(".")) {
      found.push(normalize(join(dirname(file), name)));
    }
  }
  return found;
}

/** The files named behind `Kernel:` in the head comment. */
export function kernelFilesOf(text: string): string[] {
  const head = /^\/\*\*[^]*?\*\//.exec(text)?.[0] ?? "";
  const said = /\bKernel:([^]*?)(?:\bDiffers:|\*\/|\n \*\n)/.exec(head)?.[1];
  const files = said?.match(/[\w-]+(?:\/[\w.-]+)*\.[ch]\b/g) ?? [];
  // "include/linux/bio.h, blkdev.h": the second is in the same folder.
  let folder = "";
  const named = files.map((file) => {
    if (!file.includes("/")) return folder + file;
    folder = file.slice(0, file.lastIndexOf("/") + 1);
    return file;
  });
  return named.length > 0 ? [...new Set(named)] : ["ours"];
}

/** Everything that `from` reaches, with the number of steps. */
function reach(
  from: string,
  graph: ReadonlyMap<string, readonly string[]>,
): Map<string, number> {
  const steps = new Map([[from, 0]]);
  for (const [file, distance] of steps) {
    for (const next of graph.get(file) ?? []) {
      if (!steps.has(next)) steps.set(next, distance + 1);
    }
  }
  return steps;
}

/** mapRows() - one row for each file of the engine, in order. */
export function mapRows(): MapRow[] {
  const files = projectFiles(projectRoot)
    .filter((file) =>
      file.endsWith(".ts") && existsSync(join(projectRoot, file))
    );
  const texts = new Map(
    files.map((file) =>
      [file, readFileSync(join(projectRoot, file), "utf8")] as const
    ),
  );
  const graph = new Map(
    [...texts].map(([file, text]) => [file, importsOf(file, text)] as const),
  );
  const reached = files.filter((file) => /^tests\/.*_test\.ts$/.test(file))
    .map((test) => ({ test, steps: reach(test, graph) }));
  return files.filter((file) => engine.test(file)).sort().map((file) => {
    const tests = reached.filter(({ steps }) => steps.has(file))
      .sort((a, b) => a.steps.get(file)! - b.steps.get(file)!);
    const isDirect = (steps: Map<string, number>) => steps.get(file) === 1;
    return {
      file,
      kernel: kernelFilesOf(texts.get(file)!),
      lines: texts.get(file)!.split("\n").length - 1,
      direct: tests.filter(({ steps }) => isDirect(steps))
        .map(({ test }) => test),
      through: tests.filter(({ steps }) => !isDirect(steps))
        .map(({ test }) => test),
    };
  });
}

/** At most two names, and how many more there are. */
function some(tests: readonly string[]): string {
  const shown = tests.slice(0, 2).map((test) => test.slice("tests/".length));
  const more = tests.length - shown.length;
  return shown.join(", ") + (more > 0 ? ` +${more}` : "");
}

function testsOf({ direct, through }: MapRow): string {
  if (direct.length > 0) return some(direct);
  return through.length > 0 ? `through ${some(through)}` : "none";
}

if (import.meta.main) {
  const rows = mapRows();
  for (const row of rows) {
    const kernel = row.kernel.join(", ");
    const lines = String(row.lines).padStart(4);
    console.log(
      `${row.file.padEnd(34)} ${kernel.padEnd(46)} ${lines}  ${testsOf(row)}`,
    );
  }
  const lines = rows.reduce((sum, row) => sum + row.lines, 0);
  const direct = rows.filter((row) => row.direct.length > 0).length;
  console.log(
    `${rows.length} files, ${lines} lines; ${direct} have tests of their own`,
  );
}
