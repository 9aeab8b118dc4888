/**
 * Makes `exercises/` from `solutions/` and the engine.
 *
 *   deno run -A lib/grade/make.ts            writes
 *   deno run -A lib/grade/make.ts --check    fails if a byte would change
 */
import {
  listExercises,
  type Manifest,
  projectRoot,
  readManifest,
} from "./exercise.ts";
import { makeSkeleton } from "./skeleton.ts";
import type { Handout } from "./submission.ts";

/** Path in the project to text: all files of one exercise. */
export async function makeExercise(id: string): Promise<Map<string, string>> {
  const manifest = await readManifest(id);
  const from = `solutions/${id}`;
  const to = `exercises/${id}`;
  const handout = await handoutOf(manifest);
  return new Map([
    [`${to}/README.md`, await readProject(`${from}/README.md`)],
    [handout.path, handout.text],
    [`${to}/checks.ts`, await readProject(`${from}/checks.ts`)],
    [`${to}/stage.ts`, await readProject(`${from}/stage.ts`)],
    [`${to}/exercise.json`, publicManifest(manifest)],
    [`${to}/public_test.ts`, publicTest(id, fileNameOf(manifest))],
  ]);
}

/** What students start from, made anew: no copy of theirs is trusted. */
export async function handoutOf(manifest: Manifest): Promise<Handout> {
  const source = await readProject(manifest.module);
  const skeleton = makeSkeleton(source, manifest.module, manifest.regions);
  const path = `exercises/${manifest.id}/${fileNameOf(manifest)}`;
  const text = await format(skeleton);
  return { path, text, regions: manifest.regions };
}

/** Other import paths, other line breaks: lay the text out anew. */
async function format(text: string): Promise<string> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["fmt", "--no-config", "--ext", "ts", "-"],
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(text));
  await writer.close();
  const { success, stdout } = await child.output();
  if (!success) throw new Error("deno fmt refused the skeleton");
  return new TextDecoder().decode(stdout);
}

/** `swap_count.ts` of `lib/mm/swap_count.ts`. */
export function fileNameOf(manifest: Manifest): string {
  return manifest.module.slice(manifest.module.lastIndexOf("/") + 1);
}

function readProject(path: string): Promise<string> {
  return Deno.readTextFile(new URL(path, projectRoot));
}

/** Hidden tests leave only their number and their points. */
function publicManifest(manifest: Manifest): string {
  const tests = manifest.tests.filter((test) => test.visibility === "public");
  const hidden = manifest.tests.filter((test) => test.visibility === "hidden");
  const hiddenPoints = hidden.reduce((sum, test) => sum + test.points, 0);
  const { regions: _, ...rest } = manifest;
  const data = { ...rest, tests, hiddenTests: hidden.length, hiddenPoints };
  return `${JSON.stringify(data, null, 2)}\n`;
}

function publicTest(id: string, file: string): string {
  return `/** Try your answer: deno test exercises/${id} */
import { localSubject } from "swaplab/grade/judge.ts";
import { checks } from "./checks.ts";
import exercise from "./exercise.json" with { type: "json" };
import { makeStage } from "./stage.ts";
import * as answer from "./${file}";

for (const { id, name, inMachine = false } of exercise.tests) {
  const subject = localSubject(makeStage(answer));
  Deno.test({
    name: inMachine ? name + " (deno task grade runs it)" : name,
    ignore: inMachine,
    fn: () => checks[id]!(subject, 1),
  });
}
`;
}

async function readOrEmpty(path: string): Promise<string | null> {
  try {
    return await readProject(path);
  } catch (thrown) {
    if (thrown instanceof Deno.errors.NotFound) return null;
    throw thrown;
  }
}

/** Paths under exercises/ that nothing makes. */
async function strayFiles(made: ReadonlySet<string>): Promise<string[]> {
  const stray: string[] = [];
  for await (const { name, isDirectory } of readFolder("exercises")) {
    if (!isDirectory) continue;
    for await (const file of readFolder(`exercises/${name}`)) {
      const path = `exercises/${name}/${file.name}`;
      if (!made.has(path)) stray.push(path);
    }
  }
  return stray;
}

function readFolder(path: string): AsyncIterable<Deno.DirEntry> {
  return Deno.readDir(new URL(path, projectRoot));
}

/** What `--check` finds; empty if exercises/ is up to date. */
export async function findDifferences(): Promise<string[]> {
  const differences: string[] = [];
  const made = new Set<string>();
  for (const id of await listExercises()) {
    for (const [path, text] of await makeExercise(id)) {
      made.add(path);
      const there = await readOrEmpty(path);
      if (there === null) differences.push(`${path}: missing`);
      else if (there !== text) {
        differences.push(`${path}: ${firstLine(there, text)}`);
      }
    }
  }
  const stray = await strayFiles(made);
  return [...differences, ...stray.map((path) => `${path}: not made here`)];
}

function firstLine(there: string, made: string): string {
  const lines = there.split("\n");
  const wanted = made.split("\n");
  const at = wanted.findIndex((line, index) => line !== lines[index]);
  const line = at < 0 ? wanted.length : at;
  const show = (text: string | undefined) => JSON.stringify(text ?? "(end)");
  return `line ${line + 1}: wanted ${show(wanted[line])}, ` +
    `got ${show(lines[line])}`;
}

async function writeAll(): Promise<void> {
  for (const id of await listExercises()) {
    await Deno.mkdir(new URL(`exercises/${id}`, projectRoot), {
      recursive: true,
    });
    for (const [path, text] of await makeExercise(id)) {
      await Deno.writeTextFile(new URL(path, projectRoot), text);
      console.log(path);
    }
  }
}

if (import.meta.main) {
  const [flag, ...more] = Deno.args;
  if (more.length > 0 || (flag !== undefined && flag !== "--check")) {
    console.error("Usage: deno task exercises [--check]");
    Deno.exit(2);
  }
  if (flag === undefined) {
    await writeAll();
  } else {
    const differences = await findDifferences();
    for (const line of differences) console.error(line);
    if (differences.length > 0) Deno.exit(1);
    console.log("exercises/ is up to date");
  }
}
