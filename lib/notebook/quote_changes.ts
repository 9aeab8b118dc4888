/**
 * Which quotes of a built notebook are no longer what the engine says: for the
 * message of `deno task notebooks --check`.
 */
import { builtIn } from "./directive.ts";
import type { Notebook } from "./nbformat.ts";
import { type BuiltQuote, rangesOf } from "./quote.ts";

/**
 * quoteChanges() - a sentence for each quote that differs.
 *
 * @param file the chapter's source, for the sentences
 * @param before as it was built; @param after as it would be built now
 */
export function quoteChanges(
  file: string,
  before: Notebook,
  after: Notebook,
): string[] {
  const old = new Map(quotesIn(before).map((one) => [nameOf(one), one]));
  return quotesIn(after).flatMap((quote) => {
    const was = old.get(nameOf(quote));
    if (was === undefined) return [];
    const change = changeOf(was, quote);
    if (change === null) return [];
    return [`${file} quotes ${nameOf(quote)}, ${change}`];
  });
}

function quotesIn({ cells }: Notebook): BuiltQuote[] {
  return cells.filter((cell) => cell.cell_type === "markdown")
    .flatMap((cell) => builtIn(cell.source, cell.id))
    .filter((built) => built.kind === "quote");
}

function nameOf({ path, region }: BuiltQuote): string {
  return `${path}#${region}`;
}

function changeOf(was: BuiltQuote, is: BuiltQuote): string | null {
  const count = Math.max(was.lines.length, is.lines.length);
  for (let index = 0; index < count; index++) {
    const [old, now] = [was.lines[index], is.lines[index]];
    if (old?.text === now?.text) continue;
    const line = now?.line ?? is.lines.at(-1)!.line;
    return `which changed at line ${line}: ` +
      `was ${textOf(old)}, is ${textOf(now)}`;
  }
  const [before, now] = [rangesOf(was.lines), rangesOf(is.lines)];
  return before === now ? null : `which moved from lines ${before} to ${now}`;
}

function textOf(line: { text: string } | undefined): string {
  return line === undefined ? "nothing" : JSON.stringify(line.text.trim());
}
