import assert from "node:assert/strict";
import { makeLoader } from "swaplab/notebook/imports.ts";
import type { Output } from "swaplab/notebook/nbformat.ts";
import { makeSession } from "swaplab/notebook/session.ts";

const display = Symbol.for("swaplab.display");

function newSession() {
  return makeSession({
    load: makeLoader({
      lib: () => ({
        call: (f: () => unknown) => f(),
        broken() {
          const history = "page 3: written\npage 3: freed";
          throw Object.assign(new Error("bad page"), { history });
        },
      }),
    }),
  });
}

function errorOf(outputs: Output[]) {
  const error = outputs.find((output) => output.output_type === "error");
  assert.ok(error, `no error in ${JSON.stringify(outputs)}`);
  return error;
}

Deno.test("run() gives outputs in order and merges a stream's pieces", async () => {
  const pieces: Output[] = [];
  const outputs = await newSession().run(
    "console.log(1); console.log(2); console.error(3); console.log(4); 5",
    { onOutput: (output) => pieces.push(output) },
  );
  assert.deepEqual(outputs, [
    { output_type: "stream", name: "stdout", text: "1\n2\n" },
    { output_type: "stream", name: "stderr", text: "3\n" },
    { output_type: "stream", name: "stdout", text: "4\n" },
    {
      output_type: "execute_result",
      data: { "text/plain": "5" },
      metadata: {},
      execution_count: 1,
    },
  ]);
  assert.equal(pieces.length, 5);
  assert.deepEqual(pieces[0], {
    output_type: "stream",
    name: "stdout",
    text: "1\n",
  });
});

Deno.test("run() counts runs, failed ones too", async () => {
  const session = newSession();
  await session.run("1");
  await session.run("throw 1");
  const [output] = await session.run("2");
  assert.equal(session.executionCount, 3);
  assert.ok(output?.output_type === "execute_result");
  assert.equal(output.execution_count, 3);
});

Deno.test("run() waits for the run before", async () => {
  const session = newSession();
  const first = session.run("let x = 1; await null; await null; x = 2");
  const second = session.run("console.log(x)");
  await first;
  assert.deepEqual(await second, [
    { output_type: "stream", name: "stdout", text: "2\n" },
  ]);
});

Deno.test("two sessions share no names", async () => {
  const [one, other] = [newSession(), newSession()];
  await one.run("let x = 1");
  assert.equal(errorOf(await other.run("x")).evalue, "x is not defined");
});

Deno.test("run() uses a displayable's bundle for the result", async () => {
  const [output] = await newSession().run(
    `({ [Symbol.for("Jupyter.display")]: async () => ({ "text/html": "<b>" }) })`,
  );
  assert.ok(output?.output_type === "execute_result");
  assert.deepEqual(output.data, { "text/html": "<b>" });
});

Deno.test("run() refuses a displayable without a bundle", async () => {
  const error = errorOf(
    await newSession().run(`({ [Symbol.for("Jupyter.display")]: () => 5 })`),
  );
  assert.equal(error.evalue, "wanted a mime bundle, got 5");
});

Deno.test("run() takes figures while it runs and gives the host back", async () => {
  const before = Object.getOwnPropertyDescriptor(globalThis, display);
  const limit = Error.stackTraceLimit;
  const outputs = await newSession().run(
    `console.log("a")
     globalThis[Symbol.for("swaplab.display")]({ "text/plain": "figure" })
     console.log("b")`,
  );
  assert.deepEqual(outputs.map((output) => output.output_type), [
    "stream",
    "display_data",
    "stream",
  ]);
  const after = Object.getOwnPropertyDescriptor(globalThis, display);
  assert.deepEqual(after, before);
  assert.equal(Error.stackTraceLimit, limit);
});

Deno.test("run() gives the host back after an error", async () => {
  const session = newSession();
  await session.run("throw new Error('x')");
  await session.run("let = =");
  assert.equal(Reflect.has(globalThis, display), false);
});

Deno.test("a syntax error shows line, column and a caret", async () => {
  const error = errorOf(
    await newSession().run("let a: number = 1;\nlet b: string | = 2", {
      id: "one-page-3",
    }),
  );
  assert.equal(error.ename, "SyntaxError");
  assert.equal(error.evalue, 'Unexpected token "=" (line 2:17)');
  assert.deepEqual(error.traceback, [
    'SyntaxError: Unexpected token "="',
    "    at cell one-page-3, line 2:17",
    "  2 | let b: string | = 2",
    "    |                 ^",
  ]);
});

Deno.test("a syntax error that only acorn sees is placed in the source", async () => {
  const error = errorOf(
    await newSession().run("const a: Array<number> = [], a = 1"),
  );
  assert.match(error.evalue, /'a' has already been declared \(line 1:30\)/);
});

