import { deepStrictEqual, match, ok } from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  blankComments,
  exportedGenerators,
  resolveModule,
} from "../../tools/generators.ts";
import plugin from "../../tools/lint_plugin.ts";

/** Problems as "rule:line", in order. */
function lint(path: string, source: string): string[] {
  return Deno.lint.runPlugin(plugin, path, source).map((problem) => {
    const line = source.slice(0, problem.range[0]).split("\n").length;
    return `${problem.id.replace("swaplab/", "")}:${line}`;
  });
}

const task = "function* f(n: number): Task<number> { yield* pause(n); }\n";

const driven = [
  "function* g(): Task { yield* f(1); }",
  "function* g(): Task { const x = yield* f(1); use(x); }",
  "const x = run(f(1));",
  "const x = run(kernel, f(1));",
  "explore([f(1), f(2)]);",
  "machine.spawn({ name: 'reclaim', body: f(1) });",
  "function g(): Task<number> { return f(1); }",
  "const g = (): Task<number> => f(1);",
  "const g: Task<number> = f(1);",
  "const work = INIT_WORK('shrink', () => f(1));",
  "for (const task of [f(1), f(2)]) run(task);",
  "const tasks: readonly Task<number>[] = [f(1), f(2)];",
  "f(1).next();",
  "for (const op of f(1)) use(op);",
  "const ops = [...f(1)];",
];

const notDriven = [
  "f(1);",
  "const x = f(1);",
  "const tasks = [f(1), f(2)];",
  "const tasks: unknown[] = [f(1)];",
  "use(f(1));",
  "if (f(1)) use(2);",
  "function g() { return f(1); }",
  "function* g(): Task<number> { return f(1); }",
  "const g = () => f(1);",
  "for (const page of pages) each(() => f(page));",
  "pages.forEach((page) => f(page));",
  "function* g(): Task { yield f(1); }",
  "use({ body: f(1) });",
  "run(use(f(1)));",
];

for (const source of driven) {
  Deno.test(`yield-star lets pass: ${source}`, () => {
    deepStrictEqual(lint("/p/tests/a.ts", task + source), []);
  });
}

for (const source of notDriven) {
  Deno.test(`yield-star finds: ${source}`, () => {
    const found = new Set(lint("/p/tests/a.ts", task + source));
    deepStrictEqual([...found], ["yield-star:2"]);
  });
}

Deno.test("yield-star knows generators declared further down", () => {
  deepStrictEqual(lint("/p/tests/a.ts", "f(1);\n" + task), ["yield-star:1"]);
});

Deno.test("yield-star knows function expressions", () => {
  const source = "const f = function* (): Task { yield* g(); };\nf();";
  deepStrictEqual(lint("/p/tests/a.ts", source), ["yield-star:2"]);
});

Deno.test("yield-star lets an iterator be kept, but not lost", () => {
  const iterator = "function* f(): Generator<number, void, void> { yield 1; }";
  const kept = "const all = f();\nuse(Array.from(f()));";
  deepStrictEqual(lint("/p/tests/a.ts", `${iterator}\n${kept}`), []);
  deepStrictEqual(lint("/p/tests/a.ts", `${iterator}\nf();`), [
    "yield-star:2",
  ]);
});

Deno.test("yield-star lets a plain function's task be kept, but not lost", () => {
  const pause = "function pause(op: Op): Task { return passed; }";
  const kept = "const first = pause(op);\nuse(pause(op));";
  deepStrictEqual(lint("/p/tests/a.ts", `${pause}\n${kept}`), []);
  deepStrictEqual(lint("/p/tests/a.ts", `${pause}\npause(op);`), [
    "yield-star:2",
  ]);
});

Deno.test("yield-star says what to write instead", () => {
  const [problem] = Deno.lint.runPlugin(plugin, "/p/a.ts", task + "f(1);");
  match(problem?.message ?? "", /f\(\) gives a generator/);
  match(problem?.hint ?? "", /`yield\* f\(\.\.\.\)` or `run\(f\(\.\.\.\)\)`/);
});

/** A small project on disk: what an importing file is judged by. */
function inProject(body: (root: string) => void): void {
  const root = mkdtempSync(join(tmpdir(), "swaplab-lint-"));
  try {
    Deno.mkdirSync(join(root, "lib/mm"), { recursive: true });
    writeFileSync(join(root, "deno.json"), "{}");
    writeFileSync(
      join(root, "lib/mm/zswap.ts"),
      "export function* zswap_load(k: Kernel): Task<boolean> {}\n" +
        "export function zswap_init(): void {}\n" +
        "// export function* zswap_gone(): Task {}\n" +
        "export function zswap_lru_add(k: Kernel): Task<boolean> {}\n" +
        "export function* pages<T>(of: (n: T) => void): Generator<T> {}\n",
    );
    writeFileSync(
      join(root, "lib/mod.ts"),
      'export { zswap_load as load, type X } from "./mm/zswap.ts";\n',
    );
    writeFileSync(join(root, "lib/all.ts"), 'export * from "./mm/zswap.ts";\n');
    body(root);
  } finally {
    rmSync(root, { recursive: true });
  }
}

