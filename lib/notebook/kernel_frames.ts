/**
 * What our kernel and the process that runs its cells say to each other. Ours.
 *
 * One JSON value a line: requests on the child's stdin, events on its stdout.
 * Before each event stands a mark that is new for every child, so that what a
 * cell writes to stdout behind our back is told apart and shown as text. The
 * child writes an event before it goes on: what a cell has printed is out even
 * if its next line never ends.
 */
import type { StreamName } from "./cell_console.ts";
import type { ErrorOutput, MimeBundle, Output } from "./nbformat.ts";

/** Run one cell. */
export interface RunRequest {
  /** For messages; a cell's permanent name if the client told it. */
  id: string;
  source: string;
  /** Evaluated after a cell that did not fail; a result for each. */
  expressions: Record<string, string>;
}

/** A display that has an id, or changes the one that has it. */
export interface DisplayEvent {
  event: "display";
  data: MimeBundle;
  metadata: Record<string, unknown>;
  display_id?: string;
  isUpdate: boolean;
}

/** What one of a request's expressions gave, as Jupyter wants it. */
export type ExpressionResult =
  | { status: "ok"; data: MimeBundle; metadata: Record<string, unknown> }
  | { status: "error"; ename: string; evalue: string; traceback: string[] };

export type OutputEvent = { event: "output"; output: Output };

/** What a cell does that its reader sees. */
export type CellEvent =
  | OutputEvent
  | { event: "clear"; wait: boolean }
  | DisplayEvent;

export type ExpressionResults = Record<string, ExpressionResult>;

export type ChildEvent =
  | CellEvent
  | { event: "done"; expressions: ExpressionResults };

/** makeMark() - what stands before each event of a child. */
export function makeMark(nonce: string): string {
  return `\x1e${nonce}`;
}

export function encodeEvent(mark: string, event: ChildEvent): string {
  return `${mark}${JSON.stringify(event)}\n`;
}

/**
 * makeEventReader() - takes a child's stdout piece by piece.
 *
 * @returns a function that returns the events that a piece completes; text
 *   that is no event becomes one
 */
export function makeEventReader(
  mark: string,
): (piece: string) => ChildEvent[] {
  let rest = "";
  return (piece) => {
    rest += piece;
    // A long event comes in many pieces; only the last one has its end.
    if (rest.startsWith(mark) && !piece.includes("\n")) return [];
    const events: ChildEvent[] = [];
    for (;;) {
      const start = rest.indexOf(mark);
      const text = start < 0 ? withoutPart(rest, mark) : rest.slice(0, start);
      if (text !== "") events.push(streamEvent("stdout", text));
      rest = rest.slice(text.length);
      const end = start < 0 ? -1 : rest.indexOf("\n");
      if (end < 0) return events;
      events.push(JSON.parse(rest.slice(mark.length, end)));
      rest = rest.slice(end + 1);
    }
  };
}

/** A piece of a stream, as an event. */
export function streamEvent(name: StreamName, text: string): OutputEvent {
  return { event: "output", output: { output_type: "stream", name, text } };
}

/** The error that an event is, or null. */
export function errorIn(event: CellEvent): ErrorOutput | null {
  if (event.event !== "output") return null;
  return event.output.output_type === "error" ? event.output : null;
}

/** `text` without an end that may be the beginning of a mark. */
function withoutPart(text: string, mark: string): string {
  const at = text.lastIndexOf(mark[0] ?? "");
  const isPart = at >= 0 && mark.startsWith(text.slice(at));
  return isPart ? text.slice(0, at) : text;
}
