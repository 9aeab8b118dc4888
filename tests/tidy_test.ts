/**
 * The style rules as tests: each over all files of the project, and each on a
 * small bad sample that it must catch, so that no rule is green by accident.
 */
import { deepStrictEqual, fail, ok } from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { isText, projectFiles, projectRoot } from "../tools/files.ts";
import { problemsOf, tidyRules } from "../tools/tidy.ts";

const kernelSymbols: Record<string, string> = JSON.parse(
  readFileSync(join(projectRoot, "tests/kernel_symbols.json"), "utf8"),
);
const rules = tidyRules(kernelSymbols);

const texts = new Map<string, string>();
for (const path of projectFiles(projectRoot)) {
  const bytes = readFileSync(join(projectRoot, path));
  if (isText(bytes)) texts.set(path, bytes.toString("utf8"));
}

for (const rule of rules) {
  Deno.test(`tidy ${rule.id}`, () => {
    const problems = [...texts]
      .flatMap(([path, text]) => problemsOf(rule, path, text));
    if (problems.length === 0) return;
    fail(`${problems.join("\n")}\n=> ${rule.remedy}`);
  });
}

Deno.test("tidy reads the project's files", () => {
  ok(texts.has("deno.json"));
  ok(texts.has("tests/tidy_test.ts"));
  ok(![...texts.keys()].some((path) => path.includes("node_modules")));
});

interface Sample {
  readonly path: string;
  readonly text: string;
  /** Lines with a problem; none for a sample that must pass. */
  readonly lines: number[];
}

const head = "/** Ours: a sample. */\n";
const slash = "/";

/** Spelled in pieces, so that this file itself is tidy. */
const left = "TO" + "DO";
const host = "registry" + ".example.org";

