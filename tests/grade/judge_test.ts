import assert from "node:assert/strict";
import {
  Failure,
  hex,
  localSubject,
  preview,
  samePlain,
  wantEqual,
} from "swaplab/grade/judge.ts";
import { makeLineSplitter } from "swaplab/grade/lines.ts";
import { toPlain } from "swaplab/grade/plain.ts";

Deno.test("samePlain() compares own data and nothing else", () => {
  assert.ok(samePlain({ a: [1, { b: null }] }, { a: [1, { b: null }] }));
  assert.ok(!samePlain({ a: 1, b: 2 }, { a: 1 }));
  assert.ok(!samePlain({}, { a: 1 }));
  assert.ok(!samePlain([1], { 0: 1 }));
  assert.ok(!samePlain(null, {}));
  assert.ok(!samePlain("1", 1));
  assert.ok(!samePlain(JSON.parse('{"__proto__":{"a":1}}'), { a: 1 }));
});

Deno.test("wantEqual() says what was wanted and what came", () => {
  wantEqual("it", [0], [0]);
  assert.throws(
    () => wantEqual("the byte", toPlain(undefined), 0x41),
    new Failure("the byte: wanted 65, got undefined"),
  );
});

Deno.test("toPlain() tags what JSON cannot say", () => {
  assert.equal(preview(toPlain(Number.NaN)), "NaN");
  assert.equal(preview(toPlain(12n)), "12n");
  assert.equal(preview(toPlain(Promise.resolve())), "Promise");
  assert.equal(preview(toPlain(() => 1)), "function");
  assert.equal(preview(toPlain([undefined, null])), "[undefined, null]");
  assert.deepEqual(toPlain(new Uint8Array([1, 2])), [1, 2]);
});

Deno.test("toPlain() stops in a cycle and calls nothing", () => {
  const cycle: Record<string, unknown> = {
    toJSON: () => assert.fail("called"),
    valueOf: () => assert.fail("called"),
  };
  cycle.again = cycle;
  assert.match(JSON.stringify(toPlain(cycle)), /nested too deeply/);
});

Deno.test("hex() writes a byte as the chapters do", () => {
  assert.equal(hex(0), "0x00");
  assert.equal(hex(0xff), "0xff");
  assert.equal(hex("x"), '"x"');
});

Deno.test("localSubject() answers as a sandbox would", async () => {
  const subject = localSubject({ twice: (x: number) => [2 * x, undefined] });
  assert.deepEqual(await subject.call("twice", 4), [8, { $: "undefined" }]);
  await assert.rejects(subject.call("other"), /No stage call: other/);
});

Deno.test("makeLineSplitter() joins chunks and bounds a line", () => {
  const lines = makeLineSplitter(8);
  const push = (text: string) => lines.push(new TextEncoder().encode(text));
  assert.ok(push("on"));
  assert.ok(push("e\ntwo\nthr"));
  assert.deepEqual(lines.take(), ["one", "two"]);
  assert.deepEqual(lines.take(), []);
  assert.ok(push("ee\n"));
  assert.deepEqual(lines.take(), ["three"]);
  assert.ok(!push("123456789"));
});
