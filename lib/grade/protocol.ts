/**
 * What grader and sandbox say to each other: one JSON object a line, each
 * request answered before the next one is sent.
 *
 * Types only. What comes from the sandbox has these types only after
 * readReply() of sandbox.ts has looked at it.
 */
import type { Plain } from "./plain.ts";

/** Path in the project, as `lib/mm/swap.ts`, to CommonJS text. */
export type ModuleTable = Readonly<Record<string, string>>;

/** The first request: everything the child will ever get to know. */
export interface StartRequest {
  readonly id: string;
  readonly table: ModuleTable;
  /** The engine module that `source` takes the place of. */
  readonly module: string;
  /** The student's text, TypeScript, never looked at by the grader. */
  readonly source: string;
  /** The module in `table` whose makeStage() drives the student's. */
  readonly stage: string;
  /** Functions that `source` must export. */
  readonly wantedExports: readonly string[];
}

export interface CallRequest {
  readonly id: string;
  readonly call: string;
  readonly args: readonly Plain[];
}

export type Request = StartRequest | CallRequest;

/**
 * `parse`: not TypeScript. `import`: asks for a module that is not there.
 * `load`: threw while being loaded. `export`: a function is missing.
 * `call`: the called function threw.
 */
export type ErrorStage = "parse" | "import" | "load" | "export" | "call";

export const errorStages: readonly ErrorStage[] = [
  "parse",
  "import",
  "load",
  "export",
  "call",
];

export interface ErrorReport {
  readonly stage: ErrorStage;
  readonly message: string;
}

export type Reply =
  | { readonly id: string; readonly value: unknown }
  | { readonly id: string; readonly error: ErrorReport };
