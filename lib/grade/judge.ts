/**
 * What a test says to its subject and about it.
 *
 * A subject is the student's code behind a handle: in grading a process that
 * answers with data nobody vouches for, in the student's own run the module
 * itself. A test asks, compares with what it knows, and throws a `Failure`.
 * Answers are `unknown` on purpose: only wantEqual() looks into them.
 */
import { type Plain, toPlain } from "./plain.ts";

export interface Subject {
  /** Call the stage's function `name`; rejects with SubjectError. */
  call(name: string, ...args: Plain[]): Promise<unknown>;
}

/** @param seed for random inputs: another one for each submission */
export type TestBody = (subject: Subject, seed: number) => Promise<void>;

/** What a stage offers: functions of plain data to plain data. */
export type Stage = Readonly<Record<string, (...args: never[]) => unknown>>;

/** The answer is wrong. The message is for the author of public tests only. */
export class Failure extends Error {
  override name = "Failure";
}

/** How a subject can fail to answer. */
export type Trouble =
  | "threw"
  | "timeout"
  | "memory"
  | "crashed"
  | "protocol"
  | "not gradable";

/** There is no answer. */
export class SubjectError extends Error {
  override name = "SubjectError";
  readonly trouble: Trouble;

  constructor(trouble: Trouble, message: string) {
    super(message);
    this.trouble = trouble;
  }
}

/** Fail unless `got` is the same data as `wanted`. */
export function wantEqual(what: string, got: unknown, wanted: Plain): void {
  if (samePlain(got, wanted)) return;
  const message = `${what}: wanted ${preview(wanted)}, got ${preview(got)}`;
  throw new Failure(message);
}

/** Recursion follows `wanted`, which we wrote: its depth is bounded. */
export function samePlain(got: unknown, wanted: Plain): boolean {
  if (wanted === null || typeof wanted !== "object") return got === wanted;
  if (got === null || typeof got !== "object") return false;
  if (Array.isArray(wanted) !== Array.isArray(got)) return false;
  const names = Object.keys(wanted);
  if (Object.keys(got).length !== names.length) return false;
  return names.every((name) =>
    Object.hasOwn(got, name) && samePlain(
      (got as Record<string, unknown>)[name],
      (wanted as Record<string, Plain>)[name]!,
    )
  );
}

/** One line, at most `limit` characters; tags read as what they stand for. */
export function preview(value: unknown, limit = 200): string {
  const text = writeValue(value, 6);
  return text.length > limit ? `${text.slice(0, limit)}…` : text;
}

function writeValue(value: unknown, depth: number): string {
  if (typeof value === "string") return JSON.stringify(value.slice(0, 500));
  if (value === null || typeof value !== "object") return String(value);
  if (depth === 0) return "…";
  if (Array.isArray(value)) {
    const shown = value.slice(0, 40).map((item) => writeValue(item, depth - 1));
    return `[${shown.join(", ")}${value.length > 40 ? ", …" : ""}]`;
  }
  const fields = Object.entries(value).slice(0, 20);
  const [only] = fields;
  if (fields.length === 1 && only?.[0] === "$") return String(only[1]);
  const shown = fields.map(([name, field]) =>
    `${name}: ${writeValue(field, depth - 1)}`
  );
  return `{ ${shown.join(", ")} }`;
}

/** A map byte or a flag as the chapters write it: `0x41`. */
export function hex(byte: unknown): string {
  if (typeof byte !== "number" || !Number.isInteger(byte)) return preview(byte);
  return `0x${byte.toString(16).padStart(2, "0")}`;
}

/** The student's own module as a subject, in this very isolate. */
export function localSubject(stage: Stage): Subject {
  return {
    async call(name, ...args) {
      const perform = stage[name];
      if (perform === undefined) throw new TypeError(`No stage call: ${name}`);
      return await toPlain(perform(...structuredClone(args) as never[]));
    },
  };
}
