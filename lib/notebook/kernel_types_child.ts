/**
 * The process in which our kernel's language service runs: questions on stdin,
 * answers on stdout, one JSON value a line each. Ours.
 *
 *     deno run -A kernel_types_child.ts
 */
import process from "node:process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import {
  complete,
  type Completion,
  inspect,
  type Inspection,
  typeErrors,
} from "./kernel_types_answers.ts";
import { type CellService, makeCellService } from "./kernel_types_service.ts";
import type { ErrorOutput } from "./nbformat.ts";

export type Question =
  | { ask: "check"; id: string; source: string; isOff: boolean }
  | { ask: "add"; source: string }
  | { ask: "complete"; source: string; cursor: number }
  | { ask: "inspect"; source: string; cursor: number };

export interface Verdict {
  error: ErrorOutput | null;
  /** Modules on disk that were edited since the last check. */
  changed: string[];
}

/** What each question is answered with; `failed` if TypeScript threw. */
export type Reply =
  | { verdict: Verdict }
  | { completion: Completion }
  | { inspection: Inspection }
  | { added: true }
  | { failed: string };

/** Nobody has asked for so long, in milliseconds: there is time to load. */
const IDLE_MS = 300;

/** Loads the engine's types before anybody waits for them. */
function warmUp(cells: CellService): void {
  typeErrors(cells, { id: "", source: `import { show } from "swaplab"; show` });
}

function reply(cells: CellService, question: Question): Reply {
  switch (question.ask) {
    case "check": {
      const changed = cells.changedFiles();
      const error = question.isOff ? null : typeErrors(cells, question);
      return { verdict: { error, changed } };
    }
    case "add":
      cells.cells.add(question.source);
      return { added: true };
    case "complete": {
      const { source, cursor } = question;
      return { completion: complete(cells, source, cursor) };
    }
    case "inspect": {
      const { source, cursor } = question;
      return { inspection: inspect(cells, source, cursor) };
    }
  }
}

async function main(): Promise<void> {
  const root = fileURLToPath(new URL("../..", import.meta.url));
  const cells = makeCellService(process.cwd(), root.replace(/[/\\]$/, ""));
  process.on("SIGINT", () => {}); // A terminal's ^C is for the kernel.
  typeErrors(cells, { id: "", source: "" }); // Loads those of the language.
  const timer = setTimeout(warmUp, IDLE_MS, cells);
  for await (const line of createInterface({ input: process.stdin })) {
    clearTimeout(timer);
    let answer: Reply;
    try {
      answer = reply(cells, JSON.parse(line));
    } catch (error) {
      answer = { failed: error instanceof Error ? error.message : "" };
    }
    process.stdout.write(`${JSON.stringify(answer)}\n`);
  }
  process.exit(0);
}

if (import.meta.main) await main();
