/**
 * The `{claim}` directive: a statement about Linux or the engine that can be
 * checked, with its source and the cell whose output shows it.
 *
 *   ```{claim} claim-id
 *   :source: facts 9.3; v6.12 mm/memory.c; <message-id>
 *   :cell: id-of-the-cell
 *   One or two sentences.
 *   ```
 *
 * A claim that no cell can show says why in `:reason:` instead of `:cell:`.
 * The built form is a block quote; its sentences may be edited there.
 */
import type { Directive } from "./directive.ts";
import { MystError } from "./myst_blocks.ts";

export interface Claim {
  readonly id: string;
  /** Inline Markdown as the author wrote it. */
  readonly source: string;
  /** The cell that shows it; or, if null, why none does. */
  readonly cell: string | null;
  readonly reason: string | null;
  /** Markdown. */
  readonly text: string;
}

/** The same as read from a built notebook. */
export interface BuiltClaim extends Claim {
  readonly kind: "claim";
}

const ID = /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/;
const KEYS = ["source", "cell", "reason"];

/** readClaim() - throws MystError for a claim that is not right. */
export function readClaim(directive: Directive): Claim {
  const { argument, options, body, file, line } = directive;
  const id = argument.trim();
  const fail = (message: string, at = line) => new MystError(file, at, message);
  if (!ID.test(id)) {
    throw fail(`"${id}" is no claim's id; write \`\`\`{claim} some-words`);
  }
  for (const [key, option] of options) {
    if (KEYS.includes(key)) continue;
    const remedy = "a claim has `:source:` and `:cell:` or `:reason:`";
    throw fail(`unknown option ":${key}:"; ${remedy}`, option.line);
  }
  const value = (key: string) => options.get(key)?.text || null;
  const [source, cell, reason] = KEYS.map(value);
  if (!source) {
    const example = "`:source: facts 9.3; v6.12 mm/zswap.c; <message-id>`";
    throw fail(`claim ${id} has no source; add ${example}`);
  }
  if (!cell && !reason) {
    const remedy = "add `:cell: id-of-a-cell`, or `:reason: why none can`";
    throw fail(`no cell shows claim ${id}; ${remedy}`);
  }
  if (cell && reason) {
    throw fail(`claim ${id} has a cell and a reason for none; remove one`);
  }
  const text = body.join("\n").trim();
  if (text === "") throw fail(`claim ${id} says nothing; write it down`);
  const odd = body.findIndex((one) => /^\s*(?:~{3}|`{3}|<!--)/.test(one));
  if (odd >= 0) throw fail("a claim is one or two sentences, without code");
  return { id, source, cell: cell ?? null, reason: reason ?? null, text };
}

/** expandClaim() - the lines of the built form. */
export function expandClaim(directive: Directive): string[] {
  const claim = readClaim(directive);
  const body = directive.body.map((text) => text === "" ? ">" : `> ${text}`);
  return [...headOf(claim), ...body, ...footOf(claim)];
}

function headOf({ id }: Pick<Claim, "id">): string[] {
  return [`> **Claim** \`${id}\``, ">"];
}

function footOf({ source, cell, reason }: Omit<Claim, "text">): string[] {
  const shown = cell === null
    ? `Shown by no cell: ${reason}`
    : `Shown by the cell \`${cell}\``;
  return [">", `> Source: ${withLinks(ended(source))} ${ended(shown)}`];
}

function ended(sentence: string): string {
  return sentence.endsWith(".") ? sentence : `${sentence}.`;
}

/** withLinks() - each `<message-id>` as a link to the list's archive. */
export function withLinks(source: string): string {
  return source.replace(
    /<([^<>\s@]+@[^<>\s]+)>/g,
    (_, id: string) =>
      `[${id}](https://lore.kernel.org/r/${encodeURIComponent(id)})`,
  );
}

/** collapseClaim() - the body, edited or not; throws if the frame was. */
export function collapseClaim(
  head: Directive,
  content: readonly string[],
): string[] {
  const { before, body, after } = cut(content);
  const claim = readClaim({ ...head, body });
  const isWhole = before.join("\n") === headOf(claim).join("\n") &&
    after.join("\n") === footOf(claim).join("\n");
  if (isWhole) return body;
  const message = `the frame of claim ${claim.id} was edited; only its text ` +
    "may be, each line behind `> `: change the rest in the chapter's source";
  throw new MystError(head.file, head.line, message);
}

function cut(content: readonly string[]) {
  return {
    before: content.slice(0, 2),
    body: content.slice(2, -2).map((text) => text.replace(/^> ?/, "")),
    after: content.slice(-2),
  };
}

/** readBuiltClaim() - what expandClaim() wrote. */
export function readBuiltClaim(
  head: Directive,
  content: readonly string[],
): BuiltClaim {
  return { kind: "claim", ...readClaim({ ...head, body: cut(content).body }) };
}
