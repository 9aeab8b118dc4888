/**
 * What the language service knows, in the words of Jupyter: a type error as an
 * output, completions (Tab), an explanation (Shift-Tab). Ours.
 *
 * Jupyter counts in Unicode code points, TypeScript in UTF-16 units.
 */
import { isBuiltin } from "node:module";
import ts from "typescript";
import type { CellService } from "./kernel_types_service.ts";
import type { ErrorOutput } from "./nbformat.ts";
import { excerpt, placeAt } from "./place.ts";

/** A module whose types nobody looks for: it is `any`. */
const FOREIGN_MODULE = /^(?:npm|node|jsr|https?|data|blob):/;

/** "Cannot find module", "no types for it", "install the types of node". */
const MODULE_UNKNOWN: readonly number[] = [2307, 2882, 7016, 2591];

/** More errors than this are counted, not shown. */
const MAX_SHOWN = 5;

/** A cell, and how messages call it. */
export interface NamedCell {
  id: string;
  source: string;
}

/**
 * typeErrors() - the output for a cell that does not check, null if it does.
 *
 * A cell that does not even parse has none: the cell compiler tells of that,
 * in the same words in every host.
 */
export function typeErrors(
  { cells, service, put }: CellService,
  { id, source }: NamedCell,
): ErrorOutput | null {
  const path = put(cells.moduleOf(source));
  if (service.getSyntacticDiagnostics(path).length > 0) return null;
  const found = service.getSemanticDiagnostics(path).filter((one) =>
    one.category === ts.DiagnosticCategory.Error && isTold(one, source)
  );
  const [first] = found;
  if (first === undefined) return null;
  // It may be there next time, which the service would not notice.
  if (found.some(({ code }) => MODULE_UNKNOWN.includes(code))) {
    service.cleanupSemanticCache();
  }
  const { message, place } = readable(first, source);
  const traceback = found.slice(0, MAX_SHOWN).flatMap((one) => {
    const { message, place } = readable(one, source);
    return [
      `TypeCheck: ${message}`,
      `    at cell ${id}, line ${place.line}:${place.column}`,
      ...excerpt(source, place).split("\n"),
    ];
  });
  if (found.length > MAX_SHOWN) {
    traceback.push(`and ${found.length - MAX_SHOWN} more`);
  }
  traceback.push(
    "The cell did not run. The tag types-off, or `// types-off` as its first " +
      "line, runs it as it is.",
  );
  return {
    output_type: "error",
    ename: "TypeCheck",
    evalue: `${message} (line ${place.line}:${place.column})`,
    traceback,
  };
}

/** Not told: what is no error in a cell, and what stands below the cell. */
function isTold(one: ts.Diagnostic, source: string): boolean {
  const { code, start = 0, length = 0 } = one;
  if (start > source.length) return false;
  // "Implicitly any": a notebook may be as brief as it likes.
  if (code >= 7005 && code <= 7034) return false;
  if (!MODULE_UNKNOWN.includes(code)) return true;
  const specifier = source.slice(start + 1, start + length - 1);
  return !FOREIGN_MODULE.test(specifier) && !isBuiltin(specifier);
}

function readable(one: ts.Diagnostic, source: string) {
  const text = ts.flattenDiagnosticMessageText(one.messageText, "\n  ");
  return {
    message: `${text} (TS${one.code})`,
    place: placeAt(source, one.start ?? 0),
  };
}

/** The content of a `complete_reply`. */
export type Completion = {
  status: "ok";
  matches: string[];
  cursor_start: number;
  cursor_end: number;
  metadata: Record<string, unknown>;
};

const MAX_MATCHES = 200;

