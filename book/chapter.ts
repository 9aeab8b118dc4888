/**
 * A notebook as a page's content: title, description, contents, HTML of prose
 * and cells. Knows nothing of files.
 */

import type { CodeCell, Notebook } from "swaplab/notebook/nbformat.ts";
import {
  type Heading,
  makeProse,
  type Mention,
  type ShownQuote,
  type Term,
} from "./markdown.ts";
import { escapeHtml, highlight } from "./reader/highlight.ts";
import { region, renderOutputs } from "./reader/outputs.ts";
import { strings } from "./reader/strings.ts";

export interface Chapter {
  /** File name of the notebook without its ending: `00_one_page`. */
  name: string;
  /** Plain text. */
  title: string;
  /** Plain text: the notebook's own, or its first paragraph, cut. */
  description: string;
  headings: readonly Heading[];
  /** What it defines. */
  terms: readonly Term[];
  /** The engine's code that it shows. */
  quotes: readonly ShownQuote[];
  /** HTML of each claim; links stay on the page. */
  claims: readonly string[];
  /** Names in its text and in what its cells import. */
  mentions: readonly Mention[];
  /** The heading of the first level, which stands above the contents. */
  titleHtml: string;
  /** What stands in the page's article, without that heading. */
  html: string;
  cellCount: number;
  /** True if every code cell carries the count of a run in order. */
  executedInOrder: boolean;
}

/** makeChapter() - render a built notebook. */
export function makeChapter(name: string, notebook: Notebook): Chapter {
  const codeCells = notebook.cells.filter((cell) => cell.cell_type === "code");
  const prose = makeProse(codeCells.map((cell) => cell.id), `${name}.ipynb`);
  const imported: Mention[] = [];
  const html = notebook.cells.map((cell) => {
    if (cell.cell_type === "markdown") {
      return `<div class="prose">${prose.render(cell.source)}</div>\n`;
    }
    const heading = prose.headings.at(-1) ?? null;
    const names = importedNames(cell.source);
    imported.push(...names.map((name) => ({ name, heading })));
    return renderCell(cell);
  }).join("");
  const titles = prose.headings.filter((heading) => heading.depth === 1);
  if (titles.length !== 1) {
    throw new RangeError(
      `${name}: wanted one heading of the first level, got ${titles.length}`,
    );
  }
  const { description } = notebook.metadata;
  const titleHtml = /<h1[^]*?<\/h1>/.exec(html)?.[0] ?? "";
  return {
    name,
    title: plain(titles[0]!.html),
    titleHtml,
    description: typeof description === "string"
      ? description
      : shorten(firstParagraph(html)),
    headings: prose.headings,
    terms: prose.terms,
    quotes: prose.quotes,
    claims: prose.claims,
    mentions: [...prose.mentions, ...imported],
    html: html.replace(titleHtml, () => "") + prose.footnotes(),
    cellCount: codeCells.length,
    executedInOrder: codeCells.every((cell, index) =>
      cell.execution_count === index + 1
    ),
  };
}

/** `{ a, b as c }` of a cell's imports: a and b. */
function importedNames(source: string): string[] {
  return [...source.matchAll(/^import\b[^"{;]*\{([^}]*)\}\s*from "swaplab/gm)]
    .flatMap(([, names = ""]) =>
      names.match(/\w+(?= as )|\w+(?=\s*(?:,|$))/g) ?? []
    );
}

/** A code cell with its output; the buttons show only where scripts run. */
function renderCell(cell: CodeCell): string {
  const tags = new Set(cell.metadata.tags ?? []);
  const live = tags.has("skip-execution") ? "" : " data-live";
  const raises = tags.has("raises-exception") ? " data-raises-exception" : "";
  const name = escapeHtml(strings.cell(cell.id));
  const outputs = `<div class="outputs">${
    tags.has("remove-output") ? "" : renderOutputs(cell.outputs, cell.id)
  }</div>`;
  return `<div class="cell" id="${cell.id}" role="group" aria-label="${name}"${live}${raises}>
<div class="cell-head"><a class="permalink" href="#${cell.id}" aria-label="${
    escapeHtml(strings.linkTo(strings.cell(cell.id)))
  }">${cell.id}</a>${live === "" ? "" : buttons(cell.id)}</div>
${foldIf(tags.has("hide-input"), strings.showCode, renderSource(cell))}
<p class="status" role="status"></p>
${foldIf(tags.has("predict"), strings.showOutcome, outputs)}
</div>
`;
}

function renderSource(cell: CodeCell): string {
  const code = `<pre class="sheet"><code>${
    highlight(cell.source)
  }</code></pre>`;
  return region("code", strings.code(cell.id), code);
}

function foldIf(folded: boolean, summary: string, html: string): string {
  if (!folded) return html;
  return `<details class="fold"><summary>${summary}</summary>${html}</details>`;
}

function buttons(id: string): string {
  const button = (action: "run" | "stop" | "reset", extra = "") =>
    `<button type="button" data-do="${action}"${extra} aria-label="${
      strings[action]
    } ${id}">${strings[action]}</button>`;
  return `<span class="tools">${button("run")}${button("stop", " disabled")}${
    button("reset")
  }</span>`;
}

function firstParagraph(html: string): string {
  return plain(/<p>([^]*?)<\/p>/.exec(html)?.[1] ?? "");
}

/** plain() - the words of inline HTML. */
function plain(html: string): string {
  return html.replace(/<sup>[^]*?<\/sup>/g, "").replace(/<[^>]+>/g, "")
    .replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&quot;", '"')
    .replaceAll("&#39;", "'").replaceAll("&amp;", "&")
    .replace(/\s+/g, " ").trim();
}

/** Whole sentences if any fits, else whole words. */
function shorten(text: string): string {
  const limit = 160;
  if (text.length <= limit) return text;
  const start = text.slice(0, limit + 1);
  const sentences = /^[^]*[.!?](?=\s)/.exec(start)?.[0];
  return sentences ?? start.slice(0, limit).replace(/\s+\S*$/, "") + " …";
}
