/** The public tests. Each asks the stage and compares with the table. */
import {
  Failure,
  hex,
  preview,
  samePlain,
  type Subject,
  type TestBody,
} from "swaplab/grade/judge.ts";
import { expectRace } from "swaplab/grade/race_check.ts";
import { EEXIST, ENOENT, ENOMEM, errnoName } from "swaplab/base/errno.ts";
import { SWAP_HAS_CACHE } from "swaplab/mm/swap.ts";

/** A call, what it returns, and the byte after it. */
export interface Expectation {
  readonly byte: number;
  readonly usage: number;
  readonly result: number;
  readonly after: number;
  /** Continuation digits before and after; none if left out. */
  readonly digits?: readonly number[];
  readonly digitsAfter?: readonly number[];
}

/** One call, judged; the message names the byte, the usage and both results. */
export async function expectCall(
  subject: Subject,
  expected: Expectation,
): Promise<void> {
  const { byte, usage, result, after, digits = [] } = expected;
  const answer = await subject.call("duplicate", { byte, digits }, usage);
  const digitsAfter = expected.digitsAfter ?? digits;
  const wanted = { result, byte: after, digits: digitsAfter };
  if (samePlain(answer, { ...wanted, neighboursChanged: false })) return;
  const call = `byte ${hex(byte)}${
    digits.length > 0 ? ` with digits ${preview(digits)}` : ""
  }, usage ${hex(usage)}`;
  throw new Failure(
    `${call}: wanted ${describe(wanted)}, got ${describe(answer)}`,
  );
}

/** `answer` is untrusted: every field may be missing or odd. */
function describe(answer: unknown): string {
  if (typeof answer !== "object" || answer === null) return preview(answer);
  const { result, byte, digits, neighboursChanged } = answer as Record<
    string,
    unknown
  >;
  const returned = typeof result === "number" && result < 0
    ? errnoName(result)
    : preview(result);
  const above = samePlain(digits, []) ? "" : ` and digits ${preview(digits)}`;
  const others = neighboursChanged ? "; other slots were changed" : "";
  return `${returned} and byte ${hex(byte)}${above}${others}`;
}

function expectAll(...expectations: Expectation[]): TestBody {
  return async (subject) => {
    for (const expected of expectations) await expectCall(subject, expected);
  };
}

/** Two fault on one page of a RAM disk; one forks while its child faults. */
async function race(subject: Subject): Promise<void> {
  await expectRace(subject, "sync-swapin-aba");
  await expectRace(subject, "fork-vs-swapin");
}

const pin = SWAP_HAS_CACHE;

export const checks: Record<string, TestBody> = {
  users: expectAll(
    { byte: 0x01, usage: 1, result: 0, after: 0x02 },
    { byte: 0x17, usage: 1, result: 0, after: 0x18 },
    { byte: 0x3d, usage: 1, result: 0, after: 0x3e },
    { byte: 0x40, usage: 1, result: 0, after: 0x41 },
    { byte: 0x42, usage: 1, result: 0, after: 0x43 },
  ),
  "free-or-bad": expectAll(
    { byte: 0x00, usage: 1, result: -ENOENT, after: 0x00 },
    { byte: 0x00, usage: pin, result: -ENOENT, after: 0x00 },
    { byte: 0x3f, usage: 1, result: -ENOENT, after: 0x3f },
    { byte: 0x3f, usage: pin, result: -ENOENT, after: 0x3f },
  ),
  pin: expectAll(
    { byte: 0x01, usage: pin, result: 0, after: 0x41 },
    { byte: 0x3e, usage: pin, result: 0, after: 0x7e },
    { byte: 0x41, usage: pin, result: -EEXIST, after: 0x41 },
    { byte: 0x40, usage: pin, result: -EEXIST, after: 0x40 },
  ),
  full: expectAll(
    { byte: 0x3e, usage: 1, result: -ENOMEM, after: 0x3e },
    {
      byte: 0x3e,
      usage: 1,
      result: 0,
      after: 0x80,
      digits: [0],
      digitsAfter: [1],
    },
  ),
  race,
};