/** complete() - what could stand at `cursor`, in code points. */
export function complete(
  { cells, service, put }: CellService,
  source: string,
  cursor: number,
): Completion {
  const at = unitsOf(source, cursor);
  const path = put(cells.draftOf(source));
  const found = service.getCompletionsAtPosition(path, at, {
    includeCompletionsForModuleExports: false,
  });
  const typed = /[\p{ID_Continue}$]*$/u.exec(source.slice(0, at))?.[0] ?? "";
  const span = found?.optionalReplacementSpan ??
    found?.entries.find((one) => one.replacementSpan)?.replacementSpan;
  const start = span?.start ?? at - typed.length;
  const prefix = source.slice(start, at);
  const entries = (found?.entries ?? [])
    .filter(({ name }) => name.startsWith(prefix))
    .toSorted((a, b) =>
      compare(a.sortText, b.sortText) || compare(a.name, b.name)
    )
    .slice(0, MAX_MATCHES);
  const [cursor_start, cursor_end] = [pointsOf(source, start), cursor];
  const types = entries.map(({ name, kind }) => ({
    start: cursor_start,
    end: cursor_end,
    text: name,
    type: kind,
  }));
  return {
    status: "ok",
    matches: entries.map(({ name }) => name),
    cursor_start,
    cursor_end,
    metadata: { _jupyter_types_experimental: types },
  };
}

/** The content of an `inspect_reply`. */
export type Inspection = {
  status: "ok";
  found: boolean;
  data: Record<string, string>;
  metadata: Record<string, unknown>;
};

/** inspect() - type and docstring of what stands at or before `cursor`. */
export function inspect(
  { cells, service, put }: CellService,
  source: string,
  cursor: number,
): Inspection {
  const at = unitsOf(source, cursor);
  const path = put(cells.draftOf(source));
  const told = quickInfo(service, path, at) ??
    quickInfo(service, path, at - 1) ?? calleeInfo(service, path, at);
  if (told === null) {
    return { status: "ok", found: false, data: {}, metadata: {} };
  }
  const { signature, docs } = told;
  const data = {
    "text/plain": [signature, docs].filter((one) => one !== "").join("\n\n"),
    "text/markdown": `\`\`\`typescript\n${signature}\n\`\`\`\n\n${docs}`,
  };
  return { status: "ok", found: true, data, metadata: {} };
}

interface Told {
  signature: string;
  docs: string;
}

function quickInfo(
  service: ts.LanguageService,
  path: string,
  at: number,
): Told | null {
  const info = at < 0 ? undefined : service.getQuickInfoAtPosition(path, at);
  if (info === undefined) return null;
  const signature = ts.displayPartsToString(info.displayParts)
    .replace(/^\(alias\) /, "").replace(/\nimport \S+$/, "");
  return { signature, docs: docsOf(info.documentation, info.tags) };
}

/** Inside the parentheses of a call: the function that is called. */
function calleeInfo(
  service: ts.LanguageService,
  path: string,
  at: number,
): Told | null {
  const help = service.getSignatureHelpItems(path, at, undefined);
  const item = help?.items[help.selectedItemIndex];
  if (item === undefined) return null;
  const separator = ts.displayPartsToString(item.separatorDisplayParts);
  const signature = ts.displayPartsToString(item.prefixDisplayParts) +
    item.parameters.map((one) => ts.displayPartsToString(one.displayParts))
      .join(separator) +
    ts.displayPartsToString(item.suffixDisplayParts);
  return { signature, docs: docsOf(item.documentation, item.tags) };
}

function docsOf(
  documentation: ts.SymbolDisplayPart[] | undefined,
  tags: readonly ts.JSDocTagInfo[] | undefined,
): string {
  const told = (tags ?? []).map(({ name, text }) =>
    `@${name} ${ts.displayPartsToString(text)}`
  );
  return [ts.displayPartsToString(documentation), told.join("\n")]
    .filter((one) => one !== "").join("\n\n");
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** How many UTF-16 units the first `points` code points take. */
function unitsOf(text: string, points: number): number {
  return [...text].slice(0, points).join("").length;
}

function pointsOf(text: string, units: number): number {
  return [...text.slice(0, units)].length;
}
