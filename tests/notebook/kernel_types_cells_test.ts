import assert from "node:assert/strict";
import { makeTypedCells } from "../../lib/notebook/kernel_types_cells.ts";

Deno.test("a cell's module imports what it mentions, exports what it declares", () => {
  const cells = makeTypedCells();
  cells.add("let factor = 2; const unused = 1; type T = number;");
  const [first = ""] = cells.files.keys();
  const { text } = cells.moduleOf("const twice = (n: T) => n * factor;");
  assert.equal(
    text,
    "const twice = (n: T) => n * factor;\n" +
      `import { T } from "./${first}";\n` +
      `declare let factor: typeof import("./${first}").factor;\n` +
      "export { twice };",
  );
});

Deno.test("a name means its last declaration", () => {
  const cells = makeTypedCells();
  cells.add("const a = 1");
  cells.add("const a = 'two'");
  const last = [...cells.files.keys()].at(-1);
  assert.match(cells.moduleOf("a").text, new RegExp(`{ a } from "./${last}"`));
});

Deno.test("the same cell in the same surroundings is the same file", () => {
  const cells = makeTypedCells();
  cells.add("let n = 0");
  const cell = "const now = n;";
  const before = cells.moduleOf(cell).file;
  for (let run = 0; run < 5; run++) cells.add(cell);
  assert.equal(cells.moduleOf(cell).file, before);
  assert.equal(cells.files.size, 2);
});

Deno.test("a cell stays as long as something seen needs it", () => {
  const cells = makeTypedCells();
  cells.add("class Page { n = 1 }");
  cells.add("const page = new Page();");
  cells.add("class Page { other = 2 }");
  assert.equal(cells.files.size, 3);
  cells.add("const page = 0;");
  assert.equal(cells.files.size, 2);
});

Deno.test("all ways to declare a name are seen, names within are not", () => {
  const cells = makeTypedCells();
  cells.add(`
    const { a, b: [c, ...d], ...e } = x; let f; var g;
    function h() { var inner; } class I {} interface J {} type K = 1;
    enum L {} import m, { n as o } from "p"; import * as q from "r";
    for (var s of []) { var t = 1; let hidden; }
    { const alsoHidden = 1; } label: for (let u;;) break label;`);
  const { text } = cells.moduleOf("");
  assert.equal(text, "\nexport {  };");
  const draft = cells.draftOf("").text;
  const names = [...draft.matchAll(/^import \{ (\w+) \}|declare let (\w+)/gm)]
    .map(([, constant, variable]) => constant ?? variable).sort();
  assert.deepEqual(names, [..."IJKLacdefghmoqst"].sort());
});
