/**
 * A run without end: is it one that only an unfair scheduler makes? Ours.
 *
 * A search may let one actor go on for ever while another one could act. If
 * the run ends as soon as everybody has his turn, that was starvation; if not
 * even then, it is a livelock.
 */
import { execute, type Program, type Scheduler, stepLimit } from "./execute.ts";
import { replay } from "./replay.ts";
import { roundRobin } from "./round_robin.ts";

/** The first half of a run is the schedule's, then all take turns. */
function fairInTheEnd(schedule: string): Scheduler {
  const given = replay(schedule);
  const fair = roundRobin();
  return {
    begin: () => given.begin() && fair.begin(),
    choose: (view) => (view.depth < stepLimit / 2 ? given : fair).choose(view),
    end: () => {},
  };
}

/** What a fair scheduler makes of an endless run, in half a sentence. */
export function fairVerdict(program: Program, schedule: string): string {
  const run = execute(program, fairInTheEnd(schedule));
  return run.violation?.kind === "endless"
    ? "a livelock: it does not end either if all take turns from its middle on"
    : "starvation: it ends if all take turns from its middle on";
}
