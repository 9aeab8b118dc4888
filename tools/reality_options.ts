/**
 * The call of `deno task reality`. Ours.
 */
import { join } from "node:path";

/** The recordings of this project. */
export const shipped = new URL("../tests/reality/data/", import.meta.url);

/** A call, understood. */
export interface Options {
  readonly data: URL;
  readonly only: string;
  readonly json: boolean;
  readonly pressure: boolean;
  readonly mutants: boolean;
  readonly fuzz: number | null;
  /** The series and the workload. */
  readonly record: readonly [string, string] | null;
  readonly zpool: string;
  readonly swap: string;
  /** For kernels and new recordings. */
  readonly folder: string;
}

/** A call that makes no sense. */
export class Usage extends Error {
  override name = "Usage";
}

const usage =
  "deno task reality [--only TEXT] [--data DIR] [--json | --pressure] |\n" +
  "  --mutants | --fuzz SEED |\n  --record SERIES WORKLOAD [--zpool NAME] [--swap NAME] " +
  "[--folder DIR]";

function defaults() {
  const home = Deno.env.get("XDG_CACHE_HOME") ??
    join(Deno.env.get("HOME") ?? ".", ".cache");
  return {
    data: shipped,
    only: "",
    json: false,
    pressure: false,
    mutants: false,
    fuzz: null as number | null,
    record: null as readonly [string, string] | null,
    zpool: "zsmalloc",
    swap: "vda",
    folder: join(home, "swaplab-reality"),
  };
}

/** parseArguments() - throws Usage for a call that makes no sense. */
export function parseArguments(args: readonly string[]): Options {
  const rest = [...args];
  const found = defaults();
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    const next = () => value(word!, rest);
    if (word === "--json") found.json = true;
    else if (word === "--pressure") found.pressure = true;
    else if (word === "--mutants") found.mutants = true;
    else if (word === "--only") found.only = next();
    else if (word === "--data") found.data = directory(next());
    else if (word === "--fuzz") found.fuzz = seedOf(next());
    else if (word === "--record") found.record = [next(), next()];
    else if (word === "--zpool") found.zpool = next();
    else if (word === "--swap") found.swap = next();
    else if (word === "--folder") found.folder = next();
    else throw new Usage(`no option ${word}\n${usage}`);
  }
  return found;
}

export function seedOf(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new Usage(`seed: wanted a whole number, got ${text}`);
}

function value(option: string, rest: string[]): string {
  const next = rest.shift();
  if (next !== undefined) return next;
  throw new Usage(`${option}: wanted a value\n${usage}`);
}

/** The folder at `path`, from where the call was made. */
export function directory(path: string): URL {
  return new URL(`${path.replace(/\/+$/, "")}/`, `file://${Deno.cwd()}/`);
}
