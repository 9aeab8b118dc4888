/**
 * The ledger of claims: every statement that the chapters make for checking,
 * with its source and the cell whose output shows it.
 */
import { attempt, type ChapterSource } from "./chapters.ts";
import type { Directive } from "./directive.ts";
import { MystError } from "./myst_blocks.ts";
import type { Notebook } from "./nbformat.ts";
import { type Claim, readClaim } from "./claim.ts";
import { nearest } from "./imports.ts";

export interface LedgerEntry extends Claim {
  readonly chapter: string;
  /** Where it is claimed: file and line. */
  readonly place: string;
}

export interface Ledger {
  readonly entries: readonly LedgerEntry[];
  /** Sentences with file and line. */
  readonly errors: readonly string[];
}

/** ledgerOf() - the claims in the order of the book. */
export function ledgerOf(chapters: readonly ChapterSource[]): Ledger {
  const errors: string[] = [];
  const entries: LedgerEntry[] = [];
  const places = new Map<string, string>();
  for (const chapter of chapters) {
    for (const directive of chapter.directives) {
      if (directive.kind !== "claim") continue;
      const claim = attempt(() => readClaim(directive), errors);
      if (claim === null) continue;
      const place = `${directive.file}:${directive.line}`;
      const entry = { ...claim, chapter: chapter.name, place };
      const before = places.get(claim.id);
      if (before !== undefined) {
        errors.push(
          `${place}: claim ${claim.id} is made at ${before} already; ` +
            "give this one another id",
        );
      }
      places.set(claim.id, before ?? place);
      errors.push(...cellProblem(entry, chapter));
      entries.push(entry);
    }
  }
  return { entries, errors };
}

/** Empty if the cell is there and shows something, or none is named. */
function cellProblem(
  { id, cell, place }: LedgerEntry,
  { notebook, built }: ChapterSource,
): string[] {
  if (cell === null) return [];
  const missing = missingCell(cell, notebook);
  if (missing !== null) return [`${place}: claim ${id}: ${missing}`];
  const shown = built?.cells.find((one) => one.id === cell);
  const hasOutput = shown?.cell_type === "code" && shown.outputs.length > 0;
  if (hasOutput) return [];
  const remedy = shown === undefined
    ? "is not built; run: deno task notebooks"
    : "has no output that could show it";
  return [`${place}: claim ${id}: cell ${cell} ${remedy}`];
}

function missingCell(cell: string, { cells }: Notebook): string | null {
  const ids = cells.filter((one) => one.cell_type === "code")
    .map((one) => one.id);
  if (ids.includes(cell)) return null;
  const similar = nearest(cell, ids);
  const remedy = similar === null
    ? "name a code cell of this chapter"
    : `did you mean ${similar}?`;
  return `no cell ${cell}; ${remedy}`;
}

/**
 * refuseMissingCells() - a build is refused, not only the ledger.
 *
 * @throws {MystError} for a claim whose cell the notebook does not have
 */
export function refuseMissingCells(
  directives: readonly Directive[],
  notebook: Notebook,
): void {
  for (const directive of directives) {
    if (directive.kind !== "claim") continue;
    const { id, cell } = readClaim(directive);
    const missing = cell === null ? null : missingCell(cell, notebook);
    if (missing === null) continue;
    const line = directive.options.get("cell")?.line ?? directive.line;
    throw new MystError(directive.file, line, `claim ${id}: ${missing}`);
  }
}
