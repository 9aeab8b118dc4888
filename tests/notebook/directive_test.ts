/** Directives to what a notebook shows, and back without losing a byte. */
import assert from "node:assert/strict";
import {
  collapseDirectives,
  directivesOf,
  expandDirectives,
  readBuilt,
} from "swaplab/notebook/directive.ts";
import type { Sources } from "swaplab/notebook/sources.ts";
import { MystError } from "swaplab/notebook/myst_blocks.ts";
import { makeRng, nextUint32 } from "swaplab/sim/rng.ts";

const long = Array.from({ length: 41 }, (_, i) => `line(${i});`).join("\n");

const files: Readonly<Record<string, string>> = {
  "lib/mm/a.ts": `// Head.
// #region outer
export function a(): void {
  // #region inner
  one();
  const fence = \`
\`\`\`
\`;
  // #endregion
  two();
}
// #endregion
// #region long
${long}
// #endregion
// #region empty
// #endregion
`,
  "lib/mm/b.ts": "// #region moved\nx();\n// #endregion\n",
  "lib/mm/torn.ts": "// #region torn\nx();\n",
};

const sources: Sources = {
  read: (path) => files[path] ?? null,
  paths: () => Object.keys(files),
};

const place = { file: "notebooks/00_a.md", line: 10, sources };

function expand(...lines: string[]): string {
  return expandDirectives(lines.join("\n"), place);
}

/** What `run` throws, which must be a MystError of the line. */
function refusal(line: number, run: () => unknown): string {
  try {
    run();
  } catch (error) {
    assert.ok(error instanceof MystError, String(error));
    const start = `notebooks/00_a.md:${line}: `;
    assert.ok(error.message.startsWith(start), error.message);
    return error.message.slice(start.length);
  }
  assert.fail("nothing was refused");
}

const ARCHIVED = "[1-x@a.example](https://lore.kernel.org/r/1-x%40a.example)";

const QUOTE = ["```{quote} lib/mm/a.ts#outer", ":emphasize: 1, 6-7", "```"];
const CLAIM = [
  "```{claim} two-first",
  ":source: facts 9.3; <1-x@a.example>",
  ":cell: some-cell",
  "`two()` comes --> *after* the others.",
  "",
  "> Always.",
  "```",
];

Deno.test("a quote becomes code, its file with lines, and a link", () => {
  assert.equal(
    expand("Before.", ...QUOTE, "After."),
    `Before.
<!-- {quote} lib/mm/a.ts#outer
:emphasize: 1, 6-7
-->

\`\`\`\`ts
export function a(): void { // ←
  one();
  const fence = \`
\`\`\`
\`;
  two(); // ←
} // ←
\`\`\`\`

[\`lib/mm/a.ts\`](../lib/mm/a.ts#L3-L11), lines 3, 5–8, 10–11

<!-- /quote 96d14970 -->
After.`,
  );
});

Deno.test("a region inside a function loses the function's indentation", () => {
  const moved =
    "// #region r\n// #endregion\nf() {\n  // #region in\n  a();\n" +
    "    b();\n  // #endregion\n}\n";
  const one: Sources = { read: () => moved, paths: () => [] };
  const text = expandDirectives("```{quote} lib/x.ts#in\n```", {
    ...place,
    sources: one,
  });
  assert.match(text, /```ts\na\(\);\n {2}b\(\);\n```/);
});

Deno.test("a claim becomes a block quote with its source and its cell", () => {
  assert.equal(
    expand(...CLAIM),
    `<!-- {claim} two-first
:source: facts 9.3; <1-x@a.example>
:cell: some-cell
-->

> **Claim** \`two-first\`
>
> \`two()\` comes --> *after* the others.
>
> > Always.
>
> Source: facts 9.3; ${ARCHIVED}. Shown by the cell \`some-cell\`.

<!-- /claim -->`,
  );
});

