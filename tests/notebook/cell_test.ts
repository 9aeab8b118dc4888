import assert from "node:assert/strict";
import { compileCell } from "swaplab/notebook/cell.ts";
import { makeLoader } from "swaplab/notebook/imports.ts";
import type { Output } from "swaplab/notebook/nbformat.ts";
import { makeSession } from "swaplab/notebook/session.ts";
import * as programs from "./programs.ts";
import * as scopes from "./programs_scopes.ts";
import * as text from "./programs_text.ts";

const lib = {
  one: 1,
  default: 2,
  "odd name": 3,
  fails() {
    throw new TypeError("it failed");
  },
};

/** Outputs in the notation of programs.ts, the place of an error at its end. */
function told(outputs: Output[]): string {
  return outputs.map((output) => {
    if (output.output_type === "stream") {
      const sign = output.name === "stdout" ? ">" : "!";
      return output.text.trimEnd().split("\n").map((line) => `${sign} ${line}`)
        .join("\n");
    }
    if (output.output_type === "error") {
      const at = /, line (\d+:\d+)/.exec(output.traceback.join("\n"));
      return `${output.ename}: ${output.evalue} @ ${at?.[1]}`;
    }
    return output.data["text/plain"];
  }).join("\n");
}

async function runProgram(cells: readonly string[]): Promise<string> {
  const session = makeSession({ load: makeLoader({ lib: () => lib }) });
  let outputs: Output[] = [];
  for (const cell of cells) outputs = await session.run(cell);
  return told(outputs);
}

const tables: Record<string, programs.Program[]> = {
  ...programs,
  ...scopes,
  ...text,
};

for (const [table, rows] of Object.entries(tables)) {
  Deno.test(`compileCell() ${table}`, async (test) => {
    for (const [cells, expected] of rows) {
      await test.step(JSON.stringify(cells), async () => {
        const got = await runProgram(cells);
        const isError = /^[A-Z]\w*Error: /.test(expected);
        assert.equal(isError ? got.slice(0, expected.length) : got, expected);
      });
    }
  });
}

Deno.test("the table of cell programs is not cut short", () => {
  const count = Object.values(tables).flat().length;
  assert.ok(count >= 400, `${count} programs`);
});

Deno.test("compileCell() keeps every line on its line", () => {
  const source =
    "let a: {\n b: number\n} = { b: 1 };\n\nimport {\n x,\n} from " +
    "'y'\nfunction f<T>(\n  q: T,\n) {\n  return x\n}\nthrow new Error()";
  const { code } = compileCell(source, () => null);
  const line = code.split("\n").findIndex((text) => text.includes("throw"));
  assert.equal(line, source.split("\n").length - 1);
});

Deno.test("compileCell() maps a place behind removed types", () => {
  const source = "const a: Array<number> = b; const c: string = later";
  const cell = compileCell(source, () => null);
  const column = cell.code.split("\n")[0]?.indexOf("ºlater.value") ?? -1;
  assert.deepEqual(cell.toSource({ line: 1, column: column + 1 }), {
    line: 1,
    column: source.indexOf("later") + 1,
  });
});

Deno.test("compileCell() makes loop counters of blocks plain variables", () => {
  const source = "let sum = 0; for (let i = 0; i < 9; i++) { sum += i }";
  const { code } = compileCell(source, () => null);
  assert.match(
    code,
    /for \(let i = 0; i < 9; i\+\+\) \{ ºsum\.value \+= i; \}/,
  );
});

Deno.test("compileCell() compiles the same text to the same code", () => {
  const source = "name + print(x)";
  const compile = () => compileCell(source, () => null).code;
  assert.equal(compile(), compile());
});
