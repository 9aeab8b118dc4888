/**
 * claims.html: every claim of the book with its source and the cell that shows
 * it, for whoever wants to check them.
 */

import { type Book, type BookChapter, frame, renderFoot } from "./page.ts";
import { escapeHtml } from "./reader/highlight.ts";
import { strings } from "./reader/strings.ts";

/** The file name of the page. */
export const CLAIMS_PAGE = "claims.html";

/** renderClaims() - the page. */
export function renderClaims(book: Book): string {
  const chapters = book.chapters.filter(({ claims }) => claims.length > 0);
  return frame({
    page: "claims",
    title: `${strings.claims} · ${book.title}`,
    description: "Every claim of the book about Linux or about its engine, " +
      "with its source and the cell that shows it.",
    book,
    live: false,
    parts: [],
    body: `<main id="main">
<h1>${strings.claims}</h1>
<p>Each statement names its source and, where one can, the cell whose output
shows it. “Facts” are the sections of <code>facts/kernel-facts.md</code> in the
book's repository; “v6.12” is the source of Linux.</p>
${chapters.map(renderChapter).join("\n")}
<nav class="way" aria-label="Chapters"><a href="index.html">Contents</a></nav>
</main>
${renderFoot(book, [])}`,
  });
}

/** The claims as they stand in the chapter; their links lead there. */
function renderChapter({ name, title, claims }: BookChapter): string {
  const page = `${name}.html`;
  const html = claims.join("").replaceAll('href="#', `href="${page}#`);
  return `<h2 id="${name}"><a href="${page}">${escapeHtml(title)}</a></h2>
<div class="prose">${html}</div>`;
}
