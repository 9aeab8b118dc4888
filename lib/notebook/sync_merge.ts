/**
 * Who changed what since a notebook was built: its source, Jupyter, both or
 * nobody. Cells are told apart by id, changes by the hashes of record.ts.
 */
import type { Cell } from "./nbformat.ts";
import { contentHash } from "./record.ts";

/** The cells of one side by id, in their order. */
export type Side = ReadonlyMap<string, Cell>;

export interface ThreeSides {
  /** What was built: hash by id, in order. */
  built: ReadonlyMap<string, string>;
  source: Side;
  jupyter: Side;
}

/** A cell of the result, and whose text it has. */
export interface Merged {
  id: string;
  from: "source" | "jupyter";
}

export interface Conflict {
  /** The cell, or null for the order of cells. */
  id: string | null;
  why: string;
}

export interface Merge {
  cells: Merged[];
  conflicts: Conflict[];
}

/** merge() - the cells of both sides, where both agree on each of them. */
export function merge(sides: ThreeSides): Merge {
  const conflicts: Conflict[] = [];
  const order = orderOf(sides);
  if (order === null) {
    const why = "the order of the cells was changed in both";
    return { cells: [], conflicts: [{ id: null, why }] };
  }
  const cells = order.flatMap((id) => {
    const taken = take(id, sides);
    if (taken === "neither") return [];
    if (taken === "source" || taken === "jupyter") return [{ id, from: taken }];
    conflicts.push({ id, why: taken.why });
    return [];
  });
  return { cells, conflicts };
}

/** Whose text a cell gets; "neither" if it goes. */
function take(
  id: string,
  { built, source, jupyter }: ThreeSides,
): "source" | "jupyter" | "neither" | { why: string } {
  const was = built.get(id);
  const here = hashOf(source.get(id));
  const there = hashOf(jupyter.get(id));
  if (here === there) return here === undefined ? "neither" : "source";
  if (there === was) return here === undefined ? "neither" : "source";
  if (here === was) return there === undefined ? "neither" : "jupyter";
  if (here === undefined) return { why: "deleted here, changed in Jupyter" };
  if (there === undefined) return { why: "changed here, deleted in Jupyter" };
  return { why: "changed here and, otherwise, in Jupyter" };
}

function hashOf(cell: Cell | undefined): string | undefined {
  return cell === undefined ? undefined : contentHash(cell);
}

/** All ids of both sides in the order that one of them changed; else null. */
function orderOf({ built, source, jupyter }: ThreeSides): string[] | null {
  const here = [...source.keys()];
  const there = [...jupyter.keys()];
  const common = (ids: readonly string[]) =>
    ids.filter((id) => source.has(id) && jupyter.has(id)).join(" ");
  const was = common([...built.keys()]);
  if (common(there) === was || common(there) === common(here)) {
    return withOthers(here, there);
  }
  return common(here) === was ? withOthers(there, here) : null;
}

/** `ids`, and those of `others` behind whom they follow there. */
function withOthers(
  ids: readonly string[],
  others: readonly string[],
): string[] {
  const all = [...ids];
  for (const [index, id] of others.entries()) {
    if (all.includes(id)) continue;
    const before = others[index - 1];
    all.splice(before === undefined ? 0 : all.indexOf(before) + 1, 0, id);
  }
  return all;
}
