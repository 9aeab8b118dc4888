/**
 * The way back: what was changed in Jupyter goes into the source. Cells that
 * nobody touched keep every byte, in the source as around it; a changed cell
 * keeps its fence, its options and its place.
 *
 * Ids of code cells are permanent. A new cell gets one in words, made of its
 * first comment, name or call; Jupyter's own random ids do not come through.
 * What is changed on both sides is refused, nothing is written then.
 */
import { collapseDirectives } from "./directive.ts";
import {
  freeName,
  FRONT_MATTER,
  ID,
  MystError,
  type ParsedNotebook,
  parseMystLines,
  slugOf,
} from "./myst.ts";
import { joinBlocks, type Placed, printBlock } from "./myst_print.ts";
import type { Cell, Notebook } from "./nbformat.ts";
import { contentHash, ownMetadata, readRecord } from "./record.ts";
import { merge, type Merged } from "./sync_merge.ts";

/** An edit that cannot be carried over; the message begins with a file. */
export class SyncError extends Error {
  override name = "SyncError";
}

export interface Synced {
  /** The new source. */
  text: string;
  /** What came from Jupyter, by the ids of the new source. */
  changed: string[];
  added: string[];
  removed: string[];
  isReordered: boolean;
  /** For each cell of the new source, Jupyter's; null if it has none. */
  cells: (Cell | null)[];
}

/** Both sides as sync works on them. */
interface Work {
  path: string;
  parsed: ParsedNotebook;
  source: Map<string, Cell>;
  /** Cells of the notebook as a source has them, under their new ids. */
  jupyter: Map<string, Cell>;
}

/**
 * syncSource() - the source with what was changed in its notebook.
 *
 * @param text the source; null for a notebook that has none yet
 * @param path of the source, for messages
 * @throws {SyncError} for what cannot be carried over, all of it at once
 * @throws {MystError} for a source that cannot be read
 */
export function syncSource(
  text: string | null,
  path: string,
  notebook: Notebook,
): Synced {
  const parsed = parseMystLines(text ?? newSource(notebook), path);
  const built = text === null ? new Map() : readRecord(notebook.metadata);
  if (built === null) throw new SyncError(noRecord(path));
  const source = new Map(parsed.notebook.cells.map((cell) => [cell.id, cell]));
  const jupyter = sourceCells(notebook, path, new Set(source.keys()));
  const work: Work = { path, parsed, source, jupyter };
  const { cells, conflicts } = merge({ built, source, jupyter });
  if (conflicts.length > 0) {
    const told = conflicts.map(({ id, why }) =>
      id === null ? why : `cell ${id} was ${why}`
    );
    throw new SyncError(
      `${path}: ${told.join(`\n${path}: `)}\nMake both equal, or undo one, ` +
        "and sync again.",
    );
  }
  return resultOf(work, cells);
}

function noRecord(path: string): string {
  return `${path}: its notebook does not say what it was built from, so who ` +
    "changed what cannot be told; copy your edits into the source by hand, " +
    "then build with --discard";
}

function newSource(notebook: Notebook): string {
  const heading =
    notebook.cells.flatMap((cell) =>
      cell.cell_type === "markdown" ? /^# (.+)$/m.exec(cell.source) ?? [] : []
    )[1];
  const title = JSON.stringify(heading ?? "A new notebook");
  return `${FRONT_MATTER.replace("---\n", `---\ntitle: ${title}\n`)}\n`;
}

/** Jupyter's cells as a source would have them, by the ids to be. */
function sourceCells(
  notebook: Notebook,
  path: string,
  known: ReadonlySet<string>,
): Map<string, Cell> {
  const record = readRecord(notebook.metadata);
  const taken = new Set([...known, ...record?.keys() ?? []]);
  const cells = new Map<string, Cell>();
  for (const cell of notebook.cells) {
    const own = asInSource(cell, path);
    const isKnown = known.has(cell.id) || record?.has(cell.id);
    // An emptied stretch of prose, or a cell that was never filled, is gone.
    const isEmpty = own.source.trim() === "";
    if (isEmpty && (cell.cell_type === "markdown" || !isKnown)) continue;
    if (cells.has(cell.id)) {
      throw new SyncError(`${path}: two cells have the id "${cell.id}"`);
    }
    const id = isKnown ? cell.id : newId(own, taken);
    taken.add(id);
    cells.set(id, { ...own, id });
  }
  return cells;
}

function asInSource(cell: Cell, path: string): Cell {
  const plain = cell.source.replace(/\r\n?/g, "\n");
  const metadata = ownMetadata(cell);
  if (cell.cell_type === "code") {
    return { ...cell, metadata, source: plain };
  }
  const trimmed = plain.replace(/^(?:[^\S\n]*\n)+|(?:\n[^\S\n]*)+$/g, "");
  return { ...cell, metadata, source: collapsed(trimmed, cell.id, path) };
}

