/**
 * An exercise as its author wrote it: `solutions/NN_name/`.
 *
 *   exercise.json     what it is, its tests, points and hints
 *   README.md         the task, for students
 *   stage.ts          drives the student's module with plain data; no answers
 *   checks.ts         public tests
 *   hidden_checks.ts  hidden tests; never copied to exercises/
 *   wrong/*.ts        wrong answers, each with the tests that catch it
 *
 * The right answer is the engine itself: the regions of `module`.
 */
import type { TestBody } from "./judge.ts";

export interface TestInfo {
  readonly id: string;
  readonly name: string;
  readonly points: number;
  readonly visibility: "public" | "hidden";
  /** Needs the student's module in the engine: `deno task grade` alone. */
  readonly inMachine?: boolean;
  /** From a nudge to nearly the answer. */
  readonly hints: readonly [string, string, string];
}

export interface Manifest {
  readonly id: string;
  readonly title: string;
  /** The engine module that the student's file takes the place of. */
  readonly module: string;
  /** `// #region` names whose function bodies the student writes. */
  readonly regions: readonly string[];
  readonly tests: readonly TestInfo[];
}

export interface Exercise {
  readonly manifest: Manifest;
  /** Path in the project, without a slash at the end. */
  readonly directory: string;
  readonly stagePath: string;
  readonly bodies: ReadonlyMap<string, TestBody>;
  /** Functions that the real module exports. */
  readonly wantedExports: readonly string[];
}

export const projectRoot = new URL("../../", import.meta.url);

/** Names in solutions/, sorted. */
export async function listExercises(): Promise<string[]> {
  const names: string[] = [];
  for await (const entry of Deno.readDir(new URL("solutions", projectRoot))) {
    if (entry.isDirectory) names.push(entry.name);
  }
  return names.sort();
}

/** Read the manifest and check that it says all it must. */
export async function readManifest(id: string): Promise<Manifest> {
  const url = new URL(`solutions/${id}/exercise.json`, projectRoot);
  const manifest = JSON.parse(await Deno.readTextFile(url)) as Manifest;
  const fault = faultOf(manifest, id);
  if (fault !== null) throw new TypeError(`solutions/${id}: ${fault}`);
  return manifest;
}

function faultOf(manifest: Manifest, id: string): string | null {
  const { tests } = manifest;
  if (manifest.id !== id) return `wanted id "${id}", got "${manifest.id}"`;
  if (new Set(tests.map((test) => test.id)).size !== tests.length) {
    return "two tests have the same id";
  }
  for (const test of tests) {
    if (!Number.isInteger(test.points) || test.points < 1) {
      return `${test.id}: wanted whole points ≥ 1, got ${test.points}`;
    }
    if (!["public", "hidden"].includes(test.visibility)) {
      return `${test.id}: wanted public or hidden, got ${test.visibility}`;
    }
    if (test.hints.length !== 3) return `${test.id}: wanted three hints`;
  }
  return null;
}

/** Load an exercise with all its tests: trusted code, run here. */
export async function loadExercise(id: string): Promise<Exercise> {
  const manifest = await readManifest(id);
  const directory = `solutions/${id}`;
  const shown = await importTests(`${directory}/checks.ts`);
  const hidden = await importTests(`${directory}/hidden_checks.ts`);
  const bodies = new Map<string, TestBody>();
  for (const { id: test, visibility } of manifest.tests) {
    const body = (visibility === "public" ? shown : hidden)[test];
    if (body === undefined) throw new TypeError(`${directory}: no ${test}`);
    bodies.set(test, body);
  }
  const engineModule = await importProject(manifest.module);
  const wantedExports = Object.keys(engineModule)
    .filter((name) => typeof engineModule[name] === "function");
  const stagePath = `${directory}/stage.ts`;
  return { manifest, directory, stagePath, bodies, wantedExports };
}

async function importTests(path: string): Promise<Record<string, TestBody>> {
  const { checks } = await importProject(path);
  return checks as Record<string, TestBody>;
}

function importProject(path: string): Promise<Record<string, unknown>> {
  return import(new URL(path, projectRoot).href);
}

export function maxPointsOf(manifest: Manifest): number {
  return manifest.tests.reduce((sum, test) => sum + test.points, 0);
}
