/** Types, completion and inspection in our kernel. 10 s in all. */
import assert from "node:assert/strict";
import { type Kernel, startKernel } from "./client.ts";
import { swaplabKernel } from "./kernels.ts";

/** Runs cells; the error of the last one, "ok" if it has none. */
async function check(kernel: Kernel, ...cells: string[]): Promise<string> {
  let told = "";
  for (const code of cells) {
    const { status, outputs } = await kernel.execute(code);
    const error = outputs.find((one) => one.output_type === "error");
    told = error === undefined ? status : `${error.ename}: ${error.evalue}`;
  }
  return told;
}

Deno.test("a type error is shown in its place and stops the cell", async (t) => {
  await using kernel = await startKernel(swaplabKernel());

  await t.step("with the line and a caret", async () => {
    const code = `console.log("not run");\nconst n: number = "s";`;
    const { outputs } = await kernel.execute(code, undefined, { cellId: "a" });
    assert.deepEqual(outputs, [{
      output_type: "error",
      ename: "TypeCheck",
      evalue:
        "Type 'string' is not assignable to type 'number'. (TS2322) (line 2:7)",
      traceback: [
        "TypeCheck: Type 'string' is not assignable to type 'number'. (TS2322)",
        "    at cell a, line 2:7",
        `  2 | const n: number = "s";`,
        "    |       ^",
        "The cell did not run. The tag types-off, or `// types-off` as its " +
        "first line, runs it as it is.",
      ],
    }]);
  });

  await t.step("what did not run has declared nothing", async () => {
    assert.match(await check(kernel, "n"), /Cannot find name 'n'/);
  });

  await t.step("the tag and the comment types-off let it run", async () => {
    const code = `const n: number = "s"; n`;
    const tags = { tags: ["types-off"] };
    const tagged = await kernel.execute(code, undefined, tags);
    assert.equal(tagged.status, "ok");
    assert.equal(await check(kernel, `// types-off: a test\n${code}`), "ok");
  });

  await t.step("what does not parse is told as in every host", async () => {
    assert.match(
      await check(kernel, "let = ;"),
      /^SyntaxError: .*\(line 1:\d+\)$/,
    );
  });
});

Deno.test("a cell is checked against the last declarations", async (t) => {
  await using kernel = await startKernel(swaplabKernel());
  const good = (name: string, ...cells: string[]) =>
    t.step(name, async () => assert.equal(await check(kernel, ...cells), "ok"));
  const bad = (name: string, wanted: RegExp, ...cells: string[]) =>
    t.step(
      name,
      async () => assert.match(await check(kernel, ...cells), wanted),
    );

  await good(
    "redeclared as another type",
    "let x = 1",
    `let x = "a"`,
    "x.length",
  );
  await bad("the old type is gone", /toFixed/, "x.toFixed()");
  await good("assigned from another cell", `x = "b"`);
  await bad("with a wrong type", /'number' is not assignable/, "x = 5");
  await good(
    "destructured",
    "const { a, b: [c = 1, ...d] } = { a: 's', b: [2] }",
    "a.length + c + d.length",
  );
  await bad("a constant is one", /Cannot assign to 'a'/, "a = 't'");
  await good(
    "classes, also as types",
    "class P { n = 1 }",
    "const p: P = new P(); p.n",
  );
  await bad("members of a class", /'m' does not exist/, "p.m");
  await good(
    "types and interfaces",
    "type T = { t: 1 }; interface I extends T { i: 2 }",
    "const i: I = { t: 1, i: 2 }; i.t",
  );
  await good(
    "functions, generators, async",
    "function* g() { yield 1 } async function f() { return [...g()] }",
    "(await f()).length",
  );
  await good(
    "imports",
    `import { show, makeMachine as make } from "swaplab"`,
    "const m = make(); m.k",
  );
  await good(
    "a module by its path",
    `import { zswap_load } from "swaplab/mm/zswap.ts"`,
    "typeof zswap_load",
  );
  await bad(
    "a name that is not exported",
    /showw/,
    `import { showw } from "swaplab"`,
  );
  await good(
    "a type that is imported as a value",
    `import { Machine } from "swaplab"`,
    "const n: Machine = make(); n.k",
  );
  await good(
    "variables of loops",
    "for (var v = 0; v < 3; v++);",
    "v.toFixed()",
  );
  await good(
    "an evolving variable",
    "let e; const list = []",
    "e = 5; list.push(1)",
  );
  await good(
    "the same cell again and again",
    "const k = 1",
    "const k = 1",
    "k.toFixed()",
  );
  await good(
    "a failed cell has declared",
    "const late = 1; throw new Error()",
    "late.toFixed()",
  );
  await good(
    "Deno and modules of Node",
    `import { join } from "node:path"; Deno.pid.toFixed() + join("a")`,
  );
  await good(
    "unicode names, CRLF",
    "const größe = 1;\r\nconst 名 = 2",
    "größe + 名",
  );
});

Deno.test("Tab completes and Shift-Tab explains, over all cells", async (t) => {
  await using kernel = await startKernel(swaplabKernel());
  await kernel.execute(
    "/** How many pages. */\nfunction pageCount(bytes: number) { return bytes }",
  );
  const complete = async (code: string, cursor_pos = [...code].length) => {
    const content = { code, cursor_pos };
    const { reply } = await kernel.ask("complete_request", content);
    const { matches, cursor_start, cursor_end } = reply;
    return { matches, span: [cursor_start, cursor_end] };
  };

  await t.step("names of other cells", async () => {
    const { matches, span } = await complete("1 + pageC");
    assert.deepEqual(matches, ["pageCount"]);
    assert.deepEqual(span, [4, 9]);
  });

  await t.step("members; places count code points", async () => {
    const { matches, span } = await complete(`const 𝔸 = "𝔸".padSt`);
    assert.deepEqual(matches, ["padStart"]);
    assert.deepEqual(span, [14, 19]);
  });

  await t.step("files of the engine", async () => {
    const { matches } = await complete(`import {} from "swaplab/mm/zswap_`);
    assert.ok(Array.isArray(matches) && matches.includes("zswap_pool.ts"));
  });

  await t.step("names and docstrings of the engine", async () => {
    await kernel.execute(`import { makeMachine } from "swaplab"`);
    const content = { code: "makeMachine()", cursor_pos: 12, detail_level: 0 };
    const { reply } = await kernel.ask("inspect_request", content);
    const data = reply.data as Record<string, string>;
    assert.match(data["text/plain"] ?? "", /^makeMachine\(options\?: /);
    assert.match(data["text/plain"] ?? "", /a machine that has just booted/);
  });

  await t.step("docstrings of cells", async () => {
    const content = { code: "pageCount(1)", cursor_pos: 4, detail_level: 0 };
    const { reply } = await kernel.ask("inspect_request", content);
    const data = reply.data as Record<string, string>;
    assert.equal(
      data["text/plain"],
      "pageCount(bytes: number): number\n\nHow many pages.",
    );
  });

  await t.step("nothing where nothing is", async () => {
    const content = { code: "  ", cursor_pos: 1, detail_level: 0 };
    const { reply } = await kernel.ask("inspect_request", content);
    assert.equal(reply.found, false);
  });
});
