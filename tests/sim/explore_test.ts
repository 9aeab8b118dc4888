import assert from "node:assert/strict";
import {
  spin_lock,
  spin_lock_init,
  spin_unlock,
} from "swaplab/locking/spinlock.ts";
import { wait_event } from "swaplab/locking/wait.ts";
import { actor, execute, type Program } from "swaplab/sim/execute.ts";
import {
  type Exploration,
  explore,
  runSchedule,
  shortestFailure,
} from "swaplab/sim/explore.ts";
import { pct } from "swaplab/sim/pct.ts";
import { randomScheduler } from "swaplab/sim/random.ts";
import { parseSchedule } from "swaplab/sim/replay.ts";
import { roundRobin } from "swaplab/sim/round_robin.ts";
import { makeOp, pause, type Task } from "swaplab/sim/task.ts";
import { KernelBug } from "swaplab/base/bug.ts";
import { guardedProgram } from "./guarded_programs.ts";
import { counterProgram, randomProgram } from "./programs.ts";

Deno.test("counter programs: as many runs as there are different ones", () => {
  for (
    const [threads, steps, classes, all] of [
      [2, 2, 34, 70],
      [2, 3, 328, 924],
      [3, 2, 7134, null],
      [2, 5, 34904, null],
    ] as const
  ) {
    const program = counterProgram(threads, steps);
    const found = explore(program);
    assert.equal(found.runs, classes, program.name);
    assert.equal(found.blocked, 0, program.name);
    assert.ok(found.complete);
    if (all === null) continue;
    const plain = explore(program, { search: "dfs" });
    assert.equal(plain.runs, all);
    assert.deepEqual(names(found), names(plain));
  }
});

Deno.test("a bound on preemptions: 26 and 62 runs of two counters", () => {
  const options = { search: "dfs", bound: 2 } as const;
  assert.equal(explore(counterProgram(2, 2), options).runs, 26);
  assert.equal(explore(counterProgram(2, 3), options).runs, 62);
});

function names({ outcomes, failures }: Exploration): unknown {
  return [
    outcomes.map(({ name }) => name),
    failures.map(({ kind }) => kind).sort(),
  ];
}

Deno.test("1,000 random programs: what is left out cannot differ", () => {
  let compared = 0;
  let deadlocks = 0;
  for (let seed = 0; compared < 1000; seed++) {
    const program = randomProgram(seed);
    const all = explore(program, { search: "dfs", maxRuns: 20_000 });
    if (!all.complete) continue;
    compared++;
    const reduced = explore(program);
    assert.deepEqual(names(reduced), names(all), program.name);
    assert.ok(reduced.runs <= all.runs);
    if (all.failures.length > 0) deadlocks++;
    for (const bound of seed % 4 === 0 ? [0, 1, 2] : []) {
      const some = explore(program, { search: "dfs", bound });
      const few = explore(program, { bound });
      assert.deepEqual(names(few), names(some), `${program.name}, ${bound}`);
    }
  }
  assert.ok(deadlocks > 50, `${deadlocks} programs can deadlock`);
});

Deno.test("500 programs that do not always lock: none can differ either", () => {
  let compared = 0;
  let saved = 0;
  for (let seed = 0; compared < 500; seed++) {
    const program = guardedProgram(seed);
    const all = explore(program, { search: "dfs", maxRuns: 10_000 });
    if (!all.complete) continue;
    compared++;
    const reduced = explore(program);
    assert.deepEqual(names(reduced), names(all), program.name);
    assert.ok(reduced.runs <= all.runs);
    saved += all.runs - reduced.runs;
    for (const bound of seed % 4 === 0 ? [0, 1, 2] : []) {
      const some = explore(program, { search: "dfs", bound });
      const few = explore(program, { bound });
      assert.deepEqual(names(few), names(some), `${program.name}, ${bound}`);
    }
  }
  assert.ok(saved > 1000, `${saved} runs were saved`);
});

Deno.test("every run is the same twice; one that is not is told", () => {
  explore(counterProgram(2, 2), { twice: true });
  let runs = 0;
  const fickle: Program = {
    name: "fickle",
    start() {
      const label = `read ${runs++}`;
      const op = makeOp("read", label, {});
      return {
        actors: [actor("A", pause(op))],
        finish: () => "",
      };
    },
  };
  assert.throws(() => explore(fickle, { twice: true }), /Nondeterminism/);
});

function* inOrder(
  first: ReturnType<typeof spin_lock_init>,
  second: typeof first,
): Task {
  yield* spin_lock(first);
  yield* spin_lock(second);
  spin_unlock(second);
  spin_unlock(first);
}

