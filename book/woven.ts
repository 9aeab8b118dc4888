/**
 * Quotes and claims of a chapter as HTML: a listing with the numbers that its
 * lines have in the engine's file, and a statement with its source.
 */

import type {
  RendererThis,
  TokenizerAndRendererExtension,
  Tokens,
} from "marked";
import { type BuiltClaim, withLinks } from "swaplab/notebook/claim.ts";
import { type Built, readBuilt } from "swaplab/notebook/directive.ts";
import { type BuiltQuote, rangesOf } from "swaplab/notebook/quote.ts";
import { escapeHtml, highlightLines } from "./reader/highlight.ts";
import { region } from "./reader/outputs.ts";
import { strings } from "./reader/strings.ts";

/**
 * makeWoven() - built directives, for the Markdown of one page.
 *
 * @param file of the notebook, for messages
 * @param idFor gives an anchor that is free on the page
 * @param hear gets everything built, its anchor and its HTML
 */
export function makeWoven(
  file: string,
  idFor: (wanted: string) => string,
  hear: (built: Built, id: string, html: string) => void,
): TokenizerAndRendererExtension {
  return {
    name: "woven",
    level: "block",
    start: (source) => source.match(/^<!-- \{(?:quote|claim)\}/m)?.index,
    tokenizer(source) {
      const found = readBuilt(source, file);
      if (found === null) return undefined;
      const { raw, built } = found;
      if (built.kind === "quote") return { type: "woven", raw, built };
      const source_: Tokens.Generic[] = [];
      this.lexer.inlineTokens(withLinks(built.source), source_);
      const reason: Tokens.Generic[] = [];
      this.lexer.inlineTokens(built.reason ?? "", reason);
      const tokens = this.lexer.blockTokens(built.text, []);
      return { type: "woven", raw, built, tokens, source: source_, reason };
    },
    renderer(token) {
      const built: Built = token["built"];
      const id = idFor(idOf(built));
      const html = built.kind === "claim"
        ? renderClaim(this, token, id)
        : renderQuote(built, id);
      hear(built, id, html);
      return html;
    },
  };
}

function idOf(built: Built): string {
  return built.kind === "quote" ? `quote-${built.region}` : `claim-${built.id}`;
}

function renderQuote(quote: BuiltQuote, id: string): string {
  const { path, lines, emphasized } = quote;
  const place = strings.linesOf(path, rangesOf(lines));
  const coloured = highlightLines(lines.map(({ text }) => text).join("\n"));
  const rows = lines.map(({ line }, index) => {
    const tag = emphasized.has(line) ? "mark" : "span";
    const html = coloured[index] ?? "";
    return `<${tag} class="line" data-line="${line}">${html}\n</${tag}>`;
  });
  const code = `<pre><code>${rows.join("")}</code></pre>`;
  return `<figure class="quote" id="${id}"><figcaption>${
    permalink(id, place, `<code>${path}</code>`)
  } <span>${strings.lines(rangesOf(lines))}</span></figcaption>${
    region("listing", place, code)
  }</figure>\n`;
}

function renderClaim(
  { parser }: RendererThis,
  token: Tokens.Generic,
  id: string,
): string {
  const claim: BuiltClaim = token["built"];
  const source = parser.parseInline(token["source"]);
  const shown = claim.cell === null
    ? `${strings.shownByNone}: ${parser.parseInline(token["reason"])}`
    : `${strings.shownBy} <a href="#${claim.cell}">${claim.cell}</a>`;
  const name = strings.claim(claim.id);
  return `<div class="claim" id="${id}" role="note" aria-label="${name}">${
    parser.parse(token.tokens ?? [])
  }<p class="claim-foot">${
    permalink(id, name, claim.id)
  } <span>${strings.source}: ${source}</span> <span>${shown}</span></p></div>\n`;
}

function permalink(id: string, what: string, html: string): string {
  const label = escapeHtml(strings.linkTo(what));
  return `<a class="permalink" href="#${id}" aria-label="${label}">${html}</a>`;
}
