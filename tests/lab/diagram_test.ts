import assert from "node:assert/strict";
import { makeStepParser } from "swaplab/lab/diagram_step.ts";
import { runDiagram } from "swaplab/lab/diagram.ts";
import { printDiagram } from "swaplab/lab/diagram_print.ts";
import {
  spin_lock,
  spin_lock_init,
  spin_unlock,
  type Spinlock,
} from "swaplab/locking/spinlock.ts";
import { actor, type Program } from "swaplab/sim/execute.ts";
import { explore, runSchedule } from "swaplab/sim/explore.ts";
import { makeOp, type Op, pause, type Task } from "swaplab/sim/task.ts";
import { enter, makeTrace, type Trace } from "swaplab/sim/trace.ts";
import { counterProgram, randomProgram } from "../sim/programs.ts";

/** A counter that is read in one function and written in another. */
interface Counter {
  value: number;
  readonly trace: Trace;
  readonly lock: Spinlock;
  readonly load: Op;
  readonly store: Op;
}

function* read_counter(counter: Counter): Task<number> {
  enter(counter.trace, "read_counter");
  yield* pause(counter.load);
  return counter.value;
}

function* write_counter(counter: Counter, value: number): Task {
  enter(counter.trace, "write_counter");
  yield* pause(counter.store);
  counter.value = value;
}

function* add(counter: Counter): Task {
  enter(counter.trace, "add");
  yield* write_counter(counter, (yield* read_counter(counter)) + 1);
}

function* add_locked(counter: Counter): Task {
  enter(counter.trace, "add_locked");
  yield* spin_lock(counter.lock);
  yield* add(counter);
  spin_unlock(counter.lock);
}

function program(locked: boolean): Program {
  return {
    name: "two adders",
    start() {
      const object = {};
      const counter: Counter = {
        value: 0,
        trace: makeTrace(0),
        lock: spin_lock_init("counter"),
        load: makeOp("read", "READ_ONCE(counter)", object),
        store: makeOp("write", "WRITE_ONCE(counter)", object),
      };
      return {
        actors: [0, 1].map((i) =>
          actor(`CPU${i}`, locked ? add_locked(counter) : add(counter))
        ),
        listen: (told) => void (counter.trace.calls = told),
        finish: () => `${counter.value}`,
      };
    },
  };
}

const lost = `
CPU0                  CPU1
add()
  read_counter()
                      add()
                        read_counter()
                        write_counter()
  write_counter()
`;

Deno.test("a diagram drives the program through its order", () => {
  const { run, misfit, schedule } = runDiagram(program(false), lost);
  assert.equal(misfit, null);
  assert.equal(run.outcome, "1");
  assert.equal(schedule, "A1B2A");
});

Deno.test("a step that cannot happen is told with its reason", () => {
  const { misfit } = runDiagram(program(true), lost);
  assert.equal(misfit!.line, 5);
  assert.match(
    misfit!.why,
    /add\(\): CPU1 cannot go on at spin_lock\(counter\): CPU0 holds it/,
  );
  const never = runDiagram(program(false), "CPU0    CPU1\nadd()\nswap_free()");
  assert.deepEqual(never.misfit, {
    line: 3,
    why: "swap_free(): CPU0 has ended without it",
  });
});

Deno.test("every schedule, printed and run again, is the same schedule", () => {
  const programs = [
    program(false),
    program(true),
    counterProgram(2, 2),
    counterProgram(3, 1),
    ...Array.from({ length: 30 }, (_, seed) => randomProgram(seed)),
  ];
  const stepOf = makeStepParser();
  let checked = 0;
  for (const tried of programs) {
    const { outcomes, failures } = explore(tried, { maxRuns: 300 });
    for (const { schedule } of [...outcomes, ...failures]) {
      const text = printDiagram(tried, schedule);
      for (const line of text.split("\n")) assert.ok(line.length <= 76, line);
      const again = runDiagram(tried, text, stepOf);
      const first = runSchedule(tried, schedule);
      assert.equal(again.schedule, schedule, `${tried.name}\n${text}`);
      assert.equal(again.run.outcome, first.outcome);
      assert.deepEqual(again.run.violation, first.violation);
      checked++;
    }
  }
  assert.ok(checked > 200, `${checked} schedules`);
});

Deno.test("a diagram with more columns than actors is refused", () => {
  assert.throws(
    () => runDiagram(program(false), "A    B    C\nadd()"),
    /3 columns, but those who act are CPU0, CPU1/,
  );
});