Deno.test("yield-star follows imports, their aliases and re-exports", () => {
  inProject((root) => {
    const lines = [
      'import { zswap_load, zswap_init } from "./zswap.ts";',
      'import { zswap_load as bring } from "./zswap.ts";',
      'import * as zswap from "./zswap.ts";',
      'import { load } from "swaplab";',
      'import { zswap_load as again } from "swaplab/all.ts";',
      "zswap_load(k);",
      "bring(k);",
      "zswap.zswap_load(k);",
      "load(k);",
      "again(k);",
      "zswap_init();",
      "zswap.zswap_init();",
    ];
    deepStrictEqual(lint(join(root, "lib/mm/a.ts"), lines.join("\n")), [
      "yield-star:6",
      "yield-star:7",
      "yield-star:8",
      "yield-star:9",
      "yield-star:10",
    ]);
  });
});

Deno.test("exportedGenerators() tells tasks from iterators", () => {
  inProject((root) => {
    deepStrictEqual(
      [...exportedGenerators(join(root, "lib/all.ts"))],
      [
        ["zswap_load", "task"],
        ["zswap_lru_add", "task maker"],
        ["pages", "iterator"],
      ],
    );
  });
});

Deno.test("exportedGenerators() survives modules that import each other", () => {
  inProject((root) => {
    writeFileSync(join(root, "lib/a.ts"), 'export * from "./b.ts";');
    writeFileSync(
      join(root, "lib/b.ts"),
      'export * from "./a.ts"; export function* f() {}',
    );
    deepStrictEqual([...exportedGenerators(join(root, "lib/a.ts"))], [
      ["f", "task"],
    ]);
  });
});

Deno.test("exportedGenerators() finds nothing in a missing module", () => {
  deepStrictEqual(exportedGenerators("/no/such/module.ts").size, 0);
});

Deno.test("resolveModule() leaves packages alone", () => {
  deepStrictEqual(resolveModule("typescript", "/p/lib/a.ts"), null);
  deepStrictEqual(resolveModule("./b.ts", "/p/lib/a.ts"), "/p/lib/b.ts");
});

Deno.test("blankComments() keeps strings and offsets", () => {
  const text = 'a("// no"); // yes\n/* two\nlines */ b(`/*`);';
  const blank = blankComments(text);
  deepStrictEqual(blank.length, text.length);
  deepStrictEqual(blank.replace(/ +/g, " "), 'a("// no"); \n \n b(`/*`);');
});

Deno.test("no-top-level-arrow finds arrow functions in lib/mm only", () => {
  const source = "export const f = () => 1;\nconst g = (n: number) => n;\n" +
    "function h() { const inner = () => 1; return inner; }\n" +
    "const n = 4;";
  deepStrictEqual(lint("/p/lib/mm/a.ts", source), [
    "no-top-level-arrow:1",
    "no-top-level-arrow:2",
  ]);
  deepStrictEqual(lint("/p/lib/show/a.ts", source), []);
});

Deno.test("no-bare-yield finds a pause outside sim and locking", () => {
  const source = "function* f(): Task {\n  yield op;\n  yield* g();\n}";
  deepStrictEqual(lint("/p/lib/mm/a.ts", source), ["no-bare-yield:2"]);
  deepStrictEqual(lint("/p/lib/lab/a.ts", source), ["no-bare-yield:2"]);
  deepStrictEqual(lint("/p/lib/sim/a.ts", source), []);
  deepStrictEqual(lint("/p/lib/locking/a.ts", source), []);
  deepStrictEqual(lint("/p/tests/a.ts", source), []);
});

Deno.test("no-bare-yield lets an iterator yield", () => {
  const source = "function* f(): Generator<number, void, void> { yield 1; }";
  deepStrictEqual(lint("/p/lib/base/list.ts", source), []);
});

Deno.test("no-try-in-engine finds try in mm and locking", () => {
  const source = "function f() {\n  try { g(); } finally { h(); }\n}";
  deepStrictEqual(lint("/p/lib/mm/a.ts", source), ["no-try-in-engine:2"]);
  deepStrictEqual(lint("/p/lib/locking/a.ts", source), [
    "no-try-in-engine:2",
  ]);
  deepStrictEqual(lint("/p/lib/lab/a.ts", source), []);
});

Deno.test("every rule of the plugin has a hint", () => {
  const bad: Record<string, string> = {
    "yield-star": task + "f(1);",
    "no-top-level-arrow": "const f = () => 1;",
    "no-bare-yield": "function* g() { yield 1; }",
    "no-try-in-engine": "function g() { try { h(); } catch { i(); } }",
  };
  deepStrictEqual(Object.keys(bad), Object.keys(plugin.rules));
  for (const [rule, source] of Object.entries(bad)) {
    const problems = Deno.lint.runPlugin(plugin, "/p/lib/mm/a.ts", source);
    deepStrictEqual(problems.map((problem) => problem.id), [`swaplab/${rule}`]);
    ok((problems[0]?.hint ?? "").length > 20);
  }
});
