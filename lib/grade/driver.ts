/**
 * The program in the sandbox: the only place where student text is parsed and
 * run. It is bundled to one plain JavaScript file and started by sandbox.ts
 * in a process without any permission.
 *
 * It knows no test, no expected value and no points. The student's code runs
 * in this very isolate and may break everything here: all it can gain by that
 * is to choose its own answers, which are judged elsewhere.
 *
 * The loop is synchronous: timers and promises of the student never run.
 */
import { transform } from "sucrase";
import { toPlain } from "./plain.ts";
import type {
  CallRequest,
  ErrorStage,
  Request,
  StartRequest,
} from "./protocol.ts";

type Exports = Record<string, unknown>;
type StageFunction = (...args: unknown[]) => unknown;

// Taken before the student's module is loaded.
const { parse, stringify } = JSON;
const { apply } = Reflect;
const { inspect } = Deno;
const evaluate = globalThis.eval;
const readSync = Deno.stdin.readSync.bind(Deno.stdin);
const writeOut = Deno.stdout.writeSync.bind(Deno.stdout);
const writeErr = Deno.stderr.writeSync.bind(Deno.stderr);
const encode = TextEncoder.prototype.encode.bind(new TextEncoder());
const decode = TextDecoder.prototype.decode.bind(new TextDecoder());
const { call } = Function.prototype;
const subarray = call.bind(Uint8Array.prototype.subarray) as (
  bytes: Uint8Array,
  from: number,
  to?: number,
) => Uint8Array;
const indexOf = call.bind(Uint8Array.prototype.indexOf) as (
  bytes: Uint8Array,
  wanted: number,
  from: number,
) => number;
const set = call.bind(Uint8Array.prototype.set) as (
  bytes: Uint8Array,
  from: Uint8Array,
) => void;
const copyWithin = call.bind(Uint8Array.prototype.copyWithin) as (
  bytes: Uint8Array,
  to: number,
  from: number,
  end: number,
) => void;
const newline = 10;
const findLine = call.bind(RegExp.prototype.exec) as (
  pattern: RegExp,
  text: string,
) => RegExpExecArray | null;
const SafeError = Error;

/** A failure of the student's module, and when it happened. */
class StageError extends SafeError {
  stage: ErrorStage;

  constructor(stage: ErrorStage, message: string) {
    super(message);
    this.stage = stage;
  }
}

const studentFile = "your_file.ts";
const stackLine = /your_file\.ts\D*(\d+)/;

/** What was thrown, in one sentence, with the line in the student's file. */
function describe(thrown: unknown): string {
  if (!(thrown instanceof SafeError)) return `threw ${inspect(thrown)}`;
  const at = findLine(stackLine, `${thrown.stack}`);
  const where = at === null ? "" : ` (line ${at[1]} of your file)`;
  const kind = thrown.name === "Error" ? "" : `${thrown.name}: `;
  return `${kind}${thrown.message}${where}`;
}

function writeLine(text: string): void {
  let bytes = encode(`${text}\n`);
  while (bytes.length > 0) {
    bytes = subarray(bytes, writeOut(bytes)) as typeof bytes;
  }
}

/** Lines of stdin; null at its end. A request is larger than one read. */
function makeLineReader(): () => string | null {
  let held = new Uint8Array(1 << 20);
  let length = 0;
  return () => {
    let scanned = 0;
    for (;;) {
      const found = indexOf(held, newline, scanned);
      if (found >= 0 && found < length) {
        const line = decode(subarray(held, 0, found));
        copyWithin(held, 0, found + 1, length);
        length -= found + 1;
        return line;
      }
      scanned = length;
      if (length === held.length) {
        const larger = new Uint8Array(2 * length);
        set(larger, held);
        held = larger;
      }
      const count = readSync(subarray(held, length));
      if (count === null) return null;
      length += count;
    }
  };
}

