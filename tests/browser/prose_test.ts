/** What the build makes of prose, code and outputs: no browser needed. */

import assert from "node:assert/strict";
import { expandDirectives } from "swaplab/notebook/directive.ts";
import type { Cell, Notebook, Output } from "swaplab/notebook/nbformat.ts";
import { makeChapter } from "../../book/chapter.ts";
import { renderClaims } from "../../book/claims.ts";
import { makeProse } from "../../book/markdown.ts";
import { renderNames } from "../../book/names.ts";
import {
  LIMIT_CHARACTERS,
  makeFlow,
  mergeStreams,
} from "../../book/reader/flow.ts";
import {
  highlight,
  highlightLines,
  tokenize,
} from "../../book/reader/highlight.ts";
import { renderOutputs } from "../../book/reader/outputs.ts";

Deno.test("tokenize() loses no character, whatever the text", () => {
  const odd = [
    "const a = `x${b ? `y${{ c: 1 }.c}` : /[/]\\//g}z` // end",
    '"open\n/* open',
    "`open ${ {",
    "a / b / c; if (x) /re/.test(y)",
    "\\ # @ é → 名前 \u{1f600} }}}",
    "`\\",
    "",
  ];
  for (const source of odd) {
    const texts = tokenize(source).map((token) => token.text);
    assert.equal(texts.join(""), source);
  }
  const own = Deno.readTextFileSync(
    new URL("../../book/reader/highlight.ts", import.meta.url),
  );
  assert.equal(tokenize(own).map((token) => token.text).join(""), own);
});

Deno.test("tokenize() tells a division from a regular expression", () => {
  const kinds = (source: string) =>
    tokenize(source).filter((token) => token.kind === "regexp")
      .map((token) => token.text);
  assert.deepEqual(kinds("a / b / c"), []);
  assert.deepEqual(kinds("(a) / b[0] / 2"), []);
  assert.deepEqual(kinds("return /a[/]b/g;"), ["/a[/]b/g"]);
});

Deno.test("tokenize() sees code inside a template, and its end", () => {
  const tokens = tokenize("`a${f({ n: 1 })}b` + c");
  const calls = tokens.filter((token) => token.kind === "call");
  assert.deepEqual(calls.map((token) => token.text), ["f"]);
  assert.deepEqual(tokens.at(-1), { kind: "plain", text: "c" });
});

Deno.test("highlight() escapes what HTML would read", () => {
  assert.equal(
    highlight('a < "<b>&"'),
    'a &lt; <span class="t-string">&quot;&lt;b&gt;&amp;&quot;</span>',
  );
});

Deno.test("makeProse() gives equal headings anchors of their own", () => {
  const prose = makeProse(["costs"]);
  prose.render("# Title\n\n## Costs\n\n## What it *costs*, in `ns`\n");
  prose.render("## Costs");
  assert.deepEqual(prose.headings.map((heading) => heading.id), [
    "title",
    "costs-2",
    "what-it-costs-in-ns",
    "costs-3",
  ]);
});

Deno.test("makeProse() renders boxes, one inside another, and folds hints", () => {
  const html = makeProse().render(
    "::::{note} A *title*\nText.\n\n:::{hint}\nLook.\n:::\n::::\n\nAfter.",
  );
  assert.match(html, /<div class="box note" role="note">/);
  assert.match(html, /<p class="box-title">A <em>title<\/em><\/p>/);
  assert.match(html, /<details class="box hint"><summary>Hint<\/summary>/);
  assert.ok(html.indexOf("</div>") < html.indexOf("After."));
  assert.doesNotMatch(html, /:::/);
});

Deno.test("makeProse() refuses a box that it does not know, by name", () => {
  assert.throws(() => makeProse().render(":::{nota}\nx\n:::\n"), {
    name: "RangeError",
    message: /nota.*wanted one of note/,
  });
});

Deno.test("makeProse() numbers footnotes by their first use", () => {
  const prose = makeProse();
  const html = prose.render(
    "One[^b], two[^a], again[^b].\n\n[^a]: Text A.\n[^b]: *B*.",
  );
  assert.match(html, /href="#note-b"[^>]*>1</);
  assert.equal(html.match(/id="note-ref-b"/g)?.length, 1);
  const notes = prose.footnotes();
  assert.ok(notes.indexOf("<em>B</em>") < notes.indexOf("Text A."));
  const missing = makeProse();
  missing.render("One[^x].");
  assert.throws(() => missing.footnotes(), /\[\^x\] has no text/);
});

