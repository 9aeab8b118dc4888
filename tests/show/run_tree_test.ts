import { equal, throws } from "node:assert/strict";
import { runTree } from "swaplab/show/run_tree.ts";
import { counterProgram } from "../sim/programs.ts";
import { checkMarkup, matchesGolden } from "./golden.ts";

const spec = { title: "Six runs", finding: "Four of six are needed." };

Deno.test("runTree() draws its golden file", () => {
  const svg = String(
    runTree(counterProgram(2, 1), spec).bundle["image/svg+xml"],
  );
  matchesGolden("run_tree.svg", svg);
  checkMarkup(svg);
});

Deno.test("runTree() has a leaf for each interleaving, made or left out", () => {
  const text = String(runTree(counterProgram(2, 1), spec).bundle["text/plain"]);
  equal(text.match(/ yes$/gm)?.length, 4);
  equal(text.match(/ left out$/gm)?.length, 2);
});

Deno.test("runTree() refuses a program with more runs than a picture has room", () => {
  throws(() => runTree(counterProgram(2, 2), spec), /at most 40/);
});
