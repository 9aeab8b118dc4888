/** From Jupyter back into the source, with nothing lost on the way. */
import assert from "node:assert/strict";
import { parseMyst, parseMystLines } from "swaplab/notebook/myst.ts";
import type { Cell, CodeCell, Notebook } from "swaplab/notebook/nbformat.ts";
import { parseNotebook } from "swaplab/notebook/read.ts";
import { contentHash } from "swaplab/notebook/record.ts";
import { readSource, serializeNotebook } from "swaplab/notebook/run.ts";
import { SyncError, syncSource } from "swaplab/notebook/sync.ts";
import {
  FRONT,
  makeRandom,
  randomEdits,
  randomSource,
} from "./random_notebooks.ts";

const PATH = "notebooks/00_a.md";

/** What Jupyter would open: the built file, read from its bytes. */
function built(text: string): Notebook {
  const { notebook } = readSource(text, PATH);
  return parseNotebook(serializeNotebook(notebook), PATH);
}

function code(id: string, source: string): CodeCell {
  const rest = { metadata: {}, outputs: [], execution_count: null };
  return { cell_type: "code", id, source, ...rest };
}

function prose(source: string): Cell {
  return { cell_type: "markdown", id: "1f2e3d4c", metadata: {}, source };
}

const TEXT = `${FRONT}

# A page


Words.

\`\`\`\`{code-cell} typescript
:tags:  [knob]
:id: one

let x = 1;
\`\`\`\`
\`\`\`{code-cell} typescript
:id: two
x
\`\`\`

The end.

+++ {"id":  "last"}

More.
`;

/** The source after an edit of the notebook's cells. */
function edited(edit: (cells: Cell[]) => void, text = TEXT): string {
  const notebook = built(text);
  edit(notebook.cells);
  return syncSource(text, PATH, notebook).text;
}

function cellOf(cells: Cell[], id: string): Cell {
  const cell = cells.find((one) => one.id === id);
  assert.ok(cell, `no cell ${id} in ${cells.map((one) => one.id)}`);
  return cell;
}

function without(text: string, part: string): string {
  assert.ok(text.includes(part), part);
  return text.replace(part, "");
}

Deno.test("syncSource() of an untouched notebook gives back every byte", () => {
  for (let seed = 1; seed <= 500; seed++) {
    const text = randomSource(makeRandom(seed));
    const synced = syncSource(text, PATH, built(text));
    assert.equal(synced.text, text, `seed ${seed}`);
    const { changed, added, removed, isReordered } = synced;
    assert.deepEqual(
      [changed, added, removed, isReordered],
      [[], [], [], false],
      `seed ${seed}`,
    );
  }
});

Deno.test("syncSource() carries random edits, and the bytes of the rest", () => {
  let count = 0;
  for (let seed = 1; seed <= 800; seed++) {
    const random = makeRandom(seed);
    const text = randomSource(random);
    const notebook = built(text);
    const cells = randomEdits(notebook.cells, random);
    const synced = syncSource(text, PATH, { ...notebook, cells });
    const told = `seed ${seed}\n${text}\n---- became\n${synced.text}`;
    const wanted = cells.filter(({ source, id, cell_type }) =>
      source.trim() !== "" ||
      cell_type === "code" && notebook.cells.some((cell) => cell.id === id)
    );
    const now = parseMyst(synced.text, PATH).cells;
    assert.deepEqual(now.map(contentHash), wanted.map(contentHash), told);
    for (const block of unchangedBlocks(text, notebook.cells, wanted)) {
      assert.ok(synced.text.includes(block), `${told}\nlost: ${block}`);
    }
    // Once more changes nothing: neither side has anything left to say.
    const again = syncSource(synced.text, PATH, built(synced.text));
    assert.equal(again.text, synced.text, told);
    count += synced.text === text ? 0 : 1;
  }
  assert.ok(count > 500, `${count} edits changed something`);
});

/** The own lines of the cells that are as they were, wherever they are now. */
function unchangedBlocks(
  text: string,
  before: readonly Cell[],
  after: readonly Cell[],
): string[] {
  const now = new Map(after.map((cell) => [cell.id, contentHash(cell)]));
  const { split } = parseMystLines(text, PATH);
  return before.flatMap((cell, index) =>
    now.get(cell.id) === contentHash(cell)
      ? [split.blocks[index]!.own.join("\n")]
      : []
  );
}

