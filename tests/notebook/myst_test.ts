import assert from "node:assert/strict";
import { MystError, parseMyst, parseMystLines } from "swaplab/notebook/myst.ts";
import type { Cell } from "swaplab/notebook/nbformat.ts";

const FRONT = `---
title: A page
kernelspec:
  name: swaplab
  display_name: Swaplab (TypeScript)
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
        name: "swaplab",
        display_name: "Swaplab (TypeScript)",
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

Deno.test("parseMyst() takes fences that prose may have", () => {
  const prose = [
    "- a list\n  ```c\n  int x;\n  +++\n  ```",
    "``` inline ``` code",
    "~~~\n```{code-cell} typescript\n~~~",
    ":::{note} A box\n::::{tip}\ninner\n::::\nwords\n:::",
    "tab\there",
  ];
  for (const source of prose) {
    assert.deepEqual(cells(`${source}\n`).map((one) => one.source), [source]);
  }
});

Deno.test("splitBlocks() has every line of a file in one place", () => {
  const text = `${FRONT}\n\n# A\n\n\n${CODE}\n+++\n\n+++ {"id": "b"}\n\n` +
    `b\n\n\n${CODE.replace("one", "two")}\n\n`;
  for (const whole of [text, text.trimEnd()]) {
    const { head, blocks, tail } = parseMystLines(whole, "a.md").split;
    const lines = blocks.flatMap(({ lead, own }) => [...lead, ...own]);
    assert.equal([...head, ...lines, ...tail].join("\n"), whole);
    for (const { own, from, to, source } of blocks) {
      assert.equal(own.slice(from, to).join("\n"), source);
    }
  }
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
  ["text\n\n~~~\nint x;\n```\n", 10, /not closed; end it with a line ~~~/],
  ["text\n:::{note} N\nwords\n", 9, /box is not closed.*a line :::/],
  [":::{note} N\nwords\n+++\n:::\n", 8, /box is not closed in its cell/],
  [" ```{code-cell} typescript\n:id: a\n ```\n", 8, /at the left margin/],
  ["\t```{code-cell} typescript\n", 8, /at the left margin/],
  ["```{code-cell}\ttypescript\n:id: a\n```\n", 8, /a tab in the line of a/],
  ["```{code-cell} typescript\n:id:\ta\n```\n", 9, /a tab in an option; wri/],
  ["text\r\n", 8, /ends in CR LF; save the file with LF/],
  ["text\ra\n", 8, /ends in CR LF/],
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
  refuses("---\ntitle: x\ntitle: y\n---\n", "3", /bad YAML: Map keys must/);
  refuses("---\nkernelspec:\n\tname: x\n---\n", "3", /a tab in front matter/);
  refuses(`\ufeff${FRONT}`, "1", /byte order mark; save it as UTF-8 without/);
  refuses(FRONT.replaceAll("\n", "\r\n"), "1", /ends in CR LF/);
  refuses("", "1", /no front matter/);
  const version = "---\nlanguage_info:\n  version: 5\nkernelspec:\n" +
    "  name: a\n  display_name: b\n---\n";
  refuses(version, "1", /version.*remove it/);
});
