import { deepEqual, equal, ok, throws } from "node:assert/strict";
import { type Row, table } from "swaplab/show/table.ts";
import { checkMarkup, matchesGolden } from "./golden.ts";

const ROWS = [
  { name: "node", bytes: 1873.25, pages: 12, same_filled: true },
  { name: "sqlite", bytes: 97, pages: 1200, same_filled: false },
];
const COLUMNS = [
  "name",
  { key: "bytes", label: "mean size", unit: "bytes", digits: 1 },
  "pages",
];

Deno.test("table() aligns numbers right and names left in text", () => {
  const { bundle } = table(ROWS, { caption: "Sizes", columns: COLUMNS });
  equal(
    bundle["text/plain"],
    [
      "Sizes",
      "",
      "name    mean size (bytes)  pages",
      "------  -----------------  -----",
      "node               1873.3     12",
      "sqlite               97.0   1200",
    ].join("\n"),
  );
});

Deno.test("table() writes a semantic HTML table", () => {
  const { bundle } = table(ROWS, { caption: "Sizes", columns: COLUMNS });
  const html = String(bundle["text/html"]);
  checkMarkup(html);
  matchesGolden("table.html", html);
  ok(html.startsWith("<table><caption>Sizes</caption>"));
  equal(html.match(/scope="col"/g)?.length, 3);
  equal(html.match(/scope="row"/g)?.length, 2);
});

Deno.test("table() takes the columns of the first row by default", () => {
  const { bundle } = table(ROWS, { caption: "All" });
  const { columns, rows } = JSON.parse(
    JSON.stringify(bundle["application/json"]),
  );
  const keys = columns.map((column: { key: string }) => column.key);
  deepEqual(keys, ["name", "bytes", "pages", "same_filled"]);
  deepEqual(rows[1], ["sqlite", 97, 1200, false]);
});

Deno.test("table() takes rows that are arrays", () => {
  const { bundle } = table([[1, "a"], [22, null]], {
    caption: "Pairs",
    columns: ["n", "what"],
  });
  const lines = String(bundle["text/plain"]).split("\n").slice(2);
  deepEqual(lines, [" n  what", "--  ----", " 1  a", "22  –"]);
});

Deno.test("table() gives the numbers of a column the same decimals", () => {
  const rows = [{ ratio: 2.5 }, { ratio: 3 }, { ratio: 1 / 3 }];
  const { bundle } = table(rows, { caption: "Ratios" });
  const lines = String(bundle["text/plain"]).split("\n").slice(4);
  deepEqual(lines, ["2.500", "3.000", "0.333"]);
});

Deno.test("table() prints bigints whole and keeps them in JSON as text", () => {
  const { bundle } = table([{ pte: 2n ** 63n }], { caption: "Entry" });
  ok(String(bundle["text/plain"]).endsWith("9223372036854775808"));
  const json = JSON.stringify(bundle["application/json"]);
  ok(json.includes('"9223372036854775808"'));
});

Deno.test("table() escapes HTML and keeps a row on one line of text", () => {
  const rows = [{ "<b>": '<script>&\n"x"</script>' }];
  const { bundle } = table(rows, { caption: "<i>" });
  checkMarkup(String(bundle["text/html"]));
  ok(!/<(script|b|i)>/.test(String(bundle["text/html"])));
  equal(String(bundle["text/plain"]).split("\n").length, 5);
});

const NONSENSE: [unknown, unknown, RegExp][] = [
  [ROWS, undefined, /caption: wanted a text, got undefined/],
  [ROWS, { caption: " " }, /caption: wanted a text, got " "/],
  [[], { caption: "c" }, /at least one row, got an array of 0/],
  ["rows", { caption: "c" }, /at least one row, got "rows"/],
  [[[1]], { caption: "c" }, /columns: wanted for rows like an array of 1/],
  [[5], { caption: "c", columns: ["a"] }, /row 0: wanted an object, got 5/],
  [[[1, 2]], { caption: "c", columns: ["a"] }, /wanted 1 values, got 2/],
  [ROWS, { caption: "c", columns: ["size"] }, /wanted "size", got name/],
  [ROWS, { caption: "c", columns: [] }, /columns: got none/],
  [ROWS, { caption: "c", columns: [{ key: "name", digits: -1 }] }, /got -1/],
  [[{ a: {} }], { caption: "c" }, /row 0, a: wanted .*, got an object/],
  [[{ a: 1 }, null], { caption: "c" }, /row 1: wanted an object, got null/],
];

Deno.test("table() refuses nonsense and says what came", () => {
  for (const [rows, options, message] of NONSENSE) {
    const act = () => table(rows as Row[], options as { caption: string });
    throws(act, { message });
  }
});
