import assert from "node:assert/strict";
import { KernelBug } from "swaplab/base/bug.ts";
import { at, idleUntilNextEvent, makeClock, spend } from "swaplab/sim/clock.ts";
import {
  makeRng,
  nextBelow,
  nextFraction,
  nextUint32,
  shuffle,
} from "swaplab/sim/rng.ts";
import { makeOp, pause, run, type Task } from "swaplab/sim/task.ts";
import {
  emit,
  formatEvents,
  makeTrace,
  pageHistory,
} from "swaplab/sim/trace.ts";
import { schedule_timeout, wait_event } from "swaplab/locking/wait.ts";
import {
  lockdep_assert_held,
  spin_lock,
  spin_lock_init,
  spin_unlock,
} from "swaplab/locking/spinlock.ts";
import {
  alloc_workqueue,
  flush_workqueue,
  INIT_WORK,
  queue_work,
} from "swaplab/locking/workqueue.ts";

function* twice(value: number): Task<number> {
  yield* pause(makeOp("read", "look", {}));
  return 2 * value;
}

Deno.test("run() gives the task's value", () => {
  assert.equal(run(twice(21)), 42);
});

Deno.test("run() lets time pass while the task waits", () => {
  const clock = makeClock();
  const idle = () => idleUntilNextEvent(clock);
  run(schedule_timeout(clock, 500), idle);
  assert.equal(clock.now, 500);
});

Deno.test("run() reports a wait that nothing can end", () => {
  const never = (): Task => wait_event({}, "the second coming", () => false);
  assert.throws(() => run(never()), /Deadlock.*the second coming/);
  assert.throws(() => run(never(), () => false), /Deadlock/);
});

Deno.test("run() stops a task that pauses again and again", () => {
  const op = makeOp("resched", "cond_resched", {});
  let pauses = 0;
  function* forEver(): Task {
    for (;; pauses++) yield* pause(op);
  }
  assert.throws(
    () => run(forEver(), undefined, 10),
    /Livelock: a task has paused 10 times, last at cond_resched/,
  );
  assert.equal(pauses, 10);
});

Deno.test("a task pauses for an explorer, also after a run() inside", () => {
  const op = makeOp("write", "store", {});
  function* broken(): Task {
    yield* pause(op);
    throw new KernelBug("stop");
  }
  function* outer(): Task<number> {
    const before = run(twice(1));
    assert.throws(() => run(broken()), /stop/);
    yield* pause(op);
    return before;
  }
  const task: Task<number> = outer();
  assert.deepEqual(task.next(), { done: false, value: op });
  assert.deepEqual(task.next(), { done: true, value: 2 });
  assert.equal(run(outer()), 2);
});

Deno.test("spin_lock() by a second holder is a deadlock for one task", () => {
  const lock = spin_lock_init("l");
  function* both(): Task {
    yield* spin_lock(lock);
    yield* spin_lock(lock);
  }
  assert.throws(() => run(both()), /Deadlock.*spin_lock\(l\)/);
});

Deno.test("spin_unlock() and lockdep_assert_held() want a held lock", () => {
  const lock = spin_lock_init("l");
  assert.throws(() => spin_unlock(lock), /nobody holds it/);
  assert.throws(() => lockdep_assert_held(lock), /must be held/);
  run(spin_lock(lock));
  lockdep_assert_held(lock);
  spin_unlock(lock);
});

Deno.test("queue_work() queues once until the work has started", () => {
  const queue = alloc_workqueue();
  const done: number[] = [];
  function* body(): Task {
    done.push(yield* twice(done.length));
  }
  const work = INIT_WORK("w", body);
  assert.equal(queue_work(queue, work), true);
  assert.equal(queue_work(queue, work), false);
  run(flush_workqueue(queue));
  assert.equal(queue_work(queue, work), true);
  run(flush_workqueue(queue));
  assert.deepEqual(done, [0, 2]);
});

Deno.test("clock: events happen in order of time, then of asking", () => {
  const clock = makeClock();
  const seen: string[] = [];
  at(clock, 20, () => seen.push(`b@${clock.now}`));
  at(clock, 10, () => seen.push(`a@${clock.now}`));
  at(clock, 20, () => seen.push(`c@${clock.now}`));
  spend(clock, 15);
  assert.deepEqual(seen, ["a@10"]);
  assert.equal(clock.now, 15);
  assert.equal(idleUntilNextEvent(clock), true);
  spend(clock, 0);
  assert.deepEqual(seen, ["a@10", "b@20", "c@20"]);
  assert.equal(idleUntilNextEvent(clock), false);
});

// Golden numbers: the same in every host, for ever.
Deno.test("makeRng() gives the same numbers from the same seed", () => {
  const first = [1, 1, 2].map((seed) => nextUint32(makeRng(seed)));
  assert.deepEqual(first.slice(0, 2), [393288148, 393288148]);
  assert.notEqual(first[0], first[2]);
  assert.notEqual(nextUint32(makeRng(1)), nextUint32(makeRng(1 + 2 ** 32)));
});

Deno.test("nextBelow() reaches every number below its bound about equally", () => {
  const rng = makeRng(3);
  const counts = new Array<number>(7).fill(0);
  for (let i = 0; i < 7000; i++) counts[nextBelow(rng, 7)]!++;
  for (const count of counts) {
    assert.ok(count > 850 && count < 1150, `${count}`);
  }
  const fraction = nextFraction(rng);
  assert.ok(fraction >= 0 && fraction < 1);
});

Deno.test("rng: nonsense is refused", () => {
  assert.throws(() => makeRng(-1), RangeError);
  assert.throws(() => makeRng(0.5), RangeError);
  assert.throws(() => nextBelow(makeRng(1), 0), RangeError);
});

Deno.test("shuffle() keeps every item", () => {
  const items = shuffle(makeRng(5), [...Array(50).keys()]);
  assert.notDeepEqual(items, [...Array(50).keys()]);
  assert.deepEqual([...items].sort((a, b) => a - b), [...Array(50).keys()]);
});

Deno.test("pageHistory() follows a page through frame and slot", () => {
  const trace = makeTrace(100);
  const event = (fields: object) =>
    emit(trace, { time: 1000, fn: "f", what: "w", ...fields });
  event({ pid: 1, vpn: 5, pfn: 9 });
  event({ pid: 2, vpn: 5, pfn: 8 });
  event({ pfn: 9, slot: "0:3" });
  event({ slot: "0:4" });
  event({ slot: "0:3" });
  assert.equal(pageHistory(trace, 1, 5).length, 3);
  assert.match(
    formatEvents(pageHistory(trace, 2, 5)),
    /1\.0 µs {2}f: w \(frame 8\)/,
  );
});

Deno.test("emit() forgets the oldest half when the trace is full", () => {
  const trace = makeTrace(10);
  for (let i = 0; i < 25; i++) emit(trace, { time: i, fn: "f", what: "w" });
  assert.ok(trace.events.length <= 10);
  assert.equal(trace.events.at(-1)!.time, 24);
  assert.equal(trace.dropped + trace.events.length, 25);
});

Deno.test("a trace of capacity 0 keeps nothing", () => {
  const trace = makeTrace(0);
  emit(trace, { time: 0, fn: "f", what: "w" });
  assert.equal(trace.events.length, 0);
});
