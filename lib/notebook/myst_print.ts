/**
 * Cells as MyST source: new ones whole, changed ones in the form that they
 * have there already, so that nothing but what changed is another byte.
 */
import { stableJson } from "./ipynb.ts";
import type { Block } from "./myst_blocks.ts";
import type { Cell, CodeCell, MarkdownCell } from "./nbformat.ts";

/** A cell as the source has it now. */
export interface Printed {
  block: Block;
  cell: Cell;
}

/** printBlock() - the lines of a cell, without empty ones around. */
export function printBlock(cell: Cell, old: Printed | null): string[] {
  const same = old?.cell.cell_type === cell.cell_type ? old : null;
  return cell.cell_type === "code"
    ? printCode(cell, same)
    : printProse(cell, same);
}

function isSameMetadata(cell: Cell, old: Printed): boolean {
  return stableJson(cell.metadata) === stableJson(old.cell.metadata);
}

function printCode(cell: CodeCell, old: Printed | null): string[] {
  const { source } = cell;
  const begin = old?.block.own[0] ?? "```{code-cell} typescript";
  const end = old?.block.own.at(-1) ?? "```";
  const sign = begin[0] ?? "`";
  const length = /^(.)\1*/.exec(begin)?.[0].length ?? 3;
  const runs = source.match(new RegExp(`^ {0,3}${sign}{3,}`, "gm")) ?? [];
  const longest = Math.max(0, ...runs.map((run) => run.trim().length));
  const fence = sign.repeat(Math.max(length, longest + 1));
  const isLonger = fence.length > length;
  const options = optionLines(cell, old);
  // One empty line ends the options where the source could pass for one.
  const isUnclear = /^(?::|\n)/.test(source) && options.at(-1) !== "";
  return [
    isLonger ? fence + begin.slice(length) : begin,
    ...options,
    ...(isUnclear ? [""] : []),
    ...(source === "" ? [] : source.split("\n")),
    isLonger ? fence : end,
  ];
}

/** What stands between the fence and the source. */
function optionLines(cell: CodeCell, old: Printed | null): string[] {
  const { tags } = cell.metadata;
  const line = tags === undefined ? [] : [`:tags: [${tags.join(", ")}]`];
  if (old === null) return [`:id: ${cell.id}`, ...line];
  const lines = old.block.own.slice(1, old.block.from);
  if (isSameMetadata(cell, old)) return lines;
  const hasTags = lines.some((one) => one.startsWith(":tags:"));
  if (hasTags) {
    return lines.flatMap((one) => one.startsWith(":tags:") ? line : [one]);
  }
  return lines.flatMap((one) =>
    one.startsWith(":id:") ? [one, ...line] : [one]
  );
}

/** An id of prose is only printed where it was: else its heading makes it. */
function printProse(cell: MarkdownCell, old: Printed | null): string[] {
  const text = cell.source === "" ? [] : cell.source.split("\n");
  const before = old?.block.own.slice(0, old.block.from) ?? [];
  if (old !== null && isSameMetadata(cell, old)) return [...before, ...text];
  const id = old?.block.options.get("id")?.text;
  const metadata = { ...(id === undefined ? {} : { id }), ...cell.metadata };
  const isBare = Object.keys(metadata).length === 0;
  if (isBare) return before.length > 0 ? ["+++", "", ...text] : text;
  return [`+++ ${JSON.stringify(metadata)}`, "", ...text];
}

/** A block of a new order, and the block that it stood behind before. */
export interface Placed {
  kind: Block["kind"];
  lead: readonly string[];
  own: readonly string[];
  /** True if it stands behind the same block as before. */
  isInPlace: boolean;
}

/** joinBlocks() - the lines of blocks in their new order. */
export function joinBlocks(blocks: readonly Placed[]): string[] {
  return blocks.flatMap((block, index) => {
    const isAfterProse = blocks[index - 1]?.kind === "prose";
    const isSplit = /^\+\+\+(\s|$)/.test(block.own[0] ?? "");
    const needsSplit = isAfterProse && block.kind === "prose" && !isSplit;
    const lead = block.isInPlace || block.lead.length > 0 ? block.lead : [""];
    return [...lead, ...(needsSplit ? ["+++", ""] : []), ...block.own];
  });
}
