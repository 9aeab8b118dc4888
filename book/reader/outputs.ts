/**
 * Outputs of a cell as HTML: one renderer for the build and for the page, so
 * that a run gives the very markup that the built page has.
 */

import type { MimeBundle, Output } from "../../lib/notebook/nbformat.ts";
import { escapeHtml } from "./highlight.ts";
import { strings } from "./strings.ts";

/**
 * renderOutputs() - the HTML of all outputs of one cell, in order.
 *
 * @param cell id of the cell; names the outputs and keeps SVG ids apart
 */
export function renderOutputs(
  outputs: readonly Output[],
  cell: string,
): string {
  return outputs.map((output, index) => {
    const place = outputs.length > 1 ? `${cell}, ${index + 1}` : cell;
    return renderOutput(output, `${cell}-${index + 1}`, place);
  }).join("");
}

/**
 * region() - a box that scrolls on its own when its content is too wide; it can
 * be focused, so that the arrow keys scroll it, and has a name.
 */
export function region(kind: string, label: string, content: string): string {
  return `<div class="wide ${kind}" role="region" tabindex="0" aria-label="${
    escapeHtml(label)
  }">${content}</div>`;
}

function renderOutput(output: Output, key: string, place: string): string {
  if (output.output_type === "stream") {
    return region(
      `stream ${output.name}`,
      strings.outputOf(place),
      `<pre>${escapeHtml(output.text)}</pre>`,
    );
  }
  if (output.output_type === "error") {
    const text = output.traceback.length > 0
      ? output.traceback.join("\n")
      : `${output.ename}: ${output.evalue}`;
    return region(
      "error",
      strings.errorOf(place),
      `<pre><strong>${strings.error}</strong>\n${escapeHtml(text)}</pre>`,
    );
  }
  return renderBundle(output.data, key, place);
}

/** The richest form that a page without scripts can show. */
function renderBundle(data: MimeBundle, key: string, place: string): string {
  const svg = text(data, "image/svg+xml");
  if (svg !== null) return renderFigure(svg, data, key, place);
  const html = text(data, "text/html");
  if (html !== null) return region("html", strings.outputOf(place), html);
  const plain = text(data, "text/plain") ??
    JSON.stringify(data["application/json"] ?? null, null, 2);
  return region(
    "value",
    strings.outputOf(place),
    `<pre>${escapeHtml(plain)}</pre>`,
  );
}

/** The SVG stands in the page itself, so that it takes the page's colours. */
function renderFigure(
  svg: string,
  data: MimeBundle,
  key: string,
  place: string,
): string {
  const caption = /<figcaption>([^]*?)<\/figcaption>/.exec(
    text(data, "text/html") ?? "",
  )?.[1];
  const plain = text(data, "text/plain");
  return `<figure>${
    region("drawing", strings.figureOf(place), scopeIds(svg, key))
  }${caption === undefined ? "" : `<figcaption>${caption}</figcaption>`}${
    plain === null ? "" : renderData(plain, place)
  }</figure>`;
}

function renderData(plain: string, place: string): string {
  return `<details class="data"><summary>${strings.data}</summary>${
    region("value", strings.dataOf(place), `<pre>${escapeHtml(plain)}</pre>`)
  }</details>`;
}

/** Two drawings of a page may use one id: each gets its cell's name before. */
function scopeIds(svg: string, key: string): string {
  const body = svg.replace(/^\s*<\?xml[^]*?\?>\s*/, "");
  const ids = [...body.matchAll(/\sid="([^"]+)"/g)].map((found) => found[1]!);
  const known = new Set(ids);
  const scoped = (id: string) => known.has(id) ? `${key}-${id}` : id;
  return body
    .replace(/(\sid=")([^"]+)/g, (_, head, id) => head + scoped(id))
    .replace(/(url\(#|href="#)([^")]+)/g, (_, head, id) => head + scoped(id))
    .replace(
      /(aria-(?:labelledby|describedby)=")([^"]+)/g,
      (_, head, list: string) => head + list.split(" ").map(scoped).join(" "),
    );
}

function text(data: MimeBundle, mime: string): string | null {
  const value = data[mime];
  return typeof value === "string" ? value : null;
}
