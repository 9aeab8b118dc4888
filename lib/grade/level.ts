/**
 * How strictly a student's process can be held on this computer.
 *
 * The process itself, Deno without permissions, an empty environment and the
 * wall clock are there always. `ulimit` adds CPU time, memory, file size and
 * open files where the system has it; what is missing is said in the result.
 */
export interface Limits {
  /** Until the module is loaded, and until a call is answered. */
  readonly loadMilliseconds: number;
  readonly callMilliseconds: number;
  /** For all tests of one submission. */
  readonly submissionMilliseconds: number;
  readonly cpuSeconds: number;
  /** Above what Deno itself needs; only `RLIMIT_DATA` counts all of it. */
  readonly memoryMebibytes: number;
  readonly heapMebibytes: number;
  /** Of one answer, of all answers, and of what is printed. */
  readonly frameBytes: number;
  readonly stdoutBytes: number;
  readonly stderrBytes: number;
}

/** A wall clock is generous: on a busy computer only CPU time is fair. */
export const defaultLimits: Limits = {
  loadMilliseconds: 20_000,
  callMilliseconds: 10_000,
  submissionMilliseconds: 60_000,
  cpuSeconds: 4,
  memoryMebibytes: 256,
  heapMebibytes: 192,
  frameBytes: 1 << 20,
  stdoutBytes: 4 << 20,
  stderrBytes: 256 * 1024,
};

/** V8 reserves 512 MiB for code, which the system counts as data. */
const baseMebibytes = 538;

/** Options of `ulimit` in the units of sh; soft and hard at once. */
function shellLimits(limits: Limits): Readonly<Record<string, string>> {
  return {
    core: "-c 0",
    cpu: `-t ${limits.cpuSeconds}`,
    memory: `-d ${(baseMebibytes + limits.memoryMebibytes) * 1024}`,
    // Deno's own caches need more than 1 MiB; the unit is 512 bytes.
    "file size": "-f 32768",
    "open files": "-n 128",
  };
}

export interface Level {
  readonly limits: Limits;
  /** Names of the limits in force; empty where there is no sh. */
  readonly held: readonly string[];
  /** One line for reports. */
  readonly summary: string;
}

/** Try each limit once. */
export async function probeLevel(
  limits: Limits = defaultLimits,
): Promise<Level> {
  const options = shellLimits(limits);
  const held: string[] = [];
  for (const [name, option] of Object.entries(options)) {
    // Elsewhere RLIMIT_DATA can be set but does not hold what V8 maps.
    if (name === "memory" && Deno.build.os !== "linux") continue;
    if (await canSet(option)) held.push(name);
  }
  const missing = Object.keys(options).filter((name) => !held.includes(name));
  return { limits, held, summary: summarize(held, missing) };
}

async function canSet(option: string): Promise<boolean> {
  if (Deno.build.os === "windows") return false;
  const { success } = await new Deno.Command("/bin/sh", {
    args: ["-c", `ulimit ${option}`],
    stdout: "null",
    stderr: "null",
  }).output();
  return success;
}

function summarize(
  held: readonly string[],
  missing: readonly string[],
): string {
  const has = ["no permissions", "wall clock", ...held].join(", ");
  if (missing.length === 0) return `own process: ${has}`;
  return `own process: ${has}; not available here: ${missing.join(", ")}`;
}

/** The command that runs `driver` within `level`. */
export function sandboxCommand(level: Level, driver: string): string[] {
  const deno = [Deno.execPath(), "run", ...denoFlags(level.limits), driver];
  if (level.held.length === 0) return deno;
  const options = shellLimits(level.limits);
  const set = level.held.map((name) => `ulimit ${options[name]}`);
  return ["/bin/sh", "-c", `${set.join("; ")}; exec "$@"`, "sh", ...deno];
}

function denoFlags(limits: Limits): string[] {
  const v8 = [
    `--max-old-space-size=${limits.heapMebibytes}`,
    "--max-semi-space-size=8",
    "--stack-size=900",
  ];
  return [
    "--no-prompt",
    "--no-config",
    "--no-lock",
    "--no-remote",
    "--no-npm",
    "--deny-import",
    "--cached-only",
    "--no-check",
    "--no-code-cache",
    "--quiet",
    `--v8-flags=${v8.join(",")}`,
  ];
}
