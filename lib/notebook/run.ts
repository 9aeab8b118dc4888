/**
 * Builds notebooks: a MyST source in, the executed notebook out. Cells run in
 * this process, one session a notebook, with modules found through the import
 * map, so a notebook can import what its readers can: "swaplab" and its files.
 */
import { directivesOf, expandDirectives } from "./directive.ts";
import type { ModuleLoader } from "./imports.ts";
import { isUnchecked, type Types } from "./kernel_types.ts";
import { refuseMissingCells } from "./ledger.ts";
import { type ParsedNotebook, parseMystLines } from "./myst.ts";
import type { CodeCell, ErrorOutput, Notebook } from "./nbformat.ts";
import { unportable } from "./portable.ts";
import { withRecord } from "./record.ts";
import { makeSession, type Session } from "./session.ts";
import { projectSources, type Sources } from "./sources.ts";

export { serializeNotebook } from "./ipynb.ts";

/** A notebook that does not build; the message begins with FILE:LINE. */
export class BuildError extends Error {
  override name = "BuildError";
}

/** Called before each code cell: the cell is number `index` (from 1). */
export type Progress = (index: number, total: number, id: string) => void;

/** What a build works with; each has a default. */
export interface BuildOptions {
  /** What an import in a cell gets; else projectLoader(). */
  load?: ModuleLoader;
  /** What a `{quote}` can quote; else projectSources(). */
  sources?: Sources;
  progress?: Progress;
  /** Checks the types of each cell before it runs; else nobody does. */
  types?: Pick<Types, "check" | "add">;
}

/** Where a cell stands in its source, for messages. */
interface Standing {
  path: string;
  /** Of the first line of the cell's source. */
  line: number;
}

/**
 * readSource() - the notebook of a source, with what it quotes put in and
 * without outputs. It says what it is made of; see record.ts.
 *
 * @param path of the source, for messages
 * @throws {MystError} for a bad source
 */
export function readSource(
  mdText: string,
  path: string,
  sources: Sources = projectSources(),
): Pick<ParsedNotebook, "notebook" | "lines"> {
  const { notebook, lines } = parseMystLines(mdText, path);
  const metadata = withRecord(notebook);
  const cells = notebook.cells.map((cell) => {
    if (cell.cell_type !== "markdown") return cell;
    const place = { file: path, line: lines.get(cell.id) ?? 1, sources };
    refuseMissingCells(directivesOf(cell.source, place), notebook);
    return { ...cell, source: expandDirectives(cell.source, place) };
  });
  return { notebook: { ...notebook, metadata, cells }, lines };
}

/**
 * buildNotebook() - read a source and run its cells in order.
 *
 * @throws {MystError | BuildError} for a bad source; for a cell whose types are
 * wrong, without the tag `types-off`; for one that throws without the tag
 * `raises-exception`, or does not in spite of it
 */
export async function buildNotebook(
  mdText: string,
  path: string,
  options: BuildOptions = {},
): Promise<Notebook> {
  const { load = projectLoader(), progress = () => {} } = options;
  const { notebook, lines } = readSource(mdText, path, options.sources);
  const session = makeSession({ load });
  const codeCells = notebook.cells.filter((cell) => cell.cell_type === "code");
  for (const [index, cell] of codeCells.entries()) {
    progress(index + 1, codeCells.length, cell.id);
    const at = { path, line: lines.get(cell.id) ?? 1 };
    await checkTypes(cell, options.types, at);
    await runCell(cell, session, at);
  }
  return notebook;
}

/** As our kernel does: a cell knows the types of those that ran before it. */
async function checkTypes(
  cell: CodeCell,
  types: BuildOptions["types"],
  at: Standing,
): Promise<void> {
  const tags = cell.metadata.tags ?? [];
  if (types === undefined || tags.includes("skip-execution")) return;
  const isOff = isUnchecked(cell.source, tags);
  const { error } = await types.check(cell.id, cell.source, isOff);
  if (error !== null) throw new BuildError(failure(cell.id, error, at));
  types.add(cell.source);
}

async function runCell(cell: CodeCell, session: Session, at: Standing) {
  const tags = cell.metadata.tags ?? [];
  if (tags.includes("skip-execution")) return;
  cell.outputs = await session.run(cell.source, { id: cell.id });
  cell.execution_count = session.executionCount;
  const error = cell.outputs.find((output) => output.output_type === "error");
  const mayThrow = tags.includes("raises-exception");
  if (error !== undefined && !mayThrow) {
    throw new BuildError(failure(cell.id, error, at));
  }
  if (error === undefined && mayThrow) {
    const message = `cell ${cell.id} has the tag raises-exception and did ` +
      "not throw; remove the tag or mend the cell";
    throw new BuildError(`${at.path}:${at.line}: ${message}`);
  }
  const why = unportable(cell);
  if (why !== null) {
    throw new BuildError(`${at.path}:${at.line}: cell ${cell.id}: ${why}`);
  }
}

function failure(id: string, error: ErrorOutput, at: Standing): string {
  const traceback = error.traceback.join("\n");
  // The last frame in this cell is the line of the cell that failed.
  const frames = [...traceback.matchAll(/cell ([\w-]+), line (\d+):\d+/g)];
  const own = frames.findLast((frame) => frame[1] === id);
  const line = at.line + (own === undefined ? 1 : Number(own[2])) - 1;
  const what = error.ename === "TypeCheck"
    ? "has wrong types"
    : "failed (the tag raises-exception allows that)";
  return `${at.path}:${line}: cell ${id} ${what}\n${traceback}`;
}

/** projectLoader() - modules of this project by their import-map names. */
export function projectLoader(): ModuleLoader {
  return async (specifier) => {
    const isOurs = specifier === "swaplab" || specifier.startsWith("swaplab/");
    const choice = 'a cell can import "swaplab" and files of lib/ such as ' +
      '"swaplab/mm/zswap.ts"';
    if (!isOurs) throw new TypeError(`cannot import "${specifier}"; ${choice}`);
    try {
      return await import(specifier);
    } catch (error) {
      if (!isMissingModule(error)) throw error;
      throw new TypeError(
        `cannot import "${specifier}": no such file; ${choice}`,
      );
    }
  };
}

/** Deno gives the same code to a module that it cannot parse. */
function isMissingModule(error: unknown): boolean {
  return error instanceof Error && "code" in error &&
    error.code === "ERR_MODULE_NOT_FOUND" &&
    error.message.startsWith("Module not found");
}
