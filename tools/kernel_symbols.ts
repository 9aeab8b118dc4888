/**
 * Checks borrowed names against a kernel source tree and writes
 * tests/kernel_symbols.json: name -> kernel file that defines it.
 *
 *   deno run -A tools/kernel_symbols.ts LINUX_TREE [--prune] [NAME...]
 *
 * Names come from the exports of lib/, from the list as it stands, and from
 * the command line. `--prune` drops names that lib/ does not export. A name
 * is looked for in the kernel files that its head comment names, then in the
 * rest of the tree. Ends with 1 if a name is not found. Ours.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { projectFiles, projectRoot } from "./files.ts";
import { blankComments } from "./generators.ts";
import { exportsOf, headComment, looksBorrowed, parse } from "./syntax.ts";

/** Searched in this order; the first definition counts. */
const searched = [
  "mm",
  "include/linux",
  "include/uapi",
  "lib",
  "kernel",
  "block",
  "crypto",
  "drivers/block",
  "include",
  "arch/x86/include/asm",
  "fs/proc",
];

/** Twins for special builds, not what a reader looks for. */
const passedOver: ReadonlySet<string> = new Set(["raid", "tiny.c"]);

interface Borrowed {
  readonly name: string;
  /** Where we use it: "lib/mm/swapfile.ts:12", or how it was asked for. */
  readonly place: string;
  /** Kernel files that the head comment names. */
  readonly counterparts: readonly string[];
}

/** `Kernel: mm/swapfile.c, swap.h` gives ["mm/swapfile.c", "mm/swap.h"]. */
export function counterpartsOf(head: string): string[] {
  const sentence = /Kernel: ([^]*?)(?:\(v6\.12\)|\n\s*\*\s*\n|\*\/|$)/.exec(
    head,
  );
  const paths = sentence?.[1]?.match(/[\w/-]+\.[chS]\b/g) ?? [];
  let folder = "";
  return paths.map((path) => {
    if (!path.includes("/")) return folder + path;
    folder = path.slice(0, path.lastIndexOf("/") + 1);
    return path;
  });
}

/** What a C file says about a name. */
type Saying = "definition" | "declaration" | null;

/** How strongly `text` (without comments) says what `name` is. */
export function definedIn(name: string, text: string): Saying {
  // Kernel code begins a definition in the first column.
  const start = `^(?:[A-Za-z_][\\w \\t*]*[ \\t*])?${name}`;
  const definitions = [
    `^[ \\t]*#[ \\t]*define[ \\t]+${name}\\b`,
    `${start}\\([^;{}]*\\)[\\s\\w()]*\\{`,
    `^(?!extern|typedef)${start.slice(1)}\\s*(?:\\[[^\\]]*\\])*[\\w \\t]*[=;]`,
    `^[\\w ]*\\bDEFINE_\\w+\\([^()]*\\b${name}\\b`,
    `^static DECLARE_\\w+\\([^()]*\\b${name}\\b`,
  ];
  const flag = pageFlagPattern(name);
  if (flag !== null) definitions.push(flag);
  const isDefined = definitions
    .some((pattern) => new RegExp(pattern, "m").test(text));
  if (isDefined || isEnumerator(name, text)) return "definition";
  const declared = `${start}\\([^;{}]*\\)[^;{}]*;`;
  return new RegExp(declared, "m").test(text) ? "declaration" : null;
}

function isEnumerator(name: string, text: string): boolean {
  const named = new RegExp(`(?:^|,)\\s*${name}\\s*(?:[=,#]|$)`, "m");
  for (const body of text.matchAll(/\benum\b[\s\w]*\{([^{}]*)\}/g)) {
    if (named.test(body[1]!)) return true;
  }
  return false;
}

/** "dirty" for folio_test_dirty(); null for names of another make. */
function flagOf(name: string): string | null {
  return /^(?:__)?folio_(?:test_|set_|clear_)+(\w+)$/.exec(name)?.[1] ?? null;
}

/** page-flags.h makes folio_test_dirty() and its like by macros. */
function pageFlagPattern(name: string): string | null {
  const flag = flagOf(name);
  if (flag === null) return null;
  return `^[ \\t]*(?:__)?(?:\\w*PAGE_?\\w*FLAG\\w*|FOLIO_\\w+)` +
    `\\((?:\\w+,\\s*)?${flag}\\b`;
}