Deno.test("readBuilt() reads what expandDirectives() wrote", () => {
  const quote = readBuilt(`${expand(...QUOTE)}\nmore`);
  assert.ok(quote?.built.kind === "quote");
  assert.equal(quote.raw, expand(...QUOTE));
  const { path, region, lines, emphasized } = quote.built;
  assert.equal(`${path}#${region}`, "lib/mm/a.ts#outer");
  assert.deepEqual(lines.map(({ line }) => line), [3, 5, 6, 7, 8, 10, 11]);
  const text = files["lib/mm/a.ts"]!.split("\n");
  for (const one of lines) assert.equal(one.text, text[one.line - 1]);
  assert.deepEqual([...emphasized], [3, 10, 11]);
  const claim = readBuilt(expand(...CLAIM));
  assert.ok(claim?.built.kind === "claim");
  assert.equal(claim.built.id, "two-first");
  assert.match(claim.built.text, /^`two\(\)` comes[^]*> Always\.$/);
  assert.equal(readBuilt("text"), null);
});

Deno.test("directivesOf() tells where each directive stands", () => {
  const text = ["a", ...QUOTE, "~~~", ...CLAIM, "~~~", ...CLAIM].join("\n");
  const found = directivesOf(text, place);
  assert.deepEqual(found.map(({ kind, line }) => [kind, line]), [
    ["quote", 11],
    ["claim", 23],
  ]);
});

/** Prose of random pieces: directives, fences, odd lines. */
function randomProse(seed: number): string {
  const rng = makeRng(seed);
  const next = () => nextUint32(rng);
  const pick = (pool: readonly string[]) => pool[next() % pool.length]!;
  const odd = ["", "Text.", "  indented", "> quoted", "-->", "<!-- x -->"];
  const said = ["&gt; & -->", "a -- b --!> c", "> x", "<a@b> : c. "];
  const own = [...said, "  ", ":not: an option"];
  const pieces: (() => string[])[] = [
    () => [pick(odd)],
    () => [pick(["```ts", "```"]), ...CLAIM.slice(1, 4), "```"],
    () => ["~~~~md", ...QUOTE, "~~~~"],
    () => [`\`\`\`{quote}${pick([" ", "  "])}lib/mm/b.ts#moved `, "```"],
    () => [QUOTE[0]!, `:emphasize:  ${pick(["1", "2 , 3-7", "1-7"])} `, "```"],
    () => [
      "```{claim} some-id",
      `:reason: ${pick(said)} `,
      `:source:   ${pick(said)}`,
      "It is so.",
      ...[pick(own), pick(odd.slice(0, 5)), pick(own)],
      "```",
    ],
  ];
  const count = 1 + next() % 8;
  return Array.from({ length: count }, () => pieces[next() % pieces.length]!())
    .flat().join("\n");
}

Deno.test("collapseDirectives() is the exact inverse, for any prose", () => {
  for (let seed = 1; seed <= 400; seed++) {
    const prose = randomProse(seed);
    const built = expandDirectives(prose, place);
    assert.equal(collapseDirectives(built), prose, `seed ${seed}`);
  }
});

Deno.test("the text of a claim may be edited in the notebook", () => {
  const edited = expand(...CLAIM).replace("> > Always.", "> Never.\n> No.");
  const source = collapseDirectives(edited);
  assert.equal(
    source,
    CLAIM.join("\n").replace("> Always.", "Never.\nNo."),
  );
  assert.equal(expandDirectives(source, place), edited);
});

