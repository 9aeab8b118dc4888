/** Try your answer: deno test exercises/01_swap_duplicate */
import { localSubject } from "swaplab/grade/judge.ts";
import { checks } from "./checks.ts";
import exercise from "./exercise.json" with { type: "json" };
import { makeStage } from "./stage.ts";
import * as answer from "./swap_count.ts";

for (const { id, name } of exercise.tests) {
  const subject = localSubject(makeStage(answer));
  Deno.test(name, () => checks[id]!(subject, 1));
}
