import assert from "node:assert/strict";
import {
  caughtBy,
  makeSkeleton,
  replaceRegion,
} from "swaplab/grade/skeleton.ts";

const source = `import { BUG_ON } from "../base/bug.ts";
import { a } from "./a.ts";

// #region answer
/** Adds. */
export function add(
  x: number,
  y: number,
): number {
  if (x === 0) {
    return y;
  }
  return x + y;
}

/** Adds, with pauses. */
export function* slowly(): Task {
  yield* pause();
}
// #endregion

export const rest = a;
`;

Deno.test("makeSkeleton() keeps signatures and comments, drops bodies", () => {
  const wanted = `import { BUG_ON } from "swaplab/base/bug.ts";
import { a } from "swaplab/mm/a.ts";

// #region answer
/** Adds. */
export function add(
  x: number,
  y: number,
): number {
  throw new Error(
    "Not implemented yet: write the body of add().",
  );
}

/** Adds, with pauses. */
export function* slowly(): Task {
  throw new Error(
    "Not implemented yet: write the body of slowly().",
  );
}
// #endregion

export const rest = a;
`;
  assert.equal(makeSkeleton(source, "lib/mm/sum.ts", ["answer"]), wanted);
});

Deno.test("makeSkeleton() shows no marker but the exercise's own", () => {
  const marked = source.replace(
    "  return x + y;",
    (line) => `  // #region sum\n${line}\n  // #endregion`,
  )
    .replace("export const rest", "// #aside why\nexport const rest") +
    "// #endaside\n";
  assert.equal(
    makeSkeleton(marked, "lib/mm/sum.ts", ["answer"]),
    makeSkeleton(source, "lib/mm/sum.ts", ["answer"]),
  );
});

Deno.test("replaceRegion() changes what is between the markers", () => {
  const text = "a\n// #region r\nold\nold\n// #endregion\nb\n";
  const wanted = "a\n// #region r\nnew\n// #endregion\nb\n";
  assert.equal(replaceRegion(text, "r", "new\n"), wanted);
});

Deno.test("replaceRegion() refuses a region that is not there", () => {
  assert.throws(() => replaceRegion("a\n", "r", ""), /No region r/);
  assert.throws(() => replaceRegion("// #region r\n", "r", ""), /no end/);
});

Deno.test("caughtBy() reads the head line and wants one", () => {
  assert.deepEqual(caughtBy("// caught-by: a, b-c\nx"), ["a", "b-c"]);
  assert.throws(() => caughtBy("x"), /caught-by/);
});
