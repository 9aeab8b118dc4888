/**
 * `deno task notebooks [NAME...] [--check]`: builds notebooks/NAME.ipynb from
 * notebooks/NAME.md, all of them if none is named.
 *
 * A notebook whose source, file and lib/ are as they were at its last build is
 * left alone (.cache/notebooks.json remembers). `--check` runs every cell, in
 * memory, writes nothing and fails on any byte of difference.
 *
 * Exit code: 0 all well, 1 a notebook does not build or differs, 2 bad usage.
 */
import { hashOfLib, sha256 } from "../engine_hash.ts";
import { diffNotebooks } from "./diff.ts";
import { nearest } from "./imports.ts";
import { serializeNotebook } from "./ipynb.ts";
import { MystError } from "./myst.ts";
import { quoteChanges } from "./quote_changes.ts";
import { parseNotebook } from "./read.ts";
import { BuildError, buildNotebook } from "./run.ts";
import { projectSources, type Sources } from "./sources.ts";

const USAGE = "usage: deno task notebooks [NAME...] [--check]";

/** How long a build is silent where progress cannot overwrite itself, in ms. */
const QUIET_MS = 5_000;

/** What one invocation works with. */
interface Build {
  /** The folder that holds notebooks/ and .cache/. */
  root: string;
  isCheck: boolean;
  libHash: string;
  /** What chapters quote. */
  sources: Sources;
  /** For each notebook, the hash of all that its last build came from. */
  hashes: Record<string, string>;
  tell: (line: string) => void;
}

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
  const wrong = args.find((arg) => arg.startsWith("-") && arg !== "--check");
  if (wrong !== undefined) {
    tell(wrong === "--help" ? USAGE : `unknown option ${wrong}\n${USAGE}`);
    return wrong === "--help" ? 0 : 2;
  }
  const present = await sources(root);
  const wanted = args.filter((arg) => !arg.startsWith("-")).map(plainName);
  const missing = wanted.find((name) => !present.includes(name));
  if (missing !== undefined) {
    tell(noSuchNotebook(missing, present));
    return 2;
  }
  const build: Build = {
    root,
    isCheck: args.includes("--check"),
    libHash: await hashOfLib(),
    sources: projectSources(root),
    hashes: await readHashes(root),
    tell,
  };
  return await buildAll(build, wanted.length > 0 ? wanted : present);
}

/** Names as people type them: `notebooks/00_one_page.md` is `00_one_page`. */
function plainName(argument: string): string {
  return argument.replace(/^.*[/\\]/, "").replace(/\.(md|ipynb)$/, "");
}

function noSuchNotebook(name: string, present: readonly string[]): string {
  const similar = nearest(name, present);
  const hint = similar === null
    ? `there are ${present.join(", ") || "none"}`
    : `did you mean ${similar}?`;
  return `no notebook ${name}; ${hint}`;
}

async function sources(root: string): Promise<string[]> {
  const names: string[] = [];
  for await (const entry of Deno.readDir(`${root}/notebooks`)) {
    const name = /^(\d\d_.*)\.md$/.exec(entry.name)?.[1];
    if (entry.isFile && name !== undefined) names.push(name);
  }
  return names.sort();
}

async function buildAll(build: Build, names: readonly string[]) {
  let failed = 0;
  for (const name of names) {
    const problem = await buildOne(build, name);
    if (problem === null) continue;
    build.tell(problem);
    failed++;
  }
  if (!build.isCheck) await writeHashes(build);
  return failed === 0 ? 0 : 1;
}

/** Build one notebook; null if all is well, else what is wrong with it. */
async function buildOne(build: Build, name: string): Promise<string | null> {
  const stem = `${build.root}/notebooks/${name}`;
  const source = await Deno.readTextFile(`${stem}.md`);
  const before = await readIfThere(`${stem}.ipynb`);
  const hash = await hashOf(build.libHash, source, before ?? "");
  if (!build.isCheck && build.hashes[name] === hash) return null;
  const path = `notebooks/${name}.md`;
  const progress = makeProgress(name);
  let notebook;
  try {
    notebook = await buildNotebook(source, path, {
      sources: build.sources,
      progress: progress.cell,
    });
  } catch (error) {
    if (!(error instanceof MystError || error instanceof BuildError)) {
      throw error;
    }
    return error.message;
  } finally {
    progress.done();
  }
  const after = serializeNotebook(notebook);
  if (build.isCheck) {
    build.tell(`${name}: ${before === after ? "as built" : "differs"}`);
    return before === after ? null : difference(name, before, after);
  }
  if (before !== after) await Deno.writeTextFile(`${stem}.ipynb`, after);
  build.tell(`${name}: ${before === after ? "unchanged" : "written"}`);
  build.hashes[name] = await hashOf(build.libHash, source, after);
  return null;
}

function difference(
  name: string,
  before: string | null,
  after: string,
): string {
  const file = `notebooks/${name}.ipynb`;
  const remedy = "run: deno task notebooks";
  if (before === null) return `${file} is not there; ${remedy}`;
  const told = diffText(name, before, after);
  return `${file} is not what its source gives now; ${remedy}\n${told}`;
}

function diffText(name: string, before: string, after: string): string {
  const formOnly = "the same content, written in another form";
  try {
    const was = parseNotebook(before, "the file");
    const is = parseNotebook(after, "the build");
    const quotes = quoteChanges(`notebooks/${name}.md`, was, is);
    const told = diffNotebooks(was, is);
    return [...quotes, told === "" ? formOnly : told].join("\n");
  } catch (error) {
    return `the file cannot be read: ${
      error instanceof Error && error.message
    }`;
  }
}

async function hashOf(...parts: string[]): Promise<string> {
  return await sha256(JSON.stringify(parts));
}

async function readIfThere(path: string): Promise<string | null> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}

async function readHashes(root: string): Promise<Record<string, string>> {
  const text = await readIfThere(`${root}/.cache/notebooks.json`);
  try {
    return { ...JSON.parse(text ?? "{}") };
  } catch {
    return {}; // A damaged cache costs a build, nothing else.
  }
}

async function writeHashes(build: Build): Promise<void> {
  await Deno.mkdir(`${build.root}/.cache`, { recursive: true });
  const text = JSON.stringify(build.hashes, null, 1);
  await Deno.writeTextFile(`${build.root}/.cache/notebooks.json`, `${text}\n`);
}

/** Progress on stderr: one line that changes, or a line now and then. */
function makeProgress(name: string) {
  const isTerminal = Deno.stderr.isTerminal();
  const write = (text: string) =>
    void Deno.stderr.writeSync(new TextEncoder().encode(text));
  let told = performance.now();
  return {
    cell(index: number, total: number, id: string) {
      const line = `${name}: cell ${index} of ${total} (${id})`;
      if (isTerminal) return write(`\r\x1b[K${line}`);
      if (performance.now() - told < QUIET_MS) return;
      told = performance.now();
      write(`${line}\n`);
    },
    done() {
      if (isTerminal) write("\r\x1b[K");
    },
  };
}

if (import.meta.main) {
  const root = decodeURIComponent(new URL("../..", import.meta.url).pathname);
  Deno.exit(await main(Deno.args, root.replace(/\/$/, "")));
}
