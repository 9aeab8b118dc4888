import assert from "node:assert/strict";
import { diffNotebooks, unifiedDiff } from "swaplab/notebook/diff.ts";
import { makeLoader } from "swaplab/notebook/imports.ts";
import type { CodeCell, Notebook } from "swaplab/notebook/nbformat.ts";
import { parseNotebook } from "swaplab/notebook/read.ts";
import {
  BuildError,
  buildNotebook,
  projectLoader,
  serializeNotebook,
} from "swaplab/notebook/run.ts";

const FRONT = "---\nkernelspec:\n  name: swaplab\n  display_name: Swaplab\n" +
  "  language: typescript\n---\n";

const load = makeLoader({ lib: () => ({ one: 1 }) });

function code(id: string, source: string, tags = ""): string {
  const line = tags === "" ? "" : `:tags: [${tags}]\n`;
  return `\`\`\`{code-cell} typescript\n:id: ${id}\n${line}${source}\n\`\`\`\n\n`;
}

function build(body: string): Promise<Notebook> {
  return buildNotebook(FRONT + body, "notebooks/00_a.md", { load });
}

function codeCells(notebook: Notebook): CodeCell[] {
  return notebook.cells.filter((cell) => cell.cell_type === "code");
}

Deno.test("buildNotebook() runs cells in order and counts them", async () => {
  const notebook = await build(
    code("a", "import { one } from 'lib'\nlet x = one") + "text\n\n" +
      code("b", "throw 1", "skip-execution") + code("c", "x + 1"),
  );
  assert.deepEqual(codeCells(notebook).map((cell) => cell.execution_count), [
    1,
    null,
    2,
  ]);
  assert.deepEqual(codeCells(notebook).map((cell) => cell.outputs.length), [
    0,
    0,
    1,
  ]);
});

Deno.test("buildNotebook() tells its progress", async () => {
  const told: string[] = [];
  const text = FRONT + code("a", "1") + code("b", "2");
  await buildNotebook(text, "a.md", {
    load,
    progress: (index, total, id) => told.push(`${index}/${total} ${id}`),
  });
  assert.deepEqual(told, ["1/2 a", "2/2 b"]);
});

Deno.test("buildNotebook() names file and line of what failed", async () => {
  const body = code("fine", "1") + code("bad", "let x: number = 1\n\nnobody");
  const line = (FRONT + body).split("\n").indexOf("nobody") + 1;
  await assert.rejects(build(body), (error) => {
    assert.ok(error instanceof BuildError);
    const [first, second] = error.message.split("\n");
    assert.match(
      first ?? "",
      new RegExp(`^notebooks/00_a.md:${line}: cell bad`),
    );
    assert.equal(second, "ReferenceError: nobody is not defined");
    return true;
  });
});

Deno.test("buildNotebook() names the calling line if a helper failed", async () => {
  const body = code("helper", "function f() {\n  throw new Error('x')\n}") +
    code("use", "1\nf()");
  const line = (FRONT + body).split("\n").indexOf("f()") + 1;
  await assert.rejects(build(body), {
    message: new RegExp(`^notebooks/00_a.md:${line}: cell use failed`),
  });
});

Deno.test("buildNotebook() holds raises-exception to its word", async () => {
  const notebook = await build(code("a", "throw 1", "raises-exception"));
  assert.equal(codeCells(notebook)[0]?.outputs[0]?.output_type, "error");
  await assert.rejects(build(code("a", "1", "raises-exception")), {
    message: /^notebooks\/00_a.md:10: cell a has the tag.*did not throw/,
  });
});

Deno.test("buildNotebook() refuses what tslab would do otherwise", async () => {
  const told = {
    message: /^notebooks\/00_a.md:9: cell a: tslab loses a name/,
  };
  for (
    const source of ["const __x = 1", "import { one as __one } from 'lib'"]
  ) {
    await assert.rejects(build(code("a", source)), told);
  }
  const picture = "({ [Symbol.for('Jupyter.display')]: () => " +
    "({ 'text/plain': 'a', 'image/svg+xml': '<svg/>' }) })";
  await assert.rejects(build(code("a", picture)), {
    message: /cell a: it ends in a value that is more than text.*show\(value\)/,
  });
  await build(code("a", "import { one as own } from 'lib'; ({ __y: own })"));
});

