import { deepEqual, equal, match, ok, throws } from "node:assert/strict";
import { litmusProgram } from "swaplab/lab/litmus/mod.ts";
import { SimError } from "swaplab/base/bug.ts";
import type { Program } from "swaplab/sim/execute.ts";
import { swimlanes } from "swaplab/show/swimlanes.ts";
import { counterProgram } from "../sim/programs.ts";
import { checkMarkup, matchesGolden } from "./golden.ts";

const lost = litmusProgram("planted-lost-update", { variant: "no lock" });
const spec = {
  title: "Two updates become one",
  finding: "CPU1 counts in vain.",
  schedule: "A1B4A",
};

/** Two CPUs count once each; the state can be watched. */
function counterWithWatch(): Program {
  const program = counterProgram(2, 1);
  return {
    ...program,
    start() {
      return { ...program.start(), watch: () => "counter 1" };
    },
  };
}

function textOf(...args: Parameters<typeof swimlanes>): string {
  return String(swimlanes(...args).bundle["text/plain"]);
}

Deno.test("swimlanes() draws its golden file", () => {
  const svg = String(swimlanes(lost, spec).bundle["image/svg+xml"]);
  matchesGolden("swimlanes.svg", svg);
  checkMarkup(svg);
});

Deno.test("swimlanes() gives the same bytes each time", () => {
  deepEqual(swimlanes(lost, spec).bundle, swimlanes(lost, spec).bundle);
});

Deno.test("swimlanes() tells the shared state where it is written", () => {
  const lines = textOf(lost, spec).split("\n");
  const states = lines.flatMap((line) => /counter \d$/.exec(line) ?? []);
  deepEqual(states, ["counter 1", "counter 2", "counter 1", "counter 2"]);
  const again = textOf(counterWithWatch(), { ...spec, schedule: "A1B2A" });
  equal(again.match(/counter 1/g)?.length, 2, "written twice, the same");
  equal(lines.at(-1), "Invariant broken: 2 of 4 updates");
});

Deno.test("swimlanes() says what those wait for who cannot go on", () => {
  const inverted = litmusProgram("planted-lock-inversion", {
    variant: "inverted",
  });
  const text = textOf(inverted, { ...spec, schedule: "A1B" });
  match(text, /waits: spin_lock\(lock 2\)/);
  match(text, /waits: spin_lock\(lock 1\)/);
  match(text, /\nDeadlock: CPU0 waits/);
});

Deno.test("swimlanes() leaves steps out of a long turn, and says so", () => {
  const program = counterProgram(2, 5);
  const text = textOf(program, { ...spec, schedule: "A1B8A", stepsShown: 4 });
  match(text, /… 4 more/);
  const rows = text.split("\n").filter((line) => /read|write|more/.test(line));
  equal(rows.length, 1 + 5 + 5 + 2);
});

Deno.test("swimlanes() refuses a schedule that does not fit", () => {
  throws(() => swimlanes(lost, { ...spec, schedule: "A9B4A" }), SimError);
  throws(() => swimlanes(lost, { ...spec, schedule: "" }), TypeError);
  throws(() => swimlanes(lost, { ...spec, stepsShown: 1 }), RangeError);
});

Deno.test("swimlanes() is as narrow as its words allow", () => {
  const svg = String(swimlanes(lost, spec).bundle["image/svg+xml"]);
  ok(Number(/width="(\d+)"/.exec(svg)![1]) < 560);
});
