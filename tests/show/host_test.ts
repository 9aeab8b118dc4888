import { deepEqual, equal, ok, throws } from "node:assert/strict";
import { bundleOf, show, shown } from "swaplab/notebook/host.ts";
import { table } from "swaplab/show/table.ts";

const FIGURE = table([{ pages: 3 }], { caption: "Pages" });
const SESSION = Symbol.for("swaplab.display");

/** Runs with a global set, and takes it away again. */
function withGlobal(key: PropertyKey, value: unknown, act: () => void): void {
  Reflect.set(globalThis, key, value);
  try {
    act();
  } finally {
    Reflect.deleteProperty(globalThis, key);
  }
}

/** What tslab's kernel leaves in globalThis: `require` with its cache. */
function tslabGlobal(write: (data: unknown, update: boolean) => void) {
  const exports = { lastWriteDisplayData: write };
  const path = "/x/node_modules/tslab/dist/jupyter.js";
  const require = Object.assign(() => undefined, {
    cache: { "/x/other.js": { exports: {} }, [path]: { exports } },
  });
  return { exports: {}, require };
}

Deno.test("bundleOf() takes a figure's bundle, a string, any value", () => {
  equal(bundleOf(FIGURE), FIGURE.bundle);
  deepEqual(bundleOf("it's"), { "text/plain": "it's" });
  deepEqual(bundleOf(undefined), { "text/plain": "undefined" });
  deepEqual(bundleOf({ a: "x" }), { "text/plain": "{ a: 'x' }" });
  const other = { [Symbol.for("Jupyter.display")]: () => ({ "text/x": "1" }) };
  deepEqual(bundleOf(other), { "text/x": "1" });
});

Deno.test("bundleOf() refuses a displayable that answers nonsense", () => {
  const answering = (answer: unknown) => ({
    [Symbol.for("Jupyter.display")]: () => answer,
  });
  throws(() => bundleOf(answering(Promise.resolve({}))), /got a promise/);
  throws(() => bundleOf(answering("text")), /wanted a mime bundle, got "text"/);
});

Deno.test("show() gives a session's display all values in order", () => {
  const got: unknown[] = [];
  const display = (bundle: unknown) => void got.push(bundle);
  withGlobal(SESSION, display, () => show("a", FIGURE, 5));
  deepEqual(got, [
    { "text/plain": "a" },
    FIGURE.bundle,
    { "text/plain": "5" },
  ]);
});

Deno.test("show() sends tslab one output with every mime type", () => {
  const got: unknown[] = [];
  const write = (...call: unknown[]) => void got.push(call);
  withGlobal("__tslab__", tslabGlobal(write), () => show(FIGURE));
  const data = FIGURE.bundle;
  deepEqual(got, [[{ data, metadata: {}, transient: {} }, false]]);
});

Deno.test("show() prefers a session to tslab", () => {
  const got: string[] = [];
  const tslab = tslabGlobal(() => void got.push("tslab"));
  withGlobal("__tslab__", tslab, () => {
    withGlobal(SESSION, () => got.push("session"), () => show(1));
  });
  deepEqual(got, ["session"]);
});

Deno.test("show() starts Deno's displays in order, shown() waits", async () => {
  const got: unknown[] = [];
  const real = Object.getOwnPropertyDescriptor(globalThis, "Deno")!;
  const display = async (bundle: Record<string, unknown>, options: unknown) => {
    got.push(["start", bundle["text/plain"], options]);
    await Promise.resolve();
    got.push(["end", bundle["text/plain"]]);
  };
  const value = { jupyter: { display } };
  Object.defineProperty(globalThis, "Deno", { value, configurable: true });
  try {
    show(1, 2);
    equal(got.length, 2);
    await shown();
  } finally {
    Object.defineProperty(globalThis, "Deno", real);
  }
  const raw = { raw: true };
  deepEqual(got.slice(0, 2), [["start", "1", raw], ["start", "2", raw]]);
  deepEqual(got.slice(2), [["end", "1"], ["end", "2"]]);
});

Deno.test("show() prints the text form where there is no host", () => {
  const got: unknown[] = [];
  const log = console.log;
  console.log = (...args) => void got.push(...args);
  try {
    show(FIGURE, "plain", -0);
  } finally {
    console.log = log;
  }
  deepEqual(got, ["Pages\n\npages\n-----\n    3", "plain", "-0"]);
  ok(!Reflect.has(globalThis, SESSION));
});