interface Tree {
  readonly root: string;
  /** For each wanted name the files that contain it, best folder first. */
  readonly filesByName: ReadonlyMap<string, readonly string[]>;
}

function readSource(root: string, path: string): string {
  return blankComments(readFileSync(join(root, path), "latin1"));
}

/** Reads the tree once and notes where each of `names` occurs. */
function indexTree(root: string, names: Iterable<string>): Tree {
  const filesByName = new Map<string, string[]>();
  for (const name of names) filesByName.set(name, []);
  const paths = new Set(searched.flatMap((folder) => sourcesIn(root, folder)));
  for (const path of paths) {
    const words = new Set(readSource(root, path).match(/\w+/g));
    for (const [name, files] of filesByName) {
      const stem = path.endsWith("page-flags.h") ? flagOf(name) : null;
      if (words.has(name) || (stem !== null && words.has(stem))) {
        files.push(path);
      }
    }
  }
  return { root, filesByName };
}

/** The file that defines `name`, else one that declares it, else null. */
function findName(
  tree: Tree,
  name: string,
  counterparts: readonly string[],
): string | null {
  const first = counterparts.filter((path) =>
    existsSync(join(tree.root, path))
  );
  let declared: string | null = null;
  for (const path of [...first, ...tree.filesByName.get(name) ?? []]) {
    const kind = definedIn(name, readSource(tree.root, path));
    if (kind === "definition") return path;
    if (kind === "declaration") declared ??= path;
  }
  return declared;
}

/** Kernel sources below `folder`, in order. */
function sourcesIn(root: string, folder: string): string[] {
  if (!existsSync(join(root, folder))) return [];
  return readdirSync(join(root, folder), { withFileTypes: true })
    .sort((a, b) => a.name < b.name ? -1 : 1)
    .flatMap((entry) => {
      if (passedOver.has(entry.name)) return [];
      const path = `${folder}/${entry.name}`;
      if (entry.isDirectory()) return sourcesIn(root, path);
      return /\.[ch]$/.test(entry.name) ? [path] : [];
    });
}

function borrowedExports(): { names: Borrowed[]; heads: Borrowed[] } {
  const names: Borrowed[] = [];
  const heads: Borrowed[] = [];
  for (const path of projectFiles(projectRoot)) {
    if (!/^lib\/(base|locking|crypto|block|mm)\/.*\.ts$/.test(path)) continue;
    const source = parse(path, readFileSync(join(projectRoot, path), "utf8"));
    const counterparts = counterpartsOf(headComment(source));
    heads.push({ name: "", place: path, counterparts });
    for (const { name, line } of exportsOf(source)) {
      if (!looksBorrowed(name)) continue;
      names.push({ name, place: `${path}:${line}`, counterparts });
    }
  }
  return { names, heads };
}

function main(args: readonly string[]): number {
  const prune = args.includes("--prune");
  const [root, ...asked] = args.filter((arg) => arg !== "--prune");
  if (root === undefined || !existsSync(join(root, "mm/swapfile.c"))) {
    console.error("Wanted the path of an unpacked Linux source tree.");
    return 2;
  }
  const listPath = join(projectRoot, "tests/kernel_symbols.json");
  const listed: Record<string, string> = JSON.parse(
    readFileSync(listPath, "utf8"),
  );
  const { names, heads } = borrowedExports();
  const wanted = new Map(names.map((borrowed) => [borrowed.name, borrowed]));
  for (const name of prune ? asked : [...Object.keys(listed), ...asked]) {
    if (wanted.has(name)) continue;
    wanted.set(name, { name, place: "the list", counterparts: [] });
  }

  const tree = indexTree(root, wanted.keys());
  const result: Record<string, string> = {};
  const errors = heads.flatMap(({ place, counterparts }) =>
    counterparts.filter((path) => !existsSync(join(root, path)))
      .map((path) => `${place}: the head names ${path}, which is not there`)
  );
  for (const name of [...wanted.keys()].sort()) {
    const { place, counterparts } = wanted.get(name)!;
    const found = findName(tree, name, counterparts);
    if (found === null) errors.push(`${place} ${name}: not in Linux`);
    else result[name] = found;
  }
  writeFileSync(listPath, JSON.stringify(result, null, 2) + "\n");
  for (const error of errors) console.error(error);
  console.log(
    `${Object.keys(result).length} names found, ${errors.length} problems`,
  );
  return errors.length === 0 ? 0 : 1;
}

if (import.meta.main) process.exitCode = main(process.argv.slice(2));
