/**
 * A notebook file as our types: a program other than ours may have saved it, so
 * texts may be arrays of lines.
 */

import type { Cell, MimeBundle, Notebook, Output } from "./nbformat.ts";

type Json = Record<string, unknown>;

/** parseNotebook() - throws RangeError if it is no nbformat 4.5 notebook. */
export function parseNotebook(text: string, name: string): Notebook {
  const file = parseJson(text, name);
  const cells = file["cells"];
  const isOurs = file["nbformat"] === 4 && file["nbformat_minor"] === 5;
  if (!isOurs || !Array.isArray(cells)) {
    throw new RangeError(`${name}: wanted a notebook of nbformat 4.5`);
  }
  return {
    nbformat: 4,
    nbformat_minor: 5,
    metadata: (file["metadata"] ?? {}) as Json,
    cells: cells.filter((cell: Json) => cell["cell_type"] !== "raw")
      .map((cell: Json) => readCell(cell)),
  };
}

/**
 * refuseForeign() - throws RangeError for cells that our sources have no form
 * for; parseNotebook() leaves them out.
 */
export function refuseForeign(text: string, name: string): void {
  const cells = (parseJson(text, name)["cells"] ?? []) as Json[];
  for (const { id, cell_type, attachments } of cells) {
    if (cell_type === "raw") {
      throw new RangeError(
        `${name}: cell ${id} is raw; make it Markdown or code`,
      );
    }
    const files = Object.keys(attachments ?? {});
    if (files.length === 0) continue;
    throw new RangeError(
      `${name}: cell ${id} has ${files.join(", ")} pasted into it; save it ` +
        "as a file beside the notebook and link to it",
    );
  }
}

function parseJson(text: string, name: string): Json {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new RangeError(`${name}: ${(error as Error).message}`);
  }
}

function readCell(cell: Json): Cell {
  const base = {
    id: String(cell["id"]),
    metadata: (cell["metadata"] ?? {}) as Json,
    source: joined(cell["source"]),
  };
  if (cell["cell_type"] === "markdown") {
    return { cell_type: "markdown", ...base };
  }
  return {
    cell_type: "code",
    ...base,
    outputs: ((cell["outputs"] ?? []) as Json[]).map(readOutput),
    execution_count: cell["execution_count"] as number | null,
  };
}

function readOutput(output: Json): Output {
  const whole: Json = { ...output };
  if ("text" in output) whole["text"] = joined(output["text"]);
  if ("data" in output) whole["data"] = readBundle(output["data"] as Json);
  return whole as Output;
}

/** JSON types hold values, where an array is an array. */
function readBundle(data: Json): MimeBundle {
  return Object.fromEntries(
    Object.entries(data).map(([mime, value]) => [
      mime,
      /[/+]json$/.test(mime) ? value : joined(value),
    ]),
  );
}

function joined(text: unknown): string {
  return Array.isArray(text) ? text.join("") : String(text ?? "");
}
