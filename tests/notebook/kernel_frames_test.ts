import assert from "node:assert/strict";
import {
  type ChildEvent,
  encodeEvent,
  makeEventReader,
  makeMark,
  streamEvent,
} from "../../lib/notebook/kernel_frames.ts";

const MARK = makeMark("nonce");

/** What is read when `text` comes in pieces of `size` units. */
function readIn(size: number, text: string): ChildEvent[] {
  const read = makeEventReader(MARK);
  const events: ChildEvent[] = [];
  for (let at = 0; at < text.length; at += size) {
    events.push(...read(text.slice(at, at + size)));
  }
  return events;
}

/** Texts that follow each other as one, since pieces are no matter. */
function merged(events: readonly ChildEvent[]): string[] {
  const told: string[] = [];
  for (const event of events) {
    const isText = event.event === "output" &&
      event.output.output_type === "stream";
    if (!isText) told.push(JSON.stringify(event));
    else if (event.output.output_type === "stream") {
      const last = told.pop() ?? "";
      const joins = last !== "" && !last.startsWith("{");
      if (!joins && last !== "") told.push(last);
      told.push((joins ? last : "") + event.output.text);
    }
  }
  return told;
}

Deno.test("events and stray text are told apart, in pieces of any size", () => {
  const done: ChildEvent = { event: "done", expressions: {} };
  const clear: ChildEvent = { event: "clear", wait: true };
  const text = `before\n${encodeEvent(MARK, clear)}half a line ` +
    `${encodeEvent(MARK, streamEvent("stdout", "a\nb"))}` +
    `not \x1e the mark\n${encodeEvent(MARK, done)}`;
  const wanted = [
    "before\n",
    JSON.stringify(clear),
    "half a line a\nbnot \x1e the mark\n",
    JSON.stringify(done),
  ];
  for (const size of [1, 2, 3, 7, 10_000]) {
    assert.deepEqual(merged(readIn(size, text)), wanted, `in ${size}`);
  }
});

Deno.test("another child's mark is text", () => {
  const other = encodeEvent(makeMark("other"), { event: "clear", wait: true });
  assert.deepEqual(makeEventReader(MARK)(other), [
    streamEvent("stdout", other),
  ]);
});
