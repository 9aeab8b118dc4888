/**
 * Places in a cell: which line and column of what the author wrote belongs to
 * a line and column of what the engine runs. Two steps lie between the two:
 * sucrase drops types (its source map tells where) and our rewriting edits
 * names (the edits tell where). Lines and columns count from one throughout;
 * a column counts UTF-16 units, as engines and editors do.
 */

export interface Place {
  line: number;
  column: number;
}

/** Maps a place of the output of one step back to its input. */
export type PlaceMap = (place: Place) => Place;

/** Replace `[start, end)` of a text; start = end inserts. No newline is added. */
export interface Edit {
  start: number;
  end: number;
  text: string;
}

/** A point of the output and the point of the input that it comes from. */
interface Anchor {
  column: number;
  input: Place;
  /** True if the text up to the next anchor is new, all from that one point. */
  isNew?: boolean;
}

/** Anchors of each output line (index 0 is line 1), ordered by column. */
type Anchors = Anchor[][];

/** The place that follows `text` when it starts at `place`. */
function advance(place: Place, text: string): Place {
  const lines = text.split("\n");
  const last = lines.at(-1) ?? "";
  if (lines.length === 1) {
    return { line: place.line, column: place.column + last.length };
  }
  return { line: place.line + lines.length - 1, column: last.length + 1 };
}

export function placeAt(text: string, offset: number): Place {
  return advance({ line: 1, column: 1 }, text.slice(0, offset));
}

/**
 * engineLines() - from an engine's line and column to ours, in one text.
 *
 * For an engine a line also ends at U+2028 and U+2029, for an editor not.
 */
export function engineLines(text: string): PlaceMap {
  const ends = [...text.matchAll(/[\n\u2028\u2029]/g)];
  if (ends.every(([end]) => end === "\n")) return (place) => place;
  const starts = [0, ...ends.map((end) => end.index + 1)];
  return ({ line, column }) =>
    placeAt(text, (starts[line - 1] ?? text.length) + column - 1);
}

/** The line at a place and a caret under the column, as compilers show it. */
export function excerpt(source: string, place: Place): string {
  const text = source.split("\n")[place.line - 1] ?? "";
  const gutter = String(place.line);
  const blank = " ".repeat(gutter.length);
  // A tab stays a tab, so that the caret stands right at any tab width.
  const indent = text.slice(0, place.column - 1).replace(/[^\t]/g, " ");
  return `  ${gutter} | ${text}\n  ${blank} | ${indent}^`;
}

function lookUp(anchors: Anchors, place: Place): Place {
  const line = anchors[place.line - 1] ?? [];
  const anchor = line.findLast((one) => one.column <= place.column) ?? line[0];
  if (anchor === undefined) return place;
  const isAhead = !anchor.isNew && place.column > anchor.column;
  const ahead = isAhead ? place.column - anchor.column : 0;
  return { line: anchor.input.line, column: anchor.input.column + ahead };
}

/**
 * applyEdits() - the edited text and the way back to the text before.
 *
 * Edits at one offset keep the order in which they are given.
 */
export function applyEdits(
  text: string,
  edits: readonly Edit[],
): { text: string; map: PlaceMap } {
  const anchors: Anchors = [];
  let output = "";
  let offset = 0;
  let from: Place = { line: 1, column: 1 };
  let to: Place = { line: 1, column: 1 };
  const copyTo = (end: number) => {
    for (const piece of text.slice(offset, end).split(/(?<=\n)/)) {
      (anchors[to.line - 1] ??= []).push({ column: to.column, input: from });
      output += piece;
      from = advance(from, piece);
      to = advance(to, piece);
    }
    offset = end;
  };
  for (const edit of edits.toSorted((a, b) => a.start - b.start)) {
    copyTo(edit.start);
    const anchor = { column: to.column, input: from, isNew: true };
    (anchors[to.line - 1] ??= []).push(anchor);
    output += edit.text;
    to = advance(to, edit.text);
    from = advance(from, text.slice(edit.start, edit.end));
    offset = edit.end;
  }
  copyTo(text.length);
  return { text: output, map: (place) => lookUp(anchors, place) };
}

const BASE64 =
  "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/** The signed numbers of one segment of a source map (base64 VLQ). */
function decodeSegment(segment: string): number[] {
  const numbers: number[] = [];
  let bits = 0;
  let shift = 0;
  for (const char of segment) {
    const digit = BASE64.indexOf(char);
    bits |= (digit & 31) << shift;
    shift += 5;
    if (digit & 32) continue;
    numbers.push(bits & 1 ? -(bits >> 1) : bits >> 1);
    bits = 0;
    shift = 0;
  }
  return numbers;
}

/** sourceMapPlaces() - the way back told by a source map's `mappings`. */
export function sourceMapPlaces(mappings: string): PlaceMap {
  const anchors: Anchors = [];
  let line = 1;
  let column = 1;
  for (const text of mappings.split(";")) {
    const ofLine: Anchor[] = [];
    let outputColumn = 1;
    for (const segment of text.split(",").filter((one) => one !== "")) {
      const [ahead = 0, , lines = 0, columns = 0] = decodeSegment(segment);
      outputColumn += ahead;
      line += lines;
      column += columns;
      ofLine.push({ column: outputColumn, input: { line, column } });
    }
    anchors.push(ofLine);
  }
  return (place) => lookUp(anchors, place);
}
