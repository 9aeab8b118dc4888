/** The hidden tests: all bytes, carries, random sequences, a machine. */
import { EEXIST, EINVAL, ENOENT, ENOMEM } from "swaplab/base/errno.ts";
import { type Subject, type TestBody, wantEqual } from "swaplab/grade/judge.ts";
import * as engine from "swaplab/mm/swap_count.ts";
import { makeRng, nextBelow, type Rng } from "swaplab/sim/rng.ts";
import { type Expectation, expectCall } from "./checks.ts";
import { makeStage, type Move } from "./stage.ts";

const pin = 0x40;
const more = 0x80;
const shmem = 0xbf;

/** The table of README.md for a slot without continuation pages. */
function expectedOf(byte: number, usage: number): Expectation {
  const stays = (error: number) => ({
    byte,
    usage,
    result: -error,
    after: byte,
  });
  const count = byte & ~pin;
  if (count === 0x3f || byte === 0) return stays(ENOENT);
  if (usage === pin) {
    if ((byte & pin) !== 0) return stays(EEXIST);
    return { byte, usage, result: 0, after: byte | pin };
  }
  const digit = byte & 0x3f;
  if (digit === 0x3f) return stays(EINVAL);
  if (digit === 62) return stays(ENOMEM);
  return { byte, usage, result: 0, after: byte + 1 };
}

async function everyByte(subject: Subject): Promise<void> {
  for (let byte = 0; byte <= 0xff; byte++) {
    // A continued count without a page: the engine stops the machine.
    if ((byte & ~pin) === (more | 62)) continue;
    await expectCall(subject, expectedOf(byte, 1));
    await expectCall(subject, expectedOf(byte, pin));
  }
}

const sharedMemory: readonly Expectation[] = [
  { byte: 0x40, usage: shmem, result: 0, after: 0xff },
  { byte: 0x00, usage: shmem, result: -ENOENT, after: 0x00 },
  { byte: 0x3f, usage: shmem, result: -ENOENT, after: 0x3f },
  { byte: 0xbf, usage: 1, result: -EINVAL, after: 0xbf },
  { byte: 0xff, usage: 1, result: -EINVAL, after: 0xff },
  { byte: 0xbf, usage: pin, result: 0, after: 0xff },
  { byte: 0xff, usage: pin, result: -EEXIST, after: 0xff },
];

/** Byte and digits before, byte and digits after one more user. */
const carries: readonly [number, number[], number, number[]][] = [
  [0x7e, [0], 0xc0, [1]],
  [0x80, [1], 0x81, [1]],
  [0xc5, [9], 0xc6, [9]],
  [0xbe, [1], 0x80, [2]],
  [0xfe, [0x7e], 0xc0, [0x7f]],
  [0xbe, [0x7f, 0], 0x80, [0x80, 1]],
  [0xfe, [0xff, 3], 0xc0, [0x80, 4]],
];

const continued: readonly Expectation[] = [
  ...carries.map(([byte, digits, after, digitsAfter]) => ({
    byte,
    digits,
    usage: 1,
    result: 0,
    after,
    digitsAfter,
  })),
  { byte: 0xbe, digits: [0x7f], usage: 1, result: -ENOMEM, after: 0xbe },
  { byte: 0xfe, digits: [0x7f], usage: 1, result: -ENOMEM, after: 0xfe },
  { byte: 0x7e, usage: 1, result: -ENOMEM, after: 0x7e },
  { byte: 0xbe, digits: [7], usage: pin, result: 0, after: 0xfe },
];

/** What a slot is, without bytes: the model that the bytes must follow. */
interface Model {
  users: number;
  pinned: boolean;
  shared: boolean;
}

function byteOf({ users, pinned, shared }: Model): number {
  const flag = pinned ? pin : 0;
  if (shared) return shmem | flag;
  const low = users % 63;
  return low | (users > 62 ? more : 0) | flag;
}

/** Moves that an engine could make in this state. */
function movesOf({ users, pinned, shared }: Model): Move[] {
  const moves: Move[] = ["share", "share", "pin"];
  if (users > 0 || shared) moves.push("drop");
  if (pinned) moves.push("unpin");
  if (pinned && users === 0 && !shared) moves.push("shmem");
  return moves;
}

/** Change the model; what each call must return. `room`: a page is there. */
function step(model: Model, move: Move, room: boolean): number[] {
  if (move === "drop" || move === "unpin") {
    if (move === "unpin") model.pinned = false;
    else if (model.shared) model.shared = false;
    else model.users--;
    const left = byteOf(model);
    // Nobody is left: the slot stays pinned until it is really freed.
    if (left === 0) model.pinned = true;
    return [left];
  }
  if (move === "pin") {
    if (model.pinned) return [-EEXIST];
    model.pinned = true;
    return [0];
  }
  if (model.shared) return [-EINVAL];
  if (move === "shmem") {
    model.shared = true;
    return [0];
  }
  const overflows = model.users % 63 === 62;
  model.users++;
  return overflows && !room ? [-ENOMEM, 0] : [0];
}

/** What each trace begins with: a pinned overflow, a share of shmem's slot. */
const prelude: readonly [Move, number][] = [
  ["pin", 2],
  ["share", 2],
  ["share", 2],
  ["shmem", 1],
  ["share", 1],
];

/** Random moves on four slots, and what must come of them. */
function makeTrace(rng: Rng, length: number) {
  const models: Model[] = [1, 0, 61, 3].map((users, index) => ({
    users,
    pinned: index === 1,
    shared: false,
  }));
  const bytes = models.map(byteOf);
  const moves: [Move, number][] = [];
  const wanted: { results: number[]; byte: number }[] = [];
  let room = false;
  for (let i = 0; i < length; i++) {
    const [move, slot] = prelude[i] ?? randomMove(rng, models);
    const model = models[slot]!;
    const results = step(model, move, room);
    room ||= results.includes(-ENOMEM);
    moves.push([move, slot]);
    wanted.push({ results, byte: byteOf(model) });
  }
  return { bytes, moves, wanted };
}

function randomMove(rng: Rng, models: readonly Model[]): [Move, number] {
  const slot = nextBelow(rng, models.length);
  const possible = movesOf(models[slot]!);
  return [possible[nextBelow(rng, possible.length)]!, slot];
}

async function sequence(
  subject: Subject,
  seed: number,
): Promise<void> {
  for (let round = 0; round < 4; round++) {
    const rng = makeRng(seed + round);
    const { bytes, moves, wanted } = makeTrace(rng, 600);
    const answer = await subject.call("replay", bytes, moves);
    wantEqual(`round ${round}`, answer, wanted);
  }
}

async function fork(
  subject: Subject,
  seed: number,
): Promise<void> {
  const rng = makeRng(seed);
  for (const children of [2 + nextBelow(rng, 8), 64 + nextBelow(rng, 20)]) {
    const hogs = [90 + nextBelow(rng, 60), 90 + nextBelow(rng, 60)];
    const wanted = makeStage(engine).forkStory(children, hogs);
    const answer = await subject.call("forkStory", children, hogs);
    wantEqual(`${children} children`, answer, structuredClone(wanted) as never);
  }
}

export const checks: Record<string, TestBody> = {
  "every-byte": everyByte,
  "shared-memory": async (subject) => {
    for (const expected of sharedMemory) await expectCall(subject, expected);
  },
  continued: async (subject) => {
    for (const expected of continued) await expectCall(subject, expected);
  },
  sequence,
  fork,
};
