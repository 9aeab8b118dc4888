/**
 * deno task race: every race of the threads, searched and told.
 *
 * Exit code: 0 all invariants hold, 1 violation found, 2 bad input, 3 bound
 * reached before the search was complete.
 */
import { runDiagram } from "../lab/diagram.ts";
import { DiagramError } from "../lab/diagram_text.ts";
import { type Litmus, programOf } from "../lab/litmus/litmus.ts";
import { litmusTests } from "../lab/litmus/mod.ts";
import { SimError } from "../base/bug.ts";
import { parseRaceOptions, type RaceOptions, usage } from "./options.ts";
import { proposalsFor, type RaceReport, replayed, search } from "./search.ts";

/** Where the command's text goes and comes from. */
export interface RaceHost {
  readonly print: (text: string) => void;
  /** Standard input, or a file. */
  readonly read: (path: string) => Promise<string>;
  readonly progress?: (text: string) => void;
}

/** What the command does; returns its exit code. */
export async function main(
  args: readonly string[],
  host: RaceHost,
): Promise<number> {
  try {
    const options = parseRaceOptions(args);
    if (options.help) return tell(host, usage, 0);
    if (options.subject === null) return tell(host, listOf(), 0);
    const named = litmusTests.find(({ name }) => name === options.subject);
    if (named !== undefined) return runLitmus(named, options, host);
    return await runText(options.subject, options, host);
  } catch (error) {
    const known = error instanceof TypeError || error instanceof RangeError ||
      error instanceof DiagramError || error instanceof SimError;
    if (!known) throw error;
    return tell(host, `${(error as Error).message}\n`, 2);
  }
}

function tell(host: RaceHost, text: string, code: number): number {
  host.print(text);
  return code;
}

function listOf(): string {
  const widest = Math.max(...litmusTests.map(({ name }) => name.length));
  return litmusTests.map(({ name, thread, about }) =>
    `${name.padEnd(widest)}  ${thread ?? " – "}  ${about}\n`
  ).join("");
}

function litmusNamed(name: string | null): Litmus {
  const found = litmusTests.find((litmus) => litmus.name === name);
  if (found !== undefined) return found;
  const names = litmusTests.map((litmus) => litmus.name).join(", ");
  throw new TypeError(
    name === null
      ? `A diagram needs a machine: --litmus NAME, one of ${names}`
      : `No litmus test "${name}"; there are ${names}`,
  );
}

function runLitmus(
  litmus: Litmus,
  options: RaceOptions,
  host: RaceHost,
): number {
  const report = options.replay === null
    ? search(litmus, options, (runs) => host.progress?.(`${runs} runs`))
    : replayed(litmus, options, options.replay);
  host.print(options.json ? JSON.stringify(report) + "\n" : textOf(report));
  if (report.violations.length > 0) return 1;
  return report.complete || options.replay !== null ? 0 : 3;
}

/** Verdict, outcomes, the shortest failing diagram. */
function textOf(report: RaceReport): string {
  const { violations, outcomes, complete, bound, runs } = report;
  const within = bound === null
    ? "all interleavings"
    : `up to ${bound} preemptions`;
  const searched = complete ? `searched ${within}` : "not searched to the end";
  const verdict = violations.length === 0
    ? `${report.litmus}: holds (${searched}, ${runs} runs)`
    : `${report.litmus}: BROKEN (${searched}, ${runs} runs)`;
  const switches = Object.entries(report.proposals)
    .map(([name, value]) => `  with ${name}=${value}`);
  const ends = outcomes.map(({ name, count, schedule }) =>
    `  ${String(count).padStart(7)} × ${name}   e.g. ${schedule}`
  );
  const broken = violations.flatMap((violation) => [
    `  ${String(violation.count).padStart(7)} × ${violation.kind}: ` +
    violation.invariant.split("\n")[0],
    "",
    `The shortest such run, --replay ${violation.schedule}`,
    "",
    violation.diagram,
  ]);
  return [verdict, ...switches, ...ends, ...broken].join("\n") + "\n";
}

async function runText(
  subject: string,
  options: RaceOptions,
  host: RaceHost,
): Promise<number> {
  if (subject !== "-" && !/[./]/.test(subject)) litmusNamed(subject);
  const text = await host.read(subject);
  const litmus = litmusNamed(options.litmus);
  const program = programOf(
    litmus,
    proposalsFor(litmus, options),
    options.variant,
  );
  const { run, schedule, misfit } = runDiagram(program, text);
  if (misfit !== null) {
    return tell(
      host,
      `line ${misfit.line} cannot happen: ${misfit.why}\n`,
      2,
    );
  }
  const { violation } = run;
  const result = violation === null
    ? `holds: ${run.outcome}`
    : `BROKEN, ${violation.kind}: ${violation.message}`;
  return tell(
    host,
    `${litmus.name}, --replay ${schedule}\n${result}\n`,
    violation === null ? 0 : 1,
  );
}

async function readText(path: string): Promise<string> {
  if (path === "-") return await new Response(Deno.stdin.readable).text();
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    const { message } = error as Error;
    throw new TypeError(`No litmus test and no file "${path}": ${message}`);
  }
}

if (import.meta.main) {
  const isTerminal = Deno.stderr.isTerminal();
  const code = await main(Deno.args, {
    print: (text) => Deno.stdout.writeSync(new TextEncoder().encode(text)),
    read: readText,
    progress: (text) => {
      if (isTerminal) console.error(`\r${text}`);
    },
  });
  Deno.exit(code);
}
