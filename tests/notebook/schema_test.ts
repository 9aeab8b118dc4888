/**
 * What we write is a notebook by the official schema (nbformat 4.5), and by
 * the two rules that a schema cannot say: ids and names are unique.
 */
import assert from "node:assert/strict";
import { buildNotebook, serializeNotebook } from "swaplab/notebook/run.ts";
import { faultsOf, type Schema } from "./json_schema.ts";
import { FRONT, makeRandom, randomSource } from "./random_notebooks.ts";

const schema: Schema = JSON.parse(
  Deno.readTextFileSync(
    new URL("data/nbformat.v4.5.schema.json", import.meta.url),
  ),
);

function faultsOfFile(text: string): string[] {
  const file = JSON.parse(text);
  const ids = file.cells.map((cell: { id: string }) => cell.id);
  const isUnique = new Set(ids).size === ids.length;
  return [...faultsOf(file, schema), ...isUnique ? [] : ["an id stands twice"]];
}

const folder = new URL("../../notebooks/", import.meta.url);

for (const { name } of Deno.readDirSync(folder)) {
  if (!name.endsWith(".ipynb")) continue;
  Deno.test(`notebooks/${name} is valid by the official schema`, () => {
    const text = Deno.readTextFileSync(new URL(name, folder));
    assert.deepEqual(faultsOfFile(text), []);
  });
}

function code(id: string, source: string, tags: string): string {
  return `\`\`\`{code-cell} typescript\n:id: ${id}\n:tags: [${tags}]\n` +
    `${source}\n\`\`\`\n`;
}

async function everyKind(): Promise<string> {
  const text = FRONT + "# Prose\n" +
    code("streams", "console.log(1); console.error(2); [3]", "knob") +
    code("error", "throw new Error('x\\ny')", "raises-exception") +
    code("not-run", "1", "skip-execution, hide-input") +
    code(
      "shown",
      "globalThis[Symbol.for('swaplab.display')]({'text/plain': 'a\\nb', " +
        "'application/vnd.x+json': [{ a: null }], 'image/svg+xml': '<svg/>'})",
      "",
    ) + '+++ {"tags": ["a", "b"], "book": {"any": 1}}\nEnd.\n';
  return serializeNotebook(await buildNotebook(text, "notebooks/00_a.md"));
}

Deno.test("every kind of cell and output is valid by the schema", async () => {
  const text = await everyKind();
  assert.deepEqual(faultsOfFile(text), []);
  for (const kind of ["stream", "execute_result", "error", "display_data"]) {
    assert.ok(text.includes(`"output_type": "${kind}"`), kind);
  }
});

Deno.test("random sources are built valid", async () => {
  for (let seed = 1; seed <= 60; seed++) {
    const text = randomSource(makeRandom(seed))
      .replaceAll(":id:", ":tags: [skip-execution]\n:id:")
      .replace(/^(:tags: \[skip-execution\]\n.*\n):tags:.*\n/gm, "$1")
      .replace(/^:tags:.*\n(?=:tags:)/gm, "");
    const notebook = await buildNotebook(text, "notebooks/00_a.md");
    assert.deepEqual(faultsOfFile(serializeNotebook(notebook)), [], text);
  }
});

Deno.test("faultsOf() finds each thing that makes a notebook invalid", async () => {
  const text = await everyKind();
  // deno-lint-ignore no-explicit-any
  const cases: [fault: RegExp, spoil: (file: any) => void][] = [
    [/^\/nbformat: > 4/, (file) => file.nbformat = 5],
    [/^\/nbformat_minor: < 5/, (file) => file.nbformat_minor = 4],
    [/^\/: no metadata/, (file) => delete file.metadata],
    [/^.*unknown property worksheets/, (file) => file.worksheets = []],
    [
      /kernelspec: no display_name/,
      (file) => delete file.metadata.kernelspec.display_name,
    ],
    [/id: does not match/, (file) => file.cells[0].id = "a b"],
    [/id: long/, (file) => file.cells[0].id = "a".repeat(65)],
    [/no id/, (file) => delete file.cells[0].id],
    [/an id stands twice/, (file) => file.cells[1].id = file.cells[0].id],
    [/source: no |source\/0: no /, (file) => file.cells[0].source = [1]],
    [/execution_count/, (file) => file.cells[1].execution_count = "1"],
    [/unknown property outputs/, (file) => file.cells[0].outputs = []],
    [
      /tags: an item stands/,
      (file) => file.cells[1].metadata.tags = ["a", "a"],
    ],
    [
      /tags\/0: does not match/,
      (file) => file.cells[1].metadata.tags = ["a,b"],
    ],
    [/outputs\/0.*no name/, (file) => delete file.cells[1].outputs[0].name],
    [
      /outputs\/0.*unknown property x/,
      (file) => file.cells[1].outputs[0].x = 1,
    ],
    [
      /traceback: no array/,
      (file) => file.cells[2].outputs[0].traceback = "at",
    ],
    [
      /data\/text\/plain/,
      (file) => file.cells[4].outputs[0].data["text/plain"] = 5,
    ],
  ];
  for (const [wanted, spoil] of cases) {
    const file = JSON.parse(text);
    spoil(file);
    assert.match(faultsOfFile(JSON.stringify(file)).join("\n"), wanted);
  }
});
