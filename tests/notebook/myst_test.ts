import assert from "node:assert/strict";
import {
  KNOWN_TAGS,
  MystError,
  parseMyst,
  parseMystLines,
  printMyst,
} from "swaplab/notebook/myst.ts";
import type { Cell, Notebook } from "swaplab/notebook/nbformat.ts";

const FRONT = `---
title: A page
kernelspec:
  name: tslab
  display_name: TypeScript
  language: typescript
---
`;

function cells(body: string): Cell[] {
  return parseMyst(FRONT + body, "a.md").cells;
}

function ids(body: string): string[] {
  return cells(body).map((cell) => cell.id);
}

const CODE = "```{code-cell} typescript\n:id: one\n1\n```\n";

Deno.test("parseMyst() reads front matter, prose and code", () => {
  const notebook = parseMyst(
    `${FRONT}\n# A title\n\ntext\n\n\`\`\`{code-cell} typescript\n` +
      ":id: the-cell\n:tags: [knob, hide-input]\nlet x = 1;\n\nx\n```\n\nend\n",
    "a.md",
  );
  assert.deepEqual(notebook, {
    nbformat: 4,
    nbformat_minor: 5,
    metadata: {
      title: "A page",
      kernelspec: {
        name: "tslab",
        display_name: "TypeScript",
        language: "typescript",
      },
      language_info: { name: "typescript", file_extension: ".ts" },
    },
    cells: [
      {
        cell_type: "markdown",
        id: "a-title",
        metadata: {},
        source: "# A title\n\ntext",
      },
      {
        cell_type: "code",
        id: "the-cell",
        metadata: { tags: ["knob", "hide-input"] },
        source: "let x = 1;\n\nx",
        outputs: [],
        execution_count: null,
      },
      {
        cell_type: "markdown",
        id: "after-the-cell",
        metadata: {},
        source: "end",
      },
    ],
  });
});

Deno.test("parseMyst() names prose by heading, neighbour, or as told", () => {
  assert.deepEqual(ids("hello\n"), ["beginning"]);
  assert.deepEqual(ids("# É: 2 Things!\n"), ["e-2-things"]);
  assert.deepEqual(ids("# Same\n+++\n# Same\n"), ["same", "same-2"]);
  assert.deepEqual(ids(`${CODE}text\n`), ["one", "after-one"]);
  assert.deepEqual(ids(`# One\n\n${CODE}`), ["one-2", "one"]);
  assert.deepEqual(ids('+++ {"id": "told"}\n# Heading\n'), ["told"]);
  assert.deepEqual(ids("```c\n# define X\n```\n"), ["beginning"]);
  assert.deepEqual(ids("# 12\n"), ["beginning"]);
});

Deno.test("parseMyst() splits prose at +++ only outside fences", () => {
  assert.deepEqual(
    cells("a\n\n+++\n\nb\n").map((cell) => cell.source),
    ["a", "b"],
  );
  const fenced = "````c\n+++\n```{code-cell} typescript\n```\n````";
  assert.deepEqual(cells(`${fenced}\n`).map((cell) => cell.source), [fenced]);
  assert.deepEqual(cells(`+++\n${CODE}+++\n`).length, 1);
});

Deno.test("parseMyst() keeps code that holds fences and options", () => {
  const body = "````{code-cell} typescript\n:id: x\n\n:id: y\n```\n````\n";
  assert.equal(cells(body)[0]?.source, ":id: y\n```");
});

Deno.test("parseMyst() reads CRLF as LF", () => {
  const text = `${FRONT}\n# A\n\n${CODE}`;
  assert.deepEqual(
    parseMyst(text.replaceAll("\n", "\r\n"), "a.md"),
    parseMyst(text, "a.md"),
  );
});

Deno.test("parseMystLines() tells where the source of a cell begins", () => {
  const text = `${FRONT}\n# A\n\n${CODE}`;
  const { lines } = parseMystLines(text, "a.md");
  for (const [id, start] of [["one", "1"], ["a", "# A"]] as const) {
    assert.equal(text.split("\n")[(lines.get(id) ?? 0) - 1], start);
  }
});