/** `console.log()` and its kin write to stderr: stdout carries the answers. */
function redirectConsole(): void {
  const print = (...args: unknown[]) => {
    let text = "";
    for (let i = 0; i < args.length; i++) {
      const arg = args[i];
      text += (i > 0 ? " " : "") +
        (typeof arg === "string" ? arg : inspect(arg));
    }
    writeErr(encode(`${text}\n`));
  };
  const quiet = globalThis.console as unknown as Record<string, unknown>;
  for (const name of Object.keys(quiet)) {
    if (typeof quiet[name] === "function") quiet[name] = print;
  }
}

/** `./x.ts` of `lib/mm/a.ts` is `lib/mm/x.ts`; `swaplab/…` is `lib/…`. */
function resolve(specifier: string, importer: string): string {
  if (specifier === "swaplab") return "lib/mod.ts";
  if (specifier.startsWith("swaplab/")) return `lib/${specifier.slice(8)}`;
  if (!specifier.startsWith(".")) return `npm:${specifier}`;
  const parts = importer.split("/").slice(0, -1);
  for (const part of specifier.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== ".") parts.push(part);
  }
  return parts.join("/");
}

function compileStudent(source: string): string {
  try {
    const { code } = transform(source, {
      transforms: ["typescript", "imports"],
      disableESTransforms: true,
      filePath: studentFile,
    });
    // Parsed once without running, so that a syntax error has its own stage.
    new Function("exports", "require", "module", code);
    return code;
  } catch (thrown) {
    const message = thrown instanceof SafeError ? thrown.message : "";
    throw new StageError("parse", message);
  }
}

/** Links modules on demand; cycles see what is exported so far. */
function makeRequire(request: StartRequest, student: string) {
  const loaded = new Map<string, Exports>();
  const load = (path: string, importer: string, wanted: string): Exports => {
    const known = loaded.get(path);
    if (known !== undefined) return known;
    const text = path === request.module ? student : request.table[path];
    if (text === undefined) {
      const message = `Cannot import "${wanted}": wanted "swaplab/…" or a ` +
        `path inside the engine`;
      throw new StageError("import", `${message} (imported by ${importer})`);
    }
    const name = path === request.module ? studentFile : path;
    const module = { exports: {} as Exports };
    loaded.set(path, module.exports);
    const wrapped = `(function (exports, require, module) {${text}\n})` +
      `\n//# sourceURL=${name}`;
    const require = (specifier: string) =>
      load(resolve(specifier, path), name, specifier);
    evaluate(wrapped)(module.exports, require, module);
    loaded.set(path, module.exports);
    return module.exports;
  };
  return (path: string) => load(path, "the grader", path);
}

function loadModule(require: (path: string) => Exports, path: string): Exports {
  try {
    return require(path);
  } catch (thrown) {
    if (thrown instanceof StageError) throw thrown;
    throw new StageError("load", describe(thrown));
  }
}

function start(request: StartRequest): Record<string, StageFunction> {
  const student = compileStudent(request.source);
  const require = makeRequire(request, student);
  const subject = loadModule(require, request.module);
  for (const name of request.wantedExports) {
    if (typeof subject[name] === "function") continue;
    throw new StageError("export", `Your file does not export ${name}()`);
  }
  const { makeStage } = loadModule(require, request.stage);
  return (makeStage as StageFunction)(subject) as ReturnType<typeof start>;
}

let stage: Record<string, StageFunction> = {};

function perform(request: CallRequest): string {
  let result: unknown;
  try {
    result = apply(stage[request.call]!, undefined, request.args);
  } catch (thrown) {
    throw new StageError("call", describe(thrown));
  }
  return stringify(toPlain(result));
}

function answer(request: Request): string {
  const id = stringify(request.id);
  try {
    if ("call" in request) return `{"id":${id},"value":${perform(request)}}`;
    stage = start(request);
    return `{"id":${id},"value":null}`;
  } catch (thrown) {
    const at = thrown instanceof StageError ? thrown.stage : "call";
    const message = thrown instanceof SafeError ? thrown.message : "";
    const error = stringify({ stage: at, message: `${message}` });
    return `{"id":${id},"error":${error}}`;
  }
}

redirectConsole();
const readLine = makeLineReader();
for (let line = readLine(); line !== null; line = readLine()) {
  writeLine(answer(parse(line) as Request));
}
