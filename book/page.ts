/**
 * The frame around a chapter, and the cover. Relative addresses only, no file
 * is fetched: the folder works from a server, from a disk or from a zip.
 */

import type { Chapter } from "./chapter.ts";
import { escapeHtml } from "./reader/highlight.ts";
import { strings } from "./reader/strings.ts";

/** A chapter, and the parts of the runtime that its cells use. */
export type BookChapter = Chapter & { parts: readonly string[] };

export interface Book {
  title: string;
  subtitle: string;
  chapters: readonly BookChapter[];
  /** Names the engine that made the outputs and runs the cells. */
  engineHash: string;
  /** The Linux release that the book is about. */
  kernelVersion: string;
}

/** Before the first paint: the reader's colours, and that scripts run. */
const HEAD_SCRIPT = `(function(r){r.classList.add("js");try{` +
  `var t=localStorage.getItem("swaplab:theme");` +
  `if(t==="dark"||t==="light")r.dataset.theme=t}catch(e){}` +
  `})(document.documentElement)`;

/** renderPage() - one chapter as a whole HTML document. */
export function renderPage(book: Book, chapter: BookChapter): string {
  return frame({
    page: chapter.name,
    title: `${chapter.title} · ${book.title}`,
    description: chapter.description,
    book,
    live: true,
    parts: chapter.parts,
    body: `<main id="main" class="columns">
<header class="title">${chapter.titleHtml}
${pageTools(chapter)}</header>
${renderContents(chapter)}
<article>
${chapter.html}
</article>
${renderWay(book, chapter)}
</main>
${renderFoot(book, chapterFacts(chapter))}`,
  });
}

/** renderCover() - index.html: what this is, the chapters, how to use it. */
export function renderCover(book: Book): string {
  const items = book.chapters.map((chapter) =>
    `<li value="${parseInt(chapter.name)}"><a href="${chapter.name}.html">${
      escapeHtml(chapter.title)
    }</a>
<p>${escapeHtml(chapter.description)}</p></li>`
  );
  return frame({
    page: "index",
    title: `${book.title}: ${book.subtitle}`,
    description: `${book.subtitle}. Every cell runs in this page.`,
    book,
    live: false,
    parts: [],
    body: `<main id="main" class="cover">
<header><h1>${escapeHtml(book.title)}</h1>
<p class="subtitle">${escapeHtml(book.subtitle)}</p></header>
<nav aria-labelledby="contents"><h2 id="contents">Contents</h2>
<ol class="chapters">${items.join("\n")}</ol>
<p><a href="names.html">${strings.names}</a> ·
<a href="claims.html">${strings.claims}</a></p></nav>
${HOW_TO}
</main>
${renderFoot(book, [])}`,
  });
}

const HOW_TO = `<section class="prose" aria-labelledby="how-to">
<h2 id="how-to">How to use this book</h2>
<p>Read it like any book: prose, code, output and figures are all on the page,
and nothing has to be started. Then doubt it. <strong>Every code cell can be
changed and run where it stands</strong>, in your browser, without a server and
without a network.</p>
<ul>
<li><strong>Run</strong> (or <kbd>Ctrl</kbd> + <kbd>Enter</kbd> in the code)
runs a cell. Cells build on the ones above; those that have not run yet run
first.</li>
<li><strong>Stop</strong> ends a cell that takes too long, even an endless loop.</li>
<li><strong>Reset</strong> brings a cell's own code and output back. What you
changed is kept in this browser until then.</li>
<li><kbd>Tab</kbd> moves on, out of the code too: no key is taken from you.</li>
<li>The name above a cell is its permanent address: link to it.</li>
</ul>
<p>The same chapters are Jupyter notebooks; each page links to its own.</p>
</section>`;

interface Frame {
  page: string;
  title: string;
  description: string;
  book: Book;
  /** Does the page have cells that run? */
  live: boolean;
  /** What the page loads ahead, after runtime.js. */
  parts: readonly string[];
  body: string;
}

/** frame() - a whole document around a body. */
export function frame(
  { page, title, description, book, live, parts, body }: Frame,
): string {
  const home = page === "index"
    ? `<span class="home">${escapeHtml(book.title)}</span>`
    : `<a class="home" href="index.html">${escapeHtml(book.title)}</a>`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>${escapeHtml(title)}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="description" content="${escapeHtml(description)}">
<meta name="color-scheme" content="light dark">
<link rel="icon" href="theme/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="theme/book.css">
<link rel="stylesheet" href="theme/print.css" media="print">
<script>${HEAD_SCRIPT}</script>
<script src="reader.js" defer></script>
</head>
<body data-page="${page}"${
    parts.length === 0 ? "" : ` data-parts="${parts.join(" ")}"`
  }>
<a class="skip" href="#main">Skip to the text</a>
<header class="bar">${home}
<button type="button" id="theme-toggle" class="with-js"
aria-pressed="false" aria-label="${strings.colours}"
><span aria-hidden="true">◐</span></button></header>
${live ? `<p id="how-to-edit" hidden>${strings.editable}</p>` : ""}
${body}
</body>
</html>
`;
}

function renderContents(chapter: Chapter): string {
  const items = chapter.headings.filter((heading) => heading.depth === 2)
    .map((heading) => `<li><a href="#${heading.id}">${heading.html}</a></li>`);
  if (items.length === 0) return "";
  return `<nav class="toc" aria-labelledby="toc-title"><p id="toc-title">On this page</p>
<ul>${items.join("")}</ul></nav>`;
}

function pageTools(chapter: Chapter): string {
  if (chapter.cellCount === 0) return "";
  const button = (action: string, label: string) =>
    `<button type="button" data-page-do="${action}">${label}</button>`;
  return `<div class="page-tools with-js" role="group" aria-label="Whole page">${
    button("run", strings.runAll)
  }${button("stop", strings.stop)}${button("reset", strings.resetPage)}
<p id="page-status" class="status" role="status"></p></div>`;
}

/** To the chapters before and after. */
function renderWay(book: Book, chapter: BookChapter): string {
  const at = book.chapters.indexOf(chapter);
  const link = (other: Chapter | undefined, rel: string, before: string) =>
    other === undefined
      ? ""
      : `<a rel="${rel}" href="${other.name}.html">${before} ${
        escapeHtml(other.title)
      }</a>`;
  return `<nav class="way" aria-label="Chapters">${
    link(book.chapters[at - 1], "prev", "←")
  }<a href="index.html">Contents</a><a href="names.html">${strings.names}</a>${
    link(book.chapters[at + 1], "next", "→")
  }</nav>`;
}

function chapterFacts(chapter: Chapter): string[] {
  const cells = chapter.cellCount === 1
    ? "its one cell"
    : `all ${chapter.cellCount} cells`;
  return [
    chapter.executedInOrder
      ? `Executed: ${cells}, top to bottom`
      : "Not executed as a whole: outputs may be missing",
    `<a href="${chapter.name}.ipynb" download>This chapter as a Jupyter notebook</a>`,
  ];
}

/** renderFoot() - what made the page, under it. */
export function renderFoot(book: Book, facts: readonly string[]): string {
  const all = [
    ...facts,
    `Linux ${book.kernelVersion} · engine <code>${book.engineHash}</code>`,
    "Text and figures CC BY-SA 4.0, code GPL-2.0-only",
  ];
  return `<footer class="foot">${
    all.map((fact) => `<p>${fact}</p>`).join("\n")
  }</footer>`;
}
