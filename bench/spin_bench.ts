/**
 * The explorer beside SPIN, on the same small models. Ours.
 *
 * A model is threads that count up one word by a read and a write, or two that
 * take two locks in two orders; a transition of SPIN is a step of ours. SPIN
 * keeps the states that it has seen and goes through each once, so that it
 * does far less here; ours keeps none (a state of the engine is megabytes) and
 * makes runs. What can be compared is what both must agree on, the ends, and
 * what it costs. Needs `spin` and `gcc`; says so if they are not there.
 */
import { litmusProgram } from "../lib/lab/litmus/mod.ts";
import type { Program } from "../lib/sim/execute.ts";
import { explore } from "../lib/sim/explore.ts";
import { counterProgram } from "../tests/sim/programs.ts";
import type { Row } from "./row.ts";

interface Model {
  readonly name: string;
  readonly promela: string;
  readonly program: Program;
}

/** What a search came to. */
interface Found {
  readonly seconds: number;
  readonly work: string;
  readonly transitions: number;
  /** Sorted: the counter at the end, or "deadlock". */
  readonly ends: readonly string[];
}

function counterModel(threads: number, steps: number): Model {
  const count = "  seen = counter;\n  counter = seen + 1;\n".repeat(steps);
  const start = "run T(); ".repeat(threads);
  return {
    name: `counter ${threads}×${steps}`,
    program: counterProgram(threads, steps),
    promela: `byte counter;
proctype T() {
  byte seen;
${count}}
init {
  atomic { ${start}};
  (_nr_pr == 1);
  c_code { printf("end %d\\n", now.counter); };
}
`,
  };
}

const inversion: Model = {
  name: "two locks in two orders",
  program: litmusProgram("planted-lock-inversion", { variant: "inverted" }),
  promela: `bool a, b;
active proctype T0() {
  atomic { !a -> a = true };
  atomic { !b -> b = true };
  d_step { b = false; a = false };
}
active proctype T1() {
  atomic { !b -> b = true };
  atomic { !a -> a = true };
  d_step { a = false; b = false };
}
`,
};

function runIn(folder: string, command: string, ...args: string[]): string {
  const { success, stdout, stderr } = new Deno.Command(command, {
    args,
    cwd: folder,
  }).outputSync();
  const text = new TextDecoder();
  if (success) return text.decode(stdout);
  throw new Error(`${command}: ${text.decode(stderr)}${text.decode(stdout)}`);
}

function isThere(command: string): boolean {
  try {
    new Deno.Command(command, { args: ["--version"] }).outputSync();
    return true;
  } catch {
    return false;
  }
}

/** Translated, compiled, run: the seconds are those of the run. */
function bySpin({ promela }: Model, folder: string): Found {
  Deno.writeTextFileSync(`${folder}/model.pml`, promela);
  runIn(folder, "spin", "-a", "model.pml");
  runIn(folder, "gcc", "-O2", "-w", "-DSAFETY", "-o", "pan", "pan.c");
  const begin = performance.now();
  // -c0: errors are told, none ends the search.
  const text = runIn(folder, "./pan", "-m10000", "-c0");
  const seconds = (performance.now() - begin) / 1000;
  const number = (what: RegExp) => Number(what.exec(text)?.[1] ?? NaN);
  const ends = [...text.matchAll(/^\s*end (\d+)$/gm)].map(([, end]) => end!);
  const deadlock = /invalid end state/.test(text.split("Full statespace")[0]!);
  return {
    seconds,
    work: `${number(/(\d+) states, stored/)} states`,
    transitions: number(/(\d+) transitions/),
    ends: sorted(deadlock ? ["deadlock"] : ends),
  };
}

function byOurs({ program }: Model): Found {
  const begin = performance.now();
  const { runs, steps, outcomes, failures } = explore(program);
  const seconds = (performance.now() - begin) / 1000;
  const stuck = failures.filter(({ kind }) => kind === "deadlock");
  return {
    seconds,
    work: `${runs} runs`,
    transitions: steps,
    ends: sorted(
      stuck.length > 0 ? ["deadlock"] : outcomes.map(({ name }) => name),
    ),
  };
}

function sorted(ends: readonly string[]): string[] {
  return [...new Set(ends)].sort((a, b) => Number(a) - Number(b));
}

function told({ seconds, work, transitions }: Found): string {
  return `${work}, ${transitions} transitions, ${seconds.toFixed(3)} s`;
}

/** Our steps by SPIN's transitions; both searches in words. */
export function spinRows(): Row[] {
  const none = { goal: 0, better: "less" } as const;
  if (!isThere("spin") || !isThere("gcc")) {
    const peer = "SPIN is not there: apt-get install spin gcc";
    return [{ name: "beside SPIN", ratio: NaN, peer, ...none }];
  }
  const models = [
    counterModel(2, 2),
    counterModel(2, 3),
    counterModel(3, 2),
    counterModel(2, 5),
    inversion,
  ];
  const folder = Deno.makeTempDirSync({ prefix: "swaplab-spin-" });
  try {
    return models.map((model): Row => {
      const spin = bySpin(model, folder);
      const ours = byOurs(model);
      if (spin.ends.join() !== ours.ends.join()) {
        throw new Error(`${model.name}: ${spin.ends} by SPIN, ${ours.ends}`);
      }
      return {
        name: `${model.name}: steps by SPIN's`,
        ratio: ours.transitions / spin.transitions,
        peer: `SPIN: ${told(spin)}; ours: ${told(ours)}; both end with ` +
          ours.ends.join(", "),
        ...none,
      };
    });
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}
