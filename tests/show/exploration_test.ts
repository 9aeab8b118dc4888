import { equal, match } from "node:assert/strict";
import { litmusProgram } from "swaplab/lab/litmus/mod.ts";
import { explorationTable, violationText } from "swaplab/show/exploration.ts";
import { explore } from "swaplab/sim/explore.ts";
import { randomScheduler } from "swaplab/sim/random.ts";

const broken = litmusProgram("planted-lost-update", { variant: "no lock" });

function textOf(found: ReturnType<typeof explore>): string {
  return String(explorationTable(found).bundle["text/plain"]);
}

Deno.test("explorationTable() has verdict, outcomes, then failures", () => {
  const lines = textOf(explore(broken)).split("\n");
  equal(
    lines[0],
    "planted-lost-update: broken (all interleavings searched, 34 runs)",
  );
  match(lines[4]!, /^counted 4 +6 +0 +8 +A4B$/);
  match(lines[5]!, /^Invariant broken: 2 of 4 updates +28 /);
});

Deno.test("explorationTable() says when a search was not complete", () => {
  const some = explore(broken, { scheduler: randomScheduler(1, 5) });
  match(textOf(some), /not searched to the end, 5 runs/);
  match(textOf(explore(broken, { bound: 0 })), /up to 0 preemptions searched/);
});

Deno.test("violationText() says the kind once", () => {
  const message = "Deadlock: CPU0 waits\nmore";
  equal(violationText({ kind: "deadlock", message }), "Deadlock: CPU0 waits");
  equal(
    violationText({ kind: "lost wakeup", message: "Nobody wakes" }),
    "lost wakeup: Nobody wakes",
  );
});