const samples: Record<string, Sample[]> = {
  "no-machine-path": [
    { path: "a.ts", text: `open("${slash}tmp/x");`, lines: [1] },
    { path: "a.md", text: `see\n${slash}home/me/x`, lines: [2] },
    { path: "a.ipynb", text: `"${slash}work/main"`, lines: [1] },
    { path: "a.md", text: "see ../work/x, lib/root/x and a/tmp/x", lines: [] },
  ],
  "no-registry-host": [
    { path: "a.json", text: `"https://${host}/x"`, lines: [1] },
    { path: "a.md", text: "the npm registry is a place", lines: [] },
  ],
  "lock-holds-no-url": [
    { path: "deno.lock", text: '{\n"x": "https://x.org"\n}', lines: [2] },
    { path: "deno.lock", text: '{ "npm:yaml@2.9.1": "2.9.1" }', lines: [] },
    { path: "other.json", text: '{ "x": "https://x.org" }', lines: [] },
  ],
  "nothing-left-undone": [
    { path: "a.ts", text: `f();\n// ${left}: more`, lines: [2] },
    { path: "a.css", text: `/* ${"FIX" + "ME"} */`, lines: [1] },
    { path: "a.ts", text: "const TODOS = 1;", lines: [] },
  ],
  "file-length": [
    { path: "a.ts", text: "f();\n".repeat(401), lines: [401] },
    { path: "a.ts", text: "f();\n".repeat(400), lines: [] },
  ],
  "mod-length": [
    { path: "lib/mod.ts", text: "f();\n".repeat(80), lines: [80] },
    { path: "lib/mod.ts", text: "f();\n".repeat(79), lines: [] },
  ],
  "line-length": [
    { path: "a.ts", text: `f();\n// ${"µ".repeat(98)}`, lines: [2] },
    { path: "a.ts", text: `// ${"µ".repeat(97)}`, lines: [] },
  ],
  "types-not-silenced": [
    { path: "a.ts", text: "f();\n// @ts-ignore\ng();", lines: [2] },
    { path: "a.ts", text: "/*\n * @ts-nocheck\n */", lines: [2] },
    { path: "a.ts", text: 'const text = "// @ts-ignore";', lines: [] },
  ],
  "layer-order": [
    { path: "lib/base/a.ts", text: 'import "../mm/b.ts";', lines: [1] },
    { path: "lib/crypto/a.ts", text: 'import "../block/b.ts";', lines: [1] },
    { path: "lib/mm/a.ts", text: 'export * from "../show/b.ts";', lines: [1] },
    {
      path: "lib/mm/a.ts",
      text: 'let x: typeof import("../lab/b.ts");',
      lines: [1],
    },
    { path: "lib/lab/a.ts", text: 'await import("../show/b.ts");', lines: [1] },
    { path: "lib/mm/a.ts", text: 'import { x } from "swaplab";', lines: [1] },
    { path: "lib/mm/a.ts", text: 'import "../../book/b.ts";', lines: [1] },
    { path: "lib/proposals.ts", text: 'import "./mm/b.ts";', lines: [1] },
    { path: "lib/show/a.ts", text: 'import "../mod.ts";', lines: [1] },
    { path: "lib/mm/a.ts", text: 'import "../other/b.ts";', lines: [1] },
    {
      path: "lib/mm/a.ts",
      text: 'import "../base/b.ts";\nimport "../kernel_version.ts";\n' +
        'import "./c.ts";\n// import "../lab/d.ts";\n' +
        "const text = 'import \"../lab/d.ts\"';",
      lines: [],
    },
    { path: "lib/mod.ts", text: 'export * from "./lab/b.ts";', lines: [] },
  ],
  "engine-is-host-free": [
    { path: "lib/sim/a.ts", text: "f();\nconst t = Date.now();", lines: [2] },
    { path: "lib/mm/a.ts", text: "const n = Math.random();", lines: [1] },
    { path: "lib/lab/a.ts", text: "Deno.readFileSync(x);", lines: [1] },
    { path: "lib/lab/a.ts", text: "globalThis.process.exit();", lines: [1] },
    { path: "lib/lab/a.ts", text: "setTimeout(f, 1);", lines: [1] },
    { path: "lib/show/a.ts", text: "async function f() {}", lines: [1] },
    { path: "lib/show/a.ts", text: "const x = await y;", lines: [1] },
    {
      path: "lib/show/a.ts",
      text: "for await (const x of y) f(x);",
      lines: [1],
    },
    { path: "lib/show/a.ts", text: 'import "node:fs";', lines: [1] },
    { path: "lib/mm/a.ts", text: "const f = performance.now;", lines: [1] },
    {
      path: "lib/mm/a.ts",
      text:
        "// Date.now(), Math.random()\nconst s = `await Deno ${x.Date}`;\n" +
        "function f(process: Task) { return { Date: process }; }\n" +
        "x.setTimeout(1);\nf(y instanceof Date);\nlet d: Date;",
      lines: [],
    },
    { path: "lib/notebook/run.ts", text: "Deno.exit(await f());", lines: [] },
  ],
  "no-module-state": [
    { path: "lib/mm/a.ts", text: "let count = 0;", lines: [1] },
    { path: "lib/mm/a.ts", text: "const seen = new Map();", lines: [1] },
    { path: "lib/mm/a.ts", text: "const list: number[] = [];", lines: [1] },
    { path: "lib/sim/a.ts", text: "let lone = null;", lines: [1] },
    {
      path: "lib/mm/a.ts",
      text: "const seen: ReadonlyMap<number, string> = new Map();\n" +
        "const list: readonly number[] = [1];\nconst n = 1;\n" +
        "function f() { let x = 1; const m = new Map(); }",
      lines: [],
    },
  ],
  "mm-declares-only": [
    { path: "lib/mm/a.ts", text: "register(driver);", lines: [1] },
    { path: "lib/mm/a.ts", text: "export const x = f();", lines: [1] },
    {
      path: "lib/mm/a.ts",
      text: "const o = {\n  x: new Pool(),\n};",
      lines: [2],
    },
    { path: "lib/mm/a.ts", text: 'import "./b.ts";', lines: [1] },
    { path: "lib/mm/a.ts", text: "if (x) y = 1;", lines: [1] },
    { path: "lib/mm/a.ts", text: "class A extends B {}", lines: [1] },
    { path: "lib/mm/a.ts", text: "class A {\n  x = f();\n}", lines: [2] },
    {
      path: "lib/mm/a.ts",
      text: 'import { b } from "./b.ts";\nexport const X = 1n << 58n;\n' +
        "const ops = { store: f };\nexport interface A { x: number }\n" +
        "export type B = A;\nfunction f() { return g(); }\n" +
        "class C implements A {\n  get x() {\n    return f();\n  }\n}\n" +
        'export { b } from "./b.ts";\nconst n = BigInt(4);\nconst m = Math.ceil(1.5);',
      lines: [],
    },
    { path: "lib/lab/a.ts", text: "export const x = f();", lines: [] },
  ],
  "names-its-counterpart": [
    { path: "lib/mm/a.ts", text: "const x = 1;", lines: [1] },
    { path: "lib/base/a.ts", text: "/** A list. */", lines: [1] },
    { path: "lib/base/a.ts", text: "x;\n/** Ours: late. */", lines: [1] },
    {
      path: "lib/mm/a.ts",
      text: "/**\n * Slots.\n *\n * Kernel: mm/swapfile.c (v6.12).\n */",
      lines: [],
    },
    { path: "lib/base/a.ts", text: head, lines: [] },
    { path: "lib/show/a.ts", text: "const x = 1;", lines: [] },
  ],
  "borrowed-names-are-real": [
    {
      path: "lib/mm/a.ts",
      text: "export function no_such_fn() {}",
      lines: [1],
    },
    { path: "lib/base/a.ts", text: "export const NOSUCH = 1;", lines: [1] },
    {
      path: "lib/mm/a.ts",
      text: "export function* no_such_task() {}",
      lines: [1],
    },
    {
      path: "lib/mm/a.ts",
      text:
        "export function swap_duplicate() {}\nexport const makePool = 1;\n" +
        "export interface No_Such {}\nfunction not_exported() {}",
      lines: [],
    },
  ],
  "folios-are-views": [
    { path: "lib/mm/a.ts", text: "f();\nif (old !== folio) g();", lines: [2] },
    { path: "lib/lab/a.ts", text: "ok(x.folio === freshFolio);", lines: [1] },
    {
      path: "lib/mm/a.ts",
      text: "f(folio === null, folio !== undefined, folio.pfn === pfn);\n" +
        'g(typeof folio === "number");\n// old !== folio',
      lines: [],
    },
  ],
  "no-any-cast": [
    { path: "a.ts", text: "const x = 1;\nf(x as any);", lines: [2] },
    { path: "a.ts", text: 'const text = "x as any"; // as any', lines: [] },
  ],
};

Deno.test("tidy has samples for each of its rules", () => {
  deepStrictEqual(
    Object.keys(samples).sort(),
    rules.map((rule) => rule.id).sort(),
  );
  for (const [id, cases] of Object.entries(samples)) {
    ok(cases.some((sample) => sample.lines.length > 0), `${id}: none is bad`);
    ok(cases.some((sample) => sample.lines.length === 0), `${id}: none passes`);
  }
});

for (const rule of rules) {
  Deno.test(`tidy ${rule.id} finds its bad samples and no good one`, () => {
    for (const { path, text, lines } of samples[rule.id] ?? []) {
      const found = problemsOf(rule, path, text)
        .map((problem) => Number(/:(\d+) /.exec(problem)?.[1]));
      deepStrictEqual(found, lines, `${path}: ${text.slice(0, 200)}`);
    }
  });
}