Deno.test("a traceback names places of cells and functions only", async () => {
  const session = newSession();
  await session.run(
    "import { call } from 'lib'\n" +
      "function deep(x: number): never {\n  throw new RangeError('no') }",
    { id: "helpers" },
  );
  const error = errorOf(
    await session.run("const y: number = 1\n\ncall(() => deep(y))", {
      id: "use",
    }),
  );
  // Engines may differ in the column of a call, never in its line.
  assert.deepEqual(
    error.traceback.map((line) => line.replace(/:\d+(?=\)?$)/, "")),
    [
      "RangeError: no",
      "    at deep (cell helpers, line 3)",
      "    at cell use, line 3",
      "    at call",
      "    at cell use, line 3",
    ],
  );
  assert.doesNotMatch(error.traceback.join("\n"), /file:|\/|node_modules/);
});

Deno.test("the place of a name behind types is exact", async () => {
  const session = newSession();
  const source = "const a: Array<number> = [1]; nobody";
  const error = errorOf(await session.run(source, { id: "c" }));
  const column = source.indexOf("nobody") + 1;
  assert.equal(error.traceback[1], `    at cell c, line 1:${column}`);
});

Deno.test("a cell that was run anew keeps the places of its old functions", async () => {
  const session = newSession();
  await session.run("\n\nconst f = () => { throw new Error('x') }", {
    id: "a",
  });
  await session.run("1", { id: "a" });
  const error = errorOf(await session.run("f()", { id: "b" }));
  assert.match(error.traceback[1] ?? "", /at f \(cell a, line 3:/);
});

Deno.test("endless recursion makes a short traceback", async () => {
  const error = errorOf(
    await newSession().run(
      "function f() { return g() }\n" +
        "function g() { return f() + 1 }\nf()",
    ),
  );
  assert.equal(error.ename, "RangeError");
  assert.ok(error.traceback.length <= 14, error.traceback.join("\n"));
});

Deno.test("an error's history is printed whole, once", async () => {
  const session = newSession();
  const error = errorOf(
    await session.run("import { broken } from 'lib'; broken()"),
  );
  assert.equal(error.traceback[0], "Error: bad page");
  assert.equal(error.traceback[1], "page 3: written\npage 3: freed");
  const repeated = errorOf(
    await session.run("throw Object.assign(new Error('a\\nb'), {trace: 'b'})"),
  );
  assert.equal(repeated.evalue, "a\nb");
  assert.equal(repeated.traceback.join("\n").split("b").length, 2);
});

Deno.test("causes and values that are no errors are told", async () => {
  const session = newSession();
  const caused = errorOf(
    await session.run("throw new Error('a', { cause: new TypeError('b') })"),
  );
  assert.equal(caused.traceback.at(-1), "Caused by: TypeError: b");
  const thrown = errorOf(await session.run("throw { code: 5 }", { id: "t" }));
  assert.equal(thrown.ename, "Thrown");
  assert.deepEqual(thrown.traceback, [
    "Thrown: { code: 5 }",
    "    at cell t",
  ]);
});

Deno.test("a rejection that nobody handles is the cell's error", async () => {
  const outputs = await newSession().run(
    "Promise.reject(new Error('nobody')); console.log('on')",
  );
  assert.equal(errorOf(outputs).evalue, "nobody");
  assert.equal(outputs[0]?.output_type, "stream");
});

Deno.test("an error in a timer of no delay is the cell's error", async () => {
  const outputs = await newSession().run(
    "setTimeout(() => { throw new Error('timer') }, 0); void 0",
  );
  assert.equal(errorOf(outputs).evalue, "timer");
});

Deno.test("late output is told at the next run and names its cell", async () => {
  const session = newSession();
  await session.run(
    "let say; const said = new Promise((done) => { say = () => " +
      "{ console.log('late'); done() } })\nglobalThis.sayLate = say",
    { id: "slow" },
  );
  Reflect.get(globalThis, "sayLate")();
  Reflect.deleteProperty(globalThis, "sayLate");
  assert.deepEqual(await session.run("console.log('now')", { id: "next" }), [
    {
      output_type: "stream",
      name: "stderr",
      text: "late output of cell slow: late\n",
    },
    { output_type: "stream", name: "stdout", text: "now\n" },
  ]);
  assert.deepEqual(await session.run("void 0"), []);
});

Deno.test("a cell does not print to the host's console", async () => {
  const { log } = console;
  let printed = 0;
  console.log = () => void printed++;
  try {
    await newSession().run("console.log('a')");
  } finally {
    console.log = log;
  }
  assert.equal(printed, 0);
});

Deno.test("a failed import leaves the names as they were", async () => {
  const session = newSession();
  await session.run("let x = 1");
  errorOf(await session.run("import { y } from 'nowhere'; let x = 2"));
  const [output] = await session.run("x");
  assert.ok(output?.output_type === "execute_result");
  assert.equal(output.data["text/plain"], "1");
});

Deno.test("makeLoader() names what can be imported", async () => {
  const error = errorOf(await newSession().run("import { a } from './y'"));
  assert.equal(
    error.traceback[0],
    'ImportError: cannot import "./y"; a cell can import "lib"',
  );
  assert.equal(error.traceback[2], "  1 | import { a } from './y'");
});
