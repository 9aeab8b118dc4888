/**
 * Random sources of notebooks, and random edits as a person makes them in
 * Jupyter. Seeded: the same seed gives the same.
 */
import assert from "node:assert/strict";
import type { Cell } from "swaplab/notebook/nbformat.ts";

export interface Random {
  /** A whole number below `bound`. */
  below(bound: number): number;
  pick<T>(list: readonly T[]): T;
}

export function makeRandom(seed: number): Random {
  let state = seed;
  const below = (bound: number) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor(state / 2 ** 32 * bound);
  };
  const pick = <T>(list: readonly T[]): T => {
    const item = list[below(list.length)];
    assert.ok(item !== undefined);
    return item;
  };
  return { below, pick };
}

export const FRONT = `---
title: "Random: a page" # and a comment
kernelspec:
  name: swaplab
  display_name:   Swaplab (TypeScript)
---
`;

const PROSE = [
  "# A heading",
  "text",
  "# A heading\n\ntext\n\n\n## Another",
  "```c\nint x;\n+++\n```",
  ":::{note} N\nwords\n:::",
  "- a\n- b\n  ```c\n  x\n  ```",
  "`code` ``` inline  ",
  "a\ttab, a trailing blank  \nand ünïcödé 変数 😀",
  "    indented\n\n    more",
  "<!-- a comment -->",
];

export const SOURCES = [
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
  "\tx  ",
  "~~~",
];

const FENCES = ["```", "````", "~~~", "~~~~~~"];

/** A source in all the forms that one may have, not only ours. */
export function randomSource(random: Random): string {
  const { below, pick } = random;
  const blanks = () => "\n".repeat(pick([0, 1, 1, 1, 2, 3]));
  let text = FRONT;
  let isAfterProse = false;
  const count = below(7);
  for (let index = 0; index < count; index++) {
    text += blanks();
    if (below(2) === 0) {
      text += randomCode(random, index);
      isAfterProse = false;
      continue;
    }
    const splits = ["+++\n", `+++ {"id": "p-${index}"}\n`, '+++ {"a":  [1]}\n'];
    if (isAfterProse || below(3) === 0) text += pick(splits) + blanks();
    if (below(8) === 0) text += "\n";
    text += `${pick(PROSE)}\n`;
    isAfterProse = true;
  }
  text += blanks();
  return below(5) === 0 ? text.replace(/\n+$/, "") : text;
}

function randomCode({ below, pick }: Random, index: number): string {
  const source = pick(SOURCES);
  const fence = pick(FENCES.filter((one) => !source.includes(one)));
  const tags = pick(["", ":tags: [knob]\n", ":tags:   [hide-input,  knob]\n"]);
  const id = `:id:  c-${index}\n`;
  const options = below(2) === 0 ? id + tags : tags + id;
  const isUnclear = /^(?::|\n)/.test(source) || below(4) === 0;
  const lines = source === "" ? "" : `${source}\n`;
  return `${fence}{code-cell} typescript \n${options}${isUnclear ? "\n" : ""}` +
    `${lines}${fence}\n`;
}

/** Some edits of cells as Jupyter would save them. */
export function randomEdits(cells: readonly Cell[], random: Random): Cell[] {
  const edited = structuredClone([...cells]);
  const count = 1 + random.below(4);
  for (let index = 0; index < count; index++) editOnce(edited, random, index);
  return edited;
}

function editOnce(cells: Cell[], random: Random, index: number): void {
  const { below, pick } = random;
  const at = below(cells.length + 1);
  const cell = cells[Math.min(at, cells.length - 1)];
  if (cell === undefined || below(6) === 0) {
    cells.splice(at, 0, newCell(random, index));
    return;
  }
  switch (below(5)) {
    case 0:
      cells.splice(cells.indexOf(cell), 1);
      return;
    case 1:
      cells.splice(cells.indexOf(cell), 1);
      cells.splice(below(cells.length + 1), 0, cell);
      return;
    case 2:
      if (cell.cell_type === "code") {
        cell.metadata = pick([{}, { tags: ["predict"] }, { collapsed: true }]);
      } else cell.metadata = pick([{}, { b: { y: 1, x: 2 } }]);
      return;
    default:
      cell.source = cell.cell_type === "code"
        ? pick(SOURCES.filter((source) => source.trim() !== ""))
        : pick(PROSE);
  }
}

function newCell({ below, pick }: Random, index: number): Cell {
  const id = `${pick(["0a", "ff"])}b1c2d${index}`;
  if (below(2) === 0) {
    return { cell_type: "markdown", id, metadata: {}, source: pick(PROSE) };
  }
  return {
    cell_type: "code",
    id,
    metadata: {},
    source: pick(["draw(1)", "const newPool = 2", "// Look again.\nx", "5"]),
    outputs: [],
    execution_count: null,
  };
}