Deno.test("projectLoader() imports by the map and refuses the rest", async () => {
  const loadProject = projectLoader();
  const module = await loadProject("swaplab/notebook/imports.ts");
  assert.equal(Reflect.get(Object(module), "makeLoader"), makeLoader);
  for (const name of ["./x.ts", "node:fs", "swaplabs", "swaplab/nothing.ts"]) {
    await assert.rejects(async () => await loadProject(name), {
      name: "TypeError",
      message: new RegExp(
        `cannot import "${name}".*a cell can import "swaplab"`,
      ),
    });
  }
});

Deno.test("serializeNotebook() writes the bytes that Jupyter writes", () => {
  const notebook: Notebook = {
    nbformat: 4,
    nbformat_minor: 5,
    metadata: { language_info: { name: "typescript" }, kernelspec: {} },
    cells: [{
      cell_type: "code",
      id: "a",
      metadata: {},
      source: "1\nä\n",
      execution_count: 1,
      outputs: [
        { output_type: "stream", name: "stdout", text: "a\r\nb\u2028c" },
        {
          output_type: "display_data",
          metadata: {},
          data: { "text/plain": "x\ny", "application/json": ["k"], "b/c": "" },
        },
      ],
    }, { cell_type: "markdown", id: "b", metadata: {}, source: "" }],
  };
  assert.equal(
    serializeNotebook(notebook),
    `{
 "cells": [
  {
   "cell_type": "code",
   "execution_count": 1,
   "id": "a",
   "metadata": {},
   "outputs": [
    {
     "name": "stdout",
     "output_type": "stream",
     "text": [
      "a\\r\\n",
      "b\u2028",
      "c"
     ]
    },
    {
     "data": {
      "application/json": [
       "k"
      ],
      "b/c": [],
      "text/plain": [
       "x\\n",
       "y"
      ]
     },
     "metadata": {},
     "output_type": "display_data"
    }
   ],
   "source": [
    "1\\n",
    "ä\\n"
   ]
  },
  {
   "cell_type": "markdown",
   "id": "b",
   "metadata": {},
   "source": []
  }
 ],
 "metadata": {
  "kernelspec": {},
  "language_info": {
   "name": "typescript"
  }
 },
 "nbformat": 4,
 "nbformat_minor": 5
}
`,
  );
});

Deno.test("parseNotebook(serializeNotebook(notebook)) is the notebook", async () => {
  const notebook = await build(
    "# T\n\n" + code("a", "console.log('a\\nb'); console.error(1); [1]") +
      code("b", "throw new Error('x')", "raises-exception"),
  );
  const text = serializeNotebook(notebook);
  assert.deepEqual(parseNotebook(text, "a"), notebook);
  assert.equal(serializeNotebook(parseNotebook(text, "a")), text);
});

Deno.test("diffNotebooks() tells the cell and the lines", async () => {
  const before = await build(code("a", "console.log(1)") + code("gone", "1"));
  const after = await build(code("a", "console.log(2)") + code("new", "1"));
  assert.equal(
    diffNotebooks(before, after),
    `cell a, source:
  - console.log(1)
  + console.log(2)
cell a, output:
    [stdout]
  - 1
  + 2

cell new: is new
cell gone: is gone`,
  );
  assert.equal(diffNotebooks(before, before), "");
});

Deno.test("diffNotebooks() tells what text does not show", async () => {
  const plain = await build(code("a", "void 0"));
  const shown = (svg: string): Notebook => ({
    ...plain,
    cells: codeCells(plain).map((cell) => ({
      ...cell,
      outputs: [{
        output_type: "display_data",
        data: { "text/plain": "same", "image/svg+xml": svg },
        metadata: {},
      }],
    })),
  });
  const told = diffNotebooks(shown("<a>"), shown("<b>"));
  assert.equal(told, "cell a, output: differs in image/svg+xml");
  const order = await build(code("a", "1") + code("b", "2"));
  const moved = { ...order, cells: order.cells.toReversed() };
  assert.match(diffNotebooks(order, moved), /order of cells:/);
});

Deno.test("unifiedDiff() cuts what did not change", () => {
  const before = "1\n2\n3\n4\n5\n6\n7\n8";
  const after = before.replace("4", "four");
  assert.equal(
    unifiedDiff(before, after),
    "  ⋮\n    2\n    3\n  - 4\n  + four\n    5\n    6\n  ⋮",
  );
});
