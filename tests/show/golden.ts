/**
 * Golden files: what a drawing looked like when a person last looked at it.
 * `UPDATE_GOLDEN=1` writes them anew; look at them before you commit.
 */
import { equal } from "node:assert/strict";

export function matchesGolden(name: string, text: string): void {
  const url = new URL(`../golden/${name}`, import.meta.url);
  if (Deno.env.get("UPDATE_GOLDEN") === "1") {
    Deno.mkdirSync(new URL(".", url), { recursive: true });
    Deno.writeTextFileSync(url, text);
    return;
  }
  const wanted = Deno.readTextFileSync(url);
  const differs = `tests/golden/${name} differs; UPDATE_GOLDEN=1 rewrites it`;
  equal(text, wanted, text === wanted ? undefined : differs);
}

/** Fails unless tags are balanced and every `&` and `<` is markup. */
export function checkMarkup(markup: string): void {
  const open: string[] = [];
  const tag = /<(\/?)([a-zA-Z]+)((?: [a-zA-Z0-9:-]+="[^"<]*")*)(\/?)>/g;
  for (const [, closing, name, , selfClosing] of markup.matchAll(tag)) {
    if (closing === "/") equal(open.pop(), name);
    else if (selfClosing === "") open.push(name!);
  }
  equal(open.join(), "");
  equal(markup.replace(tag, "").match(/[<>]/), null);
  equal(markup.match(/&(?!amp;|lt;|gt;|quot;)/), null);
}
