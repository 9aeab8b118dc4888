/**
 * Notebook sources: MyST Markdown (as jupytext and Jupyter Book read it) to a
 * Notebook without outputs; sync.ts is the way back. Prose is kept as it is;
 * only what makes cells is understood: front matter, `{code-cell}` fences,
 * `+++` lines.
 *
 * A code cell begins with its options, one a line: `:id: two-words` (needed,
 * permanent: it is the deep link) and `:tags: [knob, hide-input]`. Prose
 * between two code cells is one markdown cell; a line `+++` splits it, and
 * `+++ {"id": "…"}` names what follows. Without, the id is made of the first
 * heading or of the code cell before.
 */
import { parseDocument } from "yaml";
import { nearest } from "./imports.ts";
import type { Cell, CodeCell, MarkdownCell, Notebook } from "./nbformat.ts";
import {
  type Block,
  MystError,
  splitBlocks,
  type SplitSource,
} from "./myst_blocks.ts";

export { MystError } from "./myst_blocks.ts";

export const KNOWN_TAGS: readonly string[] = [
  "remove-input",
  "remove-output",
  "remove-cell",
  "hide-input",
  "hide-output",
  "hide-cell",
  "skip-execution",
  "raises-exception",
  "scroll-output",
  "predict",
  "knob",
  "types-off",
];

/** What every source begins with. */
export const FRONT_MATTER = `---
kernelspec:
  name: swaplab
  display_name: Swaplab (TypeScript)
  language: typescript
---`;

export const ID = /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/;

export interface ParsedNotebook {
  notebook: Notebook;
  /** For each cell id, the line of the file (from 1) where its source begins. */
  lines: ReadonlyMap<string, number>;
  /** Block n is cell n. */
  split: SplitSource;
}

/**
 * parseMyst() - the notebook that a source describes, without outputs.
 *
 * @param file for messages only
 * @throws {MystError} with file, line and remedy
 */
export function parseMyst(text: string, file: string): Notebook {
  return parseMystLines(text, file).notebook;
}

/** parseMystLines() - parseMyst() that also tells where each cell stands. */
export function parseMystLines(text: string, file: string): ParsedNotebook {
  const split = splitBlocks(text, file);
  const { frontMatter, blocks } = split;
  const metadata = parseFrontMatter(frontMatter, file);
  const cells: Cell[] = [];
  const lines = new Map<string, number>();
  const taken = givenIds(blocks, file);
  let codeBefore = "";
  for (const block of blocks) {
    const cell = block.kind === "code"
      ? codeCellOf(block, file)
      : markdownCellOf(block, codeBefore, taken);
    if (block.kind === "code") codeBefore = cell.id;
    cells.push(cell);
    lines.set(cell.id, block.sourceLine);
  }
  const notebook: Notebook = {
    nbformat: 4,
    nbformat_minor: 5,
    metadata,
    cells,
  };
  return { notebook, lines, split };
}

