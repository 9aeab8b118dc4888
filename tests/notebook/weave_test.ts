/** Coverage, the ledger, and what `--check` says of a quote that changed. */
import assert from "node:assert/strict";
import { dirname } from "node:path";
import ts from "typescript";
import { readChapters } from "swaplab/notebook/chapters.ts";
import { main as notebooks } from "swaplab/notebook/cli.ts";
import { codeLines, coverageOf } from "swaplab/notebook/coverage.ts";
import { collapseDirectives } from "swaplab/notebook/directive.ts";
import { ledgerOf } from "swaplab/notebook/ledger.ts";
import type { Notebook } from "swaplab/notebook/nbformat.ts";
import { projectSources } from "swaplab/notebook/sources.ts";
import { engineNames } from "swaplab/notebook/symbols.ts";
import { readRegions } from "swaplab/region.ts";
import { projectRoot } from "../../tools/files.ts";
import { main as claims } from "../../tools/claims.ts";
import { main as weave } from "../../tools/weave.ts";

const FRONT = "---\nkernelspec:\n  name: swaplab\n  display_name: Swaplab\n" +
  "  language: typescript\n---\n";

const ENGINE = `/** Head. */
import { x } from "./x.ts";

// #region whole
/** Doubles. */
export function double(value: number): number {
  // #region sum
  return value + value;
  // #endregion
}
// #endregion
// #aside a table of constants
export const table = [
  1,
];
// #endaside
export const left = x;
`;

const FILES = {
  "lib/mm/a.ts": ENGINE,
  "lib/mm/x.ts": "export const x = 1;\n",
  "lib/sim/b.ts": "// #region idle\nlet y;\n// #endregion\n",
  "notebooks/00_a.md": `${FRONT}# A

\`\`\`{quote} lib/mm/a.ts#whole
\`\`\`

\`\`\`{claim} doubles
:source: arithmetic
:cell: show-it
It doubles.
\`\`\`

\`\`\`{code-cell} typescript
:id: show-it
console.log(2 + 2);
\`\`\`
`,
};

type Files = Readonly<Record<string, string>>;

/** A project of these files in a folder that goes away. */
async function withProject(
  files: Files,
  use: (root: string) => void | Promise<void>,
): Promise<void> {
  const root = Deno.makeTempDirSync();
  try {
    for (const [path, text] of Object.entries({ ...FILES, ...files })) {
      Deno.mkdirSync(dirname(`${root}/${path}`), { recursive: true });
      Deno.writeTextFileSync(`${root}/${path}`, text);
    }
    await use(root);
  } finally {
    Deno.removeSync(root, { recursive: true });
  }
}

/** What a command says, and its exit code behind. */
function said(
  command: typeof weave,
  root: string,
  ...args: string[]
): string {
  const lines: string[] = [];
  const code = command(args, root, (line) => lines.push(line));
  return `${lines.join("\n")}\nexit ${code}`;
}

function chapter(...lines: string[]): string {
  return `${FRONT}# B\n\n${lines.join("\n")}\n`;
}

Deno.test("weave counts told, aside and untold lines of code", async () => {
  await withProject({}, (root) => {
    const text = said(weave, root, "--coverage");
    assert.match(text, /^lib\/mm\/a\.ts +3 +3 +1$/m);
    assert.match(text, /^lib\/mm\/x\.ts +0 +0 +1$/m);
    assert.match(text, /1 quotes tell 3 of 8 .*, 3 stand .*, 2 are untold/);
    assert.match(text, /exit 0$/);
    const one = said(weave, root, "--coverage", "lib/mm/a.ts");
    assert.match(one, /^ {2}left +17$/m);
    assert.match(said(weave, root, "--strict"), /exit 1$/);
    assert.match(said(weave, root, "--coverage", "x.ts"), /exit 2$/);
    assert.match(said(weave, root, "--all"), /usage[^]*exit 2$/);
  });
});

Deno.test("weave --strict is content with a book that tells all", async () => {
  const files = {
    "lib/mm/x.ts": "// #aside one constant\nexport const x = 1;\n// #endaside",
    "lib/mm/a.ts": "// #region whole\nexport {};\nlet a;\n// #endregion\n",
    "lib/sim/b.ts": "let untold;\n",
  };
  await withProject(files, (root) => {
    assert.match(said(weave, root, "--strict"), /100\.0 % done[^]*exit 0$/);
  });
});