Deno.test("a changed cell keeps its fence, its options and its place", () => {
  const text = edited((cells) => cellOf(cells, "one").source = "let x = 2;");
  assert.equal(text, TEXT.replace("let x = 1;", "let x = 2;"));
  const prose = edited((cells) => cellOf(cells, "last").source = "Less.\n\n");
  assert.equal(prose, TEXT.replace("More.", "Less."));
});

Deno.test("code that holds its own fence gets a longer one", () => {
  const text = edited((cells) => cellOf(cells, "two").source = "`\n```\n`");
  assert.match(
    text,
    /^````\{code-cell\} typescript\n:id: two\n`\n```\n`\n````/m,
  );
});

Deno.test("tags come and go, the other options stay", () => {
  const gone = edited((cells) => cellOf(cells, "one").metadata = {});
  assert.equal(gone, without(TEXT, ":tags:  [knob]\n"));
  const come = edited((cells) =>
    cellOf(cells, "two").metadata = { tags: ["predict"], collapsed: true }
  );
  assert.equal(
    come,
    TEXT.replace(":id: two\n", ":id: two\n:tags: [predict]\n"),
  );
});

Deno.test("a new cell gets a stable id in words", () => {
  const sources: [source: string, id: string][] = [
    [
      "// Draw the pool again, from the left.\n" +
      "draw()",
      "draw-the-pool-again-from",
    ],
    ["const poolSize = 1", "pool-size"],
    ["class LruList {}", "lru-list"],
    ["runUntil(3)", "run-until"],
    ["5", "new-cell"],
    ["const two = 2", "two-2"],
    ["// Ä: «é»", "a-e"],
  ];
  for (const [source, id] of sources) {
    const text = edited((cells) =>
      cells.splice(3, 0, code("9a8b7c6d", source))
    );
    const block =
      `\n\`\`\`{code-cell} typescript\n:id: ${id}\n${source}\n\`\`\`\n`;
    assert.equal(without(text, block), TEXT, id);
  }
  const named = edited((cells) => cells.push(code("my-own-cell", "1")));
  assert.match(named, /:id: my-own-cell\n1/);
});

Deno.test("new prose is split from its neighbours, empty cells are left out", () => {
  const text = edited((cells) => {
    cells.splice(1, 0, prose("Between."), prose(" \n"), code("a1b2c3d4", ""));
  });
  assert.equal(without(text, "\n+++\n\nBetween.\n"), TEXT);
});

