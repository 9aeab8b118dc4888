/** Runs without end: starved, or truly going in circles. */
import { equal, match } from "node:assert/strict";
import { litmusProgram } from "swaplab/lab/litmus/mod.ts";
import { actor, type Program } from "swaplab/sim/execute.ts";
import { explore } from "swaplab/sim/explore.ts";
import { makeOp, pause, type Task } from "swaplab/sim/task.ts";

interface Door {
  open: boolean;
}

/** Looks again and again until somebody has opened. */
function* waits(door: Door): Task {
  const look = makeOp("read", "READ_ONCE(door)", door);
  do yield* pause(look); while (!door.open);
}

/** Sees to it that the door is as it wants it. */
function* insists(door: Door, open: boolean): Task {
  const write = makeOp("write", "WRITE_ONCE(door)", door);
  for (;;) {
    yield* pause(write);
    door.open = open;
  }
}

function* opens(door: Door): Task {
  yield* pause(makeOp("write", "WRITE_ONCE(door)", door));
  door.open = true;
}

function programOf(...tasks: ((door: Door) => Task)[]): Program {
  return {
    name: "a door",
    start() {
      const door = { open: false };
      const actors = tasks.map((task, at) => actor(`CPU${at}`, task(door)));
      return { actors, finish: () => "through" };
    },
  };
}

function messageOf(program: Program, bound = 0): string {
  const { failures } = explore(program, {
    search: "dfs",
    bound,
    stopAtFailure: true,
  });
  equal(failures[0]!.kind, "endless");
  return failures[0]!.message;
}

Deno.test("an actor that only has to be let on was starved", () => {
  match(messageOf(programOf(waits, opens)), /starvation: it ends if all take/);
});

Deno.test("two that undo each other's work are a livelock", () => {
  const program = programOf(
    (door): Task => insists(door, true),
    (door): Task => insists(door, false),
  );
  match(messageOf(program), /a livelock: it does not end either/);
});

Deno.test("sync-swapin-aba: who backs off by schedule() starves the other", () => {
  const program = litmusProgram("sync-swapin-aba", {
    proposals: { sync_swapin_backoff: "schedule" },
  });
  match(messageOf(program, 1), /starvation/);
});