Deno.test("weave warns of a region that no chapter quotes", async () => {
  await withProject({}, (root) => {
    const text = said(weave, root);
    assert.match(text, /warning: lib\/mm\/a\.ts:7: no chapter .* region sum;/);
    assert.match(text, /warning: lib\/sim\/b\.ts:1: .* region idle;/);
    assert.equal(text.match(/warning:/g)?.length, 2);
  });
});

Deno.test("a line that two chapters tell is an error", async () => {
  const second = chapter("```{quote} lib/mm/a.ts#sum", "```");
  await withProject({ "notebooks/01_b.md": second }, (root) => {
    const text = said(weave, root);
    assert.match(
      text,
      /error: lib\/mm\/a\.ts:8: told by 00_a \(region whole\) and by 01_b \(/,
    );
    assert.match(text, /exit 1$/);
  });
});

Deno.test("a chapter may quote a part again, but no region twice", async () => {
  const whole = "```{quote} lib/mm/a.ts#whole\n```\n";
  const part = "```{quote} lib/mm/a.ts#sum\n```\n";
  await withProject({ "notebooks/00_a.md": chapter(whole, part) }, (root) => {
    assert.match(said(weave, root), / 0 errors[^]*exit 0$/);
  });
  await withProject({ "notebooks/00_a.md": chapter(whole, whole) }, (root) => {
    assert.match(said(weave, root), /told by 00_a twice; .* #quote-whole/);
  });
});

Deno.test("weave names all that is wrong with quotes and markers", async () => {
  const told = ENGINE.replace("// #region sum", "// #aside x")
    .replace("  // #endregion", "  // #endaside");
  await withProject({ "lib/mm/a.ts": told }, (root) => {
    assert.match(said(weave, root), /a\.ts:8: .* the aside of line 7 says/);
  });
  const files = {
    "lib/mm/x.ts": "// #region x\n",
    "notebooks/01_b.md": chapter("```{quote} lib/mm/a.ts#other", "```"),
    "notebooks/02_c.md": chapter("```{quotes} lib/mm/a.ts#other", "```"),
  };
  await withProject(files, (root) => {
    const text = said(weave, root);
    assert.match(text, /error: lib\/mm\/x\.ts:1: region x has no end/);
    assert.match(text, /error: notebooks\/01_b\.md:9: .* no region other/);
    assert.match(text, /error: notebooks\/02_c\.md:9: unknown directive/);
    assert.match(text, /3 errors/);
  });
});

Deno.test("codeLines() finds the lines that TypeScript finds", () => {
  for (const path of ["mm/zswap.ts", "mm/mm_types.ts", "block/zram.ts"]) {
    const text = projectSources().read(`lib/${path}`)!;
    const source = ts.createSourceFile("a.ts", text, ts.ScriptTarget.Latest);
    const wanted = new Set<number>();
    const lineAt = (at: number) =>
      source.getLineAndCharacterOfPosition(at).line;
    const visit = (node: ts.Node) => {
      if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) return;
      if (ts.isJSDoc(node)) return;
      const children = node.getChildren(source);
      for (const child of children) visit(child);
      if (children.length > 0 || node.getWidth(source) === 0) return;
      const [from, to] = [node.getStart(source), node.getEnd()].map(lineAt);
      for (let line = from!; line <= to!; line++) wanted.add(line + 1);
    };
    visit(source);
    const found = codeLines(readRegions(text, path));
    assert.deepEqual(found, [...wanted].sort((a, b) => a - b), path);
    assert.ok(found.length > 100);
  }
});

Deno.test("claims prints the ledger and fails on what is not right", async () => {
  await withProject({}, async (root) => {
    const before = said(claims, root);
    assert.match(before, /cell show-it is not built; run: deno task notebooks/);
    await notebooks([], root, () => {});
    assert.equal(
      said(claims, root),
      "doubles  (00_a)\n  claim   It doubles.\n  source  arithmetic\n" +
        "  cell    show-it\n1 claims, 1 shown by a cell; 0 errors\nexit 0",
    );
  });
  const claim = (id: string, cell: string) =>
    `\`\`\`{claim} ${id}\n:source: s\n${cell}\nIt is so.\n\`\`\`\n`;
  const silent = "```{code-cell} typescript\n:id: silent\nlet a = 1;\n```\n";
  const files = {
    "notebooks/01_b.md": chapter(
      claim("doubles", ":reason: everybody knows"),
      claim("two", ":cell: silnt"),
      silent,
    ),
    "notebooks/02_c.md": chapter(claim("three", ":cell: silent"), silent),
  };
  await withProject(files, async (root) => {
    const told: string[] = [];
    await notebooks([], root, (line) => told.push(line));
    assert.match(told.join("\n"), /01_b\.md:17: claim two: no cell silnt; did/);
    const text = said(claims, root);
    assert.match(text, /01_b\.md:9: claim doubles is made at .*00_a\.md:12/);
    assert.match(text, /01_b\.md:15: claim two: no cell silnt; .* silent\?/);
    assert.match(text, /02_c\.md:9: claim three: cell silent has no output/);
    assert.match(text, /4 claims, 3 shown by a cell; 3 errors\nexit 1$/);
  });
});

Deno.test("--check names chapter, file and region of an edited quote", async () => {
  await withProject({}, async (root) => {
    const check = async () => {
      const lines: string[] = [];
      const code = await notebooks(["--check"], root, (line) => {
        lines.push(line);
      });
      return `${lines.join("\n")}\nexit ${code}`;
    };
    await notebooks([], root, () => {});
    assert.match(await check(), /as built\nexit 0$/);

    const edit = (text: string) =>
      Deno.writeTextFileSync(`${root}/lib/mm/a.ts`, text);
    edit(ENGINE.replace("value + value", "2 * value"));
    const text = await check();
    const sentence = "notebooks/00_a.md quotes lib/mm/a.ts#whole, which " +
      'changed at line 8: was "return value + value;", is "return 2 * value;"';
    assert.ok(text.split("\n").includes(sentence), text);
    assert.match(text, /exit 1$/);

    edit(ENGINE.replace("import", "// One more line.\nimport"));
    assert.match(await check(), /#whole, which moved from lines 5–6, 8, 10 to/);
    edit(ENGINE.replace("#region whole", "#region double"));
    assert.match(
      await check(),
      /00_a\.md:9: .* no region whole; it has sum, d/,
    );
  });
});

Deno.test("engineNames() has what is exported, and Linux's own statics", () => {
  const files: Files = {
    "lib/mm/a.ts": "export function a_b() {}\nfunction c_d() {}\n" +
      "function two_e() {}\nfunction ours() {}\nconst x_y = 1;\n",
    "lib/mm/b.ts": "export const K_L = 1;\nfunction two_e() {}\n",
    "lib/grade/c.ts": "export function not_engine() {}\n",
  };
  const sources = {
    read: (path: string) => files[path] ?? null,
    paths: () => Object.keys(files),
  };
  assert.deepEqual([...engineNames(sources)], [
    ["a_b", "lib/mm/a.ts"],
    ["K_L", "lib/mm/b.ts"],
    ["c_d", "lib/mm/a.ts"],
  ]);
});

Deno.test("the book's own quotes, regions and claims are right", () => {
  const problems: string[] = [];
  const chapters = readChapters(projectRoot, problems);
  const { errors } = coverageOf(chapters, projectSources(projectRoot));
  const ledger = ledgerOf(chapters);
  assert.deepEqual([...problems, ...errors, ...ledger.errors], []);
});

Deno.test("the book's built prose collapses to its sources", () => {
  for (const { name, notebook, built } of readChapters(projectRoot, [])) {
    assert.ok(built !== null, name);
    const prose = ({ cells }: Notebook) =>
      cells.filter((cell) => cell.cell_type === "markdown");
    const sources = prose(built).map((cell) => collapseDirectives(cell.source));
    assert.deepEqual(sources, prose(notebook).map((cell) => cell.source), name);
  }
});
