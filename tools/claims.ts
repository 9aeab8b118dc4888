/**
 * `deno task claims`: the ledger of claims, one after another: id, chapter,
 * the cell that shows it or why none can, and the source.
 *
 * Ours. Exit code: 0 all well, 1 a claim is not right, 2 bad usage.
 */
import process from "node:process";
import { readChapters } from "swaplab/notebook/chapters.ts";
import { ledgerOf } from "swaplab/notebook/ledger.ts";
import { projectRoot } from "./files.ts";

const USAGE = "usage: deno task claims";

/** main() - what the command does; returns its exit code. */
export function main(
  args: readonly string[],
  root: string,
  tell: (line: string) => void = console.log,
): number {
  if (args.length > 0) {
    tell(USAGE);
    return args[0] === "--help" ? 0 : 2;
  }
  const problems: string[] = [];
  const { entries, errors } = ledgerOf(readChapters(root, problems));
  for (const { id, chapter, text, source, cell, reason } of entries) {
    tell(`${id}  (${chapter})`);
    tell(`  claim   ${text.replaceAll(/\s+/g, " ")}`);
    tell(`  source  ${source}`);
    tell(cell === null ? `  no cell ${reason}` : `  cell    ${cell}`);
  }
  const all = [...problems, ...errors];
  for (const error of all) tell(`error: ${error}`);
  const shown = entries.filter(({ cell }) => cell !== null).length;
  tell(
    `${entries.length} claims, ${shown} shown by a cell; ${all.length} errors`,
  );
  return all.length === 0 ? 0 : 1;
}

if (import.meta.main) {
  process.exitCode = main(process.argv.slice(2), projectRoot);
}