Deno.test("makeProse() leads a link to a chapter's source to its page", () => {
  const html = makeProse().render(
    "[a](01_two.md#b) [c](01_two.ipynb) [d](https://example.org/e.md)",
  );
  assert.match(html, /href="01_two.html#b"/);
  assert.match(html, /href="01_two.html"/);
  assert.match(html, /href="https:\/\/example.org\/e.md"/);
});

/** A quote and a claim as a build has them. */
function woven(markdown: string): string {
  const sources = {
    read: () =>
      "// #region r\nexport function a_b(): void {\n  /* one\n two */\n" +
      "  // #region inner\n  x < 1;\n  // #endregion\n}\n// #endregion\n",
    paths: () => [],
  };
  return expandDirectives(markdown, { file: "a.md", line: 1, sources });
}

const QUOTE = "```{quote} lib/mm/a.ts#r\n:emphasize: 4\n```";

Deno.test("makeProse() shows a quote with the file's line numbers", () => {
  const prose = makeProse();
  const html = prose.render(woven(`Text.\n${QUOTE}\nMore.`));
  assert.match(html, /<figure class="quote" id="quote-r">/);
  const lines = [...html.matchAll(
    /<(span|mark) class="line" data-line="(\d+)">([^]*?)\n<\/\1>/g,
  )];
  assert.deepEqual(lines.map((line) => `${line[1]} ${line[2]}`), [
    "span 2",
    "span 3",
    "span 4",
    "mark 6",
    "span 8",
  ]);
  assert.equal(lines[3]![3], '  x &lt; <span class="t-number">1</span>;');
  assert.match(lines[2]![3]!, /^<span class="t-comment"> two/);
  assert.match(html, /aria-label="lib\/mm\/a\.ts, lines 2–4, 6, 8"/);
  assert.doesNotMatch(html, /←|&lt;!--|<!--/);
  assert.match(html, /<p>Text.<\/p>[^]*<p>More.<\/p>/);
});

