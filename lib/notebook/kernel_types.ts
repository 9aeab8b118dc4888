/**
 * Types, completion and inspection for our kernel: a language service in a
 * process of its own, so that the kernel answers while TypeScript thinks, and
 * a type without end can be interrupted. Ours.
 *
 * Should the process die, the next question starts another, which is told of
 * all cells that ran.
 */
import { type ChildProcess, spawn } from "node:child_process";
import process from "node:process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { Completion, Inspection } from "./kernel_types_answers.ts";
import type { Question, Reply, Verdict } from "./kernel_types_child.ts";

export interface Types {
  /** @throws {TypesEnded} if there is no verdict */
  check(id: string, source: string, isOff: boolean): Promise<Verdict>;
  /** `source` has run. */
  add(source: string): void;
  complete(source: string, cursor: number): Promise<Completion | null>;
  inspect(source: string, cursor: number): Promise<Inspection | null>;
  /** Ends the process; the next question starts another. */
  stop(): void;
}

/**
 * isUnchecked() - does the cell say `types-off`, by its tags or at its start?
 *
 * Some clients send a cell's tags, some do not; a comment always comes.
 */
export function isUnchecked(code: string, tags: unknown): boolean {
  const isTagged = Array.isArray(tags) && tags.includes("types-off");
  return isTagged || /^\s*\/\/ *types-off\b/.test(code);
}

/** Why there is no verdict. */
export class TypesEnded extends Error {
  override name = "TypesEnded";
}

/** A process and those who wait for its answers, in order. */
interface Live {
  child: ChildProcess;
  waiting: PromiseWithResolvers<Reply>[];
}

/** How much memory TypeScript may use for objects. */
const MEMORY_MIB = 2_048;

/** makeTypes() - for a notebook in the folder `cwd`; starts at once. */
export function makeTypes(cwd: string): Types {
  const added: string[] = [];
  let live: Live | null = start(cwd);

  function ask(question: Question): Promise<Reply> {
    if (live === null || live.child.exitCode !== null) {
      live = start(cwd);
      for (const source of added) {
        put(live, { ask: "add", source }).catch(() => {}); // As below.
      }
    }
    return put(live, question);
  }

  return {
    async check(id, source, isOff) {
      const reply = await ask({ ask: "check", id, source, isOff });
      if ("verdict" in reply) return reply.verdict;
      throw new TypesEnded("failed" in reply ? reply.failed : "no verdict");
    },
    add(source) {
      ask({ ask: "add", source }).catch(() => {}); // It is in `added`.
      added.push(source);
    },
    async complete(source, cursor) {
      const reply = await ask({ ask: "complete", source, cursor })
        .catch(() => null);
      return reply !== null && "completion" in reply ? reply.completion : null;
    },
    async inspect(source, cursor) {
      const reply = await ask({ ask: "inspect", source, cursor })
        .catch(() => null);
      return reply !== null && "inspection" in reply ? reply.inspection : null;
    },
    stop() {
      live?.child.kill("SIGKILL");
      live = null;
    },
  };
}

function put({ child, waiting }: Live, question: Question): Promise<Reply> {
  const answer = Promise.withResolvers<Reply>();
  waiting.push(answer);
  child.stdin?.write(`${JSON.stringify(question)}\n`);
  return answer.promise;
}

function start(cwd: string): Live {
  const file = (path: string) => fileURLToPath(new URL(path, import.meta.url));
  const args = [
    "run",
    "--allow-all",
    "--no-check",
    `--config=${file("../../deno.json")}`,
    `--v8-flags=--max-old-space-size=${MEMORY_MIB}`,
    file("kernel_types_child.ts"),
  ];
  const child = spawn(process.execPath, args, {
    cwd,
    env: { ...process.env, NO_COLOR: "1" },
    stdio: ["pipe", "pipe", "ignore"],
  });
  const waiting: Live["waiting"] = [];
  child.stdin?.on("error", () => {}); // It has ended; "close" tells.
  child.once("close", (code) => {
    const reason = new TypesEnded(`TypeScript's process ended (code ${code})`);
    for (const one of waiting.splice(0)) one.reject(reason);
  });
  if (child.stdout !== null) {
    createInterface({ input: child.stdout }).on("line", (line) => {
      waiting.shift()?.resolve(JSON.parse(line));
    });
  }
  return { child, waiting };
}
