/**
 * Recording a real kernel anew: fetch it, boot it under QEMU, run a workload,
 * read the counters. Twice; two runs that differ are no recording. Ours.
 *
 * The scripts and the guest's program are in tests/reality/record. Kernels and
 * everything else that is made go to a folder outside the repository.
 */
import { join } from "node:path";
import { parseRecordings } from "../lib/lab/reality_recording.ts";
import type { Recording } from "../lib/lab/reality_recording.ts";
import { projectRoot } from "./files.ts";

/** What to record. */
export interface RecordRequest {
  /** "6.12": the newest kernel of that series. */
  readonly series: string;
  /** The name for the recording, and the text of the workload. */
  readonly workload: string;
  readonly text: string;
  readonly zpool: string;
  readonly swap: string;
  /** Where kernels, images and logs go. */
  readonly folder: string;
}

/** The machine has not what it takes, or the kernel did not do as asked. */
export class RecordFailure extends Error {
  override name = "RecordFailure";
}

const scripts = join(projectRoot, "tests", "reality", "record");

/** Programs, and the Debian packages that bring them. */
const programs: readonly (readonly [string, string])[] = [
  ["qemu-system-x86_64", "qemu-system-x86"],
  ["cpio", "cpio"],
  ["gcc", "gcc libc6-dev"],
  ["xz", "xz-utils"],
  ["dpkg-deb", "dpkg"],
  ["apt-get", "apt"],
];

/** Throws RecordFailure with the command that installs what is missing. */
function wantPrograms(): void {
  const missing = programs.filter(([program]) => !found(program));
  const packages = missing.map(([, name]) => name);
  if (!isFile("/bin/busybox")) packages.push("busybox-static");
  if (packages.length === 0) return;
  throw new RecordFailure(
    "Recording needs programs that are not here. On Debian:\n" +
      `  apt-get install --no-install-recommends ${packages.join(" ")}`,
  );
}

function found(program: string): boolean {
  const folders = (Deno.env.get("PATH") ?? "").split(":");
  return folders.some((folder) => isFile(join(folder, program)));
}

function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

/** Run a script; its output, or RecordFailure. */
function script(folder: string, name: string, args: readonly string[]): string {
  const { code, stdout, stderr } = new Deno.Command("bash", {
    args: [join(scripts, name), ...args],
    env: { REALITY_DIR: folder },
  }).outputSync();
  const decoder = new TextDecoder();
  if (code === 0) return decoder.decode(stdout).trim();
  const told = decoder.decode(stderr).trim().split("\n").slice(-5).join("\n");
  throw new RecordFailure(`${name} ${args.join(" ")}: status ${code}\n${told}`);
}

/**
 * record() - two runs of a workload on a real kernel, as one recording.
 *
 * @param say told what goes on; it takes a quarter of a minute a run
 *
 * Throws RecordFailure.
 */
export function record(
  request: RecordRequest,
  say: (line: string) => void,
): Recording {
  wantPrograms();
  const { series, swap, zpool, folder, workload, text } = request;
  Deno.mkdirSync(folder, { recursive: true });
  say(`fetching the newest ${series} kernel into ${folder}`);
  const release = script(folder, "fetch-kernel.sh", [series]);
  const file = join(folder, `${workload}.wl`);
  Deno.writeTextFileSync(file, text);
  script(folder, "build-initramfs.sh", [release, file]);

  const runs = [1, 2].map((run) => {
    say(`booting ${release}, ${zpool}, ${workload}: run ${run} of 2`);
    const out = join(folder, `${release}.${zpool}.${workload}.${run}.jsonl`);
    script(folder, "boot.sh", [release, swap, zpool, out]);
    return Deno.readTextFileSync(out);
  });
  const about = { kernel: release, zpool, workload, swap };
  const [first, second] = runs.map((lines, i) =>
    toRecording(lines, { ...about, mode: "icount", run: i + 1 })
  );
  wantEqual(first!, second!);
  return first!;
}

/** What may differ from run to run: see the causes of the check. */
const moving: ReadonlySet<string> = new Set(["memory.current", "stat.anon"]);

function wantEqual(first: Recording, second: Recording): void {
  const names = Object.keys(first.counters);
  const differ = names.filter((name) =>
    !moving.has(name) &&
    first.counters[name]!.join() !== second.counters[name]?.join()
  );
  if (differ.length === 0) return;
  throw new RecordFailure(
    `The two runs differ in ${differ.join(", ")}: no recording`,
  );
}

