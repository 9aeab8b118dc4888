/**
 * Small programs, made by seed, in which not everybody takes the lock: words
 * that are changed under a lock between two pauses, looked at or written
 * without it, and locks that are only tried.
 */
import {
  spin_lock,
  spin_lock_init,
  spin_trylock,
  spin_unlock,
  type Spinlock,
} from "swaplab/locking/spinlock.ts";
import { actor, type Program } from "swaplab/sim/execute.ts";
import { makeRng, nextBelow, type Rng } from "swaplab/sim/rng.ts";
import { makeOp, type Op, pause, type Task } from "swaplab/sim/task.ts";

/** What all threads share: a guarded word, and one that is in nobody's way. */
interface State {
  word: number;
  readonly lock: Spinlock;
  readonly look: Op;
  readonly write: Op;
  readonly attempt: Op;
  /** A word of each thread's own: a pause that touches nothing else. */
  readonly own: readonly Op[];
}

type Statement =
  /** Take the lock; add to the word after each pause inside; give it back. */
  | { readonly does: "section"; readonly pauses: number }
  | { readonly does: "try"; readonly pauses: number }
  | { readonly does: "look" | "write" };

function makeState(threads: number): State {
  const guarded = {};
  const lock = spin_lock_init("lock", guarded);
  return {
    word: 1,
    lock,
    look: lock.peek,
    write: makeOp("write", "WRITE_ONCE(word)", guarded),
    attempt: {
      ...makeOp("write", "spin_trylock(lock)", guarded),
      free: () => !lock.locked,
    },
    own: Array.from(
      { length: threads },
      (_, i) => makeOp("write", `own ${i}`, {}),
    ),
  };
}

function* inside(state: State, own: Op, pauses: number): Task {
  state.word = state.word * 2 + 1;
  for (let i = 0; i < pauses; i++) {
    yield* pause(own);
    state.word = state.word * 2 + 1;
  }
  spin_unlock(state.lock);
}

function* perform(
  state: State,
  thread: number,
  statements: readonly Statement[],
  seen: number[],
): Task {
  const own = state.own[thread]!;
  for (const statement of statements) {
    if (statement.does === "section") {
      yield* spin_lock(state.lock);
      yield* inside(state, own, statement.pauses);
    } else if (statement.does === "try") {
      yield* pause(state.attempt);
      if (spin_trylock(state.lock)) {
        yield* inside(state, own, statement.pauses);
      } else seen.push(-1);
    } else {
      yield* pause(statement.does === "look" ? state.look : state.write);
      if (statement.does === "look") seen.push(state.word);
      else state.word = state.word * 3 + thread;
    }
  }
}

function statementOf(rng: Rng): Statement {
  const pauses = nextBelow(rng, 3);
  const kinds = ["section", "section", "try", "look", "write"] as const;
  const does = kinds[nextBelow(rng, kinds.length)]!;
  return does === "section" || does === "try" ? { does, pauses } : { does };
}

/** Two or three threads of one to three statements, the same for a seed. */
export function guardedProgram(seed: number): Program {
  const rng = makeRng(seed);
  const threads = 2 + nextBelow(rng, 2);
  const bodies = Array.from(
    { length: threads },
    () =>
      Array.from(
        { length: 1 + nextBelow(rng, threads === 2 ? 3 : 2) },
        () => statementOf(rng),
      ),
  );
  return {
    name: `guarded ${seed}`,
    start() {
      const state = makeState(threads);
      const seen = bodies.map((): number[] => []);
      return {
        actors: bodies.map((body, i) =>
          actor(`T${i}`, perform(state, i, body, seen[i]!))
        ),
        finish: () => `${state.word}/${seen.map(String).join(";")}`,
      };
    },
  };
}