function collapsed(source: string, id: string, path: string): string {
  try {
    return collapseDirectives(source, `cell ${id}`);
  } catch (error) {
    if (!(error instanceof MystError)) throw error;
    throw new SyncError(`${path}: cell ${id}: ${error.reason}`);
  }
}

/** Words as an id: of the first comment, name or call of new code. */
function newId(cell: Cell, taken: ReadonlySet<string>): string {
  const isOurs = ID.test(cell.id) && !/^[0-9a-f]{8}(-|$)/.test(cell.id);
  if (isOurs) return freeName(cell.id, taken);
  if (cell.cell_type === "markdown") return freeName("new-prose", taken);
  const comment = /^\s*\/\/\s*(.+)/.exec(cell.source)?.[1];
  const name = /\b(?:const|let|var|class|function\*?)\s+([\w$]+)/
    .exec(cell.source)?.[1];
  const called = /([\w$]+)\(/.exec(cell.source)?.[1];
  const words = comment?.split(/\s+/).slice(0, 5).join(" ") ?? name ?? called ??
    "";
  const spaced = words.replace(/([a-z0-9])([A-Z])/g, "$1 $2");
  return freeName(slugOf(spaced) || "new-cell", taken);
}

function resultOf(work: Work, merged: readonly Merged[]): Synced {
  const { parsed, source, jupyter } = work;
  for (const { id, from } of merged) {
    if (from === "jupyter") checkCell(jupyter.get(id)!, work.path);
  }
  const { head, tail } = parsed.split;
  const lines = [...head, ...joinBlocks(placedOf(work, merged)), ...tail];
  const text = lines.join("\n");
  const ids = checkResult(text, work, merged);
  const isKept = (id: string) => merged.some((one) => one.id === id);
  const before = [...source.keys()].filter(isKept);
  const after = merged.map(({ id }) => id).filter((id) => source.has(id));
  const isNew = (at: number) => !source.has(merged[at]!.id);
  return {
    text,
    changed: ids.filter((_, at) =>
      merged[at]!.from === "jupyter" && !isNew(at)
    ),
    added: ids.filter((_, at) => isNew(at)),
    removed: [...source.keys()].filter((id) => !isKept(id)),
    isReordered: before.join(" ") !== after.join(" "),
    cells: merged.map(({ id }) => jupyter.get(id) ?? null),
  };
}

function placedOf(work: Work, merged: readonly Merged[]): Placed[] {
  const { parsed, source, jupyter } = work;
  const order = [...source.keys()];
  return merged.map(({ id, from }, index) => {
    const at = order.indexOf(id);
    const block = parsed.split.blocks[at];
    const cell = (from === "source" ? source : jupyter).get(id)!;
    const kind = cell.cell_type === "code" ? "code" : "prose";
    const isBehind = order[at - 1] === merged[index - 1]?.id;
    const old = block && { block, cell: source.get(id)! };
    return {
      kind,
      lead: block?.lead ?? [],
      own: from === "source" && block
        ? block.own
        : printBlock(cell, old ?? null),
      isInPlace: block?.kind === kind && isBehind,
    };
  });
}

/** Refuse a cell that its source would not be read as. */
function checkCell(cell: Cell, path: string): void {
  const lines = printBlock(cell, null);
  let cells: Cell[];
  try {
    const text = `${FRONT_MATTER}\n${lines.join("\n")}\n`;
    cells = parseMystLines(text, path).notebook.cells;
  } catch (error) {
    if (!(error instanceof MystError)) throw error;
    throw new SyncError(`${path}: cell ${cell.id}: ${error.reason}`);
  }
  const [only] = cells;
  const isSame = cells.length === 1 && contentHash(only!) === contentHash(cell);
  if (isSame) return;
  throw new SyncError(
    `${path}: cell ${cell.id}: a source cannot say it, since a line +++ or a ` +
      "fence {code-cell} at the left margin begins another cell; indent it",
  );
}

/** The ids of the new source; it must say just what was merged. */
function checkResult(
  text: string,
  work: Work,
  merged: readonly Merged[],
): string[] {
  const { cells } = parseMystLines(text, work.path).notebook;
  for (const [at, { id, from }] of merged.entries()) {
    const wanted = (from === "source" ? work.source : work.jupyter).get(id)!;
    const cell = cells[at];
    const isCode = wanted.cell_type === "code";
    const isSame = cell !== undefined && (!isCode || cell.id === id) &&
      contentHash(cell) === contentHash(wanted);
    if (isSame) continue;
    throw new SyncError(
      `${work.path}: cell ${id} would not be read as it is; write it into ` +
        "the source by hand",
    );
  }
  return cells.map((cell) => cell.id);
}