Deno.test("makeProse() shows a claim, its source and a way to its cell", () => {
  const claim = "```{claim} so\n:source: `a`; <1-x@a.example>\n";
  const html = makeProse().render(
    woven(`${claim}:cell: c\nIt *is* so.\n\`\`\``),
  );
  assert.match(html, /<div class="claim" id="claim-so" role="note"/);
  assert.match(html, /<p>It <em>is<\/em> so\.<\/p>/);
  assert.match(
    html,
    /Source: <code>a<\/code>; <a href="https:\/\/lore\.kernel/,
  );
  assert.match(html, /Shown by <a href="#c">c<\/a>/);
  const none = makeProse().render(
    woven(`${claim}:reason: it is *old*\nSo.\n\`\`\``),
  );
  assert.match(html, /#claim-so/);
  assert.match(none, /Shown by no cell: it is <em>old<\/em>/);
});

Deno.test("highlightLines() closes every span at the line's end", () => {
  const source = "a /* b\n\nc */ `d\n${e}`";
  const lines = highlightLines(source);
  assert.equal(lines.length, 4);
  assert.equal(lines[1], "");
  for (const line of lines) {
    assert.equal(line.split("<span").length, line.split("</span>").length);
  }
  assert.equal(lines.join("\n").replaceAll(/<[^>]+>/g, ""), source);
});

Deno.test("renderNames() leads to where a name is shown and where used", () => {
  const cell = (id: string, source: string): Cell => ({
    cell_type: "code",
    id,
    metadata: {},
    source,
    outputs: [],
    execution_count: null,
  });
  const prose = (id: string, text: string): Cell => ({
    cell_type: "markdown",
    id,
    metadata: {},
    source: woven(text),
  });
  const chapter = makeChapter("00_a", {
    nbformat: 4,
    nbformat_minor: 5,
    metadata: {},
    cells: [
      prose("one", `# A & B\n\n## \`a_b\` shown\n\n${QUOTE}`),
      prose("two", "## Used\n\nA <dfn>zap</dfn>, a <dfn>big page</dfn>."),
      prose("three", "It calls `a_b()` and `unknown`."),
      cell("c", 'import {\n  other as mine,\n  __c_d,\n} from "swaplab";'),
    ],
  });
  const book = {
    title: "T",
    subtitle: "",
    chapters: [{ ...chapter, parts: [] }],
    engineHash: "",
    kernelVersion: "",
  };
  const names = new Map([
    ["a_b", "lib/mm/a.ts"],
    ["__c_d", "lib/mm/c.ts"],
    ["other", "lib/lab/o.ts"],
    ["nowhere", "lib/lab/n.ts"],
  ]);
  const html = renderNames(book, names);
  const ids = [...html.matchAll(/<dt id="(\w+)">/g)].map((found) => found[1]);
  assert.deepEqual(ids, ["a_b", "__c_d", "other"]);
  assert.match(
    html,
    /<a href="00_a\.html#quote-r"><strong><code>a_b<\/code> shown</,
  );
  assert.match(html, /<span>A &amp; B:<\/span>/);
  assert.match(
    html,
    /href="00_a\.html#term-big-page">big page<[^]*#term-zap">zap<\/a>/,
  );
  assert.match(chapter.html, /<dfn id="term-zap">zap<\/dfn>/);
  assert.match(html, /, <a href="00_a\.html#used">Used<\/a><\/dd>/);
  assert.match(html, /<h3 id="letter-C">/);
});

Deno.test("renderClaims() leads to each claim and to its cell", () => {
  const claim = "```{claim} so\n:source: s\n:cell: c\nIt is so.\n```";
  const source = woven(`# A & B\n\n${claim}`);
  const chapter = makeChapter("00_a", {
    nbformat: 4,
    nbformat_minor: 5,
    metadata: {},
    cells: [{ cell_type: "markdown", id: "one", metadata: {}, source }],
  });
  const html = renderClaims({
    title: "T",
    subtitle: "",
    chapters: [{ ...chapter, parts: [] }],
    engineHash: "",
    kernelVersion: "",
  });
  assert.match(html, /<a href="00_a\.html">A &amp; B<\/a>/);
  assert.match(html, /id="claim-so"[^]*<p>It is so\.<\/p>/);
  assert.match(html, /<a class="permalink" href="00_a\.html#claim-so"/);
  assert.match(html, /<a href="00_a\.html#c">c<\/a>/);
});

Deno.test("renderOutputs() keeps the ids of two equal drawings apart", () => {
  const svg = '<svg aria-labelledby="t d"><title id="t">T</title>' +
    '<desc id="d">D</desc><g clip-path="url(#c)"/><clipPath id="c"/></svg>';
  const output: Output = {
    output_type: "display_data",
    data: { "image/svg+xml": svg },
    metadata: {},
  };
  const html = renderOutputs([output, output], "cell");
  const ids = [...html.matchAll(/ id="([^"]+)"/g)].map((found) => found[1]);
  assert.equal(new Set(ids).size, 6);
  assert.match(html, /aria-labelledby="cell-1-t cell-1-d"/);
  assert.match(html, /url\(#cell-2-c\)/);
});

Deno.test("renderOutputs() shows text as text", () => {
  const html = renderOutputs([
    { output_type: "stream", name: "stdout", text: "<script>x</script>" },
    { output_type: "error", ename: "E", evalue: "<b>", traceback: [] },
  ], "cell");
  assert.doesNotMatch(html, /<script>|<b>/);
  assert.match(html, /E: &lt;b&gt;/);
});

Deno.test("makeChapter() wants exactly one title", () => {
  const notebook = (source: string): Notebook => ({
    nbformat: 4,
    nbformat_minor: 5,
    metadata: {},
    cells: [{ cell_type: "markdown", id: "a", metadata: {}, source }],
  });
  assert.equal(makeChapter("00_a", notebook("# A & *b*")).title, "A & b");
  assert.throws(() => makeChapter("00_a", notebook("## A")), RangeError);
  assert.throws(() => makeChapter("00_a", notebook("# A\n\n# B")), RangeError);
});

Deno.test("mergeStreams() joins neighbours of one stream only", () => {
  const line = (name: "stdout" | "stderr", text: string): Output => ({
    output_type: "stream",
    name,
    text,
  });
  const list = [line("stdout", "a"), line("stdout", "b"), line("stderr", "c")];
  assert.deepEqual(mergeStreams(list), [
    line("stdout", "ab"),
    line("stderr", "c"),
  ]);
  assert.deepEqual(list[0], line("stdout", "a"), "the input is left alone");
});

Deno.test("makeFlow() sends in batches, cuts, and keeps the error", () => {
  const sent: Output[][] = [];
  const flow = makeFlow((outputs) => sent.push(outputs));
  const line: Output = { output_type: "stream", name: "stdout", text: "x" };
  for (const now of [0, 1, 2, 150]) flow.take(line, now);
  assert.equal(sent.length, 2);
  const text = "x".repeat(LIMIT_CHARACTERS + 1);
  const error: Output = {
    output_type: "error",
    ename: "E",
    evalue: "",
    traceback: [],
  };
  const { outputs, cut } = flow.limit([{ ...line, text }, error]);
  assert.equal(cut, true);
  assert.equal(outputs.length, 2);
  assert.deepEqual(outputs[1], error);
  assert.equal((outputs[0] as typeof line).text.length, LIMIT_CHARACTERS);
});
