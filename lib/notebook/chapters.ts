/**
 * All chapters of the book with what they quote and claim: what coverage, the
 * ledger of claims and the index are made from.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { type Directive, directivesOf } from "./directive.ts";
import { MystError, parseMystLines } from "./myst.ts";
import type { Notebook } from "./nbformat.ts";
import { parseNotebook } from "./read.ts";

export interface ChapterSource {
  /** File name without its ending: `00_one_page`. */
  readonly name: string;
  /** Path of the source in the project. */
  readonly file: string;
  /** Without outputs. */
  readonly notebook: Notebook;
  readonly directives: readonly Directive[];
  /** As it was built; null if it was not. */
  readonly built: Notebook | null;
}

/**
 * readChapters() - in order.
 *
 * @param root the folder that holds notebooks/
 * @param problems gets the message of each source that cannot be read
 */
export function readChapters(
  root: string,
  problems: string[],
): ChapterSource[] {
  const names = readdirSync(`${root}/notebooks`)
    .flatMap((name) => /^(\d\d_.*)\.md$/.exec(name)?.[1] ?? []).sort();
  return names.flatMap((name) => {
    const chapter = attempt(() => readChapter(root, name), problems);
    return chapter === null ? [] : [chapter];
  });
}

function readChapter(root: string, name: string): ChapterSource {
  const file = `notebooks/${name}.md`;
  const text = readFileSync(`${root}/${file}`, "utf8");
  const { notebook, lines } = parseMystLines(text, file);
  const directives = notebook.cells.flatMap((cell) =>
    cell.cell_type === "markdown"
      ? directivesOf(cell.source, { file, line: lines.get(cell.id) ?? 1 })
      : []
  );
  const path = `${root}/notebooks/${name}.ipynb`;
  const built = existsSync(path)
    ? parseNotebook(readFileSync(path, "utf8"), path)
    : null;
  return { name, file, notebook, directives, built };
}

/** attempt() - what `make` makes; null and its message if it was refused. */
export function attempt<T>(make: () => T, problems: string[]): T | null {
  try {
    return make();
  } catch (error) {
    if (!(error instanceof MystError)) throw error;
    problems.push(error.message);
    return null;
  }
}
