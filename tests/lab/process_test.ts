import assert from "node:assert/strict";
import { type Machine, makeMachine } from "swaplab/lab/machine.ts";
import type { Advice, Process } from "swaplab/lab/process.ts";
import { makeRng, nextBelow, type Rng } from "swaplab/sim/rng.ts";

const pages = 24;
const advices: readonly Advice[] = ["free", "cold", "pageout", "dontneed"];

/** Machines that keep a shadow take the long way of touch() only. */
function bothKinds(): Machine[] {
  return [true, false].map((shadow) => makeMachine({ frames: 48, shadow }));
}

function act(rng: Rng, machine: Machine, family: Process[]): void {
  const process = family[nextBelow(rng, family.length)]!;
  const page = nextBelow(rng, pages);
  const write = nextBelow(rng, 2) > 0;
  const kind = nextBelow(rng, 40);
  if (kind === 0 && family.length < 3) family.push(process.fork());
  else if (kind === 1 && family.length > 1) family.shift()!.exit();
  else if (kind === 2) machine.settle();
  else if (kind < 8) process.advise(advices[kind % 4]!, page, page + 1);
  else process.touch(page, write);
}

/** The last word of each page: what touch() changes. */
function wordsOf(process: Process): number[] {
  return Array.from(
    { length: pages },
    (_, page) => new Uint32Array(process.read(page).buffer)[1023]!,
  );
}

Deno.test("touch() does the same by its short way and by its long one", () => {
  for (let seed = 1; seed <= 12; seed++) {
    const [long, short] = bothKinds().map((machine) => {
      const rng = makeRng(seed);
      const family = [machine.spawn({ pages })];
      for (let i = 0; i < 1500; i++) act(rng, machine, family);
      const { vm_event, clock } = machine.k;
      const counted = { ...vm_event };
      return { counted, now: clock.now, words: family.map(wordsOf) };
    });
    assert.deepEqual(short, long, `seed ${seed}`);
  }
});

Deno.test("touch() changes one word of its own page", () => {
  for (const machine of bothKinds()) {
    const process = machine.spawn({ pages });
    for (let turn = 0; turn < 3; turn++) {
      for (let page = turn; page < pages; page++) process.touch(page, true);
    }
    const wanted = Array.from({ length: pages }, (_, i) => Math.min(i + 1, 3));
    assert.deepEqual(wordsOf(process), wanted);
    const bytes = process.read(5);
    assert.ok(bytes.subarray(0, 4092).every((byte) => byte === 0));
  }
});

Deno.test("touch() after fork() copies before it writes", () => {
  for (const machine of bothKinds()) {
    const parent = machine.spawn({ pages });
    for (let page = 0; page < pages; page++) parent.touch(page, true);
    const child = parent.fork();
    parent.touch(3, true);
    child.touch(4, true);
    child.touch(4, true);
    assert.deepEqual(wordsOf(parent).slice(2, 6), [1, 2, 1, 1]);
    assert.deepEqual(wordsOf(child).slice(2, 6), [1, 1, 3, 1]);
  }
});

Deno.test("touch() wants a page that there is, and a process that lives", () => {
  for (const machine of bothKinds()) {
    const process = machine.spawn({ pages });
    process.touch(0, true);
    for (const page of [-1, 0.5, pages, NaN]) {
      assert.throws(() => process.touch(page), RangeError, `page ${page}`);
    }
    process.exit();
    assert.throws(() => process.touch(0, true), /has ended/);
  }
});