Deno.test("collapseDirectives() refuses what came of the engine or options", () => {
  const collapse = (text: string) => () =>
    collapseDirectives(`x\n${text}`, "a.ipynb");
  const quote = expand(...QUOTE);
  const claim = expand(...CLAIM);
  const cases: [string, RegExp][] = [
    [quote.replace("one()", "uno()"), /lib\/mm\/a\.ts#outer was edited; edit/],
    [quote.replace(/\n<!-- \/quote.*/, ""), /has lost one of its markers/],
    [claim.replace("\n-->\n", "\n"), /has lost one of its markers/],
    [quote.slice(quote.indexOf("<!-- /quote")), /without its beginning/],
    [claim.replace("Shown by", "Seen in"), /frame of claim two-first/],
  ];
  for (const [text, message] of cases) {
    assert.throws(collapse(text), (error) => {
      assert.ok(error instanceof MystError);
      assert.match(error.message, /^a\.ipynb:\d+: /);
      assert.match(error.message, message);
      return true;
    });
  }
});

Deno.test("a quote that cannot be shown is refused with its remedy", () => {
  const quote = (target: string, ...options: string[]) =>
    refusal(10, () => expand(`\`\`\`{quote} ${target}`, ...options, "```"));
  assert.match(quote("mm/a.ts#outer"), /write ```\{quote\} lib\/mm\/file\.ts#/);
  assert.match(quote("lib/mm/old.ts#moved"), /write lib\/mm\/b\.ts#moved$/);
  assert.match(quote("lib/mm/old.ts#gone"), /no other has a region gone$/);
  assert.match(
    quote("lib/mm/a.ts#outr"),
    /did you mean lib\/mm\/a\.ts#outer\?/,
  );
  assert.match(
    quote("lib/mm/a.ts#unknown"),
    /it has inner, outer, long, empty;/,
  );
  assert.match(
    quote("lib/mm/torn.ts#torn"),
    /lib\/mm\/torn\.ts:1: region torn/,
  );
  assert.match(quote("lib/mm/a.ts#long"), /a\.ts:13: .* 41 lines.*smaller/);
  assert.match(quote("lib/mm/a.ts#empty"), /is empty/);
  assert.match(quote("lib/mm/a.ts#outer", "text"), /nothing but its options/);
});

Deno.test("bad options are refused at their lines", () => {
  const quote = (option: string) =>
    refusal(11, () => expand("```{quote} lib/mm/a.ts#outer", option, "```"));
  for (const lines of ["0", "8", "3-2", "x", "1,,2", ""]) {
    assert.match(quote(`:emphasize: ${lines}`), /write lines .*, 1 to 7/);
  }
  assert.match(quote(":color: 3"), /unknown option ":color:"/);
  const twice = () =>
    expand(QUOTE[0]!, ":emphasize: 1", ":emphasize: 2", "```");
  assert.match(refusal(12, twice), /stands there twice/);
});

Deno.test("a claim that is not whole is refused with its remedy", () => {
  const claim = (id: string, ...lines: string[]) =>
    refusal(10, () => expand(`\`\`\`{claim} ${id}`, ...lines, "```"));
  const [, source = "", cell = "", text = ""] = CLAIM;
  assert.match(claim("Two first", source, cell, text), /write ```\{claim\}/);
  assert.match(claim("a", cell, text), /no source; add `:source:/);
  assert.match(claim("a", source, text), /no cell shows claim a; add `:cell:/);
  assert.match(claim("a", source, cell, ":reason: x", text), /remove one/);
  assert.match(claim("a", source, cell, ""), /says nothing/);
  assert.match(claim("a", source, cell, text, "<!-- x -->"), /without code/);
});

Deno.test("a misspelt or unclosed directive is refused at its line", () => {
  const one = (...lines: string[]) => () => expand("a", ...lines);
  assert.match(refusal(11, one("```{qoute} x", "```")), /mean \{quote\}/);
  assert.match(refusal(11, one("```{figure} x", "```")), /known are/);
  assert.match(refusal(11, one("  ```{quote} x")), /three backticks/);
  assert.match(refusal(11, one("````{quote} x", "````")), /three backticks/);
  assert.match(refusal(11, one("```{claim} x", "y")), /not closed/);
  assert.match(refusal(13, one("```{claim} x", "y", "``` ")), /just ```/);
  assert.match(refusal(11, one("<!-- {quote} x")), /write the directive/);
  assert.match(refusal(11, one("<!-- /claim -->")), /write the directive/);
});