/** The YAML of a part of the file, or an error at its line. */
function parseYaml(text: string, file: string, line: number): unknown {
  const document = parseDocument(text);
  const fault = document.errors[0];
  if (fault === undefined) return document.toJS();
  const at = line + (fault.linePos?.[0].line ?? 1) - 1;
  const message = fault.message.split("\n")[0]?.replace(/ at line.*$/, "");
  throw new MystError(file, at, `bad YAML: ${message}`);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function parseFrontMatter(
  text: string | null,
  file: string,
): Record<string, unknown> {
  const remedy = `begin the file with\n${FRONT_MATTER}`;
  if (text === null) throw new MystError(file, 1, `no front matter; ${remedy}`);
  const metadata = parseYaml(text, file, 2);
  const { kernelspec, language_info = {} } = isRecord(metadata) ? metadata : {};
  const isNamed = isRecord(kernelspec) && typeof kernelspec.name === "string" &&
    typeof kernelspec.display_name === "string";
  if (!isRecord(metadata) || !isNamed) {
    throw new MystError(file, 1, `front matter names no kernel; ${remedy}`);
  }
  if (isRecord(language_info) && "version" in language_info) {
    const message = "language_info has a version, which every update of the " +
      "language would change in every file; remove it";
    throw new MystError(file, 1, message);
  }
  const language = { file_extension: ".ts", name: "typescript" };
  const more = isRecord(language_info) ? language_info : {};
  return { ...metadata, language_info: { ...language, ...more } };
}

function codeCellOf(block: Block, file: string): CodeCell {
  const tags = tagsOf(block, file);
  return {
    cell_type: "code",
    id: idOfCode(block, file),
    metadata: tags === null ? {} : { tags },
    source: block.source,
    outputs: [],
    execution_count: null,
  };
}

function idOfCode(block: Block, file: string): string {
  const id = block.options.get("id")?.text ?? "";
  const line = block.options.get("id")?.line ?? block.line;
  if (id === "") {
    const remedy = "add a line `:id: some-words` below the fence";
    throw new MystError(file, line, `code cell without an id; ${remedy}`);
  }
  checkId(id, file, line);
  return id;
}

function checkId(id: string, file: string, line: number): void {
  if (ID.test(id) && id.length <= 64) return;
  const remedy = "use small letters, digits and single hyphens, at most 64";
  throw new MystError(file, line, `"${id}" is no cell id; ${remedy}`);
}

function tagsOf(block: Block, file: string): string[] | null {
  const option = block.options.get("tags");
  if (option === undefined) return null;
  const tags = parseYaml(option.text, file, option.line);
  const isList = Array.isArray(tags) &&
    tags.every((tag) => typeof tag === "string");
  if (!isList) {
    const message = "tags are no list; write `:tags: [knob, hide-input]`";
    throw new MystError(file, option.line, message);
  }
  for (const [index, tag] of tags.entries()) {
    if (tags.indexOf(tag) < index) {
      const message = `tag "${tag}" stands there twice; remove one`;
      throw new MystError(file, option.line, message);
    }
    if (!KNOWN_TAGS.includes(tag)) {
      throw new MystError(file, option.line, unknownTag(tag));
    }
  }
  return tags;
}

function unknownTag(tag: string): string {
  const similar = nearest(tag, KNOWN_TAGS);
  const remedy = similar === null
    ? `known are ${KNOWN_TAGS.join(", ")}`
    : `did you mean "${similar}"?`;
  return `unknown tag "${tag}"; ${remedy}`;
}

/** The ids that authors gave, and their lines; refuses one given twice. */
function givenIds(blocks: readonly Block[], file: string): Map<string, number> {
  const taken = new Map<string, number>();
  for (const block of blocks) {
    const option = block.options.get("id");
    if (option === undefined || option.text === "") continue;
    checkId(option.text, file, option.line);
    const before = taken.get(option.text);
    if (before !== undefined) {
      const message = `id "${option.text}" is taken by the cell at line ` +
        `${before}; ids are links, so choose another for this one`;
      throw new MystError(file, option.line, message);
    }
    taken.set(option.text, option.line);
  }
  return taken;
}

/** freeName() - `base`, or with the first number that nobody has. */
export function freeName(
  base: string,
  taken: { has(name: string): boolean },
): string {
  if (!taken.has(base)) return base;
  let number = 2;
  while (taken.has(`${base}-${number}`)) number++;
  return `${base}-${number}`;
}

/** slugOf() - words as an id; "" if nothing is left. */
export function slugOf(words: string): string {
  const plain = words.toLowerCase().normalize("NFKD").match(/[a-z0-9]+/g);
  return (plain ?? []).join("-").replace(/^[0-9-]+/, "").slice(0, 56)
    .replace(/-$/, "");
}

/** The name of prose without a given id: its heading's, or its neighbour's. */
function proseName(source: string, codeBefore: string): string {
  const prose = source.replace(/^(`{3,}|~{3,})[^]*?^\1/gm, "");
  const heading = /^#{1,6}\s+(.+)$/m.exec(prose)?.[1] ?? "";
  const slug = slugOf(heading);
  if (slug !== "") return slug;
  if (codeBefore === "") return "beginning";
  return `after-${codeBefore}`.slice(0, 58).replace(/-$/, "");
}

function markdownCellOf(
  block: Block,
  codeBefore: string,
  taken: Map<string, number>,
): MarkdownCell {
  const id = block.options.get("id")?.text ??
    freeName(proseName(block.source, codeBefore), taken);
  taken.set(id, block.line);
  const { metadata, source } = block;
  return { cell_type: "markdown", id, metadata, source };
}
