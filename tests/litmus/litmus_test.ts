import assert from "node:assert/strict";
import { runDiagram } from "swaplab/lab/diagram.ts";
import { printDiagram } from "swaplab/lab/diagram_print.ts";
import { makeStepParser } from "swaplab/lab/diagram_step.ts";
import { programOf } from "swaplab/lab/litmus/litmus.ts";
import { litmusTests } from "swaplab/lab/litmus/mod.ts";
import { explore } from "swaplab/sim/explore.ts";

/** Runs that a plain enumeration may take to be compared. */
const fewRuns = 1400;
const stepOf = makeStepParser();

for (const litmus of litmusTests) {
  const { name, bound, variants } = litmus;
  assert.ok(Object.hasOwn(variants, "v6.12"), `${name} tells v6.12`);
  const kinds = Object.values(variants).map(({ expect }) => expect);
  assert.ok(kinds.some((kind) => kind !== "holds"), `${name} can break`);

  for (const [variant, { proposals, expect }] of Object.entries(variants)) {
    Deno.test(`${name}, ${variant}: ${expect}`, () => {
      const program = programOf(litmus, proposals, variant);
      const found = explore(program, { bound, twice: bound === null });
      assert.ok(found.complete, `${found.runs} runs were not enough`);
      const broke = found.failures.map(({ kind }) => kind).sort();
      assert.deepEqual(broke, expect === "holds" ? [] : [expect].flat());
      for (const { schedule } of [...found.outcomes, ...found.failures]) {
        assert.ok(schedule.length <= 60, schedule);
        const text = printDiagram(program, schedule);
        assert.ok(text.split("\n").every((line) => line.length <= 76), text);
        assert.equal(
          runDiagram(program, text, stepOf).schedule,
          schedule,
          text,
        );
      }
    });

    Deno.test(`${name}, ${variant}: what is left out cannot differ`, () => {
      const program = programOf(litmus, proposals, variant);
      for (const most of [0, 1, null]) {
        const all = explore(program, {
          search: "dfs",
          bound: most,
          maxRuns: most === null ? fewRuns / 2 : fewRuns,
        });
        if (!all.complete) continue;
        const few = explore(program, { bound: most });
        assert.deepEqual(endsOf(few), endsOf(all), `bound ${most}`);
      }
    });
  }
}

function endsOf({ outcomes, failures }: ReturnType<typeof explore>): string[] {
  return [
    ...outcomes.map(({ name }) => name),
    ...failures.map(({ kind }) => kind).sort(),
  ];
}
