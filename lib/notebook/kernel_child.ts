/**
 * The process in which the cells of our Jupyter kernel run: a session, its
 * requests on stdin, its events on stdout; see kernel_frames.ts. Ours.
 *
 *     deno run -A kernel_child.ts NONCE PARENT
 *
 * It holds no state that is not made by running the cells, so the kernel may
 * kill it at any time and make another by running them again.
 */
import { writeSync } from "node:fs";
import { isBuiltin } from "node:module";
import process from "node:process";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";
import { makeConsole, type StreamName } from "./cell_console.ts";
import { inspect } from "../show/inspect.ts";
import type { ModuleLoader } from "./imports.ts";
import { installJupyter } from "./kernel_jupyter.ts";
import {
  type ChildEvent,
  encodeEvent,
  type ExpressionResult,
  type ExpressionResults,
  makeMark,
  type RunRequest,
} from "./kernel_frames.ts";
import { makeTslab } from "./kernel_tslab.ts";
import type { Output } from "./nbformat.ts";
import { projectLoader } from "./run.ts";
import { makeSession, type Session } from "./session.ts";

const STDOUT = 1;

/** How often to look whether the parent is there, in milliseconds. */
const WATCH_MS = 1_000;

/**
 * A cell imports what the project's import map names, packages by their URL
 * (`npm:…`, `node:…`), modules of Node also without it, and files relative to
 * the folder of the notebook. `tslab` is what its notebooks take it for.
 */
function makeModuleLoader(send: (event: ChildEvent) => void): ModuleLoader {
  const tslab = makeTslab(send);
  return async (specifier) => {
    if (specifier === "tslab") return tslab;
    if (/^\.{0,2}\//.test(specifier)) {
      return await import(new URL(specifier, folderUrl()).href);
    }
    if (/^[a-z]+:/.test(specifier)) return await import(specifier);
    if (isBuiltin(specifier)) return await import(`node:${specifier}`);
    return await projectLoader()(specifier);
  };
}

function folderUrl(): URL {
  return pathToFileURL(`${process.cwd()}/`);
}

/** All of `text`, though the pipe may take only a part at a time. */
function writeAll(text: string): void {
  let bytes = new TextEncoder().encode(text);
  while (bytes.length > 0) {
    bytes = bytes.subarray(writeSync(STDOUT, bytes));
  }
}

function makeSend(mark: string): (event: ChildEvent) => void {
  return (event) => writeAll(encodeEvent(mark, event));
}

/** A bundle may hold what JSON cannot say; that must not end the process. */
function sendOutput(send: (event: ChildEvent) => void, output: Output): void {
  try {
    send({ event: "output", output });
  } catch (error) {
    const evalue = `an output cannot be sent as JSON: ${
      error instanceof Error ? error.message : inspect(error)
    }`;
    const traceback = [`TypeError: ${evalue}`];
    const told = { output_type: "error", ename: "TypeError" } as const;
    send({ event: "output", output: { ...told, evalue, traceback } });
  }
}

/** What modules print, and late cells: the session gives cells their own. */
function takeConsole(emit: (output: Output) => void): void {
  const write = (name: StreamName, text: string) =>
    emit({ output_type: "stream", name, text });
  globalThis.console = { ...console, ...makeConsole(write) };
}

/** A cell that asks would work nowhere but here, and stop "Run all". */
function refuseInput(): void {
  const refuse = (name: string) => () => {
    throw new Error(
      `${name}() is not there: a cell runs without anyone to ask; ` +
        `write the value into the cell`,
    );
  };
  for (const name of ["prompt", "confirm", "alert"]) {
    Object.defineProperty(globalThis, name, {
      value: refuse(name),
      configurable: true,
      writable: true,
    });
  }
}

async function evaluate(
  session: Session,
  expressions: Record<string, string>,
): Promise<ExpressionResults> {
  const results: [string, ExpressionResult][] = [];
  for (const [name, source] of Object.entries(expressions)) {
    const outputs = await session.run(source, { id: `expression-${name}` });
    results.push([name, resultOf(outputs)]);
  }
  return Object.fromEntries(results);
}

function resultOf(outputs: readonly Output[]): ExpressionResult {
  for (const output of outputs) {
    if (output.output_type === "error") {
      const { ename, evalue, traceback } = output;
      return { status: "error", ename, evalue, traceback };
    }
    if (output.output_type === "execute_result") {
      return { status: "ok", data: output.data, metadata: output.metadata };
    }
  }
  return { status: "ok", data: { "text/plain": "undefined" }, metadata: {} };
}

/**
 * A thread that ends this process when its parent is gone, since a cell that
 * never ends cannot notice that itself.
 */
function watchParent(pid: number): void {
  const program = `
    import process from "node:process";
    setInterval(() => {
      try { process.kill(${pid}, 0); }
      catch { process.kill(${process.pid}, "SIGKILL"); }
    }, ${WATCH_MS});`;
  const url = `data:application/javascript,${encodeURIComponent(program)}`;
  new Worker(url, { type: "module" });
}

async function main(nonce: string, parent: string): Promise<void> {
  const send = makeSend(makeMark(nonce));
  const emit = (output: Output) => sendOutput(send, output);
  const session = makeSession({ load: makeModuleLoader(send) });
  takeConsole(emit);
  refuseInput();
  installJupyter(send);
  // A terminal's ^C reaches the whole group; the kernel decides what it means.
  process.on("SIGINT", () => {});
  watchParent(Number(parent));
  for await (const line of createInterface({ input: process.stdin })) {
    const { id, source, expressions }: RunRequest = JSON.parse(line);
    const outputs = await session.run(source, { id, onOutput: emit });
    const isOk = outputs.every((one) => one.output_type !== "error");
    const results = isOk ? await evaluate(session, expressions) : {};
    send({ event: "done", expressions: results });
  }
  process.exit(0);
}

if (import.meta.main) {
  await main(process.argv[2] ?? "", process.argv[3] ?? "");
}
