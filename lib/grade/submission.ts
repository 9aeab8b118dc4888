/**
 * What students hand in, read as bytes and never looked into.
 *
 * A path is a file or a patch, or a directory that holds the exercise's file,
 * or a directory of all these: one submission each. A wrong answer of
 * solutions/, which is only a region's text, is put in its place first.
 */
import type { Submission } from "./grade.ts";
import { applyPatch, PatchError } from "./patch.ts";
import { replaceRegion } from "./skeleton.ts";

/** The largest file that is read. */
const maxSourceBytes = 256 * 1024;

/** The file that students start from, and that a patch changes. */
export interface Handout {
  /** In the project: `exercises/NN_name/file.ts`. */
  readonly path: string;
  readonly text: string;
  /** The parts of it that students write. */
  readonly regions: readonly string[];
}

/** All submissions under `path`; throws TypeError if there is none. */
export async function findSubmissions(
  path: string,
  handout: Handout,
): Promise<Submission[]> {
  const fileName = handout.path.slice(handout.path.lastIndexOf("/") + 1);
  const info = await lstatOrNull(path);
  if (info === null) throw new TypeError(`No such file: ${path}`);
  if (!info.isDirectory) return [await readSubmission(path, handout)];
  const inside = join(path, fileName);
  if (await lstatOrNull(inside) !== null) {
    return [await readSubmission(inside, handout)];
  }
  const found: Submission[] = [];
  for (const name of await sortedNames(path)) {
    const file = await submissionFile(join(path, name), fileName);
    if (file !== null) found.push(await readSubmission(file, handout));
  }
  if (found.length > 0) return found;
  throw new TypeError(`No ${fileName} in ${path}`);
}

function join(folder: string, name: string): string {
  return `${folder.replace(/\/+$/, "")}/${name}`;
}

async function sortedNames(folder: string): Promise<string[]> {
  const names: string[] = [];
  for await (const entry of Deno.readDir(folder)) names.push(entry.name);
  return names.sort();
}

/** `path` if it is a .ts file or a patch, or the exercise's file in it. */
async function submissionFile(
  path: string,
  fileName: string,
): Promise<string | null> {
  const info = await lstatOrNull(path);
  if (info?.isDirectory) {
    const inside = join(path, fileName);
    return await lstatOrNull(inside) === null ? null : inside;
  }
  return path.endsWith(".ts") || isPatch(path) ? path : null;
}

function isPatch(path: string): boolean {
  return path.endsWith(".patch") || path.endsWith(".diff");
}

async function lstatOrNull(path: string): Promise<Deno.FileInfo | null> {
  try {
    return await Deno.lstat(path);
  } catch (thrown) {
    if (thrown instanceof Deno.errors.NotFound) return null;
    throw thrown;
  }
}

/** One file; what is no plain text file is a submission with a fault. */
export async function readSubmission(
  path: string,
  handout: Handout,
): Promise<Submission> {
  const refuse = (fault: string) => ({ name: path, source: null, fault });
  const info = await lstatOrNull(path);
  if (info === null) return refuse("There is no such file");
  if (!info.isFile) return refuse("Wanted a plain file, got a link or device");
  if (info.size > maxSourceBytes) {
    return refuse(`Wanted at most ${maxSourceBytes} bytes`);
  }
  const bytes = await Deno.readFile(path);
  if (bytes.includes(0)) return refuse("Wanted text, got binary data");
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return { name: path, source: sourceOf(path, text, handout), fault: "" };
  } catch (thrown) {
    if (thrown instanceof PatchError) return refuse(thrown.message);
    return refuse("Wanted UTF-8 text");
  }
}

/** The whole file that a submission stands for. */
function sourceOf(path: string, text: string, handout: Handout): string {
  if (isPatch(path)) return applyPatch(text, handout.path, handout.text);
  const [region] = handout.regions;
  if (!text.startsWith("// caught-by: ") || region === undefined) return text;
  return replaceRegion(handout.text, region, text);
}
