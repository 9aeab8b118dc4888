/** The markers that chapters and exercises share. */
import assert from "node:assert/strict";
import { linesOf, readRegions, withoutMarkers } from "swaplab/region.ts";

const text = `head
// #region outer
a();
  // #region answer-b
  b();
  // #endregion
// #aside a table
c();
// #endaside
// #endregion
`;

Deno.test("readRegions() reads regions inside regions, and asides", () => {
  const { regions, asides } = readRegions(text, "a.ts");
  assert.deepEqual(regions, [
    { name: "answer-b", from: 4, to: 6 },
    { name: "outer", from: 2, to: 10 },
  ]);
  assert.deepEqual(asides, [{ reason: "a table", from: 7, to: 9 }]);
});

Deno.test("linesOf() drops inner markers and the outer indentation", () => {
  const read = readRegions(text, "a.ts");
  const [inner, outer] = read.regions;
  assert.deepEqual(linesOf(read, inner!), [{ line: 5, text: "b();" }]);
  assert.deepEqual(linesOf(read, outer!), [
    { line: 3, text: "a();" },
    { line: 5, text: "  b();" },
    { line: 8, text: "c();" },
  ]);
});

Deno.test("withoutMarkers() keeps only the markers of the regions asked for", () => {
  assert.equal(withoutMarkers(text, "a.ts"), "head\na();\n  b();\nc();\n");
  const kept = withoutMarkers(text, "a.ts", ["answer-b"]);
  assert.equal(
    kept,
    "head\na();\n  // #region answer-b\n  b();\n  // #endregion\nc();\n",
  );
});

Deno.test("readRegions() refuses bad markers by line, with the remedy", () => {
  const refused = (text: string, message: RegExp) =>
    assert.throws(() => readRegions(text, "a.ts"), { message });
  refused("// #region a\n", /^a\.ts:1: region a has no end; close it/);
  refused("// #aside why\n", /^a\.ts:1: the aside "why" has no end/);
  refused("x\n// #endregion\n", /^a\.ts:2: this ends no region; remove it/);
  refused("// #region A_b\n", /:1: "A_b" is no region's name; write it as/);
  refused("// #region\n", /:1: "" is no region's name/);
  refused("// #aside\n", /:1: an aside without its reason/);
  refused("//#region a\n", /:1: "\/\/#region a" is no marker; write one of/);
  refused("// #endregion a\n", /is no marker/);
  refused("/* #region a */\n", /is no marker/);
  refused(
    "// #region a\n// #endregion\n// #region a\n// #endregion\n",
    /^a\.ts:3: region a is there already, at line 1; rename/,
  );
  refused(
    "// #region a\n// #region a\n",
    /^a\.ts:2: region a is there already, at line 1/,
  );
  refused(
    "// #region a\n// #aside b\n// #endregion\n",
    /^a\.ts:3: the aside "b" of line 2 is still open; put \/\/ #endaside/,
  );
  refused("// #aside a\n// #aside b\n", /:2: an aside inside that of line 1/);
});