/** Body, the line that is named (the body begins at 8), the words of why. */
const REFUSED: [body: string, line: number, why: RegExp][] = [
  ["```{code-cell} typescript\n:id: a\n1\n", 8, /not closed; end it with/],
  ["text\n```c\nint x;\n", 9, /not closed; end it with a line ```/],
  ["```{code-cell} typescript\n1\n```\n", 8, /without an id; add a line `:id:/],
  ["```{code-cell} typescript\n:id:\n1\n```\n", 9, /without an id/],
  [`${CODE}${CODE}`, 13, /"one" is taken by the cell at line 9;.* another/],
  [`+++ {"id": "one"}\ntext\n\n${CODE}`, 12, /taken by the cell at line 8/],
  ["```{code-cell} typescript\n:id: Two Words\n```\n", 9, /use small letters/],
  [
    `\`\`\`{code-cell} typescript\n:id: ${"a".repeat(65)}\n\`\`\`\n`,
    9,
    /at most/,
  ],
  [
    "```{code-cell} typescript\n:id: a\n:tags: [knop]\n```\n",
    10,
    /unknown tag "knop"; did you mean "knob"\?/,
  ],
  [
    "```{code-cell} typescript\n:id: a\n:tags: [whatever]\n```\n",
    10,
    /unknown tag "whatever"; known are remove-input/,
  ],
  [
    "```{code-cell} typescript\n:id: a\n:tags: [knob, knob]\n```\n",
    10,
    /twice; remove one/,
  ],
  [
    "```{code-cell} typescript\n:id: a\n:tags: knob\n```\n",
    10,
    /no list; write `:tags: \[/,
  ],
  ["```{code-cell} typescript\n:id: a\n:tags: [a\n```\n", 10, /bad YAML/],
  ["```{code-cell} typescript\n:id: a\n:id: b\n```\n", 10, /twice/],
  ["```{code-cell} typescript\n:id: a\n:name: b\n```\n", 10, /unknown option/],
  [
    "```{code-cell} python\n:id: a\n```\n",
    8,
    /write ```{code-cell} typescript/,
  ],
  ["```{code-cell}\n:id: a\n```\n", 8, /write ```{code-cell} typescript/],
  ["+++ {id: a}\ntext\n", 8, /after \+\+\+ comes nothing or JSON/],
  ["+++ [1]\ntext\n", 8, /after \+\+\+ comes nothing or JSON/],
  ['+++ {"id": 5}\ntext\n', 8, /after \+\+\+ comes nothing or JSON/],
];

for (const [body, line, why] of REFUSED) {
  Deno.test(`parseMyst() refuses ${JSON.stringify(body.slice(0, 60))}`, () => {
    assert.throws(
      () => parseMyst(FRONT + body, "notebooks/a.md"),
      (error) => {
        assert.ok(error instanceof MystError);
        assert.match(error.message, why);
        assert.ok(
          error.message.startsWith(`notebooks/a.md:${line}: `),
          error.message,
        );
        return true;
      },
    );
  });
}

Deno.test("parseMyst() refuses front matter that is not right", () => {
  const refuses = (text: string, place: string, why: RegExp) => {
    assert.throws(() => parseMyst(text, "a.md"), (error) => {
      assert.ok(error instanceof MystError);
      assert.match(error.message, why);
      assert.ok(error.message.startsWith(`a.md:${place}: `), error.message);
      return true;
    });
  };
  refuses("# Title\n", "1", /no front matter; begin the file with/);
  refuses("---\ntitle: x\n", "1", /has no end; close it/);
  refuses("---\ntitle: x\n---\n", "1", /names no kernel/);
  refuses("---\ntitle: x\nb: [1\n---\n", "3", /bad YAML/);
  const version = "---\nlanguage_info:\n  version: 5\nkernelspec:\n" +
    "  name: a\n  display_name: b\n---\n";
  refuses(version, "1", /version.*remove it/);
});

/** A small generator of numbers below `bound`, from a seed. */
function makeRandom(seed: number) {
  let state = seed;
  return (bound: number) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor(state / 2 ** 32 * bound);
  };
}

const PROSE = [
  "# A heading",
  "text",
  "# A heading\n\ntext\n\n## Another",
  "```c\nint x;\n+++\n```",
  ":::{note} N\nwords\n:::",
  "",
  "- a\n- b",
  "`code` ``` inline",
];

const SOURCES = [
  "1",
  "",
  "\n",
  "a\n",
  "\n\na",
  ":id: not-an-option",
  "let s = `\n```\n`",
  "`````",
  "// ä 変数\n\n\nx",
  "+++",
];

function randomNotebook(seed: number): Notebook {
  const random = makeRandom(seed);
  const pick = <T>(list: readonly T[]): T => {
    const item = list[random(list.length)];
    assert.ok(item !== undefined);
    return item;
  };
  const cells: Cell[] = [];
  for (let index = 0; index < random(7); index++) {
    if (random(2) === 0) {
      const metadata = random(4) === 0 ? { book: { kind: "claim" } } : {};
      const source = pick(PROSE);
      cells.push({ cell_type: "markdown", id: `p-${index}`, metadata, source });
      continue;
    }
    const tags = random(2) === 0 ? [pick(KNOWN_TAGS)] : null;
    cells.push({
      cell_type: "code",
      id: `c-${index}`,
      metadata: tags === null ? {} : { tags },
      source: pick(SOURCES),
      outputs: [],
      execution_count: null,
    });
  }
  const { metadata } = parseMyst(FRONT, "a.md");
  return { nbformat: 4, nbformat_minor: 5, metadata, cells };
}

Deno.test("parseMyst(printMyst(notebook)) is the notebook", () => {
  for (let seed = 1; seed <= 400; seed++) {
    const notebook = randomNotebook(seed);
    const text = printMyst(notebook);
    assert.deepEqual(parseMyst(text, "a.md"), notebook, `seed ${seed}`);
  }
});

Deno.test("printMyst() leaves out ids that the parser makes itself", () => {
  const text = `${FRONT}\n# A\n\n+++\n\n# A\n\n${CODE}\nend\n`;
  const printed = printMyst(parseMyst(text, "a.md"));
  assert.doesNotMatch(printed, /\+\+\+ \{/);
  assert.equal(printMyst(parseMyst(printed, "a.md")), printed);
});

Deno.test("printMyst() refuses what it could not read again", () => {
  const notebook = parseMyst(`${FRONT}\ntext\n`, "a.md");
  const [cell] = notebook.cells;
  assert.ok(cell);
  for (const source of ["a\n+++\nb", "  \na"]) {
    assert.throws(
      () => printMyst({ ...notebook, cells: [{ ...cell, source }] }),
      TypeError,
    );
  }
  const other = { ...cell, source: "```\nnever closed" };
  assert.throws(() => printMyst({ ...notebook, cells: [other] }), MystError);
});
