/**
 * `deno task book [--notebooks FOLDER] [--out FOLDER]`: the built notebooks as
 * a static site. The addresses are a promise: NN_name.ipynb is NN_name.html,
 * a cell's id and a heading's words are its anchors.
 */

import type { Notebook } from "swaplab/notebook/nbformat.ts";
import { engineHash } from "swaplab/engine_hash.ts";
import { KERNEL_VERSION } from "swaplab/kernel_version.ts";
import { type CellImport, compileCell } from "swaplab/notebook/cell.ts";
import { MystError } from "swaplab/notebook/myst_blocks.ts";
import { parseNotebook } from "swaplab/notebook/read.ts";
import { projectSources } from "swaplab/notebook/sources.ts";
import { engineNames } from "swaplab/notebook/symbols.ts";
import { type Bundled, bundleScripts } from "./bundle.ts";
import { makeChapter } from "./chapter.ts";
import { CLAIMS_PAGE, renderClaims } from "./claims.ts";
import { NAMES_PAGE, renderNames } from "./names.ts";
import { fromFileUrl, isThere, root } from "./files.ts";
import { type Book, renderCover, renderPage } from "./page.ts";
import {
  type BookFolders,
  folders,
  inputStamp,
  readStamp,
  writeStamp,
} from "./stamp.ts";

/**
 * buildBook() - write the site.
 *
 * Throws RangeError if there is no notebook or one cannot be a chapter.
 */
export async function buildBook(
  { notebooks, out }: BookFolders,
  say: (line: string) => void,
): Promise<Book> {
  const stamp = await inputStamp(notebooks);
  const sources = readNotebooks(notebooks);
  const { scripts, partsOf } = await bundleScripts();
  say("book: scripts bundled");
  const book: Book = {
    title: "Swaplab",
    subtitle: "A runnable book about Linux swap and zswap",
    chapters: sources.map(({ name, notebook }) => ({
      ...makeChapter(name, notebook),
      parts: partsOfNotebook(notebook, partsOf),
    })),
    engineHash: await engineHash(),
    kernelVersion: KERNEL_VERSION,
  };
  say(`book: ${book.chapters.length} chapter(s) read`);

  emptyOut(out);
  const write = (name: string, text: string) =>
    Deno.writeTextFileSync(`${out}/${name}`, text);
  write("index.html", renderCover(book));
  write(CLAIMS_PAGE, renderClaims(book));
  write(NAMES_PAGE, renderNames(book, engineNames(projectSources())));
  for (const chapter of book.chapters) {
    write(`${chapter.name}.html`, renderPage(book, chapter));
    const source = `${chapter.name}.ipynb`;
    Deno.copyFileSync(`${notebooks}/${source}`, `${out}/${source}`);
  }
  for (const [name, text] of Object.entries(scripts)) write(name, text);
  copyTheme(out);
  writeStamp(out, { stamp, engine: book.engineHash });
  say(`book: written to ${out}`);
  return book;
}

function readNotebooks(
  folder: string,
): { name: string; notebook: Notebook }[] {
  const names = [...Deno.readDirSync(folder)].map((entry) => entry.name)
    .filter((name) => /^\d\d_\w+\.ipynb$/.test(name)).sort();
  if (names.length === 0) {
    throw new RangeError(`wanted NN_name.ipynb files in ${folder}, got none`);
  }
  return names.map((file) => ({
    name: file.replace(/\.ipynb$/, ""),
    notebook: parseNotebook(Deno.readTextFileSync(`${folder}/${file}`), file),
  }));
}

/** The parts that a notebook's imports need, in the order of their use. */
function partsOfNotebook(
  { cells }: Notebook,
  partsOf: Bundled["partsOf"],
): string[] {
  const imports = cells.flatMap((cell) =>
    cell.cell_type === "code" ? importsOf(cell.source) : []
  );
  return [
    ...new Set(
      imports.flatMap(({ specifier, names }) =>
        partsOf(specifier, names.map((name) => name.imported))
      ),
    ),
  ];
}

/** None of a cell that does not compile, as some are there to show. */
function importsOf(source: string): CellImport[] {
  try {
    return compileCell(source, () => null).imports;
  } catch {
    return [];
  }
}

/** A folder with other things in it is left alone. */
function emptyOut(out: string): void {
  const filled = isThere(out) && [...Deno.readDirSync(out)].length > 0;
  if (filled && readStamp(out) === null) {
    throw new RangeError(`${out}: wanted an empty folder or a built book`);
  }
  if (filled) Deno.removeSync(out, { recursive: true });
  Deno.mkdirSync(`${out}/theme`, { recursive: true });
}

function copyTheme(out: string): void {
  const theme = fromFileUrl(new URL("book/theme", root));
  for (const { name } of Deno.readDirSync(theme)) {
    Deno.copyFileSync(`${theme}/${name}`, `${out}/theme/${name}`);
  }
}

/** readFolders() - the command's arguments; throws RangeError on nonsense. */
export function readFolders(args: readonly string[]): BookFolders {
  const wanted = { ...folders };
  for (let at = 0; at < args.length; at += 2) {
    const value = args[at + 1];
    const name = args[at]!.replace(/^--/, "");
    if (name !== "notebooks" && name !== "out" || value === undefined) {
      throw new RangeError(
        `wanted [--notebooks FOLDER] [--out FOLDER], got ${args.join(" ")}`,
      );
    }
    wanted[name] = value;
  }
  return wanted;
}

async function main(): Promise<number> {
  try {
    await buildBook(readFolders(Deno.args), console.log);
    return 0;
  } catch (error) {
    if (!(error instanceof RangeError || error instanceof MystError)) {
      throw error;
    }
    console.error(`book: ${error.message}`);
    return 2;
  }
}

if (import.meta.main) Deno.exit(await main());
