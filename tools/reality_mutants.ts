/**
 * Would the reality check notice an error in the engine? Deliberate errors,
 * one at a time, in a copy of the engine; each must be noticed by at least one
 * recording. Ours.
 *
 * An error is a piece of text in one file of lib/ and what stands there
 * instead; if the piece is not there exactly once, the list is out of date and
 * the run says so. Nothing in the engine knows of this.
 */
import { join } from "node:path";
import type { CheckLine } from "../lib/lab/reality_check.ts";
import { table } from "../lib/show/table.ts";
import { parseRecordings } from "../lib/lab/reality_recording.ts";
import { projectRoot } from "./files.ts";
import { shipped } from "./reality_options.ts";
import { type Mutant, mutants } from "./reality_mutant_list.ts";

/** What the check said of the engine with one error. */
export interface MutantResult {
  readonly name: string;
  /** Recordings that end otherwise, and how many values differ in them. */
  readonly recordings: number;
  readonly values: number;
  /** The machine stopped, or a workload could not be run to its end. */
  readonly stopped: boolean;
}

/** Files besides lib/ that `deno task reality` needs. */
const needed = [
  "deno.json",
  "deno.lock",
  "tools/files.ts",
  "tools/reality.ts",
  "tools/reality_mutant_list.ts",
  "tools/reality_mutants.ts",
  "tools/reality_options.ts",
  "tools/reality_record.ts",
];

/** A copy of what the check needs, in a folder that git ignores. */
function makeCopy(): string {
  const copy = join(projectRoot, ".cache", "reality_mutants");
  Deno.mkdirSync(join(copy, "tools"), { recursive: true });
  copyFolder("lib", copy);
  copyFolder("tests/reality/data", copy);
  for (const file of needed) {
    Deno.copyFileSync(join(projectRoot, file), join(copy, file));
  }
  const modules = join(copy, "node_modules");
  try {
    Deno.removeSync(modules);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  Deno.symlinkSync(join(projectRoot, "node_modules"), modules);
  return copy;
}

function copyFolder(folder: string, copy: string): void {
  Deno.mkdirSync(join(copy, folder), { recursive: true });
  for (
    const { name, isDirectory } of Deno.readDirSync(
      join(projectRoot, folder),
    )
  ) {
    const path = `${folder}/${name}`;
    if (isDirectory) copyFolder(path, copy);
    else Deno.copyFileSync(join(projectRoot, path), join(copy, path));
  }
}

/** The mutant's file with the error in it. Throws RangeError if it is gone. */
export function mutate(text: string, { name, find, put }: Mutant): string {
  const parts = text.split(find);
  if (parts.length === 2) return parts.join(put);
  throw new RangeError(
    `mutant "${name}": "${find}" is there ${parts.length - 1} times, not once`,
  );
}

/** Throws RangeError for a mutant whose place in the engine is not there. */
export function checkMutantList(): void {
  for (const mutant of mutants) {
    mutate(Deno.readTextFileSync(join(projectRoot, mutant.file)), mutant);
  }
}

/** How many recordings there are. */
function countRecordings(): number {
  const url = new URL("directed.json", shipped);
  return parseRecordings(Deno.readTextFileSync(url), url.pathname).length;
}

function runMutant(copy: string, mutant: Mutant, total: number): MutantResult {
  const path = join(copy, mutant.file);
  const original = Deno.readTextFileSync(join(projectRoot, mutant.file));
  Deno.writeTextFileSync(path, mutate(original, mutant));
  const { stdout } = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", "tools/reality.ts", "--json"],
    cwd: copy,
    stderr: "null",
  }).outputSync();
  Deno.writeTextFileSync(path, original);
  const lines = new TextDecoder().decode(stdout).trim().split("\n")
    .filter((line) => line.startsWith("{"))
    .map((line) => JSON.parse(line) as CheckLine);
  const noticed = lines.filter(({ different }) => different > 0);
  return {
    name: mutant.name,
    recordings: noticed.length + (total - lines.length),
    values: noticed.reduce((sum, { different }) => sum + different, 0),
    stopped: lines.length < total ||
      lines.some(({ stopped }) => stopped !== undefined),
  };
}

/** runMutants() - every error of the list, one after the other. */
export function runMutants(
  only: string,
  say: (result: MutantResult) => void,
): MutantResult[] {
  checkMutantList();
  const copy = makeCopy();
  const total = countRecordings();
  const chosen = mutants.filter(({ name }) => name.includes(only));
  return chosen.map((mutant) => {
    const result = runMutant(copy, mutant, total);
    say(result);
    return result;
  });
}

/** The results as a table. */
export function mutantsText(results: readonly MutantResult[]): string {
  const rows = results.map(({ name, recordings, values, stopped }) => ({
    name,
    recordings,
    values,
    stopped: stopped ? "yes" : "",
  }));
  const figure = table(rows, {
    caption: "Errors put into the engine, and who noticed",
    columns: [
      { key: "name", label: "error" },
      { key: "recordings", label: "recordings that notice" },
      { key: "values", label: "values off" },
      { key: "stopped", label: "the engine stopped" },
    ],
  });
  return figure.bundle["text/plain"] as string;
}
