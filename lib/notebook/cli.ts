/**
 * `deno task notebooks [NAME...] [--check | --discard]`: builds
 * notebooks/NAME.ipynb from notebooks/NAME.md, all of them if none is named.
 * `deno task notebooks sync [NAME...]`: the way back, for cells that were
 * changed in Jupyter.
 *
 * `--check` runs every cell, in memory, writes nothing and fails on any byte
 * of difference. `--discard` drops what was changed in Jupyter. `--types-off`
 * does not check the types of the cells, which takes some seconds.
 *
 * Exit code: 0 all well, 1 a notebook does not build, differs or cannot be
 * synced, 2 bad usage.
 */
import { buildFiles } from "./cli_build.ts";
import { noSuchNotebook, notebookNames, plainName } from "./cli_files.ts";
import { syncFiles } from "./cli_sync.ts";

const USAGE =
  `usage: deno task notebooks [NAME...] [--check | --discard] [--types-off]
       deno task notebooks sync [NAME...]`;

/**
 * main() - what the command does; returns its exit code.
 *
 * @param root the folder that holds notebooks/
 * @param tell takes each line of the report
 */
export async function main(
  args: readonly string[],
  root: string,
  tell: (line: string) => void = console.error,
): Promise<number> {
  const isSync = args[0] === "sync";
  const known = isSync ? [] : ["--check", "--discard", "--types-off"];
  const wrong = args.find((arg) => arg.startsWith("-") && !known.includes(arg));
  if (wrong !== undefined) {
    tell(wrong === "--help" ? USAGE : `unknown option ${wrong}\n${USAGE}`);
    return wrong === "--help" ? 0 : 2;
  }
  const present = await notebookNames(root, isSync ? ["md", "ipynb"] : ["md"]);
  const wanted = args.slice(isSync ? 1 : 0)
    .filter((arg) => !arg.startsWith("-")).map(plainName);
  const missing = wanted.find((name) => !present.includes(name));
  if (missing !== undefined) {
    tell(noSuchNotebook(missing, present));
    return 2;
  }
  const names = wanted.length > 0 ? wanted : present;
  if (isSync) return await syncFiles(root, names, tell);
  const flags = {
    isCheck: args.includes("--check"),
    isDiscard: args.includes("--discard"),
    isTyped: !args.includes("--types-off"),
  };
  return await buildFiles(root, names, flags, tell);
}

if (import.meta.main) {
  const root = decodeURIComponent(new URL("../..", import.meta.url).pathname);
  Deno.exit(await main(Deno.args, root.replace(/\/$/, "")));
}
