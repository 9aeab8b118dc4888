/**
 * names.html, the index of the book: the terms that the chapters define, and
 * each name of the engine whose code a chapter shows, or of which it speaks.
 */

import { declaredIn } from "swaplab/notebook/symbols.ts";
import type { Chapter } from "./chapter.ts";
import { type Book, frame, renderFoot } from "./page.ts";
import { escapeHtml } from "./reader/highlight.ts";
import { strings } from "./reader/strings.ts";

/** The file name of the page. */
export const NAMES_PAGE = "names.html";

interface Entry {
  name: string;
  /** Of the file that declares it. */
  path: string;
  /** HTML, one for each chapter that has the name. */
  chapters: string[];
}

/**
 * renderNames() - the page.
 *
 * @param names each name of the engine and its file
 */
export function renderNames(
  book: Book,
  names: ReadonlyMap<string, string>,
): string {
  const entries = entriesOf(book.chapters, names);
  const letters = Map.groupBy(entries, ({ name }) => letterOf(name));
  const sections = [...letters].map(([letter, those]) =>
    `<h3 id="letter-${letter}">${letter}</h3>\n<dl class="names">${
      those.map(renderEntry).join("\n")
    }</dl>`
  );
  const ways = [...letters.keys()].map((letter) =>
    `<li><a href="#letter-${letter}">${letter}</a></li>`
  );
  return frame({
    page: "names",
    title: `${strings.names} · ${book.title}`,
    description: "The terms that the book defines, and the functions and " +
      "types of the engine that it shows or speaks of.",
    book,
    live: false,
    parts: [],
    body: `<main id="main">
<h1>${strings.names}</h1>
<h2 id="terms">Terms</h2>
<ul class="terms">${renderTerms(book.chapters)}</ul>
<h2 id="names">Names of the engine</h2>
<p>Functions and types, and the sections that speak of them or use them.
<strong>A section in bold face shows the code.</strong> Names_like_this are
those of Linux, names likeThis are ours.</p>
<nav aria-label="Letters"><ul class="letters">${ways.join("")}</ul></nav>
${sections.join("\n")}
<nav class="way" aria-label="Chapters"><a href="index.html">Contents</a></nav>
</main>
${renderFoot(book, [])}`,
  });
}

/** Where each term is defined, in alphabetical order. */
function renderTerms(chapters: readonly Chapter[]): string {
  const items = chapters.flatMap(({ name, title, terms }) =>
    terms.map(({ id, html }) => ({
      key: html.toLowerCase(),
      item: `<li><a href="${name}.html#${id}">${html}</a> <span>${
        escapeHtml(title)
      }</span></li>`,
    }))
  );
  return items.sort((a, b) => a.key < b.key ? -1 : 1)
    .map(({ item }) => item).join("\n");
}

function entriesOf(
  chapters: readonly Chapter[],
  names: ReadonlyMap<string, string>,
): Entry[] {
  return [...names].map(([name, path]) => ({
    name,
    path,
    chapters: chapters.flatMap((chapter) => {
      const html = linksOf(chapter, name, path);
      return html === "" ? [] : [html];
    }),
  }))
    .filter((entry) => entry.chapters.length > 0)
    .sort((a, b) => sortKey(a.name) < sortKey(b.name) ? -1 : 1);
}

/** `__remove_mapping` is found under R. */
function sortKey(name: string): string {
  return `${name.toLowerCase().replace(/^_+/, "")} ${name}`;
}

function letterOf(name: string): string {
  return sortKey(name)[0]!.toUpperCase();
}

/** The chapter's sections that have the name; "" if none has. */
function linksOf(chapter: Chapter, name: string, path: string): string {
  const links = new Map<string, string>();
  const page = `${chapter.name}.html`;
  for (const { quote, id, heading } of chapter.quotes) {
    if (quote.path !== path) continue;
    if (!declaredIn(quote.lines.map(({ text }) => text)).includes(name)) {
      continue;
    }
    const key = heading?.id ?? "";
    const where = heading?.html ?? escapeHtml(chapter.title);
    links.set(key, `<a href="${page}#${id}"><strong>${where}</strong></a>`);
  }
  for (const mention of chapter.mentions) {
    if (mention.name !== name) continue;
    const { id = "", html = escapeHtml(chapter.title) } = mention.heading ?? {};
    if (links.has(id)) continue;
    links.set(id, `<a href="${page}${id === "" ? "" : `#${id}`}">${html}</a>`);
  }
  if (links.size === 0) return "";
  const title = `<span>${escapeHtml(chapter.title)}:</span>`;
  return `${title} ${[...links.values()].join(", ")}`;
}

function renderEntry({ name, path, chapters }: Entry): string {
  const lines = chapters.map((html) => `<dd>${html}</dd>`).join("");
  return `<dt id="${name}"><code>${name}</code> <span>${path}</span></dt>${lines}`;
}
