/**
 * Prose: Markdown with the parts of MyST that chapters use, to HTML. One
 * `Prose` serves one page, because anchors and footnotes are of the page.
 */

import {
  Marked,
  type TokenizerAndRendererExtension,
  type Tokens,
} from "marked";
import type { BuiltQuote } from "swaplab/notebook/quote.ts";
import { escapeHtml, highlight } from "./reader/highlight.ts";
import { region } from "./reader/outputs.ts";
import { makeWoven } from "./woven.ts";

export interface Heading {
  depth: number;
  id: string;
  /** Inline HTML without links. */
  html: string;
}

/** A name in the prose, or a quote, and the heading above it. */
export interface Mention {
  name: string;
  heading: Heading | null;
}

/** `<dfn>page table</dfn>` in the prose. */
export interface Term {
  id: string;
  /** Inline HTML. */
  html: string;
}

export interface ShownQuote {
  quote: BuiltQuote;
  id: string;
  heading: Heading | null;
}

export interface Prose {
  /** One Markdown cell as HTML. */
  render(markdown: string): string;
  /** Every heading rendered so far; so with the others. */
  readonly headings: readonly Heading[];
  readonly quotes: readonly ShownQuote[];
  /** HTML. */
  readonly claims: readonly string[];
  readonly terms: readonly Term[];
  /** Each `name` or `name()` set as code. */
  readonly mentions: readonly Mention[];
  /** The section at the page's end; empty when there was no footnote. */
  footnotes(): string;
}

/** Boxes that `:::{name} Title` opens, with the title each has by itself. */
const BOXES: Record<string, string> = {
  note: "Note",
  tip: "Tip",
  warning: "Careful",
  question: "Question",
  sources: "Sources",
  since: "Since then",
};

/** Boxes that stay folded until the reader asks. */
const FOLDED: Record<string, string> = { hint: "Hint", answer: "Answer" };

const HIGHLIGHTED = /^(c|js|javascript|ts|typescript)$/;

/**
 * makeProse() - the Markdown of one page.
 *
 * @param taken ids of the page that no heading may get
 * @param file of the notebook, for messages
 */
export function makeProse(
  taken: Iterable<string> = [],
  file = "notebook",
): Prose {
  const ids = new Set(taken);
  const headings: Heading[] = [];
  const terms: Term[] = [];
  const quotes: ShownQuote[] = [];
  const claims: string[] = [];
  const mentions: Mention[] = [];
  const notes = makeFootnotes();
  const woven = makeWoven(
    file,
    (wanted) => claim(ids, wanted),
    (built, id, html) => {
      const heading = headings.at(-1) ?? null;
      if (built.kind === "claim") claims.push(html);
      else quotes.push({ quote: built, id, heading });
    },
  );
  let regions = 0;
  const numbered = (what: string) => `${what} ${++regions} of this page`;

  const marked = new Marked({
    extensions: [boxes, woven, notes.definition, notes.reference],
    renderer: {
      heading({ tokens, depth }) {
        const before = mentions.length;
        const html = this.parser.parseInline(tokens);
        const id = claim(ids, slug(html));
        const bare = html.replace(/<\/?a\b[^>]*>/g, "");
        const heading = { depth, id, html: bare };
        headings.push(heading);
        for (const own of mentions.slice(before)) own.heading = heading;
        return `<h${depth} id="${id}">${html} ${
          anchor(id, html)
        }</h${depth}>\n`;
      },
      link({ href, title, tokens }) {
        const hint = title ? ` title="${escapeHtml(title)}"` : "";
        const address = escapeHtml(pageAddress(href));
        return `<a href="${address}"${hint}>${
          this.parser.parseInline(tokens)
        }</a>`;
      },
      codespan({ text }) {
        const name = /^(\w+)(?:\(\))?$/.exec(text)?.[1];
        const heading = headings.at(-1) ?? null;
        if (name !== undefined) mentions.push({ name, heading });
        return `<code>${escapeHtml(text)}</code>`;
      },
      code({ text, lang }) {
        const body = HIGHLIGHTED.test(lang ?? "")
          ? highlight(text)
          : escapeHtml(text);
        const pre = `<pre><code>${body}</code></pre>`;
        return region("listing", numbered("Listing"), pre) + "\n";
      },
      table(token) {
        return region("html", numbered("Table"), renderTable(this, token)) +
          "\n";
      },
    },
  });

  return {
    render: (markdown) =>
      marked.parse(markdown, { async: false })
        .replace(/<dfn>([^]*?)<\/dfn>/g, (_, html: string) => {
          const id = claim(ids, `term-${slug(html)}`);
          terms.push({ id, html });
          return `<dfn id="${id}">${html}</dfn>`;
        }),
    headings,
    terms,
    quotes,
    claims,
    mentions,
    footnotes: () => notes.section((text) => marked.parseInline(text)),
  };
}

