/**
 * `deno task notebooks sync`: carries what was changed in Jupyter into the
 * sources. Both files then say the same; nothing is run.
 */
import { readIfThere } from "./cli_files.ts";
import { serializeNotebook } from "./ipynb.ts";
import { MystError } from "./myst.ts";
import type { Cell, Notebook } from "./nbformat.ts";
import { parseNotebook, refuseForeign } from "./read.ts";
import { readSource } from "./run.ts";
import { projectSources } from "./sources.ts";
import { type Synced, SyncError, syncSource } from "./sync.ts";

/**
 * syncFiles() - sync these notebooks; returns the exit code.
 *
 * @param tell takes each line of the report
 */
export async function syncFiles(
  root: string,
  names: readonly string[],
  tell: (line: string) => void,
): Promise<number> {
  let failed = 0;
  for (const name of names) {
    try {
      tell(`${name}: ${await syncOne(root, name)}`);
    } catch (error) {
      const isTold = error instanceof SyncError || error instanceof MystError ||
        error instanceof RangeError;
      if (!isTold) throw error;
      tell(error.message);
      failed++;
    }
  }
  return failed === 0 ? 0 : 1;
}

async function syncOne(root: string, name: string): Promise<string> {
  const stem = `${root}/notebooks/${name}`;
  const path = `notebooks/${name}.md`;
  const source = await readIfThere(`${stem}.md`);
  const file = await readIfThere(`${stem}.ipynb`);
  if (file === null) return "not built yet, so there is nothing to carry over";
  refuseForeign(file, `notebooks/${name}.ipynb`);
  const jupyter = parseNotebook(file, `notebooks/${name}.ipynb`);
  const synced = syncSource(source, path, jupyter);
  const told = toldChanges(synced);
  if (told === null && source !== null) return "nothing to carry over";
  const { notebook } = readSource(synced.text, path, projectSources(root));
  await Deno.writeTextFile(`${stem}.md`, synced.text);
  const text = serializeNotebook(withOutputs(notebook, synced.cells));
  await Deno.writeTextFile(`${stem}.ipynb`, text);
  return `${told ?? "an empty source"}; now run: deno task notebooks ${name}`;
}

/** The notebook of the new source with what Jupyter has of the same code. */
function withOutputs(
  notebook: Notebook,
  from: readonly (Cell | null)[],
): Notebook {
  const cells = notebook.cells.map((cell, at): Cell => {
    const old = from[at];
    const isSame = cell.cell_type === "code" && old?.cell_type === "code" &&
      cell.source === old.source;
    if (!isSame) return cell;
    const { outputs, execution_count } = old;
    return { ...cell, outputs, execution_count };
  });
  return { ...notebook, cells };
}

/** toldChanges() - what a sync carries over, in words; null for nothing. */
export function toldChanges(synced: Synced): string | null {
  const { changed, added, removed, isReordered } = synced;
  const parts = [
    ...toldCells(changed, "changed"),
    ...toldCells(added, "new"),
    ...toldCells(removed, "gone"),
    ...(isReordered ? ["cells in another order"] : []),
  ];
  return parts.length === 0 ? null : parts.join("; ");
}

function toldCells(ids: readonly string[], word: string): string[] {
  if (ids.length === 0) return [];
  const cells = ids.length === 1 ? "cell" : "cells";
  return [`${ids.length} ${cells} ${word} (${ids.join(", ")})`];
}
