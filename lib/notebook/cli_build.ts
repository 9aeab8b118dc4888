/**
 * `deno task notebooks`: builds or compares the files. A notebook whose source,
 * file and lib/ are as they were at its last build is left alone;
 * .cache/notebooks.json remembers. One that was changed in Jupyter since is
 * not overwritten.
 */
import { hashOfLib, sha256 } from "../engine_hash.ts";
import { readIfThere } from "./cli_files.ts";
import { toldChanges } from "./cli_sync.ts";
import { diffNotebooks } from "./diff.ts";
import { serializeNotebook } from "./ipynb.ts";
import { makeTypes } from "./kernel_types.ts";
import { MystError } from "./myst.ts";
import { quoteChanges } from "./quote_changes.ts";
import { parseNotebook } from "./read.ts";
import { readRecord } from "./record.ts";
import { BuildError, buildNotebook } from "./run.ts";
import { projectSources, type Sources } from "./sources.ts";
import { SyncError, syncSource } from "./sync.ts";

/** How long a build is silent where progress cannot overwrite itself, in ms. */
const QUIET_MS = 5_000;

export interface BuildFlags {
  /** Compare only. */
  isCheck: boolean;
  /** Drop what was changed in Jupyter. */
  isDiscard: boolean;
  /** Check the types of the cells. */
  isTyped: boolean;
}

/** What one invocation works with. */
interface Build extends BuildFlags {
  /** The folder that holds notebooks/ and .cache/. */
  root: string;
  libHash: string;
  /** What chapters quote. */
  sources: Sources;
  /** For each notebook, the hash of all that its last build came from. */
  hashes: Record<string, string>;
  tell: (line: string) => void;
}

/**
 * buildFiles() - build these notebooks, or compare them; returns the exit code.
 *
 * @param tell takes each line of the report
 */
export async function buildFiles(
  root: string,
  names: readonly string[],
  flags: BuildFlags,
  tell: (line: string) => void,
): Promise<number> {
  const build: Build = {
    ...flags,
    root,
    libHash: await hashOfLib(),
    sources: projectSources(root),
    hashes: await readHashes(root),
    tell,
  };
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
  if (!build.isCheck && !build.isDiscard && before !== null) {
    const edits = editsInJupyter(source, path, before);
    if (edits !== null) return unsynced(name, edits);
  }
  const progress = makeProgress(name);
  const types = build.isTyped ? makeTypes(`${build.root}/notebooks`) : null;
  let notebook;
  try {
    notebook = await buildNotebook(source, path, {
      sources: build.sources,
      progress: progress.cell,
      ...(types === null ? {} : { types }),
    });
  } catch (error) {
    if (!(error instanceof MystError || error instanceof BuildError)) {
      throw error;
    }
    return error.message;
  } finally {
    types?.stop();
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

/** What a build would overwrite, in words; null if nothing. */
function editsInJupyter(
  source: string,
  path: string,
  file: string,
): string | null {
  try {
    const notebook = parseNotebook(file, path);
    if (readRecord(notebook.metadata) === null) return null;
    return toldChanges(syncSource(source, path, notebook));
  } catch (error) {
    if (error instanceof SyncError) return error.message;
    // A source that is not right is told by the build; a file by nobody.
    if (error instanceof MystError || error instanceof RangeError) return null;
    throw error;
  }
}

function unsynced(name: string, edits: string): string {
  return `notebooks/${name}.ipynb was changed in Jupyter: ${edits}\n` +
    `carry that over with: deno task notebooks sync ${name}\n` +
    `or drop it with: deno task notebooks ${name} --discard`;
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