/** slug() - the anchor of a heading: `What a page *costs*` → what-a-page-costs. */
export function slug(html: string): string {
  const text = html.replace(/<[^>]+>/g, "").replace(/&[a-z#0-9]+;/g, "");
  return text.toLowerCase().replace(/[^\p{L}\p{N}_]+/gu, "-")
    .replace(/^-+|-+$/g, "") || "section";
}

/** Two headings with the same words: the second gets `-2`. */
function claim(ids: Set<string>, wanted: string): string {
  let id = wanted;
  for (let count = 2; ids.has(id); count++) id = `${wanted}-${count}`;
  ids.add(id);
  return id;
}

function anchor(id: string, html: string): string {
  const name = html.replace(/<[^>]+>/g, "").replaceAll('"', "&quot;");
  return `<a class="anchor" href="#${id}" aria-label="Link to ${name}">#</a>`;
}

/** A link to another chapter's source leads to that chapter's page. */
function pageAddress(href: string): string {
  if (/^[a-z]+:/i.test(href)) return href;
  return href.replace(/\.(md|ipynb)(?=#|$)/, ".html");
}

type Cells = Tokens.Table["header"];
type Renderer = { parser: { parseInline(tokens: Tokens.Generic[]): string } };

function renderTable(renderer: Renderer, token: Tokens.Table): string {
  const row = (cells: Cells, tag: string) =>
    `<tr>${
      cells.map((cell) => {
        const align = cell.align ? ` class="align-${cell.align}"` : "";
        const scope = tag === "th" ? ' scope="col"' : "";
        const body = renderer.parser.parseInline(cell.tokens);
        return `<${tag}${scope}${align}>${body}</${tag}>`;
      }).join("")
    }</tr>`;
  return `<table><thead>${row(token.header, "th")}</thead><tbody>${
    token.rows.map((cells) => row(cells, "td")).join("")
  }</tbody></table>`;
}

/** `:::{note} Title`, Markdown, `:::`. More colons hold boxes inside. */
const boxes: TokenizerAndRendererExtension = {
  name: "box",
  level: "block",
  start: (source) => source.match(/^:{3,}\{/m)?.index,
  tokenizer(source) {
    const found =
      /^(:{3,})\{(\w+)\}[ \t]*([^\n]*)\n([^]*?)(?:^|\n)\1[ \t]*(?:\n+|$)/
        .exec(source);
    if (found === null) return undefined;
    const [raw, , kind, title, body] = found;
    if (!(kind! in BOXES) && !(kind! in FOLDED)) {
      const known = [...Object.keys(BOXES), ...Object.keys(FOLDED)].join(", ");
      throw new RangeError(`:::{${kind}}: wanted one of ${known}`);
    }
    const heading: Tokens.Generic[] = [];
    this.lexer.inlineTokens(title!.trim() || titleOf(kind!), heading);
    const tokens = this.lexer.blockTokens(body!, []);
    return { type: "box", raw, kind, heading, tokens };
  },
  renderer(token) {
    const heading = this.parser.parseInline(token["heading"]);
    const body = this.parser.parse(token.tokens ?? []);
    const kind: string = token["kind"];
    if (kind in FOLDED) {
      return `<details class="box ${kind}"><summary>${heading}</summary>` +
        `${body}</details>\n`;
    }
    return `<div class="box ${kind}" role="note">` +
      `<p class="box-title">${heading}</p>${body}</div>\n`;
  },
};

function titleOf(kind: string): string {
  return BOXES[kind] ?? FOLDED[kind] ?? kind;
}

/** `[^name]` in the text, `[^name]: …` anywhere on the page. */
function makeFootnotes() {
  const texts = new Map<string, string>();
  const order: string[] = [];

  const definition: TokenizerAndRendererExtension = {
    name: "footnoteText",
    level: "block",
    start: (source) => source.match(/^\[\^/m)?.index,
    tokenizer(source) {
      const found = /^\[\^([\w-]+)\]:[ \t]+([^\n]*(?:\n[ \t]+[^\n]+)*)(?:\n+|$)/
        .exec(source);
      if (found === null) return undefined;
      texts.set(found[1]!, found[2]!.replace(/\n[ \t]+/g, " "));
      return { type: "footnoteText", raw: found[0] };
    },
    renderer: () => "",
  };

  const reference: TokenizerAndRendererExtension = {
    name: "footnote",
    level: "inline",
    start: (source) => source.match(/\[\^/)?.index,
    tokenizer(source) {
      const found = /^\[\^([\w-]+)\]/.exec(source);
      if (found === null) return undefined;
      return { type: "footnote", raw: found[0], key: found[1] };
    },
    renderer(token) {
      const key: string = token["key"];
      // The way back from the note leads to its first use.
      const isFirst = !order.includes(key);
      if (isFirst) order.push(key);
      const number = order.indexOf(key) + 1;
      const id = isFirst ? ` id="note-ref-${key}"` : "";
      return `<sup><a${id} href="#note-${key}"` +
        ` aria-label="Footnote ${number}">${number}</a></sup>`;
    },
  };

  function section(inline: (text: string) => string | Promise<string>): string {
    if (order.length === 0) return "";
    const items = order.map((key) => {
      const text = texts.get(key);
      if (text === undefined) throw new RangeError(`[^${key}] has no text`);
      return `<li id="note-${key}">${
        inline(text)
      } <a href="#note-ref-${key}" aria-label="Back to the text">↩</a></li>`;
    });
    return `<section class="footnotes" aria-label="Footnotes"><ol>${
      items.join("")
    }</ol></section>`;
  }

  return { definition, reference, section };
}
