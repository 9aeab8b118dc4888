/** Small programs for the explorer, made by seed. */
import {
  spin_lock,
  spin_lock_init,
  spin_unlock,
  type Spinlock,
} from "swaplab/locking/spinlock.ts";
import { actor, type Program } from "swaplab/sim/execute.ts";
import { makeRng, nextBelow, type Rng } from "swaplab/sim/rng.ts";
import { makeOp, type Op, pause, type Task } from "swaplab/sim/task.ts";

interface Word {
  value: number;
  readonly read: Op;
  readonly write: Op;
}

function makeWord(name: string): Word {
  const word = { value: 0 } as { -readonly [Field in keyof Word]: Word[Field] };
  word.read = makeOp("read", `read ${name}`, word);
  word.write = makeOp("write", `write ${name}`, word);
  return word;
}

function* increments(word: Word, count: number): Task {
  for (let i = 0; i < count; i++) {
    yield* pause(word.read);
    const seen = word.value;
    yield* pause(word.write);
    word.value = seen + 1;
  }
}

/** `threads` add 1 to a word `steps` times each, by a read and a write. */
export function counterProgram(threads: number, steps: number): Program {
  return {
    name: `counter ${threads}×${steps}`,
    start() {
      const word = makeWord("counter");
      return {
        actors: Array.from(
          { length: threads },
          (_, i) => actor(`T${i}`, increments(word, steps)),
        ),
        finish: () => String(word.value),
      };
    },
  };
}

type Statement =
  | { readonly does: "read" | "write"; readonly word: number }
  | { readonly does: "lock"; readonly lock: number }
  | { readonly does: "unlock"; readonly lock: number };

function* interpret(
  statements: readonly Statement[],
  words: readonly Word[],
  locks: readonly Spinlock[],
  seen: number[],
): Task {
  let register = 1;
  for (const statement of statements) {
    if (statement.does === "lock") yield* spin_lock(locks[statement.lock]!);
    else if (statement.does === "unlock") spin_unlock(locks[statement.lock]!);
    else {
      const word = words[statement.word]!;
      yield* pause(statement.does === "read" ? word.read : word.write);
      if (statement.does === "read") seen.push(register = word.value);
      else word.value = word.value * 3 + register + 1;
    }
  }
}

function statementsFor(rng: Rng, words: number, locks: number): Statement[] {
  const statements: Statement[] = [];
  const length = 1 + nextBelow(rng, 4);
  for (let i = 0; i < length; i++) {
    const does = nextBelow(rng, 2) === 0 ? "read" as const : "write" as const;
    const access: Statement = { does, word: nextBelow(rng, words) };
    if (nextBelow(rng, 4) > 0) {
      statements.push(access);
      continue;
    }
    const lock = nextBelow(rng, locks);
    statements.push({ does: "lock", lock }, access);
    if (nextBelow(rng, 3) === 0) {
      const inner = (lock + 1) % locks;
      if (inner !== lock) {
        statements.push({ does: "lock", lock: inner });
        statements.push({ does: "unlock", lock: inner });
      }
    }
    statements.push({ does: "unlock", lock });
  }
  return statements;
}

/** Two or three threads that read, write and lock, the same for a seed. */
export function randomProgram(seed: number): Program {
  const rng = makeRng(seed);
  const threads = 2 + nextBelow(rng, 2);
  const wordCount = 1 + nextBelow(rng, 2);
  const bodies = Array.from(
    { length: threads },
    () => statementsFor(rng, wordCount, 2).slice(0, threads === 3 ? 5 : 8),
  );
  return {
    name: `random ${seed}`,
    start() {
      const words = Array.from(
        { length: wordCount },
        (_, i) => makeWord(`${i}`),
      );
      const locks = [0, 1].map((i) => spin_lock_init("ab"[i]!));
      const seen = bodies.map((): number[] => []);
      return {
        actors: bodies.map((body, i) =>
          actor(`T${i}`, interpret(body, words, locks, seen[i]!))
        ),
        finish: () =>
          words.map(({ value }) => value).join() + "/" +
          seen.map((values) => values.join()).join(";"),
      };
    },
  };
}
