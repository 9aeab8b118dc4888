/**
 * deno task race: every race of the threads, searched and told.
 *
 * Exit code: 0 all invariants hold, 1 violation found, 2 bad input, 3 bound
 * reached before the search was complete.
 */
import { SimError } from "../base/bug.ts";
import { runDiagram } from "../lab/diagram.ts";
import { printDiagram } from "../lab/diagram_print.ts";
import { DiagramError } from "../lab/diagram_text.ts";
import { findLitmus, litmusTests } from "../lab/litmus/mod.ts";
import { raceCommand, racePage } from "../lab/race_address.ts";
import {
  chosenProgram,
  type RaceChoice,
  replayRace,
  searchRace,
} from "../lab/race_search.ts";
import { raceText } from "../lab/race_text.ts";
import { parseRaceOptions, type RaceOptions, usage } from "./options.ts";

/** Where the command's text goes and comes from. */
export interface RaceHost {
  readonly print: (text: string) => void;
  /** Standard input, or a file. */
  readonly read: (path: string) => Promise<string>;
  readonly progress?: (text: string) => void;
  /** A line in grey, where there are colours. */
  readonly grey?: (line: string) => string;
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
    return /[./]|^-$/.test(options.subject)
      ? await runText(options.subject, options, host)
      : runLitmus(options.subject, options, host);
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

function choiceOf(
  litmus: string,
  { variant, proposals }: RaceOptions,
): RaceChoice {
  return { litmus: findLitmus(litmus).name, variant, proposals };
}

function runLitmus(
  name: string,
  options: RaceOptions,
  host: RaceHost,
): number {
  const { search, replay, json } = options;
  const choice = choiceOf(name, options);
  const progress = (runs: number) => host.progress?.(`${runs} runs`);
  const report = replay === null
    ? searchRace(choice, { ...search, progress })
    : replayRace(choice, replay);
  const { violations } = report;
  host.print(json ? JSON.stringify(report) + "\n" : raceText(report));
  const [first] = violations;
  if (!json && first !== undefined) {
    const { schedule } = first;
    host.print(`In the book: ${racePage({ ...choice, schedule })}\n`);
  }
  if (violations.length > 0) return 1;
  return report.complete || replay !== null ? 0 : 3;
}

async function runText(
  path: string,
  options: RaceOptions,
  host: RaceHost,
): Promise<number> {
  const text = await host.read(path);
  if (options.litmus === null) {
    const names = litmusTests.map(({ name }) => name).join(", ");
    throw new TypeError(
      `A diagram needs a machine: --litmus NAME, one of ${names}`,
    );
  }
  const choice = choiceOf(options.litmus, options);
  const { program } = chosenProgram(choice);
  const { run, schedule, misfit } = runDiagram(program, text);
  if (misfit !== null) {
    const line = `line ${misfit.line} cannot happen: ${misfit.why}\n`;
    return tell(host, line, 2);
  }
  const { violation } = run;
  const result = violation === null
    ? `holds: ${run.outcome}`
    : `BROKEN, ${violation.kind}: ${violation.message}`;
  const whole = filledIn(printDiagram(program, schedule), text, host);
  return tell(
    host,
    `${raceCommand({ ...choice, schedule })}\n${result}\n\n${whole}`,
    violation === null ? 0 : 1,
  );
}

/** The run as a diagram; grey, in a terminal: what the text did not name. */
function filledIn(diagram: string, text: string, host: RaceHost): string {
  if (host.grey === undefined) return diagram;
  const named = new Set(text.match(/\w+/g));
  const lines = diagram.split("\n").map((line) => {
    const call = /^\s*(\w+)\(\)$/.exec(line)?.[1];
    return call === undefined || named.has(call) ? line : host.grey!(line);
  });
  return lines.join("\n");
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
  const colours = Deno.stdout.isTerminal() && !Deno.noColor;
  const code = await main(Deno.args, {
    print: (text) => Deno.stdout.writeSync(new TextEncoder().encode(text)),
    read: readText,
    progress: (text) => {
      if (isTerminal) console.error(`\r${text}`);
    },
    ...(colours ? { grey: (line) => `\x1b[90m${line}\x1b[39m` } : {}),
  });
  Deno.exit(code);
}
