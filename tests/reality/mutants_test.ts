import assert from "node:assert/strict";
import { mutants } from "../../tools/reality_mutant_list.ts";
import { checkMutantList, mutate } from "../../tools/reality_mutants.ts";

Deno.test("every error of the list still fits the engine, once", () => {
  checkMutantList();
  assert.ok(mutants.length >= 12);
  assert.equal(new Set(mutants.map(({ name }) => name)).size, mutants.length);
});

Deno.test("an error that does not fit is refused", () => {
  const error = { name: "e", file: "f", find: "a", put: "b" };
  assert.equal(mutate("xay", error), "xby");
  assert.throws(() => mutate("xaya", error), /there 2 times, not once/);
});
