/**
 * What does not compile, told in terms of the cell: its own words and place
 * instead of a parser's, and a remedy for what is TypeScript or Jupyter
 * elsewhere but not in a cell.
 */
import { excerpt, type Place, placeAt, type PlaceMap } from "./place.ts";

/** A fault that the author can be shown in the text of the cell. */
export class CellFault extends Error {
  readonly place: Place;
  /** The line of the place and a caret. */
  readonly excerpt: string;

  constructor(name: string, message: string, source: string, place: Place) {
    super(message);
    this.name = name;
    this.place = place;
    this.excerpt = excerpt(source, place);
  }
}

/** A cell whose types are stripped, and the way back to what was written. */
export interface Stripped {
  source: string;
  text: string;
  toSource: PlaceMap;
}

export function originOf(offset: number, stripped: Stripped): Place {
  return stripped.toSource(placeAt(stripped.text, offset));
}

/** syntaxFault() - a parser's error as a CellFault; other errors pass. */
export function syntaxFault(error: unknown, parsed: Stripped): unknown {
  const isSyntax = error instanceof SyntaxError && "pos" in error &&
    typeof error.pos === "number";
  if (!isSyntax) return error;
  const { source, text } = parsed;
  const offset = Number(error.pos);
  const isEnd = offset >= text.trimEnd().length;
  const place = isEnd
    ? placeAt(source, source.trimEnd().length)
    : originOf(offset, parsed);
  const message = error.message
    .replace("Error transforming cell.ts: ", "")
    .replace(/ \(\d+:\d+\)$/, "");
  const told = foreign(text, offset) ??
    (isEnd
      ? message.replace(/^Unexpected.*/, "Unexpected end of the cell")
      : message.replace(/^Unexpected token$/, `$& "${tokenAt(text, offset)}"`));
  return new CellFault("SyntaxError", told, source, place);
}

/** What other notebooks or compilers understand, and why it is refused. */
function foreign(text: string, offset: number): string | null {
  if (text[offset] === "@") {
    return "a cell has no decorators, which JavaScript does not have yet: " +
      "call the function with the class as its argument";
  }
  const line = text.slice(text.lastIndexOf("\n", offset - 1) + 1);
  if (!/^\s*%/.test(line)) return null;
  return "a cell is TypeScript, which has no magics: remove the line with `%`";
}

function tokenAt(text: string, offset: number): string {
  const word = /[\p{ID_Start}$_][\p{ID_Continue}$]*|\d+|./uy;
  word.lastIndex = offset;
  return word.exec(text)?.[0] ?? "";
}

/** TypeScript that is more than types: sucrase drops it or makes CommonJS. */
const NOT_ONLY_TYPES: [statement: RegExp, why: string][] = [
  [
    /^[ \t]*(?:export\s+)?(?:namespace|module)\s+[\p{ID_Start}$_][^\s{]*\s*\{/gmu,
    "a cell has no `namespace`: use an object, or top-level names",
  ],
  [
    /^[ \t]*(?:export\s+)?import\s+[\p{ID_Start}$_][\p{ID_Continue}$]*\s*=/gmu,
    "a cell has no `import x =`: write `import x from`, or `const x =`",
  ],
  [
    /^[ \t]*export\s*=/gm,
    "a cell has nothing to export: remove `export =`",
  ],
];

/**
 * refuseMoreThanTypes() - no statement may be lost with the types.
 *
 * What looks like one and is still there is part of a text or a comment.
 *
 * @throws {CellFault}
 */
export function refuseMoreThanTypes(stripped: Stripped): void {
  const { source, text } = stripped;
  for (const [statement, why] of NOT_ONLY_TYPES) {
    const kept = [...text.matchAll(statement)].map(([found]) => found);
    for (const { 0: found, index } of source.matchAll(statement)) {
      const at = kept.indexOf(found);
      if (at >= 0) {
        kept.splice(at, 1);
        continue;
      }
      const indent = /^\s*/.exec(found)?.[0].length ?? 0;
      const place = placeAt(source, index + indent);
      throw new CellFault("SyntaxError", why, source, place);
    }
  }
}