/** Two locks, taken in both orders: by two actors, or by one alone. */
function inversion(together: boolean): Program {
  return {
    name: "lock inversion",
    start() {
      const [a, b] = [spin_lock_init("a"), spin_lock_init("b")];
      return {
        actors: together
          ? [actor("CPU0", inOrder(a, b)), actor("CPU1", inOrder(b, a))]
          : [actor("CPU0", both(a, b))],
        finish: () => "",
      };
    },
  };
}

function* both(a: ReturnType<typeof spin_lock_init>, b: typeof a): Task {
  yield* inOrder(a, b);
  yield* inOrder(b, a);
}

Deno.test("a deadlock names who waits for what and who holds it", () => {
  const found = explore(inversion(true));
  const deadlock = found.failures.find(({ kind }) => kind === "deadlock");
  assert.match(
    deadlock!.message,
    /CPU0 waits at spin_lock\(b\), held by CPU1; CPU1 .*\(a\), held by CPU0/,
  );
});

Deno.test("lockdep tells an inversion in a run that did not deadlock", () => {
  const found = explore(inversion(false));
  assert.equal(found.runs, 1);
  assert.equal(found.failures[0]!.kind, "lock order");
  assert.match(found.failures[0]!.message, /spin_lock\(a\) is taken while/);
});

interface Flag {
  set: boolean;
  waiting: boolean;
}

/** Tells nobody if nobody waits yet; and waits without looking again. */
function* sleeper(flag: Flag): Task {
  yield* pause(makeOp("read", "look", flag));
  if (flag.set) return;
  yield* pause(makeOp("write", "enqueue", flag));
  flag.waiting = true;
  yield* wait_event(flag, "sleep", () => !flag.waiting);
}

function* waker(flag: Flag): Task {
  yield* pause(makeOp("write", "wake", flag));
  flag.set = true;
  flag.waiting = false;
}

Deno.test("a wakeup that comes between look and sleep is lost, and found", () => {
  const program: Program = {
    name: "missing wakeup",
    start() {
      const flag: Flag = { set: false, waiting: false };
      return {
        actors: [
          actor("sleeper", sleeper(flag)),
          actor("waker", waker(flag)),
        ],
        finish: () => "woken",
      };
    },
  };
  const found = explore(program);
  assert.deepEqual(found.outcomes.map(({ name }) => name), ["woken"]);
  assert.equal(found.failures[0]!.kind, "lost wakeup");
  assert.equal(found.failures[0]!.schedule, "A1B1A");
  const run = runSchedule(program, "A1B1A");
  assert.equal(run.violation!.kind, "lost wakeup");
});

/** The counter, and an assertion that no update is lost. */
function lostUpdate(): Program {
  const counter = counterProgram(2, 2);
  return {
    name: "lost update",
    start() {
      const instance = counter.start();
      const finish = () => {
        const sum = instance.finish();
        if (sum !== "4") throw new KernelBug(`Invariant broken: ${sum} of 4`);
        return sum;
      };
      return { ...instance, finish };
    },
  };
}

Deno.test("the shortest failure has the fewest preemptions", () => {
  const program = lostUpdate();
  const found = explore(program);
  const shortest = shortestFailure(program, found.failures[0]!);
  assert.equal(shortest.preemptions, 1);
  assert.equal(
    runSchedule(program, shortest.schedule).violation!.kind,
    "invariant",
  );
});

Deno.test("random, PCT and round robin find the lost update, by seed", () => {
  const program = lostUpdate();
  for (
    const scheduler of [
      () => randomScheduler(1, 50),
      () => pct({ seed: 1, runs: 50, depth: 2 }),
      () => roundRobin(),
    ]
  ) {
    const once = explore(program, { scheduler: scheduler() });
    assert.equal(once.failures[0]?.kind, "invariant");
    assert.equal(once.complete, false);
    assert.deepEqual(explore(program, { scheduler: scheduler() }), once);
  }
});

Deno.test("a schedule that does not fit is refused at its step", () => {
  const program = inversion(true);
  const bad = (text: string) => () => runSchedule(program, text);
  assert.throws(bad("A9B"), /ceases to fit at step 3: A cannot go on/);
  assert.throws(bad("C1A"), /ceases to fit at step 1: C .* no such actor/);
  assert.throws(() => parseSchedule("A0B"), /how many steps of A/);
  assert.throws(() => parseSchedule("AB"), /how many steps of A/);
  assert.throws(() => parseSchedule("a1"), /wanted a letter and a number/);
});

Deno.test("a task that never ends is told as endless", () => {
  const op = makeOp("resched", "cond_resched", {});
  function* forever(): Task {
    for (;;) yield* pause(op);
  }
  const run = execute({
    name: "endless",
    start: () => ({
      actors: [actor("A", forever())],
      finish: () => "",
    }),
  }, roundRobin());
  assert.equal(run.violation!.kind, "endless");
});
