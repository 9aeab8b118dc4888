/**
 * The workload files of the recordings (`.wl`): one command a line.
 *
 *   alloc A R 512 seed=101 mix=zero:5,text:95
 *   pageout A R 0 512 each     # MADV_PAGEOUT, page by page
 *
 * This parser says what a file asks for; reality_run.ts does it. The program
 * in the recordings' guest reads the same files. Ours.
 */

/** Percentages by page kind, as the file has them: `zero:10,text:90`. */
export type Mix = string;

/** Where a command stands: its line, from 1, and its text. */
interface Placed {
  readonly line: number;
  readonly text: string;
}

/** `NAME=VALUE` pairs, in order. */
type Pairs = readonly (readonly [string, string])[];

interface Setting {
  readonly op: "sysctl" | "zswap" | "sysfs";
  readonly pairs: Pairs;
}
interface Swapon {
  readonly op: "swapon";
  readonly device: string;
  /** −1: the kernel chooses. */
  readonly prio: number;
}
interface Zram {
  readonly op: "zram";
  readonly algorithm: string;
  readonly bytes: number;
}
interface Group {
  readonly op: "cg";
  readonly name: string;
  readonly pairs: Pairs;
}
interface Spawn {
  readonly op: "spawn";
  readonly process: string;
  /** Null: in the root group. */
  readonly group: string | null;
}
interface Alloc {
  readonly op: "alloc";
  readonly process: string;
  readonly region: string;
  readonly pages: number;
  readonly seed: number;
  readonly mix: Mix;
}
type RangeOp = "write" | "read" | "free" | "pageout";
interface Range<Op extends RangeOp> {
  readonly op: Op;
  readonly process: string;
  readonly region: string;
  readonly start: number;
  readonly count: number;
  /** One system call a page. */
  readonly each: boolean;
}
interface Touch {
  readonly op: "touch";
  readonly process: string;
  readonly region: string;
  readonly count: number;
  readonly seed: number;
  /** Percent of the touches that write. */
  readonly writes: number;
  /** 80 % of the touches go to the first fifth of the region. */
  readonly hot: boolean;
}
interface Fork {
  readonly op: "fork";
  readonly process: string;
  readonly child: string;
}
interface Exit {
  readonly op: "exit";
  readonly process: string;
}
interface Reclaim {
  readonly op: "reclaim";
  readonly group: string;
  readonly bytes: number;
}
interface Settle {
  readonly op: "settle";
}
interface Snap {
  readonly op: "snap";
  readonly label: string;
}
/** Asked the kernel for more detail; changes nothing. */
interface Look {
  readonly op: "map";
}
interface Sizes {
  readonly op: "sizes";
  readonly process: string;
  readonly region: string;
  readonly start: number;
  readonly count: number;
}

export type Command =
  & Placed
  & (
    | Setting
    | Swapon
    | Zram
    | Group
    | Spawn
    | Alloc
    | Range<"write">
    | Range<"read">
    | Range<"free">
    | Range<"pageout">
    | Touch
    | Fork
    | Exit
    | Reclaim
    | Settle
    | Snap
    | Look
    | Sizes
  );

/** A workload file says something that cannot be understood. */
export class WorkloadError extends Error {
  override name = "WorkloadError";
}

/** The words of one line, and how to complain about it. */
interface Line extends Placed {
  readonly file: string;
  readonly words: readonly string[];
}

function wrong(at: Line, what: string): never {
  throw new WorkloadError(`${at.file}:${at.line}: ${what}\n  ${at.text}`);
}

function word(at: Line, index: number, what: string): string {
  return at.words[index] ?? wrong(at, `${at.words[0]}: ${what} is missing`);
}

function toNumber(at: Line, text: string, what: string): number {
  const value = Number(text);
  if (/^(\d+|0x[0-9a-f]+)$/i.test(text) && Number.isSafeInteger(value)) {
    return value;
  }
  return wrong(at, `${what}: wanted a whole number ≥ 0, got "${text}"`);
}

function count(at: Line, index: number, what: string): number {
  return toNumber(at, word(at, index, what), what);
}

/** All words from `from` on, as NAME=VALUE. */
function pairsOf(at: Line, from: number): [string, string][] {
  return at.words.slice(from).map((text) => {
    const equals = text.indexOf("=");
    if (equals > 0) return [text.slice(0, equals), text.slice(equals + 1)];
    return wrong(at, `wanted NAME=VALUE, got "${text}"`);
  });
}

/** The options of a command; each has to be one of `known`. */
function optionsOf(
  at: Line,
  from: number,
  known: readonly string[],
): ReadonlyMap<string, string> {
  const pairs = pairsOf(at, from);
  for (const [name] of pairs) {
    if (known.includes(name)) continue;
    wrong(at, `no option "${name}"; there are ${known.join(", ")}`);
  }
  return new Map(pairs);
}

function only(at: Line, most: number): void {
  if (at.words.length <= most) return;
  wrong(at, `"${at.words[most]}": nothing more was expected here`);
}

