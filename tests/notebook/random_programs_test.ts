/**
 * The compiler's oracle is JavaScript itself: random programs do as a cell, and
 * cut into cells, what they do as a module.
 */
import assert from "node:assert/strict";
import { makeLoader } from "swaplab/notebook/imports.ts";
import { makeSession } from "swaplab/notebook/session.ts";
import { makeRandom } from "./random_notebooks.ts";
import { randomProgram } from "./random_programs.ts";

const PROGRAMS = 400;
const MAX_LINES = 200;

/** A value as a line; deep and strange ones only as far as is needed. */
function told(value: unknown, depth = 0): string {
  if (depth > 3) return "…";
  if (typeof value === "function") return `function ${value.name}`;
  if (Array.isArray(value)) {
    return `[${value.map((one) => told(one, depth + 1))}]`;
  }
  if (typeof value !== "object" || value === null) {
    return `${typeof value} ${String(value)}`;
  }
  if (value instanceof Error) return `error ${value.name}`;
  return `{${Object.keys(value)}}`;
}

/** What a run logs, and by what kind of error it ends. */
async function logOf(run: () => Promise<string | null>): Promise<string[]> {
  const lines: string[] = [];
  Reflect.set(globalThis, "log", (...values: unknown[]) => {
    if (lines.length > MAX_LINES) throw new Error("too many lines");
    lines.push(values.map((one) => told(one)).join(" "));
  });
  const error = await run();
  return error === null ? lines : [...lines, `ended by ${error}`];
}

function asModule(text: string, seed: number): Promise<string[]> {
  const source = `${text}\n;// ${seed}`;
  const url = `data:text/javascript,${encodeURIComponent(source)}`;
  return logOf(async () => {
    try {
      await import(url);
      return null;
    } catch (error) {
      return error instanceof Error ? error.name : "Thrown";
    }
  });
}

function asCells(cells: readonly string[]): Promise<string[]> {
  const session = makeSession({ load: makeLoader({}) });
  return logOf(async () => {
    for (const cell of cells) {
      const outputs = await session.run(`${cell}\n;void 0`);
      const error = outputs.find((one) => one.output_type === "error");
      if (error !== undefined) return error.ename;
    }
    return null;
  });
}

/** The text of a function is the compiled one, which no cell may rely on. */
function hideFunctionTexts(): () => void {
  const { toString } = Function.prototype;
  Function.prototype.toString = () => "a function";
  return () => void (Function.prototype.toString = toString);
}

Deno.test({
  name: `${PROGRAMS} random programs do as cells what they do as modules`,
  // Their promises nobody waits for; what counts is what is logged.
  sanitizeOps: false,
  sanitizeResources: false,
  fn: async () => {
    const putBack = hideFunctionTexts();
    const quiet = (event: Event) => event.preventDefault();
    globalThis.addEventListener("unhandledrejection", quiet);
    const awake = setInterval(() => {}, 1_000);
    let compared = { whole: 0, cut: 0 };
    try {
      for (let seed = 1; seed <= PROGRAMS; seed++) {
        compared = await compareOne(seed, compared);
      }
    } finally {
      clearInterval(awake);
      globalThis.removeEventListener("unhandledrejection", quiet);
      Reflect.deleteProperty(globalThis, "log");
      putBack();
    }
    assert.ok(compared.whole > PROGRAMS / 3, JSON.stringify(compared));
    assert.ok(compared.cut > PROGRAMS / 20, JSON.stringify(compared));
  },
});

async function compareOne(
  seed: number,
  { whole, cut }: { whole: number; cut: number },
) {
  const parts = randomProgram(makeRandom(seed));
  const text = parts.join("");
  const wanted = await asModule(text, seed);
  assert.deepEqual(await asCells([text]), wanted, `seed ${seed}\n${text}`);
  if (wanted.at(-1)?.endsWith("SyntaxError")) return { whole, cut };
  const cells = cutBehindDeclarations(parts);
  const told = `seed ${seed}\n${cells.join("--- cell\n")}`;
  assert.deepEqual(await asCells(cells), wanted, told);
  return { whole: whole + 1, cut: cut + (cells.length > 1 ? 1 : 0) };
}

/** In a module a name is there from the beginning, in cells from its own. */
function cutBehindDeclarations(parts: readonly string[]): string[] {
  const last = parts.findLastIndex((part) =>
    /^(let|const|var|class|function|async function)\b/.test(part)
  );
  return [parts.slice(0, last + 1).join(""), ...parts.slice(last + 1)];
}
