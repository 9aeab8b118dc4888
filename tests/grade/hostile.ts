/**
 * Modules that want points without an answer, or harm, each with the verdict
 * that it must get: the statuses of the two tests of the toy exercise.
 *
 * `wrong` stands for an answer that is wrong everywhere, `right` for a right
 * one: what else the module does must not change what it deserves.
 */
export interface Hostile {
  readonly name: string;
  readonly source: string;
  /** All statuses that are a correct verdict, as regular expression. */
  readonly verdict: RegExp;
}

const wrong = "export function double(x: number) { return x; }";
const right = "export function double(x: number) { return 2 * x; }";

/** A module whose function has this body. */
function body(code: string): string {
  return `export function double(x: any): any { ${code} }`;
}

const failed = /^graded 0\/4: failed failed$/;
const threw = /^graded 0\/4: threw threw$/;
const crashed = /^graded 0\/4: crashed crashed$/;
const timeout = /^graded 0\/4: timeout timeout$/;
const protocol = /^graded 0\/4: protocol protocol$/;
const full = /^graded 4\/4: passed passed$/;
const noImport = /^not gradable 0\/4: Your file imports what it cannot have/;
const noParse = /^not gradable 0\/4: Your file is not valid TypeScript/;

/** Writes to the very stream that carries the answers. */
function emit(text: string): string {
  const quoted = JSON.stringify(text);
  return `Deno.stdout.writeSync(new TextEncoder().encode(${quoted}));`;
}