function range<Op extends RangeOp>(at: Line, op: Op): Range<Op> {
  const mode = at.words[5];
  if (mode !== undefined && (op !== "pageout" || mode !== "each")) {
    wrong(at, `"${mode}": only pageout can be followed by "each"`);
  }
  only(at, 6);
  return { ...place(at, op), each: mode === "each" };
}

function place<T extends string>(at: Line, op: T) {
  return {
    op,
    process: word(at, 1, "the process"),
    region: word(at, 2, "the region"),
    start: count(at, 3, "the first page"),
    count: count(at, 4, "the number of pages"),
  };
}

function touch(at: Line): Touch {
  const options = optionsOf(at, 4, ["seed", "wr", "dist"]);
  const dist = options.get("dist") ?? "uniform";
  if (dist !== "uniform" && dist !== "hot") {
    wrong(at, `dist: wanted uniform or hot, got "${dist}"`);
  }
  return {
    op: "touch",
    process: word(at, 1, "the process"),
    region: word(at, 2, "the region"),
    count: count(at, 3, "the number of touches"),
    seed: toNumber(at, options.get("seed") ?? "1", "seed"),
    writes: toNumber(at, options.get("wr") ?? "0", "wr"),
    hot: dist === "hot",
  };
}

function alloc(at: Line): Alloc {
  const options = optionsOf(at, 4, ["seed", "mix"]);
  return {
    op: "alloc",
    process: word(at, 1, "the process"),
    region: word(at, 2, "the region"),
    pages: count(at, 3, "the number of pages"),
    seed: toNumber(at, options.get("seed") ?? "1", "seed"),
    mix: options.get("mix") ?? "rand:100",
  };
}

function swapon(at: Line): Swapon {
  const prio = optionsOf(at, 2, ["prio"]).get("prio");
  return {
    op: "swapon",
    device: word(at, 1, "the device"),
    prio: prio === undefined ? -1 : toNumber(at, prio, "prio"),
  };
}

type Parse = (at: Line) => Record<string, unknown> & { op: Command["op"] };

/** What each command looks like; the key is its first word. */
const commands: Readonly<Record<string, Parse>> = {
  sysctl: (at) => ({ op: "sysctl", pairs: pairsOf(at, 1) }),
  zswap: (at) => ({ op: "zswap", pairs: pairsOf(at, 1) }),
  sysfs: (at) => ({ op: "sysfs", pairs: pairsOf(at, 1) }),
  swapon: (at) => ({ ...swapon(at) }),
  zram: (at) => ({
    op: "zram",
    algorithm: word(at, 1, "the compressor"),
    bytes: count(at, 2, "the size"),
  }),
  cg: (at) => ({
    op: "cg",
    name: word(at, 1, "the group"),
    pairs: pairsOf(at, 2),
  }),
  spawn: (at) => ({
    op: "spawn",
    process: word(at, 1, "the process"),
    group: at.words[2] ?? null,
  }),
  alloc: (at) => ({ ...alloc(at) }),
  write: (at) => ({ ...range(at, "write") }),
  read: (at) => ({ ...range(at, "read") }),
  free: (at) => ({ ...range(at, "free") }),
  pageout: (at) => ({ ...range(at, "pageout") }),
  touch: (at) => ({ ...touch(at) }),
  fork: (at) => ({
    op: "fork",
    process: word(at, 1, "the parent"),
    child: word(at, 2, "the child"),
  }),
  exit: (at) => ({ op: "exit", process: word(at, 1, "the process") }),
  reclaim: (at) => ({
    op: "reclaim",
    group: word(at, 1, "the group"),
    bytes: count(at, 2, "the number of bytes"),
  }),
  settle: () => ({ op: "settle" }),
  snap: (at) => ({ op: "snap", label: word(at, 1, "the label") }),
  map: () => ({ op: "map" }),
  sizes: (at) => place(at, "sizes"),
};

/** What stands for `@name@` in a file: zpool, comp, dev. */
export type Substitutions = Readonly<Record<string, string>>;

/**
 * parseWorkload() - the commands of a workload file.
 *
 * @param file its name, for messages
 * @param values for `@zpool@`, `@comp@` and `@dev@`
 *
 * Throws WorkloadError, with file, line and the line's text.
 */
export function parseWorkload(
  text: string,
  file: string,
  values: Substitutions = {},
): Command[] {
  const found: Command[] = [];
  for (const [index, raw] of text.split("\n").entries()) {
    const bare = raw.replace(/#.*/, "").trim();
    if (bare === "") continue;
    const line = { file, line: index + 1, text: bare, words: [] };
    const filled = bare.replace(
      /@(\w+)@/g,
      (_, name) =>
        values[name] ?? wrong(line, `nothing is given for @${name}@`),
    );
    const words = filled.split(/\s+/);
    const parse = Object.hasOwn(commands, words[0]!)
      ? commands[words[0]!]!
      : wrong(line, `no command "${words[0]}"`);
    const parsed = parse({ ...line, text: filled, words });
    found.push({ ...parsed, line: index + 1, text: filled } as Command);
  }
  return found;
}
