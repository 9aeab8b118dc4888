/**
 * The code cells of an `.ipynb`, read as nbformat 4.5 allows it to be written:
 * a text is one string, or the list of its lines. Ours.
 */
import type { MimeBundle, Output } from "../../lib/notebook/nbformat.ts";

export interface StoredCell {
  id: string;
  tags: readonly string[];
  source: string;
  outputs: Output[];
}

type Loose = Record<string, unknown>;

/** Code cells in order, without those that are tagged `skip-execution`. */
export async function readCodeCells(path: string | URL): Promise<StoredCell[]> {
  const notebook: { cells: Loose[] } = JSON.parse(
    await Deno.readTextFile(path),
  );
  return notebook.cells
    .filter((cell) => cell.cell_type === "code")
    .map(storedCell)
    .filter((cell) => !cell.tags.includes("skip-execution"));
}

function storedCell(cell: Loose): StoredCell {
  const { tags = [] } = cell.metadata as { tags?: string[] };
  return {
    id: String(cell.id),
    tags,
    source: joined(cell.source) as string,
    outputs: (cell.outputs as Loose[]).map(storedOutput),
  };
}

function storedOutput(output: Loose): Output {
  const { text, data } = output;
  return {
    ...output,
    ...(text === undefined ? {} : { text: joined(text) }),
    ...(data === undefined ? {} : { data: joinedBundle(data as MimeBundle) }),
  } as Output;
}

function joinedBundle(bundle: MimeBundle): MimeBundle {
  const isJson = (mime: string) => /[/+]json$/.test(mime);
  return Object.fromEntries(
    Object.entries(bundle).map(([mime, content]) =>
      isJson(mime) ? [mime, content] : [mime, joined(content)]
    ),
  );
}

function joined(text: unknown): unknown {
  return Array.isArray(text) ? text.join("") : text;
}