Deno.test("a deleted cell takes its blank lines with it, and no other", () => {
  const text = edited((cells) => cells.splice(2, 1));
  assert.equal(
    text,
    without(TEXT, "```{code-cell} typescript\n:id: two\nx\n```\n"),
  );
  const joined = edited((cells) => cells.splice(1, 2));
  assert.match(
    joined,
    /Words\.\n\n\+\+\+\n\nThe end\.\n\n\+\+\+ \{"id": {2}"la/,
  );
  const empty = edited((cells) => cellOf(cells, "last").source = "");
  assert.doesNotMatch(empty, /More|last/);
});

Deno.test("a moved cell keeps its bytes", () => {
  const text = edited((cells) => cells.push(...cells.splice(1, 1)));
  const block = TEXT.slice(TEXT.indexOf("````{"), TEXT.indexOf("\n````\n") + 6);
  assert.ok(text.endsWith(`More.\n\n${block}`), text);
  const ids = parseMyst(text, PATH).cells.map((cell) => cell.id);
  assert.deepEqual(ids, ["a-page", "two", "after-two", "last", "one"]);
});

Deno.test("code made prose, and prose made code, in its place", () => {
  const text = edited((cells) => {
    cells[2] = { ...prose("Now words."), id: "two" };
    cells[3] = code(cells[3]!.id, "now.code");
  });
  const types = parseMyst(text, PATH).cells.map((cell) => cell.cell_type);
  assert.deepEqual(types, ["markdown", "code", "markdown", "code", "markdown"]);
  assert.match(
    text,
    /````\n\nNow words\.\n\n```\{code-cell\} typescript\n:id: aft/,
  );
});

Deno.test("both sides may change what the other left alone", () => {
  const notebook = built(TEXT);
  cellOf(notebook.cells, "two").source = "x + 1";
  notebook.cells.push(code("12345678", "fresh()"));
  const source = TEXT.replace("let x = 1;", "let x = 7;")
    .replace("The end.", "An end.") + "\n## Written here\n";
  const { text } = syncSource(source, PATH, notebook);
  const wanted = source.replace(":id: two\nx\n", ":id: two\nx + 1\n");
  assert.equal(
    without(text, "\n```{code-cell} typescript\n:id: fresh\nfresh()\n```\n"),
    wanted,
  );
});

function refuses(why: RegExp, source: string, edit: (cells: Cell[]) => void) {
  const notebook = built(TEXT);
  edit(notebook.cells);
  assert.throws(() => syncSource(source, PATH, notebook), (error) => {
    assert.ok(error instanceof SyncError);
    assert.match(error.message, why);
    assert.ok(error.message.startsWith(`${PATH}: `), error.message);
    return true;
  });
}

Deno.test("what both sides changed is refused, every cell of it", () => {
  const source = TEXT.replace("let x = 1;", "let x = 7;").replace(
    "\nx\n",
    "\ny\n",
  );
  refuses(
    new RegExp(
      "cell one was changed here and, otherwise, in Jupyter\\n.*" +
        "cell two was changed here, deleted in Jupyter\\nMake both equal",
    ),
    source,
    (cells) => {
      cellOf(cells, "one").source = "let x = 8;";
      cells.splice(2, 1);
    },
  );
  const gone = without(TEXT, "```{code-cell} typescript\n:id: two\nx\n```\n");
  refuses(/cell two was deleted here, changed in Jupyter/, gone, (cells) => {
    cellOf(cells, "two").source = "x + 1";
  });
  const notebook = built(TEXT);
  cellOf(notebook.cells, "one").source = "let x = 7;";
  const same = TEXT.replace("let x = 1;", "let x = 7;");
  assert.equal(syncSource(same, PATH, notebook).text, same);
});

Deno.test("two new orders are refused", () => {
  const block = "```{code-cell} typescript\n:id: two\nx\n```\n";
  const source = without(TEXT, block) + `\n${block}`;
  refuses(/the order of the cells was changed in both/, source, (cells) => {
    cells.push(...cells.splice(0, 1));
  });
});

Deno.test("what a source cannot say is refused with its cell", () => {
  const cases: [why: RegExp, edit: (cells: Cell[]) => void][] = [
    [
      /cell two: unknown tag "knop"; did you mean "knob"/,
      (cells) => cellOf(cells, "two").metadata = { tags: ["knop"] },
    ],
    [
      /cell last: this fence is not closed/,
      (cells) => cellOf(cells, "last").source = "```\nx",
    ],
    [
      /cell last: .* a line \+\+\+ .* begins another cell/,
      (cells) => cellOf(cells, "last").source = "a\n+++\nb",
    ],
    [/two cells have the id "one"/, (cells) => cells[2]!.id = "one"],
  ];
  for (const [why, edit] of cases) refuses(why, TEXT, edit);
});

Deno.test("a notebook without a record is refused", () => {
  const notebook = built(TEXT);
  notebook.metadata = {};
  assert.throws(
    () => syncSource(TEXT, PATH, notebook),
    /does not say what it was built from.*--discard/,
  );
});

Deno.test("a notebook that has no source gets one", () => {
  const { text, added } = syncSource(null, PATH, {
    nbformat: 4,
    nbformat_minor: 5,
    metadata: { kernelspec: { name: "python3" } },
    cells: [
      prose('# Of "pages"\n\nwords'),
      prose("more"),
      code("0a1b2c3d", "show(1)"),
    ],
  });
  assert.match(text, /^---\ntitle: "Of \\"pages\\""\nkernelspec:/);
  assert.deepEqual(added, ["of-pages", "beginning", "show"]);
  assert.equal(syncSource(text, PATH, built(text)).text, text);
});

Deno.test("a directive comes back byte for byte, an edited one not", () => {
  const claim =
    "```{claim} a-claim\n:source: v6.12 mm/zswap.c\n:reason: none\n" +
    "A page is 4096 bytes.\n```";
  const text = `${FRONT}\nBefore.\n\n${claim}\n\nAfter.\n`;
  const notebook = built(text);
  assert.notEqual(
    notebook.cells[0]?.source,
    parseMyst(text, PATH).cells[0]?.source,
  );
  notebook.cells[0]!.source += "\n\nMore.";
  assert.equal(
    syncSource(text, PATH, notebook).text,
    text.replace("After.", "After.\n\nMore."),
  );
  notebook.cells[0]!.source = notebook.cells[0]!.source.replace("<!-- /cl", "");
  assert.throws(
    () => syncSource(text, PATH, notebook),
    /cell beginning: .*lost one of its markers/,
  );
});