export const hostile: readonly Hostile[] = [
  // Verdict forgery.
  { name: "Deno.exit(0)", source: `Deno.exit(0); ${wrong}`, verdict: crashed },
  {
    name: "process.exit(0)",
    source: `(globalThis as any).process.exit(0); ${wrong}`,
    verdict: crashed,
  },
  {
    name: "Deno.exit(0) in the call",
    source: body("Deno.exit(0);"),
    verdict: crashed,
  },
  {
    name: "Deno.test replaced",
    source: `(Deno as any).test = () => {}; ${wrong}`,
    verdict: failed,
  },
  {
    name: "Deno.test swallows failures",
    source: `const t = Deno.test;
      (Deno as any).test = (n: string) => t(n, () => {}); ${wrong}`,
    verdict: failed,
  },
  {
    name: "prints a summary and exits",
    source: `${emit("ok | 2 passed | 0 failed (3ms)\n")} Deno.exit(0);
      ${wrong}`,
    verdict: protocol,
  },
  {
    name: "prints a verdict",
    source: body(
      emit('{"passed":true,"score":100,"points":4}\n') + "return x;",
    ),
    verdict: protocol,
  },
  {
    name: "answers before it is asked",
    source: `for (let id = 0; id < 1000; id++) {
      const text = JSON.stringify({ id: String(id), value: 6 });
      Deno.stdout.writeSync(new TextEncoder().encode(text + "\\n"));
    } ${wrong}`,
    verdict: protocol,
  },
  {
    name: "half a frame, then death",
    source: body(emit('{"id":"') + "Deno.exit(0);"),
    verdict: crashed,
  },
  {
    name: "JSON.stringify and Object.is lie",
    source: `JSON.stringify = () => "6"; Object.is = () => true;
      JSON.parse = () => ({}); ${wrong}`,
    verdict: failed,
  },
  {
    name: "polluted prototypes",
    source: `Object.defineProperty(Object.prototype, "value", { value: 6 });
      (Number.prototype as any).toJSON = () => 6;
      Array.prototype.every = () => true; ${wrong}`,
    verdict: failed,
  },
  {
    name: "polluted prototypes beside a right answer",
    source: `(Object.prototype as any).toJSON = () => 1;
      (Array.prototype as any).push = () => 0;
      (Map.prototype as any).get = () => undefined; ${right}`,
    verdict: /^graded [04]\/4/,
  },
  {
    name: "equal to everything",
    source: body(`return { valueOf: () => 2 * x, toJSON: () => 2 * x,
      [Symbol.toPrimitive]: () => 2 * x };`),
    verdict: failed,
  },
  {
    name: "a tag of its own",
    source: body(`return { $: 2 * x };`),
    verdict: failed,
  },
  {
    name: "a revoked proxy",
    source: body(`const p = Proxy.revocable({}, {}); p.revoke();
      return p.proxy;`),
    verdict: threw,
  },
  {
    name: "exports then()",
    source: `export function then() {} ${right}`,
    verdict: full,
  },
  {
    name: "ends the wrapper around it",
    source: `}); Deno.exit(0); (function () { ${wrong}`,
    verdict: noParse,
  },
  {
    name: "watches the stack",
    source: `(Error as any).prepareStackTrace = (_: any, sites: any[]) =>
      sites.map((s) => s.getFunction?.()); ${
      body("throw new Error('see me');")
    }`,
    verdict: threw,
  },
  // Secrets.
  {
    name: "imports the answer",
    source: `export { double } from "../tests/grade/toy/answer.ts";`,
    verdict: noImport,
  },
  {
    name: "imports a file as text",
    source: `import text from "/etc/passwd" with { type: "text" };
      console.log(text); ${wrong}`,
    verdict: noImport,
  },
  {
    name: "imports from npm",
    source: `import pad from "npm:left-pad@1.3.0"; pad; ${wrong}`,
    verdict: noImport,
  },
  {
    name: "imports node:fs",
    source: `import fs from "node:fs"; fs; ${wrong}`,
    verdict: noImport,
  },
  {
    name: "a computed dynamic import",
    source: `const it = (0, eval)('import("/etc/passwd")');
      it.catch(() => {}); ${wrong}`,
    verdict: failed,
  },
  {
    name: "reads a file",
    source: body(`return Deno.readTextFileSync("/etc/passwd").length;`),
    verdict: threw,
  },
  {
    name: "reads the environment",
    source: body(`return Deno.env.toObject();`),
    verdict: threw,
  },
  {
    name: "reads its own memory map",
    source: body(`return Deno.readTextFileSync("/proc/self/maps").length;`),
    verdict: threw,
  },
  {
    name: "starts a program",
    source: body(`return new Deno.Command("id").outputSync().code;`),
    verdict: threw,
  },
  {
    name: "listens on a port",
    source: body(`return Deno.listen({ port: 0 }).addr;`),
    verdict: threw,
  },
  {
    name: "asks for a permission",
    source: body(`Deno.permissions.requestSync({ name: "read" });
      return Deno.readTextFileSync("/etc/hostname").length;`),
    verdict: threw,
  },
  {
    name: "remembers inputs on the disk",
    source: `let seen = 0;
      try {
        seen = Number(localStorage.getItem("runs"));
        localStorage.setItem("runs", String(seen + 1));
      } catch { /* Nothing is kept. */ }
      export function double(x: number) { return seen > 0 ? 2 * x : x; }`,
    verdict: failed,
  },
  {
    name: "reads the next request",
    source: body(`return Deno.stdin.readSync(new Uint8Array(1000));`),
    verdict: timeout,
  },
  // Resources.
  { name: "loops at load", source: `for (;;); ${wrong}`, verdict: timeout },
  { name: "loops in the call", source: body("for (;;);"), verdict: timeout },
  {
    name: "loops in a getter of its answer",
    source: body("return { get a() { for (;;); } };"),
    verdict: timeout,
  },
  {
    name: "waits without working",
    source: body(`const word = new Int32Array(new SharedArrayBuffer(4));
      Atomics.wait(word, 0, 0);`),
    verdict: timeout,
  },
  {
    name: "never settles",
    source: `await new Promise(() => {}); ${wrong}`,
    verdict: noParse,
  },
  {
    name: "stops itself",
    source: body(`process.kill(process.pid, "SIGSTOP"); for (;;);`),
    verdict: timeout,
  },
  {
    name: "kills itself",
    source: body(`process.kill(process.pid, "SIGKILL"); for (;;);`),
    verdict: crashed,
  },
  {
    name: "does not listen to signals",
    source: `for (const name of ["SIGTERM", "SIGINT", "SIGXCPU"] as const) {
        Deno.addSignalListener(name, () => {});
      } for (;;); ${wrong}`,
    verdict: timeout,
  },
  {
    name: "fills the heap",
    source: body(
      "const a: any[] = []; for (;;) a.push(new Array(1e5).fill(x));",
    ),
    verdict: /^graded 0\/4: (memory|timeout) (memory|timeout)$/,
  },
  {
    name: "fills array buffers",
    source: body(`const kept: any[] = [];
      for (let i = 0; i < 64; i++) kept.push(new Uint8Array(1 << 26).fill(1));
      return 2 * x;`),
    verdict: /^graded 0\/4: (threw|memory|timeout) (threw|memory|timeout)$/,
  },
  {
    name: "two hundred workers",
    source: body(`const url = "data:text/javascript,for(;;);";
      for (let i = 0; i < 200; i++) new Worker(url, { type: "module" });
      for (;;);`),
    verdict: /^graded 0\/4: (\w+) \1$/,
  },
  {
    name: "floods standard output",
    source: body(`const much = new Uint8Array(1 << 20).fill(10);
      for (;;) Deno.stdout.writeSync(much);`),
    verdict: protocol,
  },
  {
    name: "a line without an end",
    source: body(`const much = new Uint8Array(1 << 20).fill(65);
      for (;;) Deno.stdout.writeSync(much);`),
    verdict: protocol,
  },
  {
    name: "floods the console",
    source: body(`for (;;) console.log("x".repeat(10_000));`),
    verdict: protocol,
  },
  {
    name: "a very long answer",
    source: body(`return "x".repeat(1 << 26);`),
    verdict: failed,
  },
  {
    name: "a very deep answer",
    source: body(`let a: any = []; for (let i = 0; i < 1e5; i++) a = [a];
      return a;`),
    verdict: failed,
  },
  {
    name: "an answer that contains itself",
    source: body(`const a: any = {}; a.a = a; return a;`),
    verdict: failed,
  },
  {
    name: "closes its standard output",
    source: body(`Deno.stdout.close(); return 2 * x;`),
    verdict: /^graded 0\/4: (crashed|timeout) (crashed|timeout)$/,
  },
  {
    name: "endless recursion",
    source: body(`const f = (): any => f() + 1; return f();`),
    verdict: threw,
  },
  {
    name: "fifty thousand parentheses",
    source: `${wrong} export const x = ${"(".repeat(50_000)}1${
      ")".repeat(50_000)
    };`,
    verdict: noParse,
  },
  {
    name: "throws null",
    source: body("throw null;"),
    verdict: threw,
  },
  {
    name: "throws what throws",
    source: body(
      "throw { toString() { throw 1; }, get message() { throw 2; } };",
    ),
    verdict: threw,
  },
  // Honest mistakes.
  { name: "undefined", source: body("x + x;"), verdict: failed },
  { name: "NaN", source: body("return NaN;"), verdict: failed },
  { name: "BigInt", source: body("return BigInt(2 * x);"), verdict: failed },
  {
    name: "async",
    source: "export async function double(x: number) { return 2 * x; }",
    verdict: failed,
  },
  { name: "empty", source: "", verdict: /^not gradable .* export double\(\)/ },
  { name: "no TypeScript", source: "int double(int x)", verdict: noParse },
  {
    name: "throws at load",
    source: `throw new Error("no"); ${right}`,
    verdict: /^not gradable 0\/4: Your file threw while it was loaded: no/,
  },
  {
    name: "prints beside a right answer",
    source: body("console.log('x is', x); return 2 * x;"),
    verdict: full,
  },
  {
    name: "constant answers",
    source: body("return x === 3 ? 6 : 8;"),
    verdict: /^graded 1\/4: passed failed$/,
  },
];