type About = Pick<
  Recording,
  "kernel" | "zpool" | "workload" | "swap" | "mode" | "run"
>;

/** What of a guest's line is used here. */
interface GuestLine {
  readonly ev: string;
  readonly MemTotal_kb?: number;
  readonly bad?: number;
  readonly msg?: string;
  readonly line?: number;
  readonly label?: string;
  readonly zswap?: Record<string, number | string>;
  readonly vmstat?: Record<string, number>;
  readonly cg?: Record<string, GuestGroup>;
  readonly swaps?: readonly { readonly used_kb: number }[];
  readonly blk?: Record<string, Record<string, number>>;
  readonly proc?: Record<string, GuestProcess>;
}
type GuestGroup = Record<string, number | Record<string, number>>;
interface GuestProcess {
  readonly map: Record<string, Record<string, number>>;
}

/** toRecording() - the guest's lines by columns. Throws RecordFailure. */
export function toRecording(text: string, about: About): Recording {
  const lines = text.trim().split("\n").map((line) =>
    JSON.parse(line) as GuestLine
  );
  const error = lines.find(({ ev }) => ev === "error" || ev === "died");
  if (error !== undefined || lines.at(-1)?.ev !== "end") {
    const why = error?.msg ?? error?.ev ?? "it did not come to its end";
    throw new RecordFailure(`The guest stopped at ${error?.line}: ${why}`);
  }
  const snaps = lines.filter(({ ev }) => ev === "snap");
  const flat = snaps.map(flatten);
  const names = [...new Set(flat.flatMap((one) => Object.keys(one)))];
  const column = (name: string) => flat.map((one) => one[name] ?? null);
  const recording = {
    ...about,
    memTotalKb: lines[0]!.MemTotal_kb!,
    bad: lines.reduce((sum, { bad }) => sum + (bad ?? 0), 0),
    labels: snaps.map(({ label }) => label!),
    counters: Object.fromEntries(names.map((name) => [name, column(name)])),
  };
  fromFirst(recording.counters, "blk.");
  const json = JSON.stringify({ recordings: [recording] });
  return parseRecordings(json, "the guest's output")[0]!;
}

/** The device was read and written before: count from the first snapshot. */
function fromFirst(
  counters: Record<string, (number | null)[]>,
  prefix: string,
): void {
  for (const [name, values] of Object.entries(counters)) {
    if (!name.startsWith(prefix)) continue;
    const first = values[0]!;
    counters[name] = values.map((value) => value! - first);
  }
}

/** Event counters of the machine that only the workload moves. */
const vmNames = /^(pswpin|pswpout|swpin_zero|swpout_zero|zswpwb)$/;
/** What of memory.stat has to do with swap. */
const statNames =
  /^(zswap|zswapped|zswpin|zswpout|zswpwb|zswap_incomp|swapcached|pgmajfault|anon)$/;

type Flat = Record<string, number>;

function flatten(line: GuestLine): Flat {
  const group = Object.values(line.cg ?? {})[0] ?? {};
  const stat = group["memory.stat"] as Record<string, number> | undefined;
  const disk = Object.values(line.blk ?? {})[0] ?? {};
  const flat: Flat = {
    ...picked("zswap.", line.zswap, /./),
    ...picked("stat.", stat, statNames),
    ...picked("vm.", line.vmstat, vmNames),
    ...picked("", group, /^memory\.(swap\.)?current$/),
    ...picked("blk.", disk, /sectors$/),
  };
  const used = (line.swaps ?? []).reduce((sum, one) => sum + one.used_kb, 0);
  flat["swap.used_kb"] = used;
  for (const [name, { map }] of Object.entries(line.proc ?? {})) {
    const region = Object.values(map)[0];
    Object.assign(flat, picked(`${name}.`, region, /^(?!slot_)/));
  }
  return flat;
}

function picked(
  prefix: string,
  values: Record<string, unknown> | undefined,
  wanted: RegExp,
): Flat {
  const entries = Object.entries(values ?? {}).filter(([name, value]) =>
    typeof value === "number" && wanted.test(name)
  );
  return Object.fromEntries(
    entries.map(([name, value]) => [prefix + name, value as number]),
  );
}
