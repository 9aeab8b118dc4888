/** Try your answer: deno test exercises/01_swap_duplicate */
import { localSubject } from "swaplab/grade/judge.ts";
import { checks } from "./checks.ts";
import exercise from "./exercise.json" with { type: "json" };
import { makeStage } from "./stage.ts";
import * as answer from "./swap_count.ts";

for (const { id, name, inMachine = false } of exercise.tests) {
  const subject = localSubject(makeStage(answer));
  Deno.test({
    name: inMachine ? name + " (deno task grade runs it)" : name,
    ignore: inMachine,
    fn: () => checks[id]!(subject, 1),
  });
}
